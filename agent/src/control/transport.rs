//! How a request arrived, and what is known of whoever sent it by that alone.

use std::net::SocketAddr;
use std::sync::Arc;

use super::certificate::Certificate;
use crate::base::actor::Peer;

/// How a request arrived; put into its extensions by the server.
#[derive(Debug, Clone)]
pub(super) enum Transport {
    /// Over a unix socket.
    Unix {
        /// From this process.
        peer: Peer,
        /// To an agent of this user.
        own: u32,
    },
    /// Over TCP.
    Tcp {
        /// On this address of ours.
        local: SocketAddr,
        /// From this one.
        peer: SocketAddr,
    },
    /// Over TLS.
    Tls {
        /// From this address.
        peer: SocketAddr,
        /// From whom, where the client has shown a certificate.
        certificate: Option<Arc<Certificate>>,
    },
}
