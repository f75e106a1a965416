//! One connection in depth, and the kernel's facts of many.

use std::collections::HashMap;
use std::sync::Arc;

use connctl_api::conn::{ConnDetail, ConnRow, Health, Sides, State};
use connctl_api::end::Reason;
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::id::ConnId;
use tokio::sync::mpsc;

use super::{Node, list};
use crate::base::clock;
use crate::policy::health;
use crate::policy::timeouts::{self, Facts};
use crate::registry::Conn;

/// One connection.
///
/// # Errors
/// `not_found`.
pub async fn detail(node: &Node, id: ConnId) -> Result<ConnDetail, ApiError> {
    let conn = node.registry.get(id).ok_or_else(|| not_found(id))?;
    let mut facts = kernel_facts(node, std::slice::from_ref(&conn)).await;
    // It may have ended since: then it is not there any more.
    let sides = facts.remove(&id).ok_or_else(|| not_found(id))?;
    let end = next_end(&conn, &sides);
    let health = Some(health_of(&conn, &sides, clock::now_ms()));
    Ok(ConnDetail {
        row: ConnRow { health, ..list::row(node, &conn) },
        thread: conn.thread().into(),
        sides,
        ends_by: end.map(|(_, reason)| reason),
        time_remaining_ms: end.map(|(left_ms, _)| left_ms),
    })
}

/// Which policy will end a connection, and in how many milliseconds.
fn next_end(conn: &Conn, sides: &Sides) -> Option<(u64, Reason)> {
    let (now_ms, policies) = (clock::now_ms(), conn.origin().policies());
    let timed = timeouts::next_end(&facts(conn, now_ms)?, &policies.timeouts);
    let unhealthy = health::next_end(&health::Facts::of(conn, Some(sides), now_ms), &policies.health);
    let unhealthy = unhealthy.map(|(ms, _)| (ms, Reason::Unhealthy));
    timed.into_iter().chain(unhealthy).min_by_key(|(ms, _)| *ms)
}

/// How healthy a connection is.
fn health_of(conn: &Conn, sides: &Sides, now_ms: u64) -> Health {
    let facts = health::Facts::of(conn, Some(sides), now_ms);
    health::health(&facts, &conn.origin().policies().health)
}

/// How healthy these connections are; one that has ended is absent.
pub(super) async fn healths(node: &Node, conns: &[Arc<Conn>]) -> HashMap<ConnId, Health> {
    let (facts, now_ms) = (kernel_facts(node, conns).await, clock::now_ms());
    let health =
        |conn: &Arc<Conn>| facts.get(&conn.id()).map(|sides| (conn.id(), health_of(conn, sides, now_ms)));
    conns.iter().filter_map(health).collect()
}

/// What time limits judge by; nothing where it is ending already.
pub(super) fn facts(conn: &Conn, now_ms: u64) -> Option<Facts> {
    let reads = match conn.state() {
        State::Closing => return None,
        State::Opening | State::Paused => false,
        State::Active | State::HalfClosed => true,
    };
    Some(Facts::of(conn, reads, now_ms))
}

/// The error for a connection that is not there.
pub fn not_found(id: ConnId) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("there is no connection {id}")).field("conn_id")
}

/// What the kernel knows of these connections; one that has ended is absent.
pub async fn kernel_facts(node: &Node, conns: &[Arc<Conn>]) -> HashMap<ConnId, Sides> {
    if conns.is_empty() {
        return HashMap::new();
    }
    let (facts, mut answers) = mpsc::channel(conns.len());
    for (thread, targets) in by_thread(conns) {
        node.pool.inspect(thread, targets, facts.clone());
    }
    drop(facts);
    let mut all = HashMap::with_capacity(conns.len());
    while let Some((id, sides)) = answers.recv().await {
        all.insert(id, sides);
    }
    all
}

/// The places of connections, by the thread that owns them.
pub(super) fn by_thread(conns: &[Arc<Conn>]) -> HashMap<u16, Vec<crate::conn::command::Target>> {
    let mut threads: HashMap<u16, Vec<_>> = HashMap::new();
    for conn in conns {
        threads.entry(conn.thread()).or_default().push((conn.slot(), conn.id()));
    }
    threads
}
