//! What both end-to-end suites share: real processes, real sockets on loopback, bounded waits.
//!
//! Nothing here sleeps for luck: a wait names what it waits for and fails when its limit is over.
//! Whatever a helper starts, it ends on drop.
pub(crate) mod agent;
pub(crate) mod certs;
pub(crate) mod cli;
pub(crate) mod dir;
pub(crate) mod disk;
pub(crate) mod http;
pub(crate) mod pattern;
pub(crate) mod peer;
pub(crate) mod process;
pub(crate) mod random;
pub(crate) mod service;
pub(crate) mod until;
pub(crate) mod upstream;

pub(crate) use agent::{Agent, Setup};
pub(crate) use http::Http;
pub(crate) use peer::{End, Peer};
pub(crate) use until::{LIMIT, until};
pub(crate) use upstream::Upstream;

/// Says something to whoever runs the tests with `--nocapture`.
pub(crate) fn tell(text: std::fmt::Arguments<'_>) {
    eprintln!("{text}");
}
