//! Properties of the whole language, on random trees, records and text. The model below shares no code with
//! the evaluator: it prints its own text and works on plain values.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use proptest::prelude::*;

use super::testing::Record;
use super::{Field, Flags, Hint, Selector, Value};

/// A connection as the model sees it: everything known is a number or a text.
#[derive(Debug, Clone, Default)]
struct Plain {
    numbers: BTreeMap<&'static str, u64>,
    texts: BTreeMap<&'static str, String>,
    ip: Option<u32>,
    /// Shown to the evaluator as an IPv6 address.
    ip_is_mapped: bool,
}

#[derive(Debug, Clone)]
enum Model {
    All(Vec<Model>),
    Any(Vec<Model>),
    Not(Box<Model>),
    Number(&'static str, &'static str, u64),
    NumberIn(&'static str, bool, Vec<(u64, u64)>),
    Text(&'static str, &'static str, String),
    TextIn(&'static str, bool, Vec<String>),
    Like(&'static str, bool, String),
    Null(&'static str, bool),
    Net(bool, Vec<(u32, u8)>),
}

const NUMBERS: &[&str] =
    &["conn_id", "port", "idle", "bytes", "to_client_rate", "idle_percent", "opened_at", "rtt"];
const TEXTS: &[&str] = &["uid", "listener", "tag.team", "tag.\"a key\""];
const WORDS: &[&str] = &["a", "b", "ab", "null", "é \"q\" \\", ""];

/// How a number looks in a selector, by its field. The unit of idle and rtt is 1 ms.
fn literal(name: &str, number: u64) -> String {
    match name {
        "idle" | "rtt" => format!("{number}ms"),
        "bytes" => format!("{number}B"),
        "to_client_rate" => format!("{number}B/s"),
        "idle_percent" => format!("{number}%"),
        "opened_at" => format!("1970-01-01T00:00:00.{number:03}Z"),
        _ => number.to_string(),
    }
}

fn value(name: &str, number: u64) -> Value<'static> {
    match name {
        "idle" | "rtt" => Value::Duration(number * 1000),
        "bytes" => Value::Size(number),
        "to_client_rate" | "idle_percent" => Value::Float(number as f64),
        "opened_at" => Value::Time(i64::try_from(number).unwrap()),
        _ => Value::Int(number),
    }
}

impl Plain {
    fn record(&self) -> Record {
        let mut record = Record::default();
        for (name, number) in &self.numbers {
            record = record.with(Field::by_name(name).unwrap(), value(name, *number));
        }
        for (name, text) in &self.texts {
            record = match name.strip_prefix("tag.") {
                Some(key) => record.with_tag(key.trim_matches('"'), text),
                None => record.with(Field::by_name(name).unwrap(), Value::Text(text.clone().leak())),
            };
        }
        if let Some(bits) = self.ip {
            let v4 = Ipv4Addr::from(bits);
            let ip = if self.ip_is_mapped { IpAddr::V6(v4.to_ipv6_mapped()) } else { IpAddr::V4(v4) };
            record = record.with(Field::Ip, Value::Ip(ip));
        }
        record
    }
}

fn single_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', "\\\\").replace('\'', "\\'"))
}

fn list(negated: bool, items: impl Iterator<Item = String>) -> String {
    format!("{}in ({})", if negated { "not " } else { "" }, items.collect::<Vec<_>>().join(","))
}

impl Model {
    fn text(&self) -> String {
        let group = |parts: &[Model], word: &str| {
            format!("({})", parts.iter().map(Model::text).collect::<Vec<_>>().join(word))
        };
        match self {
            Model::All(parts) => group(parts, " and "),
            Model::Any(parts) => group(parts, " OR "),
            Model::Not(inner) => format!("not {}", inner.text()),
            Model::Number(name, op, number) => format!("{name}{op}{}", literal(name, *number)),
            Model::NumberIn(name, negated, ranges) => {
                let item = |&(from, to): &(u64, u64)| match from == to {
                    true => literal(name, from),
                    false => format!("{}..{}", literal(name, from), literal(name, to)),
                };
                format!("{name} {}", list(*negated, ranges.iter().map(item)))
            }
            Model::Text(name, op, word) => format!("{name} {op} {}", single_quoted(word)),
            Model::TextIn(name, negated, words) => {
                format!("{name} {}", list(*negated, words.iter().map(|word| single_quoted(word))))
            }
            Model::Like(name, negated, part) => {
                format!("{name} {} '{part}'", if *negated { "!~" } else { "~" })
            }
            Model::Null(name, negated) => format!("{name} {} null", if *negated { "!=" } else { "=" }),
            Model::Net(negated, nets) => {
                let item = |&(bits, prefix): &(u32, u8)| format!("{}/{prefix}", Ipv4Addr::from(bits));
                format!("ip {}", list(*negated, nets.iter().map(item)))
            }
        }
    }

    fn holds(&self, plain: &Plain) -> bool {
        match self {
            Model::All(parts) => !parts.iter().any(|part| !part.holds(plain)),
            Model::Any(parts) => parts.iter().filter(|part| part.holds(plain)).count() > 0,
            Model::Not(inner) => !inner.holds(plain),
            Model::Number(name, op, wanted) => match (plain.numbers.get(name), *op) {
                (None, op) => op == "!=",
                (Some(found), "=") => found == wanted,
                (Some(found), "!=") => found != wanted,
                (Some(found), "<") => found < wanted,
                (Some(found), "<=") => found <= wanted,
                (Some(found), ">") => found > wanted,
                (Some(found), _) => found >= wanted,
            },
            Model::NumberIn(name, negated, ranges) => match plain.numbers.get(name) {
                None => *negated,
                Some(found) => *negated != ranges.iter().any(|(from, to)| (from..=to).contains(&found)),
            },
            Model::Text(name, op, word) => (plain.texts.get(name) == Some(word)) == (*op == "="),
            Model::TextIn(name, negated, words) => {
                *negated != plain.texts.get(name).is_some_and(|found| words.contains(found))
            }
            Model::Like(name, negated, part) => {
                *negated != plain.texts.get(name).is_some_and(|found| found.contains(part))
            }
            Model::Null(name, negated) => {
                let known = plain.numbers.contains_key(name) || plain.texts.contains_key(name);
                known == *negated
            }
            Model::Net(negated, nets) => {
                let first_bits = |bits: u32, prefix: u8| u64::from(bits) >> (32 - prefix);
                let inside = |ip: u32| nets.iter().any(|&(net, p)| first_bits(ip, p) == first_bits(net, p));
                *negated != plain.ip.is_some_and(inside)
            }
        }
    }
}

fn words() -> impl Strategy<Value = String> {
    prop::sample::select(WORDS).prop_map(str::to_owned)
}

/// Few distinct addresses, so that networks are hit.
fn ips() -> impl Strategy<Value = u32> {
    prop::sample::select(&[0x0a00_0001_u32, 0x0a00_0101, 0x0aff_0001, 0xc0a8_0001][..])
}

fn models() -> impl Strategy<Value = Model> {
    let number_name = || prop::sample::select(NUMBERS);
    let text_name = || prop::sample::select(TEXTS);
    let range = (1_u64..8, 0_u64..4).prop_map(|(from, more)| (from, from + more));
    let leaf = prop_oneof![
        (number_name(), prop::sample::select(&["=", "!=", "<", "<=", ">", ">="][..]), 1_u64..10)
            .prop_map(|(name, op, number)| Model::Number(name, op, number)),
        (number_name(), any::<bool>(), prop::collection::vec(range, 1..4))
            .prop_map(|(name, negated, ranges)| Model::NumberIn(name, negated, ranges)),
        (text_name(), prop::sample::select(&["=", "!="][..]), words())
            .prop_map(|(name, op, word)| Model::Text(name, op, word)),
        (text_name(), any::<bool>(), prop::collection::vec(words(), 1..4))
            .prop_map(|(name, negated, words)| Model::TextIn(name, negated, words)),
        (text_name(), any::<bool>(), "[ab]{1,2}")
            .prop_map(|(name, negated, part)| Model::Like(name, negated, part)),
        (prop_oneof![number_name(), text_name()], any::<bool>())
            .prop_map(|(name, negated)| Model::Null(name, negated)),
        (any::<bool>(), prop::collection::vec((ips(), 0_u8..=32), 1..3))
            .prop_map(|(negated, nets)| Model::Net(negated, nets)),
    ];
    leaf.prop_recursive(4, 24, 4, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 1..4).prop_map(Model::All),
            prop::collection::vec(inner.clone(), 1..4).prop_map(Model::Any),
            inner.prop_map(|inner| Model::Not(Box::new(inner))),
        ]
    })
    .prop_filter("regular expressions are counted", |model| model.text().matches('~').count() <= 32)
}

fn plains() -> impl Strategy<Value = Plain> {
    (
        prop::collection::btree_map(prop::sample::select(NUMBERS), 1_u64..10, 0..8),
        prop::collection::btree_map(prop::sample::select(TEXTS), words(), 0..4),
        prop::option::of(ips()),
        any::<bool>(),
    )
        .prop_map(|(numbers, texts, ip, ip_is_mapped)| Plain { numbers, texts, ip, ip_is_mapped })
}

fn is_within(hint: &Hint, record: &Record) -> bool {
    use super::Subject as _;
    match hint {
        Hint::Ids(ids) => matches!(record.value(Field::ConnId), Value::Int(id) if ids.contains(&id)),
        Hint::Uids(uids) => {
            matches!(record.value(Field::Uid), Value::Text(uid) if uids.iter().any(|u| u == uid))
        }
        Hint::Ips(nets) => match record.value(Field::Ip) {
            Value::Ip(ip) => nets.iter().any(|net| net.contains(&ip.to_canonical())),
            _ => false,
        },
        Hint::Scan => true,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn the_evaluator_agrees_with_the_model(model in models(), plains in prop::collection::vec(plains(), 1..6)) {
        let text = model.text();
        let selector = Selector::parse(&text).map_err(|error| TestCaseError::fail(error.render()))?;
        for plain in plains {
            let record = plain.record();
            let matches = selector.matches(&record);
            prop_assert_eq!(matches, model.holds(&plain), "{} on {:?}", text, plain);
            prop_assert!(!matches || is_within(&selector.hint(), &record), "{:?} loses a match of {}", selector.hint(), text);
        }
    }

    #[test]
    fn printing_is_the_reverse_of_parsing(model in models()) {
        let selector = Selector::parse(&model.text()).unwrap();
        let printed = selector.to_string();
        let again = Selector::parse(&printed).map_err(|error| TestCaseError::fail(error.render()))?;
        prop_assert_eq!(&again, &selector);
        prop_assert_eq!(again.to_string(), printed);
    }

    #[test]
    fn and_is_and(left in models(), right in models(), plain in plains()) {
        let parse = |model: &Model| Selector::parse(&model.text()).unwrap();
        let both = parse(&left).and(parse(&right));
        prop_assert_eq!(both.matches(&plain.record()), left.holds(&plain) && right.holds(&plain));
        prop_assert_eq!(Selector::parse(&both.to_string()).ok(), Some(both));
    }

    #[test]
    fn no_text_panics(text in any::<String>()) {
        if let Err(error) = Selector::parse(&text) {
            let _ = (error.render(), error.to_string());
        }
    }

    /// Text that gets further than random characters do.
    #[test]
    fn no_near_miss_panics_and_what_parses_prints_back(
        parts in prop::collection::vec(prop::sample::select(PARTS), 0..14),
    ) {
        let text = parts.join(" ");
        match Selector::parse(&text) {
            Ok(selector) => prop_assert_eq!(Selector::parse(&selector.to_string()).ok(), Some(selector)),
            Err(error) => {
                prop_assert!(text.get(error.span().start..error.span().end).is_some());
                prop_assert!(error.render().contains('^'));
            }
        }
    }

    #[test]
    fn no_flag_value_panics(value in any::<String>(), key in 0_usize..9) {
        let mut flags = Flags::default();
        let Flags { uid, conn_id, ip, port, listener, node, device, tag, state, .. } = &mut flags;
        let lists = [uid, conn_id, ip, port, listener, node, device, tag, state];
        lists.into_iter().nth(key).unwrap().extend([value.clone(), value]);
        match flags.compile() {
            Ok(selector) => {
                let selector = selector.unwrap();
                prop_assert_eq!(Selector::parse(&selector.to_string()).ok(), Some(selector));
            }
            Err(error) => prop_assert!(!error.to_string().is_empty()),
        }
    }
}

/// Pieces of selectors, right and wrong.
const PARTS: &[&str] = &[
    "uid",
    "idle",
    "ip",
    "port",
    "client",
    "opened_at",
    "to_client_rate",
    "tag.",
    "tag.x",
    "\"k\"",
    "=",
    "!=",
    "<",
    ">=",
    "~",
    "!~",
    "in",
    "not",
    "and",
    "or",
    "(",
    ")",
    ",",
    "..",
    "null",
    "all",
    "5",
    "10m",
    "1MiB/s",
    "0.1kb/s",
    "10.0.0.0/8",
    "::ffff:1.2.3.4",
    "::ffff:0:0/96",
    "::1",
    "[::1]:5",
    "1.2.3.4:5",
    "2026-11-21T12:00:00+02:00",
    "'é'",
    "\"\\d\"",
    "state",
    "active",
    "identified",
    "true",
    "20%",
    "-5",
    "\u{7f}",
    "\"",
];

#[test]
fn the_example_of_the_reference_selects_what_it_says() {
    let text =
        "idle > 10m and not (uid in (\"a\",\"b\") or ip in 10.0.0.0/8) and listener = \"pg\" and rtt > 200ms";
    let selector = Selector::parse(text).unwrap();
    assert!(selector.needs_kernel() && !selector.is_all());
    let record = Record::default()
        .with(Field::Idle, Value::Duration(601_000_000))
        .with(Field::Listener, Value::Text("pg"))
        .with(Field::Rtt, Value::Duration(200_001));
    assert!(selector.matches(&record));
    assert!(!selector.matches(&record.clone().with(Field::Uid, Value::Text("a"))));
    assert!(
        !selector.matches(&record.clone().with(Field::Ip, Value::Ip("::ffff:10.1.1.1".parse().unwrap())))
    );
    assert!(!selector.matches(&record.with(Field::Rtt, Value::Duration(200_000))));
}

#[test]
fn missing_values_and_other_kinds_follow_the_reference() {
    let empty = Record::default();
    let strange = {
        let mut record = Record::default();
        record.values.insert(Field::Idle, Value::Text("1s"));
        record.values.insert(Field::ToClientRate, Value::Float(f64::NAN));
        record
    };
    for (text, on_empty) in [
        ("uid = x", false),
        ("not uid = x", true),
        ("uid != x", true),
        ("uid not in (x)", true),
        ("uid !~ x", true),
        ("uid = null", true),
        ("uid != null", false),
        ("idle < 1s", false),
        ("not idle < 1s", true),
        ("tag.x = null", true),
        ("all", true),
    ] {
        assert_eq!(Selector::parse(text).unwrap().matches(&empty), on_empty, "{text}");
    }
    for text in ["idle >= 0s", "to_client_rate >= 0", "to_client_rate <= 1", "idle = null"] {
        assert!(!Selector::parse(text).unwrap().matches(&strange), "{text}");
    }
}

#[test]
fn addresses_match_in_either_clothes() {
    let mapped: SocketAddr = "[::ffff:10.0.0.1]:80".parse().unwrap();
    let record =
        Record::default().with(Field::Client, Value::Address(mapped)).with(Field::Ip, Value::Ip(mapped.ip()));
    for text in [
        "ip in 10.0.0.0/8",
        "ip in ::ffff:10.0.0.0/104",
        "ip = ::ffff:10.0.0.1",
        "ip in 10.0.0.0..10.0.0.2",
        "ip in (::1, 10.0.0.1, 192.168.0.0/16)",
        "client = 10.0.0.1:80",
        "client in ([::ffff:10.0.0.1]:80)",
    ] {
        assert!(Selector::parse(text).unwrap().matches(&record), "{text}");
    }
}
