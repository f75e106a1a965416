//! Shape to checked tree: names become fields, literals become typed values, and an operator must suit its
//! field. Everything that can be refused is refused here, so evaluation cannot fail.

use super::ast::{Check, Compare, Expr, Key, Pattern, Rule, Set, Test};
use super::error::{SelectorError, Span, shown};
use super::field::{Field, Kind, TAG_PREFIX};
use super::literal;
use super::suggest;
use super::syntax::{self, Item, Literal, Op, Syntax};

/// The most regular expressions in one selector: each may take [`literal::PATTERN_BYTES`] of memory.
const MAX_PATTERNS: usize = 32;

type Bound<T> = Result<T, SelectorError>;

/// Checks a whole selector.
pub(super) fn bind(text: &str, tree: &Syntax<'_>) -> Bound<Expr> {
    Binder { patterns: 0 }.expr(tree).map_err(|error| error.in_text(text))
}

/// Checks one comparison. Its errors point into no text.
pub(super) fn bind_test(test: &syntax::Test<'_>) -> Bound<Expr> {
    Binder { patterns: 0 }.test(test).map(Expr::Test)
}

struct Binder {
    patterns: usize,
}

impl Binder {
    fn expr(&mut self, tree: &Syntax<'_>) -> Bound<Expr> {
        let mut each =
            |parts: &[Syntax<'_>]| parts.iter().map(|part| self.expr(part)).collect::<Bound<Vec<_>>>();
        Ok(match tree {
            Syntax::All(parts) => Expr::All(each(parts)?),
            Syntax::Any(parts) => Expr::Any(each(parts)?),
            Syntax::Not(inner) => Expr::Not(Box::new(self.expr(inner)?)),
            Syntax::Test(test) => Expr::Test(self.test(test)?),
        })
    }

    fn test(&mut self, test: &syntax::Test<'_>) -> Bound<Test> {
        let key = key(&test.name)?;
        let field = key.field();
        let is_null = |item: &Item<'_>| matches!(item, Item::One(literal) if literal.is_null());
        let check = if test.items.iter().any(is_null) {
            null(test)?
        } else {
            check_operator(field, test.op, test.op_span)?;
            if test.op == Op::Like {
                self.count_pattern(test.op_span)?;
            }
            check(field, test)?
        };
        Ok(Test { key, negated: test.negated, check })
    }

    fn count_pattern(&mut self, span: Span) -> Bound<()> {
        self.patterns += 1;
        if self.patterns <= MAX_PATTERNS {
            return Ok(());
        }
        Err(SelectorError::new(span, "too many regular expressions")
            .expected(format!("at most {MAX_PATTERNS}")))
    }
}

fn key(name: &syntax::Name<'_>) -> Bound<Key> {
    match Field::by_name(&name.text) {
        Some(Field::Tag) => Ok(Key::Tag(name.text[TAG_PREFIX.len()..].to_owned())),
        Some(field) => Ok(Key::Field(field)),
        None => Err(SelectorError::new(name.span, format!("unknown field {}", shown(&name.text)))
            .expected("a field (connctl list --fields shows them)")
            .suggest(suggest::field(&name.text))),
    }
}

fn null(test: &syntax::Test<'_>) -> Bound<Check> {
    if test.op == Op::Equal {
        return Ok(Check::Null);
    }
    let message = format!("null stands after {}", test.op.spelling());
    Err(SelectorError::new(test.op_span, message).expected("= or != before null, or \"null\" for the text"))
}

/// Which operators a field takes, for messages.
fn operators(kind: Kind) -> &'static str {
    match kind {
        Kind::Bool => "= or !=",
        Kind::Text | Kind::Enum(_) => "= != in, not in, ~ !~",
        Kind::Ip | Kind::Address => "= != in, not in",
        _ => "= != < <= > >= in, not in",
    }
}

fn check_operator(field: Field, op: Op, span: Span) -> Bound<()> {
    let kind = field.kind();
    let suits = match op {
        Op::Equal => true,
        Op::In => kind != Kind::Bool,
        Op::Like => matches!(kind, Kind::Text | Kind::Enum(_)),
        Op::Less | Op::AtMost | Op::Greater | Op::AtLeast => {
            !matches!(kind, Kind::Text | Kind::Enum(_) | Kind::Ip | Kind::Address | Kind::Bool)
        }
    };
    if suits {
        return Ok(());
    }
    let message = format!("{field} is of type {kind}, which {} does not compare", op.spelling());
    Err(SelectorError::new(span, message).expected(operators(kind)))
}

fn check(field: Field, test: &syntax::Test<'_>) -> Bound<Check> {
    Ok(match field.kind() {
        Kind::Text | Kind::Enum(_) if test.op == Op::Like => {
            Check::Like(Pattern(only(test, |literal| literal::pattern(field, literal))?))
        }
        Kind::Text | Kind::Enum(_) => Check::Text(rule(field, test, literal::text)?),
        Kind::Id if !matches!(test.op, Op::Equal | Op::In) => {
            Check::Whole(rule(field, test, literal::any_whole)?)
        }
        Kind::Id | Kind::Int | Kind::Port | Kind::Duration | Kind::Size => {
            Check::Whole(rule(field, test, literal::whole)?)
        }
        Kind::Rate | Kind::Percent => Check::Float(rule(field, test, literal::float)?),
        Kind::Time => Check::Time(rule(field, test, literal::time)?),
        Kind::Bool => Check::Bool(only(test, |literal| literal::boolean(field, literal))?),
        Kind::Ip => ip(field, test)?,
        Kind::Address => Check::Address(rule(field, test, literal::address)?),
    })
}

/// The one literal of an operator that takes one.
fn only<T>(test: &syntax::Test<'_>, read: impl Fn(&Literal<'_>) -> Bound<T>) -> Bound<T> {
    match test.items.as_slice() {
        [Item::One(literal)] => read(literal),
        _ => {
            Err(SelectorError::new(test.op_span, "a list stands after another operator than in")
                .expected("in"))
        }
    }
}

fn rule<T: Ord>(
    field: Field,
    test: &syntax::Test<'_>,
    read: fn(Field, &Literal<'_>) -> Bound<T>,
) -> Bound<Rule<T>> {
    let compare = match test.op {
        Op::Less => Compare::Less,
        Op::AtMost => Compare::AtMost,
        Op::Greater => Compare::Greater,
        Op::AtLeast => Compare::AtLeast,
        Op::Equal | Op::Like => Compare::Equal,
        Op::In => return set(field, &test.items, read).map(Rule::In),
    };
    Ok(Rule::Is(compare, only(test, |literal| read(field, literal))?))
}

fn set<'a, T: Ord>(
    field: Field,
    items: impl IntoIterator<Item = &'a Item<'a>>,
    read: fn(Field, &Literal<'_>) -> Bound<T>,
) -> Bound<Set<T>> {
    let (mut values, mut ranges) = (Vec::new(), Vec::new());
    for item in items {
        match item {
            Item::One(literal) => values.push(read(field, literal)?),
            Item::Range(from, to) => ranges.push(range(field, from, to, read)?),
        }
    }
    Ok(Set::new(values, ranges))
}

fn range<T: Ord>(
    field: Field,
    from: &Literal<'_>,
    to: &Literal<'_>,
    read: fn(Field, &Literal<'_>) -> Bound<T>,
) -> Bound<(T, T)> {
    let span = from.span.to(to.span);
    let kind = field.kind();
    if matches!(kind, Kind::Text | Kind::Enum(_) | Kind::Address) {
        let message = format!("{field} is of type {kind}, which has no ranges");
        return Err(SelectorError::new(span, message).expected("a list (a, b)"));
    }
    let (low, high) = (read(field, from)?, read(field, to)?);
    if low > high {
        let message = format!("{field}: the range {}..{} is empty", from.text, to.text);
        return Err(SelectorError::new(span, message).expected("the smaller end first"));
    }
    Ok((low, high))
}

/// Addresses may be listed with networks between them.
fn ip(field: Field, test: &syntax::Test<'_>) -> Bound<Check> {
    if test.op != Op::In {
        return rule(field, test, literal::ip).map(Check::Ip);
    }
    let is_net = |item: &&Item<'_>| matches!(item, Item::One(literal) if literal.text.contains('/'));
    let (nets, others): (Vec<_>, Vec<_>) = test.items.iter().partition(is_net);
    let set = set(field, others, literal::ip)?;
    if let Some(mixed) = test.items.iter().find_map(mixed_families) {
        return Err(mixed);
    }
    if nets.is_empty() {
        return Ok(Check::Ip(Rule::In(set)));
    }
    let read = |item: &&Item<'_>| match item {
        Item::One(literal) | Item::Range(literal, _) => literal::net(field, literal),
    };
    let mut nets = nets.iter().map(read).collect::<Bound<Vec<_>>>()?;
    nets.sort_unstable();
    nets.dedup();
    Ok(Check::Nets(set, nets))
}

/// A range from IPv4 to IPv6 would hold the end of one and the beginning of the other.
fn mixed_families(item: &Item<'_>) -> Option<SelectorError> {
    let Item::Range(from, to) = item else { return None };
    let is_v4 = |literal: &Literal<'_>| literal::ip(Field::Ip, literal).is_ok_and(|ip| ip.is_ipv4());
    (is_v4(from) != is_v4(to)).then(|| {
        let message = format!("the range {}..{} mixes IPv4 and IPv6", from.text, to.text);
        SelectorError::new(from.span.to(to.span), message).expected("two addresses of one family")
    })
}
