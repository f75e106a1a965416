//! The arguments of `agent cert`.

use std::path::PathBuf;

use clap::{Args, Subcommand};
use connctl_api::access::Role;

use super::values;

/// The time that a certificate is made for.
const DAYS: u64 = 365;
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
    /// Make a certificate for one more client, or a new one for the agent, with that CA
    #[command(
        before_help = "\
Examples:
  connctl agent cert issue --client grafana --role viewer >> agent.toml
  connctl agent cert issue /etc/connctl/tls --server --name agent.example --renew",
        after_help = "A client's files are NAME.crt and NAME.key. Give the agent's names again when its certificate is renewed: the new one \
has no others."
    )]
    Issue(CertIssueArgs),
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
    #[arg(long, value_name = "DAYS", default_value_t = DAYS, value_parser = clap::value_parser!(u64).range(1..=MAX_DAYS))]
    pub days: u64,
}

#[derive(Debug, Args)]
pub(crate) struct CertIssueArgs {
    /// Where `init` has made the CA
    #[arg(value_name = "DIR", default_value = "connctl-tls")]
    pub dir: PathBuf,
    /// For a client of this name
    #[arg(long, value_name = "NAME", value_parser = values::name, required_unless_present = "server")]
    pub client: Option<String>,
    /// For the agent
    #[arg(long, conflicts_with = "client")]
    pub server: bool,
    /// With --server: a name or an address by which clients call the agent, beside those that it always has
    #[arg(long, value_name = "HOST", value_parser = values::host, conflicts_with = "client")]
    pub name: Vec<String>,
    /// With --client: what it allows
    #[arg(long, value_name = "ROLE", default_value = "viewer", conflicts_with = "server", value_parser = values::word_of!(Role))]
    pub role: Role,
    /// How long it is valid, in days
    #[arg(long, value_name = "DAYS", default_value_t = DAYS, value_parser = clap::value_parser!(u64).range(1..=MAX_DAYS))]
    pub days: u64,
    /// Replace the files that are there
    #[arg(long)]
    pub renew: bool,
}
