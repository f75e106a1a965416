//! Text to tokens. Knows characters and quotes; knows no field and no grammar.

use std::borrow::Cow;

use super::error::{SelectorError, Span, shown};

/// The longest selector text, in bytes: some thousands of ids, and a bound on every later step.
pub const MAX_TEXT_BYTES: usize = 64 * 1024;

/// One token and where it stands.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Token<'a> {
    pub(super) kind: TokenKind<'a>,
    pub(super) span: Span,
}

#[derive(Debug, Clone, PartialEq)]
pub(super) enum TokenKind<'a> {
    /// A run of letters, digits and `_ . : / % + - @ [ ]`: names, keywords, numbers, addresses, times.
    Word(&'a str),
    /// Quoted text, escapes resolved.
    Quoted(Cow<'a, str>),
    /// Punctuation, one of [`SYMBOLS`].
    Symbol(&'static str),
    /// The end of the text.
    End,
}

/// Punctuation; a symbol stands before those that begin it.
const SYMBOLS: &[&str] = &[
    "..", "==", "=~", "!=", "!~", "<=", ">=", "<>", "&&", "||", "=", "<", ">", "~", "!", "(", ")", ",", "&",
    "|",
];

/// Splits the text; the last token is [`TokenKind::End`].
pub(super) fn lex(text: &str) -> Result<Vec<Token<'_>>, SelectorError> {
    if text.len() > MAX_TEXT_BYTES {
        let message = format!("the selector is {} bytes long", text.len());
        return Err(
            SelectorError::new(Span::new(0, 0), message).expected(format!("at most {MAX_TEXT_BYTES} bytes"))
        );
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(first) = text[at..].chars().next() {
        if first.is_whitespace() {
            at += first.len_utf8();
            continue;
        }
        let (kind, end) = token(text, at, first)?;
        tokens.push(Token { kind, span: Span::new(at, end) });
        at = end;
    }
    tokens.push(Token { kind: TokenKind::End, span: Span::new(text.len(), text.len()) });
    Ok(tokens)
}

/// The token that begins at `at`, and where it ends.
fn token(text: &str, at: usize, first: char) -> Result<(TokenKind<'_>, usize), SelectorError> {
    let rest = &text[at..];
    if let Some(symbol) = SYMBOLS.iter().find(|symbol| rest.starts_with(**symbol)) {
        return Ok((TokenKind::Symbol(symbol), at + symbol.len()));
    }
    if first == '"' || first == '\'' {
        let (value, length) = quoted(&rest[1..], first).ok_or_else(|| {
            SelectorError::new(Span::new(at, at + 1), format!("the quote {first} is not closed"))
        })?;
        return Ok((TokenKind::Quoted(value), at + 1 + length));
    }
    match word_length(rest) {
        0 => {
            let span = Span::new(at, at + first.len_utf8());
            let error =
                SelectorError::new(span, format!("unexpected character {}", shown(&first.to_string())));
            Err(error.expected("text with special characters in quotes"))
        }
        length => Ok((TokenKind::Word(&rest[..length]), at + length)),
    }
}

/// May this character stand in a word?
pub(super) fn is_word_char(c: char) -> bool {
    c.is_alphanumeric() || "_.:/%+-@[]".contains(c)
}

/// A word ends before `..`, so that `1024..2048` is a range.
fn word_length(rest: &str) -> usize {
    let end = rest.find(|c| !is_word_char(c)).unwrap_or(rest.len());
    rest[..end].find("..").unwrap_or(end)
}

/// Reads up to the closing quote: the value, and the length with that quote. `None` if it never closes.
///
/// A backslash before anything but `\ " ' n r t u{..}` stays, so that `"^u\d+$"` needs no doubling.
fn quoted(rest: &str, quote: char) -> Option<(Cow<'_, str>, usize)> {
    let plain = rest.find([quote, '\\'])?;
    if rest[plain..].starts_with(quote) {
        return Some((Cow::Borrowed(&rest[..plain]), plain + 1));
    }
    let mut value = rest[..plain].to_owned();
    let mut at = plain;
    loop {
        let c = rest[at..].chars().next()?;
        at += c.len_utf8();
        if c == quote {
            return Some((Cow::Owned(value), at));
        }
        let escaped = if c == '\\' { escape(&rest[at..]) } else { None };
        match escaped {
            Some((character, length)) => {
                value.push(character);
                at += length;
            }
            None => value.push(c),
        }
    }
}

/// What a backslash before `rest` means, and how much of `rest` belongs to it.
fn escape(rest: &str) -> Option<(char, usize)> {
    match rest.chars().next()? {
        c @ ('\\' | '"' | '\'') => Some((c, 1)),
        'n' => Some(('\n', 1)),
        'r' => Some(('\r', 1)),
        't' => Some(('\t', 1)),
        'u' => {
            let digits = rest.strip_prefix("u{")?.split_once('}')?.0;
            let is_hex = (1..=6).contains(&digits.len()) && digits.bytes().all(|b| b.is_ascii_hexdigit());
            let code = if is_hex { u32::from_str_radix(digits, 16).ok()? } else { return None };
            Some((char::from_u32(code)?, "u{}".len() + digits.len()))
        }
        _ => None,
    }
}

/// Text in the quotes that [`lex`] reads back.
pub(super) fn quote(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 2);
    out.push('"');
    for c in text.chars() {
        match c {
            '"' | '\\' => out.extend(['\\', c]),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c.is_control() => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn kinds(text: &str) -> Vec<TokenKind<'_>> {
        let mut kinds: Vec<_> = lex(text).unwrap().into_iter().map(|token| token.kind).collect();
        assert_eq!(kinds.pop(), Some(TokenKind::End));
        kinds
    }

    #[test]
    fn words_hold_addresses_times_and_quantities_whole() {
        for word in [
            "10.0.0.0/8",
            "[::1]:80",
            "2026-11-21T12:00:00+02:00",
            "1MiB/s",
            "20%",
            "tag.team-a",
            "-5",
            "naïve",
        ] {
            assert_eq!(kinds(word), [TokenKind::Word(word)]);
        }
    }

    #[test]
    fn a_range_is_three_tokens() {
        use TokenKind::{Symbol, Word};
        assert_eq!(kinds("1..2"), [Word("1"), Symbol(".."), Word("2")]);
        assert_eq!(kinds("10.0.0.1 .. 10.0.0.9"), [Word("10.0.0.1"), Symbol(".."), Word("10.0.0.9")]);
    }

    #[test]
    fn quotes_take_escapes_and_leave_regular_expressions_alone() {
        let value = |text| match kinds(text).pop() {
            Some(TokenKind::Quoted(value)) => value.into_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(value(r#""a\"b""#), "a\"b");
        assert_eq!(value(r#"'a"b'"#), "a\"b");
        assert_eq!(value(r#""^u\d+\.\b$""#), r"^u\d+\.\b$");
        assert_eq!(value(r#""\\d\n\u{e9}\u{110000}\u{+1}""#), "\\d\né\\u{110000}\\u{+1}");
        assert_eq!(value("\"\""), "");
    }

    #[test]
    fn open_quotes_and_strange_characters_are_pointed_at() {
        let error = lex("uid = \"abc").unwrap_err();
        assert_eq!((error.span().start, error.message()), (6, "the quote \" is not closed"));
        let error = lex("uid = é*").unwrap_err();
        assert_eq!((error.span().start, error.message()), (8, "unexpected character \"*\""));
        assert!(lex("\"\\").is_err());
        assert!(lex(&" ".repeat(MAX_TEXT_BYTES + 1)).is_err());
    }

    proptest! {
        #[test]
        fn spans_are_ordered_and_on_character_boundaries(text in "[\\x00-\\xff\"'\\\\é…\u{1F600}]{0,80}") {
            if let Ok(tokens) = lex(&text) {
                let mut last = 0;
                for token in tokens {
                    prop_assert!(token.span.start >= last && token.span.end >= token.span.start);
                    prop_assert!(text.get(token.span.start..token.span.end).is_some());
                    last = token.span.end;
                }
            }
        }

        #[test]
        fn quoting_is_reversed_by_lexing(text in any::<String>()) {
            let quoted = quote(&text);
            prop_assert_eq!(kinds(&quoted), vec![TokenKind::Quoted(Cow::Owned(text))]);
        }
    }
}
