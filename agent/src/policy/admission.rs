//! Places under the limits that need only the address. A place is taken before a connection has a record and
//! given back after it has left the registry, so no more are registered than there are places.

use std::collections::{HashMap, VecDeque};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::config::Limits;

/// What a rate is counted over.
const MINUTE_MS: u64 = 60_000;

/// All places of the agent.
#[derive(Debug)]
pub struct Admission {
    most: usize,
    limits: Vec<Limits>,
    taken: Mutex<Taken>,
}

/// An address at a listener.
type Visitor = (usize, IpAddr);

#[derive(Debug, Default)]
struct Taken {
    all: usize,
    listeners: Vec<usize>,
    /// Without those that are 0.
    visitors: HashMap<Visitor, usize>,
    /// When those who came in the last minute came.
    arrivals: HashMap<Visitor, VecDeque<u64>>,
    /// When the arrivals were last searched for old ones.
    tidied_ms: u64,
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
    /// `connections_per_minute_per_ip`. Nobody can make room for this.
    Rate,
}

/// A place that is taken. Dropping it gives it back.
#[derive(Debug)]
pub struct Ticket {
    admission: Arc<Admission>,
    listener: usize,
    ip: Option<IpAddr>,
}

impl Admission {
    /// No place is taken. `most` is the agent's limit; the listeners' follow in their order.
    pub fn new(most: usize, limits: Vec<Limits>) -> Self {
        let taken = Taken { listeners: vec![0; limits.len()], ..Taken::default() };
        Self { most, limits, taken: Mutex::new(taken) }
    }

    fn taken(&self) -> MutexGuard<'_, Taken> {
        self.taken.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn limits(&self, listener: usize) -> Limits {
        self.limits.get(listener).copied().unwrap_or_default()
    }

    /// The number that a limit has.
    pub fn most(&self, over: Over) -> usize {
        match over {
            Over::Agent => self.most,
            Over::Listener(index) => self.limits(index).max_connections,
            Over::Ip(index, _) => self.limits(index).max_per_ip,
            Over::Rate => 0,
        }
    }

    /// Takes a place, all limits in one step; `None` where the listener has no limit. An address that a
    /// PROXY header is to tell is given later, by [`Ticket::tell_address`].
    ///
    /// # Errors
    /// The limit that leaves no place.
    pub fn admit(
        self: &Arc<Self>,
        listener: usize,
        ip: Option<IpAddr>,
        now_ms: u64,
    ) -> Result<Option<Ticket>, Over> {
        let limits = self.limits(listener);
        let is_limited = [self.most, limits.max_connections, limits.max_per_ip, limits.per_minute_per_ip];
        if is_limited == [0; 4] {
            return Ok(None);
        }
        let mut taken = self.taken();
        if is_full(taken.all, self.most) {
            return Err(Over::Agent);
        }
        if is_full(taken.listeners.get(listener).copied().unwrap_or(0), limits.max_connections) {
            return Err(Over::Listener(listener));
        }
        if let Some(ip) = ip {
            taken.enter((listener, ip), limits, now_ms)?;
        }
        taken.all += 1;
        if let Some(count) = taken.listeners.get_mut(listener) {
            *count += 1;
        }
        Ok(Some(Ticket { admission: Arc::clone(self), listener, ip }))
    }
}

const fn is_full(taken: usize, most: usize) -> bool {
    most != 0 && taken >= most
}

impl Taken {
    /// Counts an address where that is limited.
    fn enter(&mut self, visitor: Visitor, limits: Limits, now_ms: u64) -> Result<(), Over> {
        if is_full(self.visitors.get(&visitor).copied().unwrap_or(0), limits.max_per_ip) {
            return Err(Over::Ip(visitor.0, visitor.1));
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
        if limits.max_per_ip != 0 {
            *self.visitors.entry(visitor).or_default() += 1;
        }
        Ok(())
    }

    fn leave(&mut self, visitor: Visitor) {
        if let std::collections::hash_map::Entry::Occupied(mut count) = self.visitors.entry(visitor) {
            *count.get_mut() -= 1;
            if *count.get() == 0 {
                count.remove();
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
            let limits = self.admission.limits(self.listener);
            self.admission.taken().enter((self.listener, ip), limits, now_ms)?;
            self.ip = Some(ip);
        }
        Ok(())
    }
}

impl Drop for Ticket {
    fn drop(&mut self) {
        let mut taken = self.admission.taken();
        taken.all -= 1;
        if let Some(count) = taken.listeners.get_mut(self.listener) {
            *count -= 1;
        }
        if let Some(ip) = self.ip {
            taken.leave((self.listener, ip));
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
        Arc::new(Admission::new(most, vec![limits, Limits::default()]))
    }

    #[test]
    fn without_a_limit_no_place_is_counted() {
        let admission = admission(0, Limits::default());
        assert!(admission.admit(0, ip(1), 0).unwrap().is_none());
        assert_eq!(admission.taken().all, 0);
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
        let taken = admission.taken();
        assert_eq!((taken.all, taken.listeners[0]), (0, 0));
    }

    #[test]
    fn an_address_that_is_gone_is_forgotten() {
        let admission = admission(0, Limits { max_per_ip: 1, ..Limits::default() });
        let one = admission.admit(0, ip(1), 0).unwrap();
        let other = admission.admit(0, ip(2), 0).unwrap();
        assert!(matches!(admission.admit(0, ip(1), 0), Err(Over::Ip(0, _))));
        drop((one, other));
        assert!(admission.taken().visitors.is_empty());
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
        let mut first = admission.admit(0, None, 0).unwrap().unwrap();
        let mut second = admission.admit(0, None, 0).unwrap().unwrap();
        assert!(first.tell_address(ip(1).unwrap(), 0).is_ok());
        assert!(second.tell_address(ip(1).unwrap(), 0).is_err());
        drop(first);
        assert!(second.tell_address(ip(1).unwrap(), 0).is_ok());
        drop(second);
        assert!(admission.taken().visitors.is_empty());
    }
}
