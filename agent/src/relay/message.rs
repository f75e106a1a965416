//! What other threads post to a relay thread.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use connctl_api::end::Reason;
use tokio::sync::oneshot;

use super::guest::Guest;
use super::speaker::Speaker;
use crate::config::ListenerSettings;
use crate::conn::command::{Command, Facts, Replies, Target};
use crate::policy::admission::Ticket;
use crate::registry::Conn;

/// An accepted or opened connection on its way to its thread.
#[derive(Debug)]
pub struct Arrival {
    /// Its record, in no table yet.
    pub conn: Arc<Conn>,
    /// The client's socket, or the upstream's where the agent opened it.
    pub fd: OwnedFd,
    /// When it was accepted or opened, in microseconds of [`clock::now_us`](crate::base::clock::now_us).
    pub accepted_us: u64,
    /// How its listener is set up.
    pub settings: Arc<ListenerSettings>,
    /// Its place under the limits, which are a listener's.
    pub ticket: Option<Ticket>,
    /// Where the agent opened it.
    pub opened: Option<Box<Opened>>,
}

/// What comes with a connection that the agent opened.
#[derive(Debug)]
pub struct Opened {
    /// What is said on it.
    pub speaker: Speaker,
    /// As whom.
    pub uid: Option<Box<str>>,
    /// Told that it has been entered into the registry, or that its user is revoked and it was not.
    pub entered: oneshot::Sender<bool>,
}

/// Where a thread tells which connections it has begun to end because of a policy, and why.
pub(super) type Ended = tokio::sync::mpsc::Sender<Vec<(Arc<Conn>, Reason)>>;

/// A message to a relay thread.
#[derive(Debug)]
pub(super) enum Message {
    /// Own this connection from now on.
    Adopt(Box<Arrival>),
    /// Do this to these connections.
    Operate { targets: Vec<Target>, command: Command, replies: Replies },
    /// Tell what the kernel knows of these connections.
    Inspect { targets: Vec<Target>, facts: Facts },
    /// The policies have changed: look at the connections now, and tell which of them end.
    Refresh { ended: Ended },
    /// Say this to the clients whose protocol has such a packet.
    Farewell { targets: Vec<Target>, packet: Arc<[u8]> },
    /// Ask the server of this connection, which the agent opened, whether it is there.
    Ask { target: Target, asker: oneshot::Sender<()> },
    /// The name of this upstream, by its place in the settings, which a connection wants to dial has these
    /// addresses.
    Resolved { target: Target, upstream: u8, addresses: Vec<SocketAddr> },
    /// Let this work on the thread.
    Host(Box<dyn Guest>),
    /// End the thread.
    Stop,
}
