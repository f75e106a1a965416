//! Who is refused: users and addresses, for a time or until it is lifted.
//!
//! A revocation refuses who comes and ends who is there, with no gap between: whatever makes a connection
//! known under a user or an address in the registry asks here first, under a lock that a new revocation
//! takes, too ([`Revocations::hold`]). So a connection is either known before the revocation begins, and then
//! the search that follows finds it, or it asks after, and is refused.

mod file;
mod table;

use std::net::IpAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

use connctl_api::id::RevocationId;
use connctl_api::instant::Instant;
use connctl_api::revocation::MAX_REVOCATIONS;
use ipnet::{IpNet, Ipv4Net};

use self::table::Table;
use crate::base::state_dir::StateDir;

/// Who is revoked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Subject {
    /// A user.
    Uid(Box<str>),
    /// An address or a network, as [`canonical`] has it.
    Ip(IpNet),
}

/// What is revoked, and until when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Revocation {
    /// Its id.
    pub id: RevocationId,
    /// Who.
    pub subject: Subject,
    /// Since when.
    pub created_at: Instant,
    /// Until when; `None` is until it is lifted.
    pub expires_at: Option<Instant>,
    /// Why.
    pub note: Option<String>,
}

impl Revocation {
    /// Whether it is over.
    pub fn is_over(&self, now: Instant) -> bool {
        self.expires_at.is_some_and(|end| end <= now)
    }
}

/// Why a revocation was not made or lifted. Then nothing has changed.
#[derive(Debug, thiserror::Error)]
pub enum RevokeError<E> {
    /// There are as many as there may be.
    #[error("there are {MAX_REVOCATIONS} revocations, and there may be no more")]
    Full,
    /// It could not be written down.
    #[error("the revocations cannot be written to the state directory: {0}")]
    Disk(std::io::Error),
    /// Whoever searched for its connections does not want it.
    #[error("refused")]
    Refused(E),
}

/// All revocations of the agent.
#[derive(Debug)]
pub struct Revocations {
    table: RwLock<Table>,
    /// Held while one is made or lifted: the file is written as a whole, and says what the table does.
    disk: Mutex<Option<Arc<StateDir>>>,
}

/// While it is held, no revocation begins. Hold it briefly, and once at a time: a second one in the same
/// thread may wait for ever.
#[derive(Debug)]
pub struct Held<'a> {
    table: RwLockReadGuard<'a, Table>,
    now: Instant,
}

impl Held<'_> {
    /// The revocation that refuses this user. It counts the refusal.
    pub fn refuses_uid(&self, uid: &str) -> Option<RevocationId> {
        self.table.refuses_uid(uid, self.now)
    }

    /// The revocation that refuses this address. It counts the refusal.
    pub fn refuses_ip(&self, ip: IpAddr) -> Option<RevocationId> {
        self.table.refuses_ip(ip.to_canonical(), self.now)
    }
}

/// A network as the registry knows addresses: IPv4 in IPv6 clothes is IPv4, and bits behind the prefix are 0.
pub fn canonical(net: IpNet) -> IpNet {
    const MAPPED: u8 = 96;
    let net = match (net, net.addr().to_canonical()) {
        (IpNet::V6(v6), IpAddr::V4(address)) if v6.prefix_len() >= MAPPED => {
            Ipv4Net::new(address, v6.prefix_len() - MAPPED).map_or(net, IpNet::V4)
        }
        _ => net,
    };
    net.trunc()
}

impl Revocations {
    /// Those that an earlier agent on this directory left, without those that are over; none without a
    /// directory.
    ///
    /// # Errors
    /// Where their file cannot be read or is damaged, by its name.
    pub fn open(dir: Option<Arc<StateDir>>, now: Instant) -> anyhow::Result<Self> {
        let mut table = match &dir {
            Some(dir) => file::read(dir)?,
            None => Table::default(),
        };
        table.forget_over(now);
        Ok(Self { table: RwLock::new(table), disk: Mutex::new(dir) })
    }

    fn read(&self) -> RwLockReadGuard<'_, Table> {
        self.table.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Table> {
        self.table.write().unwrap_or_else(PoisonError::into_inner)
    }

    fn disk(&self) -> MutexGuard<'_, Option<Arc<StateDir>>> {
        self.disk.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Keeps new revocations out for as long as it takes to ask and to make a connection known.
    pub fn hold(&self, now: Instant) -> Held<'_> {
        Held { table: self.read(), now }
    }

    /// Makes a revocation. `search` is called once it refuses newcomers: what it finds then is all there is.
    /// It is written down after that, and an error takes it back.
    ///
    /// This may wait for a disk.
    ///
    /// # Errors
    /// See [`RevokeError`]; `search` may refuse.
    pub fn make<T, E>(
        &self,
        subject: Subject,
        (created_at, expires_at): (Instant, Option<Instant>),
        note: Option<String>,
        search: impl FnOnce() -> Result<T, E>,
    ) -> Result<(Revocation, T), RevokeError<E>> {
        let disk = self.disk();
        let made = {
            let mut table = self.write();
            table.forget_over(created_at);
            if table.len() >= MAX_REVOCATIONS {
                return Err(RevokeError::Full);
            }
            let id = table.next_id().ok_or(RevokeError::Full)?;
            let made = Revocation { id, subject, created_at, expires_at, note };
            table.insert(made.clone());
            made
        };
        let found = search().map_err(RevokeError::Refused);
        let written = found.and_then(|found| match disk.as_deref() {
            Some(dir) => file::write(dir, &self.read()).map(|()| found).map_err(RevokeError::Disk),
            None => Ok(found),
        });
        match written {
            Ok(found) => Ok((made, found)),
            Err(error) => {
                self.write().remove(made.id);
                Err(error)
            }
        }
    }

    /// Lifts a revocation, and tells what it was; `None` where there is none of this id.
    ///
    /// This may wait for a disk.
    ///
    /// # Errors
    /// Where that cannot be written down: then it is still in force.
    pub fn lift(&self, id: RevocationId, now: Instant) -> Result<Option<(Revocation, u64)>, std::io::Error> {
        let disk = self.disk();
        let rest = {
            let mut table = self.write();
            table.forget_over(now);
            if table.get(id).is_none() {
                return Ok(None);
            }
            file::text(&table, Some(id))
        };
        if let Some(dir) = disk.as_deref() {
            file::replace(dir, &rest)?;
        }
        Ok(self.write().remove(id))
    }

    /// Those in force, by id, and how many newcomers each has refused.
    pub fn all(&self, now: Instant) -> Vec<(Revocation, u64)> {
        self.read().all().filter(|(revocation, _)| !revocation.is_over(now)).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Instant = Instant(1_000);

    fn uid(uid: &str) -> Subject {
        Subject::Uid(uid.into())
    }

    fn ip(net: &str) -> Subject {
        Subject::Ip(canonical(net.parse().unwrap()))
    }

    fn make(revocations: &Revocations, subject: Subject, expires_at: Option<Instant>) -> RevocationId {
        let made = revocations.make(subject, (NOW, expires_at), None, || Ok::<_, ()>(()));
        made.unwrap().0.id
    }

    fn open() -> Revocations {
        Revocations::open(None, NOW).unwrap()
    }

    #[test]
    fn a_user_is_refused_until_the_last_of_two_is_lifted() {
        let revocations = open();
        let (one, other) = (make(&revocations, uid("u"), None), make(&revocations, uid("u"), None));
        assert_eq!(revocations.hold(NOW).refuses_uid("u"), Some(one));
        assert_eq!(revocations.hold(NOW).refuses_uid("v"), None);
        assert_eq!(revocations.lift(one, NOW).unwrap().unwrap().1, 1);
        assert_eq!(revocations.hold(NOW).refuses_uid("u"), Some(other));
        assert!(revocations.lift(other, NOW).unwrap().is_some());
        assert_eq!(revocations.hold(NOW).refuses_uid("u"), None);
        assert!(revocations.lift(other, NOW).unwrap().is_none());
    }

    #[test]
    fn networks_of_all_lengths_are_found_and_families_are_told_apart() {
        let revocations = open();
        let refused = |address: &str| revocations.hold(NOW).refuses_ip(address.parse().unwrap()).is_some();
        for net in ["10.1.0.0/16", "192.0.2.7/32", "2001:db8::/32", "::ffff:198.51.100.9/120"] {
            make(&revocations, ip(net), None);
        }
        for address in
            ["10.1.2.3", "::ffff:10.1.2.3", "192.0.2.7", "2001:db8::1", "198.51.100.200", "10.1.255.255"]
        {
            assert!(refused(address), "{address}");
        }
        for address in ["10.2.0.0", "192.0.2.6", "2001:db9::1", "::1", "198.51.101.0", "::10.1.2.3"] {
            assert!(!refused(address), "{address}");
        }
        let all = make(&revocations, ip("0.0.0.0/0"), None);
        assert!(refused("203.0.113.5") && !refused("::1"));
        revocations.lift(all, NOW).unwrap();
        assert!(!refused("203.0.113.5") && refused("10.1.2.3"));
    }

    #[test]
    fn it_is_over_at_its_end_and_a_longer_one_on_the_same_user_extends_it() {
        let revocations = open();
        make(&revocations, uid("u"), Some(Instant(2_000)));
        assert!(revocations.hold(Instant(1_999)).refuses_uid("u").is_some());
        assert!(revocations.hold(Instant(2_000)).refuses_uid("u").is_none());
        let longer = make(&revocations, uid("u"), Some(Instant(3_000)));
        assert_eq!(revocations.hold(Instant(2_000)).refuses_uid("u"), Some(longer));
        assert_eq!(revocations.all(NOW).len(), 2);
        assert_eq!(revocations.all(Instant(2_500)).len(), 1);
        assert!(revocations.lift(longer, Instant(3_000)).unwrap().is_none());
    }

    #[test]
    fn one_that_the_search_refuses_was_never_made() {
        let revocations = open();
        let made = revocations.make(uid("u"), (NOW, None), None, || {
            assert!(revocations.hold(NOW).refuses_uid("u").is_some(), "it refuses before it searches");
            Err::<(), _>("too many")
        });
        assert!(matches!(made, Err(RevokeError::Refused("too many"))));
        assert!(revocations.hold(NOW).refuses_uid("u").is_none() && revocations.all(NOW).is_empty());
    }

    #[test]
    fn there_are_only_so_many_and_those_that_are_over_do_not_count() {
        let revocations = open();
        for number in 0..MAX_REVOCATIONS {
            make(&revocations, uid(&number.to_string()), Some(Instant(2_000)));
        }
        let more = |now| revocations.make(uid("more"), (now, None), None, || Ok::<_, ()>(()));
        assert!(matches!(more(NOW), Err(RevokeError::Full)));
        assert!(more(Instant(2_000)).is_ok());
        assert_eq!(revocations.read().len(), 1);
    }
}
