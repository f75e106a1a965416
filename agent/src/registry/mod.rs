//! Floor 3: who is here. A table of live connections by id, with indexes by user and client address.
//!
//! A lock is held to look up or to collect references and never across anything else.

pub mod conn;
mod index;
pub mod upstreams;

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use connctl_api::id::ConnId;
use ipnet::IpNet;

pub use conn::Conn;
use index::{ByAddress, Index};

/// Tables by id; two threads that enter connections meet in one of them only rarely.
const SHARDS: usize = 16;

/// Connections of a table that are taken at a time to be tested.
const AT_A_TIME: usize = 64;

type Shard = Mutex<BTreeMap<u64, Arc<Conn>>>;

/// The live connections.
#[derive(Debug)]
pub struct Registry {
    shards: [Shard; SHARDS],
    by_uid: Mutex<Index<Box<str>>>,
    by_ip: Mutex<ByAddress>,
    live: AtomicUsize,
    choosing: Mutex<()>,
}

impl Default for Registry {
    fn default() -> Self {
        Self {
            shards: std::array::from_fn(|_| Mutex::default()),
            by_uid: Mutex::default(),
            by_ip: Mutex::default(),
            live: AtomicUsize::new(0),
            choosing: Mutex::default(),
        }
    }
}

fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// By id. The tables are in order already, which a stable sort makes use of; and no connection is looked at.
fn sorted(mut conns: Vec<(u64, Arc<Conn>)>) -> Vec<Arc<Conn>> {
    conns.sort_by_key(|(id, _)| *id);
    conns.into_iter().map(|(_, conn)| conn).collect()
}

impl Registry {
    fn shard(&self, id: u64) -> &Shard {
        // The remainder is below SHARDS, so the index exists and the cast loses nothing.
        #[expect(clippy::cast_possible_truncation, reason = "below SHARDS")]
        let at = (id % SHARDS as u64) as usize;
        &self.shards[at]
    }

    /// Makes a connection visible. Called once, by the thread that owns it.
    pub fn enter(&self, conn: &Arc<Conn>) {
        let id = conn.id().get();
        locked(self.shard(id)).insert(id, Arc::clone(conn));
        if let Some(client) = conn.client() {
            locked(&self.by_ip).insert(client.ip().to_canonical(), id);
        }
        self.live.fetch_add(1, Ordering::Relaxed);
    }

    /// Takes a connection out. `conn::finish` alone calls this.
    pub fn leave(&self, conn: &Conn) {
        let id = conn.id().get();
        if locked(self.shard(id)).remove(&id).is_none() {
            return;
        }
        self.live.fetch_sub(1, Ordering::Relaxed);
        if let Some(client) = conn.client() {
            locked(&self.by_ip).remove(client.ip().to_canonical(), id);
        }
        // The order of the two locks is the same as in `assign`: labels, then index.
        let labels = conn.labels();
        if let Some(uid) = &labels.uid {
            locked(&self.by_uid).remove(uid, id);
        }
    }

    /// Sets or changes the user, device and tags of a live connection, in its record and in the index.
    /// `change` sees the labels as they are.
    pub fn assign(&self, conn: &Conn, change: impl FnOnce(&mut conn::Labels)) {
        let id = conn.id().get();
        let mut labels = conn.labels();
        let before = labels.uid.clone();
        change(&mut labels);
        if before == labels.uid {
            return;
        }
        if locked(self.shard(id)).get(&id).is_none() {
            // `leave` is under way and will ask for the user that the index knows.
            labels.uid = before;
            return;
        }
        let mut by_uid = locked(&self.by_uid);
        if let Some(uid) = &before {
            by_uid.remove(uid, id);
        }
        if let Some(uid) = &labels.uid {
            by_uid.insert(uid.clone(), id);
        }
    }

    /// Tells the true client of a connection that came through a PROXY header, before it is admitted.
    pub fn readdress(&self, conn: &Conn, client: std::net::SocketAddr) {
        let id = conn.id().get();
        let before = conn.client();
        conn.set_client(client);
        let mut by_ip = locked(&self.by_ip);
        if let Some(before) = before {
            by_ip.remove(before.ip().to_canonical(), id);
        }
        by_ip.insert(client.ip().to_canonical(), id);
    }

    /// One connection.
    pub fn get(&self, id: ConnId) -> Option<Arc<Conn>> {
        locked(self.shard(id.get())).get(&id.get()).cloned()
    }

    /// How many are live.
    pub fn len(&self) -> usize {
        self.live.load(Ordering::Relaxed)
    }

    /// Held by whoever counts connections and chooses some that have to go, so that two who do that at a time
    /// do not each choose one for the same excess.
    pub fn choosing(&self) -> MutexGuard<'_, ()> {
        locked(&self.choosing)
    }

    /// Whether none is live.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// All of them with an id above `after`, by id.
    pub fn after(&self, after: u64) -> Vec<Arc<Conn>> {
        let mut all = Vec::with_capacity(self.len());
        for shard in &self.shards {
            let newer = locked(shard);
            all.extend(newer.range(after.saturating_add(1)..).map(|(id, conn)| (*id, Arc::clone(conn))));
        }
        sorted(all)
    }

    /// All of them that pass a test, by id. They are tested some at a time, outside the locks: each is looked at
    /// while it is near, and what does not pass is let go at once. Who comes meanwhile is not among them.
    pub fn all_that(&self, mut passes: impl FnMut(&Conn) -> bool) -> Vec<Arc<Conn>> {
        let last_of = |shard: &Shard| locked(shard).last_key_value().map_or(0, |(id, _)| *id);
        let last = self.shards.iter().map(last_of).max().unwrap_or(0);
        let (mut all, mut some) = (Vec::new(), Vec::with_capacity(SHARDS * AT_A_TIME));
        let mut next = [0; SHARDS];
        loop {
            for (shard, next) in self.shards.iter().zip(&mut next).filter(|(_, next)| **next <= last) {
                let before = some.len();
                let table = locked(shard);
                let some_more = || table.range(*next..=last).take(AT_A_TIME);
                some_more().for_each(|(_, conn)| conn.fetch());
                some.extend(some_more().map(|(id, conn)| (*id, Arc::clone(conn))));
                drop(table);
                let taken: &[(u64, Arc<Conn>)] = some.get(before..).unwrap_or_default();
                *next = taken.last().map_or(u64::MAX, |(id, _)| id + 1);
            }
            if some.is_empty() {
                return sorted(all);
            }
            all.extend(some.drain(..).filter(|(_, conn)| passes(conn)));
        }
    }

    /// All of them, by id.
    pub fn all(&self) -> Vec<Arc<Conn>> {
        self.after(0)
    }

    /// Those with one of these ids, by id.
    pub fn with_ids(&self, ids: &[u64]) -> Vec<Arc<Conn>> {
        let mut ids: Vec<_> = ids.to_vec();
        ids.sort_unstable();
        ids.dedup();
        ids.into_iter().filter_map(|id| locked(self.shard(id)).get(&id).cloned()).collect()
    }

    /// Those of one of these users, by id.
    pub fn with_uids<S: AsRef<str>>(&self, uids: &[S]) -> Vec<Arc<Conn>> {
        let mut ids = Vec::new();
        for uid in uids {
            locked(&self.by_uid).collect(uid.as_ref(), &mut ids);
        }
        self.with_ids(&ids)
    }

    /// Those whose client is in one of these networks, by id.
    pub fn with_ips(&self, nets: &[IpNet]) -> Vec<Arc<Conn>> {
        let mut ids = Vec::new();
        for net in nets {
            locked(&self.by_ip).collect(net, &mut ids);
        }
        self.with_ids(&ids)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap as Map;

    use connctl_api::conn::Mode;
    use proptest::prelude::*;

    use super::*;
    use crate::registry::conn::{Birth, Origin};

    fn conn(id: u64, last_octet: u8, origin: &Arc<Origin>) -> Arc<Conn> {
        let address = ([127, 0, 0, last_octet], 4000).into();
        Arc::new(Conn::new(Birth {
            id: ConnId::new(id).unwrap(),
            origin: Arc::clone(origin),
            peer: address,
            local: address,
            wall_ms: 0,
            now_ms: 0,
            thread: 0,
        }))
    }

    fn ids(conns: &[Arc<Conn>]) -> Vec<u64> {
        conns.iter().map(|conn| conn.id().get()).collect()
    }

    proptest! {
        #[test]
        fn holds_what_a_plain_map_holds(
            steps in prop::collection::vec((0u8..4, 0u8..12, 0u8..3, 1u8..4), 0..300),
        ) {
            let (registry, origin) = (Registry::default(), Arc::new(Origin::new("o", Mode::Echo, 0)));
            // By id: the connection, its user and the last octet of its address.
            let mut model: Map<u64, (Arc<Conn>, Option<String>, u8)> = Map::new();
            let mut next = 1;
            for (step, pick, user, octet) in steps {
                let picked = model.keys().nth(usize::from(pick)).copied();
                match (step, picked) {
                    (0, _) => {
                        let conn = conn(next, octet, &origin);
                        registry.enter(&conn);
                        model.insert(next, (conn, None, octet));
                        next += 1;
                    }
                    (1, Some(id)) => {
                        let (conn, ..) = model.remove(&id).unwrap();
                        registry.leave(&conn);
                        // Leaving twice, and naming one that has left, change nothing.
                        registry.leave(&conn);
                        registry.assign(&conn, |labels| labels.uid = Some("late".into()));
                    }
                    (2, Some(id)) => {
                        let uid = (user > 0).then(|| format!("u{user}"));
                        let (conn, known, _) = model.get_mut(&id).unwrap();
                        registry.assign(conn, |labels| labels.uid = uid.clone().map(Box::from));
                        *known = uid;
                    }
                    (3, Some(id)) => {
                        let (conn, _, known) = model.get_mut(&id).unwrap();
                        registry.readdress(conn, ([127, 0, 0, octet], 5000).into());
                        *known = octet;
                    }
                    _ => {}
                }
                let all: Vec<_> = model.keys().copied().collect();
                prop_assert_eq!(ids(&registry.all()), all.clone());
                let even: Vec<_> = all.iter().copied().filter(|id| id.is_multiple_of(2)).collect();
                prop_assert_eq!(ids(&registry.all_that(|conn| conn.id().get().is_multiple_of(2))), even);
                prop_assert_eq!(registry.len(), all.len());
                for user in ["u1", "u2", "late"] {
                    let expected: Vec<_> =
                        model.iter().filter(|(_, row)| row.1.as_deref() == Some(user)).map(|(id, _)| *id).collect();
                    prop_assert_eq!(ids(&registry.with_uids(&[user])), expected);
                }
                for octet in 1..4 {
                    let net = format!("127.0.0.{octet}/32").parse().unwrap();
                    let expected: Vec<_> =
                        model.iter().filter(|(_, row)| row.2 == octet).map(|(id, _)| *id).collect();
                    prop_assert_eq!(ids(&registry.with_ips(&[net])), expected);
                }
                prop_assert_eq!(ids(&registry.with_ips(&["127.0.0.0/8".parse().unwrap()])), all);
            }
        }
    }

    #[test]
    fn a_test_of_all_sees_each_once_however_many_and_however_they_lie() {
        let (registry, origin) = (Registry::default(), Arc::new(Origin::new("o", Mode::Echo, 0)));
        // Most in one table, and some far apart.
        let own: Vec<u64> = (1..2_000).map(|n| n * 16).chain((1..500).map(|n| n * 7 * 1_000_003)).collect();
        own.iter().for_each(|id| registry.enter(&conn(*id, 1, &origin)));
        let mut expected = own.clone();
        expected.sort_unstable();
        let mut seen = Vec::new();
        let all = registry.all_that(|conn| {
            seen.push(conn.id().get());
            // Nobody who tests holds a lock, and who comes meanwhile is not waited for.
            let late = conn.id().get() + (1 << 40);
            registry.enter(&super::tests::conn(late, 1, &origin));
            true
        });
        seen.sort_unstable();
        assert_eq!((ids(&all), seen), (expected.clone(), expected));
        assert_eq!(registry.len(), 2 * own.len());
    }
}
