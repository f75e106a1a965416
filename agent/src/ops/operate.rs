//! Acting on a set of connections: freeze the set, ask the guards, post, and answer as each one ends.

use std::collections::{HashMap, HashSet, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use connctl_api::conn::Side;
use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::id::ConnId;
use connctl_api::operation::{
    DEFAULT_GRACE_MS, Item, ItemRef, ItemStatus, MAX_GRACE_MS, MAX_ITEMS, MAX_NOTE_BYTES, OperationKind,
    OperationRequest, SideChoice, Summary,
};
use tokio::sync::mpsc;

use super::{Node, select, show};
use crate::conn::command::{Command, Outcome};
use crate::registry::Conn;

/// What to do, checked.
#[derive(Debug, Clone)]
pub struct Operation {
    /// What.
    pub kind: OperationKind,
    /// On which side.
    pub side: SideChoice,
    /// Nobody chose the side: a connection without a socket there is meant on its other one.
    pub is_usual_side: bool,
    /// How long to flush before it is forced.
    pub grace: Duration,
    /// Why, for the log.
    pub note: Option<String>,
}

impl Operation {
    /// An operation as an operator means it who says nothing else.
    pub fn new(kind: OperationKind) -> Self {
        let grace = Duration::from_millis(DEFAULT_GRACE_MS);
        Self { kind, side: kind.default_side(), is_usual_side: true, grace, note: None }
    }

    /// The side of this connection that is meant.
    fn side_of(&self, conn: &Conn) -> SideChoice {
        match (self.side, conn.origin().mode.side()) {
            (SideChoice::Client, Side::Upstream) if self.is_usual_side => SideChoice::Upstream,
            (side, _) => side,
        }
    }
}

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
}

/// Checks a request and begins to carry it out.
///
/// # Errors
/// A field that is wrong, an empty set of names, or a guard: then nothing is touched.
pub async fn start(node: &Arc<Node>, request: OperationRequest) -> Result<Run, ApiError> {
    let operation = check(&request)?;
    let (conns, missing) = match (&request.selector, request.items) {
        (Some(text), None) => {
            let selector = select::parse(text)?;
            let found = select::matching(node, &selector).await;
            let named = |conn_id| (ItemRef { conn_id, uid: None, node_id: None }, NO_CONNECTION);
            let missing = select::missing(&selector, &found).into_iter().map(named).collect();
            (found, missing)
        }
        (None, Some(items)) => find_items(node, items)?,
        (Some(_), Some(_)) => {
            let message = "where and items are both given: one of them says which connections";
            return Err(ApiError::new(ErrorCode::InvalidRequest, message).field("items"));
        }
        (None, None) => {
            let message = "neither where nor items says which connections";
            let hint = "where \"all\" is every connection";
            return Err(ApiError::new(ErrorCode::InvalidRequest, message).field("where").hint(hint));
        }
    };
    guard(node, &conns, request.max, request.max_percent)?;
    let mut run = run(node, conns, operation);
    for (ItemRef { conn_id, uid, node_id }, error) in missing {
        let whose = (uid.map(Box::from), run.side);
        let item = run.item(conn_id, whose, ItemStatus::NotFound, None, Some(error.to_owned()));
        run.ready.push_back(Item { node_id: node_id.unwrap_or(run.node_id), ..item });
    }
    Ok(run)
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
    let command = |side| Command {
        kind: operation.kind,
        side,
        cause,
        grace_ms: u64::try_from(operation.grace.as_millis()).unwrap_or(MAX_GRACE_MS),
    };
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
        for (thread, targets) in show::by_thread(&conns) {
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
    }
}

const NO_CONNECTION: &str = "there is no such connection";
const OTHER_OWNER: &str = "there is no such connection of this user";
const OTHER_NODE: &str = "it is on another node";

type Missing = Vec<(ItemRef, &'static str)>;

/// The connections that are named, and the names that fit none.
fn find_items(node: &Node, items: Vec<ItemRef>) -> Result<(Vec<Arc<Conn>>, Missing), ApiError> {
    if items.len() > MAX_ITEMS {
        let message = format!("items has {} entries: at most {MAX_ITEMS}", items.len());
        return Err(ApiError::new(ErrorCode::InvalidRequest, message).field("items"));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let (mut seen, mut is_in) = (HashSet::new(), HashSet::new());
    for item in items {
        if !seen.insert((item.conn_id, item.uid.clone(), item.node_id)) {
            continue;
        }
        if item.node_id.is_some_and(|node_id| node_id != node.settings.node_id) {
            missing.push((item, OTHER_NODE));
            continue;
        }
        let Some(conn) = node.registry.get(item.conn_id) else {
            missing.push((item, NO_CONNECTION));
            continue;
        };
        let is_owner = item.uid.is_none() || conn.labels().uid.as_deref() == item.uid.as_deref();
        if is_owner {
            if is_in.insert(conn.id()) {
                found.push(conn);
            }
        } else {
            missing.push((item, OTHER_OWNER));
        }
    }
    Ok((found, missing))
}

pub(super) fn check(request: &OperationRequest) -> Result<Operation, ApiError> {
    let wrong = |field: &str, message: String| ApiError::new(ErrorCode::InvalidRequest, message).field(field);
    let grace_ms = request.grace_ms.unwrap_or(DEFAULT_GRACE_MS);
    if grace_ms > MAX_GRACE_MS {
        return Err(wrong("grace_ms", format!("grace_ms {grace_ms} is too long: at most {MAX_GRACE_MS}")));
    }
    if let Some(percent) = request.max_percent.filter(|percent| !(0.0..=100.0).contains(percent)) {
        return Err(wrong("max_percent", format!("max_percent {percent} is not a share: 0 to 100")));
    }
    if let Some(note) = request.note.as_ref().filter(|note| note.len() > MAX_NOTE_BYTES) {
        return Err(wrong("note", format!("note has {} bytes: at most {MAX_NOTE_BYTES}", note.len())));
    }
    Ok(Operation {
        kind: request.operation,
        side: request.side.unwrap_or(request.operation.default_side()),
        is_usual_side: request.side.is_none(),
        grace: Duration::from_millis(grace_ms),
        note: request.note.clone(),
    })
}

/// Refuses a set that is larger than the operator expected.
pub(super) fn guard(
    node: &Node,
    conns: &[Arc<Conn>],
    max: Option<u64>,
    max_percent: Option<f64>,
) -> Result<(), ApiError> {
    let count = conns.len() as u64;
    if let Some(max) = max.filter(|max| count > *max) {
        let message = format!("{count} connections match, and max is {max}");
        return Err(ApiError::new(ErrorCode::GuardRefused, message).field("max"));
    }
    // A rough share is enough to tell too many from enough.
    #[expect(clippy::cast_precision_loss, reason = "a share is a rough figure")]
    let share = count as f64 * 100.0 / node.registry.len().max(1) as f64;
    if let Some(percent) = max_percent.filter(|percent| share > *percent) {
        let message = format!(
            "{count} connections match, which is {share:.1} % of the node's, and max_percent is {percent}"
        );
        return Err(ApiError::new(ErrorCode::GuardRefused, message).field("max_percent"));
    }
    Ok(())
}

/// Why a connection ends that an operator ends.
const fn operator_cause(kind: OperationKind) -> Cause {
    let reason = match kind {
        OperationKind::Reset => Reason::OperatorReset,
        OperationKind::Halfclose => Reason::OperatorHalfclose,
        OperationKind::Close | OperationKind::Pause | OperationKind::Resume => Reason::OperatorClose,
    };
    Cause { reason, initiator: Initiator::Operator, side: None }
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
