//! Which agent, and how long it has to answer.

use std::time::Duration;

use clap::Args;

#[derive(Debug, Clone, Args)]
#[command(next_help_heading = "Agent")]
pub(crate) struct TargetArgs {
    /// Where the agent is: unix:PATH or http://HOST:PORT
    ///
    /// Where it is not given, CONNCTL_AGENT is looked at, then /run/connctl/agent.sock for root and
    /// $XDG_RUNTIME_DIR/connctl/agent.sock for others.
    #[arg(long, global = true, value_name = "URL", env = "CONNCTL_AGENT", hide_env_values = true)]
    pub agent: Option<String>,
    /// How long the agent may be silent, and with `wait` how long to wait [default: 10s, wait: 30s]
    #[arg(long, global = true, value_name = "DURATION", value_parser = super::values::positive_duration)]
    pub timeout: Option<Duration>,
}
