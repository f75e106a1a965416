//! Asking the threads that own the connections.

use std::collections::HashMap;
use std::sync::Arc;

use connctl_api::conn::Sides;
use connctl_api::id::ConnId;
use tokio::sync::mpsc;

use super::Node;
use crate::conn::command::Target;
use crate::registry::Conn;

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
pub(super) fn by_thread(conns: &[Arc<Conn>]) -> HashMap<u16, Vec<Target>> {
    let mut threads: HashMap<u16, Vec<_>> = HashMap::new();
    for conn in conns {
        threads.entry(conn.thread()).or_default().push((conn.slot(), conn.id()));
    }
    threads
}
