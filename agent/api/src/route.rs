//! The paths, once, and what each asks of whoever calls it.

use crate::access::{ACT, ACT_ALL, ADMIN, Access, PREPARE, READ, READ_ALL};

/// Listing; see [`crate::conn::ListQuery`].
pub const CONNECTIONS: &str = "/v1/connections";
/// One connection; `{conn_id}` is its id.
pub const CONNECTION: &str = "/v1/connections/{conn_id}";
/// Setting the user, device and tags of a connection.
pub const ASSIGN: &str = "/v1/connections/{conn_id}/assign";
/// Why a connection ended, or that it lives; see [`crate::history::WhyReport`].
pub const WHY: &str = "/v1/connections/{conn_id}/why";
/// Connections that have ended; see [`crate::history::HistoryQuery`].
pub const HISTORY: &str = "/v1/history";
/// What was asked of the agent that changes something; see [`crate::audit::AuditQuery`].
pub const AUDIT: &str = "/v1/audit";
/// The same, as it is written: every line of the audit, as its files have it.
pub const AUDIT_LINES: &str = "/v1/audit/lines";
/// What happens, as it happens; see [`crate::event::EventQuery`].
pub const EVENTS: &str = "/v1/events";
/// Acting on connections; see [`crate::operation::OperationRequest`].
pub const OPERATIONS: &str = "/v1/operations";
/// Listing listeners.
pub const LISTENERS: &str = "/v1/listeners";
/// One listener; `{name}` is its name.
pub const LISTENER: &str = "/v1/listeners/{name}";
/// Rejecting new connections.
pub const REJECT: &str = "/v1/listeners/reject";
/// Accepting them again.
pub const ACCEPT: &str = "/v1/listeners/accept";
/// Rejecting new ones and letting the live ones end.
pub const DRAIN: &str = "/v1/listeners/drain";
/// The policies in force, and changing them; see [`crate::limit`].
pub const LIMITS: &str = "/v1/limits";
/// Statistics.
pub const STATS: &str = "/v1/stats";
/// The agent itself.
pub const NODE: &str = "/v1/node";
/// Reading the configuration again; see [`crate::reload`].
pub const RELOAD: &str = "/v1/agent/reload";
/// Emptying the agent, or some of its listeners; see [`crate::drain::DrainRequest`].
pub const NODE_DRAIN: &str = "/v1/node/drain";
/// Whether the agent serves.
pub const HEALTH: &str = "/v1/health";
/// Revocations; see [`crate::revocation::RevokeRequest`].
pub const REVOCATIONS: &str = "/v1/revocations";
/// One revocation; `{id}` is its id.
pub const REVOCATION: &str = "/v1/revocations/{id}";
/// Waiting for a count.
pub const WAIT: &str = "/v1/wait";
/// Freezing a set, and listing what is frozen; see [`crate::operation::OperationRequest`].
pub const PLANS: &str = "/v1/plans";
/// One plan; `{plan_id}` is its id.
pub const PLAN: &str = "/v1/plans/{plan_id}";
/// The live connections of a plan, one row a line.
pub const PLAN_CONNECTIONS: &str = "/v1/plans/{plan_id}/connections";
/// Carrying a plan out; see [`crate::plan::ApplyRequest`].
pub const APPLY: &str = "/v1/plans/{plan_id}/apply";
/// Listing jobs.
pub const JOBS: &str = "/v1/jobs";
/// One job; `{job_id}` is its id.
pub const JOB: &str = "/v1/jobs/{job_id}";
/// A job's items and progress, one a line, until it ends.
pub const JOB_WATCH: &str = "/v1/jobs/{job_id}/watch";
/// Pausing a job.
pub const JOB_PAUSE: &str = "/v1/jobs/{job_id}/pause";
/// Letting it go on.
pub const JOB_RESUME: &str = "/v1/jobs/{job_id}/resume";
/// Ending it early.
pub const JOB_CANCEL: &str = "/v1/jobs/{job_id}/cancel";
/// The description of all this.
pub const OPENAPI: &str = "/v1/openapi.json";

/// A method, a path, and what it asks of whoever calls it.
pub type Row = (&'static str, &'static str, Access);

/// Every native route with its methods.
pub const ALL: &[Row] = &[
    ("GET", CONNECTIONS, READ),
    ("GET", CONNECTION, READ),
    ("POST", ASSIGN, ACT),
    ("GET", WHY, READ),
    ("GET", HISTORY, READ),
    ("GET", AUDIT, READ_ALL),
    ("GET", AUDIT_LINES, READ_ALL),
    ("GET", EVENTS, READ),
    ("POST", OPERATIONS, ACT),
    ("GET", LISTENERS, READ),
    ("GET", LISTENER, READ),
    ("POST", REJECT, ACT),
    ("POST", ACCEPT, ACT),
    ("POST", DRAIN, ACT),
    ("GET", LIMITS, READ_ALL),
    ("PATCH", LIMITS, ADMIN),
    ("DELETE", LIMITS, ADMIN),
    ("GET", STATS, READ),
    ("GET", NODE, READ),
    ("POST", RELOAD, ADMIN),
    ("POST", NODE_DRAIN, ACT_ALL),
    ("GET", HEALTH, READ),
    ("GET", REVOCATIONS, READ_ALL),
    ("POST", REVOCATIONS, ACT_ALL),
    ("DELETE", REVOCATION, ACT_ALL),
    ("POST", WAIT, READ),
    ("GET", PLANS, READ_ALL),
    ("POST", PLANS, PREPARE),
    ("GET", PLAN, READ_ALL),
    ("DELETE", PLAN, ACT_ALL),
    ("GET", PLAN_CONNECTIONS, READ),
    ("POST", APPLY, ACT),
    ("GET", JOBS, READ_ALL),
    ("GET", JOB, READ_ALL),
    ("GET", JOB_WATCH, READ_ALL),
    ("POST", JOB_PAUSE, ACT_ALL),
    ("POST", JOB_RESUME, ACT_ALL),
    ("POST", JOB_CANCEL, ACT_ALL),
    ("GET", OPENAPI, READ),
];

/// The figures for monitoring systems, as OpenMetrics text. No native path: it is where they look.
pub const METRICS: &str = "/metrics";

/// The routes that are not native, those of the facades above all, as the router knows them.
pub const FACADES: &[Row] = &[
    ("GET", METRICS, READ_ALL),
    ("GET", "/current/{*rest}", READ),
    ("DELETE", "/current/{*rest}", ACT),
    ("PUT", "/current/{*rest}", ACT),
    ("DELETE", "/server/listener", ACT),
    ("PUT", "/server/listener", ACT),
    ("GET", "/version", READ),
    // Simulacron names listeners by their places among all.
    ("GET", "/connections/{*scope}", READ_ALL),
    ("DELETE", "/connections/{*scope}", ACT_ALL),
    ("GET", "/connections", READ_ALL),
    ("DELETE", "/connection/{cluster}/{ip}/{port}", ACT_ALL),
    ("PUT", "/listener/{*scope}", ACT_ALL),
    ("DELETE", "/listener/{*scope}", ACT_ALL),
    ("PUT", "/pause-reads/{*scope}", ACT_ALL),
    ("DELETE", "/pause-reads/{*scope}", ACT_ALL),
    ("GET", "/cluster", READ_ALL),
    ("GET", "/cluster/{*scope}", READ_ALL),
    ("POST", "/conn/remove", ACT),
    ("POST", "/conn/kick", ACT),
    ("GET", "/connz", READ),
    ("GET", "/varz", READ),
    ("GET", "/health", READ),
    ("POST", "/user/device_quit", ACT),
    ("POST", "/user/onlinestatus", READ),
    ("GET", "/manager/connections", READ),
    ("GET", "/manager/connections/{session_id}", READ),
    // A session belongs to no listener.
    ("POST", "/api/nats/connect", ACT_ALL),
    ("POST", "/api/nats/disconnect", ACT_ALL),
    ("GET", "/api/nats/connection/stats", READ_ALL),
    ("GET", "/api/nats/status", READ_ALL),
    ("GET", "/api/nats/health", READ_ALL),
    ("GET", "/api/health", READ),
];

/// What a path asks of whoever calls it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Found {
    /// It is in the table with this method.
    Row(Access),
    /// It is in the table, and this method is not.
    OtherMethod,
    /// It is not in the table.
    Nothing,
}

/// What a call of a route is called in the audit, where its body does not say: `reject`, `set limits`. `path` is as
/// the router knows it, and `target` as it was asked for.
pub fn verb(method: &str, path: &str, target: &str) -> String {
    let own = match (method, path) {
        ("POST", OPERATIONS) => "operate",
        ("POST", REVOCATIONS) => "revoke",
        ("DELETE", REVOCATION) => "lift",
        ("DELETE", PLAN) => "remove plan",
        ("POST", NODE_DRAIN) => "drain node",
        ("POST", JOB_PAUSE) => "pause job",
        ("POST", JOB_RESUME) => "resume job",
        ("POST", JOB_CANCEL) => "cancel job",
        _ => "",
    };
    if !own.is_empty() {
        return own.to_owned();
    }
    let last = path.rsplit('/').find(|word| !word.is_empty() && !word.starts_with('{'));
    let last = match last.unwrap_or_default() {
        "current" if target.starts_with("/current/listener") => "listener",
        "current" => "connections",
        last => last,
    };
    match method {
        "DELETE" => format!("remove {last}"),
        "PUT" | "PATCH" => format!("set {last}"),
        _ => last.to_owned(),
    }
}

/// Looks a method and a path up, as they stand in the tables.
pub fn find(method: &str, path: &str) -> Found {
    // Whoever may read an answer may read its head.
    let method = if method == "HEAD" { "GET" } else { method };
    let mut found = Found::Nothing;
    for (own, place, access) in ALL.iter().chain(FACADES) {
        if *place == path {
            if *own == method {
                return Found::Row(*access);
            }
            found = Found::OtherMethod;
        }
    }
    found
}
