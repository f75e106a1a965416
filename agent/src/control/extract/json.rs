//! JSON whose errors say where: serde tells a line and a column, an operator wants the field.

use connctl_api::error::{ApiError, ErrorCode};
use serde::de::DeserializeOwned;
use serde_json::error::Category;

/// Reads a request. The error names the field, and the value where it has one.
pub(super) fn parse<T: DeserializeOwned>(text: &[u8]) -> Result<T, ApiError> {
    let read = serde_json::from_slice(text).map_err(|error| describe(text, &error));
    // serde would take an array as well, with the fields in their order.
    match text.iter().find(|byte| !byte.is_ascii_whitespace()) {
        Some(b'[') => Err(ApiError::new(ErrorCode::InvalidRequest, NO_OBJECT).field("body")),
        _ => read,
    }
}

/// The most of a body that an error repeats.
const SHOWN_CHARS: usize = 40;

const NO_OBJECT: &str = "the body is a JSON array and must be a JSON object";

fn describe(text: &[u8], error: &serde_json::Error) -> ApiError {
    let invalid = |message: String| ApiError::new(ErrorCode::InvalidRequest, message);
    if text.iter().all(u8::is_ascii_whitespace) {
        return invalid("the body is empty and must be a JSON object".into()).field("body");
    }
    match error.classify() {
        Category::Data if !text.trim_ascii_start().starts_with(b"{") => {
            let shown: String = String::from_utf8_lossy(text).trim().chars().take(SHOWN_CHARS).collect();
            invalid(format!("the body is {shown} and must be a JSON object")).field("body")
        }
        Category::Data => {
            let place = Place::at(text, offset(text, error.line(), error.column()));
            let message = without_position(error);
            let field = match named_in(&message) {
                Some(name) => join(&place.inside, name),
                None if place.value.is_empty() => "body".to_owned(),
                None => place.value,
            };
            invalid(format!("{field}: {message}")).field(field)
        }
        Category::Io | Category::Syntax | Category::Eof => {
            invalid(format!("the body is not JSON: {error}")).field("body")
        }
    }
}

/// The field that a message of serde names itself: a missing one stands nowhere in the text.
fn named_in(message: &str) -> Option<&str> {
    ["missing field `", "unknown field `", "duplicate field `"]
        .into_iter()
        .find_map(|start| message.strip_prefix(start))
        .and_then(|rest| rest.split('`').next())
}

fn without_position(error: &serde_json::Error) -> String {
    let text = error.to_string();
    match text.rfind(" at line ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}

fn offset(text: &[u8], line: usize, column: usize) -> usize {
    let before: usize =
        text.split(|byte| *byte == b'\n').take(line.saturating_sub(1)).map(|l| l.len() + 1).sum();
    before.saturating_add(column).min(text.len())
}

fn join(path: &str, name: &str) -> String {
    if path.is_empty() { name.to_owned() } else { format!("{path}.{name}") }
}

/// Where in a JSON text a byte is.
#[derive(Debug, PartialEq)]
struct Place {
    /// The path of the last value or key that begins before it: `items[3].conn_id`.
    value: String,
    /// The path of the object or array around it; of the one just closed where one was.
    inside: String,
}

/// One object or array that is open at some place in the text.
enum Level {
    Object { key: String, expects_key: bool },
    Array { index: usize },
}

impl Place {
    /// Reads tokens up to the byte. The text need not be whole or valid after it.
    fn at(text: &[u8], end: usize) -> Self {
        let mut levels: Vec<Level> = Vec::new();
        let mut value = String::new();
        let mut closed = None;
        let mut at = 0;
        while at < end {
            let byte = text[at];
            if !byte.is_ascii_whitespace() {
                closed = None;
            }
            match byte {
                b'{' => levels.push(Level::Object { key: String::new(), expects_key: true }),
                b'[' => {
                    levels.push(Level::Array { index: 0 });
                    value = path(&levels);
                }
                // An error just after an end is about the last field inside, if it is not about the whole
                // (a missing field): serde reads on to the end before it reports either.
                b'}' | b']' => {
                    if let Some(Level::Object { key, .. }) = levels.last_mut() {
                        key.clear();
                    }
                    closed = Some(path(&levels));
                    levels.pop();
                }
                b',' => {
                    match levels.last_mut() {
                        Some(Level::Object { expects_key, .. }) => *expects_key = true,
                        Some(Level::Array { index }) => *index += 1,
                        None => {}
                    }
                    value = path(&levels);
                }
                b'"' => {
                    let from = at;
                    at = end_of_string(text, at);
                    if let Some(Level::Object { key, expects_key: expects_key @ true }) = levels.last_mut() {
                        *key = serde_json::from_slice(&text[from..at]).unwrap_or_default();
                        *expects_key = false;
                        value = path(&levels);
                    }
                    continue;
                }
                _ => {}
            }
            at += 1;
        }
        if let Some(Level::Object { key, .. }) = levels.last_mut() {
            key.clear();
        }
        let inside = closed.unwrap_or_else(|| path(&levels));
        Self { value, inside }
    }
}

/// Just after the closing quote of the string that begins at `from`.
fn end_of_string(text: &[u8], from: usize) -> usize {
    let mut at = from + 1;
    while at < text.len() {
        match text[at] {
            b'\\' => at += 2,
            b'"' => return at + 1,
            _ => at += 1,
        }
    }
    text.len()
}

fn path(levels: &[Level]) -> String {
    let mut path = String::new();
    for level in levels {
        match level {
            Level::Object { key, .. } if key.is_empty() => {}
            Level::Object { key, .. } => path = join(&path, key),
            Level::Array { index } => path = format!("{path}[{index}]"),
        }
    }
    path
}

#[cfg(test)]
mod tests {
    use connctl_api::conn::AssignRequest;
    use connctl_api::listener::GateRequest;
    use connctl_api::operation::OperationRequest;
    use connctl_api::wait::WaitRequest;

    use super::*;

    #[track_caller]
    fn check<T: DeserializeOwned + std::fmt::Debug>(text: &str, field: &str, says: &str) {
        let error = parse::<T>(text.as_bytes()).unwrap_err();
        assert_eq!(error.detail.field.as_deref(), Some(field), "{}", error.message);
        assert!(error.message.contains(says), "{}", error.message);
    }

    #[test]
    fn an_error_names_the_field_and_the_value() {
        check::<OperationRequest>(r#"{"operation":"explode"}"#, "operation", "explode");
        check::<OperationRequest>(r#"{"operation":"close","grace_ms":"soon"}"#, "grace_ms", "soon");
        check::<OperationRequest>(r#"{"operation":"close","grace_ms":-5}"#, "grace_ms", "-5");
        check::<OperationRequest>(r#"{"operation":"close","colour":1}"#, "colour", "unknown field");
        check::<OperationRequest>(r#"{"where":"all"}"#, "operation", "missing field");
        check::<OperationRequest>(r#"{"operation":"close","where":7}"#, "where", "7");
        check::<WaitRequest>(r#"{"for":"count=x","timeout_ms":1}"#, "for", "count=x");
        check::<GateRequest>(r#"{"names":["a",7]}"#, "names[1]", "7");
        check::<GateRequest>("{\n  \"names\": [],\n  \"mode\": \"hide\"\n}", "mode", "hide");
        check::<AssignRequest>(r#"{"uid":"u","tags":{"k":1}}"#, "tags.k", "1");
    }

    #[test]
    fn an_error_in_a_list_names_the_place() {
        let items = |item: &str| format!(r#"{{"operation":"close","items":[{{"conn_id":1}},{item}]}}"#);
        check::<OperationRequest>(&items(r#"{"conn_id":0}"#), "items[1].conn_id", "0 is not an id");
        check::<OperationRequest>(&items(r#"{"conn_id":"2"}"#), "items[1].conn_id", "\"2\"");
        check::<OperationRequest>(&items(r#"{"conn_id":2,"uid":3}"#), "items[1].uid", "3");
        check::<OperationRequest>(&items(r#"{"uid":"u, [{"}"#), "items[1].conn_id", "missing field");
        check::<OperationRequest>(&items(r#"{"conn_id":2,"x":{}}"#), "items[1].x", "unknown field");
        check::<OperationRequest>(&items("7"), "items[1]", "7");
    }

    #[test]
    fn what_is_not_json_or_not_an_object_is_the_body() {
        for text in ["", "  ", "{", "nonsense", "{\"operation\":\"close\"}}", "\u{1}"] {
            let error = parse::<OperationRequest>(text.as_bytes()).unwrap_err();
            assert_eq!(error.detail.field.as_deref(), Some("body"), "{text:?} {}", error.message);
        }
        check::<OperationRequest>(r#"["close"]"#, "body", "array");
        check::<OperationRequest>("7", "body", "7");
    }

    proptest::proptest! {
        #[test]
        fn no_text_makes_it_panic(text in proptest::collection::vec(proptest::num::u8::ANY, 0..64), end in 0usize..80) {
            Place::at(&text, end.min(text.len()));
            let _ = parse::<OperationRequest>(&text);
        }

        #[test]
        fn no_almost_json_makes_it_panic(text in "[\\[\\]{}\",:a1\\\\ \n]{0,40}") {
            let _ = parse::<OperationRequest>(text.as_bytes());
        }
    }
}
