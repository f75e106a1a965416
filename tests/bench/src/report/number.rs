//! Numbers that are read by people.

/// Four digits at most behind which nothing is known anyway; whole numbers from a thousand on.
pub(super) fn short(value: f64) -> String {
    let digits = match value.abs() {
        v if v >= 100.0 => 0,
        v if v >= 10.0 => 1,
        v if v >= 1.0 || v == 0.0 => 2,
        _ => 3,
    };
    if value == 0.0 { "0".to_owned() } else { format!("{value:.digits$}") }
}

#[cfg(test)]
mod tests {
    use super::short;

    #[test]
    fn few_digits() {
        let shown = [0.0, 0.0654, 1.234, 19.68, 356.7, 12345.6].map(short);
        assert_eq!(shown, ["0", "0.065", "1.23", "19.7", "357", "12346"]);
    }
}
