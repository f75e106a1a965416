//! Durations as Go writes them.

use std::time::Duration;

use serde_json::{Value, json};

use crate::control::facade::profile::{DurationForm, Profile};

/// A duration in an answer.
pub(super) fn of(time: Duration, profile: Profile) -> Value {
    match profile.heynats_duration() {
        DurationForm::Text => json!(text(time)),
        DurationForm::Nanoseconds => json!(u64::try_from(time.as_nanos()).unwrap_or(u64::MAX)),
    }
}

/// `25m30s`, `1h0m0s`, `1.5s`, `300ms`, `0s`: from the largest unit that is not zero; below a second in
/// milliseconds, which is as fine as anything is measured here.
fn text(time: Duration) -> String {
    let (seconds, ms) = (time.as_secs(), time.subsec_millis());
    if seconds == 0 && ms > 0 {
        return format!("{ms}ms");
    }
    let (hours, minutes) = (seconds / 3_600, seconds / 60 % 60);
    let mut text = match (hours, minutes) {
        (0, 0) => String::new(),
        (0, _) => format!("{minutes}m"),
        _ => format!("{hours}h{minutes}m"),
    };
    text.push_str(&(seconds % 60).to_string());
    if ms > 0 {
        text.push_str(format!(".{ms:03}").trim_end_matches('0'));
    }
    text.push('s');
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Compat;
    use crate::control::testing::settings;

    #[test]
    fn durations_are_written_as_go_writes_them() {
        for (ms, expected) in [
            (0, "0s"),
            (300, "300ms"),
            (1_000, "1s"),
            (1_500, "1.5s"),
            (59_001, "59.001s"),
            (300_000, "5m0s"),
            (1_530_000, "25m30s"),
            (1_800_000, "30m0s"),
            (3_600_000, "1h0m0s"),
            (90_061_010, "25h1m1.01s"),
        ] {
            assert_eq!(text(Duration::from_millis(ms)), expected);
        }
        let half_an_hour = Duration::from_secs(1_800);
        let form = |compat| of(half_an_hour, Profile::of(&settings(compat, &[])));
        assert_eq!(form(Compat::Documented), json!("30m0s"));
        assert_eq!(form(Compat::Actual), json!(1_800_000_000_000_u64));
    }
}
