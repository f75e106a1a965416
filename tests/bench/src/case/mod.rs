//! The cases: what is started, loaded and read for each row of the result.

mod audit;
mod beside;
mod bulk;
mod close;
mod connections;
mod latency;
mod list;
mod memory;
mod stall;
mod tokens;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::Result;

use crate::load::Span;
use crate::load::held::{self, Held};
use crate::load::server::{Role, Server};
use crate::measure::cpu::Meter;
use crate::metric::Metric;
use crate::proxy::{Proxy, Who};

/// Connections held in the control plane's cases.
const HELD: usize = 8_000;

/// Everyone who relays, and no relay.
const RELAYS: &[Who] =
    &[Who::Direct, Who::Haproxy1, Who::Haproxy1t, Who::Nginx1, Who::Nginx1t, Who::Connctl1];

/// Values of one run.
pub(crate) type Readings = Vec<(&'static Metric, f64)>;

/// One thing to measure.
pub(crate) struct Case {
    /// Its name on the command line.
    pub(crate) name: &'static str,
    /// What it fills, in the order of the result.
    pub(crate) metrics: &'static [&'static Metric],
    /// Whom it can be measured with.
    pub(crate) who: &'static [Who],
    /// Measures once, with everything started anew.
    pub(crate) run: fn(&Setup, Who) -> Result<Readings>,
}

/// What all cases are told.
pub(crate) struct Setup {
    pub(crate) connctl: PathBuf,
    pub(crate) span: Span,
    /// How often something short is repeated in one run, of which the median counts.
    pub(crate) repeats: usize,
}

impl Setup {
    /// For the command line's default, and for `--quick`.
    pub(crate) fn new(connctl: PathBuf, quick: bool) -> Self {
        let (warm_up, measured, repeats) = if quick { (100, 300, 3) } else { (200, 1200, 7) };
        let span =
            Span { warm_up: Duration::from_millis(warm_up), measured: Duration::from_millis(measured) };
        Self { connctl, span, repeats }
    }

    /// A server in `role`, and `who` in front of it.
    fn start(&self, who: Who, role: Role) -> Result<Stage> {
        let server = Server::start(role)?;
        let proxy = Proxy::start(who, server.address(), &self.connctl)?;
        let meter = Meter::new(proxy.pids()?);
        Ok(Stage { proxy, held: Held::default(), server, meter })
    }

    /// The same with an echo server and [`HELD`] idle connections. Redis answers by itself.
    fn start_held(&self, who: Who) -> Result<Stage> {
        let mut stage = self.start(who, Role::Echo)?;
        let greeting = if who == Who::Redis { held::PING } else { held::BYTE };
        stage.held.fill(stage.proxy.address, HELD, greeting)?;
        Ok(stage)
    }
}

/// A started relay with what stands around it. The relay goes first, which takes its connections with it.
struct Stage {
    proxy: Proxy,
    held: Held,
    server: Server,
    meter: Meter,
}

/// Every case, in the order of the result.
pub(crate) static ALL: &[&Case] = &[
    &bulk::PULL_1,
    &bulk::PULL_16,
    &bulk::PUSH_1,
    &latency::ONE,
    &latency::ONE_PACED,
    &latency::MANY,
    &latency::MANY_PACED,
    &connections::RATE,
    &memory::HELD_PAIRS,
    &list::API,
    &list::SELECTED,
    &list::PROGRAM,
    &list::ONE,
    &close::ALL,
    &close::ALL_BY_COMMAND,
    &close::ONE,
    &audit::COST,
    &tokens::CHECK,
    &stall::WHILE_LISTING,
    &beside::LISTING,
];

#[cfg(test)]
mod tests {
    use super::ALL;

    #[test]
    fn each_metric_belongs_to_one_case() {
        let mut ids: Vec<_> = ALL.iter().flat_map(|case| case.metrics).map(|metric| metric.id).collect();
        let count = ids.len();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), count);
    }

    #[test]
    fn each_metric_id_begins_with_its_case() {
        for case in ALL {
            for metric in case.metrics {
                assert_eq!(metric.id.split('.').next(), Some(case.name));
            }
        }
    }
}
