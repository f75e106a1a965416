//! How healthy connections are, and what time limits judge them by.

use std::collections::HashMap;
use std::sync::Arc;

use connctl_api::conn::{Health, Sides, State};
use connctl_api::id::ConnId;

use super::Node;
use super::threads::kernel_facts;
use crate::base::clock;
use crate::policy::health;
use crate::policy::timeouts::Facts;
use crate::registry::Conn;

/// How healthy a connection is.
pub(super) fn health_of(conn: &Conn, sides: &Sides, now_ms: u64) -> Health {
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
