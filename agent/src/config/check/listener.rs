//! From a `[[listener]]` table, or a flag that stands for one, to [`ListenerSettings`].

use anyhow::{Context, bail, ensure};
use connctl_api::conn::Mode;
use serde::Deserialize;
use serde::de::value::{Error, MapDeserializer};

use super::positive;
use crate::config::address::{self, Upstream, host_port, resolve};
use crate::config::file;
use crate::config::identity::{self, Networks};
use crate::config::keys::Keys;
use crate::config::policy::Policies;
use crate::config::reconnect;
use crate::config::settings::{
    DEFAULT_BACKLOG, DEFAULT_DIAL_TIMEOUT, DEFAULT_KEEPALIVE, DEFAULT_PROXY_TIMEOUT, Keepalive,
    ListenerSettings,
};

/// The longest name of a listener in bytes.
const MAX_NAME_BYTES: usize = 64;

/// Checks a table; `place` makes a name where it has none.
///
/// # Errors
/// The first value that is wrong, by its key and its listener.
pub(super) fn settings(table: file::Listener, place: usize) -> anyhow::Result<ListenerSettings> {
    let name = table.name.clone().unwrap_or_else(|| format!("{}{place}", table.mode));
    check_name(&name)?;
    let of = |key: &str| format!("{key} of listener {name:?}");
    let bind = resolve(&table.bind).with_context(|| of("bind"))?;
    let upstream = upstream(&table, of)?;
    let keepalive = keepalive(&table, of)?;
    let dial_timeout = positive(table.dial_timeout, DEFAULT_DIAL_TIMEOUT, &of("dial_timeout"))?;
    let proxy_timeout = positive(table.proxy_timeout, DEFAULT_PROXY_TIMEOUT, &of("proxy_timeout"))?;
    ensure!(
        table.send_proxy.is_none() || table.mode == Mode::Forward,
        "{} is given, and {} has no upstream",
        of("send_proxy"),
        table.mode
    );
    let network = |text: &String| address::network(text).with_context(|| of("accept_proxy_from"));
    let accept_proxy_from = table.accept_proxy_from.iter().map(network).collect::<anyhow::Result<_>>()?;
    let identity = identity::rules(&table.identity).with_context(|| of("identity"))?;
    let networks = Networks::read(&table.networks).with_context(|| of("networks"))?;
    ensure!(table.backlog != Some(0), "{} is 0: at least 1", of("backlog"));
    let keys = Keys::of(&table);
    Ok(ListenerSettings {
        mode: table.mode,
        bind,
        upstream,
        dial_timeout,
        backlog: table.backlog.map_or(DEFAULT_BACKLOG, i32::from),
        nodelay: table.nodelay.unwrap_or(true),
        keepalive,
        accept_proxy_from,
        proxy_timeout,
        send_proxy: table.send_proxy,
        identity,
        networks,
        reconnect: reconnect::reconnection(&table, of)?,
        policies: Policies::check(&keys, of)?,
        keys,
        name,
    })
}

fn upstream(table: &file::Listener, of: impl Fn(&str) -> String) -> anyhow::Result<Vec<Upstream>> {
    let read = |text: &String| address::upstream(text).with_context(|| of("upstream"));
    let upstream: Vec<_> = table.upstream.iter().map(read).collect::<anyhow::Result<_>>()?;
    match table.mode {
        Mode::Forward => ensure!(!upstream.is_empty(), "{} is missing: forward needs one", of("upstream")),
        Mode::Echo | Mode::Hold => {
            ensure!(upstream.is_empty(), "{} is given, and {} needs none", of("upstream"), table.mode);
        }
        Mode::Outbound => bail!("{} is outbound: listeners are forward, echo or hold", of("mode")),
    }
    Ok(upstream)
}

fn keepalive(table: &file::Listener, of: impl Fn(&str) -> String) -> anyhow::Result<Option<Keepalive>> {
    if table.keepalive == Some(false) {
        return Ok(None);
    }
    let keepalive = Keepalive {
        idle: table.keepalive_idle.map_or(DEFAULT_KEEPALIVE.idle, |time| time.0),
        interval: table.keepalive_interval.map_or(DEFAULT_KEEPALIVE.interval, |time| time.0),
        probes: table.keepalive_probes.map_or(DEFAULT_KEEPALIVE.probes, u32::from),
    };
    ensure!(keepalive.probes > 0, "{} is 0: at least 1", of("keepalive_probes"));
    for (key, time) in [("keepalive_idle", keepalive.idle), ("keepalive_interval", keepalive.interval)] {
        // The kernel takes whole seconds up to 32767.
        let seconds = time.as_secs();
        ensure!((1..=32_767).contains(&seconds), "{} is {time:?}: 1s to 9h", of(key));
    }
    Ok(Some(keepalive))
}

fn check_name(name: &str) -> anyhow::Result<()> {
    let is_fine = !name.is_empty()
        && name.len() <= MAX_NAME_BYTES
        && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'));
    ensure!(
        is_fine,
        "{name:?} is not a name for a listener: 1 to {MAX_NAME_BYTES} letters, digits, '-', '_' or '.'"
    );
    Ok(())
}

/// Reads `[NAME@]BIND=UPSTREAM[,UPSTREAM…]` of `--forward`, and `[NAME@]BIND` of the other modes.
///
/// # Errors
/// Names the text and what is expected of it.
pub fn listener_flag(mode: Mode, text: &str) -> anyhow::Result<file::Listener> {
    let (name, rest) = match text.split_once('@') {
        Some((name, rest)) => (Some(name.to_owned()), rest),
        None => (None, text),
    };
    let (bind, upstream) = match (mode, rest.split_once('=')) {
        (Mode::Forward, Some((bind, upstream))) => {
            (bind, upstream.split(',').map(str::to_owned).collect::<Vec<_>>())
        }
        (Mode::Forward, None) => bail!("{text:?} names no upstream: write [NAME@]BIND=UPSTREAM"),
        (_, Some(_)) => bail!("{text:?} names an upstream: write [NAME@]BIND"),
        (_, None) => (rest, Vec::new()),
    };
    host_port(bind)?;
    // A flag is a table with little in it: what it does not say is as absent keys are.
    let keys = [("mode", mode.word()), ("bind", bind)];
    let table = file::Listener::deserialize(MapDeserializer::<_, Error>::new(keys.into_iter()))?;
    Ok(file::Listener { name, upstream, ..table })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn flags_are_read_as_documented() {
        let forward = listener_flag(Mode::Forward, "redis@0.0.0.0:6380=127.0.0.1:6379,[::1]:6379").unwrap();
        assert_eq!(forward.name.as_deref(), Some("redis"));
        assert_eq!(forward.upstream, ["127.0.0.1:6379", "[::1]:6379"]);
        assert!(listener_flag(Mode::Forward, "127.0.0.1:1").is_err());
        assert!(listener_flag(Mode::Echo, "127.0.0.1:1=127.0.0.1:2").is_err());
        assert!(listener_flag(Mode::Echo, "127.0.0.1").is_err());
    }
}
