//! Settings of what may come in and what may stay: time-outs and limits, checked.

use std::time::Duration;

use anyhow::ensure;

use super::file::{self, Time};

/// How often the idle ones are looked for, where that is not said.
pub const DEFAULT_IDLE_CHECK_INTERVAL: Duration = Duration::from_secs(300);
/// A finer interval would keep a thread busy with looking.
pub const MIN_IDLE_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// How long connections of a listener may last. In milliseconds; `None` is for ever.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timeouts {
    /// Without a byte in either direction.
    pub idle_ms: Option<u64>,
    /// How much later than that the end may come.
    pub check_interval_ms: u64,
    /// What idle time and lifetime mean for its connections.
    pub keep_alive: KeepAlive,
    /// Without a first byte from the client.
    pub initial_data_ms: Option<u64>,
    /// In all, give or take 5 %.
    pub max_lifetime_ms: Option<u64>,
    /// With one direction ended.
    pub half_close_linger_ms: Option<u64>,
}

/// A class of connections by how long they may be idle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum KeepAlive {
    /// For the idle time-out.
    #[default]
    Standard,
    /// For six times as long, and with a warning in the log before the end.
    Extended,
    /// For ever; nor is there a maximum lifetime.
    Immortal,
}

/// How many connections there may be; 0 is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Of the listener.
    pub max_connections: usize,
    /// Of one client address.
    pub max_per_ip: usize,
    /// Of one user.
    pub max_per_uid: usize,
    /// New ones of one client address in any minute.
    pub per_minute_per_ip: usize,
    /// What happens to one too many.
    pub on_over: OnOver,
}

/// What happens when there would be one too many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum OnOver {
    /// The newcomer is refused.
    #[default]
    Reject,
    /// The one that has been idle for longest makes room.
    EvictOldestActivity,
    /// The one that came first makes room.
    EvictOldest,
    /// The one that came last makes room.
    EvictNewest,
}

/// Checks the time-outs of a listener; `of` completes the name of a key.
///
/// # Errors
/// Names the key and the value.
pub fn timeouts(listener: &file::Listener, of: impl Fn(&str) -> String) -> anyhow::Result<Timeouts> {
    let millis = |key: &str, time: Option<Time>| match time {
        None => Ok(None),
        Some(Time(time)) => {
            ensure!(time >= Duration::from_millis(1), "{} is {time:?}: at least 1ms", of(key));
            Ok(Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
        }
    };
    let idle_ms = millis("idle_timeout", listener.idle_timeout)?;
    let interval = match (listener.idle_check_interval, listener.idle_timeout) {
        (Some(Time(interval)), Some(_)) => {
            let is_fine = interval >= MIN_IDLE_CHECK_INTERVAL;
            ensure!(is_fine, "{} is {interval:?}: at least 10ms", of("idle_check_interval"));
            interval
        }
        (Some(Time(interval)), None) => {
            anyhow::bail!("{} is {interval:?}, and there is no idle_timeout", of("idle_check_interval"))
        }
        // Looking no more often than a short time-out itself would make it twice as long.
        (None, Some(Time(idle))) => DEFAULT_IDLE_CHECK_INTERVAL.min(idle).max(MIN_IDLE_CHECK_INTERVAL),
        (None, None) => DEFAULT_IDLE_CHECK_INTERVAL,
    };
    Ok(Timeouts {
        idle_ms,
        check_interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
        keep_alive: listener.keep_alive.unwrap_or_default(),
        initial_data_ms: millis("initial_data_timeout", listener.initial_data_timeout)?,
        max_lifetime_ms: millis("max_lifetime", listener.max_lifetime)?,
        half_close_linger_ms: millis("half_close_linger", listener.half_close_linger)?,
    })
}

/// The limits of a listener. Each number is good, and 0 is no limit.
pub fn limits(listener: &file::Listener) -> Limits {
    let count = |limit: Option<u32>| limit.map_or(0, |limit| usize::try_from(limit).unwrap_or(usize::MAX));
    Limits {
        max_connections: count(listener.max_connections),
        max_per_ip: count(listener.max_per_ip),
        max_per_uid: count(listener.max_per_uid),
        per_minute_per_ip: count(listener.connections_per_minute_per_ip),
        on_over: listener.on_over.unwrap_or_default(),
    }
}

impl Default for Timeouts {
    fn default() -> Self {
        Self {
            idle_ms: None,
            check_interval_ms: u64::try_from(DEFAULT_IDLE_CHECK_INTERVAL.as_millis()).unwrap_or(u64::MAX),
            keep_alive: KeepAlive::Standard,
            initial_data_ms: None,
            max_lifetime_ms: None,
            half_close_linger_ms: None,
        }
    }
}
