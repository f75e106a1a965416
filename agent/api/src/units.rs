//! Quantities as people type them: `1h30m`, `4KiB`, `20%`, `1MiB/s`, `50/s`. Each is parsed exactly or
//! refused with its value named, and each prints back to text that parses to the same quantity.
//!
//! Nothing here reads a clock or rounds silently: what cannot be held is an error.

use std::fmt::Write as _;
use std::time::Duration;

/// What a duration may look like, for messages and help.
pub const DURATION_FORM: &str = "a duration such as 500us, 200ms, 10s, 10m, 1h30m or 2d";
/// What a size may look like, for messages and help.
pub const SIZE_FORM: &str = "a size such as 10, 4KiB, 1MB or 10MiB";
/// What bytes per second may look like, for messages and help.
pub const BYTE_RATE_FORM: &str = "bytes per second such as 500, 64KiB/s or 1MiB/s";
/// What a percentage may look like, for messages and help.
pub const PERCENT_FORM: &str = "a percentage from 0% to 100%, such as 20%";
/// What a pace may look like, for messages and help.
const RATE_FORM: &str = "a rate such as 50/s, 3000/m or 100/h";

/// A quantity that was refused. Reads as `duration "10x" has an unknown unit, expected ...`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{kind} {value:?} {problem}, expected {expected}")]
pub struct UnitError {
    /// What was being read: `duration`, `size`, `rate` or `percentage`.
    pub kind: &'static str,
    /// The text as typed, shortened if it is very long.
    pub value: String,
    /// What is wrong with it, as the end of a sentence: `is negative`.
    pub problem: &'static str,
    /// What would have been right.
    pub expected: &'static str,
}

/// Names, in descending order, with their length in microseconds. The first name of a length is printed.
const DURATIONS: &[(&str, u64)] = &[
    ("d", 86_400_000_000),
    ("h", 3_600_000_000),
    ("m", 60_000_000),
    ("s", 1_000_000),
    ("ms", 1_000),
    ("us", 1),
    ("µs", 1),
    ("μs", 1),
];

/// Names, lower-case, with their number of bytes.
const SIZES: &[(&str, u64)] = &[
    ("", 1),
    ("b", 1),
    ("kb", 1_000),
    ("mb", 1_000_000),
    ("gb", 1_000_000_000),
    ("tb", 1_000_000_000_000),
    ("kib", 1 << 10),
    ("mib", 1 << 20),
    ("gib", 1 << 30),
    ("tib", 1 << 40),
];

/// The units a size is printed in, in descending order.
const PRINTED_SIZES: &[(&str, u64)] =
    &[("TiB", 1 << 40), ("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];

/// Reads a duration such as `1h30m` or `1.5s` as microseconds. `0` needs no unit.
pub fn parse_micros(text: &str) -> Result<u64, UnitError> {
    let fail = |problem| UnitError::new("duration", text, problem, DURATION_FORM);
    refuse_no_number(text).map_err(fail)?;
    if text == "0" {
        return Ok(0);
    }
    let (mut total, mut rest, mut smallest) = (0_u64, text, u64::MAX);
    while !rest.is_empty() {
        let (number, after) = split_number(rest).map_err(fail)?;
        let name_len = after.find(|c: char| c.is_ascii_digit()).unwrap_or(after.len());
        let (name, after) = after.split_at(name_len);
        let scale = match DURATIONS.iter().find(|(known, _)| *known == name) {
            Some((_, scale)) => *scale,
            None if name.is_empty() => return Err(fail("has no unit")),
            None if name == "ns" => return Err(fail("is finer than a microsecond")),
            None => return Err(fail("has an unknown unit")),
        };
        if scale >= smallest {
            return Err(fail("does not go from large units to small ones"));
        }
        smallest = scale;
        let part = number.times(scale, "is finer than a microsecond").map_err(fail)?;
        total = total.checked_add(part).ok_or_else(|| fail("is too large"))?;
        rest = after;
    }
    Ok(total)
}

/// Prints microseconds as the shortest exact text, `1h30m`; zero is `0s`.
pub fn format_micros(micros: u64) -> String {
    if micros == 0 {
        return "0s".to_owned();
    }
    let (mut out, mut left) = (String::new(), micros);
    for (name, scale) in &DURATIONS[..6] {
        if left >= *scale {
            let _ = write!(out, "{}{name}", left / scale);
            left %= scale;
        }
    }
    out
}

/// Reads a duration such as `10m`; see [`parse_micros`].
pub fn parse_duration(text: &str) -> Result<Duration, UnitError> {
    parse_micros(text).map(Duration::from_micros)
}

/// Prints a duration, cut to whole microseconds (and to 2^64 of them).
pub fn format_duration(duration: Duration) -> String {
    format_micros(u64::try_from(duration.as_micros()).unwrap_or(u64::MAX))
}

/// Reads a size such as `4KiB` (1024s), `4KB` (1000s) or `4096`, in bytes. The case of the unit is free.
pub fn parse_size(text: &str) -> Result<u64, UnitError> {
    let fail = |problem| UnitError::new("size", text, problem, SIZE_FORM);
    refuse_no_number(text).map_err(fail)?;
    let (number, unit) = split_number(text).map_err(fail)?;
    number.times(size_unit(unit).map_err(fail)?, "is not a whole number of bytes").map_err(fail)
}

/// Prints bytes exactly, in the largest binary unit that divides them: `4KiB`, `4097`.
pub fn format_size(bytes: u64) -> String {
    match PRINTED_SIZES.iter().find(|(_, scale)| bytes != 0 && bytes.is_multiple_of(*scale)) {
        Some((name, scale)) => format!("{}{name}", bytes / scale),
        None => bytes.to_string(),
    }
}

/// Reads bytes per second: a size, with or without `/s`. The answer is finite and not negative.
pub fn parse_byte_rate(text: &str) -> Result<f64, UnitError> {
    let fail = |problem| UnitError::new("rate", text, problem, BYTE_RATE_FORM);
    refuse_no_number(text).map_err(fail)?;
    let (number, unit) = split_number(text).map_err(fail)?;
    let unit = unit.strip_suffix("/s").unwrap_or(unit);
    let scale = size_unit(unit).map_err(fail)?;
    number.float_times(scale as f64).map_err(fail)
}

/// Prints bytes per second, `1MiB/s`, `1.5/s`; exact for finite values that are not negative.
pub fn format_byte_rate(rate: f64) -> String {
    let divides = |scale: u64| rate >= scale as f64 && rate % scale as f64 == 0.0;
    match PRINTED_SIZES.iter().find(|(_, scale)| divides(*scale)) {
        Some((name, scale)) => format!("{}{name}/s", rate / *scale as f64),
        None => format!("{rate}/s"),
    }
}

/// Reads a percentage from `0%` to `100%`; the sign is required. `20%` is 20.0.
pub fn parse_percent(text: &str) -> Result<f64, UnitError> {
    let fail = |problem| UnitError::new("percentage", text, problem, PERCENT_FORM);
    refuse_no_number(text).map_err(fail)?;
    let (number, unit) = split_number(text).map_err(fail)?;
    let percent = number.float_times(1.0).map_err(fail)?;
    match unit {
        "%" if percent <= 100.0 => Ok(percent),
        "%" => Err(fail("is more than 100%")),
        "" => Err(fail("has no % sign")),
        _ => Err(fail("has an unknown unit")),
    }
}

/// Prints a percentage, `12.5%`.
pub fn format_percent(percent: f64) -> String {
    format!("{percent}%")
}

/// Reads a pace such as `50/s`, `3000/m` or `100/h` as a count per second.
pub fn parse_rate(text: &str) -> Result<f64, UnitError> {
    let fail = |problem| UnitError::new("rate", text, problem, RATE_FORM);
    refuse_no_number(text).map_err(fail)?;
    let (number, unit) = split_number(text).map_err(fail)?;
    let count = number.float_times(1.0).map_err(fail)?;
    match unit {
        "/s" => Ok(count),
        "/m" => Ok(count / 60.0),
        "/h" => Ok(count / 3600.0),
        "" => Err(fail("does not say per what")),
        _ => Err(fail("has an unknown unit")),
    }
}

/// Prints a pace as a count per second, `50/s`.
pub fn format_rate(per_second: f64) -> String {
    format!("{per_second}/s")
}

/// The longest value an error repeats, in characters.
const SHOWN_CHARS: usize = 60;

impl UnitError {
    fn new(kind: &'static str, text: &str, problem: &'static str, expected: &'static str) -> Self {
        let value = match text.char_indices().nth(SHOWN_CHARS) {
            Some((cut, _)) => format!("{}…", &text[..cut]),
            None => text.to_owned(),
        };
        Self { kind, value, problem, expected }
    }
}

/// Digits before and after the point, kept as text so that no precision is lost before the unit is known.
struct Number<'a> {
    text: &'a str,
    whole: &'a str,
    fraction: &'a str,
}

/// The most decimals an exact quantity may have; keeps the exact arithmetic below within 128 bits.
const MAX_DECIMALS: usize = 15;

impl Number<'_> {
    /// Exactly `self * scale`, or what is wrong with it.
    fn times(&self, scale: u64, inexact: &'static str) -> Result<u64, &'static str> {
        let whole: u64 = self.whole.parse().map_err(|_| "is too large")?;
        let mut total = u128::from(whole) * u128::from(scale);
        if self.fraction.len() > MAX_DECIMALS {
            return Err("has too many decimals");
        }
        if !self.fraction.is_empty() {
            let digits: u64 = self.fraction.parse().map_err(|_| "has too many decimals")?;
            let parts = (0..self.fraction.len()).fold(1_u128, |parts, _| parts * 10);
            let scaled = u128::from(digits) * u128::from(scale);
            if scaled % parts != 0 {
                return Err(inexact);
            }
            total += scaled / parts;
        }
        u64::try_from(total).map_err(|_| "is too large")
    }

    fn float_times(&self, scale: f64) -> Result<f64, &'static str> {
        let value = self.text.parse::<f64>().map_err(|_| "is not a number")? * scale;
        if value.is_finite() { Ok(value) } else { Err("is too large") }
    }
}

/// Refuses what is never the beginning of a quantity, each with its own words.
fn refuse_no_number(text: &str) -> Result<(), &'static str> {
    let is = |name: &str| text.trim_start_matches(['+', '-']).eq_ignore_ascii_case(name);
    if text.is_empty() {
        Err("is empty")
    } else if is("nan") || is("inf") || is("infinity") {
        Err("is not a finite number")
    } else if text.starts_with('-') {
        Err("is negative")
    } else {
        Ok(())
    }
}

/// Splits `1.5MiB` into its number and `MiB`.
fn split_number(text: &str) -> Result<(Number<'_>, &str), &'static str> {
    let digits = |text: &str| text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (whole, mut rest) = text.split_at(digits(text));
    if whole.is_empty() {
        return Err("does not begin with a digit");
    }
    let mut fraction = "";
    if let Some(after) = rest.strip_prefix('.') {
        (fraction, rest) = after.split_at(digits(after));
        if fraction.is_empty() {
            return Err("has no digit after the point");
        }
    }
    let text = &text[..text.len() - rest.len()];
    Ok((Number { text, whole, fraction }, rest))
}

fn size_unit(name: &str) -> Result<u64, &'static str> {
    match SIZES.iter().find(|(known, _)| known.eq_ignore_ascii_case(name)) {
        Some((_, scale)) => Ok(*scale),
        None if matches!(name, "k" | "K" | "m" | "M" | "g" | "G" | "t" | "T") => {
            Err("does not say whether its unit counts in 1000s (KB, MB) or 1024s (KiB, MiB)")
        }
        None => Err("has an unknown unit"),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn problem<T: std::fmt::Debug>(answer: Result<T, UnitError>) -> &'static str {
        answer.unwrap_err().problem
    }

    #[test]
    fn durations_are_read_exactly() {
        for (text, micros) in [
            ("0", 0),
            ("0s", 0),
            ("500us", 500),
            ("500µs", 500),
            ("200ms", 200_000),
            ("1.5s", 1_500_000),
            ("10m", 600_000_000),
            ("1h30m", 5_400_000_000),
            ("2d", 172_800_000_000),
            ("1d1h1m1s1ms1us", 90_061_001_001),
        ] {
            assert_eq!(parse_micros(text), Ok(micros), "{text}");
        }
        assert_eq!(format_micros(5_400_000_000), "1h30m");
        assert_eq!(parse_duration("10s").map(format_duration), Ok("10s".to_owned()));
    }

    #[test]
    fn bad_durations_say_what_is_wrong() {
        for (text, said) in [
            ("", "is empty"),
            ("10", "has no unit"),
            ("-5s", "is negative"),
            ("NaN", "is not a finite number"),
            ("-inf", "is not a finite number"),
            ("5ns", "is finer than a microsecond"),
            ("0.5us", "is finer than a microsecond"),
            ("10x", "has an unknown unit"),
            ("30m1h", "does not go from large units to small ones"),
            ("1s1s", "does not go from large units to small ones"),
            ("99999999999999999999s", "is too large"),
            ("999999999999999999d", "is too large"),
            ("1.s", "has no digit after the point"),
            ("s", "does not begin with a digit"),
        ] {
            assert_eq!(problem(parse_micros(text)), said, "{text}");
        }
        let error = parse_micros("10x").unwrap_err().to_string();
        assert_eq!(error, format!("duration \"10x\" has an unknown unit, expected {DURATION_FORM}"));
    }

    #[test]
    fn sizes_tell_1000_from_1024() {
        for (text, bytes) in [("10", 10), ("4KiB", 4096), ("4kb", 4000), ("1.5MiB", 1_572_864), ("10B", 10)] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        assert_eq!(problem(parse_size("0.3KiB")), "is not a whole number of bytes");
        assert!(problem(parse_size("10M")).starts_with("does not say whether"));
        assert_eq!(problem(parse_size("16777216TiB")), "is too large");
        assert_eq!(problem(parse_size("-1")), "is negative");
    }

    #[test]
    fn rates_and_percentages_are_bounded() {
        assert_eq!(parse_byte_rate("1MiB/s"), Ok(1_048_576.0));
        assert_eq!(parse_byte_rate("1MiB"), Ok(1_048_576.0));
        assert_eq!(problem(parse_byte_rate(&"9".repeat(400))), "is too large");
        assert_eq!(parse_percent("12.5%"), Ok(12.5));
        assert_eq!(problem(parse_percent("101%")), "is more than 100%");
        assert_eq!(problem(parse_percent("20")), "has no % sign");
        assert_eq!(parse_rate("120/m"), Ok(2.0));
        assert_eq!(problem(parse_rate("50")), "does not say per what");
    }

    #[test]
    fn an_error_does_not_repeat_a_whole_novel() {
        let error = parse_size(&"x".repeat(10_000)).unwrap_err();
        assert_eq!(error.value.chars().count(), SHOWN_CHARS + 1);
    }

    proptest! {
        #[test]
        fn printing_is_the_reverse_of_parsing(n in any::<u64>(), f in 0.0..1e18_f64, p in 0.0..=100.0_f64) {
            prop_assert_eq!(parse_micros(&format_micros(n)), Ok(n));
            prop_assert_eq!(parse_size(&format_size(n)), Ok(n));
            prop_assert_eq!(parse_size(&format_size(n & !0xfffff)), Ok(n & !0xfffff));
            prop_assert_eq!(parse_byte_rate(&format_byte_rate(f)), Ok(f));
            prop_assert_eq!(parse_percent(&format_percent(p)), Ok(p));
        }

        #[test]
        fn no_text_panics(text in ".*", near in "[0-9.]{0,25}(us|ms|s|m|h|d|KiB|TiB|%|/s|/m)?") {
            for text in [&text, &near] {
                let _ = (parse_micros(text), parse_size(text), parse_byte_rate(text), parse_percent(text), parse_rate(text));
            }
        }
    }
}
