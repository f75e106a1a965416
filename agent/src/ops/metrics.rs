//! The figures of the agent at one moment, for monitoring.

use std::collections::BTreeMap;

use connctl_api::conn::State;
use connctl_api::job::JobState;
use connctl_api::listener::ListenerRow;
use connctl_api::node::CertificateRow;
use connctl_api::operation::Summary;
use connctl_api::stats::ReasonCount;

use super::{Node, job, node};
use crate::record::audit::Figures as AuditFigures;

/// The figures.
#[derive(Debug)]
pub struct Figures {
    /// Live connections by listener, none where the agent opened them, and state.
    pub connections: BTreeMap<(Option<String>, State), u64>,
    /// Bytes relayed to upstreams and to clients, of all connections that ever were.
    pub bytes: [u64; 2],
    /// Endings by reason and side.
    pub endings: Vec<ReasonCount>,
    /// The listeners.
    pub listeners: Vec<ListenerRow>,
    /// Connections accepted and ended.
    pub accepted_and_ended: [u64; 2],
    /// Jobs by state.
    pub jobs: BTreeMap<JobState, u64>,
    /// What has become of the connections of all jobs that are kept, and how many those are.
    pub job_connections: (Summary, u64),
    /// Descriptors open, and the most there may be.
    pub descriptors: [u64; 2],
    /// Resident memory in bytes.
    pub memory_bytes: u64,
    /// Events since the start.
    pub events: u64,
    /// Bytes of the history in memory, and endings that never reached the disk.
    pub history: [u64; 2],
    /// The audit, where there is one.
    pub audit: Option<AuditFigures>,
    /// The certificates of the control API.
    pub certificates: Vec<CertificateRow>,
}

/// Takes the figures.
pub async fn figures(node: &Node) -> Figures {
    let report = node::report(node).await;
    let mut connections = BTreeMap::new();
    for place in node.listeners.places().iter() {
        for state in State::ALL {
            connections.insert((Some(place.settings.name.clone()), *state), 0);
        }
    }
    // Ended first: a connection that ends meanwhile is counted twice rather than not at all, and `grown` keeps
    // what was told before.
    let gone = node.stats.bytes();
    let mut bytes = gone;
    for conn in node.registry.all() {
        *connections.entry((conn.listener().map(str::to_owned), conn.state())).or_default() += 1;
        bytes[0] += conn.to_upstream_bytes();
        bytes[1] += conn.to_client_bytes();
    }
    let (mut jobs, mut summary, mut in_jobs) = (BTreeMap::new(), Summary::default(), 0);
    for row in job::rows(node) {
        *jobs.entry(row.state).or_default() += 1;
        in_jobs += row.connections;
        summary.done += row.summary.done;
        summary.failed += row.summary.failed;
        summary.skipped += row.summary.skipped;
        summary.timed_out += row.summary.timed_out;
        summary.not_found += row.summary.not_found;
    }
    let history = &node.record.history;
    Figures {
        connections,
        bytes: node.stats.grown(bytes),
        endings: node.stats.by_reason(),
        listeners: node.listeners.rows().await,
        accepted_and_ended: [report.accepted, report.ended],
        jobs,
        job_connections: (summary, in_jobs),
        descriptors: [report.descriptors_used, report.descriptors_limit],
        memory_bytes: report.memory_bytes,
        events: node.record.events.end().saturating_sub(1),
        history: [history.bytes() as u64, history.lost()],
        audit: node.audit.as_ref().map(|audit| audit.figures()),
        certificates: report.certificates,
    }
}
