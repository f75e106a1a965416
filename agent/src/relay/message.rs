//! What other threads post to a relay thread.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use connctl_api::end::Reason;
use connctl_api::id::ConnId;

use crate::config::ListenerSettings;
use crate::conn::command::{Command, Facts, Replies, Target};
use crate::policy::admission::Ticket;
use crate::registry::Conn;

/// An accepted connection on its way to its thread.
#[derive(Debug)]
pub struct Arrival {
    /// Its record, in no table yet.
    pub conn: Arc<Conn>,
    /// The client's socket.
    pub fd: OwnedFd,
    /// How its listener is set up.
    pub settings: Arc<ListenerSettings>,
    /// Its place under the limits.
    pub ticket: Ticket,
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
    /// A name that a connection wants to dial has these addresses.
    Resolved { target: (u32, ConnId), addresses: Vec<SocketAddr> },
    /// Let this work on the thread.
    Host(Box<dyn super::Guest>),
    /// End the thread.
    Stop,
}
