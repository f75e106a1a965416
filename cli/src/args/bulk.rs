//! How a verb changes connections, and what keeps it from changing too many.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;
use connctl_api::operation::{OperationKind, SideChoice};

use super::selector::SelectorArgs;
use super::values;

/// The verbs that change connections.
#[derive(Debug, Clone, Args)]
pub(crate) struct ChangeArgs {
    #[command(flatten)]
    pub selector: SelectorArgs,
    /// On which socket: client, upstream or both [default: both, halfclose: client]
    #[arg(long, value_name = "SIDE", value_parser = values::word_of!(SideChoice))]
    pub side: Option<SideChoice>,
    #[command(flatten)]
    pub guards: GuardArgs,
    #[command(flatten)]
    pub spread: SpreadArgs,
}

/// `remove`: one verb for the three kinds of ending.
#[derive(Debug, Clone, Args)]
pub(crate) struct RemoveArgs {
    #[command(flatten)]
    pub change: ChangeArgs,
    /// How: flush and FIN, RST, or FIN one way
    #[arg(long = "type", value_name = "TYPE", default_value = "close",
        value_parser = values::word::<OperationKind>(["close", "reset", "halfclose"]))]
    pub kind: OperationKind,
    /// Connections from a file, or - for stdin: CSV with a header, JSON lines, or `uid conn_id [node_id]`
    #[arg(long, value_name = "FILE", conflicts_with_all = ["uid", "conn_id", "ip", "port", "listener", "node",
        "device", "tag", "state", "idle_over", "age_over", "all", "where_"])]
    pub batch: Option<PathBuf>,
    /// Leave out the lines of the batch that cannot be read
    #[arg(long, requires = "batch")]
    pub skip_bad: bool,
}

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Safety")]
pub(crate) struct GuardArgs {
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Show the set, and keep it as a plan for `apply`
    #[arg(long)]
    pub dry_run: bool,
    /// Refuse more connections than this; a large set that an expression picks out needs it
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::number)]
    pub max: Option<u64>,
    /// Refuse more than this share of the node's connections
    #[arg(long, value_name = "P", value_parser = values::percent)]
    pub max_percent: Option<f64>,
    /// How long a close may flush before it is forced [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub grace: Option<Duration>,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
}

/// Which share of the set, in which order, and at what pace.
#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Safety")]
pub(crate) struct SpreadArgs {
    /// Only this share of the set, drawn at random
    #[arg(long, value_name = "P", value_parser = values::share)]
    pub sample: Option<f64>,
    /// Those that have been idle the longest first
    #[arg(long)]
    pub idle_first: bool,
    #[command(flatten)]
    pub pace: PaceArgs,
}

/// How a change is spread over time.
#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Pace")]
pub(crate) struct PaceArgs {
    /// So many connections a second, evenly: 50/s, 3000/m
    #[arg(long, value_name = "RATE", value_parser = values::rate)]
    pub rate: Option<f64>,
    /// How far each may be from its even place, as a share of the time between two
    #[arg(long, value_name = "P", value_parser = values::percent)]
    pub jitter: Option<f64>,
    /// Let the rate rise from nothing within this time
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub ramp: Option<Duration>,
    /// Slow down while more clients than this connect: 20/s
    #[arg(long, value_name = "RATE", value_parser = values::rate)]
    pub until_reconnect_rate: Option<f64>,
    /// Pause when more than this share fails: 5%, or 'failed > 5%'
    #[arg(long, value_name = "P", value_parser = values::failures)]
    pub pause_if: Option<f64>,
    /// Leave it to the agent, as a job, and do not wait
    #[arg(long)]
    pub detach: bool,
}
