//! Places under the limits that need only the address. A place is taken before a connection has a record and
//! given back after it has left the registry, so no more are registered than there are places.

use std::collections::hash_map::Entry;
use std::collections::{HashMap, VecDeque};
use std::hash::Hash;
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use ipnet::IpNet;

use crate::config::Limits;

/// What a rate is counted over.
const MINUTE_MS: u64 = 60_000;

/// All places of the agent. All are counted, limited or not, so that a limit can come into force at any time.
#[derive(Debug, Default)]
pub struct Admission {
    taken: Mutex<Taken>,
}

/// An address at a listener.
type Visitor = (usize, IpAddr);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    /// The agent's `max_connections`.
    most: usize,
    rooms: Vec<Room>,
    /// Without those that are 0.
    visitors: HashMap<Visitor, usize>,
    /// The visitors of each network at a listener that limits networks.
    networks: HashMap<(usize, IpNet), usize>,
    /// When those who came in the last minute came.
    arrivals: HashMap<Visitor, VecDeque<u64>>,
    /// When the arrivals were last searched for old ones.
    tidied_ms: u64,
}

/// A listener.
#[derive(Debug, Default)]
struct Room {
    limits: Limits,
    taken: usize,
}

/// A limit that leaves no place.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Over {
    /// `max_connections` of the agent.
    Agent,
    /// `max_connections` of a listener.
    Listener(usize),
    /// `max_per_ip` of a listener.
    Ip(usize, IpAddr),
    /// `max_per_network` of a listener.
    Network(usize, IpNet),
    /// `connections_per_minute_per_ip`. Nobody can make room for this.
    Rate,
}

/// A place that is taken. Dropping it gives it back.
#[derive(Debug)]
pub struct Ticket {
    admission: Arc<Admission>,
    listener: u32,
    ip: Option<IpAddr>,
}

impl Admission {
    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Puts limits in force: the agent's, and those of listeners by their index. Places that are taken stay taken.
    pub fn set_limits(&self, most: usize, limits: impl IntoIterator<Item = (usize, Limits)>) {
        let mut taken = self.taken();
        taken.most = most;
        for (index, limits) in limits {
            if taken.rooms.len() <= index {
                taken.rooms.resize_with(index + 1, Room::default);
            }
            taken.rooms[index].limits = limits;
        }
        taken.count_networks();
        if taken.rooms.iter().all(|room| room.limits.per_minute_per_ip == 0) {
            taken.arrivals.clear();
        }
    }

    /// The number that a limit has.
    pub fn most(&self, over: Over) -> usize {
        let taken = self.taken();
        match over {
            Over::Agent => taken.most,
            Over::Listener(index) => taken.limits(index).max_connections,
            Over::Ip(index, _) => taken.limits(index).max_per_ip,
            Over::Network(index, _) => taken.limits(index).max_per_network,
            Over::Rate => 0,
        }
    }

    /// How many of its places are taken.
    pub fn count(&self, over: Over) -> usize {
        let taken = self.taken();
        match over {
            Over::Agent => taken.all,
            Over::Listener(index) => taken.rooms.get(index).map_or(0, |room| room.taken),
            Over::Ip(index, ip) => taken.visitors.get(&(index, ip)).copied().unwrap_or(0),
            Over::Network(index, network) => taken.networks.get(&(index, network)).copied().unwrap_or(0),
            Over::Rate => 0,
        }
    }

    /// Takes a place, all limits in one step. An address that a PROXY header is to tell is given later, by
    /// [`Ticket::tell_address`].
    ///
    /// # Errors
    /// The limit that leaves no place.
    pub fn admit(self: &Arc<Self>, listener: usize, ip: Option<IpAddr>, now_ms: u64) -> Result<Ticket, Over> {
        let mut taken = self.taken();
        if is_full(taken.all, taken.most) {
            return Err(Over::Agent);
        }
        let limits = taken.limits(listener);
        if is_full(taken.rooms.get(listener).map_or(0, |room| room.taken), limits.max_connections) {
            return Err(Over::Listener(listener));
        }
        if let Some(ip) = ip {
            taken.enter((listener, ip), limits, now_ms)?;
        }
        taken.all += 1;
        if let Some(room) = taken.rooms.get_mut(listener) {
            room.taken += 1;
        }
        let admission = Arc::clone(self);
        Ok(Ticket { admission, listener: u32::try_from(listener).unwrap_or(u32::MAX), ip })
    }
}

const fn is_full(taken: usize, most: usize) -> bool {
    most != 0 && taken >= most
}

impl Taken {
    fn limits(&self, listener: usize) -> Limits {
        self.rooms.get(listener).map(|room| room.limits).unwrap_or_default()
    }

    /// Counts an address.
    fn enter(&mut self, visitor: Visitor, limits: Limits, now_ms: u64) -> Result<(), Over> {
        if is_full(self.visitors.get(&visitor).copied().unwrap_or(0), limits.max_per_ip) {
            return Err(Over::Ip(visitor.0, visitor.1));
        }
        let network = (visitor.0, limits.network_of(visitor.1));
        if is_full(self.networks.get(&network).copied().unwrap_or(0), limits.max_per_network) {
            return Err(Over::Network(network.0, network.1));
        }
        if limits.per_minute_per_ip != 0 {
            self.tidy(now_ms);
            let arrivals = self.arrivals.entry(visitor).or_default();
            while arrivals.front().is_some_and(|at| is_old(*at, now_ms)) {
                arrivals.pop_front();
            }
            if arrivals.len() >= limits.per_minute_per_ip {
                return Err(Over::Rate);
            }
            arrivals.push_back(now_ms);
        }
        *self.visitors.entry(visitor).or_default() += 1;
        if limits.max_per_network != 0 {
            *self.networks.entry(network).or_default() += 1;
        }
        Ok(())
    }

    fn leave(&mut self, visitor: Visitor) {
        let limits = self.limits(visitor.0);
        take_one(&mut self.visitors, visitor);
        take_one(&mut self.networks, (visitor.0, limits.network_of(visitor.1)));
    }

    /// The counts of networks follow from those of addresses, whatever a network is from now on.
    fn count_networks(&mut self) {
        self.networks.clear();
        for ((listener, ip), count) in &self.visitors {
            let limits = self.rooms.get(*listener).map(|room| room.limits).unwrap_or_default();
            if limits.max_per_network != 0 {
                *self.networks.entry((*listener, limits.network_of(*ip))).or_default() += count;
            }
        }
    }

    /// Forgets addresses that have not come for a minute, once a minute.
    fn tidy(&mut self, now_ms: u64) {
        if now_ms.saturating_sub(self.tidied_ms) >= MINUTE_MS {
            self.tidied_ms = now_ms;
            self.arrivals.retain(|_, arrivals| arrivals.back().is_some_and(|at| !is_old(*at, now_ms)));
        }
    }
}

/// Counts one less, where anything is counted, and forgets what is 0.
fn take_one<K: Hash + Eq>(counts: &mut HashMap<K, usize>, key: K) {
    if let Entry::Occupied(mut count) = counts.entry(key) {
        *count.get_mut() -= 1;
        if *count.get() == 0 {
            count.remove();
        }
    }
}

const fn is_old(at_ms: u64, now_ms: u64) -> bool {
    now_ms.saturating_sub(at_ms) >= MINUTE_MS
}

impl Ticket {
    /// The address has become known and is counted, too.
    ///
    /// # Errors
    /// The limit that leaves no place for it. The rest of the place is still taken.
    pub fn tell_address(&mut self, ip: IpAddr, now_ms: u64) -> Result<(), Over> {
        if self.ip.is_none() {
            let mut taken = self.admission.taken();
            let listener = self.listener as usize;
            let limits = taken.limits(listener);
            taken.enter((listener, ip), limits, now_ms)?;
            self.ip = Some(ip);
        }
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut taken = self.admission.taken();
        taken.all -= 1;
        if let Some(room) = taken.rooms.get_mut(self.listener as usize) {
            room.taken -= 1;
        }
        if let Some(ip) = self.ip {
            taken.leave((self.listener as usize, ip));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(last: u8) -> Option<IpAddr> {
        Some(IpAddr::from([127, 0, 0, last]))
    }

    fn admission(most: usize, limits: Limits) -> Arc<Admission> {
        let admission = Arc::new(Admission::default());
        admission.set_limits(most, [(0, limits), (1, Limits::default())]);
        admission
    }

    /// What is counted: all, of the first listener, addresses, networks.
    fn counts(admission: &Admission) -> (usize, usize, usize, usize) {
        let taken = admission.taken();
        (taken.all, taken.rooms[0].taken, taken.visitors.len(), taken.networks.len())
    }

    #[test]
    fn a_limit_that_comes_later_counts_those_who_are_there() {
        let admission = admission(0, Limits::default());
        let tickets = [1, 1, 2].map(|last| admission.admit(0, ip(last), 0).unwrap());
        let set = |limits: Limits| admission.set_limits(0, [(0, limits)]);
        set(Limits { max_connections: 3, ..Limits::default() });
        assert_eq!(admission.admit(0, ip(9), 0).unwrap_err(), Over::Listener(0));
        set(Limits { max_per_ip: 2, ..Limits::default() });
        assert!(matches!(admission.admit(0, ip(1), 0), Err(Over::Ip(0, _))));
        set(Limits { max_per_network: 3, ..Limits::default() });
        assert!(matches!(admission.admit(0, ip(9), 0), Err(Over::Network(0, _))));
        set(Limits { max_per_network: 2, prefix_ipv4: 32, ..Limits::default() });
        assert!(matches!(admission.admit(0, ip(1), 0), Err(Over::Network(0, _))));
        drop(admission.admit(0, ip(9), 0).unwrap());
        assert_eq!(counts(&admission), (3, 3, 2, 2));
        set(Limits::default());
        drop(admission.admit(0, ip(1), 0).unwrap());
        drop(tickets);
        assert_eq!(counts(&admission), (0, 0, 0, 0));
    }

    #[test]
    fn whatever_the_limits_become_meanwhile_nothing_stays_counted() {
        let admission = admission(0, Limits::default());
        let mut tickets = Vec::new();
        for round in 0..200_u8 {
            let limits = Limits {
                max_per_network: usize::from(round % 3) * 50,
                prefix_ipv4: 24 + round % 9,
                ..Limits::default()
            };
            admission.set_limits(0, [(0, limits)]);
            tickets.extend(admission.admit(0, ip(round), 0));
            if round % 2 == 0 {
                tickets.remove(0);
            }
        }
        drop(tickets);
        assert_eq!(counts(&admission), (0, 0, 0, 0));
    }

    #[test]
    fn a_place_that_is_given_back_can_be_taken_again() {
        let admission = admission(3, Limits { max_connections: 2, ..Limits::default() });
        let first = admission.admit(0, ip(1), 0).unwrap();
        let second = admission.admit(0, ip(1), 0).unwrap();
        assert_eq!(admission.admit(0, ip(1), 0).unwrap_err(), Over::Listener(0));
        let third = admission.admit(1, ip(1), 0).unwrap();
        assert_eq!(admission.admit(1, ip(1), 0).unwrap_err(), Over::Agent);
        drop(first);
        assert!(admission.admit(0, ip(1), 0).is_ok());
        drop((second, third));
        assert_eq!(counts(&admission), (0, 0, 0, 0));
    }

    #[test]
    fn an_address_that_is_gone_is_forgotten() {
        let admission = admission(0, Limits { max_per_ip: 1, ..Limits::default() });
        let one = admission.admit(0, ip(1), 0).unwrap();
        let other = admission.admit(0, ip(2), 0).unwrap();
        assert!(matches!(admission.admit(0, ip(1), 0), Err(Over::Ip(0, _))));
        drop((one, other));
        assert_eq!(counts(&admission), (0, 0, 0, 0));
    }

    #[test]
    fn a_rate_counts_the_last_minute_and_forgets_what_is_older() {
        let admission = admission(0, Limits { per_minute_per_ip: 2, ..Limits::default() });
        for now in [1_000, 2_000] {
            drop(admission.admit(0, ip(1), now).unwrap());
        }
        assert_eq!(admission.admit(0, ip(1), 60_999).unwrap_err(), Over::Rate);
        assert!(admission.admit(0, ip(2), 60_999).is_ok());
        assert!(admission.admit(0, ip(1), 61_000).is_ok());
        assert_eq!(admission.admit(0, ip(1), 61_500).unwrap_err(), Over::Rate);
        assert!(admission.admit(0, ip(3), 200_000).is_ok());
        assert_eq!(admission.taken().arrivals.len(), 1);
    }

    #[test]
    fn an_address_told_later_is_counted_from_then_on() {
        let admission = admission(0, Limits { max_per_ip: 1, ..Limits::default() });
        let mut first = admission.admit(0, None, 0).unwrap();
        let mut second = admission.admit(0, None, 0).unwrap();
        assert!(first.tell_address(ip(1).unwrap(), 0).is_ok());
        assert!(second.tell_address(ip(1).unwrap(), 0).is_err());
        drop(first);
        assert!(second.tell_address(ip(1).unwrap(), 0).is_ok());
        drop(second);
        assert!(admission.taken().visitors.is_empty());
    }
}
