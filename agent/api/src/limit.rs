//! Limits: the policies of an agent and its listeners, which can be changed while it runs.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::conn::ConnRow;
use crate::end::Reason;
use crate::words::words;

words!(
    /// What a limit is of.
    LimitScope {
        /// All listeners of the agent together.
        Agent = "agent",
        /// One listener.
        Listener = "listener",
    }
);

words!(
    /// Where a limit's value comes from.
    LimitSource {
        /// Nobody has said anything else.
        Default = "default",
        /// The configuration file.
        File = "file",
        /// An operator, since the agent was started or its file read again.
        Set = "set",
    }
);

/// A value as the configuration file would have it: `5`, `"10m"`, `"evict-oldest"`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged, expecting = "expected a whole number or a text")]
pub enum LimitValue {
    /// A count; 0 is no limit.
    Number(i64),
    /// Anything that has a unit or is a word.
    Text(String),
}

impl std::fmt::Display for LimitValue {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Number(number) => number.fmt(f),
            Self::Text(text) => text.fmt(f),
        }
    }
}

impl From<&str> for LimitValue {
    /// What a person typed: a number where it is one.
    fn from(text: &str) -> Self {
        text.parse().map_or_else(|_| Self::Text(text.to_owned()), Self::Number)
    }
}

/// A limit in force.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitRow {
    /// Its key, as in the configuration file.
    pub key: String,
    /// What it is of.
    pub scope: LimitScope,
    /// The listener; `null` where it is the agent's.
    pub listener: Option<String>,
    /// Its value.
    pub value: LimitValue,
    /// Where the value comes from.
    pub source: LimitSource,
}

/// `GET /v1/limits`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitPage {
    /// The agent's first, then those of each listener.
    pub limits: Vec<LimitRow>,
}

/// `PATCH /v1/limits`: all of it comes into force, or nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct LimitRequest {
    /// The listeners by name; the agent's own limits where empty.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub listeners: Vec<String>,
    /// The values by key.
    pub set: BTreeMap<String, LimitValue>,
    /// Only say what would happen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// The query of `DELETE /v1/limits`: what was set comes to its value in the file again, or to the default.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitRemoval {
    /// The listeners by name, with commas between; the agent's own limits where absent, and with neither
    /// listeners nor keys everything that was set.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub listeners: Option<String>,
    /// The keys, with commas between; all where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub keys: Option<String>,
    /// Only say what would happen.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub dry_run: bool,
}

/// What a change of limits did, or would do.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct LimitReport {
    /// Nothing was changed.
    pub dry_run: bool,
    /// The limits that were named, as they are now, or would be.
    pub limits: Vec<LimitRow>,
    /// Connections whose ending began because of it, or would begin now.
    pub ending: u64,
    /// The same by listener, user and reason, most first.
    pub by: Vec<LimitEnding>,
    /// Of a dry run: which connections, at most [`crate::conn::MAX_PAGE_ROWS`].
    pub connections: Vec<ConnRow<'static>>,
}

/// How many connections of one user a change of limits ends.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LimitEnding {
    /// The listener's name.
    pub listener: String,
    /// Whose they are, where known.
    pub uid: Option<String>,
    /// Why they end.
    pub reason: Reason,
    /// How many.
    pub count: u64,
}
