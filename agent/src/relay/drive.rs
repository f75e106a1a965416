//! One step of a connection: whatever has happened to it, it moves on as far as it goes.

use connctl_api::conn::Side;
use connctl_api::end::Reason;
use connctl_api::event::EventKind;
use rustix::io::Errno;

use super::context::Context;
use super::pair::{Pair, Phase, SIDES, Way};
use super::pump::pump;
use super::tools::Stop;
use super::{dial, ending, identify, pending, reconnect, refuse, stay};
use crate::conn::tell::More;
use crate::net::{connect, errno};

/// Moves a connection on as far as it goes.
pub(super) fn drive(pair: &mut Pair, slot: u32, context: &mut Context) {
    #[cfg(test)]
    super::strike(&pair.conn);
    if pair.phase != Phase::Open {
        dial::advance(pair, slot, context);
    }
    if pair.phase == Phase::Open || pair.is_away {
        for way in stay::order(pair) {
            let is_for_later = context.clients_first && way == Way::ToUpstream;
            if is_for_later || pair.route(way).is_none() || ending::is_cut_off(pair, way) {
                continue;
            }
            match pump(pair, way, &mut context.tools()) {
                Stop::Waiting => {}
                Stop::Share => context.queue(pair, slot),
                Stop::Failed(side, error) => failed(pair, side, error, slot, context),
                Stop::Left => reconnect::go_on(pair, Reason::ClosedUpstream, slot, context),
            }
            if pair.is_refused {
                // Before anything else could keep it, such as another upstream.
                refuse::end(pair, context);
            }
            if pair.phase != Phase::Open && !pair.is_away {
                break;
            }
        }
        find_failure(pair, slot, context);
        pending::enforce(pair, context);
        identify::enforce(pair, context);
        if pair.is_away {
            reconnect::look(pair, slot, context);
        }
    }
    ending::settle(pair, slot, context);
    if !pair.is_over {
        pair.publish_state();
        if pair.legs.iter().any(|leg| leg.ended || leg.shut) {
            note_half_closed(pair, context);
        }
        if !pair.is_queued {
            context.set_deadline(pair, slot);
        }
    }
}

/// One direction has ended; it is told once, and not as a part of an ending.
fn note_half_closed(pair: &Pair, context: &Context) {
    if pair.conn.note_half_closed(context.now_ms) && !pair.is_ending() {
        let more = More { side: pair.first_end, ..More::default() };
        context.tell(EventKind::HalfClosed, &pair.conn, more);
    }
}

/// An error that no read or write met, because the side is paused or the other one is full.
fn find_failure(pair: &mut Pair, slot: u32, context: &mut Context) {
    for side in SIDES {
        let leg = pair.leg_mut(side);
        if std::mem::take(&mut leg.failed)
            && let Some(fd) = leg.fd.as_ref()
            && let Err(error) = connect::outcome(fd)
        {
            failed(pair, side, error, slot, context);
        }
    }
}

/// A socket failed: that is the end, unless the connection goes on with another upstream.
fn failed(pair: &mut Pair, side: Side, error: Errno, slot: u32, context: &mut Context) {
    if side == Side::Upstream && (pair.is_away || stay::can_go_on(pair, context.now_ms)) {
        reconnect::go_on(pair, errno::reason(error), slot, context);
    } else {
        ending::fail(pair, side, error, context);
    }
}
