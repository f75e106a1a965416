//! Why a connection ended, and what the wire saw of it.

use serde::{Deserialize, Serialize};

use crate::side::Side;
use crate::words::words;

words!(
    /// Who began an ending.
    Initiator {
        /// The client.
        Client = "client",
        /// The upstream.
        Upstream = "upstream",
        /// A person or a script, through the control API.
        Operator = "operator",
        /// A rule of the configuration.
        Policy = "policy",
        /// The agent itself.
        Agent = "agent",
    }
);

words!(
    /// Why a connection ended: the one table of reasons. A word is never renamed; later ones are added.
    Reason {
        /// The client ended its direction first, and everything was delivered.
        Normal = "normal",
        /// The client left before everything for it was delivered, or before the upstream was connected.
        ClosedClient = "closed_client",
        /// The upstream ended its direction first.
        ClosedUpstream = "closed_upstream",
        /// A peer reset the connection.
        Econnreset = "econnreset",
        /// The kernel gave a peer up, or the upstream did not answer the dial in time.
        Etimedout = "etimedout",
        /// The upstream refused the dial.
        Econnrefused = "econnrefused",
        /// There is no route to the upstream.
        Ehostunreach = "ehostunreach",
        /// The upstream's host name has no address.
        UnknownHost = "unknown_host",
        /// Any other error of a socket.
        SocketError = "socket_error",
        /// An operator closed it.
        OperatorClose = "operator_close",
        /// An operator reset it.
        OperatorReset = "operator_reset",
        /// An operator half-closed it, and it came to its end after that.
        OperatorHalfclose = "operator_halfclose",
        /// The agent was stopped.
        Shutdown = "shutdown",
        /// The PROXY header was missing, malformed or late.
        BadProxyHeader = "bad_proxy_header",
        /// No byte passed for the idle time-out.
        Inactivity = "inactivity",
        /// The client sent nothing in the time it had for its first byte.
        InitialTimeout = "initial_timeout",
        /// It reached its maximum lifetime.
        MaxLifetime = "max_lifetime",
        /// Half-closed for longer than it may be.
        HalfCloseLinger = "half_close_linger",
        /// More bytes waited for a peer than may wait.
        MaxPending = "max_pending",
        /// A limit was reached and this connection was refused.
        Limit = "limit",
        /// A limit was reached and this connection made room for another.
        Evicted = "evicted",
        /// Its user or address is revoked.
        Revoked = "revoked",
        /// A health rule found it unhealthy.
        Unhealthy = "unhealthy",
        /// The agent ran out of a resource (descriptors, memory).
        Resource = "resource",
        /// A defect in the agent; its log has more.
        Internal = "internal",
    }
);

impl Reason {
    /// One line for a person.
    pub const fn meaning(self) -> &'static str {
        match self {
            Self::Normal => "the client ended it and everything was delivered",
            Self::ClosedClient => "the client left early",
            Self::ClosedUpstream => "the upstream ended it",
            Self::Econnreset => "a peer reset it",
            Self::Etimedout => "a peer did not answer in time",
            Self::Econnrefused => "the upstream refused the dial",
            Self::Ehostunreach => "there is no route to the upstream",
            Self::UnknownHost => "the upstream's host name has no address",
            Self::SocketError => "a socket failed",
            Self::OperatorClose => "an operator closed it",
            Self::OperatorReset => "an operator reset it",
            Self::OperatorHalfclose => "an operator half-closed it",
            Self::Shutdown => "the agent was stopped",
            Self::BadProxyHeader => "the PROXY header was missing, malformed or late",
            Self::Inactivity => "no byte passed for the idle time-out",
            Self::InitialTimeout => "the client's first byte did not come in time",
            Self::MaxLifetime => "it reached its maximum lifetime",
            Self::HalfCloseLinger => "it was half-closed for too long",
            Self::MaxPending => "a peer let too many bytes wait for it",
            Self::Limit => "a limit refused it",
            Self::Evicted => "it made room for another under a limit",
            Self::Revoked => "its user or address is revoked",
            Self::Unhealthy => "a health rule ended it",
            Self::Resource => "the agent ran out of a resource",
            Self::Internal => "a defect in the agent",
        }
    }
}

/// Why a connection ended and who began it. The first cause wins.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Cause {
    /// Why.
    pub reason: Reason,
    /// Who began it.
    pub initiator: Initiator,
    /// On which side it began, where that can be said.
    pub side: Option<Side>,
}

/// What the wire saw of one socket.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct SideWire {
    /// A FIN was sent.
    pub fin_sent: bool,
    /// The peer acknowledged it.
    pub fin_acked: bool,
    /// A RST was sent.
    pub rst_sent: bool,
    /// The socket had ended before the operation came.
    pub already_closed: bool,
    /// The grace ran out and the socket was cut.
    pub forced: bool,
    /// Bytes that were pending when the operation came and are now delivered to the peer's kernel.
    pub sent_bytes: u64,
    /// Bytes that were pending and were dropped.
    pub dropped_bytes: u64,
}

impl SideWire {
    /// Both sockets as one: what happened on either, and the bytes of both.
    #[must_use]
    pub const fn merged(self, other: Self) -> Self {
        Self {
            fin_sent: self.fin_sent || other.fin_sent,
            fin_acked: (self.fin_acked || !self.fin_sent)
                && (other.fin_acked || !other.fin_sent)
                && (self.fin_sent || other.fin_sent),
            rst_sent: self.rst_sent || other.rst_sent,
            already_closed: self.already_closed && other.already_closed,
            forced: self.forced || other.forced,
            sent_bytes: self.sent_bytes + other.sent_bytes,
            dropped_bytes: self.dropped_bytes + other.dropped_bytes,
        }
    }
}

/// What the wire saw of an operation: both sides as one, and each side that it touched.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Wire {
    /// Both sides as one.
    #[serde(flatten)]
    pub all: SideWire,
    /// The client's socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<SideWire>,
    /// The upstream's socket.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<SideWire>,
}

impl Wire {
    /// The sides that were touched, and their sum.
    pub fn of(client: Option<SideWire>, upstream: Option<SideWire>) -> Self {
        let all = match (client, upstream) {
            (Some(one), Some(other)) => one.merged(other),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => SideWire::default(),
        };
        Self { all, client, upstream }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fin_counts_as_acknowledged_when_every_fin_was() {
        let acked = SideWire { fin_sent: true, fin_acked: true, ..SideWire::default() };
        let unacked = SideWire { fin_sent: true, ..SideWire::default() };
        let reset = SideWire { rst_sent: true, ..SideWire::default() };
        assert!(Wire::of(Some(acked), Some(acked)).all.fin_acked);
        assert!(!Wire::of(Some(acked), Some(unacked)).all.fin_acked);
        assert!(Wire::of(Some(acked), Some(reset)).all.fin_acked);
        assert!(!Wire::of(Some(reset), None).all.fin_acked);
    }

    #[test]
    fn reasons_are_read_back_from_their_words() {
        for reason in Reason::ALL {
            assert_eq!(reason.word().parse(), Ok(*reason));
            assert!(!reason.meaning().is_empty());
        }
    }
}
