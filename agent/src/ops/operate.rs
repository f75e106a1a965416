//! Acting on a set of connections: freeze the set, ask the guards, post, and answer as each one ends.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;

use connctl_api::end::Cause;
use connctl_api::error::ApiError;
use connctl_api::id::ConnId;
use connctl_api::operation::{Item, ItemStatus, OperationKind, OperationRequest, SideChoice, Summary};
use tokio::sync::mpsc;

use super::freeze::{self, Entry};
use super::job::{self, Job};
use super::operation::{Operation, operator_cause};
use super::{Node, threads};
use crate::base::clock;
use crate::conn::command::{Command, Outcome};
use crate::record::Record;
use crate::registry::Conn;

/// An operation under way. Dropping it stops nothing: what is posted is carried out.
#[derive(Debug)]
pub struct Run {
    operation: OperationKind,
    side: SideChoice,
    node_id: connctl_api::id::NodeId,
    /// Items that are known before anything is posted.
    ready: VecDeque<Item>,
    /// Who is still to answer, whose they are, and the side that is meant.
    waiting: HashMap<ConnId, (Option<Box<str>>, SideChoice)>,
    answers: mpsc::Receiver<(ConnId, Outcome)>,
    summary: Summary,
    record: Arc<Record>,
    /// When it began, in microseconds of [`clock::now_us`].
    begun_us: u64,
}

/// How an operation is carried out.
#[derive(Debug)]
pub enum Started {
    /// Now, and whoever asked hears of each connection.
    Run(Run),
    /// By a job, whoever listens.
    Job(Arc<Job>),
}

/// Checks a request and begins to carry it out.
///
/// # Errors
/// A field that is wrong, an empty set of names, or a guard: then nothing is touched.
pub async fn start(node: &Arc<Node>, request: OperationRequest) -> Result<Started, ApiError> {
    let is_bounded = request.max.is_some() || request.max_percent.is_some();
    let detach = request.detach;
    let frozen = freeze::freeze(node, request).await?;
    frozen.confirm(node, is_bounded)?;
    if detach || frozen.pace.is_set() {
        return Ok(Started::Job(job::start_frozen(node, frozen).await?));
    }
    let missing: Vec<_> = frozen
        .missing
        .into_iter()
        .map(|missing| freeze::missing_item(node, &frozen.operation, missing))
        .collect();
    let mut run = run(node, frozen.conns, frozen.operation);
    run.ready.extend(missing);
    Ok(Started::Run(run))
}

/// Carries an operation out on exactly these connections, as far as they still live; `told` are the items of
/// those that never were there.
pub(super) fn run_entries(node: &Arc<Node>, entries: &[Entry], told: &[Item], operation: Operation) -> Run {
    let (mut conns, mut gone) = (Vec::new(), told.to_vec());
    for entry in entries {
        match entry.find(&node.registry) {
            Some(conn) => conns.push(conn),
            None => gone.push(freeze::skipped(node, &operation, entry, freeze::GONE)),
        }
    }
    let mut run = run(node, conns, operation);
    run.summary.matched = entries.len() as u64;
    run.ready.extend(gone);
    run
}

/// Carries an operation out on exactly these connections.
pub fn run(node: &Arc<Node>, conns: Vec<Arc<Conn>>, operation: Operation) -> Run {
    let cause = operator_cause(operation.kind);
    run_because(node, conns, operation, cause)
}

/// The same, where an ending has another cause than the operation itself.
pub(super) fn run_because(
    node: &Arc<Node>,
    conns: Vec<Arc<Conn>>,
    operation: Operation,
    cause: Cause,
) -> Run {
    let (replies, answers) = mpsc::channel(conns.len().max(1));
    let command = |side| Command { cause, ..operation.command(side) };
    tracing::info!(
        operation = operation.kind.word(),
        side = operation.side.word(),
        connections = conns.len(),
        note = operation.note.as_deref(),
        "operation"
    );
    let whose = |conn: &Arc<Conn>| (conn.id(), (conn.labels().uid.clone(), operation.side_of(conn)));
    let (waiting, matched) = (conns.iter().map(whose).collect(), conns.len() as u64);
    let (usual, others): (Vec<_>, Vec<_>) =
        conns.into_iter().partition(|conn| operation.side_of(conn) == operation.side);
    for (conns, side) in [(usual, operation.side), (others, SideChoice::Upstream)] {
        for (thread, targets) in threads::by_thread(&conns) {
            node.pool.operate(thread, targets, command(side), replies.clone());
        }
    }
    Run {
        operation: operation.kind,
        side: operation.side,
        node_id: node.settings.node_id,
        ready: VecDeque::new(),
        waiting,
        answers,
        summary: Summary { matched, ..Summary::default() },
        record: Arc::clone(&node.record),
        begun_us: clock::now_us(),
    }
}

impl Run {
    /// The next item, as soon as its connection has been acted on; none when all have answered.
    pub async fn next(&mut self) -> Option<Item> {
        let item = match self.ready.pop_front() {
            Some(item) => item,
            None => self.answer().await?,
        };
        self.summary.add(item.status);
        Some(item)
    }

    async fn answer(&mut self) -> Option<Item> {
        if self.waiting.is_empty() {
            return None;
        }
        let Some((conn_id, outcome)) = self.answers.recv().await else {
            // Its thread has ended without an answer, as it does when the agent stops.
            let conn_id = *self.waiting.keys().next()?;
            let whose = self.waiting.remove(&conn_id)?;
            let error = Some("the agent stopped before it was done".to_owned());
            return Some(self.item(conn_id, whose, ItemStatus::Failed, None, error));
        };
        let whose = self.waiting.remove(&conn_id).unwrap_or((None, self.side));
        let took_us = clock::now_us().saturating_sub(self.begun_us);
        self.record.latencies.operation(self.operation).took(took_us);
        let error = outcome.error.map(str::to_owned);
        Some(self.item(conn_id, whose, outcome.status, outcome.wire, error))
    }

    fn item(
        &self,
        conn_id: ConnId,
        (uid, side): (Option<Box<str>>, SideChoice),
        status: ItemStatus,
        wire: Option<connctl_api::end::Wire>,
        error: Option<String>,
    ) -> Item {
        let (node_id, operation, uid) = (self.node_id, self.operation, uid.map(String::from));
        Item { conn_id, node_id, uid, operation, side, status, wire, error }
    }

    /// The counts so far.
    pub const fn summary(&self) -> Summary {
        self.summary
    }
}
