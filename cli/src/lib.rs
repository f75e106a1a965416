//! The connctl command: arguments, calls to an agent, and what is printed of its answers.

mod args;
mod bulk;
mod command;
mod context;
mod error;
mod files;
mod invocation;
mod output;
mod selection;
mod typed;

use std::io::Write as _;
use std::process::ExitCode;

use anyhow::{Context as _, Result};
use connctl_api::error::Exit;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::lean;
use crate::args::verb::Verb;
use crate::invocation::Invocation;

/// The whole command.
pub fn main() -> ExitCode {
    let cli = match lean::parse(&std::env::args_os().collect::<Vec<_>>()) {
        Ok(cli) => cli,
        Err(error) => {
            // Help and version are asked for and go to stdout; anything else is wrong usage. That nobody reads
            // it is no error; that it cannot be written is one.
            let exit = if error.use_stderr() { Exit::Usage } else { Exit::Done };
            let printed = error.print().and_then(|()| std::io::stdout().flush());
            return match printed {
                Err(problem) if !error.use_stderr() => finish(Err(problem.into())),
                _ => code_of(exit),
            };
        }
    };
    let result = match cli.verb {
        #[cfg(feature = "agent")]
        Verb::Agent(args::verb::AgentVerb::Run(args)) => return finish(command::agent::run(*args)),
        verb => call(verb, &Invocation::resolve(&cli.target, &cli.output)),
    };
    finish(result.map(code_of))
}

/// Runs a verb on this thread, until it is done or somebody presses ctrl-c.
fn call(verb: Verb, invocation: &Invocation) -> Result<Exit> {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .context("cannot start the runtime")?;
    let result = runtime.block_on(async {
        // Before the agent hears anything: whoever interrupts a call that has begun gets 130, and no killed process.
        let mut interrupted = signal(SignalKind::interrupt()).context("cannot listen for ctrl-c")?;
        tokio::select! {
            // The verb first: one that waits for ctrl-c itself has its own end.
            biased;
            result = command::run(verb, invocation) => result,
            _ = interrupted.recv() => Ok(Exit::Interrupted),
        }
    });
    // A question that was not answered still waits on a thread of its own.
    runtime.shutdown_background();
    result
}

fn finish(result: Result<ExitCode>) -> ExitCode {
    match result {
        Ok(code) => code,
        Err(error) if error::is_broken_pipe(&error) => code_of(Exit::Done),
        Err(error) => {
            output::complain(&error::text_of(&error));
            code_of(error::exit_of(&error))
        }
    }
}

fn code_of(exit: Exit) -> ExitCode {
    ExitCode::from(exit as u8)
}
