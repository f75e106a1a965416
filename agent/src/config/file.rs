//! The TOML file: its shape, and what a mistake in it says.

use std::collections::BTreeMap;
use std::path::Path;

use anyhow::Context;
use serde::Deserialize;

use super::mistake::{Table, explain, keys, place};
use super::tls::Tls;
use super::trust::{Certificate, Peer, Token};
use super::value::{Size, Span, Time};
use super::words::{
    AuditMode, Compat, KeepAlive, Level, LogFormat, OnOver, ProxyVersion, Reconnect, Unhealthy,
};

/// The file as it is written. Absent keys leave the default or the flag in force.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    /// The agent's id.
    pub node_id: Option<u64>,
    /// Addresses of the control API.
    pub control: Option<Vec<String>>,
    /// Where the agent keeps what survives a restart.
    pub state_dir: Option<std::path::PathBuf>,
    /// `documented` or `actual`.
    pub compat: Option<Compat>,
    /// Relay threads.
    pub threads: Option<u16>,
    /// What is logged.
    pub log: Option<Level>,
    /// How a line of it is written.
    pub log_format: Option<LogFormat>,
    /// How long a stop waits for connections to end by themselves.
    pub shutdown_grace: Option<Time>,
    /// How long a plan can be applied.
    pub plan_lifetime: Option<Time>,
    /// The most connections of all listeners together.
    pub max_connections: Option<u32>,
    /// The most ended connections in memory.
    pub history_size: Option<u64>,
    /// The most ended connections on disk.
    pub history_stored: Option<u64>,
    /// How long they stay on disk.
    pub history_age: Option<Time>,
    /// The most events in memory.
    pub events_size: Option<u64>,
    /// Connections that the agent opens itself.
    #[serde(default)]
    pub outbound: Outbound,
    /// The listeners.
    #[serde(default)]
    pub listener: Vec<Listener>,
    /// Where the audit is; in the state directory where absent.
    pub audit_file: Option<std::path::PathBuf>,
    /// `required`, `best-effort` or `off`.
    pub audit: Option<AuditMode>,
    /// When another file of it is begun.
    pub audit_file_size: Option<Size>,
    /// Tokens.
    #[serde(default)]
    pub token: Vec<Token>,
    /// Peers of the unix socket.
    #[serde(default)]
    pub peer: Vec<Peer>,
    /// TLS of the control API.
    pub tls: Option<Tls>,
    /// Clients by the name of their certificate.
    #[serde(default)]
    pub certificate: Vec<Certificate>,
}

/// The `[outbound]` table.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outbound {
    /// How long a session's connection stays open without a request.
    pub idle_timeout: Option<Time>,
    /// How much later than that it may be closed.
    pub idle_check_interval: Option<Time>,
    /// How long a server may take from the dial to its answer.
    pub dial_timeout: Option<Time>,
    /// The most sessions.
    pub max_sessions: Option<u32>,
}

/// A `[[listener]]` table.
#[derive(Debug, Clone, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Listener {
    /// Its name; made from mode and place where absent.
    pub name: Option<String>,
    /// `forward`, `echo` or `hold`.
    pub mode: connctl_api::conn::Mode,
    /// `HOST:PORT`.
    pub bind: String,
    /// `HOST:PORT`, in the order tried.
    #[serde(default)]
    pub upstream: Vec<String>,
    /// How long one dial may take.
    pub dial_timeout: Option<Time>,
    /// Completed dials waiting to be accepted.
    pub backlog: Option<u16>,
    /// `TCP_NODELAY` on both sockets.
    pub nodelay: Option<bool>,
    /// Keep-alive probes on both sockets.
    pub keepalive: Option<bool>,
    /// Idle time before the first probe.
    pub keepalive_idle: Option<Time>,
    /// Time between probes.
    pub keepalive_interval: Option<Time>,
    /// Unanswered probes until the peer is given up.
    pub keepalive_probes: Option<u8>,
    /// Networks whose connections begin with a PROXY header.
    #[serde(default)]
    pub accept_proxy_from: Vec<String>,
    /// How long a PROXY header may take to arrive.
    pub proxy_timeout: Option<Time>,
    /// `v1` or `v2`.
    pub send_proxy: Option<ProxyVersion>,
    /// Where a user is looked for, in this order.
    #[serde(default)]
    pub identity: Vec<String>,
    /// Users by network, where no rule finds one.
    #[serde(default)]
    pub networks: BTreeMap<String, String>,
    /// How long a connection may be without a byte.
    pub idle_timeout: Option<Span>,
    /// How much later than that it may be ended.
    pub idle_check_interval: Option<Span>,
    /// `standard`, `extended` or `immortal`.
    pub keep_alive: Option<KeepAlive>,
    /// How long the client's first byte may take.
    pub initial_data_timeout: Option<Span>,
    /// How long a connection may last, give or take 5 %.
    pub max_lifetime: Option<Span>,
    /// How long a connection may be half-closed.
    pub half_close_linger: Option<Span>,
    /// The most connections.
    pub max_connections: Option<u32>,
    /// The most connections of one client address.
    pub max_per_ip: Option<u32>,
    /// The most connections of one client network.
    pub max_per_network: Option<u32>,
    /// The bits of an IPv4 address that make a network.
    pub network_prefix_ipv4: Option<u32>,
    /// The bits of an IPv6 address that make a network.
    pub network_prefix_ipv6: Option<u32>,
    /// The most connections of one user.
    pub max_per_uid: Option<u32>,
    /// The most connections of one device of one user.
    pub max_per_device: Option<u32>,
    /// The most new connections of one client address in any minute.
    pub connections_per_minute_per_ip: Option<u32>,
    /// What happens to one too many.
    pub on_over: Option<OnOver>,
    /// Whether a connection of which no byte has passed is dialled again.
    pub redial: Option<bool>,
    /// `fresh` or `nats`.
    pub reconnect: Option<Reconnect>,
    /// How long an upstream may be away.
    pub reconnect_timeout: Option<Time>,
    /// Idle time after which the upstream's socket alone is closed.
    pub upstream_idle_timeout: Option<Time>,
    /// The most bytes that may wait for a peer of a connection.
    pub max_pending_bytes: Option<Size>,
    /// `unacked`, `zombie`, `stuck`: which unhealthy ones are closed.
    pub close_unhealthy: Option<Unhealthy>,
    /// For how long they must be so.
    pub unhealthy_after: Option<Span>,
}

/// Reads and checks the shape of a file.
///
/// # Errors
/// Unreadable, not TOML, an unknown key (the nearest known one is named) or a value of the wrong type.
pub fn read(path: &Path) -> anyhow::Result<File> {
    let text =
        std::fs::read_to_string(path).with_context(|| format!("config {} cannot be read", path.display()))?;
    parse(&text).with_context(|| format!("config {}", path.display()))
}

/// Checks the shape of a file's text.
///
/// # Errors
/// As [`read`], the reading apart.
pub fn parse(text: &str) -> anyhow::Result<File> {
    toml::from_str(text).map_err(|error| {
        let place = error.span().map(|span| place(text, span.start)).unwrap_or_default();
        anyhow::anyhow!("{place}{}", explain(error.message(), &tables()))
    })
}

/// The keys of every table, by what stands above it.
fn tables() -> [Table; 7] {
    [
        ("the top of the file, above all tables", keys::<File>()),
        ("[[listener]]", keys::<Listener>()),
        ("[outbound]", keys::<Outbound>()),
        ("[[token]]", keys::<Token>()),
        ("[[peer]]", keys::<Peer>()),
        ("[[certificate]]", keys::<Certificate>()),
        ("[tls]", keys::<Tls>()),
    ]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_expected_is_said_in_plain_words() {
        let error = |text| parse(text).unwrap_err().to_string();
        assert!(
            error("threads = 'two'")
                .ends_with("threads: invalid type: string \"two\", expected a whole number, at most 65535")
        );
        assert!(error("max_connections = -1").ends_with("expected a whole number"));
        assert!(error("control = 'unix:/a'").ends_with("expected a list, in brackets"));
    }

    #[test]
    fn an_unknown_key_names_the_nearest() {
        let error = parse("node_id = 1\nthread = 2\n").unwrap_err().to_string();
        assert_eq!(error, "line 2, thread: unknown key \"thread\": the nearest known one is \"threads\"");
        let error = parse("[[listener]]\nmode='echo'\nbind='a:1'\nbacklg=1\n").unwrap_err().to_string();
        assert!(error.contains("\"backlog\""), "{error}");
    }

    #[test]
    fn a_key_below_the_wrong_table_is_told_where_it_belongs() {
        let error = |text: &str| parse(text).unwrap_err().to_string();
        assert_eq!(
            error("idle_timeout = '30m'"),
            "line 1, idle_timeout: \"idle_timeout\" is no key of this table: it is one of [[listener]]"
        );
        let listener = "[[listener]]\nmode='echo'\nbind='a:1'\n";
        assert!(
            error(&format!("{listener}node_id = 1"))
                .ends_with("one of the top of the file, above all tables")
        );
        assert!(error(&format!("{listener}max_sesions = 1")).ends_with("\"max_sessions\" of [outbound]"));
        assert!(error("max_per_ipp = 2").ends_with("\"max_per_ip\" of [[listener]]"));
        // As near here as elsewhere: here is meant.
        assert!(error("[outbound]\nidle_timeou = '1m'").ends_with("nearest known one is \"idle_timeout\""));
    }

    #[test]
    fn the_keys_of_every_table_are_found() {
        assert!(tables().iter().all(|(_, keys)| keys.len() >= 2), "{:?}", tables());
    }

    #[test]
    fn a_value_of_the_wrong_type_names_its_line() {
        let error = parse("node_id = 'one'\n").unwrap_err().to_string();
        assert!(error.starts_with("line 1, node_id: "), "{error}");
        let error = parse("shutdown_grace = '3 parsecs'\n").unwrap_err().to_string();
        assert!(error.contains("3 parsecs"), "{error}");
    }
}
