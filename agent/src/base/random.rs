//! Chance, for jitter, samples and the names of processes; nothing here is secret.

use std::hash::{BuildHasher, RandomState};
use std::sync::atomic::{AtomicU64, Ordering};

/// A sequence of numbers (SplitMix64) that begins elsewhere in each process.
#[derive(Debug)]
pub struct Random(u64);

static DRAWN: AtomicU64 = AtomicU64::new(0);

impl Random {
    /// A sequence of its own.
    pub fn new() -> Self {
        // The standard library draws the keys of its hash tables from the system.
        Self(RandomState::new().hash_one(DRAWN.fetch_add(1, Ordering::Relaxed)))
    }

    /// The next number.
    pub fn number(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// From 0 to below 1.
    #[expect(clippy::cast_precision_loss, reason = "53 bits are exact")]
    pub fn share(&mut self) -> f64 {
        (self.number() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// From 0 to below `end`, which is not 0. Slightly uneven, by less than one in 2^32 for a million.
    pub fn below(&mut self, end: usize) -> usize {
        let wide = u128::from(self.number()) * end as u128;
        usize::try_from(wide >> 64).unwrap_or(0)
    }
}

impl Default for Random {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_stay_in_their_range_and_differ() {
        let mut random = Random::new();
        let mut seen = [0_u32; 10];
        for _ in 0..10_000 {
            assert!((0.0..1.0).contains(&random.share()));
            seen[random.below(10)] += 1;
        }
        assert!(seen.iter().all(|count| (700..1300).contains(count)), "{seen:?}");
        assert_ne!(Random::new().number(), Random::new().number());
    }
}
