//! The native paths, once.

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

/// Every native route with its methods.
pub const ALL: &[(&str, &str)] = &[
    ("GET", CONNECTIONS),
    ("GET", CONNECTION),
    ("POST", ASSIGN),
    ("GET", WHY),
    ("GET", HISTORY),
    ("POST", OPERATIONS),
    ("GET", LISTENERS),
    ("GET", LISTENER),
    ("POST", REJECT),
    ("POST", ACCEPT),
    ("POST", DRAIN),
    ("GET", LIMITS),
    ("PATCH", LIMITS),
    ("DELETE", LIMITS),
    ("GET", STATS),
    ("GET", NODE),
    ("POST", RELOAD),
    ("POST", NODE_DRAIN),
    ("GET", HEALTH),
    ("GET", REVOCATIONS),
    ("POST", REVOCATIONS),
    ("DELETE", REVOCATION),
    ("POST", WAIT),
    ("GET", PLANS),
    ("POST", PLANS),
    ("GET", PLAN),
    ("DELETE", PLAN),
    ("GET", PLAN_CONNECTIONS),
    ("POST", APPLY),
    ("GET", JOBS),
    ("GET", JOB),
    ("GET", JOB_WATCH),
    ("POST", JOB_PAUSE),
    ("POST", JOB_RESUME),
    ("POST", JOB_CANCEL),
    ("GET", OPENAPI),
];
