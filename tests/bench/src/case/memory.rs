//! Memory of idle connections: what the relay's processes grew by since they were fresh.

use anyhow::Result;

use super::{Case, HELD, Readings, Setup};
use crate::load::held;
use crate::load::server::Role;
use crate::measure::memory::resident;
use crate::metric;
use crate::proxy::Who;

const SOME: usize = 1_000;

pub(super) static HELD_PAIRS: Case = Case {
    name: "memory",
    metrics: &[&metric::FRESH, &metric::PAIR_1000, &metric::PAIR_8000],
    who: &[Who::Haproxy1, Who::Haproxy1t, Who::Nginx1, Who::Nginx1t, Who::Connctl1],
    run,
};

fn run(setup: &Setup, who: Who) -> Result<Readings> {
    let mut stage = setup.start(who, Role::Echo)?;
    let pids = stage.proxy.pids()?;
    let fresh = resident(&pids)? as f64;
    let mut per_pair = |count: usize| -> Result<f64> {
        stage.held.fill(stage.proxy.address, count, held::BYTE)?;
        Ok((resident(&pids)? as f64 - fresh) / count as f64)
    };
    Ok(vec![
        (&metric::FRESH, fresh / f64::from(1 << 20)),
        (&metric::PAIR_1000, per_pair(SOME)?),
        (&metric::PAIR_8000, per_pair(HELD)?),
    ])
}
