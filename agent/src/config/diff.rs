//! What a configuration that is read again changes, and what of it can be changed while the agent runs.

use connctl_api::reload::ReloadOutcome;

use super::settings::{ListenerSettings, Settings};
use super::trust::TrustSettings;

/// A difference between two configurations.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The key, as in the file; `listener` for one that has come or gone.
    pub key: &'static str,
    /// The listener that it is of.
    pub listener: Option<String>,
    /// What becomes of it.
    pub outcome: ReloadOutcome,
}

/// Everything but the policies, which have a book of their own.
pub fn differences(old: &Settings, new: &Settings) -> Vec<Difference> {
    let mut found = Vec::new();
    for (key, is_other, is_live) in [
        ("node_id", old.node_id != new.node_id, false),
        ("control", old.control != new.control, false),
        ("state_dir", old.state_dir != new.state_dir, false),
        ("compat", old.compat != new.compat, false),
        ("threads", old.threads != new.threads, false),
        ("history_size", old.record.history_size != new.record.history_size, false),
        ("history_stored", old.record.history_stored != new.record.history_stored, false),
        ("history_age", old.record.history_age != new.record.history_age, false),
        ("events_size", old.record.events_size != new.record.events_size, false),
        ("audit", old.audit != new.audit, false),
        ("outbound", old.outbound != new.outbound, false),
        ("token", old.trust.tokens != new.trust.tokens, true),
        // Whether others can connect to the socket at all is settled when it is made.
        (
            "peer",
            old.trust.peers != new.trust.peers,
            old.trust.peers.is_empty() == new.trust.peers.is_empty(),
        ),
        ("certificate", old.trust.certificates != new.trust.certificates, true),
        // An address that speaks TLS goes on doing so until it is given up.
        ("tls", old.trust.tls != new.trust.tls, new.trust.tls.is_some()),
        ("log", old.log != new.log, true),
        ("log_format", old.log_format != new.log_format, false),
        ("plan_lifetime", old.plan_lifetime != new.plan_lifetime, false),
        ("shutdown_grace", old.shutdown_grace != new.shutdown_grace, true),
    ] {
        if is_other {
            found.push(Difference { key, listener: None, outcome: outcome(is_live) });
        }
    }
    for before in &old.listeners {
        match new.listeners.iter().find(|listener| listener.name == before.name) {
            Some(after) => found.extend(of_listener(before, after)),
            None => found.push(whole(before, ReloadOutcome::Removed)),
        }
    }
    let is_new = |after: &&ListenerSettings| old.listeners.iter().all(|before| before.name != after.name);
    let added = |listener| whole(listener, ReloadOutcome::Added);
    found.extend(new.listeners.iter().filter(is_new).map(added));
    found
}

const fn outcome(is_live: bool) -> ReloadOutcome {
    if is_live { ReloadOutcome::Applied } else { ReloadOutcome::NeedsRestart }
}

fn whole(listener: &ListenerSettings, outcome: ReloadOutcome) -> Difference {
    Difference { key: "listener", listener: Some(listener.name.clone()), outcome }
}

fn of_listener(old: &ListenerSettings, new: &ListenerSettings) -> Vec<Difference> {
    // Of a listener that is to do something else, nothing can be taken over piece by piece.
    let is_same_mode = old.mode == new.mode;
    [
        ("mode", !is_same_mode, false),
        ("bind", old.bind != new.bind, false),
        ("backlog", old.backlog != new.backlog, false),
        ("upstream", old.upstream != new.upstream, is_same_mode),
        ("dial_timeout", old.dial_timeout != new.dial_timeout, is_same_mode),
        ("nodelay", old.nodelay != new.nodelay, is_same_mode),
        ("keepalive", old.keepalive != new.keepalive, is_same_mode),
        ("accept_proxy_from", old.accept_proxy_from != new.accept_proxy_from, is_same_mode),
        ("proxy_timeout", old.proxy_timeout != new.proxy_timeout, is_same_mode),
        ("send_proxy", old.send_proxy != new.send_proxy, is_same_mode),
        ("identity", old.identity != new.identity, is_same_mode),
        ("reconnect", old.reconnect != new.reconnect, is_same_mode),
        ("networks", old.networks != new.networks, is_same_mode),
    ]
    .into_iter()
    .filter(|(_, is_other, _)| *is_other)
    .map(|(key, _, is_live)| Difference { key, listener: Some(old.name.clone()), outcome: outcome(is_live) })
    .collect()
}

/// The configuration that is in force when `new` has been taken over as far as it can be: what needs a restart
/// is as it was.
pub fn taken_over(old: &Settings, new: &Settings) -> Settings {
    let listener = |after: &ListenerSettings| {
        let Some(before) = old.listeners.iter().find(|listener| listener.name == after.name) else {
            return after.clone();
        };
        let (keys, policies) = (after.keys.clone(), after.policies);
        if after.mode != before.mode {
            return ListenerSettings { keys, policies, ..before.clone() };
        }
        ListenerSettings { bind: before.bind, backlog: before.backlog, ..after.clone() }
    };
    Settings {
        log: new.log,
        trust: TrustSettings {
            tls: new.trust.tls.clone().or_else(|| old.trust.tls.clone()),
            ..new.trust.clone()
        },
        shutdown_grace: new.shutdown_grace,
        max_connections: new.max_connections,
        listeners: new.listeners.iter().map(listener).collect(),
        ..old.clone()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::check::{Flags, settings};
    use crate::config::file::parse;

    fn read(text: &str) -> Settings {
        settings(Flags::default(), parse(text).unwrap()).unwrap()
    }

    fn listener(name: &str, more: &str) -> String {
        format!("[[listener]]\nname='{name}'\nmode='forward'\nbind='127.0.0.1:0'\n{more}\n")
    }

    fn told(old: &Settings, new: &Settings) -> Vec<String> {
        let text = |of: Difference| match of.listener {
            Some(listener) => format!("{listener}.{} {}", of.key, of.outcome),
            None => format!("{} {}", of.key, of.outcome),
        };
        differences(old, new).into_iter().map(text).collect()
    }

    #[test]
    fn each_difference_is_told_and_what_needs_a_restart_stays() {
        let old = read(&listener("a", "upstream=['h:1']"));
        let text = listener("a", "upstream=['h:2']\nbacklog=7\nidentity=['nats']\nmax_per_ip=3");
        let new = read(&format!("node_id=2\nthreads=1\nshutdown_grace='9s'\n{text}"));
        let old = Settings { threads: 2, ..old };
        let expected = [
            "node_id needs_restart",
            "threads needs_restart",
            "shutdown_grace applied",
            "a.backlog needs_restart",
            "a.upstream applied",
            "a.identity applied",
        ];
        assert_eq!(told(&old, &new), expected);
        let taken = taken_over(&old, &new);
        assert_eq!((taken.node_id, taken.threads), (old.node_id, 2));
        assert_eq!(taken.listeners[0].backlog, old.listeners[0].backlog);
        assert_eq!(taken.listeners[0].upstream, new.listeners[0].upstream);
        assert_eq!(taken.listeners[0].policies.limits.max_per_ip, 3);
        assert_eq!(told(&taken, &new).len(), 3, "what needs a restart is told again");
        assert!(told(&new, &new).is_empty());
    }

    #[test]
    fn listeners_come_and_go_and_one_that_is_to_do_something_else_waits() {
        let old = read(&(listener("a", "upstream=['h:1']") + &listener("b", "upstream=['h:1']")));
        let hold = "[[listener]]\nname='b'\nmode='hold'\nbind='127.0.0.1:0'\n";
        let new = read(&(listener("c", "upstream=['h:1']") + hold));
        let expected =
            ["a.listener removed", "b.mode needs_restart", "b.upstream needs_restart", "c.listener added"];
        assert_eq!(told(&old, &new), expected);
        let taken = taken_over(&old, &new);
        assert_eq!(taken.listeners[0], new.listeners[0]);
        assert_eq!(taken.listeners[1], old.listeners[1]);
    }
}
