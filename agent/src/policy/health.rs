//! Whether a connection is healthy: a function of what the relay and the kernel know of it, without a socket.
//!
//! Each condition is so for some time, and it is said of a connection once it has been so for long enough
//! (`unhealthy_after`). Of several the first of this table is said; a rule asks for each by itself.
//!
//! | health | since when | because |
//! |---|---|---|
//! | `unacked` | bytes wait for a peer, and it takes or acknowledges none | it has vanished, or does not read |
//! | `zombie` | one side has ended its direction, and no byte has passed | the other side does not notice or care |
//! | `stuck` | the client has sent bytes, and none has come back | the upstream owes an answer |
//! | `idle` | no byte has passed | nobody wants anything |
//! | `healthy` | otherwise | |
//!
//! Where bytes wait for a peer, the kernel tells when it last sent some and when an acknowledgement last came.
//! A peer that does not read answers the kernel's probes, and nothing is sent; one that has vanished is sent
//! the same again and again, and nothing is acknowledged. So nothing moves for the longer of the two times,
//! but not for longer than since the relay last wrote to it. Where the relay goes on writing to one that has
//! vanished, the time-outs of the kernel that have passed one after the other tell how long it is gone.

use connctl_api::conn::{Health, Mode, SideDetail, Sides};

use crate::config::HealthRules;
use crate::registry::Conn;

/// In which order conditions are said.
const ORDER: [Health; 4] = [Health::Unacked, Health::Zombie, Health::Stuck, Health::Idle];
/// The kernel waits no longer than this before it sends again (`TCP_RTO_MAX`), in milliseconds.
const MAX_RETRY_MS: u64 = 120_000;
/// The shortest it waits (`TCP_RTO_MIN`), in milliseconds.
const MIN_RETRY_MS: u64 = 200;
/// It gives a peer up before it has tried so often.
const MAX_RETRIES: u32 = 32;
/// The span between two looks at the connections of a thread, in milliseconds.
const PERIOD_MS: std::ops::RangeInclusive<u64> = 10..=5_000;
/// A condition is found within this part of the time that it must last.
const PRECISION: u64 = 20;

/// What there is to know of a connection. All times are in milliseconds, and at least so long.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Facts {
    /// Since a byte passed.
    pub idle_ms: u64,
    /// Since one direction ended, if one has.
    pub half_closed_ms: Option<u64>,
    /// Since the first byte of the client that nothing has come back for, if there is one.
    pub unanswered_ms: Option<u64>,
    /// What waits for the client, where that is known.
    pub client: Option<Delivery>,
    /// What waits for the upstream, where that is known.
    pub upstream: Option<Delivery>,
}

/// What waits for a peer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Delivery {
    /// Bytes that it has not acknowledged, and those that the relay still holds for it.
    pub pending_bytes: u64,
    /// Since the relay wrote to it.
    pub quiet_ms: u64,
    /// Since the kernel sent to it.
    pub sent_ms: u64,
    /// Since an acknowledgement came from it.
    pub acked_ms: u64,
    /// How often in a row the kernel has sent the same and got no answer.
    pub retries: u32,
    /// How long it waits before the next time.
    pub retry_ms: u64,
}

impl Facts {
    /// What is known of a connection, with what its thread tells of its sockets, where that was asked.
    pub fn of(conn: &Conn, sides: Option<&Sides>, now_ms: u64) -> Self {
        // Both ends of a span are cut to whole milliseconds: it may look longer than it was by up to one.
        let surely = |ms: u64| ms.saturating_sub(1);
        let idle_ms = surely(conn.idle_ms(now_ms));
        let (client, upstream) =
            sides.map_or((None, None), |sides| (sides.client.as_ref(), sides.upstream.as_ref()));
        // A FIN that the relay does not read, because it is paused or the other side is full.
        let is_gone = |side: &&SideDetail| side.tcp.as_ref().is_some_and(|tcp| tcp.state == "close_wait");
        let is_gone = [client, upstream].iter().flatten().any(is_gone);
        // Nobody answers where the relay only reads.
        let is_answered = matches!(conn.origin().mode, Mode::Forward | Mode::Echo);
        Self {
            idle_ms,
            half_closed_ms: conn.half_closed_ms(now_ms).map(surely).or(is_gone.then_some(idle_ms)),
            unanswered_ms: conn.unanswered_ms(now_ms).filter(|_| is_answered).map(surely),
            client: client.and_then(|side| Delivery::of(side, surely(conn.quiet_to_client_ms(now_ms)))),
            upstream: upstream.and_then(|side| Delivery::of(side, surely(conn.quiet_to_upstream_ms(now_ms)))),
        }
    }
}

impl Delivery {
    fn of(side: &SideDetail, quiet_ms: u64) -> Option<Self> {
        let tcp = side.tcp.as_ref()?;
        // Our own FIN counts as a byte in the kernel.
        let sent = tcp.send_queue_bytes.saturating_sub(u64::from(side.write_closed));
        Some(Self {
            pending_bytes: sent + side.pending_bytes,
            quiet_ms,
            sent_ms: tcp.last_sent_ms,
            acked_ms: tcp.last_acked_ms,
            retries: u32::try_from(tcp.retransmits).unwrap_or(u32::MAX),
            retry_ms: tcp.rto_us / 1_000,
        })
    }

    /// For how long the peer has taken nothing although something waits for it.
    fn unacked_ms(&self) -> Option<u64> {
        if self.pending_bytes == 0 {
            return None;
        }
        let still = self.quiet_ms.min(self.sent_ms.max(self.acked_ms));
        Some(still.max(self.outage_ms().min(self.acked_ms)))
    }

    /// How long the kernel's tries must have taken: each waits twice as long as the one before.
    fn outage_ms(&self) -> u64 {
        let retries = self.retries.min(MAX_RETRIES);
        let first = if self.retry_ms < MAX_RETRY_MS { self.retry_ms >> retries } else { MIN_RETRY_MS };
        (0..retries).map(|retry| (first << retry).min(MAX_RETRY_MS)).sum()
    }
}

/// For how long a condition has been so; `None` where it is not.
fn since(health: Health, facts: &Facts) -> Option<u64> {
    match health {
        Health::Unacked => {
            [facts.client, facts.upstream].iter().flatten().filter_map(Delivery::unacked_ms).max()
        }
        Health::Zombie => facts.half_closed_ms.map(|ms| ms.min(facts.idle_ms)),
        Health::Stuck => facts.unanswered_ms,
        Health::Idle => Some(facts.idle_ms),
        Health::Healthy => None,
    }
}

/// What is said of a connection.
pub fn health(facts: &Facts, rules: &HealthRules) -> Health {
    let is_so = |health: &Health| since(*health, facts).is_some_and(|ms| ms >= rules.after_ms);
    ORDER.into_iter().find(is_so).unwrap_or(Health::Healthy)
}

/// The condition that a connection is closed for first if nothing more happens to it, and in how many
/// milliseconds.
pub fn next_end(facts: &Facts, rules: &HealthRules) -> Option<(u64, Health)> {
    let left = |health| Some((rules.after_ms.saturating_sub(since(health, facts)?), health));
    rules.close.iter().filter_map(left).min_by_key(|(ms, _)| *ms)
}

/// The least time between two looks at the connections of a listener; `None` where there is nothing to look
/// for. A condition that is not so yet may begin at any moment, and lasts for `after_ms` then.
pub fn period_ms(rules: &HealthRules) -> Option<u64> {
    let period = (rules.after_ms / PRECISION).clamp(*PERIOD_MS.start(), *PERIOD_MS.end());
    (!rules.close.is_empty()).then_some(period)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::config::Unhealthy;

    fn rules(words: &[&str]) -> HealthRules {
        HealthRules { close: Unhealthy::of(words.iter().copied()).unwrap(), after_ms: 1_000 }
    }

    /// Something waits, and nothing is wrong with that.
    const WAITING: Delivery =
        Delivery { pending_bytes: 5, quiet_ms: 9_000, sent_ms: 10, acked_ms: 10, retries: 0, retry_ms: 200 };

    #[test]
    fn health_follows_the_table() {
        let quiet = Facts { idle_ms: 1_000, ..Facts::default() };
        let busy = Facts { idle_ms: 5, ..Facts::default() };
        let client = |client| Facts { client: Some(client), ..busy };
        let upstream = |upstream| Facts { upstream: Some(upstream), ..busy };
        for (facts, expected) in [
            (Facts::default(), Health::Healthy),
            (Facts { idle_ms: 999, ..quiet }, Health::Healthy),
            (quiet, Health::Idle),
            // One side has ended: for long, not for long, and with bytes that still pass.
            (Facts { half_closed_ms: Some(1_000), ..quiet }, Health::Zombie),
            (Facts { half_closed_ms: Some(999), ..quiet }, Health::Idle),
            (Facts { half_closed_ms: Some(9_000), ..busy }, Health::Healthy),
            // The client waits for an answer, also while it sends more.
            (Facts { unanswered_ms: Some(1_000), ..quiet }, Health::Stuck),
            (Facts { unanswered_ms: Some(1_000), ..busy }, Health::Stuck),
            (Facts { unanswered_ms: Some(999), ..busy }, Health::Healthy),
            (Facts { unanswered_ms: Some(9_000), half_closed_ms: Some(9_000), ..quiet }, Health::Zombie),
            // A slow reader: bytes wait for long, and some are always under way.
            (client(WAITING), Health::Healthy),
            // Nothing can be sent: it does not read, and answers probes.
            (client(Delivery { sent_ms: 1_000, ..WAITING }), Health::Unacked),
            (upstream(Delivery { sent_ms: 1_000, ..WAITING }), Health::Unacked),
            // The same for less long than that, although nothing was sent for long before.
            (client(Delivery { sent_ms: 9_000, quiet_ms: 999, ..WAITING }), Health::Healthy),
            // It has vanished: the kernel sends again, and nothing is acknowledged.
            (client(Delivery { acked_ms: 1_000, ..WAITING }), Health::Unacked),
            (client(Delivery { acked_ms: 9_000, quiet_ms: 999, ..WAITING }), Health::Healthy),
            // It has vanished, and the relay goes on writing: 200 + 400 + 800 ms have passed.
            (
                client(Delivery { acked_ms: 9_000, quiet_ms: 1, retries: 3, retry_ms: 1_600, ..WAITING }),
                Health::Unacked,
            ),
            (
                client(Delivery { acked_ms: 9_000, quiet_ms: 1, retries: 2, retry_ms: 800, ..WAITING }),
                Health::Healthy,
            ),
            // It came back: an acknowledgement is younger than the tries would have it.
            (
                client(Delivery { acked_ms: 900, quiet_ms: 1, retries: 3, retry_ms: 1_600, ..WAITING }),
                Health::Healthy,
            ),
            // Nothing waits.
            (
                client(Delivery { pending_bytes: 0, sent_ms: 9_000, acked_ms: 9_000, ..WAITING }),
                Health::Healthy,
            ),
            (
                Facts {
                    half_closed_ms: Some(9_000),
                    unanswered_ms: Some(9_000),
                    idle_ms: 9_000,
                    ..client(Delivery { sent_ms: 9_000, ..WAITING })
                },
                Health::Unacked,
            ),
        ] {
            assert_eq!(health(&facts, &rules(&[])), expected, "{facts:?}");
        }
    }

    #[test]
    fn a_rule_asks_for_each_condition_by_itself() {
        let facts =
            Facts { idle_ms: 400, half_closed_ms: Some(700), unanswered_ms: Some(900), ..Facts::default() };
        assert_eq!(next_end(&facts, &rules(&[])), None);
        assert_eq!(next_end(&facts, &rules(&["unacked"])), None);
        assert_eq!(next_end(&facts, &rules(&["zombie"])), Some((600, Health::Zombie)));
        assert_eq!(next_end(&facts, &rules(&["zombie", "stuck"])), Some((100, Health::Stuck)));
        let stuck = Facts { client: Some(Delivery { sent_ms: 9_000, ..WAITING }), ..facts };
        assert_eq!(health(&stuck, &rules(&[])), Health::Unacked);
        assert_eq!(next_end(&stuck, &rules(&["stuck"])), Some((100, Health::Stuck)));
    }

    #[test]
    fn looks_are_no_finer_than_needed() {
        assert_eq!(period_ms(&rules(&[])), None);
        assert_eq!(period_ms(&rules(&["stuck"])), Some(50));
        assert_eq!(period_ms(&HealthRules { after_ms: u64::MAX, ..rules(&["stuck"]) }), Some(5_000));
    }

    proptest! {
        #[test]
        fn no_number_of_the_kernel_breaks_it(
            pending_bytes: u64, quiet_ms: u64, sent_ms: u64, acked_ms: u64, retries: u32, retry_ms: u64,
        ) {
            let delivery = Delivery { pending_bytes, quiet_ms, sent_ms, acked_ms, retries, retry_ms };
            let for_ms = delivery.unacked_ms();
            prop_assert!(for_ms.is_none_or(|ms| ms <= acked_ms.max(sent_ms)));
            prop_assert_eq!(for_ms.is_none(), pending_bytes == 0);
        }
    }
}
