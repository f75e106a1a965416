//! Revocations: users and addresses whose connections are closed and whose newcomers are refused.

use serde::{Deserialize, Serialize};

use crate::id::{NodeId, RevocationId};
use crate::instant::Instant;
use crate::operation::{Item, OperationKind, Summary};

/// The longest time that a revocation can be made for: 100 years, in milliseconds.
pub const MAX_FOR_MS: u64 = 36_525 * 86_400_000;
/// The most revocations of an agent at one time.
pub const MAX_REVOCATIONS: usize = 10_000;

/// `POST /v1/revocations`: exactly one of `uid` and `ip` says who is revoked.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RevokeRequest {
    /// A user.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// An address or a network.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ip: Option<String>,
    /// For how many milliseconds, at most [`MAX_FOR_MS`]; until it is lifted where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub for_ms: Option<u64>,
    /// How the live ones end: `close` (where absent) or `reset`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub operation: Option<OperationKind>,
    /// Milliseconds to flush before a `close` is forced;
    /// [`DEFAULT_GRACE_MS`](crate::operation::DEFAULT_GRACE_MS) where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
    /// Revoke nothing where more connections than this would end.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// Revoke nothing where more than this share of the node's connections would end, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_percent: Option<f64>,
    /// Why, for the log and for whoever lists it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A revocation in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationRow {
    /// Its id.
    pub id: RevocationId,
    /// The agent that keeps it.
    pub node_id: NodeId,
    /// The user, where it is about one.
    pub uid: Option<String>,
    /// The address or network, where it is about one.
    pub ip: Option<String>,
    /// When it was made.
    pub created_at: Instant,
    /// When it ends, by the wall clock; `null` is when it is lifted.
    pub expires_at: Option<Instant>,
    /// Milliseconds until then.
    pub remaining_ms: Option<u64>,
    /// Newcomers that it has refused since the agent started.
    pub refused: u64,
    /// Why.
    pub note: Option<String>,
}

/// `GET /v1/revocations`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct RevocationPage {
    /// By id.
    pub revocations: Vec<RevocationRow>,
}

/// One line of the answer to a [`RevokeRequest`]: an item for each connection that it found, then the last.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum RevokeLine {
    /// The last line.
    Last {
        /// The counts.
        summary: Summary,
        /// What is in force now.
        revocation: RevocationRow,
    },
    /// Any other line.
    Item(Item),
}
