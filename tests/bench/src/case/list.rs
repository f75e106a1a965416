//! Listing 8000 connections, and asking about one. An answer that lacks a row is a failure, not a fast answer.

use std::time::Instant;

use anyhow::{Context, Result, ensure};

use super::{Case, HELD, Readings, Setup, Stage};
use crate::control::connctl::commands;
use crate::control::{self, Control};
use crate::measure::program::{Runs, Starter};
use crate::measure::statistics::Spread;
use crate::metric::{self, Metric};
use crate::proxy::Who;

/// Short runs of a program are repeated this many times more often than other short things.
const PROGRAM_REPEATS: usize = 3;

pub(super) static API: Case = Case {
    name: "list",
    metrics: &[&metric::LIST],
    who: &[Who::Haproxy1, Who::Redis, Who::Connctl1],
    run: api,
};
pub(super) static SELECTED: Case = Case {
    name: "listwhere",
    metrics: &[&metric::LIST_SELECTED],
    who: &[Who::Haproxy1, Who::Redis, Who::Connctl1],
    run: selected,
};
/// ss has one form of output, so the same runs stand in both rows.
pub(super) static PROGRAM: Case = Case {
    name: "listcli",
    metrics: &[&metric::LIST_PROGRAM, &metric::LIST_LINES],
    who: &[Who::Ss, Who::Connctl1],
    run: program,
};
/// Redis is asked the least that its command can ask.
pub(super) static ONE: Case =
    Case { name: "query", metrics: &[&metric::QUERY], who: &[Who::Redis, Who::Connctl1], run: one };

fn api(setup: &Setup, who: Who) -> Result<Readings> {
    asked(setup, who, &metric::LIST, |control, answer| control.list(answer))
}

fn selected(setup: &Setup, who: Who) -> Result<Readings> {
    asked(setup, who, &metric::LIST_SELECTED, |control, answer| control.select(answer))
}

fn asked(
    setup: &Setup,
    who: Who,
    metric: &'static Metric,
    ask: fn(&dyn Control, &mut Vec<u8>) -> Result<()>,
) -> Result<Readings> {
    let stage = setup.start_held(who)?;
    let control = control::of(who, stage.proxy.control()?)?;
    let mut answer = Vec::new();
    // Once before, for the pages of the buffer.
    ask(control.as_ref(), &mut answer)?;
    let mut ms = Vec::new();
    for _ in 0..setup.repeats {
        let start = Instant::now();
        ask(control.as_ref(), &mut answer)?;
        ms.push(start.elapsed().as_secs_f64() * 1000.0);
        let rows = control.rows(&answer)?.len();
        ensure!(rows == HELD, "a list of {rows} rows, expected {HELD}");
    }
    Ok(vec![(metric, median(&ms)?)])
}

fn program(setup: &Setup, who: Who) -> Result<Readings> {
    let mut starter = Starter::new()?;
    let stage = setup.start_held(who)?;
    let times = setup.repeats * PROGRAM_REPEATS;
    if who == Who::Ss {
        let port = format!(":{}", stage.proxy.address.port());
        let words = ["-Hnt", "sport", "=", &port].map(str::to_owned).to_vec();
        let listed = complete(&starter.run("ss", words, times)?)?;
        return Ok(vec![(&metric::LIST_PROGRAM, listed), (&metric::LIST_LINES, listed)]);
    }
    let control = stage.proxy.control()?;
    let connctl = setup.connctl.to_string_lossy();
    let mut listed = |metric: &'static Metric, words: Vec<String>| -> Result<(&'static Metric, f64)> {
        Ok((metric, complete(&starter.run(&connctl, words, times)?)?))
    };
    Ok(vec![
        listed(&metric::LIST_PROGRAM, commands::list(control))?,
        listed(&metric::LIST_LINES, commands::list_json_lines(control))?,
    ])
}

fn one(setup: &Setup, who: Who) -> Result<Readings> {
    let mut starter = Starter::new()?;
    let stage = setup.start_held(who)?;
    let times = setup.repeats * PROGRAM_REPEATS;
    let path = stage.proxy.control()?;
    let runs = if who == Who::Redis {
        let words = vec!["-s".to_owned(), path.to_string_lossy().into_owned(), "PING".to_owned()];
        starter.run("redis-cli", words, times)?
    } else {
        let id = some_id(&stage, who)?;
        starter.run(&setup.connctl.to_string_lossy(), commands::show(path, &id), times)?
    };
    ensure!(runs.lines > 0, "the command printed nothing");
    Ok(vec![(&metric::QUERY, median(&runs.ms)?)])
}

fn some_id(stage: &Stage, who: Who) -> Result<String> {
    let control = control::of(who, stage.proxy.control()?)?;
    let mut answer = Vec::new();
    control.list(&mut answer)?;
    let rows = control.rows(&answer)?;
    rows.into_iter().nth(HELD / 2).map(|row| row.id).context("the list is too short")
}

/// The median run, if the list was complete; a heading is one line more.
fn complete(runs: &Runs) -> Result<f64> {
    ensure!(runs.lines >= HELD, "a list of {} lines, expected {HELD}", runs.lines);
    median(&runs.ms)
}

fn median(values: &[f64]) -> Result<f64> {
    Ok(Spread::of(values).context("no run")?.median)
}
