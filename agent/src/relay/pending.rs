//! Ending a connection that holds too much for a peer which does not read.

use connctl_api::conn::Side;
use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::operation::DEFAULT_GRACE_MS;

use super::context::Context;
use super::ending;
use super::pair::{Pair, Phase, SIDES, Way};
use super::work::Method;
use crate::net::tcp_info;

/// The side for which more waits than may wait. Only a write can make it more, so asking after each write is
/// often enough. What the peer has not acknowledged counts, sent or not.
pub(super) fn slow_side(pair: &Pair) -> Option<Side> {
    let most = pair.conn.origin().max_pending_bytes();
    if most == 0 || pair.phase != Phase::Open || pair.work.as_ref().is_some_and(|work| work.cause.is_some()) {
        return None;
    }
    let waits = |side: &Side| {
        let way = Way::into_side(*side);
        let fd = pair.leg(*side).fd.as_ref().filter(|_| pair.route(way).is_some());
        let queued = fd.map_or(0, tcp_info::send_queue).saturating_sub(u64::from(pair.leg(*side).shut));
        queued + pair.flow(way).held_bytes()
    };
    SIDES.into_iter().find(|side| waits(side) > most)
}

/// Ends the connection where too much waits. The slow side is reset: a FIN would have to wait behind what is
/// not being read. The other one gets what there is for it, and a FIN.
pub(super) fn enforce(pair: &mut Pair, context: &mut Context) {
    let Some(slow) = slow_side(pair) else {
        return;
    };
    let cause = Cause { reason: Reason::MaxPending, initiator: Initiator::Policy, side: Some(slow) };
    let methods = SIDES.map(|side| if side == slow { Method::Reset } else { Method::Finish });
    ending::begin(pair, cause, methods, DEFAULT_GRACE_MS, context);
}
