//! Settings as the agent uses them: every value checked.

use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use connctl_api::conn::Mode;
use connctl_api::id::NodeId;
use ipnet::IpNet;

use super::address::{Control, Upstream};
use super::audit::AuditSettings;
use super::identity::{Networks, Rule};
use super::keys::Keys;
use super::policy::Policies;
use super::reconnect::Reconnection;
use super::record::RecordSettings;
use super::trust::TrustSettings;
use super::words::{Compat, Level, LogFormat, ProxyVersion};

/// Everything an agent is told.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Its id.
    pub node_id: NodeId,
    /// Where the control API is.
    pub control: Vec<Control>,
    /// Where it keeps what survives a restart.
    pub state_dir: Option<PathBuf>,
    /// How facades answer where a system's document and code differ.
    pub compat: Compat,
    /// Relay threads.
    pub threads: u16,
    /// What is logged, where the file says so.
    pub log: Option<Level>,
    /// How a line of it is written.
    pub log_format: LogFormat,
    /// How long a stop waits for connections to end by themselves.
    pub shutdown_grace: Duration,
    /// The most connections of all listeners together, where the file says so; 0 is no limit.
    pub max_connections: Option<u32>,
    /// How long a plan can be applied.
    pub plan_lifetime: Duration,
    /// How much is kept of what happened.
    pub record: RecordSettings,
    /// What is written down of changes, and where.
    pub audit: Option<AuditSettings>,
    /// Who may ask.
    pub trust: TrustSettings,
    /// The listeners, in the order given: flags first.
    pub listeners: Vec<ListenerSettings>,
    /// Connections that the agent opens itself.
    pub outbound: OutboundSettings,
}

/// Connections that the agent opens itself, and the sessions that use them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OutboundSettings {
    /// How long a session's connection stays open without a request; `compat` says where this does not.
    pub idle_timeout: Option<Duration>,
    /// How often the idle ones are looked for; `compat` says where this does not.
    pub idle_check_interval: Option<Duration>,
    /// How long a server may take from the dial to its answer.
    pub dial_timeout: Duration,
    /// The most sessions.
    pub max_sessions: usize,
}

/// One listener.
#[derive(Debug, Clone, PartialEq)]
pub struct ListenerSettings {
    /// Its name, unique in the agent.
    pub name: String,
    /// What it does with connections.
    pub mode: Mode,
    /// Where it listens.
    pub bind: Bind,
    /// Where `forward` relays to, in the order tried.
    pub upstream: Vec<Upstream>,
    /// How long one dial may take.
    pub dial_timeout: Duration,
    /// Completed dials that the kernel keeps until they are accepted.
    pub backlog: i32,
    /// `TCP_NODELAY` on both sockets.
    pub nodelay: bool,
    /// Keep-alive probes on both sockets.
    pub keepalive: Option<Keepalive>,
    /// Networks whose connections begin with a PROXY header.
    pub accept_proxy_from: Vec<IpNet>,
    /// How long a PROXY header may take to arrive.
    pub proxy_timeout: Duration,
    /// The PROXY header sent to the upstream.
    pub send_proxy: Option<ProxyVersion>,
    /// Where a user is looked for, in this order.
    pub identity: Vec<Rule>,
    /// Users by network, where no rule finds one.
    pub networks: Networks,
    /// The policies that the file asks for.
    pub keys: Keys,
    /// The policies that follow from them.
    pub policies: Policies,
    /// What happens when an upstream goes away.
    pub reconnect: Reconnection,
}

impl ListenerSettings {
    /// What holds for connections that no listener accepted: the sockets' options, and no limit.
    pub fn outbound() -> Self {
        Self {
            name: String::new(),
            mode: Mode::Outbound,
            bind: SocketAddr::from(([0, 0, 0, 0], 0)),
            upstream: Vec::new(),
            dial_timeout: DEFAULT_DIAL_TIMEOUT,
            backlog: DEFAULT_BACKLOG,
            nodelay: true,
            keepalive: Some(DEFAULT_KEEPALIVE),
            accept_proxy_from: Vec::new(),
            proxy_timeout: DEFAULT_PROXY_TIMEOUT,
            send_proxy: None,
            identity: Vec::new(),
            networks: Networks::default(),
            keys: Keys::default(),
            policies: Policies::default(),
            reconnect: Reconnection::default(),
        }
    }
}

/// A listening address: `HOST:PORT` resolved when the file is read.
pub type Bind = SocketAddr;

/// When the kernel asks an idle peer whether it is still there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Keepalive {
    /// Idle time before the first probe.
    pub idle: Duration,
    /// Time between probes.
    pub interval: Duration,
    /// Unanswered probes until the peer is given up.
    pub probes: u32,
}

/// The id of an agent that was given none.
pub const DEFAULT_NODE_ID: u64 = 1;
/// One dial.
pub const DEFAULT_DIAL_TIMEOUT: Duration = Duration::from_secs(10);
/// Completed dials waiting to be accepted; the kernel caps it at `net.core.somaxconn`.
pub const DEFAULT_BACKLOG: i32 = 4096;
/// A peer that vanished is noticed after two minutes.
pub const DEFAULT_KEEPALIVE: Keepalive =
    Keepalive { idle: Duration::from_secs(60), interval: Duration::from_secs(10), probes: 6 };
/// A PROXY header is the first thing its sender writes.
pub const DEFAULT_PROXY_TIMEOUT: Duration = Duration::from_secs(5);
/// How long a stop waits before it closes what is left.
pub const DEFAULT_SHUTDOWN_GRACE: Duration = Duration::from_secs(3);
/// Sessions, each with one connection of the agent's own.
pub const DEFAULT_MAX_SESSIONS: u32 = 256;
/// The most sessions that can be asked for: a cookie is compared with all of them.
pub const MAX_SESSIONS: u32 = 10_000;
/// How long a plan can be applied.
pub const DEFAULT_PLAN_LIFETIME: Duration = Duration::from_secs(600);
/// More relay threads than this are never the default.
pub const DEFAULT_MAX_THREADS: usize = 4;
/// The most relay threads that can be asked for.
pub const MAX_THREADS: u16 = 256;
