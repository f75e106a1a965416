//! What other threads post to a relay thread.

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

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
    /// Its place, where its listener has limits.
    pub ticket: Option<Box<Ticket>>,
}

/// A message to a relay thread.
#[derive(Debug)]
pub(super) enum Message {
    /// Own this connection from now on.
    Adopt(Box<Arrival>),
    /// Do this to these connections.
    Operate { targets: Vec<Target>, command: Command, replies: Replies },
    /// Tell what the kernel knows of these connections.
    Inspect { targets: Vec<Target>, facts: Facts },
    /// A name that a connection wants to dial has these addresses.
    Resolved { target: (u32, ConnId), addresses: Vec<SocketAddr> },
    /// Let this work on the thread.
    Host(Box<dyn super::Guest>),
    /// End the thread.
    Stop,
}
