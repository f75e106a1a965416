//! `completion`: what a shell needs to complete a command line. The same is committed in `completions/`.

use anyhow::Result;
use clap::CommandFactory;
use clap_complete::{Shell, generate};
use connctl_api::error::Exit;

use crate::args::Cli;
use crate::output;

pub(crate) fn run(shell: Shell) -> Result<Exit> {
    output::text(&script(shell))?;
    Ok(Exit::Done)
}

/// The script of a shell.
pub(crate) fn script(shell: Shell) -> String {
    let mut bytes = Vec::new();
    generate(shell, &mut Cli::command(), "connctl", &mut bytes);
    String::from_utf8_lossy(&bytes).into_owned()
}
