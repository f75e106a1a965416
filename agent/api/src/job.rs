//! Jobs: bulk operations that run in the agent, whether anybody watches or not.

use serde::{Deserialize, Serialize};

use crate::end::Initiator;
use crate::id::{JobId, NodeId, PlanId};
use crate::instant::Instant;
use crate::operation::{Item, OperationKind, SideChoice, Summary};
use crate::pace::Pace;
use crate::words::words;

words!(
    /// Where a job is.
    JobState {
        /// Connections are being acted on.
        Running = "running",
        /// It waits for somebody to resume or to cancel it.
        Paused = "paused",
        /// It was cancelled and waits for the connections that it had begun to end.
        Cancelling = "cancelling",
        /// Every connection has its item.
        Done = "done",
        /// It was cancelled; what it had not begun is `skipped`.
        Cancelled = "cancelled",
        /// The agent was restarted meanwhile; the connections that were left ended with it.
        Interrupted = "interrupted",
    }
);

impl JobState {
    /// Whether nothing more comes.
    pub const fn is_ended(self) -> bool {
        matches!(self, Self::Done | Self::Cancelled | Self::Interrupted)
    }
}

/// A job without its items.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobRow {
    /// Its id.
    pub job_id: JobId,
    /// Where it runs.
    pub node_id: NodeId,
    /// Who began it, where that is known.
    #[serde(default)]
    pub by: Option<String>,
    /// Where it is.
    pub state: JobState,
    /// Why it is paused.
    pub reason: Option<String>,
    /// Who paused it: an operator, or the agent where too many failed or whoever began it may not any more. Whoever waits for a job goes on waiting
    /// only for the first.
    #[serde(default)]
    pub paused_by: Option<Initiator>,
    /// What it does.
    pub operation: OperationKind,
    /// On which side.
    pub side: SideChoice,
    /// The selector; `null` where the connections were named one by one.
    #[serde(rename = "where")]
    pub selector: Option<String>,
    /// The plan that it carries out, where it does.
    pub plan_id: Option<PlanId>,
    /// Milliseconds to flush before a `close` is forced.
    pub grace_ms: u64,
    /// Why, for the log.
    pub note: Option<String>,
    /// How it is spread over time.
    pub pace: Pace,
    /// Connections per second that it allows itself now; `null` where there is no limit.
    pub rate: Option<f64>,
    /// Clients that connected in the last second that it ran.
    pub reconnect_rate: f64,
    /// How many connections it is about.
    pub connections: u64,
    /// What became of them so far.
    pub summary: Summary,
    /// Milliseconds that the rest takes at the pace asked; 0 when it has ended.
    pub remaining_ms: u64,
    /// When it began.
    pub created_at: Instant,
    /// When it ended.
    pub ended_at: Option<Instant>,
}

/// `GET /v1/jobs`.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobPage {
    /// The oldest first.
    pub jobs: Vec<JobRow>,
}

/// One line of a job that is watched: the job itself at first, when its state changes and at least every
/// second; each item; and the summary that ends it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum JobLine {
    /// The last line.
    Summary {
        /// The counts.
        summary: Summary,
    },
    /// The job as it is now.
    Job {
        /// It.
        job: Box<JobRow>,
    },
    /// What became of a connection.
    Item(Item),
}
