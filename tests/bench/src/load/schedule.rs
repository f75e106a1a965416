//! Requests at a fixed rate. Latency counts from the moment a request should have been sent, so time that it
//! waited for a busy connection, or for this client, is in the figure (no coordinated omission).

use std::collections::VecDeque;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use anyhow::{Result, bail};

use super::{STUCK, Span, request};
use crate::measure::latency::Latency;

/// Sends `per_second` requests a second over `count` connections in turn.
pub(crate) fn run(to: SocketAddr, count: usize, per_second: u32, span: Span) -> Result<Latency> {
    // The default slack would add up to 50 us to every wait.
    rustix::thread::set_current_timer_slack(NonZeroU64::new(1))?;
    let outcome = paced(to, count, per_second, span);
    rustix::thread::set_current_timer_slack(None)?;
    outcome
}

fn paced(to: SocketAddr, count: usize, per_second: u32, span: Span) -> Result<Latency> {
    let (mut asking, mut poll) = request::open(to, count)?;
    // Per connection: when each request that is not answered yet should have been sent. The first is under way.
    let mut due: Vec<VecDeque<Instant>> = vec![VecDeque::new(); count];
    let mut latency = Latency::new()?;
    let gap = Duration::from_secs(1) / per_second;
    let start = Instant::now();
    let (from, end) = (start + span.warm_up, start + span.warm_up + span.measured);
    let mut next = start;
    let mut sent = 0usize;
    let mut waiting = 0usize;
    let mut heard = start;
    while next < end || waiting > 0 {
        let now = Instant::now();
        while next <= now && next < end {
            let index = sent % count;
            due[index].push_back(next);
            if due[index].len() == 1 {
                asking[index].ask()?;
            }
            sent += 1;
            waiting += 1;
            next += gap;
        }
        if waiting > 0 && now - heard > STUCK {
            bail!("no answer for {} s", STUCK.as_secs());
        }
        let limit = if next < end { next.saturating_duration_since(Instant::now()) } else { STUCK };
        for &index in poll.wait(limit)? {
            if !asking[index].answered()? {
                continue;
            }
            heard = Instant::now();
            if let Some(intended) = due[index].pop_front() {
                waiting -= 1;
                if intended >= from {
                    latency.record(heard - intended);
                }
            }
            if !due[index].is_empty() {
                asking[index].ask()?;
            }
        }
        if waiting == 0 {
            heard = Instant::now();
        }
    }
    Ok(latency)
}
