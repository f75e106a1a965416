//! Settings of what may come in and what may stay: time-outs and limits, checked.

use std::net::IpAddr;
use std::time::Duration;

use anyhow::ensure;
use ipnet::IpNet;

use super::health::{self, HealthRules};
use super::keys::Keys;
use super::value::{Size, Span};
use super::words::{KeepAlive, OnOver};

/// How often the idle ones are looked for, where that is not said.
const DEFAULT_IDLE_CHECK_INTERVAL: Duration = Duration::from_secs(300);
/// A finer interval would keep a thread busy with looking.
const MIN_IDLE_CHECK_INTERVAL: Duration = Duration::from_millis(10);

/// The bits of an IPv4 address that make a network where that is not said.
const DEFAULT_PREFIX_IPV4: u8 = 24;
/// The bits of an IPv6 address that make a network where that is not said.
const DEFAULT_PREFIX_IPV6: u8 = 64;

/// What may come in at a listener, and what may stay.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Policies {
    /// How long its connections may last.
    pub timeouts: Timeouts,
    /// How many there may be.
    pub limits: Limits,
    /// The most bytes that may wait for a peer of one; 0 is no limit.
    pub max_pending_bytes: u64,
    /// What becomes of unhealthy ones.
    pub health: HealthRules,
}

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

/// How many connections there may be; 0 is no limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Of the listener.
    pub max_connections: usize,
    /// Of one client address.
    pub max_per_ip: usize,
    /// Of one client network.
    pub max_per_network: usize,
    /// The bits of an IPv4 address that make a network.
    pub prefix_ipv4: u8,
    /// The bits of an IPv6 address that make a network.
    pub prefix_ipv6: u8,
    /// Of one user.
    pub max_per_uid: usize,
    /// Of one device of one user.
    pub max_per_device: usize,
    /// New ones of one client address in any minute.
    pub per_minute_per_ip: usize,
    /// What happens to one too many.
    pub on_over: OnOver,
}

impl Policies {
    /// Checks what is asked for; `of` completes the name of a key.
    ///
    /// # Errors
    /// Names the key, the value and what is allowed.
    pub fn check(keys: &Keys, of: impl Fn(&str) -> String) -> anyhow::Result<Self> {
        let max_pending_bytes = keys.max_pending_bytes.map_or(0, |size| size.0);
        Ok(Self {
            timeouts: timeouts(keys, &of)?,
            limits: limits(keys, &of)?,
            max_pending_bytes,
            health: health::check(keys, &of)?,
        })
    }

    /// All keys with the values that these policies have, those of defaults too.
    pub fn keys(&self) -> Keys {
        let Self { timeouts, limits, max_pending_bytes, health } = self;
        let span = |ms: Option<u64>| Some(Span(ms.map(Duration::from_millis)));
        let count = |count: usize| Some(u32::try_from(count).unwrap_or(u32::MAX));
        Keys {
            idle_timeout: span(timeouts.idle_ms),
            idle_check_interval: span(Some(timeouts.check_interval_ms)),
            keep_alive: Some(timeouts.keep_alive),
            initial_data_timeout: span(timeouts.initial_data_ms),
            max_lifetime: span(timeouts.max_lifetime_ms),
            half_close_linger: span(timeouts.half_close_linger_ms),
            max_connections: count(limits.max_connections),
            max_per_ip: count(limits.max_per_ip),
            max_per_network: count(limits.max_per_network),
            network_prefix_ipv4: Some(limits.prefix_ipv4.into()),
            network_prefix_ipv6: Some(limits.prefix_ipv6.into()),
            max_per_uid: count(limits.max_per_uid),
            max_per_device: count(limits.max_per_device),
            connections_per_minute_per_ip: count(limits.per_minute_per_ip),
            on_over: Some(limits.on_over),
            max_pending_bytes: Some(Size(*max_pending_bytes)),
            close_unhealthy: Some(health.close),
            unhealthy_after: span(Some(health.after_ms)),
        }
    }
}

fn timeouts(keys: &Keys, of: &impl Fn(&str) -> String) -> anyhow::Result<Timeouts> {
    let millis = |key: &str, time: Option<Span>| match time {
        None | Some(Span(None)) => Ok(None),
        Some(Span(Some(time))) => {
            ensure!(time >= Duration::from_millis(1), "{} is {time:?}: at least 1ms, or none", of(key));
            Ok(Some(u64::try_from(time.as_millis()).unwrap_or(u64::MAX)))
        }
    };
    let idle_ms = millis("idle_timeout", keys.idle_timeout)?;
    let interval = match (keys.idle_check_interval.and_then(|span| span.0), keys.idle_timeout) {
        (Some(interval), Some(_)) => {
            let is_fine = interval >= MIN_IDLE_CHECK_INTERVAL;
            ensure!(is_fine, "{} is {interval:?}: at least 10ms", of("idle_check_interval"));
            interval
        }
        (Some(interval), None) => {
            anyhow::bail!("{} is {interval:?}, and there is no idle_timeout", of("idle_check_interval"))
        }
        // Looking no more often than a short time-out itself would make it twice as long.
        (None, Some(Span(Some(idle)))) => DEFAULT_IDLE_CHECK_INTERVAL.min(idle).max(MIN_IDLE_CHECK_INTERVAL),
        (None, None | Some(Span(None))) => DEFAULT_IDLE_CHECK_INTERVAL,
    };
    Ok(Timeouts {
        idle_ms,
        check_interval_ms: u64::try_from(interval.as_millis()).unwrap_or(u64::MAX),
        keep_alive: keys.keep_alive.unwrap_or_default(),
        initial_data_ms: millis("initial_data_timeout", keys.initial_data_timeout)?,
        max_lifetime_ms: millis("max_lifetime", keys.max_lifetime)?,
        half_close_linger_ms: millis("half_close_linger", keys.half_close_linger)?,
    })
}

/// A count; 0 is no limit.
pub fn count(limit: Option<u32>) -> usize {
    limit.map_or(0, |limit| usize::try_from(limit).unwrap_or(usize::MAX))
}

fn limits(keys: &Keys, of: &impl Fn(&str) -> String) -> anyhow::Result<Limits> {
    let prefix = |key: &str, bits: Option<u32>, default: u8, most: u8| match bits.map(u8::try_from) {
        None => Ok(default),
        Some(Ok(bits)) if (1..=most).contains(&bits) => Ok(bits),
        Some(_) => anyhow::bail!("{} is {}: 1 to {most}", of(key), bits.unwrap_or_default()),
    };
    Ok(Limits {
        max_connections: count(keys.max_connections),
        max_per_ip: count(keys.max_per_ip),
        max_per_network: count(keys.max_per_network),
        prefix_ipv4: prefix("network_prefix_ipv4", keys.network_prefix_ipv4, DEFAULT_PREFIX_IPV4, 32)?,
        prefix_ipv6: prefix("network_prefix_ipv6", keys.network_prefix_ipv6, DEFAULT_PREFIX_IPV6, 128)?,
        max_per_uid: count(keys.max_per_uid),
        max_per_device: count(keys.max_per_device),
        per_minute_per_ip: count(keys.connections_per_minute_per_ip),
        on_over: keys.on_over.unwrap_or_default(),
    })
}

impl Limits {
    /// The network that an address is counted in.
    pub fn network_of(&self, ip: IpAddr) -> IpNet {
        let prefix = if ip.is_ipv4() { self.prefix_ipv4 } else { self.prefix_ipv6 };
        // The prefix was checked; a host is a network of its own in any case.
        IpNet::new(ip, prefix).map_or_else(|_| ip.into(), |net| net.trunc())
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            max_connections: 0,
            max_per_ip: 0,
            max_per_network: 0,
            prefix_ipv4: DEFAULT_PREFIX_IPV4,
            prefix_ipv6: DEFAULT_PREFIX_IPV6,
            max_per_uid: 0,
            max_per_device: 0,
            per_minute_per_ip: 0,
            on_over: OnOver::Reject,
        }
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

#[cfg(test)]
mod tests {
    use connctl_api::limit::LimitValue;

    use super::*;

    #[test]
    fn policies_and_keys_say_the_same() {
        let all = Policies::default().keys();
        for name in Keys::NAMES {
            assert!(all.get(name).is_some(), "{name}");
        }
        let again = Policies::check(&all, str::to_owned).unwrap();
        assert_eq!(again, Policies::default());
    }

    #[test]
    fn a_prefix_has_its_range() {
        for (name, bits) in
            [("network_prefix_ipv4", 0), ("network_prefix_ipv4", 33), ("network_prefix_ipv6", 129)]
        {
            let mut keys = Keys::default();
            keys.set(name, &LimitValue::Number(bits)).unwrap();
            let error = Policies::check(&keys, str::to_owned).unwrap_err().to_string();
            assert!(error.contains(name) && error.contains(&bits.to_string()), "{error}");
        }
    }

    #[test]
    fn an_address_is_counted_in_its_network() {
        let limits = Limits::default();
        let of = |ip: &str| limits.network_of(ip.parse().unwrap()).to_string();
        assert_eq!(of("192.0.2.77"), "192.0.2.0/24");
        assert_eq!(of("2001:db8:1:2:3::4"), "2001:db8:1:2::/64");
    }
}
