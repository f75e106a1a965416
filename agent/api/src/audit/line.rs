//! What a line of the audit says, its place in the chain apart. What is unknown is left out.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::AuditResult;
use crate::access::Role;
use crate::id::{JobId, NodeId, PlanId};
use crate::instant::Instant;
use crate::job::JobState;

/// A line.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(tag = "event", rename_all = "snake_case")]
pub enum AuditLine {
    /// A change is about to be carried out.
    Call(Asked),
    /// Its answer has ended.
    End(End),
    /// The job that it began has ended.
    Job(JobEnd),
    /// Somebody was refused who may not.
    Denied(Denial),
    /// An agent goes on with this audit.
    Start(Start),
    /// It has stopped as it was told to.
    Stop(Stop),
}

/// Who asked for what.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Asked {
    /// When.
    pub time: Instant,
    /// Their name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub actor: Option<String>,
    /// How they are known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub known_by: Option<String>,
    /// What they may do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub role: Option<Role>,
    /// The user of their process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<u32>,
    /// Their process.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pid: Option<i32>,
    /// Where they asked from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub address: Option<String>,
    /// What they asked for.
    pub verb: String,
    /// Method and path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub call: Option<String>,
    /// The selector.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// The plan in the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub plan_id: Option<PlanId>,
    /// The job in the path.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// Why.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// What else was said.
    #[serde(default, skip_serializing_if = "Map::is_empty")]
    pub request: Map<String, Value>,
}

impl Asked {
    /// Of this verb, by nobody who is known.
    pub fn new(time: Instant, verb: impl Into<String>) -> Self {
        Self {
            time,
            actor: None,
            known_by: None,
            role: None,
            uid: None,
            pid: None,
            address: None,
            verb: verb.into(),
            call: None,
            selector: None,
            plan_id: None,
            job_id: None,
            note: None,
            request: Map::new(),
        }
    }
}

/// What came of a call.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct End {
    /// When.
    pub time: Instant,
    /// The number of its first line.
    pub of: u64,
    /// In a word.
    pub result: AuditResult,
    /// The HTTP status.
    pub status: u16,
    /// The code of an error.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub code: Option<String>,
    /// What became of the connections.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub counts: Option<Map<String, Value>>,
    /// The job that goes on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub job_id: Option<JobId>,
    /// How long it took.
    pub elapsed_ms: u64,
}

/// What came of a job.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct JobEnd {
    /// When.
    pub time: Instant,
    /// The number of the first line of the call that began it.
    pub of: u64,
    /// The job.
    pub job_id: JobId,
    /// How it ended.
    pub state: JobState,
    /// What became of the connections.
    pub counts: Map<String, Value>,
    /// How long it took since it was asked.
    pub elapsed_ms: u64,
}

/// A refusal, or many of one kind.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Denial {
    /// Of what; of the first of them, where there were many.
    #[serde(flatten)]
    pub asked: Asked,
    /// The HTTP status.
    pub status: u16,
    /// The code of the error.
    pub code: String,
    /// How many.
    pub times: u64,
}

/// An agent that goes on with an audit.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Start {
    /// When.
    pub time: Instant,
    /// Its process.
    pub pid: u32,
    /// Its node.
    pub node_id: NodeId,
    /// Its version.
    pub version: String,
    /// Bytes of a last line that a crash had cut off, and that are gone.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub torn_bytes: Option<u64>,
    /// What was wrong with the end of the audit, and no crash explains.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub damage: Option<String>,
}

/// An agent that has stopped.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Stop {
    /// When.
    pub time: Instant,
    /// Its process.
    pub pid: u32,
}

impl AuditLine {
    /// Its fields as JSON, without the braces.
    pub fn fields(&self) -> String {
        let text = serde_json::to_string(self).unwrap_or_default();
        text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or_default().to_owned()
    }
}

/// A line with its number.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Numbered {
    /// Its number, from 1.
    pub seq: u64,
    /// What it says.
    #[serde(flatten)]
    pub line: AuditLine,
}
