//! Numbers and text as people read them. Everything appends, so that a long table does not allocate.

use connctl_api::operation::SideChoice;

/// A number. `write!` would do, and takes several times as long: a listing has many.
pub(crate) fn number(value: u64, out: &mut String) {
    if value >= 10 {
        number(value / 10, out);
    }
    out.push(digit(value % 10));
}

fn digit(value: u64) -> char {
    u32::try_from(value).ok().and_then(|value| char::from_digit(value, 10)).unwrap_or('?')
}

/// Milliseconds in two units at most: `310ms`, `4.2s`, `3m12s`, `2h05m`, `3d04h`.
pub(crate) fn duration(ms: u64, out: &mut String) {
    let seconds = ms / 1_000;
    let (first, unit, second, end) = match seconds {
        0 => return unit_of(ms, "ms", out),
        1..=9 => {
            number(seconds, out);
            out.push('.');
            return unit_of(ms % 1_000 / 100, "s", out);
        }
        10..=59 => return unit_of(seconds, "s", out),
        60..=3_599 => (seconds / 60, "m", seconds % 60, "s"),
        3_600..=86_399 => (seconds / 3_600, "h", seconds / 60 % 60, "m"),
        _ => (seconds / 86_400, "d", seconds / 3_600 % 24, "h"),
    };
    unit_of(first, unit, out);
    if second < 10 {
        out.push('0');
    }
    unit_of(second, end, out);
}

fn unit_of(value: u64, unit: &str, out: &mut String) {
    number(value, out);
    out.push_str(unit);
}

/// Bytes in the unit that leaves at most four digits: `0 B`, `812 B`, `1.2 MiB`.
pub(crate) fn size(bytes: u64, out: &mut String) {
    if bytes < 1_024 {
        return unit_of(bytes, " B", out);
    }
    let units = [(60, "EiB"), (50, "PiB"), (40, "TiB"), (30, "GiB"), (20, "MiB")];
    let (power, unit) = units.into_iter().find(|(power, _)| bytes >> power > 0).unwrap_or((10, "KiB"));
    // What is over a whole unit, in tenths of it: less than a unit, and ten of the largest fit in 64 bits.
    let over = bytes & ((1 << power) - 1);
    number(bytes >> power, out);
    out.push('.');
    number((over * 10) >> power, out);
    out.push(' ');
    out.push_str(unit);
}

/// The sides of an operation.
pub(crate) fn sides(choice: SideChoice) -> String {
    match choice {
        SideChoice::Both => "both sides".to_owned(),
        one => format!("{one} side"),
    }
}

/// Text from outside, for a terminal: nothing in it moves the cursor or changes a colour.
pub(crate) fn clean(text: &str, out: &mut String) {
    if text.bytes().all(|byte| matches!(byte, b' '..0x7f)) {
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
