//! Who asks for something: their name, what they may do, and what they may see of the connections.

use std::future::Future;
use std::net::SocketAddr;
use std::sync::Arc;

use connctl_api::access::{Role, Scope};

/// Someone who is known, for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Actor {
    /// The name for logs and the audit.
    pub name: Arc<str>,
    /// What they may do.
    pub role: Role,
    /// What they may see and act on; everything where absent.
    pub scope: Option<Arc<Scope>>,
    /// How they are known.
    pub evidence: Evidence,
    /// Where the request comes from; absent over the unix socket.
    pub address: Option<SocketAddr>,
}

tokio::task_local! {
    /// Who asked for what this task does.
    static ASKS: Arc<Actor>;
}

/// Does what someone asked for: whatever is begun in it is theirs.
pub async fn asked_by<T>(actor: Arc<Actor>, work: impl Future<Output = T>) -> T {
    ASKS.scope(actor, work).await
}

/// What is to be done in a task of its own, for the same one who asked.
pub fn keep<T>(work: impl Future<Output = T>) -> impl Future<Output = T> {
    let actor = current();
    async move {
        match actor {
            Some(actor) => asked_by(actor, work).await,
            None => work.await,
        }
    }
}

/// Who asks for what this task does; nothing where nobody is known.
pub fn current() -> Option<Arc<Actor>> {
    ASKS.try_with(Arc::clone).ok()
}

/// Who asks, for the history; nothing where nobody is known.
pub fn name() -> Option<String> {
    ASKS.try_with(|actor| actor.told()).ok().flatten()
}

impl Actor {
    /// Their name, and their user where that says more.
    fn told(&self) -> Option<String> {
        match self.evidence {
            Evidence::Loopback => None,
            Evidence::Unix(peer) if *self.name != *format!("uid-{}", peer.uid) => {
                Some(format!("{} (uid {})", self.name, peer.uid))
            }
            Evidence::Unix(_) | Evidence::Token | Evidence::Certificate => Some(self.name.to_string()),
        }
    }
}

/// How someone is known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Evidence {
    /// By what the kernel says of the peer of a unix socket.
    Unix(Peer),
    /// By a token.
    Token,
    /// By a certificate.
    Certificate,
    /// Not at all: whoever reaches a loopback port is let in where no token is configured.
    Loopback,
}

impl Evidence {
    /// The word for logs and the audit.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Unix(_) => "unix",
            Self::Token => "token",
            Self::Certificate => "certificate",
            Self::Loopback => "loopback",
        }
    }
}

/// The process at the other end of a unix socket, as it was when it connected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer {
    /// Its effective user.
    pub uid: u32,
    /// Its effective group.
    pub gid: u32,
    /// Its process, where the kernel tells.
    pub pid: Option<i32>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn actor(name: &str, evidence: Evidence) -> Arc<Actor> {
        Arc::new(Actor { name: name.into(), role: Role::Admin, scope: None, evidence, address: None })
    }

    #[tokio::test]
    async fn what_is_done_is_theirs_who_asked_also_in_another_task() {
        let unix = Evidence::Unix(Peer { uid: 7, gid: 7, pid: None });
        for (name_of, evidence, told) in [
            ("alice", Evidence::Token, Some("alice")),
            ("alice", unix, Some("alice (uid 7)")),
            ("uid-7", unix, Some("uid-7")),
            ("loopback", Evidence::Loopback, None),
        ] {
            let work = async { (name(), tokio::spawn(keep(async { name() })).await.unwrap()) };
            let (here, there) = asked_by(actor(name_of, evidence), work).await;
            assert_eq!((here.as_deref(), there.as_deref()), (told, told));
        }
        assert_eq!((name(), keep(async { name() }).await), (None, None));
    }
}
