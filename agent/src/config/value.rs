//! Values as people write them, in the file and in `limit set`: how each kind is read, and how it is shown so
//! that it can be read again.

use std::time::Duration;

use connctl_api::limit::LimitValue;
use connctl_api::units;
use serde::de::Error as _;
use serde::{Deserialize, Deserializer};

use super::words::{KeepAlive, OnOver, Unhealthy};

/// The bytes of a SHA-256.
pub const HASH_BYTES: usize = 32;

/// A duration such as `"30m"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Time(pub Duration);

impl<'de> Deserialize<'de> for Time {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        units::parse_duration(&text).map(Self).map_err(D::Error::custom)
    }
}

/// A time limit such as `"30m"`, or `"none"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span(pub Option<Duration>);

/// A number of bytes such as `4096` or `"10MiB"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Size(pub u64);

/// The word for no time limit.
const NONE: &str = "none";

/// A kind of value: how it is read, and how it is shown so that it can be read again.
pub(super) trait Kind: Sized {
    /// Reads a value; the error says what is allowed.
    fn read(value: &LimitValue) -> Result<Self, String>;
    /// Shows a value.
    fn shown(self) -> LimitValue;
}

impl Kind for Span {
    fn read(value: &LimitValue) -> Result<Self, String> {
        let form = units::DURATION_FORM;
        match value {
            LimitValue::Text(word) if word == NONE => Ok(Self(None)),
            LimitValue::Text(word) => match units::parse_duration(word) {
                Ok(time) => Ok(Self(Some(time))),
                Err(error) => Err(format!("{error}, or {NONE:?}")),
            },
            LimitValue::Number(number) => Err(format!("{number} has no unit, expected {form}, or {NONE:?}")),
        }
    }

    fn shown(self) -> LimitValue {
        LimitValue::Text(self.0.map_or_else(|| NONE.to_owned(), units::format_duration))
    }
}

impl Kind for Size {
    fn read(value: &LimitValue) -> Result<Self, String> {
        match value {
            LimitValue::Text(text) => units::parse_size(text).map(Self).map_err(|error| error.to_string()),
            LimitValue::Number(bytes) => u64::try_from(*bytes)
                .map(Self)
                .map_err(|_| format!("expected {}, or 0 for no limit", units::SIZE_FORM)),
        }
    }

    fn shown(self) -> LimitValue {
        match self.0 {
            0 => LimitValue::Number(0),
            bytes => LimitValue::Text(units::format_size(bytes)),
        }
    }
}

impl Kind for u32 {
    fn read(value: &LimitValue) -> Result<Self, String> {
        match value {
            LimitValue::Number(number) => Self::try_from(*number).ok(),
            LimitValue::Text(_) => None,
        }
        .ok_or_else(|| format!("expected a whole number from 0 (no limit) to {}", Self::MAX))
    }

    fn shown(self) -> LimitValue {
        LimitValue::Number(self.into())
    }
}

impl Kind for KeepAlive {
    fn read(value: &LimitValue) -> Result<Self, String> {
        word(value, &Self::ALL, |one| one.word())
    }

    fn shown(self) -> LimitValue {
        LimitValue::Text(self.word().to_owned())
    }
}

impl Kind for OnOver {
    fn read(value: &LimitValue) -> Result<Self, String> {
        word(value, &Self::ALL, |one| one.word())
    }

    fn shown(self) -> LimitValue {
        LimitValue::Text(self.word().to_owned())
    }
}

impl Kind for Unhealthy {
    fn read(value: &LimitValue) -> Result<Self, String> {
        match value.to_string().as_str() {
            NONE => Ok(Self::default()),
            words => Self::of(words.split(','))
                .map_err(|error| format!("{error}, with commas between, or {NONE:?}")),
        }
    }

    fn shown(self) -> LimitValue {
        let words: Vec<_> = self.iter().map(|health| health.word()).collect();
        LimitValue::Text(if words.is_empty() { NONE.to_owned() } else { words.join(",") })
    }
}

fn word<T: Copy>(value: &LimitValue, all: &[T], name: impl Fn(T) -> &'static str) -> Result<T, String> {
    let text = value.to_string();
    all.iter().copied().find(|one| name(*one) == text).ok_or_else(|| {
        let words: Vec<_> = all.iter().map(|one| name(*one)).collect();
        format!("expected one of {}", words.join(", "))
    })
}

impl<'de> Deserialize<'de> for Span {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&LimitValue::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}

impl<'de> Deserialize<'de> for Size {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Self::read(&LimitValue::deserialize(deserializer)?).map_err(D::Error::custom)
    }
}
