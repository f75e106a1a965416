//! How the upstreams of a listener are, by the dials of its connections.
//!
//! One that could not be reached is passed over for a while: connections dial it only behind the others, but
//! for one at a time that finds out whether it is back. Where all are down, all are dialled as before.

use std::sync::{Mutex, MutexGuard, PoisonError};

use connctl_api::end::Reason;
use connctl_api::instant::Instant;
use connctl_api::listener::UpstreamState;

/// How long an upstream is passed over after its first failure; twice as long after each further one.
const FIRST_PAUSE_MS: u64 = 1_000;
/// The longest.
const MAX_PAUSE_MS: u64 = 30_000;

/// The upstreams of one listener, by their place in the configuration.
#[derive(Debug, Default)]
pub struct Upstreams(Mutex<Box<[Health]>>);

/// One upstream.
#[derive(Debug, Clone, Copy, Default)]
struct Health {
    /// Dials that failed since one succeeded.
    failures: u32,
    last_error: Option<Reason>,
    /// Passed over until then.
    retry_at_ms: u64,
    /// When its state began; `None` is never.
    since: Option<Instant>,
}

/// One upstream as it is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Shown {
    /// How it is.
    pub state: UpstreamState,
    /// Why the last dial failed.
    pub last_error: Option<Reason>,
    /// Since when it is so.
    pub since: Option<Instant>,
    /// Milliseconds for which it is passed over.
    pub retry_in_ms: Option<u64>,
}

impl Upstreams {
    /// So many, of which nothing is known.
    pub fn new(count: usize) -> Self {
        Self(Mutex::new(vec![Health::default(); count].into()))
    }

    /// The configuration has others now: so many, of which nothing is known.
    pub fn replace(&self, count: usize) {
        *self.all() = vec![Health::default(); count].into();
    }

    fn all(&self) -> MutexGuard<'_, Box<[Health]>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The one to dial next, of those whose bit is not set in `tried`: the first that is not passed over, or
    /// else the first.
    pub fn choose(&self, tried: u64, now_ms: u64) -> Option<usize> {
        let mut all = self.all();
        let is_left = |index: usize| index < 64 && tried & (1 << index) == 0;
        let usable = |(index, one): &(usize, &mut Health)| is_left(*index) && one.retry_at_ms <= now_ms;
        if let Some((index, one)) = all.iter_mut().enumerate().find(usable) {
            if one.failures > 0 {
                // This dial finds out; the others go on to pass it over.
                one.retry_at_ms = now_ms.saturating_add(one.pause_ms());
            }
            return Some(index);
        }
        (0..all.len()).find(|index| is_left(*index))
    }

    /// A dial reached it. Tells whether it had been down.
    pub fn succeeded(&self, index: usize, wall_ms: i64) -> bool {
        let mut all = self.all();
        let Some(one) = all.get_mut(index) else {
            return false;
        };
        let was_down = one.failures > 0;
        if was_down || one.since.is_none() {
            *one = Health { since: Some(Instant(wall_ms)), ..Health::default() };
        }
        was_down
    }

    /// A dial did not reach it. Tells whether it had not been down.
    pub fn failed(&self, index: usize, reason: Reason, now_ms: u64, wall_ms: i64) -> bool {
        let mut all = self.all();
        let Some(one) = all.get_mut(index) else {
            return false;
        };
        let is_first = one.failures == 0;
        if is_first {
            one.since = Some(Instant(wall_ms));
        }
        // Dials that were under way together count once.
        if one.retry_at_ms <= now_ms || is_first {
            one.failures = one.failures.saturating_add(1);
            one.retry_at_ms = now_ms.saturating_add(one.pause_ms());
        }
        one.last_error = Some(reason);
        is_first
    }

    /// All of them, to be shown.
    pub fn shown(&self, now_ms: u64) -> Vec<Shown> {
        self.all().iter().map(|one| one.shown(now_ms)).collect()
    }
}

impl Health {
    fn pause_ms(&self) -> u64 {
        let doublings = self.failures.saturating_sub(1).min(16);
        (FIRST_PAUSE_MS << doublings).min(MAX_PAUSE_MS)
    }

    fn shown(&self, now_ms: u64) -> Shown {
        let state = match (self.failures, self.since) {
            (0, None) => UpstreamState::Untried,
            (0, Some(_)) => UpstreamState::Up,
            _ => UpstreamState::Down,
        };
        let retry_in_ms = Some(self.retry_at_ms.saturating_sub(now_ms)).filter(|ms| *ms > 0);
        Shown { state, last_error: self.last_error, since: self.since, retry_in_ms }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: u64 = 0b11;

    #[test]
    fn one_that_failed_is_passed_over_and_tried_last() {
        let upstreams = Upstreams::new(2);
        assert_eq!(
            (upstreams.choose(0, 0), upstreams.choose(1, 0), upstreams.choose(ALL, 0)),
            (Some(0), Some(1), None)
        );
        assert!(upstreams.failed(0, Reason::Econnrefused, 0, 5));
        assert_eq!((upstreams.choose(0, 999), upstreams.choose(0b10, 999)), (Some(1), Some(0)));
        // One connection finds out, and the next ones do not wait for it.
        assert_eq!((upstreams.choose(0, 1_000), upstreams.choose(0, 1_000)), (Some(0), Some(1)));
        assert!(upstreams.succeeded(0, 7));
        assert_eq!(upstreams.choose(0, 1_001), Some(0));
        let shown = upstreams.shown(0);
        let up =
            Shown { state: UpstreamState::Up, last_error: None, since: Some(Instant(7)), retry_in_ms: None };
        let untried =
            Shown { state: UpstreamState::Untried, last_error: None, since: None, retry_in_ms: None };
        assert_eq!(shown, [up, untried]);
    }

    #[test]
    fn where_all_are_down_all_are_dialled_in_order() {
        let upstreams = Upstreams::new(2);
        for index in [0, 1] {
            upstreams.failed(index, Reason::Etimedout, 0, 0);
        }
        assert_eq!((upstreams.choose(0, 1), upstreams.choose(1, 1)), (Some(0), Some(1)));
    }

    #[test]
    fn the_pause_grows_to_its_bound_and_dials_at_once_count_once() {
        let upstreams = Upstreams::new(1);
        let (mut now, mut pauses) = (0, Vec::new());
        for _ in 0..7 {
            for _ in 0..3 {
                upstreams.failed(0, Reason::Econnrefused, now, 0);
            }
            let pause = upstreams.shown(now)[0].retry_in_ms.unwrap();
            pauses.push(pause);
            now += pause;
        }
        assert_eq!(pauses, [1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
        assert_eq!(upstreams.shown(0)[0].last_error, Some(Reason::Econnrefused));
    }
}
