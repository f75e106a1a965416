//! The body of a connect request. Names in any case, unknown ones ignored, as the original reads them.

use axum::extract::Request;
use connctl_api::error::ApiError;
use serde_json::{Map, Value};
use zeroize::Zeroizing;

use crate::control::extract::{SMALL_BODY_BYTES, read};
use crate::ops::session::Target;

/// Where to connect to, and as whom.
pub(super) async fn target(request: Request) -> Result<Target, ApiError> {
    parse(&Zeroizing::new(read(request, SMALL_BODY_BYTES).await?))
}

fn parse(bytes: &[u8]) -> Result<Target, ApiError> {
    let mut fields = match serde_json::from_slice(bytes) {
        Ok(Value::Object(fields)) => fields,
        Ok(_) => return Err(ApiError::invalid("body", "the body must be a JSON object")),
        // The text of the error has places and no values.
        Err(error) => return Err(ApiError::invalid("body", format!("the body is not JSON: {error}"))),
    };
    // Before anything can be wrong, so that the rest of the object has no password in it.
    let password = text(&mut fields, "password");
    let host = required(text(&mut fields, "host")?, "host")?;
    let port = match take(&mut fields, "port") {
        // The original takes a text only; nobody depends on a number being refused.
        Value::Number(number) => number.to_string(),
        Value::String(text) => required(text, "port")?,
        other => return Err(wrong("port", &other)),
    };
    let port = port
        .parse()
        .map_err(|_| ApiError::invalid("port", format!("port {port:?} is no port: 1 to 65535")))?;
    let username = text(&mut fields, "username")?;
    Target::new(host, port, username, password?)
}

fn take(fields: &mut Map<String, Value>, name: &str) -> Value {
    let given = fields.keys().find(|given| given.eq_ignore_ascii_case(name)).cloned();
    let exact = fields.remove(name);
    exact.or_else(|| fields.remove(&given?)).unwrap_or(Value::Null)
}

fn text(fields: &mut Map<String, Value>, name: &'static str) -> Result<String, ApiError> {
    match take(fields, name) {
        Value::Null => Ok(String::new()),
        Value::String(text) => Ok(text),
        other => Err(wrong(name, &other)),
    }
}

fn required(text: String, name: &'static str) -> Result<String, ApiError> {
    if text.is_empty() { Err(ApiError::invalid(name, format!("{name} is missing"))) } else { Ok(text) }
}

/// The kind is told and not the value, which may be a secret in the wrong place.
fn wrong(name: &'static str, value: &Value) -> ApiError {
    let kind = match value {
        Value::Null => return ApiError::invalid(name, format!("{name} is missing")),
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "an array",
        Value::Object(_) => "an object",
    };
    ApiError::invalid(name, format!("{name} is {kind} and must be a string"))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_target_is_read_as_clients_write_it() {
        for text in [
            r#"{"host":"h","port":"4222","username":"u","password":"p"}"#,
            r#"{"Host":"h","PORT":4222,"username":"u","password":"p","extra":[1]}"#,
        ] {
            let target = parse(text.as_bytes()).unwrap();
            assert_eq!((target.to_string(), &*target.username), ("h:4222".to_owned(), "u"));
        }
        assert!(parse(br#"{"host":"h","port":"4222","username":null}"#).unwrap().username.is_empty());
    }

    #[test]
    fn a_wrong_body_names_the_field_and_no_secret() {
        for (text, field) in [
            ("", "body"),
            ("{", "body"),
            ("[]", "body"),
            ("\"s3cret\"", "body"),
            ("{}", "host"),
            (r#"{"host":"","port":"1"}"#, "host"),
            (r#"{"host":7,"port":"1"}"#, "host"),
            (r#"{"host":"h"}"#, "port"),
            (r#"{"host":"h","port":""}"#, "port"),
            (r#"{"host":"h","port":true}"#, "port"),
            (r#"{"host":"h","port":"x"}"#, "port"),
            (r#"{"host":"h","port":"0"}"#, "port"),
            (r#"{"host":"h","port":65536}"#, "port"),
            (r#"{"host":"h","port":4222.5}"#, "port"),
            (r#"{"host":"h","port":-1}"#, "port"),
            (r#"{"host":"h","port":"1","username":[]}"#, "username"),
            (r#"{"host":"h","port":"1","password":{"is":"s3cret"}}"#, "password"),
        ] {
            let error = parse(text.as_bytes()).unwrap_err();
            assert_eq!(error.detail.field.as_deref(), Some(field), "{text}: {}", error.message);
            assert!(!error.message.contains("s3cret"), "{}", error.message);
        }
    }

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let _ = parse(&bytes);
        }
    }
}
