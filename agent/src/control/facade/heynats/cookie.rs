//! The cookie that names a session.

use axum::http::{HeaderMap, HeaderValue, header};

/// Its name.
const NAME: &str = "connection_id";
/// How long a client keeps it: as long as a session that nobody uses.
const MAX_AGE_SECONDS: u64 = 86_400;

/// The value in a request; the first of several counts.
pub(super) fn of(headers: &HeaderMap) -> Option<&str> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(';'))
        .filter_map(|pair| pair.split_once('='))
        .find(|(name, _)| name.trim() == NAME)
        .map(|(_, value)| value.trim().trim_matches('"'))
}

/// The header that gives a client the name of its session.
pub(super) fn set(id: &str, headers: &HeaderMap) -> Option<HeaderValue> {
    value(id, &format!("Max-Age={MAX_AGE_SECONDS}"), headers)
}

/// The header that takes it back.
pub(super) fn clear(headers: &HeaderMap) -> Option<HeaderValue> {
    value("", "Max-Age=0", headers)
}

/// No script reads it, no other site's form sends it, and where the client came over TLS it never goes
/// without. A proxy before the agent says so, and the agent's own TLS does too.
fn value(id: &str, age: &str, headers: &HeaderMap) -> Option<HeaderValue> {
    let is_over_tls =
        headers.get("x-forwarded-proto").is_some_and(|proto| proto.as_bytes().eq_ignore_ascii_case(b"https"));
    let secure = if is_over_tls { "; Secure" } else { "" };
    HeaderValue::try_from(format!("{NAME}={id}; Path=/; {age}; HttpOnly{secure}; SameSite=Lax")).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &'static str)]) -> HeaderMap {
        pairs.iter().map(|(name, value)| (name.parse().unwrap(), HeaderValue::from_static(value))).fold(
            HeaderMap::new(),
            |mut all, (name, value): (header::HeaderName, _)| {
                all.append(name, value);
                all
            },
        )
    }

    #[test]
    fn it_is_found_among_others() {
        assert_eq!(of(&headers(&[])), None);
        assert_eq!(of(&headers(&[("cookie", "a=1; connection_id=x; connection_id=y")])), Some("x"));
        assert_eq!(
            of(&headers(&[("cookie", "xconnection_id=1"), ("cookie", "connection_id=\"z\"")])),
            Some("z")
        );
        assert_eq!(of(&headers(&[("cookie", "connection_id=")])), Some(""));
        assert_eq!(of(&headers(&[("cookie", "connection_id")])), None);
    }

    #[test]
    fn scripts_do_not_read_it_and_it_stays_on_tls() {
        let plain = set("x", &HeaderMap::new()).unwrap();
        assert_eq!(plain, "connection_id=x; Path=/; Max-Age=86400; HttpOnly; SameSite=Lax");
        let secure = set("x", &headers(&[("x-forwarded-proto", "HTTPS")])).unwrap();
        assert!(secure.to_str().unwrap().contains("; Secure;"), "{secure:?}");
        assert!(clear(&HeaderMap::new()).unwrap().to_str().unwrap().contains("connection_id=; "));
    }
}
