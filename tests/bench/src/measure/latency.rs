//! Latencies of one run.

use std::time::Duration;

use anyhow::Result;
use hdrhistogram::Histogram;

/// A histogram of nanoseconds, three digits exact, up to a minute.
pub(crate) struct Latency(Histogram<u64>);

impl Latency {
    pub(crate) fn new() -> Result<Self> {
        Ok(Self(Histogram::new_with_bounds(1, 60_000_000_000, 3)?))
    }

    pub(crate) fn record(&mut self, latency: Duration) {
        self.0.saturating_record(u64::try_from(latency.as_nanos()).unwrap_or(u64::MAX));
    }

    /// The latency in microseconds that `percent` of all stayed within.
    pub(crate) fn us(&self, percent: f64) -> f64 {
        self.0.value_at_percentile(percent) as f64 / 1000.0
    }

    pub(crate) fn count(&self) -> u64 {
        self.0.len()
    }
}
