//! One literal as a value of its field's type. Every refusal names the field and the value.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use ipnet::{IpNet, Ipv4Net};
use jiff::Timestamp;
use regex::{Regex, RegexBuilder};

use super::ast::Finite;
use super::error::{SelectorError, shown};
use super::eval::canonical;
use super::field::{Field, Kind};
use super::suggest::nearest;
use super::syntax::Literal;
use crate::id::MAX_ID;
use crate::units::{self, UnitError};

/// The most memory a compiled regular expression may take; ordinary ones take some kilobytes.
pub(super) const PATTERN_BYTES: usize = 1 << 20;

type Bound<T> = Result<T, SelectorError>;

fn refuse(field: Field, literal: &Literal<'_>, problem: &str) -> SelectorError {
    let message = format!("{field}: {} {problem}", shown(&literal.text));
    SelectorError::new(literal.span, message).expected(field.kind().expected())
}

fn refuse_unit(field: Field, literal: &Literal<'_>, error: &UnitError) -> SelectorError {
    refuse(field, literal, error.problem)
}

/// Text, or one of the words of an enumeration.
pub(super) fn text(field: Field, literal: &Literal<'_>) -> Bound<String> {
    match field.kind() {
        Kind::Enum(words) if !words.contains(&&*literal.text) => {
            let near = nearest(&literal.text, words.iter().copied());
            Err(refuse(field, literal, "is not one of its words").suggest(near))
        }
        _ => Ok(literal.text.clone().into_owned()),
    }
}

/// An integer, a duration in microseconds, or a size in bytes.
pub(super) fn whole(field: Field, literal: &Literal<'_>) -> Bound<u64> {
    let unit = |error: UnitError| refuse_unit(field, literal, &error);
    match field.kind() {
        Kind::Duration => units::parse_micros(&literal.text).map_err(unit),
        Kind::Size => units::parse_size(&literal.text).map_err(unit),
        Kind::Id => integer(field, literal, 1, MAX_ID),
        Kind::Port => integer(field, literal, 0, u64::from(u16::MAX)),
        _ => integer(field, literal, 0, u64::MAX),
    }
}

/// An integer to compare an id with, which need not be one: `conn_id > 0`.
pub(super) fn any_whole(field: Field, literal: &Literal<'_>) -> Bound<u64> {
    integer(field, literal, 0, u64::MAX)
}

fn integer(field: Field, literal: &Literal<'_>, least: u64, most: u64) -> Bound<u64> {
    let text = &*literal.text;
    let is_digits = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    if text.strip_prefix('-').is_some_and(is_digits) {
        return Err(refuse(field, literal, "is negative"));
    }
    if !is_digits(text) {
        return Err(refuse(field, literal, "is not an integer"));
    }
    match text.parse() {
        Ok(value) if value < least => Err(refuse(field, literal, "is too small")),
        Ok(value) if value <= most => Ok(value),
        _ => Err(refuse(field, literal, "is too large")),
    }
}

/// A percentage, or bytes per second.
pub(super) fn float(field: Field, literal: &Literal<'_>) -> Bound<Finite> {
    let read = match field.kind() {
        Kind::Percent => units::parse_percent,
        _ => units::parse_byte_rate,
    };
    read(&literal.text).map(Finite).map_err(|error| refuse_unit(field, literal, &error))
}

/// An instant in Unix milliseconds.
pub(super) fn time(field: Field, literal: &Literal<'_>) -> Bound<i64> {
    match literal.text.parse::<Timestamp>() {
        Ok(time) => Ok(time.as_millisecond()),
        Err(_) => Err(refuse(field, literal, "is not a time with its zone (RFC 3339)")),
    }
}

pub(super) fn boolean(field: Field, literal: &Literal<'_>) -> Bound<bool> {
    match &*literal.text {
        "true" => Ok(true),
        "false" => Ok(false),
        other => Err(refuse(field, literal, "is not a boolean").suggest(nearest(other, ["true", "false"]))),
    }
}

/// One address, canonical.
pub(super) fn ip(field: Field, literal: &Literal<'_>) -> Bound<IpAddr> {
    let text = &*literal.text;
    text.parse::<IpAddr>().map(|ip| ip.to_canonical()).map_err(|_| {
        let error = refuse(field, literal, "is not an IP address");
        match text.parse::<IpNet>() {
            Ok(_) => refuse(field, literal, "is a network").suggest(Some(format!("{field} in {text}"))),
            Err(_) if text.parse::<SocketAddr>().is_ok() => error.suggest(Some("client, which has the port")),
            Err(_) => error,
        }
    })
}

/// One network, without host bits; IPv4 in IPv6 clothes becomes IPv4.
pub(super) fn net(field: Field, literal: &Literal<'_>) -> Bound<IpNet> {
    let net = literal.text.parse::<IpNet>().map_err(|_| {
        refuse(field, literal, "is not a network").expected("a network such as 10.0.0.0/8 or 2001:db8::/32")
    })?;
    Ok(canonical_net(net.trunc()))
}

/// The number of bits before the IPv4 address in a mapped one.
const MAPPED_PREFIX: u8 = 96;

fn canonical_net(net: IpNet) -> IpNet {
    let IpNet::V6(v6) = net else { return net };
    let mapped: Option<Ipv4Addr> = v6.addr().to_ipv4_mapped();
    let prefix = v6.prefix_len().checked_sub(MAPPED_PREFIX);
    match (mapped, prefix) {
        (Some(ip), Some(prefix)) => Ipv4Net::new(ip, prefix).map_or(net, IpNet::V4),
        _ => net,
    }
}

/// An address and a port, canonical.
pub(super) fn address(field: Field, literal: &Literal<'_>) -> Bound<SocketAddr> {
    literal.text.parse::<SocketAddr>().map(canonical).map_err(|_| {
        let error = refuse(field, literal, "is not an address and a port");
        let ip_field = match field {
            Field::Client => "ip",
            Field::Local => "local_ip",
            _ => "upstream_ip",
        };
        match literal.text.parse::<IpAddr>() {
            Ok(ip) => error.suggest(Some(format!("{ip_field} = {ip}"))),
            Err(_) if literal.text.parse::<IpNet>().is_ok() => {
                error.suggest(Some(format!("{ip_field} in {}", literal.text)))
            }
            Err(_) => error,
        }
    })
}

/// A regular expression, bounded in memory.
pub(super) fn pattern(field: Field, literal: &Literal<'_>) -> Bound<Regex> {
    let text = &*literal.text;
    let between_slashes = text.strip_prefix('/').and_then(|rest| rest.strip_suffix('/'));
    if let (false, Some(inner)) = (literal.is_quoted, between_slashes) {
        let error =
            refuse(field, literal, "stands between slashes").expected("a regular expression in quotes");
        return Err(error.suggest(Some(super::lex::quote(inner))));
    }
    let built = RegexBuilder::new(text).size_limit(PATTERN_BYTES).dfa_size_limit(PATTERN_BYTES).build();
    built.map_err(|error| {
        let problem = match &error {
            regex::Error::CompiledTooBig(_) => "takes too much memory as a regular expression".to_owned(),
            // The library's message draws the pattern over several lines; the last one says what is wrong.
            other => {
                let said = other.to_string();
                let last = said.lines().last().unwrap_or_default();
                format!("is not a regular expression: {}", last.trim_start_matches("error: "))
            }
        };
        refuse(field, literal, &problem).expected("a regular expression such as \"^u[0-9]+$\"")
    })
}

#[cfg(test)]
mod tests {
    use crate::selector::Selector;

    fn said(text: &str) -> String {
        Selector::parse(text).unwrap_err().to_string()
    }

    #[test]
    fn literals_are_refused_by_field_value_and_column() {
        for (text, part) in [
            ("idle > 10", "idle: \"10\" has no unit at column 8, expected a duration"),
            ("idle > -10s", "idle: \"-10s\" is negative"),
            ("idle > nan", "idle: \"nan\" is not a finite number"),
            ("age > 999999999999999999d", "is too large"),
            ("bytes > 10M", "counts in 1000s (KB, MB) or 1024s"),
            ("to_client_rate > 1MiB/h", "to_client_rate: \"1MiB/h\" has an unknown unit"),
            ("idle_percent > 120%", "is more than 100%"),
            ("port = 70000", "port: \"70000\" is too large at column 8, expected a port from 0 to 65535"),
            ("port = -1", "is negative"),
            ("port = http", "is not an integer"),
            ("conn_id = 0", "is too small"),
            ("conn_id = 9007199254740992", "is too large"),
            ("thread = 18446744073709551616", "is too large"),
            ("state = actve", "did you mean active?"),
            ("state in (active, PAUSED)", "did you mean paused?"),
            ("ip = 10.0.0.0/8", "ip: \"10.0.0.0/8\" is a network"),
            ("ip = 10.0.0.0/8", "did you mean ip in 10.0.0.0/8?"),
            ("ip in 10.0.0.0/33", "is not a network"),
            ("ip = localhost", "is not an IP address"),
            ("ip = 10.0.0.1:80", "did you mean client"),
            ("ip in 10.0.0.9..10.0.0.1", "is empty"),
            ("ip in 10.0.0.9..::1", "mixes IPv4 and IPv6"),
            ("client = 10.0.0.1", "did you mean ip = 10.0.0.1?"),
            ("upstream in (10.0.0.0/8)", "did you mean upstream_ip in 10.0.0.0/8?"),
            ("opened_at > yesterday", "is not a time with its zone"),
            ("identified = yes", "expected true or false"),
            ("uid ~ \"a(\"", "unclosed group"),
            ("uid ~ \"\\w{5000}\"", "takes too much memory"),
            ("uid ~ /abc/", "did you mean \"abc\"?"),
            ("uid > a", "uid is of type text, which > does not compare at column 5, expected = !="),
            ("ip ~ \"10\"", "ip is of type ip, which ~ does not compare"),
            ("identified in (true)", "which in does not compare"),
            ("uid in a..b", "which has no ranges"),
            ("port in 5..1", "port: the range 5..1 is empty"),
            ("idle > null", "null stands after >"),
            ("uid in (a, null)", "null stands after in"),
            ("tag. = a", "did you mean tag.KEY?"),
            ("Idle > 10m", "did you mean idle?"),
        ] {
            let message = said(text);
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn regular_expressions_are_counted() {
        let many = |count| vec!["uid ~ a"; count].join(" or ");
        assert!(Selector::parse(&many(32)).is_ok());
        assert!(said(&many(33)).contains("too many regular expressions"));
    }
}
