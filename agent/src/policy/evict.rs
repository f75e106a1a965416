//! Who has to go when there is one too many.

use std::cmp::Reverse;
use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::Arc;

use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::id::ConnId;
use connctl_api::operation::{DEFAULT_GRACE_MS, OperationKind, SideChoice};

use ipnet::IpNet;

use super::admission::Over;
use crate::config::{Limits, OnOver};
use crate::conn::command::Command;
use crate::registry::{Conn, Registry};

/// How a connection ends that a limit has no place for: `limit` for a newcomer, `evicted` for others.
pub const fn command(reason: Reason) -> Command {
    Command {
        kind: OperationKind::Close,
        side: SideChoice::Both,
        cause: Cause { reason, initiator: Initiator::Policy, side: None },
        grace_ms: DEFAULT_GRACE_MS,
        asked: None,
    }
}

/// The connections that are counted under a limit: those that came in by a listener.
pub fn counted(registry: &Registry, over: Over) -> Vec<Arc<Conn>> {
    let (mut conns, index) = match over {
        Over::Agent => {
            let mut conns = registry.all();
            conns.retain(|conn| conn.listener().is_some());
            return conns;
        }
        Over::Rate => return Vec::new(),
        Over::Listener(index) => (registry.all(), index),
        Over::Ip(index, ip) => (registry.with_ips(&[ip.into()]), index),
        Over::Network(index, network) => (registry.with_ips(&[network]), index),
    };
    conns.retain(|conn| conn.origin().index == index);
    conns
}

/// Whether this connection is one of those that are counted under a limit.
pub fn is_counted(conn: &Conn, over: Over) -> bool {
    let (index, ip) = (conn.origin().index, conn.client().map(|client| client.ip().to_canonical()));
    match over {
        Over::Agent => conn.listener().is_some(),
        Over::Listener(of) => index == of,
        Over::Ip(of, own) => index == of && ip == Some(own),
        Over::Network(of, network) => index == of && ip.is_some_and(|ip| network.contains(&ip)),
        Over::Rate => false,
    }
}

/// Puts those that go first to the front: who is ending already, and then by the rule.
pub fn sort(conns: &mut [Arc<Conn>], rule: OnOver, now_ms: u64) {
    conns.sort_by_cached_key(|conn| {
        let id = conn.id().get();
        let order = match rule {
            OnOver::Reject | OnOver::EvictOldest => (0, id),
            OnOver::EvictOldestActivity => (u64::MAX - conn.idle_ms(now_ms), id),
            OnOver::EvictNewest => (0, u64::MAX - id),
        };
        (Reverse(!conn.is_staying()), order)
    });
}

/// A user or device has become known for a connection: those that have to go now, and why. They are doomed:
/// whoever calls this ends them.
pub fn over_labels(registry: &Registry, conn: &Arc<Conn>, now_ms: u64) -> (Vec<Arc<Conn>>, Reason) {
    let limits = conn.origin().policies().limits;
    let nobody = (Vec::new(), Reason::Limit);
    if limits.max_per_uid == 0 && limits.max_per_device == 0 {
        return nobody;
    }
    let (uid, device) = {
        let labels = conn.labels();
        (labels.uid.clone(), labels.device.clone())
    };
    let Some(uid) = uid else {
        return nobody;
    };
    let _choosing = registry.choosing();
    let mut mates = registry.with_uids(&[uid]);
    mates.retain(|other| other.origin().index == conn.origin().index && other.is_staying());
    if !mates.iter().any(|other| other.id() == conn.id()) {
        // It goes already.
        return nobody;
    }
    let mut gone = too_many(&mut mates, conn, limits.max_per_uid, limits.on_over, now_ms);
    if device.is_some() {
        mates.retain(|other| other.labels().device == device);
        gone.extend(too_many(&mut mates, conn, limits.max_per_device, limits.on_over, now_ms));
    }
    gone.iter().for_each(|conn| conn.doom());
    let is_refused = limits.on_over == OnOver::Reject;
    (gone, if is_refused { Reason::Limit } else { Reason::Evicted })
}

/// Takes those out who are too many now that `conn` has come; it is itself one of them.
fn too_many(
    mates: &mut Vec<Arc<Conn>>,
    conn: &Arc<Conn>,
    most: usize,
    rule: OnOver,
    now_ms: u64,
) -> Vec<Arc<Conn>> {
    let is_in = mates.iter().any(|other| other.id() == conn.id());
    if most == 0 || !is_in || mates.len() <= most {
        return Vec::new();
    }
    let excess = mates.len() - most;
    let mut victims: Vec<_> = match rule {
        OnOver::Reject => vec![Arc::clone(conn)],
        rule => {
            let mut others: Vec<_> = mates.iter().filter(|other| other.id() != conn.id()).cloned().collect();
            sort(&mut others, rule, now_ms);
            others
        }
    };
    victims.truncate(excess);
    mates.retain(|other| !victims.iter().any(|victim| victim.id() == other.id()));
    victims
}

/// The connections of a listener that other limits leave no place for, in the order in which its rule chooses
/// them; those who are `gone` are not counted. A rule that rejects chooses none: those who are in stay. Hold
/// [`Registry::choosing`].
pub fn surplus(
    registry: &Registry,
    index: usize,
    limits: &Limits,
    gone: &HashSet<ConnId>,
    now_ms: u64,
) -> Vec<Arc<Conn>> {
    if limits.on_over == OnOver::Reject {
        return Vec::new();
    }
    let mut conns = registry.all();
    conns.retain(|conn| conn.origin().index == index && conn.is_staying() && !gone.contains(&conn.id()));
    sort(&mut conns, limits.on_over, now_ms);
    let mut counts: HashMap<Group, usize> = HashMap::new();
    let groups: Vec<_> = conns.iter().map(|conn| groups(conn, limits)).collect();
    for (group, _) in groups.iter().flatten() {
        *counts.entry(group.clone()).or_default() += 1;
    }
    let mut victims = Vec::new();
    for (conn, groups) in conns.into_iter().zip(groups) {
        let is_over = |(group, most): &(Group, usize)| counts.get(group).is_some_and(|count| count > most);
        if groups.iter().any(is_over) {
            for (group, _) in &groups {
                counts.entry(group.clone()).and_modify(|count| *count -= 1);
            }
            victims.push(conn);
        }
    }
    victims
}

/// What a connection is counted with.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
enum Group {
    Listener,
    Ip(IpAddr),
    Network(IpNet),
    Uid(Box<str>),
    Device(Box<str>, Box<str>),
}

/// The groups that a connection is in and that have a limit, with the limit.
fn groups(conn: &Conn, limits: &Limits) -> Vec<(Group, usize)> {
    let ip = conn.client().map(|client| client.ip().to_canonical());
    let (uid, device) = {
        let labels = conn.labels();
        (labels.uid.clone(), labels.device.clone())
    };
    let device = uid.clone().zip(device).map(|(uid, device)| Group::Device(uid, device));
    [
        (Some(Group::Listener), limits.max_connections),
        (ip.map(Group::Ip), limits.max_per_ip),
        (ip.map(|ip| Group::Network(limits.network_of(ip))), limits.max_per_network),
        (uid.map(Group::Uid), limits.max_per_uid),
        (device, limits.max_per_device),
    ]
    .into_iter()
    .filter_map(|(group, most)| Some((group.filter(|_| most != 0)?, most)))
    .collect()
}

#[cfg(test)]
mod tests {
    use connctl_api::conn::{Mode, State};

    use super::*;
    use crate::config::Policies;
    use crate::registry::conn::{Birth, Origin};

    /// Connections of these users, or `user/device`.
    fn registry(uids: &[&str]) -> (Registry, Vec<Arc<Conn>>) {
        let (registry, origin) = (Registry::default(), Arc::new(Origin::new("o", Mode::Echo, 0)));
        let conns = uids.iter().zip(1..).map(|(uid, id)| {
            let address = ([127, 0, 0, 1], 1).into();
            let birth = Birth {
                id: ConnId::new(id).unwrap(),
                origin: Arc::clone(&origin),
                peer: address,
                local: address,
                wall_ms: 0,
                now_ms: 0,
                thread: 0,
            };
            let conn = Arc::new(Conn::new(birth));
            registry.enter(&conn);
            let (uid, device) = uid.split_once('/').map_or((*uid, None), |(uid, device)| (uid, Some(device)));
            registry.assign(&conn, |labels| {
                labels.uid = Some(uid.into());
                labels.device = device.map(Box::from);
            });
            conn
        });
        let conns = conns.collect();
        (registry, conns)
    }

    fn ids(conns: &[Arc<Conn>]) -> Vec<u64> {
        conns.iter().map(|conn| conn.id().get()).collect()
    }

    #[test]
    fn each_rule_has_its_order() {
        let (_registry, mut conns) = registry(&["a", "a", "a"]);
        conns[0].add_to_client(1, 50);
        conns[1].add_to_client(1, 10);
        conns[2].add_to_client(1, 30);
        for (rule, order) in [
            (OnOver::EvictOldest, [1, 2, 3]),
            (OnOver::EvictNewest, [3, 2, 1]),
            (OnOver::EvictOldestActivity, [2, 3, 1]),
        ] {
            sort(&mut conns, rule, 100);
            assert_eq!(ids(&conns), order, "{rule:?}");
        }
        conns.iter().find(|conn| conn.id().get() == 3).unwrap().set_state(State::Closing);
        sort(&mut conns, OnOver::EvictOldest, 100);
        assert_eq!(ids(&conns), [3, 1, 2]);
    }

    /// Asks for one connection under these limits; gives ids and reason, and dooms nobody for the next question.
    fn over(uids: &[&str], at: usize, limits: Limits) -> (Vec<u64>, Reason) {
        let (registry, conns) = registry(uids);
        conns[at].origin().set_policies(Policies { limits, ..Policies::default() });
        let (gone, reason) = over_labels(&registry, &conns[at], 0);
        assert!(gone.iter().all(|conn| !conn.is_staying()));
        (ids(&gone), reason)
    }

    #[test]
    fn a_user_with_too_many_loses_the_newcomer_or_another() {
        let over = |most, on_over| {
            over(&["a", "a", "b", "a"], 3, Limits { max_per_uid: most, on_over, ..Limits::default() })
        };
        assert_eq!(over(0, OnOver::Reject).0, [0_u64; 0]);
        assert_eq!(over(3, OnOver::Reject).0, [0_u64; 0]);
        assert_eq!(over(2, OnOver::Reject), (vec![4], Reason::Limit));
        assert_eq!(over(2, OnOver::EvictOldest), (vec![1], Reason::Evicted));
        assert_eq!(over(2, OnOver::EvictNewest), (vec![2], Reason::Evicted));
        assert_eq!(over(1, OnOver::EvictOldest), (vec![1, 2], Reason::Evicted));
    }

    #[test]
    fn a_device_is_counted_within_its_user() {
        let over = |most_uid, most_device| {
            let limits = Limits {
                max_per_uid: most_uid,
                max_per_device: most_device,
                on_over: OnOver::EvictOldest,
                ..Limits::default()
            };
            over(&["a/phone", "a/web", "b/phone", "a/phone", "a"], 3, limits).0
        };
        assert_eq!(over(0, 1), [1]);
        assert_eq!(over(0, 2), [0; 0]);
        assert_eq!(over(3, 1), [1], "who goes for the user's sake is not counted for the device");
        assert_eq!(over(2, 1), [1, 2]);
    }

    #[test]
    fn two_that_become_known_at_once_do_not_both_go_for_one_excess() {
        let limits = Limits { max_per_uid: 2, ..Limits::default() };
        let (registry, conns) = registry(&["a", "a", "a"]);
        conns[0].origin().set_policies(Policies { limits, ..Policies::default() });
        assert_eq!(ids(&over_labels(&registry, &conns[2], 0).0), [3]);
        assert_eq!(ids(&over_labels(&registry, &conns[1], 0).0), [0; 0]);
        assert_eq!(ids(&over_labels(&registry, &conns[2], 0).0), [0; 0]);
    }

    #[test]
    fn a_lowered_limit_has_as_many_too_many_as_there_are_and_no_more() {
        let (registry, conns) = registry(&["a", "a", "b", "a", "b"]);
        let gone = |limits: Limits| ids(&surplus(&registry, 0, &limits, &HashSet::new(), 0));
        let rule = |on_over| Limits { on_over, ..Limits::default() };
        let oldest = rule(OnOver::EvictOldest);
        assert_eq!(gone(oldest), [0; 0]);
        assert_eq!(gone(Limits { max_per_uid: 2, ..oldest }), [1]);
        assert_eq!(gone(Limits { max_per_uid: 1, ..oldest }), [1, 2, 3]);
        assert_eq!(gone(Limits { max_per_uid: 2, max_connections: 3, ..oldest }), [1, 2]);
        assert_eq!(gone(Limits { max_per_network: 4, ..rule(OnOver::EvictNewest) }), [5]);
        assert_eq!(gone(Limits { max_connections: 1, ..rule(OnOver::Reject) }), [0; 0]);
        let one = Limits { max_connections: 1, ..oldest };
        assert_eq!(ids(&surplus(&registry, 1, &one, &HashSet::new(), 0)), [0; 0]);
        let late = [conns[1].id(), conns[2].id()].into();
        assert_eq!(ids(&surplus(&registry, 0, &one, &late, 0)), [1, 4]);
        conns[0].doom();
        assert_eq!(gone(Limits { max_connections: 4, ..oldest }), [0; 0]);
    }
}
