//! The shape of a selector before its names and literals are checked. Everything keeps its place.

use std::borrow::Cow;

use super::error::Span;

/// What [`parse`](super::parse) reads and [`bind`](super::bind) checks.
#[derive(Debug, Clone, PartialEq)]
pub(super) enum Syntax<'a> {
    /// At least two, none of them an `All`.
    All(Vec<Syntax<'a>>),
    /// At least two, none of them an `Any`.
    Any(Vec<Syntax<'a>>),
    Not(Box<Syntax<'a>>),
    Test(Test<'a>),
}

/// `field operator operand`.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Test<'a> {
    pub(super) name: Name<'a>,
    pub(super) op: Op,
    pub(super) op_span: Span,
    /// `!=`, `!~`, `not in`: exactly the opposite of the operator.
    pub(super) negated: bool,
    /// One item, unless the operator is [`Op::In`].
    pub(super) items: Vec<Item<'a>>,
}

/// A field's name as typed; a quoted tag key is already part of it.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Name<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) span: Span,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Op {
    Equal,
    Less,
    AtMost,
    Greater,
    AtLeast,
    In,
    Like,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum Item<'a> {
    One(Literal<'a>),
    /// Both ends belong to it.
    Range(Literal<'a>, Literal<'a>),
}

/// A value as typed. Its type depends on the field it is compared with.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Literal<'a> {
    pub(super) text: Cow<'a, str>,
    pub(super) is_quoted: bool,
    pub(super) span: Span,
}

impl Literal<'_> {
    /// The word `null`, which stands for a missing value. In quotes it is text.
    pub(super) fn is_null(&self) -> bool {
        !self.is_quoted && self.text.eq_ignore_ascii_case("null")
    }
}

impl Op {
    /// As typed.
    pub(super) fn spelling(self) -> &'static str {
        match self {
            Self::Equal => "=",
            Self::Less => "<",
            Self::AtMost => "<=",
            Self::Greater => ">",
            Self::AtLeast => ">=",
            Self::In => "in",
            Self::Like => "~",
        }
    }
}
