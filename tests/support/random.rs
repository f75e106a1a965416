//! Chance with a seed.
use std::time::Duration;

/// A small generator: the same seed gives the same plan.
pub(crate) struct Random(u64);

impl Random {
    /// The generator of one part, by its number, of what a seed plans.
    pub(crate) fn new(seed: u64, number: u64) -> Self {
        let mut own = Self((seed << 20 | number) ^ 0x9e37_79b9_7f4a_7c15);
        own.next();
        own.next();
        own
    }

    /// One that goes on by itself.
    pub(crate) fn split(&mut self) -> Self {
        Self(self.next() | 1)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 11
    }

    /// Below the bound.
    pub(crate) fn below(&mut self, bound: u64) -> u64 {
        self.next() % bound
    }

    /// One of these.
    pub(crate) fn of<T: Copy>(&mut self, choices: &[T]) -> T {
        choices[usize::try_from(self.below(choices.len() as u64)).unwrap()]
    }

    /// From 1 byte to this power of two, each magnitude as likely as another.
    pub(crate) fn size(&mut self, power: u64) -> u64 {
        let most = 1 << self.below(power + 1);
        1 + self.below(most)
    }

    /// Mostly nothing, now and then a moment.
    pub(crate) fn stall(&mut self) {
        if self.below(8) == 0 {
            std::thread::sleep(Duration::from_micros(self.below(3_000)));
        }
    }
}
