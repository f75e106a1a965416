//! Looking after the unhealthy connections of a thread. The kernel is asked only about those that something
//! was written to since it was last found that nothing waits.

use connctl_api::conn::Health;
use connctl_api::end::Reason;

use super::inspect;
use super::pair::Pair;
use crate::config::HealthRules;
use crate::policy::health::{self, Facts};
use crate::policy::timeouts::Verdict;

/// Judges a connection.
pub(super) fn look(pair: &mut Pair, rules: &HealthRules, now_ms: u64) -> Verdict {
    let Some(period) = health::period_ms(rules).filter(|_| !pair.is_ending()) else {
        return Verdict::Nothing(None);
    };
    let sides = wants_kernel(pair, rules).then(|| inspect::sides(pair));
    let facts = Facts::of(&pair.conn, sides.as_ref(), now_ms);
    if sides.is_some() && is_delivered(&facts) {
        pair.delivered_at_ms = now_ms;
    }
    match health::next_end(&facts, rules) {
        Some((0, health)) => {
            let (conn_id, after_ms) = (pair.conn.id().get(), rules.after_ms);
            let listener = &*pair.conn.origin().name;
            tracing::info!(conn_id, listener, health = health.word(), after_ms, "an unhealthy connection");
            Verdict::End(Reason::Unhealthy)
        }
        next => {
            let wait = next.map_or(rules.after_ms, |(ms, _)| ms);
            Verdict::Nothing(Some(wait.max(period)))
        }
    }
}

/// Whether only the kernel can tell: something was written that may not have arrived, or a FIN may be
/// there that is not read.
fn wants_kernel(pair: &Pair, rules: &HealthRules) -> bool {
    let may_wait = pair.conn.active_at_ms() >= pair.delivered_at_ms;
    let is_unread = pair.legs.iter().any(|leg| leg.paused) || pair.flows.iter().any(|flow| !flow.is_empty());
    (rules.close.has(Health::Unacked) && may_wait) || (rules.close.has(Health::Zombie) && is_unread)
}

fn is_delivered(facts: &Facts) -> bool {
    [facts.client, facts.upstream].iter().flatten().all(|delivery| delivery.pending_bytes == 0)
}
