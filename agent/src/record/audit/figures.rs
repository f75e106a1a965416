//! What the audit counts of itself, for monitoring.

use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

/// The counts. The thread of the audit and whoever asks for a change add to them.
#[derive(Debug, Default)]
pub(super) struct Counts {
    /// Lines written.
    pub(super) written: AtomicU64,
    /// Writes that failed.
    pub(super) failed: AtomicU64,
    /// Changes that were refused for it.
    pub(super) refused: AtomicU64,
    /// Lines that will never be there.
    pub(super) lost: AtomicU64,
    /// Lines that wait for the disk to take them.
    pub(super) owed: AtomicU64,
    /// Bytes of the file that is written.
    pub(super) file_bytes: AtomicU64,
}

impl Counts {
    pub(super) fn add(count: &AtomicU64, more: usize) {
        count.fetch_add(more as u64, Relaxed);
    }

    pub(super) fn read(&self, last_seq: u64) -> Figures {
        let read = |count: &AtomicU64| count.load(Relaxed);
        Figures {
            written: read(&self.written),
            failed: read(&self.failed),
            refused: read(&self.refused),
            lost: read(&self.lost),
            owed: read(&self.owed),
            file_bytes: read(&self.file_bytes),
            last_seq,
        }
    }
}

/// The audit in figures, since the start.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Figures {
    /// Lines written.
    pub written: u64,
    /// Writes that failed.
    pub failed: u64,
    /// Changes that were refused because they could not be written down.
    pub refused: u64,
    /// Lines that are missing for ever.
    pub lost: u64,
    /// Lines of what has happened that wait for the disk to take them.
    pub owed: u64,
    /// Bytes of the file that is written.
    pub file_bytes: u64,
    /// The number of the last line.
    pub last_seq: u64,
}
