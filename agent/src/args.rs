//! The arguments of `agent run`, for the agent's own binary and for the command.

use std::path::PathBuf;

use clap::Args;
use connctl_api::conn::Mode;

use crate::config::{Compat, Settings, check, file};

/// Run the agent: hold connections and serve the control API.
#[derive(Debug, Clone, Default, Args)]
pub struct RunArgs {
    /// Relay connections to an upstream; several upstreams, with commas between, are tried in order
    #[arg(long, value_name = "[NAME@]BIND=UPSTREAM")]
    pub forward: Vec<String>,

    /// Send what a client sends back to it
    #[arg(long, value_name = "[NAME@]BIND")]
    pub echo: Vec<String>,

    /// Read what a client sends and discard it
    #[arg(long, value_name = "[NAME@]BIND")]
    pub hold: Vec<String>,

    /// Where the control API is: unix:PATH or tcp:HOST:PORT (loopback only)
    #[arg(long, value_name = "ADDRESS")]
    pub control: Vec<String>,

    /// The agent's id, from 1
    #[arg(long, value_name = "N")]
    pub node_id: Option<u64>,

    /// Where what must survive a restart is kept; made where it is missing
    #[arg(long, value_name = "DIR")]
    pub state_dir: Option<PathBuf>,

    /// Settings from a TOML file; flags win over it
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// Relay threads [default: the cores, at most 4]
    #[arg(long, value_name = "N")]
    pub threads: Option<u16>,

    /// How facades answer where a system's document and code differ
    #[arg(long, value_name = "PROFILE", value_parser = compat)]
    pub compat: Option<Compat>,
}

fn compat(text: &str) -> Result<Compat, String> {
    [Compat::Documented, Compat::Actual]
        .into_iter()
        .find(|compat| compat.word() == text)
        .ok_or_else(|| "documented or actual".to_owned())
}

impl RunArgs {
    /// Flags and file as one set of checked settings.
    ///
    /// # Errors
    /// The first value that is wrong, by its name.
    pub fn settings(self) -> anyhow::Result<Settings> {
        let mut listeners = Vec::new();
        for (mode, texts) in [(Mode::Forward, self.forward), (Mode::Echo, self.echo), (Mode::Hold, self.hold)]
        {
            for text in texts {
                listeners.push(check::listener_flag(mode, &text)?);
            }
        }
        let file = self.config.as_deref().map(file::read).transpose()?.unwrap_or_default();
        let flags = check::Flags {
            listeners,
            control: self.control,
            node_id: self.node_id,
            state_dir: self.state_dir,
            threads: self.threads,
            compat: self.compat,
        };
        check::settings(flags, file)
    }
}
