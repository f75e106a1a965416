//! How a connection comes to its end.
//!
//! The first cause wins; what is asked later may only make the method harder. An ending relays what the
//! kernel had already accepted for either peer, then ends each socket as its method says, and forces what
//! is left when the grace is over. A socket is not closed while its peer's bytes are still wanted, nor
//! with unread bytes in it: the kernel would turn that close into a RST.

use connctl_api::conn::Side;
use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::operation::{ItemStatus, OperationKind};
use rustix::io::Errno;
use rustix::net::RecvFlags;

use super::context::Context;
use super::flow::Cut;
use super::pair::{Pair, Phase, SIDES, Way, opposite};
use super::work::{Method, Waiter, Work};
use crate::conn::command::Outcome;
use crate::conn::finish::finish;
use crate::conn::tell::Ending;
use crate::net::{close, errno, tcp_info};

/// Both sockets flushed and ended with a FIN.
pub(super) const BOTH_FINISH: [Method; 2] = [Method::Finish; 2];
/// Both sockets reset.
pub(super) const BOTH_RESET: [Method; 2] = [Method::Reset; 2];
/// A RST to both once they have what was on its way to them.
pub(super) const BOTH_FLUSH_RESET: [Method; 2] = [Method::FlushReset; 2];
/// How long the client of a dial that failed has to take its FIN.
pub(super) const DIAL_FLUSH_MS: u64 = 1_000;
/// How long what a peer had sent before its RST may take to reach the other one.
const RESET_FLUSH_MS: u64 = 1_000;
/// What is read and dropped from a socket in one turn before it is closed.
const DROP_READS: usize = 64;

/// Begins the ending, or makes one that has begun harder.
pub(super) fn begin(
    pair: &mut Pair,
    cause: Cause,
    methods: [Method; 2],
    grace_ms: u64,
    context: &mut Context,
) {
    if pair.phase != Phase::Open {
        // A socket that is still being dialled has nothing to end.
        *pair.leg_mut(Side::Upstream) = super::pair::Leg::default();
        pair.dial = None;
        pair.phase = Phase::Open;
        pair.is_away = false;
    }
    // The clock is cut to whole milliseconds: one more, so that no grace is shorter than was asked for.
    let deadline = context.now_ms.saturating_add(grace_ms).saturating_add(u64::from(grace_ms > 0));
    let work = pair.work.get_or_insert_default();
    let is_first = work.cause.is_none();
    work.cause.get_or_insert(cause);
    work.deadline = if is_first { deadline } else { work.deadline.min(deadline) };
    for side in SIDES {
        let leg = work.leg(side);
        leg.method = leg.method.max(Some(methods[side as usize]));
    }
    if is_first {
        Way::BOTH.into_iter().for_each(|way| cut(pair, way));
        // What has happened before is known, and the FIN to come will be news.
        pair.legs.iter_mut().for_each(|leg| leg.has_news = leg.hung_up || leg.ended);
    }
}

/// Gives an ending the time again in which others went first.
pub(super) fn prolong(pair: &mut Pair, waited_ms: u64) {
    if let Some(work) = &mut pair.work {
        work.deadline = work.deadline.saturating_add(waited_ms);
    }
}

/// Limits a direction to what the kernel has for it now.
pub(super) fn cut(pair: &mut Pair, way: Way) {
    let Some((from, _)) = pair.route(way) else {
        return;
    };
    let source = pair.leg_mut(from);
    let left = source.fd.as_ref().map_or(0, tcp_info::receive_queue);
    source.readable |= left > 0;
    let flow = pair.flow_mut(way);
    if flow.cut == Cut::Open {
        flow.cut = Cut::After(left);
    }
}

/// Notes, once, how much was pending for each peer when the first operation came.
pub(super) fn measure(pair: &mut Pair) {
    for side in SIDES {
        let pending = pending_for(pair, side);
        let is_there = pair.leg(side).fd.is_some() && (side == Side::Client || pair.phase == Phase::Open);
        let leg = pair.work.get_or_insert_default().leg(side);
        if is_there && !leg.is_measured {
            leg.is_measured = true;
            leg.pending = pending;
        }
    }
}

/// Bytes accepted for a peer and not acknowledged by it: unread, held, and in its socket.
fn pending_for(pair: &Pair, side: Side) -> u64 {
    let way = Way::into_side(side);
    let leg = pair.leg(side);
    let sent = leg.fd.as_ref().map_or(0, tcp_info::send_queue).saturating_sub(u64::from(leg.shut));
    let unread = match (pair.flow(way).cut, pair.route(way)) {
        (Cut::Open, Some((from, _))) => pair.leg(from).fd.as_ref().map_or(0, tcp_info::receive_queue),
        (Cut::After(left), _) => left,
        (Cut::Open | Cut::Discard, _) => 0,
    };
    sent + pair.held_for(side) + unread
}

/// A socket failed.
pub(super) fn fail(pair: &mut Pair, side: Side, error: Errno, context: &mut Context) {
    let initiator = match side {
        Side::Client => Initiator::Client,
        Side::Upstream => Initiator::Upstream,
    };
    let cause = Cause { reason: errno::reason(error), initiator, side: Some(side) };
    let is_ending = pair.is_ending();
    // What the failed peer had sent still belongs to the other one; then the RST is passed on. An ending
    // that has begun goes on as it was asked for.
    let other = if is_ending { Method::Finish } else { Method::FlushReset };
    let methods = SIDES.map(|one| if one == side { Method::Reset } else { other });
    begin(pair, cause, methods, RESET_FLUSH_MS, context);
    // Nothing can be written to it; what it had sent and nobody could take yet goes with its RST.
    let way = Way::into_side(side);
    let dropped = pair.flow_mut(way).drop_held(&mut context.pipes);
    let work = pair.work.get_or_insert_default();
    work.leg(side).wire.dropped_bytes += dropped;
}

/// A direction that nothing can be written to any more, or whose reads are over. What a socket is to discard
/// is not written to it first: its peer could have read it before the RST.
pub(super) fn is_cut_off(pair: &Pair, way: Way) -> bool {
    let Some((from, to)) = pair.route(way) else {
        return true;
    };
    let target = to.unwrap_or(from);
    let work = pair.work.as_ref().filter(|work| work.cause.is_some());
    work.is_some_and(|work| {
        pair.leg(target).fd.is_none() || work.legs[target as usize].method == Some(Method::Reset)
    })
}

/// Moves what is under way as far as it goes.
pub(super) fn settle(pair: &mut Pair, slot: u32, context: &mut Context) {
    if pair.is_over {
        return;
    }
    if pair.phase != Phase::Open && !pair.is_away {
        // A half-close waits for the upstream, and who asked for it not for ever.
        if let Some(mut work) = pair.work.take() {
            answer_halfcloses(pair, &mut work, context.now_ms);
            pair.work = Some(work);
        }
        return;
    }
    let Some(mut work) = pair.work.take() else {
        if Way::BOTH.iter().all(|way| pair.is_done(*way)) {
            end_by_itself(pair, slot, None, context);
        }
        return;
    };
    if work.cause.is_some() {
        for side in SIDES {
            if side == Side::Client || !context.clients_first {
                end_leg(pair, &mut work, side, context);
            }
        }
        if pair.legs.iter().all(|leg| leg.fd.is_none()) {
            return leave(pair, slot, *work, context);
        }
    } else {
        settle_halfclose(pair, &mut work, context.now_ms);
        if Way::BOTH.iter().all(|way| pair.is_done(*way)) {
            return end_by_itself(pair, slot, Some(*work), context);
        }
    }
    pair.work = Some(work);
}

/// Both peers have ended their direction and got the other's end.
fn end_by_itself(pair: &mut Pair, slot: u32, work: Option<Work>, context: &mut Context) {
    let was_touched = work.is_some();
    let mut work = work.unwrap_or_default();
    let (reason, initiator) = match (work.halfclosed, pair.first_end) {
        (true, _) => (Reason::OperatorHalfclose, Initiator::Operator),
        (false, Some(Side::Upstream)) => (Reason::ClosedUpstream, Initiator::Upstream),
        (false, _) => (Reason::Normal, Initiator::Client),
    };
    let side = if work.halfclosed { None } else { pair.first_end };
    work.cause = Some(Cause { reason, initiator, side });
    for side in SIDES {
        if was_touched {
            note_state(pair, &mut work, side);
        }
        pair.leg_mut(side).fd = None;
    }
    leave(pair, slot, work, context);
}

/// The sockets are closed: out of the tables, then the answers.
fn leave(pair: &mut Pair, slot: u32, mut work: Work, context: &mut Context) {
    for way in Way::BOTH {
        pair.flow_mut(way).drop_held(&mut context.pipes);
    }
    for leg in &mut work.legs {
        leg.wire.sent_bytes = leg.pending.saturating_sub(leg.wire.dropped_bytes);
    }
    let fallback = Cause { reason: Reason::Internal, initiator: Initiator::Agent, side: None };
    let cause = work.cause.unwrap_or(fallback);
    let shared = &context.shared;
    // A half-close that an operator asked for is not why a peer's RST ended it.
    let asked = work.asked.as_deref().filter(|_| cause.initiator == Initiator::Operator);
    let ending = Ending { cause, wire: work.seen(), asked };
    finish(&shared.registry, &shared.stats, &shared.record, &pair.conn, &ending, context.now_ms);
    shared.descriptors.give(usize::from(pair.descriptors()));
    pair.ticket = None;
    pair.conn.note_given_place();
    context.retire(pair, slot);
    for waiter in std::mem::take(&mut work.waiters) {
        let wire = Some(work.wire(waiter.side));
        waiter.answer(pair.conn.id(), Outcome { status: ItemStatus::Done, wire, error: None });
    }
}

/// After a defect: the sockets are reset and the connection leaves like any other.
pub(super) fn abandon(pair: &mut Pair, slot: u32, context: &mut Context) {
    for leg in &mut pair.legs {
        if let Some(fd) = leg.fd.take() {
            close::reset(fd);
        }
    }
    let mut work = pair.work.take().map(|work| *work).unwrap_or_default();
    work.cause = Some(Cause { reason: Reason::Internal, initiator: Initiator::Agent, side: None });
    leave(pair, slot, work, context);
}

/// Ends one socket as far as it can be ended now.
fn end_leg(pair: &mut Pair, work: &mut Work, side: Side, context: &mut Context) {
    let is_late = work.deadline <= context.now_ms;
    let method = work.leg(side).method.unwrap_or(Method::Finish);
    let Some(fd) = pair.leg(side).fd.as_ref() else {
        return;
    };
    match method {
        Method::Reset => cut_leg(pair, work, side, context),
        _ if is_late => force(pair, work, side, context),
        Method::FlushReset => {
            if is_drained(pair, side) && tcp_info::send_queue(fd) <= u64::from(pair.leg(side).shut) {
                cut_leg(pair, work, side, context);
            }
        }
        Method::Finish => finish_leg(pair, work, side, context),
    }
}

/// Whether everything that is still to be relayed to this side is in its socket.
fn is_drained(pair: &Pair, side: Side) -> bool {
    let way = Way::into_side(side);
    let Some((from, _)) = pair.route(way) else {
        return true;
    };
    let source = pair.leg(from);
    let is_read = source.ended || source.fd.is_none() || !matches!(pair.flow(way).cut, Cut::After(1..));
    pair.flow(way).is_empty() && is_read
}

/// Whether the other peer still gets bytes that this socket has.
fn is_wanted(pair: &Pair, work: &mut Work, side: Side) -> bool {
    let other = opposite(side);
    let way = Way::into_side(other);
    let is_route = pair.route(way).is_some_and(|(from, _)| from == side);
    is_route
        && pair.leg(other).fd.is_some()
        && work.leg(other).method != Some(Method::Reset)
        && !pair.leg(side).ended
        && matches!(pair.flow(way).cut, Cut::After(1..))
}

fn finish_leg(pair: &mut Pair, work: &mut Work, side: Side, context: &mut Context) {
    if !is_drained(pair, side) {
        return;
    }
    let leg = pair.leg_mut(side);
    if !leg.shut
        && let Some(fd) = leg.fd.as_ref()
    {
        // An error means that the peer's RST was faster; the state tells it below.
        leg.shut = close::finish_writing(fd).is_ok();
        leg.has_news |= !leg.shut;
    }
    // The acknowledgement of the FIN is an event, and so is the peer's own end.
    if !std::mem::take(&mut pair.leg_mut(side).has_news) {
        return;
    }
    let state = note_state(pair, work, side);
    if state.is_closed() && !pair.leg(side).shut {
        work.leg(side).wire.already_closed = true;
    }
    if is_wanted(pair, work, side) {
        return;
    }
    // A peer whose end was read has sent nothing after it.
    let is_read = |context| pair.leg(side).ended || drop_input(pair, side, context);
    if state.is_closed() || (state.is_fin_acked() && is_read(context)) {
        pair.leg_mut(side).fd = None;
    }
}

/// Notes what the kernel says of a socket's FIN.
fn note_state(pair: &Pair, work: &mut Work, side: Side) -> tcp_info::TcpState {
    let leg = pair.leg(side);
    let Some(fd) = leg.fd.as_ref() else {
        return tcp_info::TcpState::CLOSED;
    };
    let (state, unsent) = tcp_info::state_and_unsent(fd);
    let wire = &mut work.leg(side).wire;
    // A FIN stands behind what a peer has no room for, and that may be for ever.
    wire.fin_sent = leg.shut && (wire.fin_sent || (state.is_fin_sent() && unsent == 0));
    // A socket is closed by the acknowledgement of its FIN, or by a RST that acknowledges nothing.
    let is_acked = state.is_fin_acked() && (!state.is_closed() || tcp_info::send_queue(fd) == 0);
    wire.fin_acked = wire.fin_sent && is_acked;
    state
}

/// Reads and drops what has come, so that closing is no RST. Tells whether nothing is left.
fn drop_input(pair: &Pair, side: Side, context: &mut Context) -> bool {
    let Some(fd) = pair.leg(side).fd.as_ref() else {
        return true;
    };
    for _ in 0..DROP_READS {
        match rustix::net::recv(fd, &mut context.buffer[..], RecvFlags::empty()) {
            Ok((_, 0)) | Err(Errno::AGAIN) => return true,
            Ok(_) | Err(Errno::INTR) => {}
            Err(_) => return true,
        }
    }
    false
}

/// Sends a RST and counts what it drops. A FIN that is out already stays told.
fn cut_leg(pair: &mut Pair, work: &mut Work, side: Side, context: &mut Context) {
    let way = Way::into_side(side);
    let unread = match pair.flow(way).cut {
        Cut::After(left) => left,
        Cut::Open | Cut::Discard => 0,
    };
    let held = pair.flow_mut(way).drop_held(&mut context.pipes);
    let state = note_state(pair, work, side);
    let leg = pair.leg_mut(side);
    let Some(fd) = leg.fd.take() else {
        return;
    };
    let queued = tcp_info::send_queue(&fd).saturating_sub(u64::from(leg.shut));
    let wire = &mut work.leg(side).wire;
    wire.dropped_bytes += unread + held + queued;
    wire.rst_sent = state.can_reset();
    wire.already_closed |= state.is_closed();
    close::reset(fd);
}

/// The grace is over.
fn force(pair: &mut Pair, work: &mut Work, side: Side, context: &mut Context) {
    let Some(fd) = pair.leg(side).fd.as_ref() else {
        return;
    };
    work.leg(side).wire.forced = true;
    let is_delivered = is_drained(pair, side) && tcp_info::state(fd).is_fin_acked();
    if is_delivered {
        // Only the peer's own end is missing: an ordinary close.
        note_state(pair, work, side);
        drop_input(pair, side, context);
        pair.leg_mut(side).fd = None;
    } else {
        cut_leg(pair, work, side, context);
    }
}

/// Half-closes without an ending: the FIN behind what was pending, and the answer once it is acknowledged.
fn settle_halfclose(pair: &mut Pair, work: &mut Work, now_ms: u64) {
    for side in SIDES {
        if !work.leg(side).halfclose {
            continue;
        }
        let has_no_flow = pair.route(Way::into_side(side)).is_none();
        let leg = pair.leg_mut(side);
        if has_no_flow
            && !leg.shut
            && let Some(fd) = leg.fd.as_ref()
        {
            leg.shut = close::finish_writing(fd).is_ok();
        }
        note_state(pair, work, side);
    }
    answer_halfcloses(pair, work, now_ms);
}

fn answer_halfcloses(pair: &Pair, work: &mut Work, now_ms: u64) {
    for waiter in std::mem::take(&mut work.waiters) {
        if let Some(waiter) = answer_halfclose(pair, work, waiter, now_ms) {
            work.waiters.push(waiter);
        }
    }
}

/// Answers if it is time; else gives the waiter back.
fn answer_halfclose(pair: &Pair, work: &mut Work, waiter: Waiter, now_ms: u64) -> Option<Waiter> {
    debug_assert_eq!(waiter.kind, OperationKind::Halfclose, "others wait for an ending");
    let is_late = waiter.until <= now_ms;
    let asked = |side: &Side| waiter.side.includes(*side) && pair.leg(*side).fd.is_some();
    let is_sent = SIDES.iter().filter(|side| asked(side)).all(|side| work.leg(*side).wire.fin_sent);
    let is_acked = SIDES.iter().filter(|side| asked(side)).all(|side| work.leg(*side).wire.fin_acked);
    let is_over = is_late || (is_sent && is_acked);
    if !is_over {
        return Some(waiter);
    }
    for side in SIDES.iter().filter(|side| asked(side)) {
        let left = pending_for(pair, *side);
        let leg = work.leg(*side);
        leg.wire.sent_bytes = leg.pending.saturating_sub(left);
    }
    let wire = Some(work.wire(waiter.side));
    let (status, error) = if is_sent {
        (ItemStatus::Done, None)
    } else if pair.phase == Phase::Open {
        (ItemStatus::TimedOut, Some("the peer does not take what is pending; its FIN follows that"))
    } else {
        (ItemStatus::TimedOut, Some("the upstream is not connected yet; the FIN follows that"))
    };
    waiter.answer(pair.conn.id(), Outcome { status, wire, error });
    None
}
