//! Plans: a selector's result frozen, shown before anything is touched.

use serde::{Deserialize, Serialize};

use crate::conn::CountRow;
use crate::id::{JobId, NodeId, PlanId};
use crate::instant::Instant;
use crate::operation::{OperationKind, SideChoice};
use crate::pace::Pace;
use crate::words::words;

words!(
    /// What can still be done with a plan.
    PlanState {
        /// It can be applied.
        Ready = "ready",
        /// It was applied, once and for all.
        Applied = "applied",
        /// Its time is over: what it shows may be long past.
        Expired = "expired",
    }
);

/// A plan without the connections in it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanRow {
    /// Its id.
    pub plan_id: PlanId,
    /// The agent that holds its connections.
    pub node_id: NodeId,
    /// Whether it can be applied.
    pub state: PlanState,
    /// What it does.
    pub operation: OperationKind,
    /// On which side.
    pub side: SideChoice,
    /// The selector; `null` where the connections were named one by one.
    #[serde(rename = "where")]
    pub selector: Option<String>,
    /// Milliseconds to flush before a `close` is forced.
    pub grace_ms: u64,
    /// Why, for the log.
    pub note: Option<String>,
    /// How many connections it has.
    pub connections: u64,
    /// How many users they belong to, those of no user apart.
    pub users: u64,
    /// All connections of the node when it was made.
    pub node_connections: u64,
    /// How many were named that were not there; applying the plan tells of each.
    pub not_found: u64,
    /// Connections by listener, most first; at most [`MAX_GROUPS`].
    pub by_listener: Vec<CountRow>,
    /// Connections by user, most first; at most [`MAX_GROUPS`].
    pub by_uid: Vec<CountRow>,
    /// Connections by node.
    pub by_node: Vec<CountRow>,
    /// How it is spread over time.
    pub pace: Pace,
    /// Milliseconds that it takes at that pace, the answers of the last ones apart.
    pub estimate_ms: u64,
    /// When it was made.
    pub created_at: Instant,
    /// When it expires.
    pub expires_at: Instant,
    /// The job that carries it out, where one does.
    pub job_id: Option<JobId>,
}

/// The most listeners and users that a plan lists.
pub const MAX_GROUPS: usize = 100;

/// `GET /v1/plans`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct PlanPage {
    /// The oldest first.
    pub plans: Vec<PlanRow>,
}

/// `POST /v1/plans/{plan_id}/apply`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ApplyRequest {
    /// Refuse a plan of more connections than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// Refuse a plan of more than this share of the node's connections, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_percent: Option<f64>,
    /// Another pace than the plan's own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
    /// Answer at once with the [`JobRow`](crate::job::JobRow) of a job that does it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detach: bool,
}
