//! Bringing all connections of the agent to their end.

use std::sync::Arc;
use std::time::Duration;

use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::listener::RejectMode;
use connctl_api::operation::{DEFAULT_GRACE_MS, OperationKind, SideChoice};
use tokio::sync::mpsc;

use super::{Node, session, threads};
use crate::base::clock;
use crate::conn::command::Command;
use crate::listener::GateOrder;

/// How often an agent that is stopping looks whether it is empty.
const EVERY: Duration = Duration::from_millis(20);

/// Rejects new connections and waits for the live ones to end, at most for `grace`. What the agent opened
/// itself does not end by itself, so it is closed.
pub async fn drain(node: &Node, grace: Duration) {
    session::end_all(node);
    // Who dials where the service manager listens, too, waits for the next agent.
    for (mode, is_handed) in [(RejectMode::Refuse, false), (RejectMode::Stall, true)] {
        let places = node.listeners.places();
        let those = places.iter().filter(|place| place.is_handed == is_handed);
        node.listeners
            .order(those.map(|place| place.origin.index).collect(), GateOrder::Drain { mode }, None)
            .await;
    }
    let begun_ms = clock::now_ms();
    while !node.registry.is_empty() && u128::from(clock::now_ms() - begun_ms) < grace.as_millis() {
        tokio::time::sleep(EVERY).await;
    }
}

/// Closes every connection and returns when all have ended.
pub async fn close_all(node: &Arc<Node>) {
    end_all(node, OperationKind::Close).await;
}

/// Resets every connection, also those that are closing, and returns when all have ended.
pub async fn reset_all(node: &Arc<Node>) {
    end_all(node, OperationKind::Reset).await;
}

async fn end_all(node: &Arc<Node>, kind: OperationKind) {
    let conns = node.registry.all();
    if conns.is_empty() {
        return;
    }
    let (replies, mut answers) = mpsc::channel(conns.len());
    let cause = Cause { reason: Reason::Shutdown, initiator: Initiator::Agent, side: None };
    let command = Command { kind, side: SideChoice::Both, cause, grace_ms: DEFAULT_GRACE_MS, asked: None };
    for (thread, targets) in threads::by_thread(&conns) {
        node.pool.operate(thread, targets, command.clone(), replies.clone());
    }
    drop(replies);
    while answers.recv().await.is_some() {}
}
