//! The words that a setting can have: each enumeration with its spelling in the file.

use connctl_api::conn::Health;
use serde::{Deserialize, Deserializer};

/// How facades answer where a system's document and code differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Compat {
    /// As the document says.
    Documented,
    /// As the code does.
    Actual,
}

impl Compat {
    /// The word in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Actual => "actual",
        }
    }
}

/// The least that a log line must matter to be written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// What needs somebody to look after it.
    Error,
    /// What may become that.
    Warn,
    /// One line for each ending and each change.
    Info,
    /// What helps to find a mistake.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The word in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warn => "warn",
            Self::Info => "info",
            Self::Debug => "debug",
            Self::Trace => "trace",
        }
    }
}

/// How a log line is written.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// For people.
    #[default]
    Text,
    /// One JSON object.
    Json,
}

/// A version of the PROXY protocol.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ProxyVersion {
    /// Text.
    V1,
    /// Binary.
    V2,
}

/// What becomes of a change that cannot be written down.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum AuditMode {
    /// It is refused.
    Required,
    /// It goes ahead, and the log has an error.
    BestEffort,
    /// Nothing is written down.
    Off,
}

/// A class of connections by how long they may be idle.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
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

impl KeepAlive {
    /// Every class.
    pub const ALL: [Self; 3] = [Self::Standard, Self::Extended, Self::Immortal];

    /// The word in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Standard => "standard",
            Self::Extended => "extended",
            Self::Immortal => "immortal",
        }
    }
}

/// What happens when there would be one too many.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
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

impl OnOver {
    /// Every rule.
    pub const ALL: [Self; 4] =
        [Self::Reject, Self::EvictOldestActivity, Self::EvictOldest, Self::EvictNewest];

    /// The word in the configuration.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Reject => "reject",
            Self::EvictOldestActivity => "evict-oldest-activity",
            Self::EvictOldest => "evict-oldest",
            Self::EvictNewest => "evict-newest",
        }
    }
}

/// How a connection goes on with another upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reconnect {
    /// As if nothing had been before: the protocol has no session.
    Fresh,
    /// With its NATS session.
    Nats,
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
