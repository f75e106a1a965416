//! The arguments of `audit`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use connctl_api::audit::AuditResult;

use super::values;

#[derive(Debug, Subcommand)]
pub(crate) enum AuditVerb {
    /// List what was asked that changes something, the latest first
    #[command(
        before_help = "\
Examples:
  connctl audit list --since 1h
  connctl audit list --actor deploy --verb remove
  connctl audit list --result denied -o wide
  connctl audit list -o jsonl | jq -c 'select(.counts.done > 100)'",
        after_help = "Whoever was refused is there, too. Refusals of one kind are one row, with `times`, once a minute. \
Tokens, passwords and lists of items are left out."
    )]
    List(AuditListArgs),
    /// Check that no line was changed, taken away or moved
    #[command(
        before_help = "\
Examples:
  connctl audit verify
  connctl audit verify --file /var/lib/connctl/audit.jsonl
  connctl audit verify -o name > head.txt              # keep it on another machine
  connctl audit verify --head \"$(cat head.txt)\"",
        after_help = "The lines are checked here, not by the agent; with --file no agent is asked at all. A line that is \
not as it was written is named, with its file: exit code 1.

Each line has the hash of the one before, and a file beside them, `.head`, knows the last. Whoever may write all of \
these files can write another audit that is whole in itself, or cut the end off both. Only a hash that was kept \
elsewhere shows that: give it with --head. The agent logs it when it stops."
    )]
    Verify(AuditVerifyArgs),
}

#[derive(Debug, Args)]
pub(crate) struct AuditListArgs {
    /// Only calls since: a time, or a duration back from now
    #[arg(long, value_name = "TIME|DURATION")]
    pub since: Option<String>,
    /// Only calls of this name, as in the ACTOR column
    #[arg(long, value_name = "NAME")]
    pub actor: Option<String>,
    /// Only calls of this verb, as in the VERB column, or of a command: `remove`, 'limit set'
    #[arg(long, value_name = "VERB")]
    pub verb: Option<String>,
    /// Only calls of which this came
    #[arg(long, value_name = "RESULT", value_parser = values::word_of!(AuditResult))]
    pub result: Option<AuditResult>,
    /// At most so many [default: 1000]
    #[arg(long, value_name = "N", allow_negative_numbers = true, value_parser = values::number)]
    pub limit: Option<u64>,
    /// Only these columns, in this order
    #[arg(long, value_name = "COLUMNS", value_delimiter = ',')]
    pub columns: Vec<String>,
}

#[derive(Debug, Args)]
pub(crate) struct AuditVerifyArgs {
    /// This audit on this machine, with the full files beside it; no agent is asked
    #[arg(long, value_name = "PATH")]
    pub file: Option<PathBuf>,
    /// A hash that was kept elsewhere: one of the lines must have it
    #[arg(long, value_name = "HASH")]
    pub head: Option<String>,
    /// The oldest files were moved away: begin with what is there
    #[arg(long)]
    pub part: bool,
}
