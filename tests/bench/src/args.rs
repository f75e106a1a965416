//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

use crate::case;
use crate::measure::program;
use crate::proxy::Who;

/// Measures connctl beside HAProxy, nginx, Redis and ss on this machine's loopback.
#[derive(Parser)]
#[command(name = "bench", bin_name = "tests/bench/run", subcommand_precedence_over_arg = true)]
pub(crate) struct Args {
    /// Shorter runs, about 2 minutes: shows that all works; too noisy to judge by
    #[arg(long)]
    pub(crate) quick: bool,

    /// How to print the result on stdout
    #[arg(short, long, value_enum, default_value_t = Format::Table)]
    pub(crate) output: Format,

    /// Measure these cases only
    #[arg(long, value_name = "CASE,...", value_delimiter = ',', value_parser = case_names())]
    pub(crate) only: Vec<String>,

    /// Measure these only
    #[arg(long, value_name = "NAME,...", value_delimiter = ',', value_enum)]
    pub(crate) proxies: Vec<Who>,

    /// Interleaved repetitions, of which the median counts [default: 5, with --quick 3]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..))]
    pub(crate) reps: Option<u16>,

    /// The connctl binary
    #[arg(long, value_name = "PATH", env = "CONNCTL_BIN", default_value = "connctl")]
    pub(crate) connctl: PathBuf,

    #[command(subcommand)]
    pub(crate) internal: Option<Internal>,
}

#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Format {
    Table,
    Json,
}

/// What the benchmark starts itself as.
#[derive(Subcommand)]
pub(crate) enum Internal {
    #[command(name = program::SUBCOMMAND, hide = true)]
    Starter,
}

fn case_names() -> clap::builder::PossibleValuesParser {
    case::ALL.iter().map(|case| case.name).collect::<Vec<_>>().into()
}
