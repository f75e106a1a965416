//! What is wrong with a selector: where, what was expected instead, and the nearest right word.

use std::fmt;
use std::ops::Range;

/// A piece of the text, in bytes from its beginning. Always on character boundaries.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Span {
    /// The first byte.
    pub start: usize,
    /// The byte after the last one.
    pub end: usize,
}

impl Span {
    pub(super) fn new(start: usize, end: usize) -> Self {
        Self { start, end }
    }

    pub(super) fn to(self, other: Self) -> Self {
        Self { start: self.start, end: other.end }
    }

    fn range(self) -> Range<usize> {
        self.start..self.end
    }
}

/// A selector that was refused. Reads as one lower-case fragment with the column; [`SelectorError::render`]
/// shows the text with a caret under the place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SelectorError(Box<Inner>);

/// Boxed, so that the path without an error does not pay for it.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Inner {
    text: String,
    span: Span,
    message: String,
    expected: Option<String>,
    suggestion: Option<String>,
}

/// How many characters of the text a rendering shows on either side of the place.
const CONTEXT_CHARS: usize = 60;

impl SelectorError {
    pub(super) fn new(span: Span, message: impl Into<String>) -> Self {
        let message = message.into();
        Self(Box::new(Inner { text: String::new(), span, message, expected: None, suggestion: None }))
    }

    pub(super) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.0.expected = Some(expected.into());
        self
    }

    pub(super) fn suggest(mut self, suggestion: Option<impl Into<String>>) -> Self {
        self.0.suggestion = suggestion.map(Into::into);
        self
    }

    /// Attaches the text that the span points into.
    pub(super) fn in_text(mut self, text: &str) -> Self {
        self.0.text = text.to_owned();
        self
    }

    /// Where it is, in bytes.
    pub fn span(&self) -> Span {
        self.0.span
    }

    /// Where it is: the character's number, beginning with 1.
    pub fn column(&self) -> usize {
        self.0.text.get(..self.0.span.start).map_or(1, |before| before.chars().count() + 1)
    }

    /// What is wrong: `unknown field "udi"`.
    pub fn message(&self) -> &str {
        &self.0.message
    }

    /// What would have been right there.
    pub fn expectation(&self) -> Option<&str> {
        self.0.expected.as_deref()
    }

    /// The nearest right word, if one is near.
    pub fn suggestion(&self) -> Option<&str> {
        self.0.suggestion.as_deref()
    }

    /// The text on one line, a caret line under it, then what was expected and suggested. Long text is cut
    /// around the place, and control characters are shown as spaces: the text may come from anywhere.
    pub fn render(&self) -> String {
        let Inner { text, span, message, expected, suggestion } = &*self.0;
        let plain = |part: &str| -> Vec<char> {
            part.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
        };
        let before = plain(text.get(..span.start).unwrap_or_default());
        let marked = plain(text.get(span.range()).unwrap_or_default());
        let after = plain(text.get(span.end..).unwrap_or_default());

        let skipped = before.len().saturating_sub(CONTEXT_CHARS);
        let marked_shown = marked.len().min(CONTEXT_CHARS);
        let mut line = String::from(if skipped > 0 { "…" } else { "" });
        line.extend(&before[skipped..]);
        let indent = line.chars().count();
        line.extend(marked.iter().chain(&after).take(marked_shown + CONTEXT_CHARS));
        if marked.len() + after.len() > marked_shown + CONTEXT_CHARS {
            line.push('…');
        }

        let mut out = format!("{line}\n{:indent$}{} {message}", "", "^".repeat(marked_shown.max(1)));
        if let Some(expected) = expected {
            out.push_str(&format!("\nexpected {expected}"));
        }
        if let Some(suggestion) = suggestion {
            out.push_str(&format!("\ndid you mean {suggestion}?"));
        }
        out
    }
}

impl fmt::Display for SelectorError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at column {}", self.0.message, self.column())?;
        if let Some(expected) = &self.0.expected {
            write!(f, ", expected {expected}")?;
        }
        if let Some(suggestion) = &self.0.suggestion {
            write!(f, "; did you mean {suggestion}?")?;
        }
        Ok(())
    }
}

impl std::error::Error for SelectorError {}

/// The longest piece of a user's text that a message repeats, in characters.
const SHOWN_CHARS: usize = 60;

/// A user's text for a message: quoted, control characters escaped, cut if it is very long.
pub(super) fn shown(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((cut, _)) => format!("{:?}…", &text[..cut]),
        None => format!("{text:?}"),
    }
}

#[cfg(test)]
mod tests {
    use crate::selector::Selector;

    #[test]
    fn a_rendering_puts_the_caret_under_the_place() {
        let error = Selector::parse("idle > 10m and udi = u1").unwrap_err();
        assert_eq!(error.column(), 16);
        assert_eq!(error.suggestion(), Some("uid"));
        assert_eq!(
            error.to_string(),
            "unknown field \"udi\" at column 16, expected a field (connctl list --fields shows them); \
             did you mean uid?"
        );
        assert_eq!(
            error.render(),
            "idle > 10m and udi = u1\n               ^^^ unknown field \"udi\"\n\
             expected a field (connctl list --fields shows them)\ndid you mean uid?"
        );
    }

    #[test]
    fn columns_count_characters_and_long_text_is_cut() {
        let text = format!("uid = \"{}\" and x = 1{}", "é".repeat(500), " and uid = a".repeat(50));
        let error = Selector::parse(&text).unwrap_err();
        assert_eq!(error.column(), 514);
        let rendered = error.render();
        let (line, caret) = rendered.split_once('\n').unwrap();
        assert!(line.starts_with('…') && line.ends_with('…') && line.chars().count() < 130);
        let place = caret.chars().position(|c| c == '^').unwrap();
        assert_eq!(line.chars().nth(place), Some('x'));
    }

    #[test]
    fn control_characters_do_not_reach_the_terminal() {
        let error = Selector::parse("uid\n=\u{1b}[2J").unwrap_err();
        assert!(!error.to_string().contains('\u{1b}'));
        assert!(!error.render().contains('\u{1b}'));
    }
}
