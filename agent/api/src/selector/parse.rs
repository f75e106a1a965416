//! Tokens to shape, by recursive descent: `or` binds least, then `and`, then `not`, then a comparison.

use std::borrow::Cow;

use super::error::{SelectorError, Span, shown};
use super::lex::{Token, TokenKind, lex};
use super::suggest::nearest;
use super::syntax::{Item, Literal, Name, Op, Syntax, Test};

/// How deep parentheses and `not` may nest: more than anyone writes, far less than a stack holds.
pub const MAX_DEPTH: usize = 64;

const OPERATORS: &str = "an operator: = != < <= > >= in, not in, ~ !~";
const FIELD: &str = "a field, not, or (";

/// Spellings from other languages, each with ours.
const ELSEWHERE: &[(&str, &str)] = &[
    ("is", "= null or != null"),
    ("eq", "="),
    ("ne", "!="),
    ("<>", "!="),
    ("gt", ">"),
    ("ge", ">="),
    ("lt", "<"),
    ("le", "<="),
    ("=~", "~"),
    ("like", "~"),
    ("matches", "~"),
    ("contains", "~"),
    ("between", "in FROM..TO"),
];

/// Reads a whole selector; `None` for the lone word `all`.
pub(super) fn parse(text: &str) -> Result<Option<Syntax<'_>>, SelectorError> {
    parse_tokens(text).map_err(|error| error.in_text(text))
}

fn parse_tokens(text: &str) -> Result<Option<Syntax<'_>>, SelectorError> {
    let mut parser = Parser { text, tokens: lex(text)?, at: 0, depth: 0 };
    if parser.peek() == &TokenKind::End {
        let error = SelectorError::new(parser.span(), "the selector is empty");
        return Err(error.expected("an expression, or all to select everything"));
    }
    if parser.tokens.len() == 2 && parser.takes_word(super::ALL) {
        return Ok(None);
    }
    let tree = parser.any()?;
    match parser.peek() {
        TokenKind::End => Ok(Some(tree)),
        _ => Err(parser.misplaced_after_test()),
    }
}

struct Parser<'a> {
    text: &'a str,
    /// The last one is [`TokenKind::End`], which is never taken.
    tokens: Vec<Token<'a>>,
    at: usize,
    depth: usize,
}

impl<'a> Parser<'a> {
    fn any(&mut self) -> Result<Syntax<'a>, SelectorError> {
        let mut parts = Vec::new();
        loop {
            match self.all()? {
                Syntax::Any(nested) => parts.extend(nested),
                part => parts.push(part),
            }
            if !self.takes_word("or") && !self.takes("||") {
                return Ok(one_or(parts, Syntax::Any));
            }
        }
    }

    fn all(&mut self) -> Result<Syntax<'a>, SelectorError> {
        let mut parts = Vec::new();
        loop {
            match self.unary()? {
                Syntax::All(nested) => parts.extend(nested),
                part => parts.push(part),
            }
            if !self.takes_word("and") && !self.takes("&&") {
                return Ok(one_or(parts, Syntax::All));
            }
        }
    }

    fn unary(&mut self) -> Result<Syntax<'a>, SelectorError> {
        let span = self.span();
        let is_not = self.takes_word("not") || self.takes("!");
        if !is_not && !self.takes("(") {
            return self.test().map(Syntax::Test);
        }
        if self.depth == MAX_DEPTH {
            let error = SelectorError::new(span, "the selector nests too deeply");
            return Err(error.expected(format!("at most {MAX_DEPTH} levels of parentheses and not")));
        }
        self.depth += 1;
        let inner = if is_not { Syntax::Not(Box::new(self.unary()?)) } else { self.rest_of_group(span)? };
        self.depth -= 1;
        Ok(inner)
    }

    fn rest_of_group(&mut self, open: Span) -> Result<Syntax<'a>, SelectorError> {
        let inner = self.any()?;
        if self.takes(")") {
            Ok(inner)
        } else if self.peek() == &TokenKind::End {
            Err(SelectorError::new(open, "the parenthesis is not closed").expected(") at the end"))
        } else {
            Err(self.misplaced_after_test())
        }
    }

    fn test(&mut self) -> Result<Test<'a>, SelectorError> {
        let name = self.name()?;
        let op_span = self.span();
        let (op, negated) = self.operator(&name)?;
        let op_span = Span::new(op_span.start, self.tokens[self.at - 1].span.end);
        let items = match op {
            Op::In => self.items()?,
            _ => vec![Item::One(self.literal()?)],
        };
        if self.peek() == &TokenKind::Symbol("..") {
            return Err(SelectorError::new(self.span(), "a range stands after another operator than in")
                .expected(format!("{} in FROM..TO", name.text)));
        }
        Ok(Test { name, op, op_span, negated, items })
    }

    fn name(&mut self) -> Result<Name<'a>, SelectorError> {
        let TokenKind::Word(word) = *self.peek() else { return Err(self.unexpected(FIELD)) };
        let span = self.span();
        if is_keyword(word) {
            return Err(self.unexpected(FIELD));
        }
        if word.eq_ignore_ascii_case(super::ALL) {
            return Err(SelectorError::new(span, "all stands beside something else")
                .expected("all alone, or only the other conditions"));
        }
        self.at += 1;
        let key = match self.peek() {
            TokenKind::Quoted(key) if word == super::field::TAG_PREFIX && self.span().start == span.end => {
                key
            }
            _ => return Ok(Name { text: Cow::Borrowed(word), span }),
        };
        let name = Name { text: Cow::Owned(format!("{word}{key}")), span: span.to(self.span()) };
        self.at += 1;
        Ok(name)
    }

    fn operator(&mut self, name: &Name<'a>) -> Result<(Op, bool), SelectorError> {
        let found = match *self.peek() {
            TokenKind::Symbol("=" | "==") => (Op::Equal, false),
            TokenKind::Symbol("!=") => (Op::Equal, true),
            TokenKind::Symbol("<") => (Op::Less, false),
            TokenKind::Symbol("<=") => (Op::AtMost, false),
            TokenKind::Symbol(">") => (Op::Greater, false),
            TokenKind::Symbol(">=") => (Op::AtLeast, false),
            TokenKind::Symbol("~") => (Op::Like, false),
            TokenKind::Symbol("!~") => (Op::Like, true),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("in") => (Op::In, false),
            TokenKind::Word(word) if word.eq_ignore_ascii_case("not") => {
                self.at += 1;
                if !self.takes_word("in") {
                    return Err(self.unexpected("in, to make not in"));
                }
                return Ok((Op::In, true));
            }
            _ => return Err(self.no_operator(name)),
        };
        self.at += 1;
        Ok(found)
    }

    fn no_operator(&self, name: &Name<'a>) -> SelectorError {
        let typed = match *self.peek() {
            TokenKind::Word(word) => word,
            TokenKind::Symbol(symbol) => symbol,
            TokenKind::Quoted(_) | TokenKind::End => "",
        };
        let ours =
            ELSEWHERE.iter().find(|(other, _)| typed.eq_ignore_ascii_case(other)).map(|(_, ours)| *ours);
        let message = format!("no operator after {}", shown(&name.text));
        SelectorError::new(self.span(), message).expected(OPERATORS).suggest(ours)
    }

    /// What may follow `in`: a list in parentheses, or one literal, network or range.
    fn items(&mut self) -> Result<Vec<Item<'a>>, SelectorError> {
        let open = self.span();
        if !self.takes("(") {
            return match *self.peek() {
                TokenKind::Word(word) if word.starts_with('[') && !word.contains(':') => {
                    Err(self.unexpected("a list in parentheses: (a, b)"))
                }
                _ => self.item().map(|item| vec![item]),
            };
        }
        let mut items = Vec::new();
        loop {
            // A comma may stand after the last item, but never alone.
            if !items.is_empty() && self.takes(")") {
                return Ok(items);
            }
            items.push(self.item()?);
            if self.takes(")") {
                return Ok(items);
            }
            if self.peek() == &TokenKind::End {
                return Err(
                    SelectorError::new(open, "the list is not closed").expected(") after its last item")
                );
            }
            if !self.takes(",") {
                return Err(self.unexpected(", or ) in the list"));
            }
        }
    }

    fn item(&mut self) -> Result<Item<'a>, SelectorError> {
        let from = self.literal()?;
        if self.takes("..") { Ok(Item::Range(from, self.literal()?)) } else { Ok(Item::One(from)) }
    }

    fn literal(&mut self) -> Result<Literal<'a>, SelectorError> {
        let span = self.span();
        let (text, is_quoted) = match self.peek() {
            TokenKind::Word(word) if !is_keyword(word) => (Cow::Borrowed(*word), false),
            TokenKind::Quoted(text) => (text.clone(), true),
            TokenKind::Word(_) => {
                return Err(self.unexpected("a value; a value that is also a keyword in quotes"));
            }
            TokenKind::Symbol(_) | TokenKind::End => return Err(self.unexpected("a value")),
        };
        self.at += 1;
        Ok(Literal { text, is_quoted, span })
    }

    fn peek(&self) -> &TokenKind<'a> {
        &self.tokens[self.at].kind
    }

    fn span(&self) -> Span {
        self.tokens[self.at].span
    }

    fn takes(&mut self, symbol: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Symbol(found) if *found == symbol);
        self.at += usize::from(found);
        found
    }

    fn takes_word(&mut self, keyword: &str) -> bool {
        let found = matches!(self.peek(), TokenKind::Word(word) if word.eq_ignore_ascii_case(keyword));
        self.at += usize::from(found);
        found
    }

    fn unexpected(&self, expected: &str) -> SelectorError {
        let span = self.span();
        let message = match self.peek() {
            TokenKind::End => "the selector ends too early".to_owned(),
            _ => format!("unexpected {}", shown(&self.text[span.start..span.end])),
        };
        SelectorError::new(span, message).expected(expected)
    }

    /// Something stands where only `and`, `or`, `)` or the end may.
    fn misplaced_after_test(&self) -> SelectorError {
        let error = self.unexpected("and, or, ) or the end");
        match *self.peek() {
            TokenKind::Symbol("&") => error.suggest(Some("and")),
            TokenKind::Symbol("|") => error.suggest(Some("or")),
            TokenKind::Symbol(",") => error.suggest(Some("in (a, b)")),
            TokenKind::Word(word) => error.suggest(nearest(word, ["and", "or"])),
            _ => error,
        }
    }
}

fn is_keyword(word: &str) -> bool {
    ["and", "or", "not", "in"].iter().any(|keyword| word.eq_ignore_ascii_case(keyword))
}

/// A list of one is that one.
fn one_or<'a>(mut parts: Vec<Syntax<'a>>, many: fn(Vec<Syntax<'a>>) -> Syntax<'a>) -> Syntax<'a> {
    match parts.pop() {
        Some(only) if parts.is_empty() => only,
        last => {
            parts.extend(last);
            many(parts)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(text: &str) -> (usize, String) {
        let error = parse(text).unwrap_err();
        (error.column(), error.to_string())
    }

    #[test]
    fn or_binds_less_than_and_which_binds_less_than_not() {
        let Some(Syntax::Any(parts)) = parse("not a = 1 and b = 2 or c = 3").unwrap() else { panic!() };
        let Syntax::All(left) = &parts[0] else { panic!() };
        assert!(matches!(left[0], Syntax::Not(_)) && matches!(parts[1], Syntax::Test(_)));
        let Some(Syntax::All(flat)) = parse("a = 1 AND (b = 2 && c = 3)").unwrap() else { panic!() };
        assert_eq!(flat.len(), 3);
    }

    #[test]
    fn shape_errors_point_and_say_what_was_expected() {
        for (text, column, part) in [
            ("", 1, "expected an expression, or all"),
            ("uid", 4, "no operator after \"uid\""),
            ("uid =", 6, "the selector ends too early at column 6, expected a value"),
            ("uid = and", 7, "in quotes"),
            ("uid is null", 5, "did you mean = null or != null?"),
            ("uid like \"a\"", 5, "did you mean ~?"),
            ("uid =~ a", 5, "did you mean ~?"),
            ("uid <> a", 5, "did you mean !=?"),
            ("uid = a adn port = 1", 9, "did you mean and?"),
            ("uid = a & port = 1", 9, "did you mean and?"),
            ("uid = a, b", 8, "did you mean in (a, b)?"),
            ("(uid = a", 1, "the parenthesis is not closed"),
            ("uid = a)", 8, "unexpected \")\""),
            ("uid in (a", 8, "the list is not closed"),
            ("uid in ()", 9, "unexpected \")\""),
            ("uid in [\"a\"]", 8, "a list in parentheses"),
            ("uid not a", 9, "expected in, to make not in"),
            ("port = 1..2", 9, "expected port in FROM..TO"),
            ("and uid = a", 1, "expected a field"),
            ("\"a\" = uid", 1, "expected a field"),
            ("all and uid = a", 1, "all stands beside something else"),
            ("not all", 5, "all stands beside something else"),
        ] {
            let (at, message) = said(text);
            assert_eq!(at, column, "{text}: {message}");
            assert!(message.contains(part), "{text}: {message}");
        }
    }

    #[test]
    fn depth_is_bounded_and_length_of_a_chain_is_not() {
        let nested = |depth: usize| format!("{}a = 1{}", "(".repeat(depth), ")".repeat(depth));
        assert!(parse(&nested(MAX_DEPTH)).is_ok());
        assert!(said(&nested(MAX_DEPTH + 1)).1.contains("nests too deeply"));
        assert!(said(&"(".repeat(60_000)).1.contains("nests too deeply"));
        assert!(said(&"!".repeat(60_000)).1.contains("nests too deeply"));
        assert!(parse(&vec!["a = 1"; 5_000].join(" or ")).is_ok());
    }
}
