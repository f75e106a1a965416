//! The policies in force: what they are, and changing them while connections live.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::sync::Arc;

use anyhow::Context;
use connctl_api::conn::{MAX_PAGE_ROWS, SideDetail, Sides};
use connctl_api::end::Reason;
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::event::EventKind;
use connctl_api::id::ConnId;
use connctl_api::limit::{LimitEnding, LimitReport, LimitRow, LimitValue};
use tokio::sync::mpsc;

use super::{Node, events, gate, list, threads};
use crate::base::clock;
use crate::config::Policies;
use crate::policy::book::{Layers, Scope};
use crate::policy::timeouts::{self, Facts, Verdict};
use crate::policy::{evict, health};
use crate::registry::Conn;

/// A change, asked for.
#[derive(Debug)]
pub struct Change {
    /// The listeners by name; the agent's own limits where empty.
    pub listeners: Vec<String>,
    /// What is to change.
    pub edit: Edit,
    /// Only say what would happen.
    pub dry_run: bool,
}

/// What is to change.
#[derive(Debug)]
pub enum Edit {
    /// These keys get these values.
    Set(BTreeMap<String, LimitValue>),
    /// These keys come to their values in the file again.
    Remove(Vec<String>),
    /// All keys do; without listeners, those of every scope.
    RemoveAll,
}

/// Connections that end, and why.
type Ending = Vec<(Arc<Conn>, Reason)>;

/// The limits of the agent and all listeners, or of one listener.
///
/// # Errors
/// `not_found`.
pub fn rows(node: &Node, listener: Option<String>) -> Result<Vec<LimitRow>, ApiError> {
    let named: Vec<_> = listener.into_iter().collect();
    let layers = node.book.open();
    let scopes = if named.is_empty() { layers.scopes() } else { scopes(node, &named)? };
    Ok(scopes.into_iter().flat_map(|scope| layers.rows(scope)).collect())
}

/// Changes policies, all that are asked for or none, and ends what they do not let stay.
///
/// # Errors
/// A listener, key or value that is wrong, by name: then nothing has changed.
pub async fn change(node: &Arc<Node>, change: Change) -> Result<LimitReport, ApiError> {
    let (rows, policies, in_force) = {
        let mut book = node.book.open();
        let mut next = book.clone();
        let named = edit(node, &mut next, &change)?;
        let (most, policies) = next.policies().map_err(|error| wrong("set", &error))?;
        // While the book is open its listeners are those that there are.
        let places = node.listeners.places();
        let policies: Vec<_> = places.iter().map(|place| place.origin.index).zip(policies).collect();
        let rows: Vec<_> = named
            .iter()
            .flat_map(|(scope, keys)| {
                next.rows(*scope).into_iter().filter(|row| keys.contains(&row.key.as_str()))
            })
            .collect();
        // Posted while the book is open: the order of the changes is the same everywhere.
        let in_force = (!change.dry_run).then(|| {
            *book = next;
            node.listeners.set_policies(most, policies.clone())
        });
        (rows, policies, in_force)
    };
    let ending = match in_force {
        Some(in_force) => {
            tell(node, &rows);
            in_force.await;
            enforce(node).await
        }
        None => would_end(node, policies.into_iter().collect()).await,
    };
    Ok(report(node, change.dry_run, rows, &ending))
}

fn wrong(field: &str, error: &anyhow::Error) -> ApiError {
    ApiError::new(ErrorCode::InvalidRequest, format!("{error:#}")).field(field)
}

fn scopes(node: &Node, names: &[String]) -> Result<Vec<Scope>, ApiError> {
    if names.is_empty() {
        return Ok(vec![Scope::Agent]);
    }
    let places = node.listeners.places();
    Ok(gate::named(&places, names, "listeners")?.into_iter().map(Scope::Listener).collect())
}

/// Edits a copy of the book, and tells which keys of which scopes are concerned.
fn edit<'a>(
    node: &Node,
    layers: &mut Layers,
    change: &'a Change,
) -> Result<Vec<(Scope, Vec<&'a str>)>, ApiError> {
    let is_all = matches!(change.edit, Edit::RemoveAll) && change.listeners.is_empty();
    let scopes = if is_all { layers.scopes() } else { scopes(node, &change.listeners)? };
    let mut named = Vec::new();
    for scope in scopes {
        let keys: Vec<&str> = match &change.edit {
            Edit::Set(values) => values.keys().map(String::as_str).collect(),
            Edit::Remove(keys) => keys.iter().map(String::as_str).collect(),
            Edit::RemoveAll => Layers::keys(scope).to_vec(),
        };
        if keys.is_empty() {
            return Err(wrong("set", &anyhow::anyhow!("no key is named")));
        }
        for key in &keys {
            let edited = match &change.edit {
                Edit::Set(values) => values
                    .get(*key)
                    .context("it has no value")
                    .and_then(|value| layers.set(scope, key, value)),
                Edit::Remove(_) | Edit::RemoveAll => layers.unset(scope, key),
            };
            edited.map_err(|error| {
                wrong(key, &error).hint("`connctl limit list` shows every key and its value")
            })?;
        }
        named.push((scope, keys));
    }
    Ok(named)
}

fn tell(node: &Node, rows: &[LimitRow]) {
    for row in rows {
        let text = format!("{} = {} ({})", row.key, row.value, row.source);
        events::tell(node, EventKind::PolicyChanged, row.listener.as_deref(), &text);
        let (listener, source) = (row.listener.as_deref(), row.source.word());
        tracing::info!(key = row.key, value = %row.value, listener, source, "limit changed");
    }
}

/// Ends what the policies in force do not let stay: time limits are judged by the threads that own the
/// connections, and of those who are too many an evicting rule chooses.
pub async fn enforce(node: &Node) -> Ending {
    let mut ending = node.pool.refresh().await;
    let surplus = {
        let _choosing = node.registry.whole().choosing();
        let surplus = surplus(node, &current(node), &HashSet::new());
        surplus.iter().for_each(|conn| conn.doom());
        surplus
    };
    // Nobody listens for the answers: that the endings have begun is all that is told.
    let (replies, _) = mpsc::channel(surplus.len().max(1));
    for (thread, targets) in threads::by_thread(&surplus) {
        node.pool.operate(thread, targets, evict::command(Reason::Evicted), replies.clone());
    }
    ending.extend(surplus.into_iter().map(|conn| (conn, Reason::Evicted)));
    ending
}

/// Policies by the index of their listener.
type ByIndex = HashMap<usize, Policies>;

fn current(node: &Node) -> ByIndex {
    node.listeners.places().iter().map(|place| (place.origin.index, place.origin.policies())).collect()
}

/// What would end under these policies. The kernel is asked only where it is their rule.
async fn would_end(node: &Node, policies: ByIndex) -> Ending {
    let is_asked = policies.values().any(|policies| !policies.health.close.is_empty());
    let asked = if is_asked { node.registry.all() } else { Vec::new() };
    let kernel = threads::kernel_facts(node, &asked).await;
    let now_ms = clock::now_ms();
    let late = |conn: Arc<Conn>| {
        let policies = policies.get(&conn.origin().index)?;
        let reason = late(&conn, policies, kernel.get(&conn.id()), now_ms)?;
        Some((conn, reason))
    };
    let mut ending: Ending = node.registry.all().into_iter().filter_map(late).collect();
    let mut gone: HashSet<_> = ending.iter().map(|(conn, _)| conn.id()).collect();
    for conn in slow_readers(node, &policies).await {
        if gone.insert(conn.id()) {
            ending.push((conn, Reason::MaxPending));
        }
    }
    let _choosing = node.registry.whole().choosing();
    ending.extend(surplus(node, &policies, &gone).into_iter().map(|conn| (conn, Reason::Evicted)));
    ending.sort_by_key(|(conn, _)| conn.id());
    ending
}

fn surplus(node: &Node, policies: &ByIndex, gone: &HashSet<ConnId>) -> Vec<Arc<Conn>> {
    let now_ms = clock::now_ms();
    let of = |(index, policies): (&usize, &Policies)| {
        evict::surplus(node.registry.whole(), *index, &policies.limits, gone, now_ms)
    };
    policies.iter().flat_map(of).collect()
}

/// The connections for whose peers more waits than may wait under these policies. The kernel is asked only
/// about those that have such a limit.
async fn slow_readers(node: &Node, policies: &ByIndex) -> Vec<Arc<Conn>> {
    let most =
        |conn: &Conn| policies.get(&conn.origin().index).map_or(0, |policies| policies.max_pending_bytes);
    let mut conns = node.registry.all();
    conns.retain(|conn| most(conn) != 0 && conn.is_staying());
    let facts = threads::kernel_facts(node, &conns).await;
    let waits = |side: &SideDetail| {
        let queued = side.tcp.as_ref().map_or(0, |tcp| tcp.send_queue_bytes);
        side.pending_bytes + queued.saturating_sub(u64::from(side.write_closed))
    };
    let is_slow = |conn: &Arc<Conn>| {
        let sides = facts.get(&conn.id()).map(|sides| [&sides.client, &sides.upstream]);
        sides.is_some_and(|sides| sides.into_iter().flatten().any(|side| waits(side) > most(conn)))
    };
    conns.retain(is_slow);
    conns
}

/// Why a connection ends now: it is past a time limit, or unhealthy.
fn late(conn: &Conn, policies: &Policies, sides: Option<&Sides>, now_ms: u64) -> Option<Reason> {
    let facts = Facts { is_warned: true, ..super::health::facts(conn, now_ms)? };
    let is_unhealthy = || {
        let facts = health::Facts::of(conn, sides, now_ms);
        health::next_end(&facts, &policies.health).is_some_and(|(left_ms, _)| left_ms == 0)
    };
    match timeouts::judge(&facts, &policies.timeouts) {
        Verdict::End(reason) => Some(reason),
        Verdict::Nothing(_) | Verdict::Warn => is_unhealthy().then_some(Reason::Unhealthy),
    }
}

fn report(node: &Node, dry_run: bool, limits: Vec<LimitRow>, ending: &Ending) -> LimitReport {
    let mut counts: HashMap<(&str, Option<Box<str>>, Reason), u64> = HashMap::new();
    for (conn, reason) in ending {
        let uid = conn.labels().uid.clone();
        *counts.entry((&conn.origin().name, uid, *reason)).or_default() += 1;
    }
    let mut by: Vec<_> = counts
        .into_iter()
        .map(|((listener, uid, reason), count)| LimitEnding {
            listener: listener.to_owned(),
            uid: uid.map(String::from),
            reason,
            count,
        })
        .collect();
    by.sort_by(|one, other| {
        let name = |of: &LimitEnding| (of.listener.clone(), of.uid.clone(), of.reason);
        other.count.cmp(&one.count).then_with(|| name(one).cmp(&name(other)))
    });
    let shown = if dry_run { usize::try_from(MAX_PAGE_ROWS).unwrap_or(usize::MAX) } else { 0 };
    let connections = ending.iter().take(shown).map(|(conn, _)| list::row(node, conn)).collect();
    LimitReport { dry_run, limits, ending: ending.len() as u64, by, connections }
}
