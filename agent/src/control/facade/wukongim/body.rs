//! Bodies as this system reads them: names in any case, unknown ones ignored, what is absent or `null` is
//! zero, and no number in quotes.

use axum::extract::Request;
use serde_json::{Map, Value};

use super::answer::Fault;
use crate::control::extract::{SMALL_BODY_BYTES, read};

/// The fields of a JSON object.
#[derive(Debug)]
pub(super) struct Fields(Map<String, Value>);

impl Fields {
    /// Reads a request's body.
    pub(super) async fn of(request: Request) -> Result<Self, Fault> {
        Self::parse(&read(request, SMALL_BODY_BYTES).await?)
    }

    fn parse(text: &[u8]) -> Result<Self, Fault> {
        match serde_json::from_slice(text) {
            Ok(Value::Object(fields)) => Ok(Self(fields)),
            Ok(Value::Null) => Ok(Self(Map::new())),
            Ok(other) => Err(Fault::bad(format!("json: cannot unmarshal {} into an object", kind(&other)))),
            Err(error) => Err(Fault::bad(format!("json: {error}"))),
        }
    }

    /// A field; a name in the right case comes first.
    fn get(&self, name: &str) -> &Value {
        let similar = || self.0.iter().find(|(given, _)| given.eq_ignore_ascii_case(name));
        self.0.get(name).or_else(|| similar().map(|(_, value)| value)).unwrap_or(&Value::Null)
    }

    /// A text.
    pub(super) fn text(&self, name: &str) -> Result<&str, Fault> {
        match self.get(name) {
            Value::Null => Ok(""),
            Value::String(text) => Ok(text),
            other => Err(wrong(name, other, "string")),
        }
    }

    /// A number with a sign.
    pub(super) fn int64(&self, name: &str) -> Result<i64, Fault> {
        match self.get(name) {
            Value::Null => Ok(0),
            other => other.as_i64().ok_or_else(|| wrong(name, other, "int64")),
        }
    }

    /// A number without one.
    pub(super) fn uint64(&self, name: &str) -> Result<u64, Fault> {
        match self.get(name) {
            Value::Null => Ok(0),
            other => other.as_u64().ok_or_else(|| wrong(name, other, "uint64")),
        }
    }
}

fn wrong(name: &str, value: &Value, into: &str) -> Fault {
    Fault::bad(format!("json: cannot unmarshal {} into field {name} of type {into}", kind(value)))
}

fn kind(value: &Value) -> String {
    match value {
        Value::Null => "null".into(),
        Value::Bool(_) => "bool".into(),
        Value::Number(number) => format!("number {number}"),
        Value::String(text) => format!("string {text:?}"),
        Value::Array(_) => "array".into(),
        Value::Object(_) => "object".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn fields(text: &str) -> Fields {
        Fields::parse(text.as_bytes()).unwrap()
    }

    #[test]
    fn absent_fields_are_zero_and_names_have_any_case() {
        let read = fields(r#"{"UID":"u1","conn_id":-5,"later":[]}"#);
        assert_eq!(read.text("uid"), Ok("u1"));
        assert_eq!(read.int64("conn_id"), Ok(-5));
        assert_eq!(read.uint64("node_id"), Ok(0));
        assert_eq!(fields(r#"{"Uid":"a","uid":"b"}"#).text("uid"), Ok("b"));
        assert_eq!(fields("null").text("uid"), Ok(""));
    }

    #[test]
    fn a_wrong_type_names_the_field() {
        let read = fields(r#"{"conn_id":"12","uid":7,"node_id":-1,"x":1.5,"big":9223372036854775808}"#);
        for fault in [
            read.int64("conn_id").unwrap_err(),
            read.text("uid").unwrap_err(),
            read.uint64("node_id").unwrap_err(),
            read.int64("x").unwrap_err(),
            read.int64("big").unwrap_err(),
        ] {
            let text = serde_json::to_string(&fault).unwrap();
            assert!(text.contains("cannot unmarshal") && text.ends_with(r#""status":400}"#), "{text}");
        }
        for wrong in ["", "{", "[]", "7"] {
            assert!(Fields::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }
}
