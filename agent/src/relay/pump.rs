//! Moving bytes in one direction, at two speeds.
//!
//! Small messages are read into a buffer that the thread has, and written on at once. A large read changes
//! to bulk: from then on the kernel moves the bytes through a pipe, until so little comes that it is not
//! worth the second call. What a full socket does not take is kept, and nothing is read until it is gone:
//! the peer's window closes instead of our memory growing.

use std::os::fd::AsFd;

use connctl_api::conn::Side;
use rustix::io::Errno;
use rustix::net::{RecvFlags, SendFlags};
use rustix::pipe::SpliceFlags;

use super::flow::{Cut, Push};
use super::pair::{Pair, Way};
use super::tools::{Stop, Tools, count_written};
use super::{dialogue, farewell, identify, items, stay};
use crate::net::close;

/// The buffer of a thread. Larger reads cost cache, smaller ones calls.
pub(super) const BUFFER_BYTES: usize = 64 * 1024;
/// A read of this much changes to bulk.
const BULK_FROM: usize = 16 * 1024;
/// A move of less than this changes back.
const BULK_UNTIL: usize = 4 * 1024;
/// What one direction may move before others have their turn.
const SHARE: u64 = 4 << 20;

/// Moves as much as can be moved.
pub(super) fn pump(pair: &mut Pair, way: Way, tools: &mut Tools<'_>) -> Stop {
    let Some((from, to)) = pair.route(way) else {
        return Stop::Waiting;
    };
    let mut moved = 0;
    loop {
        if !pair.flow(way).is_empty() {
            match push(pair, way, to, tools) {
                Push::Empty => {}
                Push::Full => return Stop::Waiting,
                Push::Failed(error) => return Stop::Failed(to.unwrap_or(from), error),
            }
        }
        if pair.leg(from).ended || pair.is_cut(way) {
            if let Err(stop) = stay::is_end_passed(pair, way, from, tools.now_ms) {
                return stop;
            }
            if pair.moving.is_some() && items::flush(pair, way) {
                continue;
            }
            return pass_end(pair, way, from, to);
        }
        let source = pair.leg(from);
        // A new upstream is told what the one before it knew, and answers that, whoever is paused.
        let is_restored = pair.is_away && from == Side::Upstream;
        let is_paused = source.paused && !is_restored && !matches!(pair.flow(way).cut, Cut::After(_));
        let is_held_back =
            is_paused || dialogue::owes(pair, way) || (pair.is_away && stay::is_held_back(pair, way));
        if !source.readable || is_held_back || source.fd.is_none() {
            return Stop::Waiting;
        }
        if moved >= SHARE {
            return Stop::Share;
        }
        match take(pair, way, from, to, tools) {
            Ok(count) => moved += count,
            Err((_, Errno::AGAIN)) => return Stop::Waiting,
            Err((_, Errno::INTR)) => {}
            Err((side, error)) => return Stop::Failed(side, error),
        }
    }
}

/// Writes what is held.
fn push(pair: &mut Pair, way: Way, to: Option<Side>, tools: &mut Tools<'_>) -> Push {
    let Some(to) = to else {
        return Push::Empty;
    };
    let target = &mut pair.legs[to as usize];
    let Some(fd) = target.fd.as_ref() else {
        return Push::Failed(Errno::PIPE);
    };
    if !target.writable {
        return Push::Full;
    }
    let (written, push) = pair.flows[way as usize].push(fd, tools.pipes);
    if push == Push::Full {
        target.writable = false;
    }
    count_written(pair, way, written, tools.now_ms);
    if way == Way::ToUpstream
        && let Some(moving) = &mut pair.moving
    {
        moving.session.handed(usize::try_from(written).unwrap_or(usize::MAX));
    }
    push
}

/// Reads once and writes it on; `Ok` tells how much was read, and 0 is the end or a direction at its end.
fn take(
    pair: &mut Pair,
    way: Way,
    from: Side,
    to: Option<Side>,
    tools: &mut Tools<'_>,
) -> Result<u64, (Side, Errno)> {
    let cut = pair.flow(way).cut;
    let to = if cut == Cut::Discard { None } else { to };
    let room = match cut {
        Cut::After(left) => usize::try_from(left).unwrap_or(usize::MAX),
        Cut::Open | Cut::Discard => usize::MAX,
    };
    let count = match to {
        Some(to) if pair.flow(way).bulk => match tools.pipes.take() {
            Some(pipe) => take_bulk(pair, way, from, to, pipe, room, tools)?,
            None => take_small(pair, way, from, Some(to), room, tools)?,
        },
        to => take_small(pair, way, from, to, room, tools)?,
    };
    // What moves by pipe cannot be looked at.
    let is_looked_at = match from {
        Side::Client => pair.tap.is_some(),
        Side::Upstream => pair.farewell.is_some(),
    };
    let may_be_bulk = to.is_some() && !is_looked_at && pair.moving.is_none();
    let flow = pair.flow_mut(way);
    if let Cut::After(left) = flow.cut {
        flow.cut = Cut::After(left - count.min(left));
    }
    flow.bulk = may_be_bulk && if flow.bulk { count >= BULK_UNTIL as u64 } else { count >= BULK_FROM as u64 };
    Ok(count)
}

fn take_small(
    pair: &mut Pair,
    way: Way,
    from: Side,
    to: Option<Side>,
    room: usize,
    tools: &mut Tools<'_>,
) -> Result<u64, (Side, Errno)> {
    let source = &mut pair.legs[from as usize];
    let Some(fd) = source.fd.as_ref() else {
        return Err((from, Errno::AGAIN));
    };
    let room = room.min(tools.buffer.len());
    let count = match rustix::net::recv(fd, &mut tools.buffer[..room], RecvFlags::empty()) {
        Ok((_, count)) => count,
        Err(error) => {
            source.readable = error != Errno::AGAIN;
            return Err((from, error));
        }
    };
    if count == 0 {
        end_of_input(pair, from);
        return Ok(0);
    }
    // A short read emptied the socket, and the next bytes are a new event: the read that would find
    // nothing is saved. An end that was reported already is no new event, so it is read up to.
    if count < room && !source.hung_up {
        source.readable = false;
    }
    if from == Side::Client
        && pair.tap.is_some()
        && !identify::look(pair, &tools.buffer[..count], tools.registry, tools.revocations)
    {
        // The message that names a revoked user ends here, and the connection after it.
        return Err((from, Errno::AGAIN));
    }
    let Some(to) = to else {
        return keep(pair, way, from, count, tools).map(|()| count as u64);
    };
    if pair.moving.is_some() {
        return items::relay(pair, way, to, count, tools).map(|()| count as u64);
    }
    if from == Side::Upstream
        && let Some(all) = farewell::pass(pair, &tools.buffer[..count])
    {
        pair.flow_mut(way).hold_bytes(&all);
        return match push(pair, way, Some(to), tools) {
            Push::Failed(error) => Err((to, error)),
            Push::Empty | Push::Full => Ok(count as u64),
        };
    }
    write_on(pair, way, to, count, tools).map(|()| count as u64)
}

/// What was read into the buffer goes no further: it is counted, and heard where the agent itself speaks.
fn keep(
    pair: &mut Pair,
    way: Way,
    from: Side,
    count: usize,
    tools: &mut Tools<'_>,
) -> Result<(), (Side, Errno)> {
    if pair.flow(way).cut == Cut::Discard {
        pair.conn.note_dropped(way == Way::ToClient, tools.now_ms);
    } else {
        count_written(pair, way, count as u64, tools.now_ms);
    }
    if pair.speaker.is_some() {
        dialogue::hear(pair, &tools.buffer[..count]);
        if let Push::Failed(error) = push(pair, Way::ToUpstream, Some(from), tools) {
            return Err((from, error));
        }
    }
    Ok(())
}

/// Writes what was read into the buffer, and keeps what the socket does not take.
fn write_on(
    pair: &mut Pair,
    way: Way,
    to: Side,
    count: usize,
    tools: &Tools<'_>,
) -> Result<(), (Side, Errno)> {
    let Some(fd) = pair.legs[to as usize].fd.as_ref() else {
        return Err((to, Errno::PIPE));
    };
    let written = match rustix::net::send(fd, &tools.buffer[..count], SendFlags::NOSIGNAL) {
        Ok(written) => written,
        Err(Errno::AGAIN | Errno::INTR) => 0,
        Err(error) => return Err((to, error)),
    };
    count_written(pair, way, written as u64, tools.now_ms);
    if written < count {
        pair.flows[way as usize].hold_bytes(&tools.buffer[written..count]);
    }
    Ok(())
}

fn take_bulk(
    pair: &mut Pair,
    way: Way,
    from: Side,
    to: Side,
    pipe: crate::net::pipes::Pipe,
    room: usize,
    tools: &mut Tools<'_>,
) -> Result<u64, (Side, Errno)> {
    let source = &mut pair.legs[from as usize];
    let Some(fd) = source.fd.as_ref() else {
        tools.pipes.give(pipe);
        return Err((from, Errno::AGAIN));
    };
    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
    match rustix::pipe::splice(fd.as_fd(), None, &pipe.write, None, pipe.bytes.min(room), flags) {
        Ok(0) => {
            tools.pipes.give(pipe);
            end_of_input(pair, from);
            Ok(0)
        }
        Ok(count) => {
            pair.flows[way as usize].hold_pipe(pipe, count);
            match push(pair, way, Some(to), tools) {
                Push::Failed(error) => Err((to, error)),
                Push::Empty | Push::Full => Ok(count as u64),
            }
        }
        Err(Errno::AGAIN) => {
            // The pipe is empty, so it is the socket that has nothing.
            tools.pipes.give(pipe);
            source.readable = false;
            Err((from, Errno::AGAIN))
        }
        Err(Errno::INVAL) => {
            // A socket of a kind that cannot be spliced: the other speed always works.
            tools.pipes.give(pipe);
            pair.flows[way as usize].bulk = false;
            Err((from, Errno::INTR))
        }
        Err(error) => {
            tools.pipes.give(pipe);
            Err((from, error))
        }
    }
}

fn end_of_input(pair: &mut Pair, from: Side) {
    let leg = pair.leg_mut(from);
    leg.ended = true;
    leg.readable = false;
    pair.first_end.get_or_insert(from);
    if pair.speaker.is_some() {
        // The agent says no more to a server that has left.
        pair.leg_mut(Side::Client).ended = true;
    }
}

/// The end of one side's output becomes the end of the other side's input, behind all that was held.
fn pass_end(pair: &mut Pair, way: Way, from: Side, to: Option<Side>) -> Stop {
    // A source without a destination is answered with our own end.
    let to = to.unwrap_or(from);
    if pair.is_to_be_reset(to) {
        return Stop::Waiting;
    }
    // The last end of all is sent by the close that follows at once.
    let is_last = pair.work.is_none() && pair.is_done(way.other());
    let leg = pair.leg_mut(to);
    if !leg.shut {
        if !is_last
            && let Some(fd) = leg.fd.as_ref()
            && let Err(error) = close::finish_writing(fd)
            // The peer was faster and everything is over: its event tells.
            && error != Errno::NOTCONN
        {
            return Stop::Failed(to, error);
        }
        leg.shut = true;
    }
    if pair.is_cut(way) {
        pair.flow_mut(way).cut = Cut::Discard;
        if !pair.leg(from).ended {
            return pump_rest(pair, from);
        }
    }
    Stop::Waiting
}

/// After a cut the source may have more to drop, and no new event would tell.
fn pump_rest(pair: &Pair, from: Side) -> Stop {
    if pair.leg(from).readable { Stop::Share } else { Stop::Waiting }
}
