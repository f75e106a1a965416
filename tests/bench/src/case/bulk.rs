//! Throughput, and the CPU time of a gigabyte (10^9 bytes).

use anyhow::Result;

use super::{Case, RELAYS, Readings, Setup};
use crate::load::bulk::{self, Moved};
use crate::load::server::Role;
use crate::metric::{self, Metric};
use crate::proxy::Who;

type Three = [&'static Metric; 3];

static ONE: Three = [&metric::PULL1_RATE, &metric::PULL1_PROCESS, &metric::PULL1_MACHINE];
static SIXTEEN: Three = [&metric::PULL16_RATE, &metric::PULL16_PROCESS, &metric::PULL16_MACHINE];
static PUSH: Three = [&metric::PUSH1_RATE, &metric::PUSH1_PROCESS, &metric::PUSH1_MACHINE];

pub(super) static PULL_1: Case =
    Case { name: "tput1", metrics: &ONE, who: RELAYS, run: |setup, who| pull(setup, who, 1, &ONE) };
pub(super) static PULL_16: Case =
    Case { name: "tput16", metrics: &SIXTEEN, who: RELAYS, run: |setup, who| pull(setup, who, 16, &SIXTEEN) };
pub(super) static PUSH_1: Case = Case { name: "push1", metrics: &PUSH, who: RELAYS, run: push };

fn pull(setup: &Setup, who: Who, streams: usize, metrics: &Three) -> Result<Readings> {
    let stage = setup.start(who, Role::Source)?;
    Ok(readings(who, &bulk::pull(stage.proxy.address, streams, setup.span, &stage.meter)?, metrics))
}

fn push(setup: &Setup, who: Who) -> Result<Readings> {
    let stage = setup.start(who, Role::Sink)?;
    Ok(readings(who, &bulk::push(stage.proxy.address, &stage.server, setup.span, &stage.meter)?, &PUSH))
}

fn readings(who: Who, moved: &Moved, [rate, process, machine]: &Three) -> Readings {
    let gigabytes = moved.bytes as f64 / 1e9;
    let mut readings = vec![(*rate, gigabytes * 8.0 / moved.cost.wall.as_secs_f64())];
    if who != Who::Direct {
        readings.push((*process, moved.cost.processes.as_secs_f64() / gigabytes));
    }
    readings.push((*machine, moved.cost.machine.as_secs_f64() / gigabytes));
    readings
}
