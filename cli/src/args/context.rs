//! The arguments of `context`.

use clap::Subcommand;

use super::values;

#[derive(Debug, Subcommand)]
pub(crate) enum ContextVerb {
    /// Give an agent a name
    #[command(
        before_help = "\
Examples:
  connctl context add prod unix:/run/connctl/agent.sock
  connctl context add lab http://127.0.0.1:5001 --token-file ~/lab.token --use
  connctl context add far https://agent.example:5002 --ca-file ca.crt --cert-file me.crt --key-file me.key
  CONNCTL_AGENT=unix:/run/connctl/agent.sock connctl context add here",
        after_help = "A name that is there already gets the new address. The paths of --token-file, --ca-file, --cert-file and --key-file are kept with it, and never what is in \
these files."
    )]
    Add {
        /// The name
        #[arg(value_parser = values::name)]
        name: String,
        /// Where the agent is: unix:PATH, http://HOST:PORT or https://HOST:PORT [default: the agent of --agent or CONNCTL_AGENT]
        url: Option<String>,
        /// Use it from now on where no agent is named
        #[arg(long = "use")]
        is_used: bool,
    },
    /// List the names
    #[command(before_help = "\
Examples:
  connctl context list
  connctl context list -o name")]
    List,
    /// Use one where no agent is named
    #[command(before_help = "\
Examples:
  connctl context use prod")]
    Use {
        /// The name
        name: String,
    },
    /// Forget a name
    #[command(before_help = "\
Examples:
  connctl context remove lab")]
    Remove {
        /// The name
        name: String,
    },
}
