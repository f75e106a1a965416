//! Connections that the agent opens itself, as their sessions use them: opened, found alive or opened again,
//! closed when nobody has asked for them for long. Each session waits for its own server only.

use std::sync::Arc;
use std::time::Duration;

use connctl_api::conn::State;
use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::operation::{DEFAULT_GRACE_MS, OperationKind, SideChoice};
use tokio::sync::mpsc;

use super::Node;
use super::operate;
use super::operation::Operation;
use crate::conn::command::Command;
use crate::outbound::secret::Key;
pub use crate::outbound::{Failure, Session, Stage, Target};
use crate::registry::Conn;

/// A session that nobody has used for so long is forgotten, with its password.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

/// Why a session has no connection to give.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Unusable {
    /// It could not be opened again.
    Failed(Failure),
    /// An operator has paused it.
    Paused,
    /// The session came to its end in the meantime.
    Over,
}

/// A session as it is at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Health {
    /// Its connection is open.
    pub is_connected: bool,
    /// The server has answered on it just now.
    pub is_healthy: bool,
    /// Milliseconds since the session was used.
    pub idle_ms: u64,
}

/// The session whose name this is.
pub fn find(node: &Node, name: &str) -> Option<Arc<Session>> {
    node.outbound.sessions.find(&Key::parse(name)?)
}

/// Opens a connection for a new session. Who asks may leave: then what was opened is closed after a while, as
/// is every session that nobody uses.
///
/// # Errors
/// How far it came; nothing is left of it.
pub async fn connect(node: &Arc<Node>, target: Target) -> Result<Arc<Session>, Failure> {
    let node = Arc::clone(node);
    let opening = async move {
        let place = node.outbound.sessions.place(node.registry.whole());
        let place = place.ok_or_else(|| Failure::room("there are too many sessions with a connection"))?;
        let conn = node.outbound.open(&target).await?;
        if !node.outbound.asks(&conn).await {
            let why = format!("{target}: the server let the agent in and then did not answer");
            end(&node, &conn, Reason::Unhealthy);
            return Err(Failure { stage: Stage::Test, why });
        }
        let key = Key::random().map_err(|_| Failure::room("there are no random bytes"))?;
        Ok(node.outbound.sessions.enter(Session::new(key, target, conn, place)))
    };
    tokio::spawn(opening).await.unwrap_or_else(|_| Err(Failure::room("the agent is stopping")))
}

/// Uses a session: its connection is found alive, or opened again.
///
/// # Errors
/// Why it has none.
pub async fn ready(node: &Arc<Node>, session: &Arc<Session>) -> Result<(), Unusable> {
    session.touch();
    let (node, session) = (Arc::clone(node), Arc::clone(session));
    // An attempt goes on if who asked leaves: others wait for it.
    let looking = tokio::spawn(async move { look_after(&node, &session).await });
    looking.await.unwrap_or(Err(Unusable::Over))
}

async fn look_after(node: &Node, session: &Session) -> Result<(), Unusable> {
    let attempts = session.attempts();
    let mut last = session.turn.lock().await;
    if let Some(conn) = session.live(node.registry.whole()) {
        if conn.state() == State::Paused {
            return Err(Unusable::Paused);
        }
        if node.outbound.asks(&conn).await {
            return Ok(());
        }
        if conn.state() == State::Paused {
            return Err(Unusable::Paused);
        }
    } else if session.attempts() != attempts
        && let Some(failure) = &*last
    {
        // It was tried while this request waited: as many attempts as requests would take for ever.
        return Err(Unusable::Failed(failure.clone()));
    }
    session.attempt();
    match open_again(node, session).await {
        Ok(()) => {
            *last = None;
            Ok(())
        }
        Err(unusable) => {
            if let Unusable::Failed(failure) = &unusable {
                *last = Some(failure.clone());
            }
            Err(unusable)
        }
    }
}

async fn open_again(node: &Node, session: &Session) -> Result<(), Unusable> {
    // A server that does not answer any more has lost its connection.
    if let Some(dead) = session.let_go() {
        end(node, &dead, Reason::Unhealthy);
    }
    let conn = node.outbound.open(session.target()).await.map_err(|failure| {
        tracing::warn!(target = %session.target(), "a session's connection could not be opened again");
        Unusable::Failed(failure)
    })?;
    tracing::info!(conn_id = conn.id().get(), "a session's connection was opened again");
    session.hold(conn).map(drop).map_err(|unwanted| {
        end(node, &unwanted, Reason::Shutdown);
        Unusable::Over
    })
}

/// How a session is, without using it.
pub async fn health(node: &Node, session: &Session) -> Health {
    let idle_ms = session.idle_ms();
    let Some(conn) = session.live(node.registry.whole()) else {
        return Health { is_connected: false, is_healthy: false, idle_ms };
    };
    let answers = conn.state() != State::Paused && node.outbound.asks(&conn).await;
    // The question may have brought its end to light.
    let is_connected = session.live(node.registry.whole()).is_some();
    Health { is_connected, is_healthy: is_connected && answers, idle_ms }
}

/// Ends a session at its user's wish, and returns when its connection is closed.
pub async fn disconnect(node: &Arc<Node>, session: &Arc<Session>, note: &str) {
    let Some(conn) = node.outbound.sessions.forget(session) else {
        return;
    };
    if node.registry.get(conn.id()).is_none() {
        return;
    }
    let operation = Operation { note: Some(note.to_owned()), ..Operation::new(OperationKind::Close) };
    let mut run = operate::run(node, vec![conn], operation);
    // Who asked may leave; the close is carried out all the same.
    while run.next().await.is_some() {}
}

/// Closes the connections of sessions that nobody has used for longer than `idle`. Such a session may have its
/// connection again, unless the rule is that it is forgotten.
pub fn sweep(node: &Node, idle: Duration, forgets: bool) {
    for session in node.outbound.sessions.all() {
        let idle_for = Duration::from_millis(session.idle_ms());
        if idle_for <= idle {
            continue;
        }
        let conn = if forgets || idle_for > FORGOTTEN_AFTER {
            node.outbound.sessions.forget(&session)
        } else {
            session.let_go()
        };
        if let Some(conn) = conn {
            end(node, &conn, Reason::Inactivity);
        }
    }
}

/// Ends all sessions: the agent stops.
pub fn end_all(node: &Node) {
    for session in node.outbound.sessions.all() {
        if let Some(conn) = node.outbound.sessions.forget(&session) {
            end(node, &conn, Reason::Shutdown);
        }
    }
}

/// Closes a connection. One that has ended meanwhile is not there any more, and nobody waits for the answer.
fn end(node: &Node, conn: &Conn, reason: Reason) {
    let initiator = if reason == Reason::Shutdown { Initiator::Agent } else { Initiator::Policy };
    let command = Command {
        kind: OperationKind::Close,
        side: SideChoice::Both,
        cause: Cause { reason, initiator, side: None },
        grace_ms: DEFAULT_GRACE_MS,
        asked: None,
    };
    let (replies, _) = mpsc::channel(1);
    node.pool.operate(conn.thread(), vec![(conn.slot(), conn.id())], command, replies);
}
