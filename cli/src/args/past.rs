//! The arguments of `events` and `history`.

use clap::Args;
use connctl_api::event::EventKind;

use super::selector::SelectorArgs;
use super::values;

#[derive(Debug, Args)]
pub(crate) struct EventsArgs {
    #[command(flatten)]
    pub selector: SelectorArgs,
    /// Go on with what happens from now on, until interrupted
    #[arg(short, long)]
    pub follow: bool,
    /// Only this kind; several times: any of them
    #[arg(long, value_name = "KIND", value_parser = values::word_of!(EventKind))]
    pub kind: Vec<EventKind>,
    /// Begin behind the event of this id; 0 is the oldest that the agent keeps
    #[arg(long, value_name = "ID")]
    pub after: Option<String>,
}

#[derive(Debug, Args)]
pub(crate) struct HistoryArgs {
    #[command(flatten)]
    pub selector: SelectorArgs,
    /// Only what ended since: a time, or a duration back from now
    #[arg(long, value_name = "TIME|DURATION")]
    pub since: Option<String>,
    /// At most so many
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::number)]
    pub limit: Option<u64>,
    /// Only these columns, in this order
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
    /// Only how many
    #[arg(long, conflicts_with_all = ["limit", "columns"])]
    pub count: bool,
    /// With --count: how many of each value of this field
    #[arg(long, value_name = "FIELD", requires = "count")]
    pub by: Option<String>,
}
