//! Closing the upstreams of idle connections whose clients stay.
//!
//! As the time limits, the thread looks itself, at the time of the earliest that may be due; a thread without
//! such listeners never looks.

use connctl_api::conn::Side;
use slab::Slab;

use super::pair::{Pair, Phase};
use super::stay;
use crate::nats::Stage;
use crate::net::tcp_info;

/// The least time between two looks, by the time-out.
const PERIOD_MS: std::ops::RangeInclusive<u64> = 10..=5_000;
/// A time-out is kept within this part of it.
const PRECISION: u64 = 20;
/// One that has no upstream, or cannot be parked now, is looked at so often in its time-out.
const REPEAT: u64 = 4;

/// When the next look is due.
#[derive(Debug)]
pub(super) struct Parking {
    at: u64,
}

impl Parking {
    /// None is due.
    pub(super) const fn never() -> Self {
        Self { at: u64::MAX }
    }

    /// Milliseconds until the next look.
    pub(super) fn wait_ms(&self, now_ms: u64) -> Option<u64> {
        (self.at != u64::MAX).then(|| self.at.saturating_sub(now_ms))
    }

    /// A connection has come.
    pub(super) fn include(&mut self, pair: &Pair, now_ms: u64) {
        if let Some(idle_ms) = pair.settings.reconnect.idle_ms {
            self.at = self.at.min(now_ms.saturating_add(idle_ms.max(period(idle_ms))));
        }
    }

    /// The connections whose upstream is to be closed now, if it is time to look.
    pub(super) fn due(&mut self, pairs: &Slab<Box<Pair>>, now_ms: u64) -> Vec<u32> {
        if self.at > now_ms {
            return Vec::new();
        }
        self.at = u64::MAX;
        let mut due = Vec::new();
        for (slot, pair) in pairs.iter().filter(|(_, pair)| !pair.is_over) {
            let Some(limit) = pair.settings.reconnect.idle_ms else {
                continue;
            };
            let idle = idle_ms(pair, now_ms);
            let mut wait = limit.saturating_add(1).saturating_sub(idle);
            if wait == 0 {
                if can_park(pair) {
                    due.push(u32::try_from(slot).unwrap_or(u32::MAX));
                }
                wait = limit / REPEAT;
            }
            self.at = self.at.min(now_ms.saturating_add(wait.max(period(limit))));
        }
        due
    }
}

fn period(idle_ms: u64) -> u64 {
    (idle_ms / PRECISION).clamp(*PERIOD_MS.start(), *PERIOD_MS.end())
}

/// Milliseconds since something passed; signs of life of a known session do not count.
fn idle_ms(pair: &Pair, now_ms: u64) -> u64 {
    match &pair.moving {
        Some(moving) => now_ms.saturating_sub(moving.active_ms),
        None => pair.conn.idle_ms(now_ms),
    }
}

/// Whether the upstream can be closed without anything being lost: all is open, nothing is under way.
fn can_park(pair: &Pair) -> bool {
    let is_open = |side| {
        let leg = pair.leg(side);
        let is_empty = |fd| tcp_info::receive_queue(fd) == 0 && tcp_info::send_queue(fd) == 0;
        !leg.ended && !leg.shut && !leg.hung_up && !leg.paused && leg.fd.as_ref().is_some_and(is_empty)
    };
    let is_at_rest = |pair: &Pair| match &pair.moving {
        None => true,
        Some(moving) => {
            let session = &moving.session;
            session.stage() == Stage::Live && session.can_move() && session.is_at_rest()
        }
    };
    pair.phase == Phase::Open
        && pair.work.is_none()
        && pair.flows.iter().all(super::flow::Flow::is_empty)
        && is_at_rest(pair)
        && is_open(Side::Client)
        && is_open(Side::Upstream)
}

/// Closes the upstream of an idle connection.
pub(super) fn park(pair: &mut Pair) {
    stay::leave_upstream(pair);
    (pair.phase, pair.is_away) = (Phase::Parked, true);
    let conn_id = pair.conn.id().get();
    tracing::debug!(conn_id, listener = &*pair.conn.origin().name, "the upstream is closed while it is idle");
}
