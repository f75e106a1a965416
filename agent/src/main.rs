//! The agent alone, without the operator commands.

use std::process::ExitCode;

use clap::{Parser, Subcommand};
use connctl_agent::args::RunArgs;

/// Hold live TCP connections and serve connctl's control API.
#[derive(Debug, Parser)]
#[command(version, name = "connctl-agent")]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the agent
    Run(Box<RunArgs>),
}

fn main() -> ExitCode {
    let Command::Run(args) = Cli::parse().command;
    connctl_agent::run(*args).unwrap_or_else(|error| {
        #[expect(clippy::print_stderr, reason = "the one place where the agent's errors are printed")]
        {
            eprintln!("connctl-agent: {error:#}");
        }
        ExitCode::FAILURE
    })
}
