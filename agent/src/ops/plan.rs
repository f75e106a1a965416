//! Plans: sets that are frozen, kept for a while, and carried out at most once.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use connctl_api::conn::CountRow;
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::id::{JobId, PlanId};
use connctl_api::instant::Instant;
use connctl_api::operation::{Item, OperationRequest};
use connctl_api::plan::{ApplyRequest, MAX_GROUPS, PlanRow, PlanState};
use serde::{Deserialize, Serialize};

use super::freeze::{self, Entry, Frozen};
use super::operate::{self, Started};
use super::operation::{self, Operation};
use super::{Node, guard, job};
use crate::base::clock;
use crate::base::random::Random;
use crate::base::state_dir::StateDir;
use crate::registry::Conn;

/// Plans that are kept, used and expired ones included; beyond that the oldest goes.
const MAX_PLANS: usize = 256;
/// Connections in all plans that can still be applied; beyond that the oldest plan goes.
const MAX_PLANNED: usize = 2_000_000;
/// What the files of plans are called, before and after the id.
const FILE: (&str, &str) = ("plan-", ".json");

/// All plans of the agent.
#[derive(Debug)]
pub struct Plans {
    boot: u32,
    lifetime: Duration,
    dir: Option<Arc<StateDir>>,
    table: Mutex<Table>,
}

#[derive(Debug, Default)]
struct Table {
    /// How many this process has made.
    made: u64,
    /// The oldest first.
    plans: Vec<Plan>,
}

#[derive(Debug)]
struct Plan {
    row: PlanRow,
    /// Empty once it cannot be applied any more.
    entries: Arc<[Entry]>,
    /// Items of those that were named and were not there.
    told: Arc<[Item]>,
    /// In milliseconds of [`clock::now_ms`].
    expires_ms: u64,
}

/// A plan as it is on disk.
#[derive(Debug, Serialize, Deserialize)]
struct Stored<'a> {
    plan: PlanRow,
    entries: Cow<'a, [Entry]>,
    told: Cow<'a, [Item]>,
}

impl Plans {
    /// The plans that an earlier process has left in the directory, and those to come.
    pub fn open(dir: Option<Arc<StateDir>>, lifetime: Duration) -> Self {
        let mut table = Table::default();
        for (name, text) in dir.iter().flat_map(|dir| dir.files(FILE)) {
            match serde_json::from_slice::<Stored<'static>>(&text) {
                Ok(stored) => table.plans.push(Plan::stored(stored)),
                Err(error) => dir.iter().for_each(|dir| dir.set_aside(&name, &error)),
            }
        }
        table.plans.sort_by_key(|plan| plan.row.created_at.0);
        #[expect(clippy::cast_possible_truncation, reason = "any 32 bits will do")]
        let boot = Random::new().number() as u32;
        Self { boot, lifetime, dir, table: Mutex::new(table) }
    }

    fn table(&self) -> MutexGuard<'_, Table> {
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        let now_ms = clock::now_ms();
        for plan in &mut table.plans {
            if plan.row.state == PlanState::Ready && plan.expires_ms <= now_ms {
                plan.end(PlanState::Expired);
                self.forget(plan.row.plan_id);
            }
        }
        table
    }

    /// Keeps a frozen set, also on disk where there is one.
    ///
    /// # Errors
    /// The disk does not take it: a plan that a restart would lose is none.
    async fn keep(&self, node: &Node, frozen: &Frozen) -> Result<PlanRow, ApiError> {
        let entries: Arc<[Entry]> = frozen.entries().into();
        let told = frozen.missing.iter().cloned();
        let told: Arc<[Item]> =
            told.map(|missing| freeze::missing_item(node, &frozen.operation, missing)).collect();
        let row = {
            let mut table = self.table();
            table.make_room(entries.len() + told.len(), |plan_id| self.forget(plan_id));
            table.made += 1;
            let row = self.row(node, frozen, PlanId { boot: self.boot, number: table.made });
            let lifetime_ms = u64::try_from(self.lifetime.as_millis()).unwrap_or(u64::MAX);
            let expires_ms = clock::now_ms().saturating_add(lifetime_ms);
            let (entries, told) = (Arc::clone(&entries), Arc::clone(&told));
            table.plans.push(Plan { row: row.clone(), entries, told, expires_ms });
            row
        };
        if let Some(dir) = self.dir.clone() {
            let (plan, name) = (row.clone(), file_name(row.plan_id));
            let written = tokio::task::spawn_blocking(move || {
                let stored = Stored { plan, entries: Cow::Borrowed(&entries), told: Cow::Borrowed(&told) };
                dir.replace(&name, &serde_json::to_vec(&stored)?)
            });
            if let Err(error) = written.await.map_err(std::io::Error::other).flatten() {
                tracing::error!(plan = %row.plan_id, %error, "a plan could not be written");
                self.table().plans.retain(|plan| plan.row.plan_id != row.plan_id);
                return Err(job::unwritable("a plan", &error));
            }
        }
        Ok(row)
    }

    fn row(&self, node: &Node, frozen: &Frozen, plan_id: PlanId) -> PlanRow {
        let Frozen { operation, pace, selector, conns, missing, .. } = frozen;
        let by_uid = groups(conns, |conn| conn.labels().uid.as_deref().map(str::to_owned));
        let created_at = clock::wall_ms();
        let lifetime_ms = i64::try_from(self.lifetime.as_millis()).unwrap_or(i64::MAX);
        let connections = conns.len() as u64;
        PlanRow {
            plan_id,
            node_id: node.settings.node_id,
            state: PlanState::Ready,
            operation: operation.kind,
            side: operation.side,
            selector: selector.clone(),
            grace_ms: operation.grace_ms(),
            note: operation.note.clone(),
            connections,
            users: by_uid.iter().filter(|row| row.value.is_some()).count() as u64,
            node_connections: node.registry.len() as u64,
            not_found: missing.len() as u64,
            by_listener: most(groups(conns, |conn| Some(conn.origin().name.to_string()))),
            by_uid: most(by_uid),
            by_node: groups(conns, |_| Some(node.settings.node_id.to_string())),
            pace: *pace,
            estimate_ms: pace.estimate_ms(connections),
            created_at: Instant(created_at),
            expires_at: Instant(created_at.saturating_add(lifetime_ms)),
            job_id: None,
        }
    }

    /// Takes a plan for its one use.
    fn take(
        &self,
        text: &str,
        allow: impl FnOnce(&PlanRow) -> Result<(), ApiError>,
    ) -> Result<Taken, ApiError> {
        let mut table = self.table();
        let made = table.made;
        let plan_id = read_id(text)?;
        let Some(plan) = table.plans.iter_mut().find(|plan| plan.row.plan_id == plan_id) else {
            return Err(match plan_id {
                PlanId { boot, number } if boot == self.boot && (number == 0 || number > made) => {
                    unknown(text)
                }
                PlanId { boot, .. } if boot == self.boot => refused(format!("plan {text} is no longer kept")),
                PlanId { .. } => refused(format!(
                    "plan {text} was made by another process of the agent, or by another agent"
                )),
            });
        };
        match plan.row.state {
            PlanState::Ready => {}
            PlanState::Applied => {
                return Err(refused(format!("plan {text} was applied before: a plan is used once")));
            }
            PlanState::Expired => {
                let message = format!("plan {text} expired at {}", plan.row.expires_at);
                return Err(refused(message));
            }
        }
        allow(&plan.row)?;
        plan.row.state = PlanState::Applied;
        let (entries, told) = (Arc::clone(&plan.entries), Arc::clone(&plan.told));
        Ok(Taken { row: plan.row.clone(), entries, told })
    }

    /// The use of a plan has begun, or has come to nothing before anything was touched.
    fn settle(&self, plan_id: PlanId, used: Option<Option<JobId>>) {
        let mut table = self.table();
        let Some(plan) = table.plans.iter_mut().find(|plan| plan.row.plan_id == plan_id) else {
            return;
        };
        match used {
            Some(job_id) => {
                plan.end(PlanState::Applied);
                plan.row.job_id = job_id;
                self.forget(plan_id);
            }
            None => plan.row.state = PlanState::Ready,
        }
    }

    /// Takes a plan's file away, if it has one.
    fn forget(&self, plan_id: PlanId) {
        if let Some(dir) = &self.dir {
            dir.remove(&file_name(plan_id));
        }
    }
}

/// A plan on its way to being applied.
struct Taken {
    row: PlanRow,
    entries: Arc<[Entry]>,
    told: Arc<[Item]>,
}

impl Table {
    /// The oldest plans go until there is room for one more of so many connections.
    fn make_room(&mut self, connections: usize, forget: impl Fn(PlanId)) {
        let planned =
            |plans: &[Plan]| plans.iter().map(|plan| plan.entries.len() + plan.told.len()).sum::<usize>();
        while self.plans.len() >= MAX_PLANS {
            forget(self.plans.remove(0).row.plan_id);
        }
        while planned(&self.plans) + connections > MAX_PLANNED && !self.plans.is_empty() {
            forget(self.plans.remove(0).row.plan_id);
        }
    }
}

impl Plan {
    /// A plan of an earlier process. Its connections ended with that process, and applying it says so.
    fn stored(Stored { plan, entries, told }: Stored<'_>) -> Self {
        let left_ms = u64::try_from(plan.expires_at.0.saturating_sub(clock::wall_ms())).unwrap_or(0);
        Self {
            row: plan,
            entries: entries.into_owned().into(),
            told: told.into_owned().into(),
            expires_ms: clock::now_ms().saturating_add(left_ms),
        }
    }

    fn end(&mut self, state: PlanState) {
        self.row.state = state;
        (self.entries, self.told) = (Arc::new([]), Arc::new([]));
    }
}

fn file_name(plan_id: PlanId) -> String {
    format!("{}{plan_id}{}", FILE.0, FILE.1)
}

fn groups(conns: &[Arc<Conn>], value: impl Fn(&Conn) -> Option<String>) -> Vec<CountRow> {
    let mut counts: HashMap<Option<String>, u64> = HashMap::new();
    for conn in conns {
        *counts.entry(value(conn)).or_default() += 1;
    }
    let mut rows: Vec<_> = counts.into_iter().map(|(value, count)| CountRow { value, count }).collect();
    rows.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.value.cmp(&other.value)));
    rows
}

fn most(mut rows: Vec<CountRow>) -> Vec<CountRow> {
    rows.truncate(MAX_GROUPS);
    rows
}

fn read_id(text: &str) -> Result<PlanId, ApiError> {
    text.parse().map_err(|_| unknown(text))
}

fn unknown(text: &str) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("there is no plan {text:?}")).field("plan_id")
}

fn refused(message: String) -> ApiError {
    ApiError::new(ErrorCode::GuardRefused, message).field("plan_id").hint("make a new one with --dry-run")
}

/// Freezes a set without touching it.
///
/// # Errors
/// As for an operation; the guards that are named count here, too.
pub async fn make(node: &Node, request: OperationRequest) -> Result<PlanRow, ApiError> {
    if request.detach {
        let message = "detach goes with operations and with apply: a plan does nothing yet";
        return Err(ApiError::new(ErrorCode::InvalidRequest, message).field("detach"));
    }
    let frozen = freeze::freeze(node, request).await?;
    node.plans.keep(node, &frozen).await
}

/// Carries a plan out: exactly its connections, as far as they still live, and never a second time.
///
/// # Errors
/// `not_found` for a plan that never was; `guard_refused` for one that cannot be applied any more, and where
/// a guard is named that it breaks.
pub async fn apply(node: &Arc<Node>, text: &str, request: ApplyRequest) -> Result<Started, ApiError> {
    guard::check_percent(request.max_percent)?;
    let pace = request.pace.map(|pace| freeze::checked_pace(Some(pace))).transpose()?;
    let allow = |row: &PlanRow| {
        let count = usize::try_from(row.connections).unwrap_or(usize::MAX);
        guard::asked(node, count, request.max, request.max_percent)
    };
    let Taken { row, entries, told } = node.plans.take(text, allow)?;
    let pace = pace.unwrap_or(row.pace);
    let operation = Operation {
        kind: row.operation,
        side: row.side,
        is_usual_side: entries.iter().any(|entry| entry.side != row.side),
        grace: Duration::from_millis(row.grace_ms),
        request: Some(format!(
            "plan {}: {}",
            row.plan_id,
            operation::words(row.operation, row.selector.as_deref(), None)
        )),
        note: row.note.clone(),
        ..Operation::new(row.operation)
    };
    tracing::info!(plan = %row.plan_id, connections = row.connections, "plan applied");
    if !request.detach && !pace.is_set() {
        node.plans.settle(row.plan_id, Some(None));
        return Ok(Started::Run(operate::run_entries(node, &entries, &told, operation)));
    }
    let order = job::Order {
        operation,
        pace,
        selector: row.selector,
        plan_id: Some(row.plan_id),
        entries: entries.to_vec(),
        told: told.to_vec(),
    };
    match job::start(node, order).await {
        Ok(job) => {
            node.plans.settle(row.plan_id, Some(Some(job.id())));
            Ok(Started::Job(job))
        }
        Err(error) => {
            node.plans.settle(row.plan_id, None);
            Err(error)
        }
    }
}

/// All plans that are kept, the oldest first.
pub fn rows(node: &Node) -> Vec<PlanRow> {
    node.plans.table().plans.iter().map(|plan| plan.row.clone()).collect()
}

/// One plan.
///
/// # Errors
/// `not_found`.
pub fn row(node: &Node, text: &str) -> Result<PlanRow, ApiError> {
    let plan_id = read_id(text)?;
    let table = node.plans.table();
    let plan = table.plans.iter().find(|plan| plan.row.plan_id == plan_id);
    plan.map(|plan| plan.row.clone()).ok_or_else(|| unknown(text))
}

/// The connections of a plan that still live, in its order.
///
/// # Errors
/// `not_found`.
pub fn conns(node: &Node, text: &str) -> Result<Vec<Arc<Conn>>, ApiError> {
    let plan_id = read_id(text)?;
    let entries = {
        let table = node.plans.table();
        let plan = table.plans.iter().find(|plan| plan.row.plan_id == plan_id);
        Arc::clone(&plan.ok_or_else(|| unknown(text))?.entries)
    };
    Ok(entries.iter().filter_map(|entry| entry.find(&node.registry)).collect())
}

/// Drops a plan.
///
/// # Errors
/// `not_found`.
pub fn remove(node: &Node, text: &str) -> Result<PlanRow, ApiError> {
    let plan_id = read_id(text)?;
    let mut table = node.plans.table();
    let at = table.plans.iter().position(|plan| plan.row.plan_id == plan_id).ok_or_else(|| unknown(text))?;
    let plan = table.plans.remove(at);
    node.plans.forget(plan_id);
    Ok(plan.row)
}
