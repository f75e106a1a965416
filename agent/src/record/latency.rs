//! How long things took, in buckets that one atomic addition fills.

use std::sync::atomic::{AtomicU64, Ordering};

use connctl_api::operation::OperationKind;

/// The upper ends of the buckets in microseconds: from half a millisecond to ten seconds.
pub const BOUNDS_US: [u64; 14] = [
    500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 2_500_000,
    5_000_000, 10_000_000,
];

/// How often something took how long.
#[derive(Debug, Default)]
pub struct Latency {
    /// By bucket; the last is what took longer than all of them.
    counts: [AtomicU64; BOUNDS_US.len() + 1],
    sum_us: AtomicU64,
}

impl Latency {
    /// It took so long, in microseconds.
    pub fn took(&self, us: u64) {
        let bucket = BOUNDS_US.partition_point(|bound| *bound < us);
        if let Some(count) = self.counts.get(bucket) {
            count.fetch_add(1, Ordering::Relaxed);
        }
        self.sum_us.fetch_add(us, Ordering::Relaxed);
    }

    /// The counts by bucket, and the sum in microseconds.
    pub fn read(&self) -> ([u64; BOUNDS_US.len() + 1], u64) {
        let counts = std::array::from_fn(|bucket| self.counts[bucket].load(Ordering::Relaxed));
        (counts, self.sum_us.load(Ordering::Relaxed))
    }
}

/// What is measured.
#[derive(Debug, Default)]
pub struct Latencies {
    /// From the accept until the thread that owns the connection has it.
    pub accept: Latency,
    /// From a dial until the upstream's socket is connected.
    pub dial: Latency,
    operations: [Latency; OperationKind::ALL.len()],
}

impl Latencies {
    /// From the request until one connection has been acted on.
    pub fn operation(&self, kind: OperationKind) -> &Latency {
        &self.operations[kind as usize]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_is_counted_in_the_bucket_that_it_just_fits() {
        let latency = Latency::default();
        for us in [0, 500, 501, 10_000_000, 10_000_001] {
            latency.took(us);
        }
        let (counts, sum_us) = latency.read();
        assert_eq!((counts[0], counts[1], counts[13], counts[14]), (2, 1, 1, 1));
        assert_eq!(sum_us, 20_001_002);
        assert!(BOUNDS_US.is_sorted());
    }
}
