//! The arguments of `agent cert`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use connctl_api::access::Role;

use super::values;

/// The longest time a certificate can be made for: ten years.
const MAX_DAYS: u64 = 3_650;

#[derive(Debug, Subcommand)]
pub(crate) enum CertVerb {
    /// Make a private CA, a certificate for an agent and one for a client
    #[command(
        before_help = "\
Examples:
  connctl agent cert init
  connctl agent cert init /etc/connctl/tls --name agent.example --name 10.0.0.5
  connctl agent cert init tls --client deploy --role operator > agent.toml",
        after_help = "It prints what the agent's configuration file needs of them, as such a file: everything else in it is a \
comment. Nothing that is there already is overwritten. Private keys can be read by you alone."
    )]
    Init(CertInitArgs),
}

#[derive(Debug, Args)]
pub(crate) struct CertInitArgs {
    /// Where they are put; made where it is missing
    #[arg(value_name = "DIR", default_value = "connctl-tls")]
    pub dir: PathBuf,
    /// A name or an address by which clients call the agent; localhost, 127.0.0.1, ::1 and this machine's name are
    /// always among them
    #[arg(long, value_name = "HOST", value_parser = values::host)]
    pub name: Vec<String>,
    /// The client's name: the agent knows it by this
    #[arg(long, value_name = "NAME", default_value = "operator", value_parser = values::name)]
    pub client: String,
    /// What it allows: viewer reads, operator acts on connections and listeners, admin may everything
    #[arg(long, value_name = "ROLE", default_value = "operator", value_parser = values::word_of!(Role))]
    pub role: Role,
    /// How long the two certificates are valid, in days; the CA is for ten years
    #[arg(long, value_name = "DAYS", default_value_t = 365, value_parser = clap::value_parser!(u64).range(1..=MAX_DAYS))]
    pub days: u64,
}
