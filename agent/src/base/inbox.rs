//! A queue that wakes the thread that waits in `epoll`.
//!
//! Posting never waits for the reader. The queue is bounded by what feeds it: arrivals by the descriptor
//! budget, commands by the items a control request may name.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::sync::{Arc, Mutex, PoisonError};

use rustix::event::{EventfdFlags, eventfd};

/// The sending end; clones post into the same queue.
#[derive(Debug)]
pub struct Outbox<T>(Arc<Shared<T>>);

/// The receiving end.
#[derive(Debug)]
pub struct Inbox<T>(Arc<Shared<T>>);

#[derive(Debug)]
struct Shared<T> {
    queue: Mutex<Vec<T>>,
    wake: OwnedFd,
}

/// A new queue.
///
/// # Errors
/// Where the kernel gives no event descriptor.
pub fn inbox<T>() -> std::io::Result<(Outbox<T>, Inbox<T>)> {
    let wake = eventfd(0, EventfdFlags::NONBLOCK | EventfdFlags::CLOEXEC)?;
    let shared = Arc::new(Shared { queue: Mutex::new(Vec::new()), wake });
    Ok((Outbox(Arc::clone(&shared)), Inbox(shared)))
}

impl<T> Clone for Outbox<T> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<T> Outbox<T> {
    /// Adds a message and wakes the reader if it may be asleep.
    pub fn post(&self, message: T) {
        let was_empty = {
            let mut queue = self.0.queue.lock().unwrap_or_else(PoisonError::into_inner);
            queue.push(message);
            queue.len() == 1
        };
        // A queue that was not empty has a wake-up under way already.
        if was_empty {
            // The counter saturates only after 2^64-2 unread wake-ups; the reader resets it each time.
            let _ = rustix::io::write(&self.0.wake, &1u64.to_ne_bytes());
        }
    }
}

impl<T> Inbox<T> {
    /// Everything posted since the last call, oldest first, swapped into `into`, which must be empty.
    pub fn take(&self, into: &mut Vec<T>) {
        let mut counter = [0u8; 8];
        // Reset before the queue is taken: a message posted in between wakes the reader once too often,
        // never once too rarely. It fails only when there was no wake-up to reset.
        let _ = rustix::io::read(&self.0.wake, &mut counter);
        std::mem::swap(&mut *self.0.queue.lock().unwrap_or_else(PoisonError::into_inner), into);
    }
}

impl<T> AsFd for Inbox<T> {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.wake.as_fd()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn messages_come_out_in_the_order_they_went_in() {
        let (outbox, inbox) = inbox().unwrap();
        outbox.post(1);
        outbox.clone().post(2);
        let mut taken = Vec::new();
        inbox.take(&mut taken);
        assert_eq!(taken, [1, 2]);
        taken.clear();
        inbox.take(&mut taken);
        assert!(taken.is_empty());
    }
}
