//! The arguments of `listener`.

use clap::Subcommand;
use connctl_api::listener::{MAX_AFTER, RejectMode};

use super::drain::DrainArgs;
use super::values;

#[derive(Debug, Subcommand)]
pub(crate) enum ListenerVerb {
    /// List listeners
    #[command(before_help = "\
Examples:
  connctl listener list
  connctl listener list -o jsonl | jq -r 'select(.accepting | not) | .name'")]
    List,
    /// Show one listener
    #[command(before_help = "\
Examples:
  connctl listener show redis")]
    Show {
        /// Its name
        name: String,
    },
    /// Turn new connections away
    #[command(before_help = "\
Examples:
  connctl listener reject
  connctl listener reject redis --after 2
  connctl listener reject redis --mode reset")]
    Reject {
        /// The listeners [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// Accept so many more first, counted over all that are named
        #[arg(long, value_name = "N", allow_negative_numbers = true,
            value_parser = clap::value_parser!(u64).range(0..=MAX_AFTER))]
        after: Option<u64>,
        /// The dial fails, succeeds and is reset, or hangs [default: refuse]
        #[arg(long, value_name = "MODE", value_parser = values::word_of!(RejectMode))]
        mode: Option<RejectMode>,
    },
    /// Take new connections again
    #[command(before_help = "\
Examples:
  connctl listener accept
  connctl listener accept redis")]
    Accept {
        /// The listeners [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
    },
    /// Turn new connections away; the live ones come to their end, or are closed at a pace
    #[command(before_help = "\
Examples:
  connctl listener drain redis
  connctl listener drain redis --yes --rate 50/s --idle-first")]
    Drain {
        /// The listeners [default: all]
        #[arg(value_name = "NAME")]
        names: Vec<String>,
        /// The dial fails, succeeds and is reset, or hangs [default: refuse]
        #[arg(long, value_name = "MODE", value_parser = values::word_of!(RejectMode))]
        mode: Option<RejectMode>,
        #[command(flatten)]
        args: Box<DrainArgs>,
    },
}
