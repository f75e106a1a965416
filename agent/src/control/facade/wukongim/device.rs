//! Kinds of devices: a label here, a number there.

/// The number of phones, and of whatever is not known to be something else.
const APP: i64 = 0;
/// The number of browsers.
const WEB: i64 = 1;
/// The number of desktops.
const PC: i64 = 2;
/// In a request: all of them.
pub(super) const ALL: i64 = -1;

/// The number of a label: one of the system's three words, or the number itself.
pub(super) fn flag(device: Option<&str>) -> i64 {
    match device.map(str::to_ascii_lowercase).as_deref() {
        Some("web") => WEB,
        Some("pc") => PC,
        Some(other) => other.parse().unwrap_or(APP),
        None => APP,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn labels_have_numbers() {
        for (label, number) in
            [(None, 0), (Some("app"), 0), (Some("Web"), 1), (Some("PC"), 2), (Some("3"), 3), (Some("tv"), 0)]
        {
            assert_eq!(flag(label), number, "{label:?}");
        }
    }
}
