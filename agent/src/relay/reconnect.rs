//! A client that stays while its upstream goes away.
//!
//! There are three ways. A connection of which no byte has passed is dialled again (`redial`). One whose
//! upstream was closed while it was idle is dialled again for the client's next byte, which stays in the
//! client's socket until then (`reconnect = "fresh"`). And a session that the agent knows is told to another
//! upstream (`reconnect = "nats"`).

use connctl_api::conn::{Mode, Side};
use connctl_api::end::Reason;
use rustix::io::Errno;
use rustix::net::RecvFlags;

use super::context::Context;
use super::pair::{Leg, Moving, Pair, Phase, Way};
use super::pump::Stop;
use super::{dial, ending};
use crate::base::clock;
use crate::config::Reconnect;
use crate::nats::{Session, Stage};

/// A session that is lost so soon after it was restored is not taken up again without a rest.
const RESTLESS_MS: u64 = 1_000;

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
            let is_young = pair.conn.age_ms(now_ms) < dial::millis(pair.settings.dial_timeout);
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

/// The upstream is gone: without it, and to the next one.
pub(super) fn go_on(pair: &mut Pair, reason: Reason, slot: u32, context: &mut Context) {
    if pair.phase == Phase::Restoring {
        return attempt_failed(pair, reason, slot, context);
    }
    let conn_id = pair.conn.id().get();
    let listener = &*pair.conn.origin().name;
    tracing::info!(conn_id, listener, reason = reason.word(), "the upstream went away, the client stays");
    leave_upstream(pair);
    let mut is_restless = pair.moving.is_none();
    if let Some(moving) = &mut pair.moving {
        is_restless = moving.restored_ms != 0 && context.now_ms - moving.restored_ms < RESTLESS_MS;
        pair.is_away = true;
    }
    // One that left just now comes after the others.
    let tried = if is_restless { 1 << pair.upstream } else { 0 };
    dial::begin(pair, Some((reason, tried)), slot, context);
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

/// An attempt to restore a session failed: the next address is tried, unless the upstream said no.
pub(super) fn attempt_failed(pair: &mut Pair, reason: Reason, slot: u32, context: &mut Context) {
    if pair.moving.as_ref().is_some_and(|moving| !moving.session.can_move()) {
        return dial::give_up(pair, Some(reason), context);
    }
    leave_upstream(pair);
    pair.phase = Phase::Dialing;
    dial::failed(pair, reason, slot, context);
}

/// Looks after a client without an upstream: whether it wants one, has one again, or has left.
pub(super) fn look(pair: &mut Pair, slot: u32, context: &mut Context) {
    let wants = match &pair.moving {
        Some(moving) => moving.session.wants_server(),
        None => pair.phase == Phase::Parked && has_sent(pair, slot, context),
    };
    if pair.leg(Side::Client).ended && !wants && pair.phase != Phase::Restoring {
        let is_over = pair.moving.is_some() || pair.phase == Phase::Parked;
        if is_over {
            return client_left(pair, slot, context);
        }
    }
    match pair.phase {
        Phase::Parked if wants => {
            dial::begin(pair, None, slot, context);
            context.queue(pair, slot);
        }
        Phase::Restoring => restore(pair, slot, context),
        _ => {}
    }
}

/// Whether the client has sent something. It stays where it is.
fn has_sent(pair: &mut Pair, slot: u32, context: &mut Context) -> bool {
    let client = pair.leg_mut(Side::Client);
    let Some(fd) = client.fd.as_ref().filter(|_| client.readable && !client.paused && !client.ended) else {
        return false;
    };
    match rustix::net::recv(fd, &mut context.buffer[..1], RecvFlags::PEEK) {
        Ok((_, 0)) => {
            client.ended = true;
            pair.first_end.get_or_insert(Side::Client);
            false
        }
        Ok(_) => true,
        Err(Errno::AGAIN) => {
            client.readable = false;
            false
        }
        Err(Errno::INTR) => {
            context.queue(pair, slot);
            false
        }
        Err(error) => {
            ending::fail(pair, Side::Client, error, context);
            false
        }
    }
}

/// The client has left and nothing waits for an upstream: both directions are at their end.
fn client_left(pair: &mut Pair, slot: u32, context: &mut Context) {
    (pair.phase, pair.is_away, pair.dial) = (Phase::Open, false, None);
    *pair.leg_mut(Side::Upstream) = Leg { ended: true, shut: true, ..Leg::default() };
    context.queue(pair, slot);
}

/// The session is told to the new upstream, until that one knows it.
fn restore(pair: &mut Pair, slot: u32, context: &mut Context) {
    let Some(moving) = &mut pair.moving else {
        return;
    };
    if !matches!(moving.session.stage(), Stage::Live | Stage::Opaque) {
        if !pair.flow(Way::ToUpstream).is_empty() && pair.leg(Side::Upstream).writable {
            // What it is told has just been put there.
            context.queue(pair, slot);
        }
        return;
    }
    moving.restored_ms = context.now_ms;
    let unsent = moving.session.unsent();
    if !unsent.is_empty() {
        pair.flows[Way::ToUpstream as usize].hold_more(unsent, true);
    }
    dial::opened(pair);
    let conn_id = pair.conn.id().get();
    tracing::info!(conn_id, listener = &*pair.conn.origin().name, "the session goes on");
    context.queue(pair, slot);
}

/// An upstream was reached, or its session restored.
pub(super) fn note_up(pair: &Pair) {
    let origin = pair.conn.origin();
    if origin.upstreams.succeeded(usize::from(pair.upstream), clock::wall_ms()) {
        let upstream = pair.settings.upstream.get(usize::from(pair.upstream)).map(ToString::to_string);
        tracing::info!(listener = &*origin.name, upstream, "an upstream is back");
    }
}

/// No address of an upstream was reached.
pub(super) fn note_down(pair: &Pair, reason: Reason, now_ms: u64) {
    if reason == Reason::Resource {
        // That says nothing of the upstream.
        return;
    }
    let origin = pair.conn.origin();
    if origin.upstreams.failed(usize::from(pair.upstream), reason, now_ms, clock::wall_ms()) {
        let upstream = pair.settings.upstream.get(usize::from(pair.upstream)).map(ToString::to_string);
        tracing::warn!(listener = &*origin.name, upstream, reason = reason.word(), "an upstream is down");
    }
}
