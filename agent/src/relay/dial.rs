//! Before bytes flow: the PROXY header where one is expected, then the upstream.

use std::collections::VecDeque;
use std::net::SocketAddr;

use connctl_api::conn::{Mode, Side};
use connctl_api::end::{Cause, Initiator, Reason};

use super::context::Context;
use super::message::Message;
use super::pair::{Dialing, Leg, Pair, Phase};
use super::proxy::{self, Read};
use super::token::Token;
use super::{ending, identify, refuse, stay, upstream};
use crate::base::clock;
use crate::config::Upstream;
use crate::conn::command::Target;
use crate::identity::proxy::Header;
use crate::net::connect::{self, Dial};
use crate::net::errno;

/// The shortest rest between two rounds of dials, and the longest.
const MIN_REST_MS: u64 = 20;
const MAX_REST_MS: u64 = 1_000;

/// Decides what comes first.
pub(super) fn welcome(pair: &mut Pair, slot: u32, context: &mut Context) {
    if refuse::is_proxied(pair) {
        pair.phase = Phase::Header;
        let deadline = context.now_ms + clock::millis(pair.settings.proxy_timeout);
        pair.dial = Some(Box::new(waiting(deadline)));
    } else {
        first(pair, None, slot, context);
    }
}

fn waiting(deadline: u64) -> Dialing {
    Dialing {
        tried: 0,
        addresses: VecDeque::new(),
        current: None,
        begun_us: 0,
        last: None,
        is_failed: false,
        deadline,
        is_resting: false,
        rest_ms: MIN_REST_MS,
        until: 0,
    }
}

fn first(pair: &mut Pair, header: Option<Header>, slot: u32, context: &mut Context) {
    if !identify::begin(pair, header, &context.shared) {
        return refuse::end(pair, context);
    }
    if pair.conn.origin().mode != Mode::Forward {
        pair.phase = Phase::Open;
        pair.dial = None;
        return;
    }
    stay::begin(pair, context.now_ms);
    begin(pair, None, slot, context);
}

/// Begins to dial. `lost` is why the upstream before was lost, and which ones not to dial in this round.
pub(super) fn begin(pair: &mut Pair, lost: Option<(Reason, u64)>, slot: u32, context: &mut Context) {
    let reconnect = &pair.settings.reconnect;
    let dial_ms = clock::millis(pair.settings.dial_timeout);
    let age_ms = pair.conn.age_ms(context.now_ms);
    let again_ms = match (&pair.moving, pair.is_away) {
        (Some(_), true) => reconnect.timeout_ms,
        _ if !reconnect.redial => 0,
        (None, true) => dial_ms,
        // Repeated dials of a client that has had nothing take no longer than one.
        (_, false) => dial_ms.saturating_sub(age_ms),
    };
    let until = if again_ms == 0 { 0 } else { context.now_ms.saturating_add(again_ms) };
    let rest_ms = if lost.is_some() { (age_ms / 8).clamp(MIN_REST_MS, MAX_REST_MS) } else { MIN_REST_MS };
    let (last, tried) = lost.map_or((None, 0), |(reason, tried)| (Some(reason), tried));
    pair.phase = Phase::Dialing;
    pair.dial = Some(Box::new(Dialing { last, tried, until, rest_ms, ..waiting(0) }));
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
        Phase::Restoring => check_restoring(pair, slot, context),
        Phase::Parked | Phase::Open => {}
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
            first(pair, Some(header), slot, context);
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
        Ok(()) => connected(pair, context),
        Err(error) => failed(pair, errno::reason(error), slot, context),
    }
}

/// An upstream that is told a session may still fail.
fn check_restoring(pair: &mut Pair, slot: u32, context: &mut Context) {
    let upstream = pair.leg_mut(Side::Upstream);
    if std::mem::take(&mut upstream.failed)
        && let Some(fd) = upstream.fd.as_ref()
        && let Err(error) = connect::outcome(fd)
    {
        attempt_failed(pair, errno::reason(error), slot, context);
    }
}

/// An attempt to restore a session failed: the next address is tried, unless the upstream said no.
pub(super) fn attempt_failed(pair: &mut Pair, reason: Reason, slot: u32, context: &mut Context) {
    if pair.moving.as_ref().is_some_and(|moving| !moving.session.can_move()) {
        return give_up(pair, Some(reason), context);
    }
    stay::leave_upstream(pair);
    pair.phase = Phase::Dialing;
    failed(pair, reason, slot, context);
}

/// The attempt at hand failed: the next one.
pub(super) fn failed(pair: &mut Pair, reason: Reason, slot: u32, context: &mut Context) {
    drop_attempt(pair, reason);
    try_next(pair, slot, context);
}

fn drop_attempt(pair: &mut Pair, reason: Reason) {
    pair.set_upstream(Leg::default());
    if let Some(dial) = &mut pair.dial {
        dial.last = Some(reason);
        dial.is_failed = true;
        dial.current = None;
        dial.deadline = 0;
    }
}

/// Dials the next address, or looks up the next name, or rests, or gives up.
fn try_next(pair: &mut Pair, slot: u32, context: &mut Context) {
    while let Some(dial) = &mut pair.dial {
        let Some(address) = dial.addresses.pop_front() else {
            if choose(pair, slot, context) {
                continue;
            }
            return;
        };
        dial.current = Some(address);
        dial.begun_us = clock::now_us();
        dial.deadline = context.now_ms + clock::millis(pair.settings.dial_timeout);
        pair.serial = pair.serial.wrapping_add(1);
        let token = Token { slot, side: Side::Upstream, serial: pair.serial };
        let begun = connect::start(address, &pair.settings).and_then(|dial| {
            let (Dial::Connected(fd) | Dial::Pending(fd)) = &dial;
            let watched = context.poll.watch(fd, token.number());
            watched
                .map(|()| dial)
                .map_err(|error| rustix::io::Errno::from_io_error(&error).unwrap_or(rustix::io::Errno::NOMEM))
        });
        match begun {
            Ok(Dial::Connected(fd)) => {
                pair.set_upstream(Leg { fd: Some(fd), ..Leg::default() });
                return connected(pair, context);
            }
            Ok(Dial::Pending(fd)) => {
                pair.set_upstream(Leg { fd: Some(fd), ..Leg::default() });
                return;
            }
            Err(error) => drop_attempt(pair, errno::reason(error)),
        }
    }
}

/// Chooses the next upstream of this round. Tells whether there is an address to dial now.
fn choose(pair: &mut Pair, slot: u32, context: &mut Context) -> bool {
    let Some(dial) = &mut pair.dial else {
        return false;
    };
    if std::mem::take(&mut dial.is_failed)
        && let Some(reason) = dial.last
    {
        upstream::note_down(pair, reason, context.now_ms);
    }
    let upstreams = &pair.conn.origin().upstreams;
    let Some(dial) = &mut pair.dial else {
        return false;
    };
    let Some(index) = upstreams.choose(dial.tried, context.now_ms) else {
        rest(pair, context);
        return false;
    };
    dial.tried |= 1 << index;
    // There are at most `MAX_UPSTREAMS`.
    pair.upstream = u8::try_from(index).unwrap_or(u8::MAX);
    match pair.settings.upstream.get(index) {
        None => true,
        Some(Upstream::Address(address)) => {
            dial.addresses.push_back(*address);
            true
        }
        Some(Upstream::Name(name, port)) => {
            dial.deadline = context.now_ms + clock::millis(pair.settings.dial_timeout);
            resolve((slot, pair.conn.id()), pair.upstream, (name.clone(), *port), context);
            false
        }
    }
}

/// All upstreams have been tried: another round a little later, or the end.
fn rest(pair: &mut Pair, context: &mut Context) {
    match &mut pair.dial {
        Some(dial) if dial.until != 0 && context.now_ms + dial.rest_ms <= dial.until => {
            (dial.tried, dial.current, dial.is_resting) = (0, None, true);
            // Clients that lost their upstream together do not come back together.
            let spread = pair.conn.id().get() % 16 * dial.rest_ms / 64;
            dial.deadline = context.now_ms + dial.rest_ms + spread;
            dial.rest_ms = (2 * dial.rest_ms).min(MAX_REST_MS);
        }
        _ => give_up(pair, None, context),
    }
}

/// A lookup may take long, so it happens elsewhere and its answer is a message.
fn resolve(target: Target, upstream: u8, (name, port): (Box<str>, u16), context: &Context) {
    let outbox = context.outbox.clone();
    context.shared.resolver.spawn(async move {
        let addresses = match tokio::net::lookup_host((&*name, port)).await {
            Ok(addresses) => addresses.collect(),
            Err(error) => {
                tracing::warn!(%error, name = &*name, "an upstream's name has no address");
                Vec::new()
            }
        };
        outbox.post(Message::Resolved { target, upstream, addresses });
    });
}

/// A lookup's answer for the upstream at this place. One that comes too late finds another upstream's turn, or
/// a dial under way, and is not used.
pub(super) fn resolved(
    pair: &mut Pair,
    slot: u32,
    (upstream, addresses): (u8, Vec<SocketAddr>),
    context: &mut Context,
) {
    let is_its_turn = pair.upstream == upstream;
    let is_awaited = |dial: &&mut Box<Dialing>| is_its_turn && dial.current.is_none() && !dial.is_resting;
    let Some(dial) = pair.dial.as_mut().filter(is_awaited) else {
        return;
    };
    if addresses.is_empty() {
        (dial.last, dial.is_failed) = (Some(Reason::UnknownHost), true);
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
        Phase::Dialing => match &mut pair.dial {
            Some(dial) if dial.is_resting => {
                (dial.is_resting, dial.deadline) = (false, 0);
                try_next(pair, slot, context);
            }
            _ => failed(pair, Reason::Etimedout, slot, context),
        },
        Phase::Restoring => attempt_failed(pair, Reason::Etimedout, slot, context),
        Phase::Parked | Phase::Open => {}
    }
}

/// The connection ends for want of an upstream.
pub(super) fn give_up(pair: &mut Pair, reason: Option<Reason>, context: &mut Context) {
    let last = pair.dial.as_ref().and_then(|dial| dial.last);
    let reason = reason.or(last).unwrap_or(Reason::UnknownHost);
    let initiator = if reason == Reason::Resource { Initiator::Agent } else { Initiator::Upstream };
    let cause = Cause { reason, initiator, side: Some(Side::Upstream) };
    // An upstream that accepts and resets may do so before its acceptance was seen: a RST is passed on as one.
    let methods = if reason == Reason::Econnreset { ending::BOTH_FLUSH_RESET } else { ending::BOTH_FINISH };
    ending::begin(pair, cause, methods, ending::DIAL_FLUSH_MS, context);
}

fn connected(pair: &mut Pair, context: &Context) {
    let Some(dial) = &mut pair.dial else {
        return;
    };
    dial.is_failed = false;
    context.shared.record.latencies.dial.took(clock::now_us().saturating_sub(dial.begun_us));
    dial.deadline = context.now_ms + clock::millis(pair.settings.dial_timeout);
    let address = dial.current;
    pair.conn.set_upstream(address);
    pair.leg_mut(Side::Upstream).writable = true;
    if let Some(version) = pair.settings.send_proxy {
        let header =
            proxy::header(version, pair.conn.client().unwrap_or(pair.conn.peer()), pair.conn.local());
        let flow = pair.flow_mut(super::pair::Way::ToUpstream);
        flow.uncounted = u32::try_from(header.len()).unwrap_or(0);
        flow.hold_bytes(&header);
    }
    match &mut pair.moving {
        Some(moving) if pair.is_away => {
            moving.session.dialled();
            pair.phase = Phase::Restoring;
        }
        _ => opened(pair),
    }
}

/// Bytes flow from now on.
pub(super) fn opened(pair: &mut Pair) {
    upstream::note_up(pair);
    (pair.phase, pair.is_away, pair.dial) = (Phase::Open, false, None);
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;
    use std::os::unix::net::UnixStream;
    use std::sync::Arc;

    use connctl_api::id::ConnId;
    use connctl_api::instant::Instant;

    use super::*;
    use crate::base::inbox::inbox;
    use crate::config::{ListenerSettings, RecordSettings};
    use crate::net::pipes::Pool;
    use crate::net::poll::Poll;
    use crate::policy::revoke::Revocations;
    use crate::record::Record;
    use crate::registry::Conn;
    use crate::registry::conn::{Birth, Origin};
    use crate::relay::timers::Timers;
    use crate::relay::{Budget, Shared};

    fn context(resolver: tokio::runtime::Handle) -> Context {
        let shared = Shared {
            registry: Arc::default(),
            revocations: Arc::new(Revocations::open(None, Instant(0)).unwrap()),
            stats: Arc::default(),
            record: Arc::new(Record::open(&RecordSettings::default(), None).unwrap()),
            resolver,
            descriptors: Arc::new(Budget::new(10)),
            pipes: 1,
        };
        Context {
            shared,
            peers: Arc::default(),
            outbox: inbox().unwrap().0,
            poll: Poll::new().unwrap(),
            pipes: Pool::new(1),
            buffer: Box::default(),
            now_ms: clock::now_ms(),
            clients_first: false,
            timers: Timers::default(),
            turns: Vec::new(),
            over: Vec::new(),
            live: Arc::default(),
        }
    }

    /// A client whose upstreams have these names.
    fn pair(names: [&str; 2]) -> Pair {
        let upstream = names.map(|name| Upstream::Name(name.into(), 1)).into();
        let settings = ListenerSettings { upstream, ..ListenerSettings::outbound() };
        let address = ([127, 0, 0, 1], 1).into();
        let conn = Conn::new(Birth {
            id: ConnId::new(1).unwrap(),
            origin: Arc::new(Origin::new("front", Mode::Forward, 0).with_upstreams(names.len())),
            peer: address,
            local: address,
            wall_ms: 0,
            now_ms: clock::now_ms(),
            thread: 0,
        });
        let (client, _) = UnixStream::pair().unwrap();
        Pair::new(Arc::new(conn), Arc::new(settings), client.into())
    }

    #[test]
    fn the_late_answer_for_one_name_is_not_taken_for_anothers() {
        // It is never driven: the answers are given here.
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        let (mut context, mut pair) = (context(runtime.handle().clone()), pair(["one", "other"]));
        let listeners = [(); 2].map(|()| TcpListener::bind("127.0.0.1:0").unwrap());
        let [one, other] = listeners.each_ref().map(|listener| listener.local_addr().unwrap());
        begin(&mut pair, None, 0, &mut context);
        assert_eq!(pair.upstream, 0);
        context.now_ms += clock::millis(pair.settings.dial_timeout);
        late(&mut pair, 0, &mut context);
        assert_eq!(pair.upstream, 1, "the first name took too long");
        resolved(&mut pair, 0, (0, vec![one]), &mut context);
        assert!(pair.leg(Side::Upstream).fd.is_none(), "nobody asked for that any more");
        resolved(&mut pair, 0, (1, vec![other]), &mut context);
        let dialled = pair.dial.as_ref().map_or(pair.conn.upstream(), |dial| dial.current);
        assert_eq!(dialled, Some(other));
    }
}
