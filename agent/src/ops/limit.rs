//! Ending connections that a limit has no place for.

use std::sync::Arc;

use tokio::sync::mpsc;

use super::{Node, show};
use crate::base::clock;
use crate::policy::evict;
use crate::registry::Conn;

/// The user of a connection has become known: whoever is one too many is closed.
pub fn enforce_uid(node: &Node, conn: &Arc<Conn>) {
    let Some(listener) = node.settings.listeners.get(conn.origin().index) else {
        return;
    };
    let (conns, reason) = evict::over_uid(&node.registry, conn, &listener.limits, clock::now_ms());
    if conns.is_empty() {
        return;
    }
    // Nobody listens for the answers: whoever assigned the user has not asked for an ending.
    let (replies, _) = mpsc::channel(conns.len());
    for (thread, targets) in show::by_thread(&conns) {
        node.pool.operate(thread, targets, evict::command(reason), replies.clone());
    }
}
