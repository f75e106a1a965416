//! From a key to the ids that have it.

use std::borrow::Borrow;
use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

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

impl<K> Default for Index<K> {
    fn default() -> Self {
        Self { ids: HashMap::new() }
    }
}

impl<K: Hash + Eq> Index<K> {
    pub(super) fn insert(&mut self, key: K, id: u64) {
        match self.ids.entry(key) {
            std::collections::hash_map::Entry::Vacant(vacant) => {
                vacant.insert(Ids::One(id));
            }
            std::collections::hash_map::Entry::Occupied(mut occupied) => match occupied.get_mut() {
                Ids::One(first) => {
                    let both = BTreeSet::from([*first, id]);
                    occupied.insert(Ids::Many(both));
                }
                Ids::Many(set) => {
                    set.insert(id);
                }
            },
        }
    }

    pub(super) fn remove<Q: Hash + Eq + ?Sized>(&mut self, key: &Q, id: u64)
    where
        K: Borrow<Q>,
    {
        let is_last = match self.ids.get_mut(key) {
            None => return,
            Some(Ids::One(only)) => *only == id,
            Some(Ids::Many(set)) => {
                set.remove(&id);
                set.is_empty()
            }
        };
        if is_last {
            self.ids.remove(key);
        }
    }

    pub(super) fn collect<Q: Hash + Eq + ?Sized>(&self, key: &Q, into: &mut Vec<u64>)
    where
        K: Borrow<Q>,
    {
        match self.ids.get(key) {
            None => {}
            Some(Ids::One(id)) => into.push(*id),
            Some(Ids::Many(set)) => into.extend(set),
        }
    }

    pub(super) fn collect_where(&self, matches: impl Fn(&K) -> bool, into: &mut Vec<u64>) {
        for (_, ids) in self.ids.iter().filter(|(key, _)| matches(key)) {
            match ids {
                Ids::One(id) => into.push(*id),
                Ids::Many(set) => into.extend(set),
            }
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
