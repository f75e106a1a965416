//! How long a 64-byte request waits for its answer.

use anyhow::Result;

use super::{Case, RELAYS, Readings, Setup};
use crate::load::server::Role;
use crate::load::{request, schedule};
use crate::measure::affinity::Pinned;
use crate::measure::latency::Latency;
use crate::metric::{self, Metric};
use crate::proxy::Who;

const MANY_CONNECTIONS: usize = 64;
/// Requests a second over one connection, and over many.
const ONE_RATE: u32 = 1_000;
const MANY_RATE: u32 = 5_000;

type Three = [&'static Metric; 3];

static ONE_METRICS: Three = [&metric::ONE_P50, &metric::ONE_P99, &metric::ONE_P999];
static ONE_PACED_METRICS: Three = [&metric::ONE_PACED_P50, &metric::ONE_PACED_P99, &metric::ONE_PACED_P999];
static PACED_METRICS: Three = [&metric::PACED_P50, &metric::PACED_P99, &metric::PACED_P999];

/// All on one CPU: without that the figure is mostly the cost of waking another one.
pub(super) static ONE: Case = Case { name: "lat1", metrics: &ONE_METRICS, who: RELAYS, run: one };
pub(super) static ONE_PACED: Case =
    Case { name: "lat1rate", metrics: &ONE_PACED_METRICS, who: RELAYS, run: one_paced };
pub(super) static MANY: Case = Case {
    name: "lat64",
    metrics: &[
        &metric::MANY_RATE,
        &metric::MANY_P50,
        &metric::MANY_P99,
        &metric::MANY_P999,
        &metric::MANY_PROCESS,
        &metric::MANY_MACHINE,
    ],
    who: RELAYS,
    run: many,
};
pub(super) static MANY_PACED: Case =
    Case { name: "lat64rate", metrics: &PACED_METRICS, who: RELAYS, run: many_paced };

fn one(setup: &Setup, who: Who) -> Result<Readings> {
    let stage = setup.start(who, Role::Echo)?;
    let _pinned = Pinned::new(&stage.proxy.pids()?)?;
    let answers = request::one(stage.proxy.address, setup.span, &stage.meter)?;
    Ok(percentiles(&answers.latency, &ONE_METRICS))
}

fn one_paced(setup: &Setup, who: Who) -> Result<Readings> {
    let stage = setup.start(who, Role::Echo)?;
    let _pinned = Pinned::new(&stage.proxy.pids()?)?;
    let latency = schedule::run(stage.proxy.address, 1, ONE_RATE, setup.span)?;
    Ok(percentiles(&latency, &ONE_PACED_METRICS))
}

fn many(setup: &Setup, who: Who) -> Result<Readings> {
    let stage = setup.start(who, Role::Echo)?;
    let answers = request::many(stage.proxy.address, MANY_CONNECTIONS, setup.span, &stage.meter)?;
    let count = answers.latency.count() as f64;
    let mut readings = vec![(&metric::MANY_RATE, count / answers.cost.wall.as_secs_f64())];
    readings
        .extend(percentiles(&answers.latency, &[&metric::MANY_P50, &metric::MANY_P99, &metric::MANY_P999]));
    if who != Who::Direct {
        readings.push((&metric::MANY_PROCESS, answers.cost.processes.as_secs_f64() * 1e6 / count));
    }
    readings.push((&metric::MANY_MACHINE, answers.cost.machine.as_secs_f64() * 1e6 / count));
    Ok(readings)
}

fn many_paced(setup: &Setup, who: Who) -> Result<Readings> {
    let stage = setup.start(who, Role::Echo)?;
    let latency = schedule::run(stage.proxy.address, MANY_CONNECTIONS, MANY_RATE, setup.span)?;
    Ok(percentiles(&latency, &PACED_METRICS))
}

fn percentiles(latency: &Latency, [p50, p99, p999]: &Three) -> Readings {
    vec![(*p50, latency.us(50.0)), (*p99, latency.us(99.0)), (*p999, latency.us(99.9))]
}
