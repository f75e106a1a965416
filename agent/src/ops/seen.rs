//! The live connections that someone may see. All that acts for a request finds connections here, so that
//! nothing can reach beyond a scope.

use std::sync::Arc;

use connctl_api::access::Scope;
use connctl_api::id::ConnId;
use ipnet::IpNet;

use crate::registry::{Conn, Registry};

/// The registry, narrowed to a scope.
#[derive(Debug, Clone)]
pub struct Seen {
    whole: Arc<Registry>,
    scope: Option<Arc<Scope>>,
}

impl Seen {
    /// Everything, or what is in a scope.
    pub const fn new(whole: Arc<Registry>, scope: Option<Arc<Scope>>) -> Self {
        Self { whole, scope }
    }

    /// Everything, for what the agent does by itself: its policies count all connections, whoever asks.
    pub fn whole(&self) -> &Registry {
        &self.whole
    }

    fn has(&self, conn: &Conn) -> bool {
        self.scope.as_deref().is_none_or(|scope| {
            scope.has_listener(conn.listener()) && scope.has_uid(conn.labels().uid.as_deref())
        })
    }

    fn narrowed(&self, mut conns: Vec<Arc<Conn>>) -> Vec<Arc<Conn>> {
        if self.scope.is_some() {
            conns.retain(|conn| self.has(conn));
        }
        conns
    }

    /// One connection.
    pub fn get(&self, id: ConnId) -> Option<Arc<Conn>> {
        self.whole.get(id).filter(|conn| self.has(conn))
    }

    /// How many there are.
    pub fn len(&self) -> usize {
        if self.scope.is_some() { self.all().len() } else { self.whole.len() }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them, by id.
    pub fn all(&self) -> Vec<Arc<Conn>> {
        self.narrowed(self.whole.all())
    }

    /// All that pass a test, by id.
    pub fn all_that(&self, passes: impl Fn(&Conn) -> bool) -> Vec<Arc<Conn>> {
        self.whole.all_that(|conn| self.has(conn) && passes(conn))
    }

    /// Those with one of these ids, by id.
    pub fn with_ids(&self, ids: &[u64]) -> Vec<Arc<Conn>> {
        self.narrowed(self.whole.with_ids(ids))
    }

    /// Those of one of these users, by id.
    pub fn with_uids<S: AsRef<str>>(&self, uids: &[S]) -> Vec<Arc<Conn>> {
        self.narrowed(self.whole.with_uids(uids))
    }

    /// Those whose client is in one of these networks, by id.
    pub fn with_ips(&self, nets: &[IpNet]) -> Vec<Arc<Conn>> {
        self.narrowed(self.whole.with_ips(nets))
    }
}
