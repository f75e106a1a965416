//! The agent as the control API sees it.

use std::sync::Arc;

use connctl_api::access::Scope;
use connctl_api::instant::Instant;
use connctl_api::node::NodeReport;
use tokio::sync::mpsc;

use super::gate;
use super::job::Jobs;
use super::plan::Plans;
use super::seen::Seen;
use super::source::Source;
use super::trust::Trust;
use crate::base::clock;
use crate::base::log::Levels;
use crate::config::{Control, Settings};
use crate::listener::Listeners;
use crate::outbound::Outbound;
use crate::policy::book::Book;
use crate::policy::revoke::Revocations;
use crate::record::Record;
use crate::record::audit::Audit;
use crate::record::stats::Stats;
use crate::registry::Registry;
use crate::relay::Pool;

/// The agent as one request has it: all its parts, and of the connections those that may be seen.
#[derive(Debug)]
pub struct Node {
    parts: Arc<Parts>,
    /// Who is here, as far as it may be seen.
    pub registry: Seen,
    /// What may be seen and acted on; everything where absent.
    pub scope: Option<Arc<Scope>>,
}

impl Node {
    /// The agent without a scope.
    pub fn new(parts: Parts) -> Self {
        let registry = Seen::new(Arc::clone(&parts.everyone), None);
        Self { parts: Arc::new(parts), registry, scope: None }
    }

    /// The same agent for someone with this scope.
    #[must_use]
    pub fn narrowed(&self, scope: Arc<Scope>) -> Self {
        let registry = Seen::new(Arc::clone(&self.parts.everyone), Some(Arc::clone(&scope)));
        Self { parts: Arc::clone(&self.parts), registry, scope: Some(scope) }
    }

    /// Whether a listener of this name may be seen.
    pub fn has_listener(&self, name: &str) -> bool {
        self.scope.as_ref().is_none_or(|scope| scope.has_listener(Some(name)))
    }
}

impl std::ops::Deref for Node {
    type Target = Parts;
    fn deref(&self) -> &Parts {
        &self.parts
    }
}

/// Everything that operations work with.
#[derive(Debug)]
pub struct Parts {
    /// As it was set up.
    pub settings: Arc<Settings>,
    /// Who is here: [`Node::registry`] for all that is done for a request.
    pub everyone: Arc<Registry>,
    /// Who may ask.
    pub trust: Trust,
    /// What is written down of changes.
    pub audit: Option<Arc<Audit>>,
    /// Who is refused.
    pub revocations: Arc<Revocations>,
    /// What happened.
    pub stats: Arc<Stats>,
    /// What happened, one by one.
    pub record: Arc<Record>,
    /// The threads that own the sockets.
    pub pool: Arc<Pool>,
    /// Who gets in.
    pub listeners: Listeners,
    /// Where the configuration comes from.
    pub source: Source,
    /// What is logged.
    pub levels: Levels,
    /// Where the policies come from.
    pub book: Book,
    /// What the agent opens itself.
    pub outbound: Outbound,
    /// What is frozen.
    pub plans: Plans,
    /// What is done at a pace.
    pub jobs: Jobs,
    /// Where the control API is bound.
    pub control: Vec<Control>,
    /// Milliseconds since 1970.
    pub started_wall_ms: i64,
    /// Milliseconds of [`clock::now_ms`].
    pub started_ms: u64,
}

/// The agent in one answer.
pub async fn report(node: &Node) -> NodeReport {
    let rows = gate::rows(node).await;
    NodeReport {
        node_id: node.settings.node_id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        pid: std::process::id(),
        started_at: Instant(node.started_wall_ms),
        uptime_ms: clock::now_ms().saturating_sub(node.started_ms),
        control: node.control.iter().map(ToString::to_string).collect(),
        threads: node.pool.len() as u64,
        listeners: rows.len() as u64,
        listeners_accepting: rows.iter().filter(|row| row.accepting).count() as u64,
        connections: node.registry.len() as u64,
        accepted: node.stats.accepted(),
        ended: node.stats.ended(),
        descriptors_used: descriptors_used(),
        descriptors_limit: descriptors_limit() as u64,
        memory_bytes: memory_bytes(),
        compat: node.settings.compat.word().to_owned(),
        certificates: node.trust.tls().map_or_else(Vec::new, |tls| tls.certificates.to_vec()),
    }
}

/// Returns when every relay thread has had a turn: not where one hangs.
pub async fn threads_answer(node: &Node) {
    let (answer, mut answers) = mpsc::channel(1);
    for thread in (0..node.pool.len()).filter_map(|index| u16::try_from(index).ok()) {
        // About no connection: that it drops the question is its answer.
        node.pool.inspect(thread, Vec::new(), answer.clone());
    }
    drop(answer);
    while answers.recv().await.is_some() {}
}

/// How the agent is, in a line for people.
pub fn status(node: &Node) -> String {
    format!("{} connections, {} listeners", node.registry.len(), node.listeners.places().len())
}

fn descriptors_used() -> u64 {
    // Since Linux 6.2 the directory's size is the count; reading 16,000 entries takes ten milliseconds.
    let size = std::fs::metadata("/proc/self/fd").map_or(0, |directory| directory.len());
    if size > 0 {
        return size;
    }
    // The directory that is being read counts as one of them.
    std::fs::read_dir("/proc/self/fd").map_or(0, |entries| entries.count().saturating_sub(1) as u64)
}

/// The most descriptors that the process may open.
pub fn descriptors_limit() -> usize {
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile).current;
    limit.and_then(|limit| usize::try_from(limit).ok()).unwrap_or(usize::MAX)
}

fn memory_bytes() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
    let kilobytes = line.and_then(|line| line.split_whitespace().next()?.parse::<u64>().ok());
    kilobytes.unwrap_or(0) * 1024
}
