//! The latest events, for whoever asks for them now or goes on where a reader stopped.
//!
//! The log is always kept: it is short, and an event costs less than a microsecond. Nobody waits for a reader; one
//! that falls behind is told how many it has missed.

use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::Notify;

use super::ring::{Block, New, Ring};

/// The events.
#[derive(Debug)]
pub struct Events {
    ring: Ring,
    /// Somebody waits for the next event.
    is_awaited: AtomicBool,
    news: Notify,
}

impl Events {
    /// None yet, and at least so many from then on.
    pub fn new(most: u64) -> Self {
        Self { ring: Ring::new(most, 1), is_awaited: AtomicBool::new(false), news: Notify::new() }
    }

    pub(super) fn push(&self, entry: &New<'_>) {
        self.ring.push(entry);
        // The lock of the ring is between the two sides: the reader sees this event, or this sees it waiting.
        if self.is_awaited.load(Ordering::Relaxed) && self.is_awaited.swap(false, Ordering::Relaxed) {
            self.news.notify_waiters();
        }
    }

    /// The place of the next event.
    pub fn end(&self) -> u64 {
        self.ring.end()
    }

    /// The blocks with events from this place on, oldest first.
    pub fn blocks(&self, from: u64) -> Vec<Block> {
        self.ring.blocks(from)
    }

    /// The bytes that it holds.
    pub fn bytes(&self) -> usize {
        self.ring.bytes()
    }

    /// Returns when there is an event from this place on.
    pub async fn wait(&self, from: u64) {
        loop {
            let news = self.news.notified();
            let mut news = std::pin::pin!(news);
            news.as_mut().enable();
            self.is_awaited.store(true, Ordering::Relaxed);
            if self.ring.end() > from {
                return;
            }
            news.await;
        }
    }
}
