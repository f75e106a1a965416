//! Looking after the time limits of a thread's connections.
//!
//! The thread that owns the sockets looks itself, at the time of the earliest limit that may have passed. A
//! byte that is relayed resets nothing, and a thread without limited connections never looks.

use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::event::EventKind;
use connctl_api::operation::DEFAULT_GRACE_MS;
use connctl_api::units::format_micros;
use slab::Slab;

use super::context::Context;
use super::pair::{Pair, Phase};
use super::{ending, health};
use crate::config::Timeouts;
use crate::conn::tell::More;
use crate::policy::timeouts::{self, Facts, Verdict};

/// When the next look is due.
#[derive(Debug)]
pub(super) struct Sweep {
    at: u64,
}

impl Sweep {
    /// None is due.
    pub(super) const fn never() -> Self {
        Self { at: u64::MAX }
    }

    /// Milliseconds until the next look.
    pub(super) fn wait_ms(&self, now_ms: u64) -> Option<u64> {
        (self.at != u64::MAX).then(|| self.at.saturating_sub(now_ms))
    }

    /// A connection has come: the next look may have to be sooner for it.
    pub(super) fn include(&mut self, pair: &Pair, now_ms: u64) {
        let policies = pair.conn.origin().policies();
        if !policies.health.close.is_empty() {
            self.at = self.at.min(now_ms.saturating_add(policies.health.after_ms));
        }
        let limits = policies.timeouts;
        if let Some(period) = timeouts::period_ms(&limits)
            && let Verdict::Nothing(Some(wait)) = timeouts::judge(&facts(pair, now_ms), &limits)
        {
            self.at = self.at.min(now_ms.saturating_add(wait.max(period)));
        }
    }

    /// The time limits have changed: it is time to look.
    pub(super) const fn look_now(&mut self) {
        self.at = 0;
    }

    /// The connections that are to end now, if it is time to look.
    pub(super) fn due(&mut self, pairs: &mut Slab<Box<Pair>>, context: &Context) -> Vec<(u32, Reason)> {
        let now_ms = context.now_ms;
        if self.at > now_ms {
            return Vec::new();
        }
        self.at = u64::MAX;
        let mut over = Vec::new();
        for (slot, pair) in pairs.iter_mut().filter(|(_, pair)| !pair.is_over) {
            let policies = pair.conn.origin().policies();
            let mut verdict = look(pair, &policies.timeouts, context);
            if !matches!(verdict, Verdict::End(_)) {
                self.again(verdict, now_ms);
                verdict = health::look(pair, &policies.health, now_ms);
            }
            match verdict {
                Verdict::End(reason) => over.push((u32::try_from(slot).unwrap_or(u32::MAX), reason)),
                Verdict::Nothing(_) | Verdict::Warn => self.again(verdict, now_ms),
            }
        }
        over
    }

    /// The next look may have to be sooner.
    fn again(&mut self, verdict: Verdict, now_ms: u64) {
        if let Verdict::Nothing(Some(wait)) = verdict {
            self.at = self.at.min(now_ms.saturating_add(wait));
        }
    }
}

/// Judges a connection by its time limits, and warns where that comes first.
fn look(pair: &mut Pair, limits: &Timeouts, context: &Context) -> Verdict {
    let Some(period) = timeouts::period_ms(limits) else {
        return Verdict::Nothing(None);
    };
    match judge(pair, limits, context) {
        Verdict::Nothing(Some(wait)) => Verdict::Nothing(Some(wait.max(period))),
        verdict => verdict,
    }
}

fn judge(pair: &mut Pair, limits: &Timeouts, context: &Context) -> Verdict {
    let now_ms = context.now_ms;
    if pair.is_ending() {
        // It is ending already.
        return Verdict::Nothing(None);
    }
    let mut facts = facts(pair, now_ms);
    let active_ms = now_ms.saturating_sub(facts.idle_ms).max(1);
    facts.is_warned = pair.warned_for_ms == active_ms;
    let verdict = timeouts::judge(&facts, limits);
    if verdict != Verdict::Warn {
        return verdict;
    }
    facts.is_warned = true;
    let end = timeouts::next_end(&facts, limits);
    let left_ms = end.map(|(ms, _)| ms);
    let verdict = timeouts::judge(&facts, limits);
    tracing::warn!(
        conn_id = pair.conn.id().get(),
        listener = pair.conn.listener(),
        idle_ms = facts.idle_ms,
        left_ms,
        "a kept-alive connection will be closed for inactivity"
    );
    if let Some((left_ms, reason)) = end {
        let text = format!("{reason} ends it in {}", format_micros(left_ms.saturating_mul(1_000)));
        context.tell(EventKind::Warned, &pair.conn, More { text: Some(&text), ..More::default() });
    }
    pair.warned_for_ms = active_ms;
    verdict
}

fn facts(pair: &Pair, now_ms: u64) -> Facts {
    let reads = matches!(pair.phase, Phase::Open | Phase::Parked) && !pair.legs.iter().any(|leg| leg.paused);
    Facts::of(&pair.conn, reads, now_ms)
}

/// Ends a connection whose time is up.
pub(super) fn end(pair: &mut Pair, reason: Reason, context: &mut Context) {
    let cause = Cause { reason, initiator: Initiator::Policy, side: None };
    ending::begin(pair, cause, ending::BOTH_FINISH, DEFAULT_GRACE_MS, context);
}
