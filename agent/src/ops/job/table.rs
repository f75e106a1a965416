//! The jobs of an agent: those that run, and those that ended not long ago.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::id::JobId;
use connctl_api::instant::Instant;
use connctl_api::job::{JobRow, JobState};
use connctl_api::operation::Summary;

use super::{Job, Order, file};
use crate::base::clock;
use crate::base::random::Random;
use crate::base::state_dir::StateDir;
use crate::ops::Node;

/// Jobs that have not ended.
const MAX_RUNNING: usize = 32;
/// Jobs that have ended and are still known …
const MAX_ENDED: usize = 100;
/// … the items of all of them …
const MAX_ENDED_ITEMS: usize = 1_000_000;
/// … and for how many milliseconds: a day.
const KEPT_MS: i64 = 86_400_000;

/// All jobs of the agent.
#[derive(Debug)]
pub struct Jobs {
    boot: u32,
    dir: Option<Arc<StateDir>>,
    table: Mutex<Table>,
}

#[derive(Debug)]
struct Table {
    /// How many this process has made.
    made: u64,
    /// The oldest first.
    jobs: Vec<Arc<Job>>,
}

impl Table {
    fn has_room(&self) -> Result<(), ApiError> {
        let running = self.jobs.iter().filter(|job| !job.progress().state.is_ended()).count();
        if running < MAX_RUNNING {
            return Ok(());
        }
        let message = format!("{running} jobs are running already: at most {MAX_RUNNING}");
        Err(ApiError::new(ErrorCode::Conflict, message).hint("wait for one, or cancel one"))
    }
}

impl Jobs {
    /// The jobs that an earlier process has left in the directory, and those to come. One that was running is
    /// interrupted: the connections that it had left have ended with that process.
    pub fn open(dir: Option<Arc<StateDir>>) -> Self {
        let jobs = dir.iter().flat_map(file::read_all).map(Arc::new).collect();
        #[expect(clippy::cast_possible_truncation, reason = "any 32 bits will do")]
        let boot = Random::new().number() as u32;
        let jobs = Self { boot, dir, table: Mutex::new(Table { made: 0, jobs }) };
        jobs.table().jobs.sort_by_key(|job| job.row.created_at.0);
        jobs
    }

    pub(super) fn dir(&self) -> Option<Arc<StateDir>> {
        self.dir.clone()
    }

    /// The table, with what has been kept long enough taken out.
    fn table(&self) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let since = clock::wall_ms() - KEPT_MS;
        let (mut ended, mut items) = (0, 0);
        // The newest are counted first, and the newest is kept whatever its size.
        let keep: Vec<bool> = table
            .jobs
            .iter()
            .rev()
            .map(|job| {
                let row = job.row();
                let Some(ended_at) = row.ended_at else { return true };
                (ended, items) = (ended + 1, items + job.size());
                let fits = ended <= MAX_ENDED && (items <= MAX_ENDED_ITEMS || ended == 1);
                let is_kept = fits && ended_at.0 >= since;
                if !is_kept {
                    file::remove(self.dir.as_deref(), row.job_id);
                }
                is_kept
            })
            .collect();
        let mut kept = keep.into_iter().rev();
        table.jobs.retain(|_| kept.next().unwrap_or(true));
        table
    }

    /// Whether one more job may run.
    ///
    /// # Errors
    /// `conflict`.
    pub fn has_room(&self) -> Result<(), ApiError> {
        self.table().has_room()
    }

    /// Enters a new job.
    pub(super) fn add(&self, node: &Node, order: Order) -> Result<Arc<Job>, ApiError> {
        let mut table = self.table();
        table.has_room()?;
        table.made += 1;
        let connections = order.entries.len() as u64;
        let row = JobRow {
            job_id: JobId { boot: self.boot, number: table.made },
            node_id: node.settings.node_id,
            by: order.operation.by.clone(),
            state: JobState::Running,
            reason: None,
            paused_by: None,
            operation: order.operation.kind,
            side: order.operation.side,
            selector: order.selector.clone(),
            plan_id: order.plan_id,
            grace_ms: order.operation.grace_ms(),
            note: order.operation.note.clone(),
            pace: order.pace,
            rate: order.pace.rate(),
            reconnect_rate: 0.0,
            connections,
            summary: Summary::default(),
            remaining_ms: order.pace.estimate_ms(connections),
            created_at: Instant(clock::wall_ms()),
            ended_at: None,
        };
        let job = Arc::new(Job::new(row, order));
        table.jobs.push(Arc::clone(&job));
        Ok(job)
    }

    /// Takes a job out that was not begun.
    pub(super) fn withdraw(&self, job_id: JobId) {
        self.table().jobs.retain(|job| job.id() != job_id);
        file::remove(self.dir.as_deref(), job_id);
    }

    pub(super) fn get(&self, job_id: JobId) -> Option<Arc<Job>> {
        self.table().jobs.iter().find(|job| job.id() == job_id).cloned()
    }

    pub(super) fn all(&self) -> Vec<Arc<Job>> {
        self.table().jobs.clone()
    }
}
