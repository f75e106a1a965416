//! An instant on the wire: RFC 3339 in UTC with milliseconds.

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// Milliseconds since 1970-01-01T00:00:00Z.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub struct Instant(pub i64);

/// Where the numbers stand in the text, and how many digits they have.
const PLACES: [(usize, usize); 7] = [(0, 4), (5, 2), (8, 2), (11, 2), (14, 2), (17, 2), (20, 3)];

impl Instant {
    /// The text in ASCII. A listing prints thousands of these, so it is made by hand, for the years 1970 to
    /// 9999.
    ///
    /// The calendar is that of <https://howardhinnant.github.io/date_algorithms.html#civil_from_days>.
    pub fn text(self) -> [u8; 24] {
        let mut text = *b"0000-00-00T00:00:00.000Z";
        let ms = u64::try_from(self.0).unwrap_or(0).min(253_402_300_799_999);
        let (days, rest) = (ms / 86_400_000, ms % 86_400_000);
        let shifted = days + 719_468;
        let (era, day_of_era) = (shifted / 146_097, shifted % 146_097);
        let year_of_era =
            (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
        let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
        let month_from_march = (5 * day_of_year + 2) / 153;
        let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
        let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
        let year = era * 400 + year_of_era + u64::from(month <= 2);
        let numbers =
            [year, month, day, rest / 3_600_000, rest / 60_000 % 60, rest / 1_000 % 60, rest % 1_000];
        for (number, (start, digits)) in numbers.into_iter().zip(PLACES) {
            let mut left = number;
            for place in text[start..start + digits].iter_mut().rev() {
                // A digit.
                *place = b'0' + u8::try_from(left % 10).unwrap_or(0);
                left /= 10;
            }
        }
        text
    }
}

impl std::fmt::Display for Instant {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl std::str::FromStr for Instant {
    type Err = String;
    fn from_str(text: &str) -> Result<Self, String> {
        let at: jiff::Timestamp = text.parse().map_err(|error| format!("{text:?} is not a time: {error}"))?;
        Ok(Self(at.as_millisecond()))
    }
}

impl Serialize for Instant {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(std::str::from_utf8(&self.text()).unwrap_or_default())
    }
}

impl<'de> Deserialize<'de> for Instant {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = std::borrow::Cow::<'de, str>::deserialize(deserializer)?;
        text.parse().map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn prints_milliseconds_and_reads_itself_back() {
        let at = Instant(1_795_262_400_123);
        assert_eq!(at.to_string(), "2026-11-21T12:00:00.123Z");
        assert_eq!(at.to_string().parse(), Ok(at));
        assert_eq!(Instant(0).to_string(), "1970-01-01T00:00:00.000Z");
    }

    proptest::proptest! {
        #[test]
        fn prints_what_a_calendar_library_prints(ms in 0i64..253_402_300_799_000) {
            let library = jiff::Timestamp::from_millisecond(ms).unwrap();
            proptest::prop_assert_eq!(Instant(ms).to_string(), format!("{library:.3}"));
        }
    }
}
