//! Deadlines: at most one for each connection, so an idle connection has none.

use std::collections::BTreeSet;

/// The deadlines of one thread, by time.
#[derive(Debug, Default)]
pub(super) struct Timers {
    queue: BTreeSet<(u64, u32)>,
}

impl Timers {
    /// Moves the deadline of a slot from `before` to `at`; 0 is none.
    pub(super) fn change(&mut self, slot: u32, before: u64, at: u64) {
        if before != 0 {
            self.queue.remove(&(before, slot));
        }
        if at != 0 {
            self.queue.insert((at, slot));
        }
    }

    /// The next deadline that has passed, taken out.
    pub(super) fn due(&mut self, now_ms: u64) -> Option<u32> {
        let first = *self.queue.first()?;
        (first.0 <= now_ms).then(|| {
            self.queue.remove(&first);
            first.1
        })
    }

    /// Milliseconds until the next deadline.
    pub(super) fn wait_ms(&self, now_ms: u64) -> Option<u64> {
        self.queue.first().map(|(at, _)| at.saturating_sub(now_ms))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deadlines_come_in_order_and_move() {
        let mut timers = Timers::default();
        timers.change(1, 0, 50);
        timers.change(2, 0, 20);
        timers.change(1, 50, 10);
        assert_eq!(timers.wait_ms(5), Some(5));
        assert_eq!(timers.due(5), None);
        assert_eq!(timers.due(30), Some(1));
        timers.change(2, 20, 0);
        assert_eq!(timers.due(30), None);
        assert_eq!(timers.wait_ms(30), None);
    }
}
