//! How many of a job's connections may go now, and when to ask again. A pure machine: time, the count of
//! accepted clients and chance are handed in.
//!
//! Work accrues with time at the rate of the moment, and a connection goes each time a whole one has. After a
//! delay the machine does not catch up: it would be a burst, and a burst is what a pace is there to prevent.

use std::collections::VecDeque;

use connctl_api::pace::{JUDGED, JUDGED_LEAST, Pace};

/// What accrues in a delay of more than this many milliseconds is lost.
const LATE_MS: f64 = 20.0;
/// The longest time between two turns: rates change, and so do clocks.
const LONGEST_WAIT_MS: f64 = 100.0;
/// Reconnects are counted over so many of them that one more or less makes little difference …
const COUNTED: f64 = 10.0;
/// … and for at least and at most so many milliseconds.
const COUNTED_MS: (f64, f64) = (250.0, 5_000.0);
/// The least share of the rate that too many reconnects leave.
const LEAST_SHARE: f64 = 0.01;
/// By how much the rate grows again after a count that was below …
const GROWTH: f64 = 1.25;
/// … this share of what is allowed.
const ROOM: f64 = 0.8;

/// What to do now.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Turn {
    /// So many connections may go now.
    pub count: usize,
    /// Ask again then, in milliseconds of the same clock.
    pub again_ms: u64,
}

/// The state of a pace.
#[derive(Debug)]
pub struct Pacer {
    /// Per millisecond; none is no limit.
    rate: Option<f64>,
    jitter: f64,
    ramp_ms: f64,
    begun_ms: f64,
    turned_ms: f64,
    /// Connections' worth of time that has passed.
    accrued: f64,
    /// How many have gone, and what must have accrued before the next one goes.
    gone: f64,
    due: f64,
    reconnects: Option<Reconnects>,
}

/// Clients that come back, and what they leave of the rate.
#[derive(Debug)]
struct Reconnects {
    /// The most per second.
    limit: f64,
    since_ms: f64,
    accepted: u64,
    share: f64,
}

#[expect(clippy::cast_precision_loss, reason = "times and counts stay far below 2^53")]
impl Pacer {
    /// A pace that begins now; `accepted` is the count of clients accepted so far.
    pub fn new(pace: &Pace, now_ms: u64, accepted: u64) -> Self {
        let now_ms = now_ms as f64;
        let reconnects = |limit| Reconnects { limit, since_ms: now_ms, accepted, share: 1.0 };
        Self {
            rate: pace.rate().map(|rate| rate / 1000.0),
            jitter: pace.jitter_percent.unwrap_or(0.0) / 100.0,
            ramp_ms: pace.ramp_ms.unwrap_or(0) as f64,
            begun_ms: now_ms,
            turned_ms: now_ms,
            accrued: 0.0,
            gone: 0.0,
            due: 0.0,
            reconnects: pace.until_reconnect_rate.map(reconnects),
        }
    }

    /// Connections per second at this moment; none is no limit.
    pub fn rate(&self) -> Option<f64> {
        self.rate_at(self.turned_ms).map(|rate| rate * 1000.0)
    }

    /// The rate per millisecond.
    fn rate_at(&self, now_ms: f64) -> Option<f64> {
        let share = self.reconnects.as_ref().map_or(1.0, |reconnects| reconnects.share);
        Some(self.rate? * share * self.ramped(now_ms))
    }

    /// What the ramp allows of the rate.
    fn ramped(&self, now_ms: f64) -> f64 {
        let elapsed = now_ms - self.begun_ms;
        if elapsed >= self.ramp_ms { 1.0 } else { elapsed / self.ramp_ms }
    }

    /// How many may go now. `chance` gives a number from 0 to 1 each time.
    pub fn turn(&mut self, now_ms: u64, accepted: u64, mut chance: impl FnMut() -> f64) -> Turn {
        let now = now_ms as f64;
        if let Some(reconnects) = &mut self.reconnects {
            reconnects.count(now, accepted);
        }
        let (Some(before), Some(rate)) = (self.rate_at(self.turned_ms), self.rate_at(now)) else {
            return Turn { count: usize::MAX, again_ms: u64::MAX };
        };
        // The rate changes linearly or not at all between two turns.
        self.accrued += (before + rate) / 2.0 * (now - self.turned_ms);
        self.accrued = self.accrued.min(self.due + (rate * LATE_MS).max(0.5));
        self.turned_ms = now;
        let mut count = 0;
        while self.accrued >= self.due {
            count += 1;
            self.gone += 1.0;
            self.due = self.gone + self.jitter * (2.0 * chance() - 1.0);
        }
        let wait = ((self.due - self.accrued) / rate).min(LONGEST_WAIT_MS);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "1 to 100")]
        let wait_ms = wait.ceil().max(1.0) as u64;
        Turn { count, again_ms: now_ms + wait_ms }
    }
}

#[expect(clippy::cast_precision_loss, reason = "times and counts stay far below 2^53")]
impl Reconnects {
    fn count(&mut self, now_ms: f64, accepted: u64) {
        let elapsed = now_ms - self.since_ms;
        if elapsed < (COUNTED / self.limit * 1000.0).clamp(COUNTED_MS.0, COUNTED_MS.1) {
            return;
        }
        let rate = accepted.saturating_sub(self.accepted) as f64 / elapsed * 1000.0;
        if rate > self.limit {
            self.share = (self.share * self.limit / rate).max(LEAST_SHARE);
        } else if rate < self.limit * ROOM {
            self.share = (self.share * GROWTH).min(1.0);
        }
        (self.since_ms, self.accepted) = (now_ms, accepted);
    }
}

/// Whether too many items fail.
#[derive(Debug)]
pub struct Judge {
    most_percent: Option<f64>,
    /// The last ones; true is a failure.
    recent: VecDeque<bool>,
}

impl Judge {
    /// Nothing has been judged yet.
    pub fn new(pace: &Pace) -> Self {
        Self { most_percent: pace.pause_if_percent, recent: VecDeque::new() }
    }

    /// One more item; tells why it is time to pause, if it is.
    #[expect(clippy::cast_precision_loss, reason = "at most 100")]
    pub fn add(&mut self, has_failed: bool) -> Option<String> {
        let most = self.most_percent?;
        if self.recent.len() == JUDGED {
            self.recent.pop_front();
        }
        self.recent.push_back(has_failed);
        let (failed, all) = (self.recent.iter().filter(|failed| **failed).count(), self.recent.len());
        let percent = failed as f64 * 100.0 / all as f64;
        (all >= JUDGED_LEAST && percent > most)
            .then(|| format!("{failed} of the last {all} failed, which is more than {most} %"))
    }

    /// Somebody has seen it and goes on all the same.
    pub fn forget(&mut self) {
        self.recent.clear();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rate(rate: f64) -> Pace {
        Pace { rate: Some(rate), ..Pace::default() }
    }

    /// A chance that is the same every time.
    fn chances() -> impl FnMut() -> f64 {
        let mut state = 1_u64;
        move || {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (state >> 40) as f64 / (1 << 24) as f64
        }
    }

    /// When each of `count` connections goes, if turns come `late_ms` after they were asked for.
    fn times(pace: &Pace, count: usize, late_ms: u64) -> Vec<u64> {
        let (mut pacer, mut now_ms, mut times, mut chance) =
            (Pacer::new(pace, 7, 0), 7, Vec::new(), chances());
        while times.len() < count {
            let turn = pacer.turn(now_ms, 0, &mut chance);
            times.extend((0..turn.count).map(|_| now_ms - 7));
            assert!(turn.again_ms > now_ms);
            now_ms = turn.again_ms + late_ms;
        }
        times
    }

    /// The most in any second.
    fn peak(times: &[u64]) -> usize {
        let within = |from: &u64| times.iter().filter(|time| (*from..*from + 1000).contains(time)).count();
        times.iter().map(within).max().unwrap()
    }

    #[test]
    fn a_rate_is_kept_and_spread_evenly() {
        for (per_second, late_ms) in [(1_u16, 0), (7, 1), (50, 0), (50, 2), (333, 1), (1000, 1), (5000, 2)] {
            let (count, per_second) = (usize::from(per_second) * 4, f64::from(per_second));
            let times = times(&rate(per_second), count, late_ms);
            let seconds = *times.last().unwrap() as f64 / 1000.0;
            assert!((3.0..4.1).contains(&seconds), "{per_second}: {seconds} s");
            assert!(peak(&times) as f64 <= per_second * 1.02 + 1.0, "{per_second}: {}", peak(&times));
            let gap = times.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap() as f64;
            assert!(gap <= 1000.0 / per_second + 6.0, "{per_second}: {gap} ms without any");
        }
    }

    #[test]
    fn jitter_moves_each_one_and_leaves_the_rate() {
        let pace = Pace { jitter_percent: Some(50.0), ..rate(50.0) };
        let times = times(&pace, 500, 0);
        let gaps: Vec<_> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
        assert!(gaps.iter().any(|gap| *gap < 15) && gaps.iter().any(|gap| *gap > 25), "{gaps:?}");
        assert!((9_900..10_100).contains(times.last().unwrap()), "{:?}", times.last());
        assert!(peak(&times) <= 52, "{}", peak(&times));
    }

    #[test]
    fn a_ramp_begins_slowly() {
        let pace = Pace { ramp_ms: Some(10_000), ..rate(100.0) };
        let times = times(&pace, 1500, 0);
        let until = |ms| times.iter().filter(|time| **time < ms).count();
        // Half of rate × time², over the time of the ramp.
        for (ms, count) in [(1_000, 5), (2_000, 20), (5_000, 125), (10_000, 500), (15_000, 1_000)] {
            assert!(until(ms).abs_diff(count) <= 3, "{ms} ms: {} and not {count}", until(ms));
        }
    }

    #[test]
    fn a_stall_is_not_caught_up_with() {
        let (mut pacer, mut chance) = (Pacer::new(&rate(50.0), 0, 0), chances());
        assert_eq!(pacer.turn(0, 0, &mut chance).count, 1);
        let turn = pacer.turn(60_000, 0, &mut chance);
        assert!(turn.count <= 2, "{turn:?}");
        let mut pacer = Pacer::new(&rate(10_000.0), 0, 0);
        assert!(pacer.turn(60_000, 0, &mut chance).count <= 201);
    }

    #[test]
    fn without_a_rate_all_may_go() {
        let turn = Pacer::new(&Pace::default(), 0, 0).turn(0, 0, || 0.5);
        assert_eq!(turn, Turn { count: usize::MAX, again_ms: u64::MAX });
    }

    /// How many went and came back in each second, where every client comes back after `delay_ms`.
    fn with_reconnects(pace: &Pace, seconds: usize, delay_ms: u64) -> Vec<u64> {
        let (mut pacer, mut chance) = (Pacer::new(pace, 0, 0), chances());
        let (mut now_ms, mut back, mut gone) = (0, Vec::new(), vec![0; seconds]);
        while now_ms < seconds as u64 * 1000 {
            let accepted = back.partition_point(|time| *time <= now_ms) as u64;
            let turn = pacer.turn(now_ms, accepted, &mut chance);
            back.extend((0..turn.count).map(|_| now_ms + delay_ms));
            gone[(now_ms / 1000) as usize] += turn.count as u64;
            now_ms = turn.again_ms;
        }
        gone
    }

    #[test]
    fn it_slows_down_while_too_many_come_back() {
        let pace = Pace { until_reconnect_rate: Some(20.0), ..rate(100.0) };
        let gone = with_reconnects(&pace, 20, 0);
        assert!(gone[0] < 70, "{gone:?}");
        assert!(gone[1..].iter().all(|count| (10..=24).contains(count)), "{gone:?}");
        // Clients that take a second to come back make it overshoot once, and settle.
        let gone = with_reconnects(&pace, 60, 1000);
        let settled = &gone[20..];
        let mean = settled.iter().sum::<u64>() as f64 / settled.len() as f64;
        assert!((8.0..=24.0).contains(&mean), "{mean}: {gone:?}");
    }

    #[test]
    fn it_keeps_its_rate_while_few_come_back() {
        let pace = Pace { until_reconnect_rate: Some(200.0), ..rate(100.0) };
        assert!(with_reconnects(&pace, 10, 0).iter().all(|count| (98..=102).contains(count)));
    }

    #[test]
    fn a_limit_on_reconnects_is_a_rate_where_none_is_given() {
        let pace = Pace { until_reconnect_rate: Some(20.0), ..Pace::default() };
        assert!(with_reconnects(&pace, 10, 0).iter().all(|count| (14..=22).contains(count)));
    }

    #[test]
    fn a_share_of_failures_counts_once_there_are_enough() {
        let pace = Pace { pause_if_percent: Some(5.0), ..rate(1.0) };
        let mut judge = Judge::new(&pace);
        assert!((0..19).all(|_| judge.add(true).is_none()));
        assert!(judge.add(true).unwrap().contains("20 of the last 20"));
        judge.forget();
        assert!((0..19).all(|_| judge.add(false).is_none()));
        assert!(judge.add(true).is_none(), "5 % is not more than 5 %");
        assert!(judge.add(true).is_some());
        assert!((0..1000).all(|_| Judge::new(&rate(1.0)).add(true).is_none()));
    }
}
