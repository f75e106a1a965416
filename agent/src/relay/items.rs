//! Bytes of a connection whose session can move: they pass as whole items, by way of the session.

use connctl_api::conn::Side;
use rustix::io::Errno;
use rustix::net::SendFlags;
use zeroize::Zeroize;

use super::pair::{Moving, Pair, Way};
use super::tools::{Tools, count_written};
use crate::nats::Sender;

/// Passes on what was read into the buffer.
pub(super) fn relay(
    pair: &mut Pair,
    way: Way,
    to: Side,
    count: usize,
    tools: &mut Tools<'_>,
) -> Result<(), (Side, Errno)> {
    let Some(moving) = &mut pair.moving else {
        return Ok(());
    };
    let Moving { session, active_ms, .. } = &mut **moving;
    let input = &mut tools.buffer[..count];
    let (mut out, mut is_secret) = (Vec::new(), false);
    match way {
        Way::ToUpstream => {
            is_secret = session.client(input, &mut out);
            if is_secret {
                input.zeroize();
            }
            if !out.is_empty() {
                pair.flows[Way::ToClient as usize].hold_more(&out, false);
            }
        }
        Way::ToClient => {
            session.server(input, &mut out);
            if let Some(replay) = session.take_replay() {
                let flow = &mut pair.flows[Way::ToUpstream as usize];
                flow.uncounted += u32::try_from(replay.len()).unwrap_or(0);
                flow.hold_more(&replay, true);
            }
        }
    }
    if session.take_busy() {
        *active_ms = tools.now_ms;
    }
    let bytes = if way == Way::ToUpstream { session.unsent() } else { &out };
    if bytes.is_empty() {
        return Ok(());
    }
    let Some(fd) = pair.legs[to as usize].fd.as_ref() else {
        return Err((to, Errno::PIPE));
    };
    let written = match rustix::net::send(fd, bytes, SendFlags::NOSIGNAL) {
        Ok(written) => written,
        Err(Errno::AGAIN | Errno::INTR) => 0,
        Err(error) => return Err((to, error)),
    };
    if written < bytes.len() {
        pair.flows[way as usize].hold_more(&bytes[written..], is_secret);
    }
    if way == Way::ToUpstream {
        session.handed(written);
    }
    count_written(pair, way, written as u64, tools.now_ms);
    Ok(())
}

/// At the end of a direction: what is there of an item that will never be whole goes before it. Tells whether
/// there was any.
pub(super) fn flush(pair: &mut Pair, way: Way) -> bool {
    let Some(moving) = pair.moving.as_mut().filter(|_| !pair.is_away) else {
        return false;
    };
    let sender = if way == Way::ToUpstream { Sender::Client } else { Sender::Server };
    let rest = moving.session.take_rest(sender);
    if !rest.is_empty() {
        pair.flow_mut(way).hold_more(&rest, way == Way::ToUpstream);
    }
    !rest.is_empty()
}
