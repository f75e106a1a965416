//! How many connections came, and how often each side ended for which reason.

use std::sync::atomic::{AtomicU64, Ordering};

use connctl_api::conn::Side;
use connctl_api::end::Reason;
use connctl_api::stats::ReasonCount;

/// The counters; every ending is counted once on each side that the connection had.
#[derive(Debug)]
pub struct Stats {
    accepted: AtomicU64,
    ended: AtomicU64,
    by_reason: Box<[[AtomicU64; 2]]>,
    /// Bytes to upstreams and to clients, of connections that have ended.
    bytes: [AtomicU64; 2],
    /// The most bytes that were ever told.
    told: [AtomicU64; 2],
}

impl Default for Stats {
    fn default() -> Self {
        Self {
            accepted: AtomicU64::new(0),
            ended: AtomicU64::new(0),
            by_reason: Reason::ALL.iter().map(|_| [AtomicU64::new(0), AtomicU64::new(0)]).collect(),
            bytes: Default::default(),
            told: Default::default(),
        }
    }
}

impl Stats {
    /// One more connection was accepted.
    pub fn accepted_one(&self) {
        self.accepted.fetch_add(1, Ordering::Relaxed);
    }

    /// One more connection ended; `None` is a side that it did not have.
    pub fn ended_one(&self, client: Option<Reason>, upstream: Option<Reason>) {
        self.ended.fetch_add(1, Ordering::Relaxed);
        for (side, reason) in [(Side::Client, client), (Side::Upstream, upstream)] {
            if let Some(cell) = reason.and_then(|reason| self.by_reason.get(reason as usize)) {
                cell[side as usize].fetch_add(1, Ordering::Relaxed);
            }
        }
    }

    /// A connection that has ended relayed so much to its upstream and to its client.
    pub fn relayed(&self, bytes: [u64; 2]) {
        for (cell, bytes) in self.bytes.iter().zip(bytes) {
            cell.fetch_add(bytes, Ordering::Relaxed);
        }
    }

    /// Bytes to upstreams and to clients, of connections that have ended.
    pub fn bytes(&self) -> [u64; 2] {
        self.bytes.each_ref().map(|cell| cell.load(Ordering::Relaxed))
    }

    /// These figures, or those told before where they were larger: one who counts sees no figure fall, although a
    /// connection that is just ending is missed for a moment.
    pub fn grown(&self, bytes: [u64; 2]) -> [u64; 2] {
        std::array::from_fn(|way| self.told[way].fetch_max(bytes[way], Ordering::Relaxed).max(bytes[way]))
    }

    /// Connections accepted since the start.
    pub fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::Relaxed)
    }

    /// Connections ended since the start.
    pub fn ended(&self) -> u64 {
        self.ended.load(Ordering::Relaxed)
    }

    /// The counts that are not zero, in the order of the table of reasons.
    pub fn by_reason(&self) -> Vec<ReasonCount> {
        let sides = [Side::Client, Side::Upstream];
        Reason::ALL
            .iter()
            .zip(&self.by_reason)
            .flat_map(|(reason, cells)| {
                sides.map(|side| ReasonCount {
                    reason: *reason,
                    side,
                    count: cells[side as usize].load(Ordering::Relaxed),
                })
            })
            .filter(|row| row.count > 0)
            .collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_side_is_counted_once() {
        let stats = Stats::default();
        stats.ended_one(Some(Reason::Normal), Some(Reason::ClosedClient));
        stats.ended_one(Some(Reason::Normal), None);
        assert_eq!(stats.ended(), 2);
        let rows = stats.by_reason();
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].reason, rows[0].side, rows[0].count), (Reason::Normal, Side::Client, 2));
        assert_eq!((rows[1].reason, rows[1].side, rows[1].count), (Reason::ClosedClient, Side::Upstream, 1));
    }
}
