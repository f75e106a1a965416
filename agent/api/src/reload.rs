//! Reading the configuration again.

use serde::{Deserialize, Serialize};

use crate::words::words;

words!(
    /// What became of a difference between the file and what was in force.
    ReloadOutcome {
        /// It is in force.
        Applied = "applied",
        /// The listener accepts connections.
        Added = "added",
        /// The listener is gone; its connections come to their own end.
        Removed = "removed",
        /// It cannot be changed while the agent runs, and is as it was.
        NeedsRestart = "needs_restart",
    }
);

/// A difference between the file and what was in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadRow {
    /// The key, as in the file; `listener` for a listener that has come or gone.
    pub key: String,
    /// The listener that it is of; `null` where it is the agent's.
    pub listener: Option<String>,
    /// What became of it.
    pub outcome: ReloadOutcome,
}

/// The answer to `POST /v1/agent/reload`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReloadReport {
    /// Every difference; none where the file says what was in force.
    pub changes: Vec<ReloadRow>,
    /// Connections whose ending began because of it.
    pub ending: u64,
}
