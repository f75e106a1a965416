//! How a drain closes who is inside.

use std::time::Duration;

use clap::Args;

use super::bulk::PaceArgs;
use super::values;

#[derive(Debug, Clone, Args)]
pub(crate) struct DrainArgs {
    /// Do not ask
    #[arg(short, long)]
    pub yes: bool,
    /// Show who would be closed, and keep them as a plan for `apply`; no listener is touched
    #[arg(long)]
    pub dry_run: bool,
    /// Refuse to close more connections than this
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::number)]
    pub max: Option<u64>,
    /// Refuse to close more than this share of the node's connections
    #[arg(long, value_name = "P", value_parser = values::percent)]
    pub max_percent: Option<f64>,
    /// Those that have been idle the longest first
    #[arg(long)]
    pub idle_first: bool,
    /// How long a close may flush before it is forced [default: 1s]
    #[arg(long, value_name = "DURATION", value_parser = values::duration)]
    pub grace: Option<Duration>,
    /// Why, for the log
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    #[command(flatten)]
    pub pace: PaceArgs,
}

impl DrainArgs {
    /// Whether anything says how to close; without it, who is inside comes to his own end.
    pub(crate) fn closes(&self) -> bool {
        let pace = &self.pace;
        let paced = pace.rate.is_some() || pace.until_reconnect_rate.is_some() || pace.detach;
        let guarded = self.yes || self.dry_run || self.max.is_some() || self.max_percent.is_some();
        paced || guarded || self.idle_first || self.grace.is_some()
    }
}
