//! All that a relay thread knows of one connection, in values that could be written down.

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;

use connctl_api::conn::{Mode, Side, State};

use super::flow::{Cut, Flow};
use super::speaker::Speaker;
use super::work::{Method, Work};
use crate::config::ListenerSettings;
use crate::identity::{Frames, Tap};
use crate::nats::Session;
use crate::policy::admission::Ticket;
use crate::registry::Conn;

/// How often an ending asks the kernel where no event has come. The acknowledgement of a FIN is an event;
/// that of the last bytes before a RST is none.
const POLL_MS: u64 = 50;
/// One connection.
#[derive(Debug)]
pub(super) struct Pair {
    pub(super) conn: Arc<Conn>,
    pub(super) settings: Arc<ListenerSettings>,
    /// Its place under the limits; dropped when it has left the registry.
    pub(super) ticket: Option<Ticket>,
    /// By [`Side`]: the client's socket and the upstream's.
    pub(super) legs: [Leg; 2],
    /// By [`Way`].
    pub(super) flows: [Flow; 2],
    pub(super) phase: Phase,
    /// What operators and endings have begun; most connections have none.
    pub(super) work: Option<Box<Work>>,
    /// While the upstream is being dialled.
    pub(super) dial: Option<Box<Dialing>>,
    /// What another upstream would be told, where the listener keeps that.
    pub(super) moving: Option<Box<Moving>>,
    /// Until it is known whose it is.
    pub(super) tap: Option<Box<Tap>>,
    /// Where the agent opened the connection: what it says there itself.
    pub(super) speaker: Option<Box<Speaker>>,
    /// Where its protocol has a last packet that is not said yet.
    pub(super) farewell: Option<Box<Farewell>>,
    /// Its user has become known, and the limit for users is still to be asked.
    pub(super) is_news: bool,
    /// Its user is revoked: nothing more of it is relayed.
    pub(super) is_refused: bool,
    /// Whose FIN came first.
    pub(super) first_end: Option<Side>,
    /// The deadline that [`super::timers::Timers`] has for it; 0 is none.
    pub(super) deadline: u64,
    /// The time of the last byte that a warning was about; 0 is none.
    pub(super) warned_for_ms: u64,
    /// When it was last found that nothing waits for either peer; 0 is never.
    pub(super) delivered_at_ms: u64,
    /// It waits for another turn without an event: it used up its share of this one, or the commands go first.
    pub(super) is_queued: bool,
    /// It is over, and its slot is free after the events at hand.
    pub(super) is_over: bool,
    /// It was open, and goes on without an upstream until there is one again.
    pub(super) is_away: bool,
    /// The upstream's place in the settings, as it was last dialled.
    pub(super) upstream: u8,
    /// The number of the upstream's socket: an event of an earlier one is none of this one's.
    pub(super) serial: u8,
}

/// One socket.
#[derive(Debug, Default)]
pub(super) struct Leg {
    pub(super) fd: Option<OwnedFd>,
    /// There may be something to read; cleared when a read found less than it had room for.
    pub(super) readable: bool,
    /// There may be room to write; cleared when a write found none.
    pub(super) writable: bool,
    /// The kernel reported the peer's FIN or an error: read until it is found.
    pub(super) hung_up: bool,
    /// The kernel reported an error.
    pub(super) failed: bool,
    /// An operator stopped the reads.
    pub(super) paused: bool,
    /// The peer's FIN was read.
    pub(super) ended: bool,
    /// Our FIN was sent.
    pub(super) shut: bool,
    /// Something happened to it since an ending last asked the kernel for its state.
    pub(super) has_news: bool,
}

/// Where a connection is before its bytes flow.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Phase {
    /// Waiting for a PROXY header.
    Header,
    /// Waiting for the upstream.
    Dialing,
    /// The upstream is connected and is told what the one before it knew.
    Restoring,
    /// The upstream was idle and is closed; the client's next byte dials it again.
    Parked,
    /// Bytes flow.
    Open,
}

/// What is left to try.
#[derive(Debug)]
pub(super) struct Dialing {
    /// The upstreams that this round has tried, a bit for each place in the settings.
    pub(super) tried: u64,
    /// Addresses of the one before that are not tried yet.
    pub(super) addresses: VecDeque<SocketAddr>,
    /// The address being dialled.
    pub(super) current: Option<SocketAddr>,
    /// When that began.
    pub(super) begun_us: u64,
    /// Why the last attempt failed.
    pub(super) last: Option<connctl_api::end::Reason>,
    /// No address of the upstream at hand has been reached so far, and one has failed.
    pub(super) is_failed: bool,
    /// When the header, the name or the dial that is waited for is late, or the rest is over.
    pub(super) deadline: u64,
    /// Nothing is dialled for a moment: the next round begins at the deadline.
    pub(super) is_resting: bool,
    /// How long the next rest is.
    pub(super) rest_ms: u64,
    /// No round begins after this; 0 is none but the first.
    pub(super) until: u64,
}

/// What a connection needs to go on with another upstream.
#[derive(Debug)]
pub(super) struct Moving {
    pub(super) session: Session,
    /// When something last passed that is more than a sign of life.
    pub(super) active_ms: u64,
    /// When the session was last restored; 0 is never.
    pub(super) restored_ms: u64,
}

/// Where the server is in its packets, and what is to be said after the one that is under way.
#[derive(Debug, Default)]
pub(super) struct Farewell {
    pub(super) frames: Frames,
    /// Empty until there is something to say.
    pub(super) packet: Vec<u8>,
}

/// A direction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    ToUpstream,
    ToClient,
}

impl Way {
    pub(super) const BOTH: [Self; 2] = [Self::ToUpstream, Self::ToClient];

    /// The direction against this one.
    pub(super) const fn other(self) -> Self {
        match self {
            Self::ToUpstream => Self::ToClient,
            Self::ToClient => Self::ToUpstream,
        }
    }

    /// The direction whose bytes come out at this side.
    pub(super) const fn into_side(side: Side) -> Self {
        match side {
            Side::Client => Self::ToClient,
            Side::Upstream => Self::ToUpstream,
        }
    }
}

pub(super) const SIDES: [Side; 2] = [Side::Client, Side::Upstream];

/// The other side.
pub(super) const fn opposite(side: Side) -> Side {
    match side {
        Side::Client => Side::Upstream,
        Side::Upstream => Side::Client,
    }
}

impl Pair {
    pub(super) fn new(conn: Arc<Conn>, settings: Arc<ListenerSettings>, fd: OwnedFd) -> Self {
        let leg = Leg { fd: Some(fd), writable: true, ..Leg::default() };
        let legs = match conn.origin().mode.side() {
            Side::Client => [leg, Leg::default()],
            Side::Upstream => [Leg::default(), leg],
        };
        Self {
            conn,
            settings,
            ticket: None,
            legs,
            flows: [Flow::default(), Flow::default()],
            phase: Phase::Open,
            work: None,
            dial: None,
            moving: None,
            tap: None,
            speaker: None,
            farewell: None,
            is_news: false,
            is_refused: false,
            first_end: None,
            deadline: 0,
            warned_for_ms: 0,
            delivered_at_ms: 0,
            is_queued: false,
            is_over: false,
            is_away: false,
            upstream: 0,
            serial: 0,
        }
    }

    pub(super) const fn leg(&self, side: Side) -> &Leg {
        &self.legs[side as usize]
    }

    pub(super) const fn leg_mut(&mut self, side: Side) -> &mut Leg {
        &mut self.legs[side as usize]
    }

    /// Another socket takes the place of the upstream's, or none does. What an operator paused stays paused.
    pub(super) fn set_upstream(&mut self, leg: Leg) {
        let paused = self.leg(Side::Upstream).paused;
        *self.leg_mut(Side::Upstream) = Leg { paused, ..leg };
    }

    pub(super) const fn flow(&self, way: Way) -> &Flow {
        &self.flows[way as usize]
    }

    pub(super) const fn flow_mut(&mut self, way: Way) -> &mut Flow {
        &mut self.flows[way as usize]
    }

    /// Notes that it waits for another turn; tells whether it did not yet.
    pub(super) fn put_off(&mut self) -> bool {
        !std::mem::replace(&mut self.is_queued, true)
    }

    /// Whether it has a socket on either side.
    pub(super) fn has_both(&self) -> bool {
        self.legs.iter().all(|leg| leg.fd.is_some())
    }

    /// Whether why it ends is settled.
    pub(super) fn is_ending(&self) -> bool {
        self.work.as_ref().is_some_and(|work| work.cause.is_some())
    }

    /// Where a direction's bytes come from and go to in this connection's mode. A source without a
    /// destination is read and dropped. An `outbound` connection has no client's socket: what goes to its
    /// upstream the agent says itself.
    pub(super) fn route(&self, way: Way) -> Option<(Side, Option<Side>)> {
        match (self.conn.origin().mode, way) {
            (Mode::Forward, Way::ToUpstream) => Some((Side::Client, Some(Side::Upstream))),
            (Mode::Forward, Way::ToClient) => Some((Side::Upstream, Some(Side::Client))),
            (Mode::Echo, Way::ToClient) => Some((Side::Client, Some(Side::Client))),
            (Mode::Hold, Way::ToUpstream) => Some((Side::Client, None)),
            (Mode::Outbound, Way::ToUpstream) => Some((Side::Client, Some(Side::Upstream))),
            (Mode::Outbound, Way::ToClient) => Some((Side::Upstream, None)),
            (Mode::Echo | Mode::Hold, _) => None,
        }
    }

    /// Bytes that the agent holds for this side.
    pub(super) fn held_for(&self, side: Side) -> u64 {
        let of_session = match (side, &self.moving) {
            (Side::Client, Some(moving)) => moving.session.kept_for_client(),
            _ => 0,
        };
        self.flow(Way::into_side(side)).held_bytes() + of_session as u64
    }

    /// Descriptors that its listener took from the budget for it.
    pub(super) fn descriptors(&self) -> u8 {
        descriptors(self.conn.origin().mode)
    }

    /// Whether a direction has come to its end: read to the end, and the end passed on.
    pub(super) fn is_done(&self, way: Way) -> bool {
        match self.route(way) {
            None => true,
            Some((from, to)) => {
                self.leg(from).ended && self.flow(way).is_empty() && to.is_none_or(|to| self.leg(to).shut)
            }
        }
    }

    /// Tells the shared face where the connection is in its life.
    pub(super) fn publish_state(&self) {
        let state = if self.is_ending() {
            State::Closing
        } else if !matches!(self.phase, Phase::Open | Phase::Parked) {
            State::Opening
        } else if self.legs.iter().any(|leg| leg.paused) {
            State::Paused
        } else if self.legs.iter().any(|leg| leg.ended || leg.shut) {
            State::HalfClosed
        } else {
            State::Active
        };
        self.conn.set_state(state);
    }

    /// When the connection wants to be looked at again without an event; 0 is never.
    pub(super) fn next_deadline(&self, now_ms: u64) -> u64 {
        let dial = self.dial.as_ref().map_or(0, |dial| dial.deadline);
        let work = self.work.as_ref().map_or(0, |work| {
            let waiting = work.waiters.iter().map(|waiter| waiter.until).min();
            let end = if work.cause.is_some() { Some(work.deadline) } else { waiting };
            end.map_or(0, |end| end.min(now_ms + POLL_MS).max(1))
        });
        match (dial, work) {
            (0, other) | (other, 0) => other,
            (one, other) => one.min(other),
        }
    }

    /// Whether this side ends with a RST, before which there must be no FIN.
    pub(super) fn is_to_be_reset(&self, side: Side) -> bool {
        let method = self.work.as_ref().and_then(|work| work.legs[side as usize].method);
        method.is_some_and(|method| method > Method::Finish)
    }

    /// Whether the direction is being cut off with its budget used up.
    pub(super) fn is_cut(&self, way: Way) -> bool {
        self.flow(way).cut == Cut::After(0)
    }
}

/// Descriptors that a connection of this mode needs.
pub(crate) const fn descriptors(mode: Mode) -> u8 {
    match mode {
        Mode::Forward => 2,
        Mode::Echo | Mode::Hold | Mode::Outbound => 1,
    }
}
