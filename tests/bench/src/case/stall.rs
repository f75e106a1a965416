//! Does listing stall the relay? A saturating test: lists follow each other without a pause.

use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;

use anyhow::{Result, anyhow};

use super::{Case, Readings, Setup};
use crate::control::{self, Control};
use crate::load::{Span, schedule};
use crate::metric;
use crate::proxy::Who;

const CONNECTIONS: usize = 16;
/// Requests a second.
const RATE: u32 = 2_000;

pub(super) static WHILE_LISTING: Case = Case {
    name: "stall",
    metrics: &[&metric::STALL_IDLE, &metric::STALL_LISTED, &metric::STALL_TIMES],
    who: &[Who::Haproxy1, Who::Connctl1],
    run,
};

fn run(setup: &Setup, who: Who) -> Result<Readings> {
    let stage = setup.start_held(who)?;
    let control = control::of(who, stage.proxy.control()?)?;
    // Twice as long as elsewhere: at this rate a p99 rests on few requests.
    let span = Span { measured: setup.span.measured * 2, ..setup.span };
    let idle = p99(stage.proxy.address, span)?;
    let stop = AtomicBool::new(false);
    let (listed, lister) = thread::scope(|scope| {
        let lister = scope.spawn(|| list_until(&stop, control.as_ref()));
        let listed = p99(stage.proxy.address, span);
        stop.store(true, Ordering::Relaxed);
        (listed, lister.join())
    });
    lister.map_err(|_| anyhow!("the listing thread panicked"))??;
    let listed = listed?;
    Ok(vec![
        (&metric::STALL_IDLE, idle),
        (&metric::STALL_LISTED, listed),
        (&metric::STALL_TIMES, listed / idle),
    ])
}

/// Microseconds.
fn p99(to: SocketAddr, span: Span) -> Result<f64> {
    Ok(schedule::run(to, CONNECTIONS, RATE, span)?.us(99.0))
}

fn list_until(stop: &AtomicBool, control: &dyn Control) -> Result<()> {
    let mut answer = Vec::new();
    while !stop.load(Ordering::Relaxed) {
        control.list(&mut answer)?;
        // Only that it is a list: to count its rows here would leave the relay in peace meanwhile.
        anyhow::ensure!(!answer.is_empty(), "an empty list");
    }
    Ok(())
}
