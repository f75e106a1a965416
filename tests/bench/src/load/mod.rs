//! The load tool: a server behind the relay, clients in front of it.
//!
//! It knows addresses only, never which relay stands between.

pub(crate) mod bulk;
pub(crate) mod connect;
pub(crate) mod held;
mod poll;
pub(crate) mod rate;
pub(crate) mod request;
pub(crate) mod schedule;
pub(crate) mod server;

use std::time::Duration;

/// Bytes asked of or given to a socket in one call.
pub(crate) const IO_BYTES: usize = 256 * 1024;
/// Bytes of a request, and of its answer.
pub(crate) const MESSAGE_BYTES: usize = 64;
/// A peer that is silent for this long is stuck: the case fails instead of hanging.
pub(crate) const STUCK: Duration = Duration::from_secs(10);

/// Warm-up and measured time of a run.
#[derive(Clone, Copy)]
pub(crate) struct Span {
    pub(crate) warm_up: Duration,
    pub(crate) measured: Duration,
}
