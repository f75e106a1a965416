//! How long a connection may stay: a function of its facts and its listener's settings, without a socket.

use connctl_api::conn::Mode;
use connctl_api::end::Reason;
use connctl_api::id::ConnId;

use crate::config::{KeepAlive, Timeouts};
use crate::registry::Conn;

/// How much longer than the standard class the extended one may be idle.
const EXTENDED_FACTOR: u64 = 6;
/// A maximum lifetime is spread by this much in both directions, so that connections which came together
/// do not leave together.
const JITTER_PERCENT: u64 = 5;
/// The span between two looks at the connections of a thread.
const PERIOD_MS: std::ops::RangeInclusive<u64> = 10..=5_000;
/// A time-out without an interval of its own is kept within this part of it.
const PRECISION: u64 = 20;
/// While the client's first byte cannot be read, this is how often in its time-out that is asked again.
const REPEAT: u64 = 4;

/// What there is to know of a connection.
#[derive(Debug, Clone, Copy)]
pub struct Facts {
    /// Its id, which its share of the jitter comes from.
    pub id: ConnId,
    /// Milliseconds since it was accepted, at least.
    pub age_ms: u64,
    /// Milliseconds since the last byte, at least.
    pub idle_ms: u64,
    /// Milliseconds since one direction ended, at least, if one has.
    pub half_closed_ms: Option<u64>,
    /// Where the client's first byte is.
    pub first_byte: FirstByte,
    /// It was warned of since the last byte.
    pub is_warned: bool,
}

/// Where the client's first byte is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FirstByte {
    /// It came.
    Came,
    /// It would have been read, and has not come.
    Due,
    /// The agent does not read yet: the upstream is being dialled, or reading is paused.
    NotRead,
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing for so many milliseconds, whatever happens until then; `None` is for ever.
    Nothing(Option<u64>),
    /// Warn that it will end, and ask again.
    Warn,
    /// End it.
    End(Reason),
}

impl Facts {
    /// What a connection's record tells. `reads` is whether the agent reads what the client sends.
    pub fn of(conn: &Conn, reads: bool, now_ms: u64) -> Self {
        let first_byte = if conn.to_upstream_bytes() > 0 || conn.origin().mode == Mode::Outbound {
            FirstByte::Came
        } else if reads {
            FirstByte::Due
        } else {
            FirstByte::NotRead
        };
        // Both ends of a span are cut to whole milliseconds, so that it may look longer than it was by up to
        // one: a limit is never applied early.
        let surely = |ms: u64| ms.saturating_sub(1);
        Self {
            id: conn.id(),
            age_ms: surely(conn.age_ms(now_ms)),
            idle_ms: surely(conn.idle_ms(now_ms)),
            half_closed_ms: conn.half_closed_ms(now_ms).map(surely),
            first_byte,
            is_warned: false,
        }
    }
}

/// Judges a connection.
pub fn judge(facts: &Facts, limits: &Timeouts) -> Verdict {
    let end = next_end(facts, limits);
    if !facts.is_warned
        && limits.keep_alive == KeepAlive::Extended
        && let Some(limit) = idle_limit(limits)
    {
        // Early enough to be read before the end, and never in the first half.
        let lead = limits.check_interval_ms.min(limit / 2);
        if facts.idle_ms >= limit - lead {
            return Verdict::Warn;
        }
        let warning = limit - lead - facts.idle_ms;
        let wait = end.map_or(warning, |(ms, _)| ms.min(warning));
        return if wait == 0 { as_verdict(end, limits, facts) } else { soonest(wait, limits, facts) };
    }
    as_verdict(end, limits, facts)
}

fn as_verdict(end: Option<(u64, Reason)>, limits: &Timeouts, facts: &Facts) -> Verdict {
    match end {
        Some((0, reason)) => Verdict::End(reason),
        Some((ms, _)) => soonest(ms, limits, facts),
        None => soonest(u64::MAX, limits, facts),
    }
}

/// A direction that ends in this moment begins another wait, of which nobody is told.
fn soonest(ms: u64, limits: &Timeouts, facts: &Facts) -> Verdict {
    let linger = limits.half_close_linger_ms.filter(|_| facts.half_closed_ms.is_none());
    let wait = linger.map_or(ms, |linger| linger.min(ms));
    // Reading may begin at any time, too.
    let initial = limits.initial_data_ms.filter(|_| facts.first_byte == FirstByte::NotRead);
    let wait = initial.map_or(wait, |initial| (initial / REPEAT).max(1).min(wait));
    Verdict::Nothing((wait != u64::MAX).then_some(wait))
}

/// Which policy ends the connection first if nothing more happens to it, and in how many milliseconds.
pub fn next_end(facts: &Facts, limits: &Timeouts) -> Option<(u64, Reason)> {
    let left =
        |limit: Option<u64>, passed: u64, reason| limit.map(|limit| (limit.saturating_sub(passed), reason));
    let half_closed = facts
        .half_closed_ms
        .and_then(|since| left(limits.half_close_linger_ms, since, Reason::HalfCloseLinger));
    let initial = limits.initial_data_ms.filter(|_| facts.first_byte == FirstByte::Due);
    [
        left(idle_limit(limits), facts.idle_ms, Reason::Inactivity),
        left(initial, facts.age_ms, Reason::InitialTimeout),
        left(lifetime(facts.id, limits), facts.age_ms, Reason::MaxLifetime),
        half_closed,
    ]
    .into_iter()
    .flatten()
    .min_by_key(|(ms, _)| *ms)
}

/// How long a connection may be without a byte.
fn idle_limit(limits: &Timeouts) -> Option<u64> {
    match limits.keep_alive {
        KeepAlive::Standard => limits.idle_ms,
        KeepAlive::Extended => limits.idle_ms.map(|ms| ms.saturating_mul(EXTENDED_FACTOR)),
        KeepAlive::Immortal => None,
    }
}

/// How long this connection may last. The same connection always has the same share of the jitter.
fn lifetime(id: ConnId, limits: &Timeouts) -> Option<u64> {
    let limit = limits.max_lifetime_ms.filter(|_| limits.keep_alive != KeepAlive::Immortal)?;
    let spread = (limit / 100).saturating_mul(JITTER_PERCENT).max(limit.saturating_mul(JITTER_PERCENT) / 100);
    let share = mix(id.get()) % (2 * spread).saturating_add(1).max(1);
    Some((limit - spread).saturating_add(share))
}

/// Spreads neighbouring ids over all numbers (the finaliser of SplitMix64).
const fn mix(id: u64) -> u64 {
    let a = id.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let b = (a ^ (a >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let c = (b ^ (b >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    c ^ (c >> 31)
}

/// The least time between two looks at the connections of a listener; `None` where there is nothing to look
/// for. Half of what the idle time-out allows, so that an end comes within it on a busy machine, too.
pub fn period_ms(limits: &Timeouts) -> Option<u64> {
    let idle = idle_limit(limits).map(|_| limits.check_interval_ms / 2);
    let others = [limits.initial_data_ms, lifetime_setting(limits), limits.half_close_linger_ms];
    let finest = others.into_iter().flatten().map(|ms| ms / PRECISION).chain(idle).min()?;
    Some(finest.clamp(*PERIOD_MS.start(), *PERIOD_MS.end()))
}

fn lifetime_setting(limits: &Timeouts) -> Option<u64> {
    limits.max_lifetime_ms.filter(|_| limits.keep_alive != KeepAlive::Immortal)
}

#[cfg(test)]
mod tests {
    use super::*;

    const NONE: Timeouts = Timeouts {
        idle_ms: None,
        check_interval_ms: 50,
        keep_alive: KeepAlive::Standard,
        initial_data_ms: None,
        max_lifetime_ms: None,
        half_close_linger_ms: None,
    };

    fn facts(age_ms: u64, idle_ms: u64) -> Facts {
        let id = ConnId::new(7).unwrap();
        Facts { id, age_ms, idle_ms, half_closed_ms: None, first_byte: FirstByte::Came, is_warned: false }
    }

    #[test]
    fn verdicts_follow_the_table() {
        let idle = Timeouts { idle_ms: Some(200), ..NONE };
        let extended = Timeouts { keep_alive: KeepAlive::Extended, ..idle };
        let immortal = Timeouts { keep_alive: KeepAlive::Immortal, max_lifetime_ms: Some(10), ..idle };
        let initial = Timeouts { initial_data_ms: Some(100), ..NONE };
        let linger = Timeouts { half_close_linger_ms: Some(80), ..NONE };
        let silent = |age| Facts { first_byte: FirstByte::Due, ..facts(age, age) };
        let half = |since| Facts { half_closed_ms: Some(since), ..facts(500, 0) };
        let warned = |idle| Facts { is_warned: true, ..facts(9_000, idle) };
        for (facts, limits, verdict) in [
            (facts(9_000, 9_000), NONE, Verdict::Nothing(None)),
            (facts(9_000, 0), idle, Verdict::Nothing(Some(200))),
            (facts(9_000, 150), idle, Verdict::Nothing(Some(50))),
            (facts(9_000, 200), idle, Verdict::End(Reason::Inactivity)),
            (facts(9_000, 200), extended, Verdict::Nothing(Some(950))),
            (facts(9_000, 1_150), extended, Verdict::Warn),
            (facts(9_000, 1_500), extended, Verdict::Warn),
            (warned(1_150), extended, Verdict::Nothing(Some(50))),
            (warned(1_200), extended, Verdict::End(Reason::Inactivity)),
            (facts(9_000, 9_000), immortal, Verdict::Nothing(None)),
            (silent(40), initial, Verdict::Nothing(Some(60))),
            (silent(100), initial, Verdict::End(Reason::InitialTimeout)),
            (facts(40, 40), initial, Verdict::Nothing(None)),
            (
                Facts { first_byte: FirstByte::NotRead, ..facts(400, 400) },
                initial,
                Verdict::Nothing(Some(25)),
            ),
            (facts(100, 0), initial, Verdict::Nothing(None)),
            (facts(500, 0), linger, Verdict::Nothing(Some(80))),
            (half(30), linger, Verdict::Nothing(Some(50))),
            (half(80), linger, Verdict::End(Reason::HalfCloseLinger)),
        ] {
            assert_eq!(judge(&facts, &limits), verdict, "{facts:?} under {limits:?}");
        }
    }

    #[test]
    fn the_first_of_several_ends_it() {
        let limits = Timeouts {
            idle_ms: Some(300),
            initial_data_ms: Some(100),
            max_lifetime_ms: Some(1_000),
            half_close_linger_ms: Some(50),
            ..NONE
        };
        let silent = Facts { first_byte: FirstByte::Due, ..facts(10, 10) };
        assert_eq!(next_end(&silent, &limits), Some((90, Reason::InitialTimeout)));
        assert_eq!(next_end(&facts(10, 10), &limits), Some((290, Reason::Inactivity)));
        let half = Facts { half_closed_ms: Some(20), ..facts(10, 10) };
        assert_eq!(next_end(&half, &limits), Some((30, Reason::HalfCloseLinger)));
        let (left, reason) = next_end(&facts(800, 0), &limits).unwrap();
        assert_eq!(reason, Reason::MaxLifetime);
        assert!((150..=250).contains(&left), "{left}");
    }

    #[test]
    fn lifetimes_are_spread_by_five_percent_and_each_is_settled() {
        let limits = Timeouts { max_lifetime_ms: Some(10_000), ..NONE };
        let of = |id| lifetime(ConnId::new(id).unwrap(), &limits).unwrap();
        let all: Vec<_> = (1..=1_000).map(of).collect();
        assert!(all.iter().all(|ms| (9_500..=10_500).contains(ms)));
        assert!(all.iter().any(|ms| *ms < 9_600) && all.iter().any(|ms| *ms > 10_400));
        assert_eq!(of(5), of(5));
        for extreme in [1, 19, u64::MAX] {
            let limits = Timeouts { max_lifetime_ms: Some(extreme), ..NONE };
            let lifetime = lifetime(ConnId::new(5).unwrap(), &limits).unwrap();
            assert!(lifetime >= extreme - extreme / 10, "{lifetime} of {extreme}");
        }
    }

    #[test]
    fn looks_are_no_finer_than_needed() {
        assert_eq!(period_ms(&NONE), None);
        assert_eq!(period_ms(&Timeouts { idle_ms: Some(200), ..NONE }), Some(25));
        assert_eq!(period_ms(&Timeouts { initial_data_ms: Some(100), ..NONE }), Some(10));
        let long = Timeouts { idle_ms: Some(1_800_000), check_interval_ms: 300_000, ..NONE };
        assert_eq!(period_ms(&long), Some(5_000));
        let immortal = Timeouts { keep_alive: KeepAlive::Immortal, max_lifetime_ms: Some(9), ..long };
        assert_eq!(period_ms(&immortal), None);
    }
}
