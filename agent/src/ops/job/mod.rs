//! Jobs: bulk operations that the agent carries out by itself, at a pace, whoever watches.

mod file;
mod run;
mod table;

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connctl_api::end::Initiator;
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::event::EventKind;
use connctl_api::id::{JobId, PlanId};
use connctl_api::instant::Instant;
use connctl_api::job::{JobRow, JobState};
use connctl_api::operation::{Item, ItemStatus, Summary};
use connctl_api::pace::Pace;
use tokio::sync::{Notify, watch};

pub use self::table::Jobs;
use super::freeze::{self, Entry, Frozen};
use super::operation::Operation;
use super::{Node, events};
use crate::base::actor::{self, Actor};
use crate::conn::command::Outcome;

/// Why a job that somebody paused is paused.
const BY_OPERATOR: &str = "an operator paused it";

/// What a job is to do.
#[derive(Debug)]
pub struct Order {
    /// What to do.
    pub operation: Operation,
    /// How it is spread over time.
    pub pace: Pace,
    /// The selector, where there was one.
    pub selector: Option<String>,
    /// The plan, where there was one.
    pub plan_id: Option<PlanId>,
    /// To which connections, in this order.
    pub entries: Vec<Entry>,
    /// Items that are known beforehand.
    pub told: Vec<Item>,
}

/// A job, running or ended.
#[derive(Debug)]
pub struct Job {
    /// What does not change of its row, and the rest as it was at first.
    row: JobRow,
    operation: Operation,
    entries: Vec<Entry>,
    /// Items that were known before it began.
    told: Vec<Item>,
    progress: Mutex<Progress>,
    /// Tells the watchers that there is news.
    news: watch::Sender<()>,
    /// Tells the job that somebody wants something of it.
    wish: Notify,
}

/// What changes of a job.
#[derive(Debug)]
struct Progress {
    state: JobState,
    reason: Option<String>,
    /// Who paused it last.
    paused_by: Option<Initiator>,
    /// Who began it or let it go on; nobody where nobody is known.
    answers_for: Option<Arc<Actor>>,
    /// What became of the connections, in the order of the answers: the place in `entries`, and how.
    results: Vec<(usize, Outcome)>,
    summary: Summary,
    rate: Option<f64>,
    reconnect_rate: f64,
    ended_at: Option<Instant>,
    /// Somebody let it go on after too many failures: they count anew.
    is_forgiven: bool,
}

impl Progress {
    fn pause(&mut self, by: Initiator, reason: String) {
        (self.state, self.paused_by, self.reason) = (JobState::Paused, Some(by), Some(reason));
    }
}

impl Job {
    fn new(row: JobRow, order: Order) -> Self {
        let Order { operation, entries, told, .. } = order;
        let mut summary = Summary { matched: row.connections, ..Summary::default() };
        told.iter().for_each(|item| summary.add(item.status));
        let progress = Progress {
            state: row.state,
            reason: None,
            paused_by: None,
            answers_for: actor::current(),
            results: Vec::new(),
            summary,
            rate: row.rate,
            reconnect_rate: 0.0,
            ended_at: None,
            is_forgiven: false,
        };
        let (news, _) = watch::channel(());
        Self { row, operation, entries, told, progress: Mutex::new(progress), news, wish: Notify::new() }
    }

    /// A job that ended before this process began.
    fn ended(row: JobRow, told: Vec<Item>) -> Self {
        let operation = Operation::new(row.operation);
        let order =
            Order { operation, pace: row.pace, selector: None, plan_id: None, entries: Vec::new(), told };
        let (reason, ended_at) = (row.reason.clone(), row.ended_at);
        let job = Self::new(row, order);
        job.change(|progress| (progress.reason, progress.ended_at) = (reason, ended_at));
        job
    }

    fn progress(&self) -> MutexGuard<'_, Progress> {
        self.progress.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes something and tells the watchers.
    fn change<T>(&self, change: impl FnOnce(&mut Progress) -> T) -> T {
        let answer = change(&mut self.progress());
        self.news.send_replace(());
        answer
    }

    /// Its id.
    pub const fn id(&self) -> JobId {
        self.row.job_id
    }

    /// As it is now.
    pub fn row(&self) -> JobRow {
        let progress = self.progress();
        let left = self.row.connections.saturating_sub(progress.results.len() as u64);
        let remaining_ms = if progress.state.is_ended() { 0 } else { self.row.pace.estimate_ms(left) };
        JobRow {
            state: progress.state,
            reason: progress.reason.clone(),
            paused_by: progress.paused_by.filter(|_| progress.state == JobState::Paused),
            rate: progress.rate,
            reconnect_rate: progress.reconnect_rate,
            summary: progress.summary,
            remaining_ms,
            ended_at: progress.ended_at,
            ..self.row.clone()
        }
    }

    /// At most `most` items from the place `from` on, in the order in which they came, and whether no item
    /// comes after them.
    pub fn items(&self, from: usize, most: usize) -> (Vec<Item>, bool) {
        let progress = self.progress();
        let mut items: Vec<_> = self.told.iter().skip(from).take(most).cloned().collect();
        let begin = from.saturating_sub(self.told.len());
        let results = progress.results.iter().skip(begin).take(most - items.len());
        items.extend(
            results.filter_map(|(place, outcome)| Some(self.item(self.entries.get(*place)?, outcome))),
        );
        let all = self.told.len() + progress.results.len();
        (items, progress.state.is_ended() && from.saturating_add(most) >= all)
    }

    fn item(&self, entry: &Entry, outcome: &Outcome) -> Item {
        Item {
            conn_id: entry.conn_id,
            node_id: self.row.node_id,
            uid: entry.uid.as_deref().map(str::to_owned),
            operation: self.operation.kind,
            side: entry.side,
            status: outcome.status,
            wire: outcome.wire,
            error: outcome.error.map(str::to_owned),
        }
    }

    /// The counts so far.
    pub fn summary(&self) -> Summary {
        self.progress().summary
    }

    /// Hears of news; see [`Job::items`] and [`Job::row`].
    pub fn subscribe(&self) -> watch::Receiver<()> {
        self.news.subscribe()
    }

    /// As it is when it has ended.
    pub async fn end(&self) -> JobRow {
        let mut news = self.subscribe();
        loop {
            let row = self.row();
            // The sender is the job's own, and so lives as long as this.
            if row.state.is_ended() || news.changed().await.is_err() {
                return row;
            }
        }
    }

    /// How many items it holds or will hold.
    fn size(&self) -> usize {
        self.told.len() + self.entries.len()
    }
}

/// Makes a job of a frozen set.
///
/// # Errors
/// Too many jobs are running.
pub(super) async fn start_frozen(node: &Arc<Node>, frozen: Frozen) -> Result<Arc<Job>, ApiError> {
    let entries = frozen.entries();
    let Frozen { operation, pace, selector, missing, .. } = frozen;
    let told = missing.into_iter().map(|missing| freeze::missing_item(node, &operation, missing)).collect();
    start(node, Order { operation, pace, selector, plan_id: None, entries, told }).await
}

/// Begins a job. It goes on whether anybody watches or not.
///
/// # Errors
/// Too many jobs are running, or it cannot be written down; then nothing is touched.
pub async fn start(node: &Arc<Node>, order: Order) -> Result<Arc<Job>, ApiError> {
    let job = node.jobs.add(node, order)?;
    let file = match file::JobFile::begin(node.jobs.dir(), &job).await {
        Ok(file) => file,
        Err(error) => {
            tracing::error!(job = %job.id(), %error, "a job could not be written");
            node.jobs.withdraw(job.id());
            return Err(unwritable("a job", &error));
        }
    };
    tracing::info!(
        job = %job.id(),
        operation = job.operation.kind.word(),
        side = job.operation.side.word(),
        connections = job.row.connections,
        rate = job.row.rate,
        note = job.operation.note.as_deref(),
        "job begun"
    );
    tell(node, &job.row());
    tokio::spawn(run::run(Arc::clone(node), Arc::clone(&job), file));
    Ok(job)
}

/// Tells where a job is.
fn tell(node: &Node, row: &JobRow) {
    let (done, all) = (row.summary.done, row.connections);
    let text = format!("job {} {}: {} done of {all} to {}", row.job_id, row.state, done, row.operation);
    events::tell(node, EventKind::Job, None, &text);
}

/// One job.
///
/// # Errors
/// `not_found`.
pub fn find(node: &Node, text: &str) -> Result<Arc<Job>, ApiError> {
    let found = text.parse().ok().and_then(|job_id| node.jobs.get(job_id));
    found.ok_or_else(|| {
        ApiError::new(ErrorCode::NotFound, format!("there is no job {text:?}")).field("job_id")
    })
}

/// All jobs that are kept, the oldest first.
pub fn rows(node: &Node) -> Vec<JobRow> {
    node.jobs.all().iter().map(|job| job.row()).collect()
}

/// Lets a job begin nothing more until it is resumed. Doing it twice changes nothing.
///
/// # Errors
/// `not_found`; `conflict` where it has ended or was cancelled.
pub fn pause(node: &Node, text: &str) -> Result<JobRow, ApiError> {
    let job = find(node, text)?;
    job.wish(node, |progress| match progress.state {
        JobState::Running => {
            progress.pause(Initiator::Operator, BY_OPERATOR.to_owned());
            true
        }
        state => state == JobState::Paused,
    })
}

/// Lets a paused job go on. Doing it twice changes nothing.
///
/// # Errors
/// `not_found`; `conflict` where it has ended or was cancelled.
pub fn resume(node: &Node, text: &str) -> Result<JobRow, ApiError> {
    let job = find(node, text)?;
    job.wish(node, |progress| match progress.state {
        JobState::Paused => {
            (progress.state, progress.reason) = (JobState::Running, None);
            progress.answers_for = actor::current();
            progress.is_forgiven = true;
            true
        }
        state => state == JobState::Running,
    })
}

/// Ends a job early: what it has begun comes to its end, the rest is left as it is. Doing it twice changes
/// nothing.
///
/// # Errors
/// `not_found`; `conflict` where it has ended already.
pub fn cancel(node: &Node, text: &str) -> Result<JobRow, ApiError> {
    let job = find(node, text)?;
    job.wish(node, |progress| match progress.state {
        JobState::Running | JobState::Paused => {
            (progress.state, progress.reason) = (JobState::Cancelling, None);
            true
        }
        state => matches!(state, JobState::Cancelling | JobState::Cancelled),
    })
}

impl Job {
    /// Carries a wish out, where the state allows it.
    fn wish(&self, node: &Node, change: impl FnOnce(&mut Progress) -> bool) -> Result<JobRow, ApiError> {
        let before = self.progress().state;
        if !self.change(change) {
            let message = format!("job {} is {before}", self.id());
            return Err(ApiError::new(ErrorCode::Conflict, message).field("job_id"));
        }
        // One permit is kept where the job is busy, so that the wish is not missed.
        self.wish.notify_one();
        let row = self.row();
        if row.state != before {
            tracing::info!(job = %self.id(), state = row.state.word(), "job");
            tell(node, &row);
        }
        Ok(row)
    }
}

/// Whether an item counts as a failure.
const fn has_failed(status: ItemStatus) -> bool {
    matches!(status, ItemStatus::Failed | ItemStatus::TimedOut)
}

/// What is to outlive the agent cannot be written down: nothing of it is begun.
pub(super) fn unwritable(what: &str, error: &std::io::Error) -> ApiError {
    let message = format!("{what} cannot be written to the state directory: {error}");
    ApiError::new(ErrorCode::Unavailable, message)
        .hint("make room there; what needs no disk can still be done")
}
