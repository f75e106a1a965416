//! Before bytes flow: the PROXY header where one is expected, then the upstream.

use std::collections::VecDeque;
use std::net::SocketAddr;

use connctl_api::conn::{Mode, Side};
use connctl_api::end::{Cause, Initiator, Reason};

use super::message::Message;
use super::pair::{Dialing, Pair, Phase};
use super::proxy::{self, Read};
use super::thread::{Context, token};
use super::{ending, identify, pair, refuse};
use crate::config::Upstream;
use crate::identity::proxy::Header;
use crate::net::connect::{self, Dial};
use crate::net::errno;

/// Decides what comes first.
pub(super) fn welcome(pair: &mut Pair, slot: u32, context: &mut Context) {
    if refuse::is_proxied(pair) {
        pair.phase = Phase::Header;
        let deadline = context.now_ms + millis(pair.settings.proxy_timeout);
        pair.dial = Some(Box::new(waiting(deadline)));
    } else {
        begin(pair, None, slot, context);
    }
}

fn waiting(deadline: u64) -> Dialing {
    Dialing { next: 0, addresses: VecDeque::new(), current: None, last: None, deadline }
}

fn millis(time: std::time::Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

fn begin(pair: &mut Pair, header: Option<Header>, slot: u32, context: &mut Context) {
    if !identify::begin(pair, header, &context.shared) {
        return refuse::end(pair, context);
    }
    if pair.conn.origin().mode != Mode::Forward {
        pair.phase = Phase::Open;
        pair.dial = None;
        return;
    }
    pair.phase = Phase::Dialing;
    pair.dial = Some(Box::new(waiting(0)));
    try_next(pair, slot, context);
}

/// Looks at what has happened to the header or the dial.
pub(super) fn advance(pair: &mut Pair, slot: u32, context: &mut Context) {
    if find_client_error(pair, context) {
        return;
    }
    match pair.phase {
        Phase::Header => read_header(pair, slot, context),
        Phase::Dialing => check_dial(pair, slot, context),
        Phase::Open => {}
    }
}

/// A client that resets is gone. One that ends its direction may still wait for an answer.
fn find_client_error(pair: &mut Pair, context: &mut Context) -> bool {
    let client = pair.leg_mut(Side::Client);
    if std::mem::take(&mut client.failed)
        && let Some(fd) = client.fd.as_ref()
        && let Err(error) = connect::outcome(fd)
    {
        ending::fail(pair, Side::Client, error, context);
        return true;
    }
    false
}

fn read_header(pair: &mut Pair, slot: u32, context: &mut Context) {
    let client = pair.leg(Side::Client);
    if !client.readable {
        return;
    }
    let Some(fd) = client.fd.as_ref() else {
        return;
    };
    match proxy::read(fd, &mut context.buffer) {
        Read::Whole(header) => {
            if !refuse::readdress(pair, header.source, context) {
                return refuse::end(pair, context);
            }
            let ip = pair.conn.client().unwrap_or(pair.conn.peer()).ip().to_canonical();
            let has_place = pair.ticket.as_mut().map(|ticket| ticket.tell_address(ip, context.now_ms));
            if has_place.is_some_and(|place| place.is_err()) {
                let cause = Cause { reason: Reason::Limit, initiator: Initiator::Policy, side: None };
                return ending::begin(pair, cause, ending::BOTH_RESET, 0, context);
            }
            begin(pair, Some(header), slot, context);
        }
        Read::Incomplete if !client.hung_up => pair.leg_mut(Side::Client).readable = false,
        Read::Incomplete | Read::Wrong => bad_header(pair, context),
        Read::Failed(error) => ending::fail(pair, Side::Client, error, context),
    }
}

fn bad_header(pair: &mut Pair, context: &mut Context) {
    let cause =
        Cause { reason: Reason::BadProxyHeader, initiator: Initiator::Client, side: Some(Side::Client) };
    ending::begin(pair, cause, ending::BOTH_RESET, 0, context);
}

fn check_dial(pair: &mut Pair, slot: u32, context: &mut Context) {
    let upstream = pair.leg_mut(Side::Upstream);
    if !upstream.writable && !upstream.failed && !upstream.hung_up {
        return;
    }
    // A dial that failed is reported as such; one that is only writable has succeeded.
    let is_failed = std::mem::take(&mut upstream.failed) || upstream.hung_up;
    let Some(fd) = upstream.fd.as_ref() else {
        return;
    };
    match if is_failed { connect::outcome(fd) } else { Ok(()) } {
        Ok(()) => connected(pair),
        Err(error) => {
            drop_attempt(pair, errno::reason(error));
            try_next(pair, slot, context);
        }
    }
}

fn drop_attempt(pair: &mut Pair, reason: Reason) {
    *pair.leg_mut(Side::Upstream) = pair::Leg::default();
    if let Some(dial) = &mut pair.dial {
        dial.last = Some(reason);
        dial.current = None;
        dial.deadline = 0;
    }
}

/// Dials the next address, or looks up the next name, or gives up.
fn try_next(pair: &mut Pair, slot: u32, context: &mut Context) {
    let timeout = millis(pair.settings.dial_timeout);
    while let Some(dial) = &mut pair.dial {
        let Some(address) = dial.addresses.pop_front() else {
            match pair.settings.upstream.get(dial.next) {
                None => return give_up(pair, context),
                Some(Upstream::Address(address)) => dial.addresses.push_back(*address),
                Some(Upstream::Name(name, port)) => {
                    dial.deadline = context.now_ms + timeout;
                    resolve(slot, pair.conn.id(), name.clone(), *port, context);
                    dial.next += 1;
                    return;
                }
            }
            dial.next += 1;
            continue;
        };
        dial.current = Some(address);
        dial.deadline = context.now_ms + timeout;
        let begun = connect::start(address, &pair.settings).and_then(|dial| {
            let (Dial::Connected(fd) | Dial::Pending(fd)) = &dial;
            let watched = context.poll.watch(fd, token(slot, Side::Upstream));
            watched
                .map(|()| dial)
                .map_err(|error| rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::NOMEM))
        });
        match begun {
            Ok(Dial::Connected(fd)) => {
                pair.leg_mut(Side::Upstream).fd = Some(fd);
                return connected(pair);
            }
            Ok(Dial::Pending(fd)) => {
                pair.leg_mut(Side::Upstream).fd = Some(fd);
                return;
            }
            Err(error) => drop_attempt(pair, errno::reason(error)),
        }
    }
}

/// A lookup may take long, so it happens elsewhere and its answer is a message.
fn resolve(slot: u32, id: connctl_api::id::ConnId, name: Box<str>, port: u16, context: &Context) {
    let outbox = context.outbox.clone();
    context.shared.resolver.spawn(async move {
        let addresses = match tokio::net::lookup_host((&*name, port)).await {
            Ok(addresses) => addresses.collect(),
            Err(error) => {
                tracing::warn!(%error, name = &*name, "an upstream's name has no address");
                Vec::new()
            }
        };
        outbox.post(Message::Resolved { target: (slot, id), addresses });
    });
}

/// A lookup's answer. One that comes too late finds another dial under way and is not used.
pub(super) fn resolved(pair: &mut Pair, slot: u32, addresses: Vec<SocketAddr>, context: &mut Context) {
    let Some(dial) = pair.dial.as_mut().filter(|dial| dial.current.is_none()) else {
        return;
    };
    if addresses.is_empty() {
        dial.last = Some(Reason::UnknownHost);
    }
    dial.addresses.extend(addresses);
    try_next(pair, slot, context);
}

/// A deadline has passed; perhaps it was the header's or the dial's.
pub(super) fn late(pair: &mut Pair, slot: u32, context: &mut Context) {
    let is_late =
        pair.dial.as_ref().is_some_and(|dial| dial.deadline != 0 && dial.deadline <= context.now_ms);
    if !is_late {
        return;
    }
    match pair.phase {
        Phase::Header => bad_header(pair, context),
        Phase::Dialing => {
            drop_attempt(pair, Reason::Etimedout);
            try_next(pair, slot, context);
        }
        Phase::Open => {}
    }
}

fn give_up(pair: &mut Pair, context: &mut Context) {
    let reason = pair.dial.as_ref().and_then(|dial| dial.last).unwrap_or(Reason::UnknownHost);
    let initiator = if reason == Reason::Resource { Initiator::Agent } else { Initiator::Upstream };
    let cause = Cause { reason, initiator, side: Some(Side::Upstream) };
    ending::begin(pair, cause, ending::BOTH_FINISH, ending::DIAL_FLUSH_MS, context);
}

fn connected(pair: &mut Pair) {
    let Some(address) = pair.dial.take().and_then(|dial| dial.current) else {
        return;
    };
    pair.conn.set_upstream(address);
    pair.leg_mut(Side::Upstream).writable = true;
    pair.phase = Phase::Open;
    if let Some(version) = pair.settings.send_proxy {
        let header =
            proxy::header(version, pair.conn.client().unwrap_or(pair.conn.peer()), pair.conn.local());
        let flow = pair.flow_mut(super::pair::Way::ToUpstream);
        flow.uncounted = u32::try_from(header.len()).unwrap_or(0);
        flow.hold_bytes(&header);
    }
}
