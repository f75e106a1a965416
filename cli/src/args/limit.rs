//! The arguments of `limit`.

use clap::{Args, Subcommand};

use super::values;

#[derive(Debug, Subcommand)]
pub(crate) enum LimitVerb {
    /// List the limits in force, and where each comes from
    #[command(before_help = "\
Examples:
  connctl limit list
  connctl limit list --listener pg -o json")]
    List {
        /// Only this listener's
        #[arg(long, value_name = "NAME")]
        listener: Option<String>,
    },
    /// Change limits, for live connections too
    #[command(
        before_help = "\
Examples:
  connctl limit set --listener pg idle_timeout=10m max_per_uid=5 on_over=evict-oldest
  connctl limit set --listener pg --listener redis idle_timeout=none
  connctl limit set --listener pg max_connections=100 --dry-run
  connctl limit set max_connections=2000",
        after_help = "The keys and values are those of the configuration file; `none` takes a time limit away, and 0 a \
count. All of them come into force together, or none. Without --listener they are the agent's own.

Time limits count for live connections at once. A lower count closes nobody where on_over is `reject`: those who \
are in stay, and newcomers are refused until fewer are left. Where on_over evicts, the surplus is closed at once, by \
its rule.

What is set lasts until it is removed, the agent is started again or its file is read again: write into the file \
what is to stay."
    )]
    Set(LimitSetArgs),
    /// Go back to the values in the file
    #[command(before_help = "\
Examples:
  connctl limit remove --listener pg idle_timeout max_per_uid
  connctl limit remove max_connections
  connctl limit remove --listener pg --all
  connctl limit remove --all")]
    Remove(LimitRemoveArgs),
}

#[derive(Debug, Args)]
pub(crate) struct LimitSetArgs {
    /// Of this listener; several times for several [default: the agent]
    #[arg(long = "listener", value_name = "NAME")]
    pub listeners: Vec<String>,
    /// The limits
    #[arg(value_name = "KEY=VALUE", required = true, value_parser = values::tag)]
    pub set: Vec<(String, String)>,
    #[command(flatten)]
    pub trial: TrialArgs,
}

#[derive(Debug, Args)]
pub(crate) struct LimitRemoveArgs {
    /// Of this listener; several times for several [default: the agent]
    #[arg(long = "listener", value_name = "NAME")]
    pub listeners: Vec<String>,
    /// The limits
    #[arg(value_name = "KEY", required_unless_present = "all", conflicts_with = "all")]
    pub keys: Vec<String>,
    /// Everything that was set: of the listeners named, or of agent and listeners
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub trial: TrialArgs,
}

#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct TrialArgs {
    /// Only list the connections that would be closed now
    #[arg(long)]
    pub dry_run: bool,
    /// Do not ask, and do not refuse because many connections would be closed
    #[arg(short, long)]
    pub yes: bool,
}
