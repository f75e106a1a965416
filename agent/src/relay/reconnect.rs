//! A client that stays while its upstream goes away.
//!
//! There are three ways. A connection of which no byte has passed is dialled again (`redial`). One whose
//! upstream was closed while it was idle is dialled again for the client's next byte, which stays in the
//! client's socket until then (`reconnect = "fresh"`). And a session that the agent knows is told to another
//! upstream (`reconnect = "nats"`).

use connctl_api::conn::Side;
use connctl_api::end::Reason;
use rustix::io::Errno;
use rustix::net::RecvFlags;

use super::context::Context;
use super::pair::{Leg, Pair, Phase, Way};
use super::{dial, ending, stay};
use crate::nats::Stage;

/// A session that is lost so soon after it was restored is not taken up again without a rest.
const RESTLESS_MS: u64 = 1_000;

/// The upstream is gone: without it, and to the next one.
pub(super) fn go_on(pair: &mut Pair, reason: Reason, slot: u32, context: &mut Context) {
    if pair.phase == Phase::Restoring {
        return dial::attempt_failed(pair, reason, slot, context);
    }
    let conn_id = pair.conn.id().get();
    let listener = &*pair.conn.origin().name;
    tracing::info!(conn_id, listener, reason = reason.word(), "the upstream went away, the client stays");
    stay::leave_upstream(pair);
    let mut is_restless = pair.moving.is_none();
    if let Some(moving) = &mut pair.moving {
        is_restless = moving.restored_ms != 0 && context.now_ms - moving.restored_ms < RESTLESS_MS;
        pair.is_away = true;
    }
    // One that left just now comes after the others.
    let tried = if is_restless { 1 << pair.upstream } else { 0 };
    dial::begin(pair, Some((reason, tried)), slot, context);
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
