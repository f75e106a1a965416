//! Closing all of 8000 connections, and one of them. The time ends when the clients saw it: an answer may come
//! long before that.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Context, Result};

use super::{Case, Readings, Setup};
use crate::control;
use crate::control::connctl::commands;
use crate::load::held;
use crate::measure::program::Starter;
use crate::measure::statistics::Spread;
use crate::metric;
use crate::proxy::Who;

/// Closing one is short and repeated this many times more often than other short things.
const ONE_REPEATS: usize = 5;

pub(super) static ALL: Case = Case {
    name: "closeall",
    metrics: &[&metric::CLOSE_ALL],
    who: &[Who::Haproxy1, Who::Redis, Who::Connctl1],
    run: all,
};
/// HAProxy has no command of its own for this, so it is asked over its socket here, too.
pub(super) static ALL_BY_COMMAND: Case = Case {
    name: "closeallcli",
    metrics: &[&metric::CLOSE_ALL_CLI],
    who: &[Who::Haproxy1, Who::Connctl1],
    run: all_by_command,
};
pub(super) static ONE: Case = Case {
    name: "closeone",
    metrics: &[&metric::CLOSE_ONE],
    who: &[Who::Haproxy1, Who::Redis, Who::Connctl1],
    run: one,
};

fn all(setup: &Setup, who: Who) -> Result<Readings> {
    Ok(vec![(&metric::CLOSE_ALL, close_all(setup, who)?)])
}

/// Milliseconds. The answer is awaited in a thread: it may come after the last client's end, or long before.
fn close_all(setup: &Setup, who: Who) -> Result<f64> {
    let mut stage = setup.start_held(who)?;
    let control = control::of(who, stage.proxy.control()?)?;
    let start = Instant::now();
    let (gone, answered) = std::thread::scope(|scope| {
        let closing = scope.spawn(|| control.close_all()?.answered());
        (stage.held.all_gone(), closing.join())
    });
    // If the request failed, that is the reason why the connections are still there.
    answered.map_err(|_| anyhow::anyhow!("the closing thread panicked"))??;
    Ok((gone? - start).as_secs_f64() * 1000.0)
}

fn all_by_command(setup: &Setup, who: Who) -> Result<Readings> {
    if who != Who::Connctl1 {
        return Ok(vec![(&metric::CLOSE_ALL_CLI, close_all(setup, who)?)]);
    }
    let mut starter = Starter::new()?;
    let mut stage = setup.start_held(who)?;
    let words = commands::remove_all(stage.proxy.control()?);
    let start = Instant::now();
    starter.begin(&setup.connctl.to_string_lossy(), words, 1)?;
    let gone = stage.held.all_gone();
    starter.finish()?;
    Ok(vec![(&metric::CLOSE_ALL_CLI, (gone? - start).as_secs_f64() * 1000.0)])
}

fn one(setup: &Setup, who: Who) -> Result<Readings> {
    let mut stage = setup.start_held(who)?;
    let control = control::of(who, stage.proxy.control()?)?;
    let mut answer = Vec::new();
    control.list(&mut answer)?;
    let ids: HashMap<_, _> = control.rows(&answer)?.into_iter().map(|row| (row.client, row.id)).collect();
    let mut ms = Vec::new();
    for stream in stage.held.take(setup.repeats * ONE_REPEATS) {
        let id = ids.get(&stream.local_addr()?).context("a held connection is not listed")?;
        let start = Instant::now();
        let pending = control.close_one(id)?;
        let gone = held::gone(stream);
        // If the request failed, that is the reason why the connection is still there.
        pending.answered()?;
        gone?;
        ms.push(start.elapsed().as_secs_f64() * 1000.0);
    }
    Ok(vec![(&metric::CLOSE_ONE, Spread::of(&ms).context("no run")?.median)])
}
