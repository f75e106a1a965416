//! Counts of endings and of live connections.

use serde::{Deserialize, Serialize};

use crate::conn::Side;
use crate::end::Reason;
use crate::words::words;

words!(
    /// What statistics are kept by.
    StatsBy {
        /// Endings, by reason and side.
        Reason = "reason",
        /// Live connections, by user.
        Uid = "uid",
        /// Live connections, by the client's address.
        Ip = "ip",
        /// Live connections, by listener.
        Listener = "listener",
        /// Live connections, by device.
        Device = "device",
    }
);

/// How often connections ended for a reason, counted on each of their sides.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReasonCount {
    /// Why that side ended.
    pub reason: Reason,
    /// Which side.
    pub side: Side,
    /// How often.
    pub count: u64,
}

/// The live connections that share a value.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupCount {
    /// The value; `null` where unknown.
    pub value: Option<String>,
    /// How many.
    pub connections: u64,
    /// Bytes relayed from their clients so far.
    pub to_upstream_bytes: u64,
    /// Bytes relayed to their clients so far.
    pub to_client_bytes: u64,
}

/// The query of `GET /v1/stats`; the answer is an array of [`ReasonCount`] or of [`GroupCount`].
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StatsQuery {
    /// By what; `reason` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<StatsBy>,
}
