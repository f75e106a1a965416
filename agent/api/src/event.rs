//! What happens in an agent, as it is told while it happens.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::conn::{Mode, Side};
use crate::end::{Initiator, Reason};
use crate::id::{ConnId, NodeId};
use crate::instant::Instant;
use crate::words::words;

words!(
    /// What happened: the one table of kinds.
    EventKind {
        /// A connection was accepted.
        Opened = "opened",
        /// It became known whose it is.
        Identified = "identified",
        /// One direction ended, and the other goes on.
        HalfClosed = "half_closed",
        /// A policy will end it soon if nothing more happens to it.
        Warned = "warned",
        /// It ended; the history has it.
        Ended = "ended",
        /// A listener was told to accept, to reject or to drain.
        ListenerChanged = "listener_changed",
        /// Limits or time-outs were changed.
        PolicyChanged = "policy_changed",
        /// A user or an address was revoked, or is so no more.
        Revoked = "revoked",
        /// A job began, went on or ended.
        Job = "job",
        /// The reader was too slow, or was away for too long: events are missing here.
        Gap = "gap",
    }
);

/// An answer that follows events says so often, in milliseconds, that it has none.
pub const HEARTBEAT_MS: u64 = 5_000;

/// The query of `GET /v1/events`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct EventQuery {
    /// A selector; all events where absent.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Only these kinds, with commas between them.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kinds: Option<String>,
    /// Go on behind this event; `0` begins with the oldest that is kept. Where absent, what is followed begins
    /// now, and anything else with the oldest.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<String>,
    /// Do not end with the last event that there is.
    pub follow: bool,
    /// Answer JSON lines instead of server-sent events.
    pub stream: bool,
}

/// One event. What does not belong to its kind is absent.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct EventRow<'a> {
    /// Its place: give it as `after`, or as `Last-Event-ID`, to go on behind it.
    pub id: Cow<'a, str>,
    /// What happened.
    pub event: EventKind,
    /// When.
    pub at: Instant,
    /// Where.
    pub node_id: NodeId,
    /// To which connection.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub conn_id: Option<ConnId>,
    /// Whose that is, where known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<Cow<'a, str>>,
    /// From which kind of device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<Cow<'a, str>>,
    /// Free labels.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// On which listener.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listener: Option<Cow<'a, str>>,
    /// What that does with connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<Mode>,
    /// The client's address.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub client: Option<SocketAddr>,
    /// The agent's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub local: Option<SocketAddr>,
    /// The upstream's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upstream: Option<SocketAddr>,
    /// Milliseconds since it was accepted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub age_ms: Option<u64>,
    /// Bytes relayed from the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_upstream_bytes: Option<u64>,
    /// Bytes relayed to the client.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to_client_bytes: Option<u64>,
    /// On which side.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<Side>,
    /// Why it ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<Reason>,
    /// Who began that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub initiator: Option<Initiator>,
    /// Who asked for it, where somebody did.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Cow<'a, str>>,
    /// What was asked: the operation and its selector.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub request: Option<Cow<'a, str>>,
    /// What the operator noted.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<Cow<'a, str>>,
    /// What else there is to say.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<Cow<'a, str>>,
    /// Of a gap: how many events are missing; absent where nobody can tell, as after a restart.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub missed: Option<u64>,
}

impl<'a> EventRow<'a> {
    /// An event of which nothing more is known.
    pub const fn new(id: Cow<'a, str>, event: EventKind, at: Instant, node_id: NodeId) -> Self {
        Self {
            id,
            event,
            at,
            node_id,
            conn_id: None,
            uid: None,
            device: None,
            tags: BTreeMap::new(),
            listener: None,
            mode: None,
            client: None,
            local: None,
            upstream: None,
            age_ms: None,
            to_upstream_bytes: None,
            to_client_bytes: None,
            side: None,
            reason: None,
            initiator: None,
            by: None,
            request: None,
            note: None,
            text: None,
            missed: None,
        }
    }
}
