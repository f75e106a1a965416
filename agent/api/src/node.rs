//! The agent itself.

use serde::{Deserialize, Serialize};

use crate::id::NodeId;
use crate::instant::Instant;
use crate::words::words;

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
    /// The certificates of its control API, those that expire first at the front; none where it speaks no TLS.
    #[serde(default)]
    pub certificates: Vec<CertificateRow>,
}

words!(
    /// What a certificate is for.
    CertificateUse {
        /// Clients of the control API are shown it.
        Server = "server",
        /// It vouches for clients of the control API.
        ClientCa = "client_ca",
    }
);

/// Whoever looks after a certificate is reminded of it so long before it expires.
const RENEW_WITHIN_MS: i64 = 14 * 24 * 60 * 60 * 1_000;

/// A certificate of the control API.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CertificateRow {
    /// What it is for.
    pub of: CertificateUse,
    /// Its place in its file, from 1. The first of a server's is its own, and those behind it vouch for it.
    pub number: u64,
    /// A name that is in it; absent where it has none.
    pub name: Option<String>,
    /// When it expires.
    pub expires_at: Instant,
}

impl CertificateRow {
    /// Whether it expires within two weeks, or has.
    pub const fn is_due(&self, now: Instant) -> bool {
        self.expires_at.0 <= now.0.saturating_add(RENEW_WITHIN_MS)
    }
}
