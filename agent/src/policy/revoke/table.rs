//! Revocations in memory: by id, and by what they are looked up with.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::net::IpAddr;
use std::sync::atomic::{AtomicU64, Ordering};

use connctl_api::id::RevocationId;
use connctl_api::instant::Instant;
use ipnet::IpNet;

use super::{Revocation, Subject};

/// Revocations. One that is over may still be in it: who asks says when it is.
#[derive(Debug, Default)]
pub(super) struct Table {
    entries: BTreeMap<RevocationId, Entry>,
    by_uid: HashMap<Box<str>, Vec<RevocationId>>,
    by_net: HashMap<IpNet, Vec<RevocationId>>,
    /// Which lengths of prefix there are, of IPv6 or not: an address is looked up once for each.
    lengths: BTreeSet<(bool, u8)>,
    /// The highest id that was ever given.
    pub(super) last_id: u64,
}

#[derive(Debug)]
struct Entry {
    revocation: Revocation,
    refused: AtomicU64,
}

impl Table {
    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }

    /// An id that was never used.
    pub(super) fn next_id(&self) -> Option<RevocationId> {
        RevocationId::new(self.last_id.saturating_add(1)).ok()
    }

    pub(super) fn get(&self, id: RevocationId) -> Option<&Revocation> {
        self.entries.get(&id).map(|entry| &entry.revocation)
    }

    pub(super) fn all(&self) -> impl Iterator<Item = (Revocation, u64)> {
        self.entries.values().map(|entry| (entry.revocation.clone(), entry.refused.load(Ordering::Relaxed)))
    }

    pub(super) fn insert(&mut self, revocation: Revocation) {
        let id = revocation.id;
        self.last_id = self.last_id.max(id.get());
        match &revocation.subject {
            Subject::Uid(uid) => self.by_uid.entry(uid.clone()).or_default().push(id),
            Subject::Ip(net) => {
                self.lengths.insert(length_of(net));
                self.by_net.entry(*net).or_default().push(id);
            }
        }
        self.entries.insert(id, Entry { revocation, refused: AtomicU64::new(0) });
    }

    pub(super) fn remove(&mut self, id: RevocationId) -> Option<(Revocation, u64)> {
        let Entry { revocation, refused } = self.entries.remove(&id)?;
        match &revocation.subject {
            Subject::Uid(uid) => {
                let ids = self.by_uid.get_mut(uid)?;
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    self.by_uid.remove(uid);
                }
            }
            Subject::Ip(net) => {
                let ids = self.by_net.get_mut(net)?;
                ids.retain(|other| *other != id);
                if ids.is_empty() {
                    self.by_net.remove(net);
                    self.lengths = self.by_net.keys().map(length_of).collect();
                }
            }
        }
        Some((revocation, refused.into_inner()))
    }

    /// Drops those that are over.
    pub(super) fn forget_over(&mut self, now: Instant) {
        let over = self.entries.values().filter(|entry| entry.revocation.is_over(now));
        let over: Vec<_> = over.map(|entry| entry.revocation.id).collect();
        for id in over {
            self.remove(id);
        }
    }

    pub(super) fn refuses_uid(&self, uid: &str, now: Instant) -> Option<RevocationId> {
        self.first_in_force(self.by_uid.get(uid)?, now)
    }

    pub(super) fn refuses_ip(&self, ip: IpAddr, now: Instant) -> Option<RevocationId> {
        let lengths = self.lengths.iter().filter(|(is_v6, _)| *is_v6 == ip.is_ipv6());
        lengths.rev().find_map(|(_, length)| {
            let net = IpNet::new(ip, *length).ok()?.trunc();
            self.first_in_force(self.by_net.get(&net)?, now)
        })
    }

    fn first_in_force(&self, ids: &[RevocationId], now: Instant) -> Option<RevocationId> {
        let mut entries = ids.iter().filter_map(|id| self.entries.get(id));
        let entry = entries.find(|entry| !entry.revocation.is_over(now))?;
        entry.refused.fetch_add(1, Ordering::Relaxed);
        Some(entry.revocation.id)
    }
}

fn length_of(net: &IpNet) -> (bool, u8) {
    (matches!(net, IpNet::V6(_)), net.prefix_len())
}
