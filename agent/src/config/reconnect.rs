//! Settings of an upstream that goes away while its client stays, checked.

use std::time::Duration;

use anyhow::ensure;
use connctl_api::conn::Mode;

use super::file;
use super::value::Time;
use super::words::Reconnect;

/// How long a session is held for a server that is away, where that is not said.
const DEFAULT_RECONNECT_TIMEOUT: Duration = Duration::from_secs(120);
/// The most upstreams of a listener.
pub const MAX_UPSTREAMS: usize = 64;

/// What happens when an upstream goes away. Times in milliseconds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reconnection {
    /// A connection of which no byte has passed is dialled again.
    pub redial: bool,
    /// How its connections go on with another upstream, if they do.
    pub kind: Option<Reconnect>,
    /// Idle for so long, the upstream's socket alone is closed.
    pub idle_ms: Option<u64>,
    /// How long an upstream may be away.
    pub timeout_ms: u64,
}

impl Default for Reconnection {
    fn default() -> Self {
        Self { redial: false, kind: None, idle_ms: None, timeout_ms: millis(DEFAULT_RECONNECT_TIMEOUT) }
    }
}

fn millis(time: Duration) -> u64 {
    u64::try_from(time.as_millis()).unwrap_or(u64::MAX)
}

/// Checks what a listener says of it; `of` completes the name of a key.
///
/// # Errors
/// Names the key and the value.
pub fn reconnection(listener: &file::Listener, of: impl Fn(&str) -> String) -> anyhow::Result<Reconnection> {
    let count = listener.upstream.len();
    ensure!(count <= MAX_UPSTREAMS, "{} has {count} addresses: at most {MAX_UPSTREAMS}", of("upstream"));
    let redial = listener.redial.unwrap_or(false);
    let kind = listener.reconnect;
    let given = [("redial", redial), ("reconnect", kind.is_some())];
    if let Some((key, _)) = given.into_iter().find(|(_, is_given)| *is_given) {
        ensure!(
            listener.mode == Mode::Forward,
            "{} is given, and {} has no upstream",
            of(key),
            listener.mode
        );
    }
    let idle = listener.upstream_idle_timeout.map(|time| time.0);
    if let Some(idle) = idle {
        ensure!(
            idle >= Duration::from_millis(1),
            "{} is {idle:?}: at least 1ms",
            of("upstream_idle_timeout")
        );
        ensure!(
            kind.is_some(),
            "{} is {idle:?}, and reconnect does not say how it goes on: \"fresh\" or \"nats\"",
            of("upstream_idle_timeout")
        );
    }
    ensure!(
        kind != Some(Reconnect::Fresh) || idle.is_some(),
        "{} is \"fresh\", and there is no upstream_idle_timeout after which it would be used",
        of("reconnect")
    );
    if let Some(Time(timeout)) = listener.reconnect_timeout {
        let is_used = kind == Some(Reconnect::Nats);
        ensure!(is_used, "{} is {timeout:?}, and reconnect is not \"nats\"", of("reconnect_timeout"));
        ensure!(!timeout.is_zero(), "{} is 0: more than nothing", of("reconnect_timeout"));
    }
    let timeout = listener.reconnect_timeout.map_or(DEFAULT_RECONNECT_TIMEOUT, |time| time.0);
    Ok(Reconnection { redial, kind, idle_ms: idle.map(millis), timeout_ms: millis(timeout) })
}
