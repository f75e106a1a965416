//! A benchmark that anyone can run: connctl beside its peers, on one machine, in turn and interleaved.

mod args;
mod case;
mod control;
mod load;
mod machine;
mod measure;
mod metric;
mod ports;
mod proxy;
mod report;

use std::io::{self, Write};
use std::process::ExitCode;

use anyhow::{Result, bail};
use clap::{Parser, ValueEnum};

use crate::args::{Args, Format, Internal};
use crate::case::{Case, Setup};
use crate::machine::Machine;
use crate::proxy::Who;
use crate::report::{Report, Results, goals, json, table};

fn main() -> ExitCode {
    match run(&Args::parse()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            // Nothing is left to do if stderr is closed.
            let _ = writeln!(io::stderr(), "bench: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn run(args: &Args) -> Result<()> {
    if let Some(Internal::Starter) = args.internal {
        return measure::program::serve();
    }
    let plan = plan(args)?;
    let setup = Setup::new(args.connctl.clone(), args.quick);
    let repetitions = usize::from(args.reps.unwrap_or(if args.quick { 3 } else { 5 }));
    let results = measure_all(&plan, &setup, repetitions).finish();
    let report = Report {
        machine: Machine::read(&args.connctl),
        repetitions,
        quick: args.quick,
        goals: goals::judge(&results),
        results,
    };
    let text = match args.output {
        Format::Table => table::render(&report),
        Format::Json => json::render(&report)?,
    };
    io::stdout().write_all(text.as_bytes())?;
    Ok(())
}

/// A case, and those of the chosen whom it can be measured with.
type Planned = (&'static Case, Vec<Who>);

fn plan(args: &Args) -> Result<Vec<Planned>> {
    let chosen = if args.proxies.is_empty() { Who::value_variants() } else { &args.proxies };
    let cases = case::ALL
        .iter()
        .filter(|case| args.only.is_empty() || args.only.iter().any(|name| name == case.name));
    let plan: Vec<Planned> = cases
        .map(|&case| (case, case.who.iter().copied().filter(|who| chosen.contains(who)).collect::<Vec<_>>()))
        .filter(|(_, who)| !who.is_empty())
        .collect();
    if plan.is_empty() {
        bail!("none of the cases of --only can be measured with any of --proxies");
    }
    Ok(plan)
}

/// Repetition by repetition, case by case, one after the other, so that a slow minute of the machine falls on
/// all of them. Each repetition begins with another one, so that nobody always follows the same.
fn measure_all(plan: &[Planned], setup: &Setup, repetitions: usize) -> Results {
    let mut results = Results::default();
    for (case, who) in plan {
        results.expect(case, who);
    }
    for repetition in 0..repetitions {
        for (case, who) in plan {
            for turn in 0..who.len() {
                let who = who[(turn + repetition) % who.len()];
                let progress = format!("{}/{repetitions} {} {}", repetition + 1, case.name, who.name());
                match (case.run)(setup, who) {
                    Ok(readings) => {
                        tell(&progress);
                        for (metric, value) in readings {
                            results.add(metric, who, value);
                        }
                    }
                    Err(error) => {
                        tell(&format!("{progress} failed: {error:#}"));
                        results.fail(case, who, &format!("{error:#}"));
                    }
                }
            }
        }
    }
    results
}

/// Progress goes to stderr; the result alone is on stdout.
fn tell(line: &str) {
    let _ = writeln!(io::stderr(), "{line}");
}
