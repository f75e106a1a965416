//! The selector language: which connections a query or an operation is about.
//!
//! One language for every verb and every route. Text is split (`lex`), its shape is read (`parse`), its
//! names and literals are checked (`bind`), and what remains is a tree (`ast`) that prints back and is
//! evaluated without allocating (`eval`). Fields come from one table (`field`). The reference for people
//! is `reference.md`, also at [`REFERENCE`].
//!
//! This room knows no registry, no socket and no clock: a [`Subject`] hands in the values.

mod ast;
mod bind;
mod error;
mod eval;
mod field;
mod flags;
mod hint;
mod lex;
mod literal;
mod parse;
#[cfg(test)]
mod props;
pub(crate) mod suggest;
mod syntax;
#[cfg(test)]
mod testing;
mod value;

use std::fmt;
use std::str::FromStr;

use self::ast::Expr;
pub use self::error::{SelectorError, Span};
pub use self::eval::Subject;
pub use self::field::{Field, FieldInfo, Kind};
pub use self::flags::{FlagError, Flags};
pub use self::hint::Hint;
pub use self::lex::MAX_TEXT_BYTES;
pub use self::parse::MAX_DEPTH;
pub use self::value::Value;

/// The language's reference, in Markdown.
pub const REFERENCE: &str = include_str!("reference.md");

/// The word that selects everything.
const ALL: &str = "all";

/// A parsed and checked selector. Prints as text that parses to the same selector.
///
/// The printed text quotes and spaces what was typed without, so it may be longer; [`MAX_TEXT_BYTES`] and
/// [`MAX_DEPTH`] hold for it too when it is read again.
#[derive(Debug, Clone, PartialEq)]
pub struct Selector {
    /// `None` selects everything.
    root: Option<Expr>,
}

impl Selector {
    /// Reads a selector. The error points at the first thing that is wrong. Empty text is an error, so that a
    /// forgotten variable in a script never means everything; say `all`.
    pub fn parse(text: &str) -> Result<Self, SelectorError> {
        let root = match parse::parse(text)? {
            None => None,
            Some(tree) => Some(bind::bind(text, &tree)?),
        };
        Ok(Self { root })
    }

    /// The selector that every connection matches; prints as `all`.
    pub fn all() -> Self {
        Self { root: None }
    }

    /// Is this [`Selector::all`]? An expression that merely happens to match everything is not.
    pub fn is_all(&self) -> bool {
        self.root.is_none()
    }

    /// Does this connection belong to the set? Allocates nothing.
    pub fn matches<S: Subject + ?Sized>(&self, subject: &S) -> bool {
        self.root.as_ref().is_none_or(|root| root.matches(subject))
    }

    /// Does any comparison use a field that only the kernel can answer (TCP_INFO)? If not, the caller need not
    /// ask it.
    pub fn needs_kernel(&self) -> bool {
        self.root.as_ref().is_some_and(Expr::needs_kernel)
    }

    /// The best index to look into. Every connection that matches is within the hint; not everything within
    /// the hint matches.
    pub fn hint(&self) -> Hint {
        self.root.as_ref().map_or(Hint::Scan, Expr::hint)
    }

    /// The ids that a condition for the whole selector names one by one, ascending, so that one which does not
    /// exist can be reported. `None` if there is no such condition.
    pub fn named_ids(&self) -> Option<Vec<u64>> {
        self.root.as_ref().and_then(Expr::named_ids)
    }

    /// What both select. With [`Selector::all`] this is the other one.
    #[must_use]
    pub fn and(self, other: Selector) -> Selector {
        let root = match (self.root, other.root) {
            (Some(left), Some(right)) => Some(Expr::all_of(vec![left, right])),
            (one, None) | (None, one) => one,
        };
        Selector { root }
    }
}

impl fmt::Display for Selector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.root {
            None => f.write_str(ALL),
            Some(root) => write!(f, "{root}"),
        }
    }
}

impl FromStr for Selector {
    type Err = SelectorError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        Self::parse(text)
    }
}
