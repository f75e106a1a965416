//! Emptying listeners, or the whole node.

use serde::{Deserialize, Serialize};

use crate::job::JobRow;
use crate::listener::{GateReport, RejectMode};
use crate::pace::Pace;

/// `POST /v1/node/drain`: new connections are rejected, and a job closes the live ones.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct DrainRequest {
    /// The listeners by name; everything that the agent holds where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<String>,
    /// How new connections are rejected; `refuse` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RejectMode>,
    /// Milliseconds to flush before a connection is cut.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
    /// Those that have been idle the longest come first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idle_first: bool,
    /// How the closing is spread over time; all at once where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
    /// Why, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// Refuse to close more connections than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// Refuse to close more than this share of the node's connections, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_percent: Option<f64>,
}

/// The answer: the doors, and the job that closes those inside.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct DrainReport {
    /// In the order of the configuration.
    pub listeners: Vec<GateReport>,
    /// The job.
    pub job: JobRow,
}
