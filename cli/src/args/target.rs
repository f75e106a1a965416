//! Which agent, and how long it has to answer.

use std::path::PathBuf;
use std::time::Duration;

use clap::Args;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Agent")]
pub(crate) struct TargetArgs {
    /// Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT
    ///
    /// Where it is not given, CONNCTL_AGENT is looked at, then the context in use, then
    /// /run/connctl/agent.sock for root and $XDG_RUNTIME_DIR/connctl/agent.sock for others.
    #[arg(long, global = true, value_name = "URL")]
    pub agent: Option<String>,
    /// The agent of this name, see `connctl context`
    #[arg(long, global = true, value_name = "NAME")]
    pub context: Option<String>,
    /// A file with the token that the agent asks for
    ///
    /// Where it is not given, CONNCTL_TOKEN is looked at, then the context. A token is never an argument: others could read it.
    #[arg(long, global = true, value_name = "FILE")]
    pub token_file: Option<PathBuf>,
    /// The authority that vouches for an agent over https:// [default: those of the system]
    ///
    /// Where it is not given, CONNCTL_CA_FILE is looked at, then the context.
    #[arg(long, global = true, value_name = "FILE")]
    pub ca_file: Option<PathBuf>,
    /// A certificate to show to an agent over https://
    ///
    /// Where it is not given, CONNCTL_CERT_FILE is looked at, then the context.
    #[arg(long, global = true, value_name = "FILE")]
    pub cert_file: Option<PathBuf>,
    /// The certificate's private key [default: in the file of the certificate]
    ///
    /// Where it is not given, CONNCTL_KEY_FILE is looked at, then the context.
    #[arg(long, global = true, value_name = "FILE")]
    pub key_file: Option<PathBuf>,
    /// How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]
    #[arg(long, global = true, value_name = "DURATION", value_parser = super::values::positive_duration)]
    pub timeout: Option<Duration>,
}
