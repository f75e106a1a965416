//! From flags and file to [`Settings`]: flags win, listeners of both go together, and everything is checked
//! before anything is used.

mod listener;

use std::path::PathBuf;
use std::time::Duration;

use anyhow::{Context, bail, ensure};
use connctl_api::id::NodeId;

pub use self::listener::listener_flag;

use super::address::{self, Control};
use super::audit;
use super::file::{self, File};
use super::record;
use super::settings::{
    DEFAULT_DIAL_TIMEOUT, DEFAULT_MAX_SESSIONS, DEFAULT_MAX_THREADS, DEFAULT_NODE_ID, DEFAULT_PLAN_LIFETIME,
    DEFAULT_SHUTDOWN_GRACE, ListenerSettings, MAX_SESSIONS, MAX_THREADS, OutboundSettings, Settings,
};
use super::tls::TlsSettings;
use super::trust::TrustSettings;
use super::value::Time;
use super::words::Compat;

/// What the command line says.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Flags {
    /// `--forward`, `--echo` and `--hold`, in the order of the command line.
    pub listeners: Vec<file::Listener>,
    /// `--control`.
    pub control: Vec<String>,
    /// `--node-id`.
    pub node_id: Option<u64>,
    /// `--state-dir`.
    pub state_dir: Option<PathBuf>,
    /// `--threads`.
    pub threads: Option<u16>,
    /// `--compat`.
    pub compat: Option<Compat>,
}

/// One set of settings from both.
///
/// # Errors
/// The first value that is wrong, by its name.
pub fn settings(flags: Flags, file: File) -> anyhow::Result<Settings> {
    let state_dir = flags.state_dir.clone().or(file.state_dir.clone());
    let audit = audit::settings(&file, state_dir.as_deref())?;
    // The file is right or wrong as a whole, also where flags win over it.
    let record = record::settings(&file)?;
    let addresses = |texts: &[String]| {
        texts.iter().map(|text| address::control(text)).collect::<anyhow::Result<Vec<_>>>()
    };
    let filed = addresses(&file.control.unwrap_or_default())?;
    let flagged = addresses(&flags.control)?;
    let control = if flagged.is_empty() { filed } else { flagged };
    if let Some(node_id) = file.node_id {
        NodeId::new(node_id).context("node_id is wrong")?;
    }
    for threads in flags.threads.into_iter().chain(file.threads) {
        let is_fine = (1..=MAX_THREADS).contains(&threads);
        ensure!(is_fine, "threads {threads} is out of range: 1 to {MAX_THREADS}");
    }
    let threads = flags.threads.or(file.threads);
    let listeners = listeners(flags.listeners.into_iter().chain(file.listener))?;
    let names: Vec<_> = listeners.iter().map(|listener| listener.name.as_str()).collect();
    let trust = TrustSettings::check(file.token, file.peer, file.certificate, &names)?;
    let trust = TrustSettings { tls: file.tls.as_ref().map(TlsSettings::read).transpose()?, ..trust };
    check_addresses(&control, &trust)?;
    Ok(Settings {
        node_id: NodeId::new(flags.node_id.or(file.node_id).unwrap_or(DEFAULT_NODE_ID))
            .context("node_id is wrong")?,
        control: if control.is_empty() { vec![default_control()] } else { control },
        state_dir,
        compat: flags.compat.or(file.compat).unwrap_or(Compat::Documented),
        threads: threads.unwrap_or_else(default_threads),
        log: file.log,
        log_format: file.log_format.unwrap_or_default(),
        shutdown_grace: file.shutdown_grace.map_or(DEFAULT_SHUTDOWN_GRACE, |time| time.0),
        max_connections: file.max_connections,
        record,
        trust,
        audit,
        outbound: outbound_settings(&file.outbound)?,
        plan_lifetime: positive(file.plan_lifetime, DEFAULT_PLAN_LIFETIME, "plan_lifetime")?,
        listeners,
    })
}

fn listeners(tables: impl Iterator<Item = file::Listener>) -> anyhow::Result<Vec<ListenerSettings>> {
    let mut listeners: Vec<ListenerSettings> = Vec::new();
    for table in tables {
        let checked = listener::settings(table, listeners.len())?;
        let is_new = listeners.iter().all(|other| other.name != checked.name);
        ensure!(is_new, "two listeners are named {:?}", checked.name);
        listeners.push(checked);
    }
    Ok(listeners)
}

/// Whoever reaches the control API can end every connection: what others than the users of this machine can
/// reach speaks TLS, and asks who they are.
fn check_addresses(control: &[Control], trust: &TrustSettings) -> anyhow::Result<()> {
    if !trust.certificates.is_empty() {
        let has_authority = trust.tls.as_ref().is_some_and(|tls| tls.client_ca.is_some());
        ensure!(has_authority, "a [[certificate]] needs client_ca in [tls]: the authority that signed it");
    }
    for address in control {
        match address {
            Control::Tls(_) => {
                ensure!(
                    trust.tls.is_some(),
                    "control {address} needs a [tls] table in the file: certificate and key"
                );
                let can_know = !trust.tokens.is_empty() || !trust.certificates.is_empty();
                ensure!(
                    can_know,
                    "control {address} needs a [[token]] or a [[certificate]]: nobody could use it"
                );
            }
            Control::Tcp(at) if !at.ip().to_canonical().is_loopback() => bail!(
                "control {address}: {} is not a loopback address, and whoever reaches the control API can end \
                 every connection: write tls:{at}, with a [tls] table and a [[token]] or a [[certificate]] \
                 (`connctl agent cert init` makes the files)",
                at.ip()
            ),
            Control::Tcp(_) | Control::Unix(_) => {}
        }
    }
    Ok(())
}

fn outbound_settings(table: &file::Outbound) -> anyhow::Result<OutboundSettings> {
    let time = |time: Option<Time>, key: &str| {
        time.map(|time| positive(Some(time), time.0, &format!("{key} of outbound"))).transpose()
    };
    let max_sessions = table.max_sessions.unwrap_or(DEFAULT_MAX_SESSIONS);
    let is_fine = (1..=MAX_SESSIONS).contains(&max_sessions);
    ensure!(is_fine, "max_sessions of outbound is {max_sessions}: 1 to {MAX_SESSIONS}");
    Ok(OutboundSettings {
        idle_timeout: time(table.idle_timeout, "idle_timeout")?,
        idle_check_interval: time(table.idle_check_interval, "idle_check_interval")?,
        dial_timeout: time(table.dial_timeout, "dial_timeout")?.unwrap_or(DEFAULT_DIAL_TIMEOUT),
        max_sessions: usize::try_from(max_sessions).unwrap_or(usize::MAX),
    })
}

fn default_threads() -> u16 {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    u16::try_from(cores.min(DEFAULT_MAX_THREADS)).unwrap_or(1)
}

fn default_control() -> Control {
    Control::Unix(connctl_api::endpoint::default_socket())
}

fn positive(time: Option<Time>, default: Duration, what: &str) -> anyhow::Result<Duration> {
    let time = time.map_or(default, |time| time.0);
    ensure!(!time.is_zero(), "{what} is 0: more than nothing");
    Ok(time)
}

#[cfg(test)]
mod tests {
    use connctl_api::conn::Mode;

    use super::*;
    use crate::config::address::Upstream;

    fn check(text: &str) -> anyhow::Result<Settings> {
        settings(Flags::default(), file::parse(text)?)
    }

    #[test]
    fn defaults_are_sensible() {
        let settings =
            check("[[listener]]\nmode='forward'\nbind='127.0.0.1:0'\nupstream=['h:1','[::1]:2']\n").unwrap();
        let listener = &settings.listeners[0];
        assert_eq!(listener.name, "forward0");
        assert_eq!(listener.dial_timeout, DEFAULT_DIAL_TIMEOUT);
        assert!(listener.nodelay && listener.keepalive.is_some());
        assert_eq!(listener.upstream[0], Upstream::Name("h".into(), 1));
        assert_eq!(listener.upstream[1].to_string(), "[::1]:2");
    }

    #[test]
    fn each_mistake_names_the_key_and_the_value() {
        for (text, words) in [
            ("node_id = 0", ["node_id", "0"]),
            ("threads = 1000", ["threads", "1000"]),
            ("plan_lifetime = '0s'", ["plan_lifetime", "0"]),
            ("control = ['/run/x']", ["control", "/run/x"]),
            ("[[listener]]\nmode='forward'\nbind='127.0.0.1:0'", ["upstream", "forward0"]),
            ("[[listener]]\nmode='echo'\nbind='127.0.0.1'", ["bind", "127.0.0.1"]),
            ("[[listener]]\nmode='echo'\nbind='127.0.0.1:0'\nname='a b'", ["name", "a b"]),
            ("[[listener]]\nmode='echo'\nbind='127.0.0.1:0'\nkeepalive_idle='0s'", ["keepalive_idle", "0"]),
            ("[[listener]]\nmode='forward'\nbind='127.0.0.1:0'\nupstream=['h:0']", ["upstream", "h:0"]),
            (
                "[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\naccept_proxy_from=['x']",
                ["accept_proxy_from", "x"],
            ),
            ("[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nidentity=['mqqt']", ["identity", "\"mqtt\""]),
            (
                "[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nnetworks={'10/8'='lan'}",
                ["networks", "\"10/8\""],
            ),
            ("[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nidle_timeout='0s'", ["idle_timeout", "0"]),
            (
                "[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nidle_check_interval='5s'",
                ["idle_check_interval", "5s"],
            ),
            ("[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\non_over='evict'", ["on_over", "evict"]),
            ("[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nmax_per_ip=-1", ["max_per_ip", "-1"]),
            (
                "[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nnetwork_prefix_ipv4=40",
                ["network_prefix_ipv4", "40"],
            ),
            (
                "[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nmax_pending_bytes='1 meg'",
                ["max_pending_bytes", "1 meg"],
            ),
            (
                "[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nclose_unhealthy=['zombie','idle']",
                ["close_unhealthy", "\"idle\""],
            ),
            ("[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nunhealthy_after='0s'", ["unhealthy_after", "0"]),
            (
                "[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nunhealthy_after='none'",
                ["unhealthy_after", "none"],
            ),
            ("max_connections = 'many'", ["max_connections", "many"]),
            ("[outbound]\nidle_timeout='0s'", ["idle_timeout of outbound", "0"]),
            ("[outbound]\nmax_sessions=0", ["max_sessions of outbound", "0"]),
            ("[outbound]\nidle_timout='1s'", ["idle_timout", "\"idle_timeout\""]),
            ("[[listener]]\nmode='hold'\nbind='127.0.0.1:0'\nredial=true", ["redial", "hold"]),
            (
                "[[listener]]\nmode='forward'\nbind='127.0.0.1:0'\nupstream=['h:1']\nupstream_idle_timeout='5m'",
                ["upstream_idle_timeout", "\"fresh\""],
            ),
            (
                "[[listener]]\nmode='forward'\nbind='127.0.0.1:0'\nupstream=['h:1']\nreconnect='fresh'",
                ["reconnect", "upstream_idle_timeout"],
            ),
            (
                "[[listener]]\nmode='forward'\nbind='127.0.0.1:0'\nupstream=['h:1']\nreconnect_timeout='5s'",
                ["reconnect_timeout", "5s"],
            ),
            ("[[listener]]\nmode='echo'\nbind='127.0.0.1:0'\nreconnect='redis'", ["reconnect", "redis"]),
        ] {
            let error = format!("{:#}", check(text).unwrap_err());
            for word in words {
                assert!(error.contains(word), "{text}: {error}");
            }
        }
    }

    #[test]
    fn flags_win_and_listeners_go_together() {
        let flags = Flags {
            node_id: Some(7),
            listeners: vec![listener_flag(Mode::Echo, "e@127.0.0.1:0").unwrap()],
            ..Flags::default()
        };
        let file =
            file::parse("node_id = 1\n[[listener]]\nname='h'\nmode='hold'\nbind='127.0.0.1:0'\n").unwrap();
        let settings = settings(flags, file).unwrap();
        assert_eq!(settings.node_id.get(), 7);
        let names: Vec<_> = settings.listeners.iter().map(|listener| listener.name.as_str()).collect();
        assert_eq!(names, ["e", "h"]);
    }
}
