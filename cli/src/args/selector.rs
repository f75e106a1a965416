//! Which connections: the same flags on every verb that takes a selector.

use clap::Args;

#[derive(Debug, Clone, Default, Args)]
#[command(next_help_heading = "Selector (flags together mean and; one flag several times means any of)")]
pub(crate) struct SelectorArgs {
    /// The user's connections
    #[arg(long, value_name = "UID")]
    pub uid: Vec<String>,
    /// The connection of this id
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub conn_id: Vec<String>,
    /// From this address or network
    #[arg(long, value_name = "ADDRESS|CIDR")]
    pub ip: Vec<String>,
    /// From this port of the client
    #[arg(long, value_name = "PORT", allow_negative_numbers = true)]
    pub port: Vec<String>,
    /// Accepted by this listener
    #[arg(long, value_name = "NAME")]
    pub listener: Vec<String>,
    /// Held by this node
    #[arg(long, value_name = "ID", allow_negative_numbers = true)]
    pub node: Vec<String>,
    /// From this kind of device
    #[arg(long, value_name = "DEVICE")]
    pub device: Vec<String>,
    /// With this tag
    #[arg(long, value_name = "KEY=VALUE")]
    pub tag: Vec<String>,
    /// In this state: opening, active, half_closed, paused or closing
    #[arg(long, value_name = "STATE")]
    pub state: Vec<String>,
    /// No byte for longer than this
    #[arg(long, value_name = "DURATION")]
    pub idle_over: Vec<String>,
    /// Open for longer than this
    #[arg(long, value_name = "DURATION")]
    pub age_over: Vec<String>,
    /// Every connection
    #[arg(long)]
    pub all: bool,
    /// An expression: 'idle > 10m and ip in 10.0.0.0/8'
    #[arg(long = "where", value_name = "EXPR")]
    pub where_: Vec<String>,
}
