//! Readers of single values.

use std::str::FromStr;
use std::time::Duration;

use clap::builder::{PossibleValuesParser, TypedValueParser};
use connctl_api::operation::OperationKind;
use connctl_api::units;

/// A duration, `0` too.
pub(crate) fn duration(text: &str) -> Result<Duration, String> {
    units::parse_duration(text).map_err(|error| error.to_string())
}

/// A duration that is not zero.
pub(crate) fn positive_duration(text: &str) -> Result<Duration, String> {
    match duration(text)? {
        Duration::ZERO => Err("it is zero: write a duration such as 10s".to_owned()),
        duration => Ok(duration),
    }
}

/// A whole number.
pub(crate) fn number(text: &str) -> Result<u64, String> {
    text.parse().map_err(|_| "it is not a whole number such as 10".to_owned())
}

/// A percentage, with or without `%`.
pub(crate) fn percent(text: &str) -> Result<f64, String> {
    let number = text.strip_suffix('%').unwrap_or(text);
    match number.parse::<f64>() {
        Ok(percent) if (0.0..=100.0).contains(&percent) => Ok(percent),
        _ => Err("it is not a percentage from 0 to 100, such as 30%".to_owned()),
    }
}

/// A percentage that is not zero.
pub(crate) fn share(text: &str) -> Result<f64, String> {
    percent(text)
        .ok()
        .filter(|percent| *percent > 0.0)
        .ok_or_else(|| "it is not a share: more than 0%, at most 100%, such as 10%".to_owned())
}

/// A rate such as `50/s`; `<` before it says the same.
pub(crate) fn rate(text: &str) -> Result<f64, String> {
    let rate = units::parse_rate(text.trim_start_matches(['<', ' '])).map_err(|error| error.to_string())?;
    if rate > 0.0 { Ok(rate) } else { Err("it is zero: write a rate such as 50/s".to_owned()) }
}

/// A share of failures: `5%` or `failed > 5%`.
pub(crate) fn failures(text: &str) -> Result<f64, String> {
    let number = text.trim().strip_prefix("failed").unwrap_or(text);
    percent(number.trim_start_matches([' ', '>']))
}

/// `KEY=VALUE`.
pub(crate) fn tag(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((key, value)) if !key.is_empty() => Ok((key.to_owned(), value.to_owned())),
        _ => Err("write KEY=VALUE".to_owned()),
    }
}

/// A name: not empty, and without what a terminal or a shell would take for something else.
pub(crate) fn name(text: &str) -> Result<String, String> {
    let is_plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    if text.is_empty() || text.starts_with('-') || !text.bytes().all(is_plain) {
        return Err("write letters, digits, `-`, `_` and `.`".to_owned());
    }
    Ok(text.to_owned())
}

/// A host as a certificate names it: an address, or a name in ASCII, `*.` before it at most.
pub(crate) fn host(text: &str) -> Result<String, String> {
    let is_address = text.parse::<std::net::IpAddr>().is_ok();
    let label = |label: &str| !label.is_empty() && !label.starts_with('-') && name(label).is_ok();
    if is_address || text.strip_prefix("*.").unwrap_or(text).split('.').all(label) {
        return Ok(text.to_owned());
    }
    Err("write a name such as agent.example, or an address".to_owned())
}

/// What `wait --then` does, by its verb.
pub(crate) fn then() -> impl TypedValueParser<Value = OperationKind> {
    PossibleValuesParser::new(["remove", "reset"]).map(|word| match word.as_str() {
        "reset" => OperationKind::Reset,
        _ => OperationKind::Close,
    })
}

/// One of the words of an enum of the API.
pub(crate) fn word<T>(words: impl IntoIterator<Item = &'static str>) -> impl TypedValueParser<Value = T>
where
    T: FromStr<Err = String> + Clone + Send + Sync + 'static,
{
    PossibleValuesParser::new(words).try_map(|word| word.parse())
}

/// The reader of every word of an enum of the API.
macro_rules! word_of {
    ($name:ty) => {
        $crate::args::values::word::<$name>(<$name>::ALL.iter().map(|value| value.word()))
    };
}
pub(crate) use word_of;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_outside_their_range_are_refused() {
        assert_eq!(duration("1m30s"), Ok(Duration::from_secs(90)));
        assert!(positive_duration("0s").is_err() && duration("-1s").is_err() && duration("5").is_err());
        assert_eq!(percent("30%"), Ok(30.0));
        assert_eq!(rate("50/s"), Ok(50.0));
        assert_eq!(rate("< 20/s"), Ok(20.0));
        assert!(rate("0/s").is_err() && rate("50").is_err() && rate("fast").is_err());
        assert_eq!(failures("failed > 5%"), Ok(5.0));
        assert_eq!(failures("5%"), Ok(5.0));
        assert!(failures("failed").is_err() && failures("done > 5%").is_err());
        assert!(share("0%").is_err() && share("10%") == Ok(10.0));
        assert!(percent("101").is_err() && percent("-1").is_err() && percent("NaN").is_err());
        assert_eq!(tag("a=b=c"), Ok(("a".to_owned(), "b=c".to_owned())));
        assert!(tag("=b").is_err() && tag("a").is_err());
    }
}
