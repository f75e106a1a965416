//! From a key to the ids that have it.

use std::borrow::Borrow;
use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::hash::Hash;
use std::net::IpAddr;

use ipnet::IpNet;

/// A multimap to ids. Keys without ids are not kept: addresses that never come back cost nothing.
#[derive(Debug)]
pub(super) struct Index<K> {
    ids: HashMap<K, Ids>,
}

/// Most keys have one connection, which then costs no allocation.
#[derive(Debug)]
enum Ids {
    One(u64),
    Many(BTreeSet<u64>),
}

impl Ids {
    fn insert(&mut self, id: u64) {
        match self {
            Self::One(first) => *self = Self::Many(BTreeSet::from([*first, id])),
            Self::Many(set) => {
                set.insert(id);
            }
        }
    }

    /// Takes one out; answers whether none is left.
    fn remove(&mut self, id: u64) -> bool {
        match self {
            Self::One(only) => *only == id,
            Self::Many(set) => {
                set.remove(&id);
                set.is_empty()
            }
        }
    }

    fn collect(&self, into: &mut Vec<u64>) {
        match self {
            Self::One(id) => into.push(*id),
            Self::Many(set) => into.extend(set),
        }
    }
}

/// The ids by client address, in the order of addresses: those of a network stand side by side.
#[derive(Debug, Default)]
pub(super) struct ByAddress {
    ids: BTreeMap<IpAddr, Ids>,
}

impl ByAddress {
    pub(super) fn insert(&mut self, ip: IpAddr, id: u64) {
        self.ids.entry(ip).and_modify(|ids| ids.insert(id)).or_insert(Ids::One(id));
    }

    pub(super) fn remove(&mut self, ip: IpAddr, id: u64) {
        if self.ids.get_mut(&ip).is_some_and(|ids| ids.remove(id)) {
            self.ids.remove(&ip);
        }
    }

    /// Those in a network.
    pub(super) fn collect(&self, net: &IpNet, into: &mut Vec<u64>) {
        self.ids.range(net.network()..=net.broadcast()).for_each(|(_, ids)| ids.collect(into));
    }
}

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { ids: HashMap::new() }
    }
}

impl<K: Hash + Eq> Index<K> {
    pub(super) fn insert(&mut self, key: K, id: u64) {
        self.ids.entry(key).and_modify(|ids| ids.insert(id)).or_insert(Ids::One(id));
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q, id: u64)
    where
        K: Borrow<Q>,
    {
        if self.ids.get_mut(key).is_some_and(|ids| ids.remove(id)) {
            self.ids.remove(key);
        }
    }

    pub(super) fn collect<Q: Hash + Eq + ?Sized>(&self, key: &Q, into: &mut Vec<u64>)
    where
        K: Borrow<Q>,
    {
        if let Some(ids) = self.ids.get(key) {
            ids.collect(into);
        }
    }

    #[cfg(test)]
    fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn a_network_has_those_whose_address_is_in_it(
            ips in prop::collection::vec((any::<bool>(), 0u8..4, any::<u8>()), 0..100), six: bool, host: u8, prefix in 0u8..=8,
        ) {
            let ip = |six: bool, third: u8, last: u8| match six {
                false => IpAddr::from([10, 0, third, last]),
                true => IpAddr::from([0xfd00, 0, 0, 0, 0, 0, third.into(), last.into()]),
            };
            let mut index = ByAddress::default();
            for (id, (six, third, last)) in (1..).zip(&ips) {
                index.insert(ip(*six, *third, *last), id);
            }
            let own = ip(six, 1, host);
            let most = if six { 128 } else { 32 };
            for net in [IpNet::new(own, most - prefix).unwrap(), IpNet::new(own, 0).unwrap()] {
                let mut ids = Vec::new();
                index.collect(&net, &mut ids);
                ids.sort_unstable();
                let is_in = |row: &&(bool, u8, u8)| net.contains(&ip(row.0, row.1, row.2));
                let expected: Vec<_> =
                    (1..).zip(&ips).filter(|(_, row)| is_in(row)).map(|(id, _)| id).collect();
                prop_assert_eq!(ids, expected);
            }
            for (id, (six, third, last)) in (1..).zip(&ips) {
                index.remove(ip(*six, *third, *last), id);
            }
            prop_assert!(index.ids.is_empty());
        }

        #[test]
        fn holds_what_a_set_of_pairs_holds(steps in prop::collection::vec((any::<bool>(), 0u8..4, 0u64..6), 0..200)) {
            let mut index = Index::default();
            let mut model = BTreeSet::new();
            for (inserts, key, id) in steps {
                if inserts {
                    index.insert(key, id);
                    model.insert((key, id));
                } else {
                    index.remove(&key, id);
                    model.remove(&(key, id));
                }
                for key in 0u8..4 {
                    let mut ids = Vec::new();
                    index.collect(&key, &mut ids);
                    let expected: Vec<_> = model.iter().filter(|(k, _)| *k == key).map(|(_, id)| *id).collect();
                    prop_assert_eq!(ids, expected);
                }
            }
            prop_assert_eq!(index.is_empty(), model.is_empty());
        }
    }
}
