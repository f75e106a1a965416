//! What it costs that each change is on the audit's disk before it begins: closing one connection, and many at once,
//! with the audit required, at best effort, and off.

use std::collections::HashMap;
use std::net::{SocketAddr, TcpStream};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow};

use super::{Case, Readings, Setup};
use crate::control::{self, Control};
use crate::load::held::{self, BYTE, Held};
use crate::load::server::{Role, Server};
use crate::measure::statistics::Spread;
use crate::metric::{self, Metric};
use crate::proxy::{Audit, Extra, Proxy, Who};

/// Closing one is short and repeated this many times more often than other short things.
const ONE_REPEATS: usize = 5;
/// Askers at once, each with one request under way, and how many connections each of them closes.
const ASKERS: usize = 8;
const EACH: usize = 25;

pub(super) static COST: Case = Case {
    name: "audit",
    metrics: &[
        &metric::AUDIT_OFF,
        &metric::AUDIT_BEST_EFFORT,
        &metric::AUDIT_REQUIRED,
        &metric::AUDIT_OFF_RATE,
        &metric::AUDIT_BEST_EFFORT_RATE,
        &metric::AUDIT_REQUIRED_RATE,
    ],
    who: &[Who::Connctl1],
    run,
};

/// Each with its time for one, and its rate of many.
static MODES: [(Audit, &Metric, &Metric); 3] = [
    (Audit::Off, &metric::AUDIT_OFF, &metric::AUDIT_OFF_RATE),
    (Audit::BestEffort, &metric::AUDIT_BEST_EFFORT, &metric::AUDIT_BEST_EFFORT_RATE),
    (Audit::Required, &metric::AUDIT_REQUIRED, &metric::AUDIT_REQUIRED_RATE),
];

fn run(setup: &Setup, _who: Who) -> Result<Readings> {
    let mut readings = Vec::new();
    for (audit, time, rate) in MODES {
        let server = Server::start(Role::Echo)?;
        let proxy = Proxy::start_with(&Extra::Audit(audit), server.address(), &setup.connctl)?;
        let one = setup.repeats * ONE_REPEATS;
        let mut held = Held::default();
        held.fill(proxy.address, one + ASKERS * EACH, BYTE)?;
        let closer = Closer::new(control::of(Who::Connctl1, proxy.control()?)?)?;
        readings.push((time, closer.one_by_one(held.take(one))?));
        readings.push((rate, closer.at_once(&mut held)?));
    }
    Ok(readings)
}

struct Closer {
    control: Box<dyn Control>,
    /// By the client's address.
    ids: HashMap<SocketAddr, String>,
}

impl Closer {
    fn new(control: Box<dyn Control>) -> Result<Self> {
        let mut answer = Vec::new();
        control.list(&mut answer)?;
        let ids = control.rows(&answer)?.into_iter().map(|row| (row.client, row.id)).collect();
        Ok(Self { control, ids })
    }

    /// Until the request is answered, and the client saw its end.
    fn close(&self, stream: TcpStream) -> Result<()> {
        let id = self.ids.get(&stream.local_addr()?).context("a held connection is not listed")?;
        let pending = self.control.close_one(id)?;
        let gone = held::gone(stream);
        // If the request failed, that is the reason why the connection is still there.
        pending.answered()?;
        gone
    }

    /// Milliseconds for one.
    fn one_by_one(&self, streams: Vec<TcpStream>) -> Result<f64> {
        let mut ms = Vec::new();
        for stream in streams {
            let start = Instant::now();
            self.close(stream)?;
            ms.push(start.elapsed().as_secs_f64() * 1000.0);
        }
        Ok(Spread::of(&ms).context("no run")?.median)
    }

    /// How many in a second.
    fn at_once(&self, held: &mut Held) -> Result<f64> {
        let each: Vec<_> = (0..ASKERS).map(|_| held.take(EACH)).collect();
        let start = Instant::now();
        thread::scope(|scope| {
            let asking: Vec<_> = each
                .into_iter()
                .map(|streams| scope.spawn(|| streams.into_iter().try_for_each(|stream| self.close(stream))))
                .collect();
            asking
                .into_iter()
                .try_for_each(|asker| asker.join().map_err(|_| anyhow!("an asking thread panicked"))?)
        })?;
        Ok((ASKERS * EACH) as f64 / start.elapsed().as_secs_f64())
    }
}
