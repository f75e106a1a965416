//! The short flags of every verb, compiled to the same tree as the language.

use std::borrow::Cow;
use std::fmt;

use super::ast::Expr;
use super::error::{SelectorError, Span};
use super::field::TAG_PREFIX;
use super::syntax::{Item, Literal, Name, Op, Test};
use super::{Selector, bind};

/// What was typed, unchecked. Flags together mean *and*; one flag several times means *any of*.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Flags {
    /// `--uid`
    pub uid: Vec<String>,
    /// `--conn-id`
    pub conn_id: Vec<String>,
    /// `--ip`, the client's address or network.
    pub ip: Vec<String>,
    /// `--port`, the client's port.
    pub port: Vec<String>,
    /// `--listener`
    pub listener: Vec<String>,
    /// `--node`, a node's id.
    pub node: Vec<String>,
    /// `--device`
    pub device: Vec<String>,
    /// `--tag k=v`
    pub tag: Vec<String>,
    /// `--state`
    pub state: Vec<String>,
    /// `--idle-over 10m`
    pub idle_over: Vec<String>,
    /// `--age-over 1h`
    pub age_over: Vec<String>,
    /// `--all`; beside other flags it adds nothing.
    pub all: bool,
    /// `--where 'EXPR'`
    pub where_: Vec<String>,
}

/// A flag whose value was refused. Reads as `--port "x": ..., expected ...`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FlagError {
    flag: &'static str,
    value: String,
    problem: String,
    expected: String,
    selector: Option<SelectorError>,
}

impl Flags {
    /// The selector that the flags mean, or `None` if none was given: verbs that change connections refuse
    /// that, others take it for [`Selector::all`].
    pub fn compile(&self) -> Result<Option<Selector>, FlagError> {
        let lists = [
            ("--uid", "uid", &self.uid),
            ("--conn-id", "conn_id", &self.conn_id),
            ("--ip", "ip", &self.ip),
            ("--port", "port", &self.port),
            ("--listener", "listener", &self.listener),
            ("--node", "node_id", &self.node),
            ("--device", "device", &self.device),
            ("--state", "state", &self.state),
        ];
        let mut parts = Vec::new();
        for (flag, name, values) in lists {
            parts.extend(any_of(flag, name, values)?);
        }
        parts.extend(tags(&self.tag)?);
        for (flag, name, values) in
            [("--idle-over", "idle", &self.idle_over), ("--age-over", "age", &self.age_over)]
        {
            let over = |value: &String| leaf(flag, value, name, Op::Greater, std::slice::from_ref(value));
            parts.extend(either(values.iter().map(over).collect::<Result<_, _>>()?));
        }
        self.combine(parts)
    }

    fn combine(&self, mut parts: Vec<Expr>) -> Result<Option<Selector>, FlagError> {
        let mut found = self.all.then(Selector::all);
        let parse = |text: &String| Selector::parse(text).map_err(|error| FlagError::in_where(text, error));
        let roots = self.where_.iter().map(|text| parse(text).map(|selector| selector.root));
        // One of them may be `all`, and then so is the whole.
        if let Some(roots) = roots.collect::<Result<Option<Vec<_>>, _>>()? {
            found = either(roots).map(|root| Selector { root: Some(root) }).or(found);
        } else {
            found = Some(Selector::all());
        }
        let root = match parts.len() {
            0 => return Ok(found),
            1 => parts.pop(),
            _ => Some(Expr::all_of(parts)),
        };
        let flags = Selector { root };
        Ok(Some(match found {
            Some(other) => flags.and(other),
            None => flags,
        }))
    }
}

/// One flag, any of its values; each value is checked alone first, so that the error names it.
fn any_of(flag: &'static str, name: &str, values: &[String]) -> Result<Option<Expr>, FlagError> {
    let in_list = |value: &String| values.len() > 1 || (flag == "--ip" && value.contains('/'));
    let mut alone = None;
    for value in values {
        let op = if in_list(value) { Op::In } else { Op::Equal };
        alone = Some(leaf(flag, value, name, op, std::slice::from_ref(value))?);
    }
    match values {
        [] | [_] => Ok(alone),
        [first, ..] => leaf(flag, first, name, Op::In, values).map(Some),
    }
}

fn tags(values: &[String]) -> Result<Option<Expr>, FlagError> {
    const FLAG: &str = "--tag";
    let mut parts = Vec::new();
    for typed in values {
        let (key, value) = typed.split_once('=').filter(|(key, _)| !key.is_empty()).ok_or_else(|| {
            FlagError::new(FLAG, typed, "has no key and value", "KEY=VALUE, such as team=a")
        })?;
        parts.push(leaf(FLAG, typed, &format!("{TAG_PREFIX}{key}"), Op::Equal, &[value.to_owned()])?);
    }
    Ok(either(parts))
}

/// Any of these; nothing where there are none.
fn either(mut parts: Vec<Expr>) -> Option<Expr> {
    if parts.len() > 1 { Some(Expr::any_of(parts)) } else { parts.pop() }
}

/// One comparison with values as typed. All of them count as quoted: a flag has no keywords.
fn leaf(flag: &'static str, typed: &str, name: &str, op: Op, values: &[String]) -> Result<Expr, FlagError> {
    // An empty value is nearly always a variable that was not set.
    if typed.is_empty() {
        return Err(FlagError::new(flag, typed, "is empty", "a value"));
    }
    let span = Span::new(0, 0);
    let literal = |text: &String| Literal { text: Cow::Owned(text.clone()), is_quoted: true, span };
    let test = Test {
        name: Name { text: Cow::Borrowed(name), span },
        op,
        op_span: span,
        negated: false,
        items: values.iter().map(|value| Item::One(literal(value))).collect(),
    };
    bind::bind_test(&test).map_err(|error| FlagError::in_leaf(flag, typed, name, &error))
}

impl FlagError {
    fn new(flag: &'static str, value: &str, problem: &str, expected: &str) -> Self {
        let (problem, expected) = (problem.to_owned(), expected.to_owned());
        Self { flag, value: value.to_owned(), problem, expected, selector: None }
    }

    fn in_leaf(flag: &'static str, value: &str, name: &str, error: &SelectorError) -> Self {
        // The message begins with the field and repeats the value; the flag and its value say both already.
        let repeated = format!("{name}: {} ", super::error::shown(value));
        let problem = error.message().strip_prefix(&repeated).unwrap_or(error.message());
        let mut expected = error.expectation().unwrap_or("another value").to_owned();
        if let Some(near) = error.suggestion() {
            expected.push_str(&format!("; did you mean {near}?"));
        }
        Self::new(flag, value, problem, &expected)
    }

    fn in_where(text: &str, error: SelectorError) -> Self {
        let mut refused = Self::new("--where", text, &error.to_string(), "");
        refused.selector = Some(error);
        refused
    }

    /// The flag as typed: `--idle-over`.
    pub fn flag(&self) -> &'static str {
        self.flag
    }

    /// Its value as typed.
    pub fn value(&self) -> &str {
        &self.value
    }

    /// What is wrong: `has no unit`.
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// What would have been right; empty for `--where`, whose problem says it.
    pub fn expected(&self) -> &str {
        &self.expected
    }

    /// The error inside `--where`, which can be rendered with a caret.
    pub fn selector_error(&self) -> Option<&SelectorError> {
        self.selector.as_ref()
    }
}

impl fmt::Display for FlagError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.selector.is_some() {
            return write!(f, "{}: {}", self.flag, self.problem);
        }
        let value = super::error::shown(&self.value);
        write!(f, "{} {value} {}, expected {}", self.flag, self.problem, self.expected)
    }
}

impl std::error::Error for FlagError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        // Not for the chain: the message already holds it.
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(values: &[&str]) -> Vec<String> {
        values.iter().map(|value| (*value).to_owned()).collect()
    }

    fn compiled(flags: &Flags) -> String {
        let selector = flags.compile().unwrap().unwrap();
        assert_eq!(Selector::parse(&selector.to_string()).unwrap(), selector);
        selector.to_string()
    }

    #[test]
    fn no_flag_is_no_selector_and_all_is_all() {
        assert_eq!(Flags::default().compile().unwrap(), None);
        assert_eq!(compiled(&Flags { all: true, ..Flags::default() }), "all");
        assert_eq!(compiled(&Flags { where_: list(&["all"]), ..Flags::default() }), "all");
    }

    #[test]
    fn flags_mean_and_and_repetition_means_any_of() {
        let flags = Flags {
            uid: list(&["b", "a"]),
            ip: list(&["10.0.0.0/8"]),
            port: list(&["5432"]),
            node: list(&["1"]),
            tag: list(&["team=a", "my key=b=c"]),
            state: list(&["active"]),
            idle_over: list(&["90s"]),
            all: true,
            where_: list(&["rtt > 200ms or health = stuck"]),
            ..Flags::default()
        };
        assert_eq!(
            compiled(&flags),
            "uid in (\"a\", \"b\") and ip in 10.0.0.0/8 and port = 5432 and node_id = 1 and state = \"active\" and \
             (tag.team = \"a\" or tag.\"my key\" = \"b=c\") and idle > 1m30s and \
             (rtt > 200ms or health = \"stuck\")"
        );
        let mixed = Flags { ip: list(&["::1", "10.0.0.0/8"]), ..Flags::default() };
        assert_eq!(compiled(&mixed), "ip in (::1, 10.0.0.0/8)");
        let again = Flags {
            idle_over: list(&["90s", "2m"]),
            where_: list(&["uid = a or uid = b", "rtt > 1s and mode = echo"]),
            ..Flags::default()
        };
        assert_eq!(
            compiled(&again),
            "(idle > 1m30s or idle > 2m) and (uid = \"a\" or uid = \"b\" or rtt > 1s and mode = \"echo\")"
        );
        let everything = Flags { uid: list(&["a"]), where_: list(&["uid = b", "all"]), ..Flags::default() };
        assert_eq!(compiled(&everything), "uid = \"a\"");
        let null = Flags { uid: list(&["null"]), ..Flags::default() };
        assert_eq!(compiled(&null), "uid = \"null\"");
    }

    #[test]
    fn a_refused_value_is_named_with_its_flag() {
        let said = |flags: Flags| flags.compile().unwrap_err().to_string();
        assert_eq!(
            said(Flags { port: list(&["80", "x"]), ..Flags::default() }),
            "--port \"x\" is not an integer, expected a port from 0 to 65535"
        );
        assert_eq!(
            said(Flags { state: list(&["activ"]), ..Flags::default() }),
            "--state \"activ\" is not one of its words, expected one of opening, active, half_closed, paused, \
             closing; did you mean active?"
        );
        assert!(
            said(Flags { idle_over: list(&["10"]), ..Flags::default() })
                .starts_with("--idle-over \"10\" has no unit")
        );
        assert!(said(Flags { tag: list(&["team"]), ..Flags::default() }).contains("expected KEY=VALUE"));
        assert_eq!(
            said(Flags { uid: list(&[""]), ..Flags::default() }),
            "--uid \"\" is empty, expected a value"
        );
        assert!(said(Flags { where_: list(&[""]), ..Flags::default() }).contains("the selector is empty"));
        let error = Flags { where_: list(&["idl > 10m"]), ..Flags::default() }.compile().unwrap_err();
        assert_eq!(error.flag(), "--where");
        assert!(error.to_string().starts_with("--where: unknown field \"idl\" at column 1"));
        assert!(error.selector_error().unwrap().render().contains("^^^"));
    }
}
