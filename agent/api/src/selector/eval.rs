//! Evaluation: a checked tree against one connection. Pure; allocates nothing (a regular expression keeps its
//! own scratch space, made at its first use in a thread).

use std::borrow::Borrow;
use std::net::SocketAddr;

use super::ast::{Check, Compare, Expr, Finite, Key, Rule, Test};
use super::field::Field;
use super::value::Value;

/// Something a selector can be asked about: a live connection, a row of the history.
pub trait Subject {
    /// The field's value now, in the variant its [`Kind`](super::Kind) names. [`Field::Tag`] is never asked
    /// for here.
    fn value(&self, field: Field) -> Value<'_>;

    /// The value of the tag of this key.
    fn tag(&self, key: &str) -> Option<&str>;
}

impl Expr {
    pub(super) fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        match self {
            Expr::All(parts) => parts.iter().all(|part| part.matches(subject)),
            Expr::Any(parts) => parts.iter().any(|part| part.matches(subject)),
            Expr::Not(inner) => !inner.matches(subject),
            Expr::Test(test) => test.matches(subject),
        }
    }
}

impl Test {
    fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        let value = match &self.key {
            Key::Field(field) => subject.value(*field),
            Key::Tag(key) => subject.tag(key).map_or(Value::Missing, Value::Text),
        };
        self.check.holds(value) != self.negated
    }
}

impl Check {
    fn holds(&self, value: Value<'_>) -> bool {
        match (self, value) {
            (Check::Null, value) => value == Value::Missing,
            (Check::Whole(rule), Value::Int(value) | Value::Duration(value) | Value::Size(value)) => {
                rule.holds(&value)
            }
            (Check::Float(rule), Value::Float(value)) => !value.is_nan() && rule.holds(&Finite(value)),
            (Check::Time(rule), Value::Time(value)) => rule.holds(&value),
            (Check::Bool(wanted), Value::Bool(value)) => *wanted == value,
            (Check::Text(rule), Value::Text(value)) => rule.holds(value),
            (Check::Like(pattern), Value::Text(value)) => pattern.0.is_match(value),
            (Check::Ip(rule), Value::Ip(value)) => rule.holds(&value.to_canonical()),
            (Check::Nets(set, nets), Value::Ip(value)) => {
                let value = value.to_canonical();
                set.contains(&value) || nets.iter().any(|net| net.contains(&value))
            }
            (Check::Address(rule), Value::Address(value)) => rule.holds(&canonical(value)),
            _ => false,
        }
    }
}

impl<T: Ord> Rule<T> {
    fn holds<Q: Ord + ?Sized>(&self, value: &Q) -> bool
    where
        T: Borrow<Q>,
    {
        match self {
            Rule::Is(Compare::Equal, wanted) => value == wanted.borrow(),
            Rule::Is(Compare::Less, bound) => value < bound.borrow(),
            Rule::Is(Compare::AtMost, bound) => value <= bound.borrow(),
            Rule::Is(Compare::Greater, bound) => value > bound.borrow(),
            Rule::Is(Compare::AtLeast, bound) => value >= bound.borrow(),
            Rule::In(set) => set.contains(value),
        }
    }
}

/// One form for one address: IPv4 where it is IPv4, without IPv6's flow and scope.
pub(super) fn canonical(address: SocketAddr) -> SocketAddr {
    SocketAddr::new(address.ip().to_canonical(), address.port())
}
