//! Who has to go when there is one too many.

use std::cmp::Reverse;
use std::sync::Arc;

use connctl_api::conn::State;
use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::operation::{DEFAULT_GRACE_MS, OperationKind, SideChoice};

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
    }
}

/// The connections that are counted under a limit.
pub fn counted(registry: &Registry, over: Over) -> Vec<Arc<Conn>> {
    let (mut conns, index) = match over {
        Over::Agent => return registry.all(),
        Over::Rate => return Vec::new(),
        Over::Listener(index) => (registry.all(), index),
        Over::Ip(index, ip) => (registry.with_ips(&[ip.into()]), index),
    };
    conns.retain(|conn| conn.origin().index == index);
    conns
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
        (Reverse(conn.state() == State::Closing), order)
    });
}

/// A user has become known for a connection: those that have to go now, and why. One that is ending already
/// is not counted.
pub fn over_uid(
    registry: &Registry,
    conn: &Arc<Conn>,
    limits: &Limits,
    now_ms: u64,
) -> (Vec<Arc<Conn>>, Reason) {
    let uid = conn.labels().uid.clone();
    let (Some(uid), 1..) = (uid, limits.max_per_uid) else {
        return (Vec::new(), Reason::Limit);
    };
    let mut conns = registry.with_uids(&[uid]);
    conns.retain(|other| other.origin().index == conn.origin().index && other.state() != State::Closing);
    let excess = conns.len().saturating_sub(limits.max_per_uid);
    match limits.on_over {
        OnOver::Reject if excess > 0 => (vec![Arc::clone(conn)], Reason::Limit),
        OnOver::Reject => (Vec::new(), Reason::Limit),
        rule => {
            conns.retain(|other| other.id() != conn.id());
            sort(&mut conns, rule, now_ms);
            conns.truncate(excess);
            (conns, Reason::Evicted)
        }
    }
}

#[cfg(test)]
mod tests {
    use connctl_api::conn::Mode;
    use connctl_api::id::ConnId;

    use super::*;
    use crate::registry::conn::{Birth, Origin};

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
            registry.assign(&conn, |labels| labels.uid = Some((*uid).into()));
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

    #[test]
    fn a_user_with_too_many_loses_the_newcomer_or_another() {
        let (registry, conns) = registry(&["a", "a", "b", "a"]);
        let over = |most, on_over| {
            let limits = Limits { max_per_uid: most, on_over, ..Limits::default() };
            let (conns, reason) = over_uid(&registry, &conns[3], &limits, 0);
            (ids(&conns), reason)
        };
        assert_eq!(over(0, OnOver::Reject).0, [0_u64; 0]);
        assert_eq!(over(3, OnOver::Reject).0, [0_u64; 0]);
        assert_eq!(over(2, OnOver::Reject), (vec![4], Reason::Limit));
        assert_eq!(over(2, OnOver::EvictOldest), (vec![1], Reason::Evicted));
        assert_eq!(over(2, OnOver::EvictNewest), (vec![2], Reason::Evicted));
        assert_eq!(over(1, OnOver::EvictOldest), (vec![1, 2], Reason::Evicted));
    }
}
