//! Waiting for something to become true, with a limit.
use std::time::{Duration, Instant};

/// Longer than anything here may take, even on a loaded machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(60);

/// Asks until the answer is there; panics, naming what was awaited, when the limit is over.
#[track_caller]
pub(crate) fn until<T>(what: &str, mut ask: impl FnMut() -> Option<T>) -> T {
    let start = Instant::now();
    loop {
        if let Some(answer) = ask() {
            return answer;
        }
        assert!(start.elapsed() < LIMIT, "not within {LIMIT:?}: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

/// Fails when the fact stops being true within the time: for what must *not* happen.
#[track_caller]
pub(crate) fn stays(what: &str, time: Duration, mut fact: impl FnMut() -> bool) {
    let start = Instant::now();
    while start.elapsed() < time {
        assert!(fact(), "no longer true after {:?}: {what}", start.elapsed());
        std::thread::sleep(Duration::from_millis(10));
    }
}
