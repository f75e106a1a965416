//! Carrying out what an operator asked for.

use connctl_api::conn::{Mode, Side};
use connctl_api::operation::{ItemStatus, OperationKind};

use super::context::Context;
use super::ending;
use super::pair::{Pair, Phase, SIDES, Way};
use super::work::{Method, Waiter};
use crate::conn::command::{Command, Outcome, Replies};

/// Begins an operation. Its answer comes when the sockets have been acted on.
pub(super) fn apply(pair: &mut Pair, command: Command, replies: Replies, context: &mut Context) {
    let until = context.now_ms.saturating_add(command.grace_ms).saturating_add(1);
    let waiter = Waiter { kind: command.kind, side: command.side, replies, until };
    if !SIDES.iter().any(|side| command.side.includes(*side) && has_side(pair, *side)) {
        let error = Some("it has no socket on that side");
        return waiter.answer(pair.conn.id(), Outcome { status: ItemStatus::Failed, wire: None, error });
    }
    if command.kind.is_ending() {
        let work = pair.work.get_or_insert_default();
        if work.cause.is_none() {
            work.asked = command.asked;
        }
    }
    match command.kind {
        OperationKind::Pause => set_paused(pair, waiter, true),
        OperationKind::Resume => set_paused(pair, waiter, false),
        OperationKind::Halfclose => halfclose(pair, waiter),
        OperationKind::Close => {
            ending::begin(pair, command.cause, ending::BOTH_FINISH, command.grace_ms, context);
            wait(pair, waiter);
        }
        OperationKind::Reset => {
            let method = |side| if command.side.includes(side) { Method::Reset } else { Method::Finish };
            ending::begin(pair, command.cause, SIDES.map(method), command.grace_ms, context);
            wait(pair, waiter);
        }
    }
}

/// A side that is being dialled is not there yet for anything but the ending.
fn has_side(pair: &Pair, side: Side) -> bool {
    pair.leg(side).fd.is_some() && (side == Side::Client || pair.phase == Phase::Open)
}

fn set_paused(pair: &mut Pair, waiter: Waiter, paused: bool) {
    for side in SIDES {
        // An upstream that is still being dialled is to be paused when it is there.
        let has_upstream = pair.conn.origin().mode == Mode::Forward;
        let is_to_come = side == Side::Upstream && has_upstream && pair.phase != Phase::Open;
        if waiter.side.includes(side) && (is_to_come || pair.leg(side).fd.is_some()) {
            pair.leg_mut(side).paused = paused;
        }
    }
    let outcome = Outcome { status: ItemStatus::Done, wire: None, error: None };
    waiter.answer(pair.conn.id(), outcome);
}

fn halfclose(pair: &mut Pair, waiter: Waiter) {
    for side in SIDES {
        if !waiter.side.includes(side) || !has_side(pair, side) {
            continue;
        }
        ending::cut(pair, Way::into_side(side));
        let work = pair.work.get_or_insert_default();
        work.leg(side).halfclose = true;
        work.halfclosed = true;
    }
    wait(pair, waiter);
}

/// What is pending is measured once it is fixed what is still to be relayed.
fn wait(pair: &mut Pair, waiter: Waiter) {
    ending::measure(pair);
    pair.work.get_or_insert_default().waiters.push(waiter);
}
