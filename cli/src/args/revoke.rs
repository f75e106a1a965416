//! The arguments of `revoke`.

use std::time::Duration;

use clap::{Args, Subcommand};
use connctl_api::id::RevocationId;
use connctl_api::operation::OperationKind;

use super::bulk::GuardArgs;
use super::values;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true, subcommand_negates_reqs = true)]
#[command(mut_arg("dry_run", |arg| arg.help("List who would be closed; nothing is revoked")))]
#[command(mut_arg("max", |arg| arg.help("Refuse to close more connections than this")))]
#[group(id = "who", args = ["uid", "ip"], required = true, multiple = false)]
pub(crate) struct RevokeArgs {
    #[command(subcommand)]
    pub verb: Option<RevokeVerb>,
    /// The user
    #[arg(long, value_name = "UID")]
    pub uid: Option<String>,
    /// The address or network
    #[arg(long, value_name = "ADDRESS|CIDR")]
    pub ip: Option<String>,
    /// For how long [default: until it is lifted]
    #[arg(long = "for", value_name = "DURATION", value_parser = values::positive_duration)]
    pub for_: Option<Duration>,
    /// How the live ones end: flush and FIN, or RST
    #[arg(long = "type", value_name = "TYPE", default_value = "close",
        value_parser = values::word::<OperationKind>(["close", "reset"]))]
    pub kind: OperationKind,
    #[command(flatten)]
    pub guards: GuardArgs,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RevokeVerb {
    /// List the revocations in force
    #[command(before_help = "\
Examples:
  connctl revoke list
  connctl revoke list -o name | xargs -n 1 connctl revoke lift")]
    List,
    /// End a revocation: its user or address may come again
    #[command(before_help = "\
Examples:
  connctl revoke lift 3")]
    Lift {
        /// The revocation
        #[arg(value_name = "ID")]
        id: RevocationId,
    },
}
