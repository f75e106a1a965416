//! Whether a client stays when its upstream goes, and what is kept of the connection for that.

use connctl_api::conn::{Mode, Side};

use super::pair::{Leg, Moving, Pair, Way};
use super::tools::Stop;
use crate::base::clock;
use crate::config::Reconnect;
use crate::nats::Session;

/// What a connection of this listener needs to go on with another upstream.
pub(super) fn begin(pair: &mut Pair, now_ms: u64) {
    if pair.settings.reconnect.kind == Some(Reconnect::Nats) {
        let session = Session::default();
        pair.moving = Some(Box::new(Moving { session, active_ms: now_ms, restored_ms: 0 }));
    }
}

/// The order of the directions. Where a dial can be repeated, the upstream's end is looked for before the
/// client's first byte is given to it. A session keeps that byte, and itself answers some that the client has
/// sent: the answer goes out behind them in the same turn, for no event would come for it.
pub(super) fn order(pair: &Pair) -> [Way; 2] {
    let is_end_first = pair.settings.reconnect.redial && pair.moving.is_none();
    if is_end_first { [Way::ToClient, Way::ToUpstream] } else { Way::BOTH }
}

/// Whether the connection goes on without the upstream that left just now.
pub(super) fn can_go_on(pair: &Pair, now_ms: u64) -> bool {
    let is_ending = pair.work.as_ref().is_some_and(|work| work.cause.is_some());
    if is_ending || pair.conn.origin().mode != Mode::Forward || pair.legs.iter().any(|leg| leg.shut) {
        return false;
    }
    let has_left = pair.leg(Side::Client).ended;
    match &pair.moving {
        Some(moving) => moving.session.can_move() && (!has_left || moving.session.wants_server()),
        None => {
            let is_untouched = pair.conn.to_upstream_bytes() == 0 && pair.conn.to_client_bytes() == 0;
            let is_young = pair.conn.age_ms(now_ms) < clock::millis(pair.settings.dial_timeout);
            pair.settings.reconnect.redial && is_untouched && is_young && !has_left && !pair.is_away
        }
    }
}

/// Whether the end of a direction is passed on, or what happens else.
pub(super) fn is_end_passed(pair: &Pair, way: Way, from: Side, now_ms: u64) -> Result<(), Stop> {
    if !pair.leg(from).ended {
        return Ok(());
    }
    match way {
        // It follows what waits for the next upstream.
        Way::ToUpstream if pair.is_away => Err(Stop::Waiting),
        Way::ToClient if from == Side::Upstream && (pair.is_away || can_go_on(pair, now_ms)) => {
            Err(Stop::Left)
        }
        _ => Ok(()),
    }
}

/// Whether nothing is read in this direction while the upstream is away.
pub(super) fn is_held_back(pair: &Pair, way: Way) -> bool {
    way == Way::ToUpstream && pair.moving.as_ref().is_none_or(|moving| moving.session.is_full())
}

/// Closes the upstream's socket. What was not handed over completely stays with the session.
pub(super) fn leave_upstream(pair: &mut Pair) {
    // Nobody finds an upstream in the list that has seen its end.
    pair.conn.set_upstream(None);
    pair.set_upstream(Leg::default());
    let flow = pair.flow_mut(Way::ToUpstream);
    // Never a pipe: nothing has passed, or it passes as items, or the flow is empty.
    flow.forget();
    pair.first_end = pair.first_end.filter(|side| *side == Side::Client);
    if let Some(moving) = &mut pair.moving {
        moving.session.lose();
    }
}
