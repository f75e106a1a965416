//! How much is kept of what happened.

use std::time::Duration;

use anyhow::ensure;

use super::file::File;

/// The most connections that have ended in memory, where nothing is said: about 17 MB.
const DEFAULT_HISTORY_SIZE: u64 = 100_000;
/// The most on disk, where nothing is said: about 200 MB.
const DEFAULT_HISTORY_STORED: u64 = 1_000_000;
/// How long they stay there, where nothing is said.
const DEFAULT_HISTORY_AGE: Duration = Duration::from_secs(7 * 86_400);
/// The most events, where nothing is said: about 2 MB.
const DEFAULT_EVENTS_SIZE: u64 = 10_000;
/// The most that can be asked for of each.
const MAX_SIZE: u64 = 100_000_000;

/// How much is kept of what happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecordSettings {
    /// Connections that have ended, in memory; 0 is none, and then none on disk either.
    pub history_size: u64,
    /// Connections that have ended, on disk; 0 is none.
    pub history_stored: u64,
    /// How long they stay on disk.
    pub history_age: Duration,
    /// Events; 0 is none.
    pub events_size: u64,
}

impl Default for RecordSettings {
    fn default() -> Self {
        Self {
            history_size: DEFAULT_HISTORY_SIZE,
            history_stored: DEFAULT_HISTORY_STORED,
            history_age: DEFAULT_HISTORY_AGE,
            events_size: DEFAULT_EVENTS_SIZE,
        }
    }
}

/// What the file says.
///
/// # Errors
/// A size that is too large.
pub(super) fn settings(file: &File) -> anyhow::Result<RecordSettings> {
    let sizes = [
        ("history_size", file.history_size),
        ("history_stored", file.history_stored),
        ("events_size", file.events_size),
    ];
    for (key, size) in sizes {
        if let Some(size) = size {
            ensure!(size <= MAX_SIZE, "{key} {size} is too large: at most {MAX_SIZE}");
        }
    }
    let usual = RecordSettings::default();
    Ok(RecordSettings {
        history_size: file.history_size.unwrap_or(usual.history_size),
        history_stored: file.history_stored.unwrap_or(usual.history_stored),
        history_age: file.history_age.map_or(usual.history_age, |time| time.0),
        events_size: file.events_size.unwrap_or(usual.events_size),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::file;

    #[test]
    fn sizes_are_read_and_the_rest_is_usual() {
        let read = settings(&file::parse("history_size = 0\nhistory_age = '1h'\n").unwrap()).unwrap();
        assert_eq!((read.history_size, read.history_age), (0, Duration::from_secs(3_600)));
        assert_eq!(read.events_size, DEFAULT_EVENTS_SIZE);
        let error = settings(&file::parse("events_size = 100000001\n").unwrap()).unwrap_err().to_string();
        assert!(error.contains("events_size 100000001"), "{error}");
        let error = file::parse("history_siz = 1\n").unwrap_err().to_string();
        assert!(error.contains("history_size"), "{error}");
    }
}
