//! Which unhealthy connections a listener closes, and after how long.

use std::time::Duration;

use anyhow::bail;
use connctl_api::conn::Health;
use serde::{Deserialize, Deserializer};

use super::keys::{Keys, Span};

/// For how long a connection must be unhealthy before that is said of it, where nothing else is set.
pub const DEFAULT_UNHEALTHY_AFTER: Duration = Duration::from_secs(60);

/// What a listener's rule about unhealthy connections is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HealthRules {
    /// Which are closed.
    pub close: Unhealthy,
    /// For how long a connection must be so, in milliseconds.
    pub after_ms: u64,
}

/// A set of conditions that a connection can be closed for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Unhealthy(u8);

impl Unhealthy {
    /// What can be in it. Idle ones are what `idle_timeout` is for.
    pub const ALL: [Health; 3] = [Health::Unacked, Health::Zombie, Health::Stuck];

    /// The set of these words; each once or more.
    ///
    /// # Errors
    /// A word that is none of them.
    pub fn of<'a>(words: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut set = Self::default();
        for word in words {
            let health = Self::ALL.into_iter().find(|health| health.word() == word);
            let Some(health) = health else {
                return Err(format!("{word:?} is none of unacked, zombie, stuck"));
            };
            set.0 |= 1 << health as u8;
        }
        Ok(set)
    }

    /// Whether it has this condition.
    pub const fn has(self, health: Health) -> bool {
        self.0 & 1 << health as u8 != 0
    }

    /// Whether it has none.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Its conditions.
    pub fn iter(self) -> impl Iterator<Item = Health> {
        Self::ALL.into_iter().filter(move |health| self.has(*health))
    }
}

impl<'de> Deserialize<'de> for Unhealthy {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let words = Vec::<String>::deserialize(deserializer)?;
        Self::of(words.iter().map(String::as_str)).map_err(serde::de::Error::custom)
    }
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
