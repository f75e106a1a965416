//! The agent itself.

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::instant::Instant;

/// `GET /v1/node`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct NodeReport {
    /// Its id.
    pub node_id: NodeId,
    /// Its version.
    pub version: String,
    /// Its process.
    pub pid: u32,
    /// When it started.
    pub started_at: Instant,
    /// Milliseconds since then.
    pub uptime_ms: u64,
    /// Where its control API is.
    pub control: Vec<String>,
    /// Relay threads.
    pub threads: u64,
    /// Listeners.
    pub listeners: u64,
    /// Listeners that take new connections.
    pub listeners_accepting: u64,
    /// Live connections.
    pub connections: u64,
    /// Connections accepted since it started, and those that it opened itself.
    pub accepted: u64,
    /// Connections ended since it started.
    pub ended: u64,
    /// Open descriptors.
    pub descriptors_used: u64,
    /// The most it may open.
    pub descriptors_limit: u64,
    /// Memory that is its own (resident set), in bytes.
    pub memory_bytes: u64,
    /// `documented` or `actual`.
    pub compat: String,
}
