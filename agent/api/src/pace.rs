//! How a bulk operation is spread over time, so that clients which come back do not come back all at once.

use serde::{Deserialize, Serialize};

/// The pace of a job. Without a rate everything goes at once.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Pace {
    /// Connections per second, spread evenly; `until_reconnect_rate` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rate: Option<f64>,
    /// How far each one may be from its even place, in percent of the time between two.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub jitter_percent: Option<f64>,
    /// Milliseconds in which the rate rises from nothing to what is asked.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ramp_ms: Option<u64>,
    /// Slow down while more clients than this connect per second.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_reconnect_rate: Option<f64>,
    /// Pause when more than this share of the last [`JUDGED`] items failed or timed out, in percent, once there
    /// are [`JUDGED_LEAST`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pause_if_percent: Option<f64>,
}

/// The slowest pace, per second: one connection an hour.
pub const MIN_RATE: f64 = 1.0 / 3600.0;
/// The fastest pace, per second.
pub const MAX_RATE: f64 = 1_000_000.0;
/// The longest ramp in milliseconds: a day.
pub const MAX_RAMP_MS: u64 = 86_400_000;
/// How many items a share of failures looks back on.
pub const JUDGED: usize = 100;
/// How many there must be before a share of failures counts.
pub const JUDGED_LEAST: usize = 20;

impl Pace {
    /// Whether anything is spread.
    pub fn is_set(&self) -> bool {
        *self != Self::default()
    }

    /// Connections per second, where there is a limit.
    pub fn rate(&self) -> Option<f64> {
        self.rate.or(self.until_reconnect_rate)
    }

    /// What is wrong with it: the field, and why.
    ///
    /// # Errors
    /// A value outside its range, or one that needs a rate and has none.
    pub fn check(&self) -> Result<(), (&'static str, String)> {
        for (field, rate) in [("rate", self.rate), ("until_reconnect_rate", self.until_reconnect_rate)] {
            if let Some(rate) = rate.filter(|rate| !(MIN_RATE..=MAX_RATE).contains(rate)) {
                let range = format!("from one an hour to {MAX_RATE} a second");
                return Err((field, format!("{field} {rate} is out of range: {range}")));
            }
        }
        let shares = [("jitter_percent", self.jitter_percent), ("pause_if_percent", self.pause_if_percent)];
        for (field, percent) in shares {
            if let Some(percent) = percent.filter(|percent| !(0.0..=100.0).contains(percent)) {
                return Err((field, format!("{field} {percent} is not a share: 0 to 100")));
            }
        }
        if let Some(ramp_ms) = self.ramp_ms.filter(|ramp_ms| *ramp_ms > MAX_RAMP_MS) {
            return Err(("ramp_ms", format!("ramp_ms {ramp_ms} is too long: at most {MAX_RAMP_MS}")));
        }
        let need_rate = [
            ("jitter_percent", self.jitter_percent.is_some()),
            ("ramp_ms", self.ramp_ms.is_some()),
            ("pause_if_percent", self.pause_if_percent.is_some()),
        ];
        match need_rate.iter().find(|(_, is_given)| *is_given && self.rate().is_none()) {
            Some((field, _)) => Err((field, format!("{field} goes with rate"))),
            None => Ok(()),
        }
    }

    /// Milliseconds that so many connections take at this pace, the answers of the last ones apart.
    pub fn estimate_ms(&self, connections: u64) -> u64 {
        let Some(rate) = self.rate() else { return 0 };
        // What a linear ramp lacks is half of what the full rate would have done meanwhile.
        #[expect(clippy::cast_precision_loss, reason = "an estimate")]
        let (count, ramp) = (connections as f64, self.ramp_ms.unwrap_or(0) as f64 / 1000.0);
        let in_ramp = rate * ramp / 2.0;
        let seconds = if count <= in_ramp {
            (2.0 * count * ramp / rate).sqrt()
        } else {
            ramp + (count - in_ramp) / rate
        };
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "an estimate, not negative"
        )]
        let ms = (seconds * 1000.0) as u64;
        ms
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wrong_pace_names_its_field() {
        let rate = Pace { rate: Some(50.0), ..Pace::default() };
        for (pace, field) in [
            (Pace { rate: Some(0.0), ..rate }, "rate"),
            (Pace { rate: Some(f64::NAN), ..rate }, "rate"),
            (Pace { rate: Some(f64::INFINITY), ..rate }, "rate"),
            (Pace { until_reconnect_rate: Some(-1.0), ..rate }, "until_reconnect_rate"),
            (Pace { jitter_percent: Some(101.0), ..rate }, "jitter_percent"),
            (Pace { pause_if_percent: Some(f64::NAN), ..rate }, "pause_if_percent"),
            (Pace { ramp_ms: Some(MAX_RAMP_MS + 1), ..rate }, "ramp_ms"),
            (Pace { jitter_percent: Some(1.0), ..Pace::default() }, "jitter_percent"),
            (Pace { ramp_ms: Some(1), ..Pace::default() }, "ramp_ms"),
            (Pace { pause_if_percent: Some(1.0), ..Pace::default() }, "pause_if_percent"),
        ] {
            assert_eq!(pace.check().unwrap_err().0, field, "{pace:?}");
        }
        assert_eq!(rate.check(), Ok(()));
        assert_eq!(
            Pace { until_reconnect_rate: Some(2.0), jitter_percent: Some(1.0), ..Pace::default() }.check(),
            Ok(())
        );
        assert!(!Pace::default().is_set() && rate.is_set());
    }

    #[test]
    fn an_estimate_counts_the_ramp() {
        let pace = |rate, ramp_ms| Pace { rate: Some(rate), ramp_ms, ..Pace::default() };
        assert_eq!(pace(50.0, None).estimate_ms(500), 10_000);
        assert_eq!(pace(50.0, Some(10_000)).estimate_ms(500), 15_000);
        assert_eq!(pace(50.0, Some(10_000)).estimate_ms(250), 10_000);
        assert_eq!(pace(50.0, Some(10_000)).estimate_ms(10), 2_000);
        assert_eq!(Pace::default().estimate_ms(1_000_000), 0);
    }
}
