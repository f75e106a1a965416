//! The audit: what was asked of an agent that changes something, by whom, and what came of it.
//!
//! It is kept as JSON lines, each with the hash of the one before: [`chain`] has the form of the chain, [`line`]
//! what each line says, [`fold`] makes rows of lines, and [`verb`] has the words for what was asked.

pub mod chain;
pub mod fold;
pub mod line;
pub mod verb;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::access::Role;
use crate::id::{JobId, PlanId};
use crate::instant::Instant;
use crate::words::words;

/// Rows of one answer where no limit is asked.
pub const AUDIT_ROWS: u64 = 1_000;
/// The most rows of one answer.
pub const MAX_AUDIT_ROWS: u64 = 100_000;

words!(
    /// What came of a call.
    AuditResult {
        /// It was carried out; `counts` says on what.
        Done = "done",
        /// It was refused for its own sake: a value, a guard, a thing that is not there.
        Refused = "refused",
        /// Whoever asked may not.
        Denied = "denied",
        /// The agent failed.
        Failed = "failed",
        /// The answer did not come to its end: whoever asked left, or the agent stopped. What had begun was
        /// carried out.
        Unfinished = "unfinished",
        /// Its job was cancelled.
        Cancelled = "cancelled",
        /// It is under way.
        Open = "open",
        /// The agent ended before it.
        Interrupted = "interrupted",
    }
);

/// `GET /v1/audit`
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditQuery {
    /// Only calls since then: a time, or a duration back from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// Only calls of this name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// Only calls of this verb, or of a command; see [`verb::Wanted`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verb: Option<String>,
    /// Only calls of which this came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub result: Option<AuditResult>,
    /// The latest so many; [`AUDIT_ROWS`] where absent, at most [`MAX_AUDIT_ROWS`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// The answer.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditPage {
    /// The calls, the latest first.
    pub calls: Vec<AuditRow>,
    /// The last line when this was read.
    pub head: AuditHead,
}

/// A line by its place and its hash. Kept elsewhere, it shows whether what was written until then is still there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditHead {
    /// The number of the line, from 1; 0 is before the first.
    pub seq: u64,
    /// Its hash, in hexadecimal.
    pub hash: String,
}

/// One call: its line, and those that say what came of it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct AuditRow {
    /// The place of its first line.
    pub seq: u64,
    /// When it was asked.
    pub time: Instant,
    /// By whom; absent where nobody is known.
    pub actor: Option<String>,
    /// How they are known: `unix`, `token`, `certificate`, `loopback`, `signal`; `agent` where it says something
    /// of itself.
    pub known_by: Option<String>,
    /// What they may do.
    pub role: Option<Role>,
    /// The user of their process, over the unix socket.
    pub uid: Option<u32>,
    /// Their process, over the unix socket.
    pub pid: Option<i32>,
    /// Where they asked from, over TCP.
    pub address: Option<String>,
    /// What they asked for, in a word or two: `close`, `reject`, `set limits`.
    pub verb: String,
    /// Method and path.
    pub call: Option<String>,
    /// The selector as it was sent; what somebody typed is in `request`.
    #[serde(rename = "where")]
    pub selector: Option<String>,
    /// The plan that it is about.
    pub plan_id: Option<PlanId>,
    /// The job that it is about, or that carries it out.
    pub job_id: Option<JobId>,
    /// Why, in the words of whoever asked.
    pub note: Option<String>,
    /// What else the request said, secrets and long lists apart.
    pub request: Map<String, Value>,
    /// What came of it.
    pub result: AuditResult,
    /// The HTTP status.
    pub status: Option<u16>,
    /// The code of an error.
    pub code: Option<String>,
    /// What became of the connections, by count.
    pub counts: Option<Map<String, Value>>,
    /// How many such calls this row stands for: more than one where somebody was refused again and again.
    pub times: u64,
    /// Milliseconds from the request to the end of its answer, or of its job.
    pub elapsed_ms: Option<u64>,
}

impl AuditRow {
    /// The command as somebody typed it, where that is known.
    pub fn typed(&self) -> Option<&str> {
        self.request.get("typed")?.as_str()
    }
}

/// What a check of the audit found.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditReport {
    /// Whether every line is as it was written.
    pub ok: bool,
    /// How many files were read.
    pub files: u64,
    /// How many lines.
    pub entries: u64,
    /// The place of the last line; 0 where there is none.
    pub last_seq: u64,
    /// The hash of the last line, in hexadecimal: keep it elsewhere, and no later change goes unseen.
    pub head: String,
    /// What is wrong, in the order of the lines.
    pub problems: Vec<AuditProblem>,
}

/// A line that is not as it was written.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuditProblem {
    /// The file's name.
    pub file: String,
    /// The line in it, from 1.
    pub line: u64,
    /// What is wrong with it.
    pub problem: String,
}
