//! What is kept of a request: what its body says as far as that is known to be no secret, and where it was sent,
//! without what could be one.

use std::borrow::Cow;
use std::fmt;

use axum::http::Uri;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, SeqAccess, Visitor};
use serde_json::{Map, Value};

/// The longest text of a request that is kept, in bytes.
const MAX_TEXT_BYTES: usize = 4_096;
/// The fields that are kept. Any other may be a secret.
const KNOWN: &[&str] = &[
    "operation",
    "side",
    "where",
    "note",
    "typed",
    "grace_ms",
    "max",
    "max_percent",
    "sample_percent",
    "idle_first",
    "pace",
    "dry_run",
    "detach",
    "names",
    "after",
    "mode",
    "listeners",
    "listener",
    "set",
    "uid",
    "device",
    "device_flag",
    "tags",
    "conn_id",
    "node_id",
    "ip",
    "for_ms",
    "host",
    "port",
    "username",
];
/// A list of which the length is kept.
const COUNTED: &str = "items";
/// What a query's parameter is called that could be a secret.
const SECRETS: &[&str] = &["token", "pass", "secret", "key", "auth", "credential"];

/// What a body says; nothing where it is no JSON object.
pub(super) fn of(body: &[u8]) -> Map<String, Value> {
    serde_json::from_slice::<Said>(body).map(|said| said.0).unwrap_or_default()
}

struct Said(Map<String, Value>);

impl<'de> Deserialize<'de> for Said {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Fields).map(Self)
    }
}

struct Fields;

impl<'de> Visitor<'de> for Fields {
    type Value = Map<String, Value>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut fields: A) -> Result<Self::Value, A::Error> {
        let mut said = Map::new();
        while let Some(name) = fields.next_key::<Cow<'_, str>>()? {
            // Some systems write names as they like.
            let name = name.to_ascii_lowercase();
            if name == COUNTED {
                let Length(length) = fields.next_value()?;
                said.insert(name, length.into());
            } else if KNOWN.contains(&name.as_str()) {
                let value = short(fields.next_value()?);
                if !value.is_null() {
                    said.insert(name, value);
                }
            } else {
                fields.next_value::<IgnoredAny>()?;
            }
        }
        Ok(said)
    }
}

/// How many things a list has; they are not kept.
struct Length(Option<u64>);

impl<'de> Deserialize<'de> for Length {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Counting;
        impl<'de> Visitor<'de> for Counting {
            type Value = Length;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list")
            }
            fn visit_unit<E>(self) -> Result<Length, E> {
                Ok(Length(None))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, mut things: A) -> Result<Length, A::Error> {
                let mut count = 0;
                while things.next_element::<IgnoredAny>()?.is_some() {
                    count += 1;
                }
                Ok(Length(Some(count)))
            }
        }
        deserializer.deserialize_any(Counting)
    }
}

fn short(value: Value) -> Value {
    match value {
        Value::String(text) => cut(&without_login(&text)).into(),
        Value::Array(_) | Value::Object(_) => {
            let text = value.to_string();
            if text.len() > MAX_TEXT_BYTES { Value::from(cut(&text)) } else { value }
        }
        plain => plain,
    }
}

/// The beginning of a text that is too long to be kept, and how much of it is missing.
fn cut(text: &str) -> Cow<'_, str> {
    if text.len() <= MAX_TEXT_BYTES {
        return text.into();
    }
    let end = (0..=MAX_TEXT_BYTES).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    let (kept, rest) = text.split_at(end);
    format!("{kept}… ({} bytes more)", rest.len()).into()
}

/// An address without the user and password that may stand before an `@`.
fn without_login(text: &str) -> Cow<'_, str> {
    let Some((scheme, rest)) = text.split_once("://") else { return text.into() };
    match rest.rsplit_once('@') {
        Some((_, place)) => format!("{scheme}://…@{place}").into(),
        None => text.into(),
    }
}

/// The path and query that a request was sent to.
pub(super) fn target(uri: &Uri) -> String {
    let Some(query) = uri.query() else { return cut(uri.path()).into_owned() };
    let pair = |pair: &str| {
        let name = pair.split('=').next().unwrap_or_default();
        // A name that is written in percents says nothing about what it is.
        let plain = name.to_ascii_lowercase();
        let is_secret = plain.contains('%') || SECRETS.iter().any(|word| plain.contains(word));
        if is_secret { format!("{name}=…") } else { pair.to_owned() }
    };
    let pairs: Vec<_> = query.split('&').map(pair).collect();
    cut(&format!("{}?{}", uri.path(), pairs.join("&"))).into_owned()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_body_is_kept_without_what_may_be_a_secret() {
        let body = json!({ "operation": "close", "where": "uid = u1", "note": null, "password": "s3cret",
            "token": "s3cret", "items": [{ "conn_id": 1, "x": "s3cret" }, {}], "nested": { "uid": "s3cret" } });
        let said = Value::from(of(body.to_string().as_bytes()));
        assert_eq!(said, json!({ "operation": "close", "where": "uid = u1", "items": 2 }));
        let login = of(br#"{"HOST":"nats://me:s3cret@h:1","Port":1,"PassWord":"s3cret","username":"me"}"#);
        assert_eq!(Value::from(login), json!({ "host": "nats://…@h:1", "port": 1, "username": "me" }));
        for none in ["", "[]", "7", "{", "{\"uid\":"] {
            assert!(of(none.as_bytes()).is_empty(), "{none}");
        }
    }

    #[test]
    fn what_is_given_twice_is_there_with_what_counted_last() {
        assert_eq!(Value::from(of(br#"{"uid":"a","uid":"b"}"#)), json!({ "uid": "b" }));
        // A list that is none does not hide the rest.
        assert_eq!(Value::from(of(br#"{"items":null,"uid":"a"}"#)), json!({ "items": null, "uid": "a" }));
    }

    #[test]
    fn long_texts_are_cut_and_say_so() {
        let said =
            of(json!({ "where": "ä".repeat(5_000), "names": vec!["x"; 5_000] }).to_string().as_bytes());
        for name in ["where", "names"] {
            let text = said[name].as_str().unwrap();
            assert!(text.len() < MAX_TEXT_BYTES + 40 && text.contains("bytes more"), "{text}");
        }
    }

    #[test]
    fn a_target_has_no_secret_in_its_query() {
        let target = |text: &'static str| target(&Uri::from_static(text));
        assert_eq!(target("/current/connections?type=reset&side"), "/current/connections?type=reset&side");
        assert_eq!(target("/x?Token=a&apikey=b&type=c&p%61ss=d"), "/x?Token=…&apikey=…&type=c&p%61ss=…");
        assert_eq!(target("http://u:p@localhost/x"), "/x");
    }
}
