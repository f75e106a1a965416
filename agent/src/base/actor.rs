//! Who asks for something: their name, what they may do, and what they may see of the connections.

use std::net::SocketAddr;
use std::sync::Arc;

use connctl_api::access::{Role, Scope};

/// Someone who is known, for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The name for logs and the audit.
    pub name: Arc<str>,
    /// What they may do.
    pub role: Role,
    /// What they may see and act on; everything where absent.
    pub scope: Option<Arc<Scope>>,
    /// How they are known.
    pub evidence: Evidence,
    /// Where the request comes from; absent over the unix socket.
    pub address: Option<SocketAddr>,
}

/// How someone is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// By what the kernel says of the peer of a unix socket.
    Unix(Peer),
    /// By a token.
    Token,
    /// By a certificate.
    Certificate,
    /// Not at all: whoever reaches a loopback port is let in where no token is configured.
    Loopback,
}

impl Evidence {
    /// The word for logs and the audit.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unix(_) => "unix",
            Self::Token => "token",
            Self::Certificate => "certificate",
            Self::Loopback => "loopback",
        }
    }
}

/// The process at the other end of a unix socket, as it was when it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
    /// Its process, where the kernel tells.
    pub pid: Option<i32>,
}
