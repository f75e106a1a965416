//! Which index narrows a selector best, and which connections it names.

use std::net::IpAddr;

use ipnet::IpNet;

use super::ast::{Check, Compare, Expr, Rule, Test};
use super::field::Field;

/// Where to look. Everything that matches is within the hint; evaluate to know what of it matches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hint {
    /// Only connections with one of these ids.
    Ids(Vec<u64>),
    /// Only connections with one of these uids.
    Uids(Vec<String>),
    /// Only connections whose client is in one of these networks. They are canonical: an index must take
    /// IPv4 in IPv6 clothes for IPv4.
    Ips(Vec<IpNet>),
    /// Anything.
    Scan,
}

impl Hint {
    /// The narrower of two that both hold.
    fn or_narrower(self, other: Hint) -> Hint {
        let cost = |hint: &Hint| match hint {
            Hint::Ids(ids) => (0, ids.len()),
            Hint::Uids(uids) => (1, uids.len()),
            Hint::Ips(nets) => (2, nets.len()),
            Hint::Scan => (3, 0),
        };
        if cost(&other) < cost(&self) { other } else { self }
    }

    /// Covers both. Not in order yet, see [`Hint::sorted`].
    fn with(self, other: Hint) -> Hint {
        match (self, other) {
            (Hint::Ids(left), Hint::Ids(right)) => Hint::Ids(joined(left, right)),
            (Hint::Uids(left), Hint::Uids(right)) => Hint::Uids(joined(left, right)),
            (Hint::Ips(left), Hint::Ips(right)) => Hint::Ips(joined(left, right)),
            _ => Hint::Scan,
        }
    }

    /// Ascending, each once. Done once for a whole chain of `or`: sorting at every link would make a long
    /// chain quadratic.
    fn sorted(self) -> Hint {
        match self {
            Hint::Ids(ids) => Hint::Ids(sorted(ids)),
            Hint::Uids(uids) => Hint::Uids(sorted(uids)),
            Hint::Ips(nets) => Hint::Ips(sorted(nets)),
            Hint::Scan => Hint::Scan,
        }
    }
}

fn joined<T>(mut left: Vec<T>, right: Vec<T>) -> Vec<T> {
    left.extend(right);
    left
}

fn sorted<T: Ord>(mut values: Vec<T>) -> Vec<T> {
    values.sort_unstable();
    values.dedup();
    values
}

impl Expr {
    pub(super) fn hint(&self) -> Hint {
        match self {
            Expr::All(parts) => parts.iter().map(Expr::hint).fold(Hint::Scan, Hint::or_narrower),
            Expr::Any(parts) => {
                parts.iter().map(Expr::hint).reduce(Hint::with).map_or(Hint::Scan, Hint::sorted)
            }
            Expr::Not(_) => Hint::Scan,
            Expr::Test(test) => test.hint(),
        }
    }

    /// The ids that conditions for the whole expression name, ascending.
    pub(super) fn named_ids(&self) -> Option<Vec<u64>> {
        match self {
            Expr::All(parts) => parts.iter().filter_map(Expr::named_ids).reduce(joined).map(sorted),
            Expr::Test(test) if !test.negated && test.key.field() == Field::ConnId => match &test.check {
                Check::Whole(Rule::Is(Compare::Equal, id)) => Some(vec![*id]),
                Check::Whole(Rule::In(set)) if !set.values.is_empty() => Some(set.values.clone()),
                _ => None,
            },
            Expr::Any(_) | Expr::Not(_) | Expr::Test(_) => None,
        }
    }
}

impl Test {
    fn hint(&self) -> Hint {
        if self.negated {
            return Hint::Scan;
        }
        match (self.key.field(), &self.check) {
            (Field::ConnId, Check::Whole(rule)) => listed(rule).map_or(Hint::Scan, Hint::Ids),
            (Field::Uid, Check::Text(rule)) => listed(rule).map_or(Hint::Scan, Hint::Uids),
            (Field::Ip, Check::Ip(rule)) => listed(rule).map_or(Hint::Scan, |ips| Hint::Ips(hosts(&ips))),
            (Field::Ip, Check::Nets(set, nets)) if set.ranges.is_empty() => {
                Hint::Ips(sorted(joined(nets.clone(), hosts(&set.values))))
            }
            _ => Hint::Scan,
        }
    }
}

/// The values a rule allows, if it lists them one by one.
fn listed<T: Clone>(rule: &Rule<T>) -> Option<Vec<T>> {
    match rule {
        Rule::Is(Compare::Equal, value) => Some(vec![value.clone()]),
        Rule::In(set) if set.ranges.is_empty() => Some(set.values.clone()),
        Rule::Is(..) | Rule::In(_) => None,
    }
}

fn hosts(ips: &[IpAddr]) -> Vec<IpNet> {
    ips.iter().copied().map(IpNet::from).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::selector::Selector;

    #[test]
    fn the_narrowest_index_is_chosen_and_only_where_it_is_sound() {
        let ids = |ids: &[u64]| Hint::Ids(ids.to_vec());
        let uids = |uids: &[&str]| Hint::Uids(uids.iter().map(|uid| (*uid).to_owned()).collect());
        let nets = |nets: &[&str]| Hint::Ips(nets.iter().map(|net| net.parse().unwrap()).collect());
        for (text, hint) in [
            ("all", Hint::Scan),
            ("conn_id = 5", ids(&[5])),
            ("conn_id in (5, 3, 5)", ids(&[3, 5])),
            ("conn_id in (5, 7..9)", Hint::Scan),
            ("uid = b or uid = a", uids(&["a", "b"])),
            ("uid = b or conn_id = 1", Hint::Scan),
            ("uid = b and conn_id = 1", ids(&[1])),
            ("uid in (a, b) and uid = a and idle > 1s", uids(&["a"])),
            ("ip in (10.1.2.3/8, ::ffff:1.2.3.4)", nets(&["1.2.3.4/32", "10.0.0.0/8"])),
            ("ip in 10.0.0.1..10.0.0.9", Hint::Scan),
            ("uid != a", Hint::Scan),
            ("uid not in (a)", Hint::Scan),
            ("not uid = a", Hint::Scan),
            ("uid = null", Hint::Scan),
            ("tag.uid = a", Hint::Scan),
            ("(uid = a or idle > 1s) and ip = 10.0.0.1", nets(&["10.0.0.1/32"])),
        ] {
            assert_eq!(Selector::parse(text).unwrap().hint(), hint, "{text}");
        }
    }

    #[test]
    fn ids_are_named_only_by_conditions_for_the_whole() {
        for (text, named) in [
            ("conn_id = 5", Some(vec![5])),
            ("conn_id in (9, 5) and uid = a", Some(vec![5, 9])),
            ("conn_id in (9, 20..30)", Some(vec![9])),
            ("conn_id in 20..30", None),
            ("conn_id = 5 or uid = a", None),
            ("not conn_id = 5", None),
            ("conn_id != 5", None),
            ("conn_id > 5", None),
            ("all", None),
        ] {
            assert_eq!(Selector::parse(text).unwrap().named_ids(), named, "{text}");
        }
    }
}
