//! Listeners: what is listed, asked and answered.

use serde::{Deserialize, Serialize};

use crate::conn::Mode;
use crate::end::Reason;
use crate::instant::Instant;
use crate::words::words;

words!(
    /// How a listener turns clients away.
    RejectMode {
        /// The dial fails: `ECONNREFUSED`.
        Refuse = "refuse",
        /// The dial succeeds and is reset at once.
        Reset = "reset",
        /// The dial succeeds in the kernel and nobody answers until the listener accepts again.
        Stall = "stall",
    }
);

words!(
    /// How an upstream is, by the last dial.
    UpstreamState {
        /// Nobody has needed it yet.
        Untried = "untried",
        /// The last dial reached it.
        Up = "up",
        /// The last dial failed: others are dialled before it, for a while.
        Down = "down",
    }
);

/// An upstream of a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct UpstreamRow {
    /// As the configuration names it: `HOST:PORT`.
    pub upstream: String,
    /// How it is.
    pub state: UpstreamState,
    /// Why the last dial failed; `null` where it did not.
    pub last_error: Option<Reason>,
    /// Since when it is in this state; `null` where it was never dialled.
    pub since: Option<Instant>,
    /// Milliseconds for which it is still passed over; `null` where it is not.
    pub retry_in_ms: Option<u64>,
}

/// A listener as a listing shows it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerRow {
    /// Its name.
    pub name: String,
    /// What it does with connections.
    pub mode: Mode,
    /// The address it is bound to.
    pub bind: String,
    /// Where it relays to, in the order tried, with commas between; `null` in `echo` and `hold`.
    pub upstream: Option<String>,
    /// Whether it takes new connections now.
    pub accepting: bool,
    /// How many more it accepts before it rejects; `null` where nothing is armed.
    pub after: Option<u64>,
    /// How it rejects, or would.
    pub reject_mode: RejectMode,
    /// Rejecting new ones while the live ones come to their own end.
    pub draining: bool,
    /// Live connections.
    pub connections: u64,
    /// Connections accepted since the agent started.
    pub accepted: u64,
    /// Connections reset at the door since the agent started (mode `reset` and limits).
    pub rejected: u64,
    /// The upstreams, in the order given; none in `echo` and `hold`.
    #[serde(default)]
    pub upstreams: Vec<UpstreamRow>,
}

/// `POST /v1/listeners/reject`, `/accept` and `/drain`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct GateRequest {
    /// The listeners by name; all where empty.
    #[serde(default)]
    pub names: Vec<String>,
    /// `reject` only: how many more connections are accepted first, counted over all that are named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub after: Option<u64>,
    /// `reject` and `drain`: how; `refuse` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub mode: Option<RejectMode>,
}

/// The largest `after`.
pub const MAX_AFTER: u64 = i32::MAX as u64;

/// What became of one listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateReport {
    /// Its name.
    pub listener: String,
    /// Whether anything changed.
    pub changed: bool,
    /// Whether it takes new connections now.
    pub accepting: bool,
    /// How many more it accepts before it rejects.
    pub after: Option<u64>,
    /// How it rejects, or would.
    pub mode: RejectMode,
    /// Rejecting new ones while the live ones come to their own end.
    pub draining: bool,
    /// Live connections.
    pub connections: u64,
}

/// The answer to a gate request, one report a listener.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GateReports {
    /// In the order of the configuration.
    pub listeners: Vec<GateReport>,
}

/// `GET /v1/listeners`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ListenerPage {
    /// In the order of the configuration.
    pub listeners: Vec<ListenerRow>,
}
