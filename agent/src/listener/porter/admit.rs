//! Newcomers and the limits: in, away, or waiting until another has made room.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use connctl_api::end::{Initiator, Reason};
use connctl_api::id::ConnId;
use connctl_api::instant::Instant;
use tokio::sync::mpsc;

use super::Porter;
use crate::base::clock;
use crate::config::OnOver;
use crate::net::close;
use crate::policy::admission::{Over, Ticket};
use crate::policy::evict;
use crate::registry::Conn;

/// How often newcomers that wait for a place are looked after, in milliseconds. None waits for long: an
/// ending has a grace.
pub(super) const RETRY_MS: u64 = 2;

/// How long a newcomer waits for what is on its way before another has to go for its sake, in milliseconds.
/// Where a place is on its way back, that is over in far less.
const SETTLE_MS: u64 = 10;

/// An accepted socket without a record.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub(super) index: usize,
    pub(super) fd: OwnedFd,
    pub(super) peer: Option<SocketAddr>,
    /// Descriptors that were taken for it.
    pub(super) count: usize,
    /// When it was accepted.
    pub(super) accepted_us: u64,
}

/// A newcomer that waits for a place.
#[derive(Debug)]
pub(super) struct Waiting {
    newcomer: Newcomer,
    /// The limit that it waits for.
    over: Over,
    /// Who makes room for it.
    victim: Option<Arc<Conn>>,
    /// When it was first found that more places are taken than there are connections to choose from.
    short_since_ms: Option<u64>,
}

impl Porter {
    /// Lets a newcomer in, has it wait, or turns it away.
    pub(super) fn receive(&mut self, newcomer: Newcomer) {
        if self.is_revoked(&newcomer) {
            return self.turn_away(newcomer, Reason::Revoked);
        }
        let over = match self.admit(&newcomer) {
            Ok(ticket) => return self.welcome(newcomer, ticket),
            Err(over) => over,
        };
        if over == Over::Rate || self.rule(newcomer.index) == OnOver::Reject {
            return self.turn_away(newcomer, Reason::Limit);
        }
        let mut victim = None;
        let mates = || self.waiting.iter().enumerate().filter(|(_, other)| other.over == over);
        if mates().count() >= self.inside.admission.most(over) {
            // As many wait as there are places, so one of them would make room for this one in any case.
            let loser = match self.rule(newcomer.index) {
                OnOver::EvictNewest => mates().next_back(),
                OnOver::Reject | OnOver::EvictOldest | OnOver::EvictOldestActivity => mates().next(),
            };
            if let Some(loser) = loser.map(|(at, _)| at).and_then(|at| self.waiting.remove(at)) {
                victim = loser.victim;
                self.turn_away(loser.newcomer, Reason::Evicted);
            }
        }
        self.waiting.push_back(Waiting { newcomer, over, victim, short_since_ms: None });
    }

    /// Lets in who has a place now, and makes room for the others. Who got the place that another one's
    /// victim left hands its own victim on: as many go as come, and no more.
    pub(super) fn serve_waiting(&mut self) {
        let victims = || self.waiting.iter().filter_map(|waiting| waiting.victim.as_ref());
        let mut taken: HashSet<_> = victims().map(|victim| victim.id()).collect();
        // Those whose places could be had in this round. Whoever gives one back from now on is still to make
        // room in the next, and so is who has left the registry and keeps its place for a moment.
        let gone: HashSet<_> =
            victims().filter(|victim| victim.has_given_place()).map(|victim| victim.id()).collect();
        let (mut left, mut spare) = (Vec::new(), Vec::new());
        for waiting in std::mem::take(&mut self.waiting) {
            let Waiting { newcomer, victim, short_since_ms, .. } = waiting;
            if !self.gates.get(newcomer.index).accepting {
                self.turn_away(newcomer, Reason::Limit);
            } else {
                match self.admit(&newcomer) {
                    Ok(ticket) => self.welcome(newcomer, ticket),
                    Err(Over::Rate) => self.turn_away(newcomer, Reason::Limit),
                    Err(over) => {
                        left.push(Waiting { newcomer, over, victim, short_since_ms });
                        continue;
                    }
                }
            }
            spare.extend(victim);
        }
        spare.retain(|victim| !gone.contains(&victim.id()));
        for mut waiting in left {
            // Its limit may be another one by now, for which the same victim makes room or does not.
            let has_victim = waiting.victim.as_ref().is_some_and(|victim| {
                !gone.contains(&victim.id()) && evict::is_counted(victim, waiting.over)
            });
            if !has_victim {
                spare.extend(waiting.victim.take().filter(|victim| !gone.contains(&victim.id())));
                waiting.victim = match spare.iter().position(|one| evict::is_counted(one, waiting.over)) {
                    Some(at) => Some(spare.swap_remove(at)),
                    None => self.make_room(&mut waiting, &taken),
                };
                taken.extend(waiting.victim.as_ref().map(|victim| victim.id()));
            }
            self.waiting.push_back(waiting);
        }
    }

    fn rule(&self, index: usize) -> OnOver {
        self.entrances[index].origin.policies().limits.on_over
    }

    /// A newcomer's address. A proxy's is nobody's: the header tells the client's.
    fn address(&self, newcomer: &Newcomer) -> Option<IpAddr> {
        let proxies = &self.entrances[newcomer.index].settings.accept_proxy_from;
        let ip = newcomer.peer.map(|peer| peer.ip().to_canonical());
        ip.filter(|ip| !proxies.iter().any(|net| net.contains(ip)))
    }

    /// The thread that gets it asks once more: this only saves most of the trouble.
    fn is_revoked(&self, newcomer: &Newcomer) -> bool {
        let held = self.inside.revocations.hold(Instant(clock::wall_ms()));
        self.address(newcomer).is_some_and(|ip| held.refuses_ip(ip).is_some())
    }

    fn admit(&self, newcomer: &Newcomer) -> Result<Ticket, Over> {
        let ip = self.address(newcomer);
        self.inside.admission.admit(newcomer.index, ip, clock::now_ms())
    }

    /// Ends the connection that has to go, and tells which. None where nobody has to for a moment: a connection
    /// has left the registry and its place is on its way back, or it has its place and its record is on its way.
    fn make_room(&self, waiting: &mut Waiting, taken: &HashSet<ConnId>) -> Option<Arc<Conn>> {
        let (over, now_ms) = (waiting.over, clock::now_ms());
        // The places first: one that is given back after they are counted is missing among the connections.
        let (places, most) = (self.inside.admission.count(over), self.inside.admission.most(over));
        let mut conns = evict::counted(&self.inside.registry, over);
        if places < most || conns.len() < places {
            let since_ms = *waiting.short_since_ms.get_or_insert(now_ms);
            if now_ms < since_ms.saturating_add(SETTLE_MS) {
                return None;
            }
        }
        conns.retain(|conn| !taken.contains(&conn.id()));
        evict::sort(&mut conns, self.rule(waiting.newcomer.index), now_ms);
        let victim = conns.into_iter().next()?;
        victim.doom();
        // The place itself tells when it is free, so nobody listens for the answer.
        let (replies, _) = mpsc::channel(1);
        let target = vec![(victim.slot(), victim.id())];
        self.inside.pool.operate(victim.thread(), target, evict::command(Reason::Evicted), replies);
        Some(victim)
    }

    pub(super) fn turn_away(&mut self, newcomer: Newcomer, reason: Reason) {
        let entrance = &mut self.entrances[newcomer.index];
        entrance.rejected += 1;
        tracing::info!(
            peer = newcomer.peer.map(tracing::field::display),
            listener = &*entrance.origin.name,
            reason = reason.word(),
            initiator = Initiator::Policy.word(),
            "connection refused"
        );
        self.inside.descriptors.give(newcomer.count);
        close::reset(newcomer.fd);
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpStream;

    use connctl_api::conn::Mode;

    use super::*;
    use crate::base::inbox::inbox;
    use crate::base::state_dir::Ids;
    use crate::config::{Limits, ListenerSettings, RecordSettings};
    use crate::listener::{Inside, bind};
    use crate::policy::admission::Admission;
    use crate::policy::revoke::Revocations;
    use crate::record::Record;
    use crate::registry::conn::Birth;
    use crate::relay::{Budget, Guest, Pool, Shared};

    /// A porter whose connections have no threads: whatever happens to them happens in the test, in its order.
    struct House {
        porter: Porter,
        next_id: u64,
    }

    /// A connection and its place.
    type Lodger = (Arc<Conn>, Ticket);

    impl House {
        fn new(limits: Limits) -> Self {
            let mut settings = ListenerSettings::outbound();
            (settings.name, settings.mode) = ("front".into(), Mode::Echo);
            settings.bind = ([127, 0, 0, 1], 0).into();
            settings.policies.limits = limits;
            let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
            let revocations = Arc::new(Revocations::open(None, Instant(0)).unwrap());
            let shared = Shared {
                registry: Arc::default(),
                revocations: Arc::clone(&revocations),
                stats: Arc::default(),
                record: Arc::new(Record::open(&RecordSettings::default(), None).unwrap()),
                resolver: runtime.handle().clone(),
                descriptors: Arc::new(Budget::new(100)),
                pipes: 1,
            };
            let admission = Arc::new(Admission::default());
            admission.set_limits(0, [(0, limits)]);
            let inside = Inside {
                pool: Arc::new(Pool::start(0, &shared).unwrap()),
                ids: Arc::new(Ids::open(None).unwrap()),
                registry: Arc::clone(&shared.registry),
                revocations,
                admission,
                stats: Arc::clone(&shared.stats),
                descriptors: Arc::clone(&shared.descriptors),
            };
            let (_outbox, inbox) = inbox().unwrap();
            let bound = bind([&settings], 0).unwrap();
            Self { porter: Porter::new(bound.0, inbox, inside).unwrap(), next_id: 1 }
        }

        /// Somebody from this address is in.
        fn lodger(&mut self, last_octet: u8) -> Lodger {
            let peer = SocketAddr::from(([127, 0, 0, last_octet], 4000));
            let ticket = self.porter.inside.admission.admit(0, Some(peer.ip()), 0).unwrap();
            let conn = Arc::new(Conn::new(Birth {
                id: ConnId::new(self.next_id).unwrap(),
                origin: Arc::clone(&self.porter.entrances[0].origin),
                peer,
                local: peer,
                wall_ms: 0,
                now_ms: 0,
                thread: 0,
            }));
            self.next_id += 1;
            self.porter.inside.registry.enter(&conn);
            (conn, ticket)
        }

        /// Somebody dials, from 127.0.0.1.
        fn dial(&self) -> TcpStream {
            TcpStream::connect(self.porter.entrances[0].door.as_ref().unwrap().address()).unwrap()
        }

        /// The first half of an ending: the registry does not have it any more, and it has its place.
        fn leave(&self, (conn, _): &Lodger) {
            self.porter.inside.registry.leave(conn);
        }

        fn accepted(&self) -> u64 {
            self.porter.entrances[0].accepted
        }
    }

    /// The second half of an ending.
    fn give_place((conn, ticket): Lodger) {
        drop(ticket);
        conn.note_given_place();
    }

    /// Limits under which the oldest goes.
    fn oldest() -> Limits {
        Limits { on_over: OnOver::EvictOldest, ..Limits::default() }
    }

    #[test]
    fn a_victim_whose_place_is_on_its_way_back_is_waited_for() {
        let mut house = House::new(Limits { max_connections: 2, ..oldest() });
        let (first, second) = (house.lodger(1), house.lodger(2));
        let _client = house.dial();
        house.porter.turn();
        assert!(!first.0.is_staying() && second.0.is_staying(), "the oldest goes");
        house.leave(&first);
        for _ in 0..100 {
            house.porter.turn();
        }
        assert!(second.0.is_staying(), "nobody else goes for the same newcomer");
        give_place(first);
        house.porter.turn();
        assert!(second.0.is_staying());
        assert_eq!((house.accepted(), house.porter.waiting.len()), (1, 0));
    }

    #[test]
    fn nobody_goes_for_a_place_that_another_is_giving_back() {
        let mut house = House::new(Limits { max_connections: 2, ..oldest() });
        let (first, second) = (house.lodger(1), house.lodger(2));
        // It ends by itself: nobody has chosen it.
        house.leave(&first);
        let _client = house.dial();
        house.porter.turn();
        assert_eq!((house.accepted(), house.porter.waiting.len()), (0, 1));
        assert!(second.0.is_staying(), "there is a place in a moment");
        give_place(first);
        house.porter.turn();
        assert!(second.0.is_staying());
        assert_eq!((house.accepted(), house.porter.waiting.len()), (1, 0));
    }

    #[test]
    fn one_victim_makes_room_under_each_limit_that_it_is_counted_under() {
        let mut house = House::new(Limits { max_connections: 3, max_per_ip: 1, ..oldest() });
        let (first, second) = (house.lodger(1), house.lodger(2));
        let _client = house.dial();
        house.porter.turn();
        assert!(!first.0.is_staying() && second.0.is_staying(), "its address has a place too few");
        // The listener is full now, too: the newcomer waits for that first.
        let third = house.lodger(3);
        house.porter.turn();
        assert_eq!(house.porter.waiting[0].over, Over::Listener(0));
        assert!(second.0.is_staying() && third.0.is_staying(), "the one who goes is enough for both");
        house.leave(&first);
        give_place(first);
        house.porter.turn();
        assert!(second.0.is_staying() && third.0.is_staying());
        assert_eq!((house.accepted(), house.porter.waiting.len()), (1, 0));
    }
}
