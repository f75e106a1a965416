//! What it costs a request that its token is looked for among others: a page of no connections over a kept
//! connection.

use std::net::{Ipv4Addr, SocketAddr};
use std::time::Instant;

use anyhow::{Context, Result};

use super::{Case, Readings, Setup};
use crate::control::connctl::Kept;
use crate::measure::statistics::Spread;
use crate::metric::{self, Metric};
use crate::proxy::{Extra, Proxy, TOKEN, Who};

/// Requests are short and repeated this many times more often than other short things.
const REQUEST_REPEATS: usize = 200;

pub(super) static CHECK: Case = Case {
    name: "tokens",
    metrics: &[&metric::TOKENS_NONE, &metric::TOKENS_ONE, &metric::TOKENS_1000],
    who: &[Who::Connctl1],
    run,
};

static COUNTS: [(usize, &Metric); 3] =
    [(0, &metric::TOKENS_NONE), (1, &metric::TOKENS_ONE), (1_000, &metric::TOKENS_1000)];

fn run(setup: &Setup, _who: Who) -> Result<Readings> {
    let mut readings = Vec::new();
    for (count, metric) in COUNTS {
        // Nobody connects.
        let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 9));
        let proxy = Proxy::start_with(&Extra::Tokens(count), nowhere, &setup.connctl)?;
        let mut kept = Kept::connect(proxy.control()?, (count > 0).then_some(TOKEN))?;
        let mut us = Vec::new();
        for _ in 0..setup.repeats * REQUEST_REPEATS {
            let start = Instant::now();
            kept.page()?;
            us.push(start.elapsed().as_secs_f64() * 1_000_000.0);
        }
        readings.push((metric, Spread::of(&us).context("no run")?.median));
    }
    Ok(readings)
}
