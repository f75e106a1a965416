//! Which unhealthy connections a listener closes, and after how long.

use std::time::Duration;

use anyhow::bail;

use super::keys::Keys;
use super::value::Span;
use super::words::Unhealthy;

/// For how long a connection must be unhealthy before that is said of it, where nothing else is set.
const DEFAULT_UNHEALTHY_AFTER: Duration = Duration::from_secs(60);

/// What a listener's rule about unhealthy connections is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthRules {
    /// Which are closed.
    pub close: Unhealthy,
    /// For how long a connection must be so, in milliseconds.
    pub after_ms: u64,
}

impl Default for HealthRules {
    fn default() -> Self {
        let after_ms = u64::try_from(DEFAULT_UNHEALTHY_AFTER.as_millis()).unwrap_or(u64::MAX);
        Self { close: Unhealthy::default(), after_ms }
    }
}

/// Checks what is asked for; `of` completes the name of a key.
///
/// # Errors
/// Names the key and the value.
pub fn check(keys: &Keys, of: impl Fn(&str) -> String) -> anyhow::Result<HealthRules> {
    let after = match keys.unhealthy_after {
        None => DEFAULT_UNHEALTHY_AFTER,
        Some(Span(Some(time))) if time >= Duration::from_millis(1) => time,
        Some(Span(Some(time))) => bail!("{} is {time:?}: at least 1ms", of("unhealthy_after")),
        Some(Span(None)) => bail!("{} is none: a time such as 1m", of("unhealthy_after")),
    };
    let after_ms = u64::try_from(after.as_millis()).unwrap_or(u64::MAX);
    Ok(HealthRules { close: keys.close_unhealthy.unwrap_or_default(), after_ms })
}
