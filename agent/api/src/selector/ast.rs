//! The checked tree: every name a field, every literal a typed value. Prints back as text that parses to the
//! same tree.

use std::borrow::Borrow;
use std::cmp::Ordering;
use std::fmt;
use std::net::{IpAddr, SocketAddr};

use ipnet::IpNet;
use jiff::Timestamp;
use regex::Regex;

use super::field::{Field, Kind, TAG_PREFIX};
use super::lex::quote;
use crate::units;

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Expr {
    /// At least two, none of them an `All`.
    All(Vec<Expr>),
    /// At least two, none of them an `Any`.
    Any(Vec<Expr>),
    Not(Box<Expr>),
    Test(Test),
}

/// One comparison.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Test {
    pub(super) key: Key,
    /// `!=`, `!~`, `not in`: exactly the opposite of the check.
    pub(super) negated: bool,
    pub(super) check: Check,
}

/// What is looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Key {
    /// Any field but [`Field::Tag`].
    Field(Field),
    /// The tag of this key.
    Tag(String),
}

/// What must hold for its value.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Check {
    Null,
    Bool(bool),
    /// Integers, durations in microseconds, sizes in bytes.
    Whole(Rule<u64>),
    Float(Rule<Finite>),
    /// Unix milliseconds.
    Time(Rule<i64>),
    Text(Rule<String>),
    Like(Pattern),
    /// Canonical addresses: never an IPv4 address in IPv6 clothes.
    Ip(Rule<IpAddr>),
    /// Addresses, ranges and networks; at least one network.
    Nets(Set<IpAddr>, Vec<IpNet>),
    Address(Rule<SocketAddr>),
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Rule<T> {
    Is(Compare, T),
    In(Set<T>),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Compare {
    Equal,
    Less,
    AtMost,
    Greater,
    AtLeast,
}

/// Values and ranges, sorted so that a long list costs little.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Set<T> {
    pub(super) values: Vec<T>,
    /// Both ends belong to it.
    pub(super) ranges: Vec<(T, T)>,
}

/// A float that is a number, and therefore has an order.
#[derive(Debug, Clone, Copy)]
pub(super) struct Finite(pub(super) f64);

/// A regular expression, equal to another one if its text is.
#[derive(Debug, Clone)]
pub(super) struct Pattern(pub(super) Regex);

impl Expr {
    /// The conjunction, flat.
    pub(super) fn all_of(parts: Vec<Expr>) -> Expr {
        let flat = |part| match part {
            Expr::All(nested) => nested,
            part => vec![part],
        };
        Expr::All(parts.into_iter().flat_map(flat).collect())
    }

    /// The disjunction of several, flat as a parsed one is.
    pub(super) fn any_of(parts: Vec<Expr>) -> Expr {
        let flat = |part| match part {
            Expr::Any(nested) => nested,
            part => vec![part],
        };
        Expr::Any(parts.into_iter().flat_map(flat).collect())
    }

    pub(super) fn needs_kernel(&self) -> bool {
        match self {
            Expr::All(parts) | Expr::Any(parts) => parts.iter().any(Expr::needs_kernel),
            Expr::Not(inner) => inner.needs_kernel(),
            Expr::Test(test) => test.key.field().info().needs_kernel,
        }
    }
}

impl Key {
    pub(super) fn field(&self) -> Field {
        match self {
            Key::Field(field) => *field,
            Key::Tag(_) => Field::Tag,
        }
    }
}

impl<T: Ord> Set<T> {
    pub(super) fn new(mut values: Vec<T>, mut ranges: Vec<(T, T)>) -> Self {
        values.sort_unstable();
        values.dedup();
        ranges.sort_unstable();
        ranges.dedup();
        Self { values, ranges }
    }

    pub(super) fn contains<Q: Ord + ?Sized>(&self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        self.values.binary_search_by(|known| known.borrow().cmp(value)).is_ok()
            || self.ranges.iter().any(|(from, to)| from.borrow() <= value && value <= to.borrow())
    }
}

impl PartialEq for Finite {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}

impl Eq for Finite {}

impl PartialOrd for Finite {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Finite {
    fn cmp(&self, other: &Self) -> Ordering {
        self.0.total_cmp(&other.0)
    }
}

impl PartialEq for Pattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl fmt::Display for Expr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Expr::All(parts) => join(f, parts, " and ", |part| matches!(part, Expr::Any(_))),
            Expr::Any(parts) => join(f, parts, " or ", |_| false),
            Expr::Not(inner) => match **inner {
                Expr::All(_) | Expr::Any(_) => write!(f, "not ({inner})"),
                Expr::Not(_) | Expr::Test(_) => write!(f, "not {inner}"),
            },
            Expr::Test(test) => write!(f, "{test}"),
        }
    }
}

fn join(
    f: &mut fmt::Formatter<'_>,
    parts: &[Expr],
    between: &str,
    needs_parentheses: fn(&Expr) -> bool,
) -> fmt::Result {
    for (place, part) in parts.iter().enumerate() {
        if place > 0 {
            f.write_str(between)?;
        }
        if needs_parentheses(part) { write!(f, "({part})")? } else { write!(f, "{part}")? }
    }
    Ok(())
}

impl fmt::Display for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let is_plain = |key: &str| key.chars().all(|c| c.is_ascii_alphanumeric() || c == '_' || c == '-');
        match self {
            Key::Field(field) => f.write_str(field.name()),
            Key::Tag(key) if is_plain(key) => write!(f, "{TAG_PREFIX}{key}"),
            Key::Tag(key) => write!(f, "{TAG_PREFIX}{}", quote(key)),
        }
    }
}

impl fmt::Display for Test {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = self.key.field().kind();
        write!(f, "{} ", self.key)?;
        match &self.check {
            Check::Null => self.one(f, Compare::Equal, "null"),
            Check::Bool(value) => self.one(f, Compare::Equal, value),
            Check::Whole(rule) => self.rule(f, rule, |value| whole(kind, *value)),
            Check::Float(rule) => self.rule(f, rule, |value| float(kind, value.0)),
            Check::Time(rule) => self.rule(f, rule, |value| time(*value)),
            Check::Text(rule) => self.rule(f, rule, |value| quote(value)),
            Check::Like(pattern) => {
                write!(f, "{} {}", if self.negated { "!~" } else { "~" }, quote(pattern.0.as_str()))
            }
            Check::Ip(rule) => self.rule(f, rule, IpAddr::to_string),
            Check::Nets(set, nets) => self.list(f, set, nets, IpAddr::to_string),
            Check::Address(rule) => self.rule(f, rule, SocketAddr::to_string),
        }
    }
}

impl Test {
    fn one(&self, f: &mut fmt::Formatter<'_>, compare: Compare, value: impl fmt::Display) -> fmt::Result {
        let op = match compare {
            Compare::Equal if self.negated => "!=",
            Compare::Equal => "=",
            Compare::Less => "<",
            Compare::AtMost => "<=",
            Compare::Greater => ">",
            Compare::AtLeast => ">=",
        };
        write!(f, "{op} {value}")
    }

    fn rule<T>(
        &self,
        f: &mut fmt::Formatter<'_>,
        rule: &Rule<T>,
        print: impl Fn(&T) -> String,
    ) -> fmt::Result {
        match rule {
            Rule::Is(compare, value) => self.one(f, *compare, print(value)),
            Rule::In(set) => self.list(f, set, &[], print),
        }
    }

    fn list<T>(
        &self,
        f: &mut fmt::Formatter<'_>,
        set: &Set<T>,
        nets: &[IpNet],
        print: impl Fn(&T) -> String,
    ) -> fmt::Result {
        let mut items: Vec<String> = set.values.iter().map(&print).collect();
        items.extend(nets.iter().map(IpNet::to_string));
        items.extend(set.ranges.iter().map(|(from, to)| format!("{}..{}", print(from), print(to))));
        f.write_str(if self.negated { "not in " } else { "in " })?;
        // A lone network or range reads better bare.
        match items.as_slice() {
            [only] if set.values.is_empty() => f.write_str(only),
            items => write!(f, "({})", items.join(", ")),
        }
    }
}

fn whole(kind: Kind, value: u64) -> String {
    match kind {
        Kind::Duration => units::format_micros(value),
        Kind::Size => units::format_size(value),
        _ => value.to_string(),
    }
}

fn float(kind: Kind, value: f64) -> String {
    match kind {
        Kind::Percent => units::format_percent(value),
        _ => units::format_byte_rate(value),
    }
}

fn time(millis: i64) -> String {
    // Every checked time came from a timestamp, so the second arm is never printed.
    Timestamp::from_millisecond(millis).map_or_else(|_| millis.to_string(), |time| time.to_string())
}
