//! New connections a second, and the CPU time of each.

use anyhow::{Result, bail};

use super::{Case, RELAYS, Readings, Setup};
use crate::load::rate;
use crate::load::server::Role;
use crate::metric;
use crate::proxy::Who;

pub(super) static RATE: Case = Case {
    name: "connrate",
    metrics: &[
        &metric::CONNECT_RATE,
        &metric::CONNECT_PROCESS,
        &metric::CONNECT_MACHINE,
        &metric::CONNECT_P99,
        &metric::CONNECT_FAILED,
    ],
    who: RELAYS,
    run,
};

fn run(setup: &Setup, who: Who) -> Result<Readings> {
    let stage = setup.start(who, Role::Echo)?;
    let connections = rate::run(stage.proxy.address, setup.span.measured, &stage.meter)?;
    let count = connections.latency.count() as f64;
    if count == 0.0 {
        bail!("none of {} connections was answered", connections.failed);
    }
    let mut readings = vec![(&metric::CONNECT_RATE, count / connections.cost.wall.as_secs_f64())];
    if who != Who::Direct {
        readings.push((&metric::CONNECT_PROCESS, connections.cost.processes.as_secs_f64() * 1e6 / count));
    }
    readings.push((&metric::CONNECT_MACHINE, connections.cost.machine.as_secs_f64() * 1e6 / count));
    readings.push((&metric::CONNECT_P99, connections.latency.us(99.0)));
    readings.push((&metric::CONNECT_FAILED, connections.failed as f64));
    Ok(readings)
}
