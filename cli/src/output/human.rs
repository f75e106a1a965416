//! Numbers and text as people read them. Everything appends, so that a long table does not allocate.

use std::fmt::Write as _;

/// Milliseconds in two units at most: `310ms`, `4.2s`, `3m12s`, `2h05m`, `3d04h`.
pub(crate) fn duration(ms: u64, out: &mut String) {
    let seconds = ms / 1_000;
    // Writing to a String cannot fail.
    let _ = match seconds {
        0 => write!(out, "{ms}ms"),
        1..=9 => write!(out, "{seconds}.{}s", ms % 1_000 / 100),
        10..=59 => write!(out, "{seconds}s"),
        60..=3_599 => write!(out, "{}m{:02}s", seconds / 60, seconds % 60),
        3_600..=86_399 => write!(out, "{}h{:02}m", seconds / 3_600, seconds / 60 % 60),
        _ => write!(out, "{}d{:02}h", seconds / 86_400, seconds / 3_600 % 24),
    };
}

/// Bytes in the unit that leaves at most four digits: `0 B`, `812 B`, `1.2 MiB`.
pub(crate) fn size(bytes: u64, out: &mut String) {
    if bytes < 1_024 {
        let _ = write!(out, "{bytes} B");
        return;
    }
    let mut tenths = u128::from(bytes) * 10 / 1_024;
    let mut units = ["KiB", "MiB", "GiB", "TiB", "PiB", "EiB"].into_iter();
    let mut unit = units.next().unwrap_or_default();
    for larger in units {
        if tenths < 10_240 {
            break;
        }
        tenths /= 1_024;
        unit = larger;
    }
    let _ = write!(out, "{}.{} {unit}", tenths / 10, tenths % 10);
}

/// Text from outside, for a terminal: nothing in it moves the cursor or changes a colour.
pub(crate) fn clean(text: &str, out: &mut String) {
    if text.bytes().all(|byte| (b' '..0x7f).contains(&byte)) {
        out.push_str(text);
        return;
    }
    for c in text.chars() {
        if c.is_control() || is_direction(c) { out.extend(c.escape_unicode()) } else { out.push(c) }
    }
}

/// Characters that change the direction of what follows.
const fn is_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// `1 user`, `2 users`.
pub(crate) fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

#[cfg(test)]
mod tests {
    fn of(f: impl Fn(u64, &mut String), value: u64) -> String {
        let mut out = String::new();
        f(value, &mut out);
        out
    }

    #[test]
    fn durations_have_two_units_at_most() {
        for (ms, text) in [
            (0, "0ms"),
            (310, "310ms"),
            (4_250, "4.2s"),
            (59_999, "59s"),
            (192_000, "3m12s"),
            (7_500_000, "2h05m"),
            (273_600_000, "3d04h"),
        ] {
            assert_eq!(of(super::duration, ms), text);
        }
    }

    #[test]
    fn sizes_have_one_decimal_from_a_kibibyte_on() {
        for (bytes, text) in [
            (0, "0 B"),
            (812, "812 B"),
            (1_023, "1023 B"),
            (1_024, "1.0 KiB"),
            (40_960, "40.0 KiB"),
            (1_258_291, "1.1 MiB"),
            (1_258_292, "1.2 MiB"),
            (u64::MAX, "15.9 EiB"),
        ] {
            assert_eq!(of(super::size, bytes), text);
        }
    }

    #[test]
    fn text_from_outside_cannot_drive_the_terminal() {
        let mut out = String::new();
        super::clean("a\x1b[2Jé\n\u{202e}", &mut out);
        assert_eq!(out, "a\\u{1b}[2Jé\\u{a}\\u{202e}");
    }
}
