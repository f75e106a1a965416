//! What somebody shows of themselves, as text: tokens, cookies, the names of sessions and of certificates.

#[allow(dead_code, unreachable_pub, reason = "the facade's file as it is")]
#[path = "../../../agent/src/control/facade/heynats/cookie.rs"]
mod cookie;

use axum::http::{HeaderMap, HeaderValue, header};
use connctl_agent::config::x509;
use connctl_agent::outbound::secret::Key;
use connctl_api::client::Token;

use crate::input::parts;

/// What a file or the environment has becomes one header, or is refused without being repeated.
pub(crate) fn token(bytes: &[u8]) {
    let Ok(text) = std::str::from_utf8(bytes) else {
        return;
    };
    let word = text.trim();
    let is_one = !word.is_empty() && word.bytes().all(|byte| byte.is_ascii_graphic());
    match Token::new(text) {
        Ok(token) => {
            assert!(is_one, "{text:?}");
            assert_eq!(format!("{token:?}"), "Token");
        }
        Err(error) => {
            assert!(!is_one, "{text:?}: {error}");
            let known = ["is empty", "is no token: one word of printable ASCII"];
            assert!(known.contains(&error.as_str()), "{error}");
        }
    }
    if let Some(key) = Key::parse(text) {
        assert_eq!(key.text(), text.to_ascii_lowercase());
        assert!(Key::parse(&key.text()).is_some_and(|again| again.is_same(&key)));
    }
}

/// The session that a request's cookies name: the first of the name, wherever it stands.
pub(crate) fn cookies(bytes: &[u8]) {
    let mut headers = HeaderMap::new();
    for value in parts(bytes).filter_map(|part| HeaderValue::from_bytes(part).ok()) {
        headers.append(header::COOKIE, value);
    }
    let found = cookie::of(&headers).map(str::to_owned);
    // Another reader of the same: by hand, from the left.
    let mut expected = None;
    for value in headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok()) {
        for pair in value.split(';') {
            let mut sides = pair.splitn(2, '=');
            if let (Some(name), Some(text)) = (sides.next(), sides.next())
                && name.trim() == "connection_id"
                && expected.is_none()
            {
                expected = Some(text.trim().trim_matches('"').to_owned());
            }
        }
    }
    assert_eq!(found, expected);
    // What is set is what comes back.
    if let Some(key) = found.as_deref().and_then(Key::parse) {
        let set = cookie::set(&key.text(), &headers).expect("a UUID is a value");
        let (pair, _) = set.to_str().expect("it is ASCII").split_once(';').expect("it has attributes");
        let mut back = HeaderMap::new();
        back.insert(header::COOKIE, HeaderValue::from_str(pair).expect("it was a value"));
        assert_eq!(cookie::of(&back), Some(key.text().as_str()));
    }
}

/// A DER element.
fn tagged(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = match u8::try_from(length) {
        Ok(short @ 0..=0x7f) => vec![tag, short],
        Ok(one) => vec![tag, 0x81, one],
        Err(_) => vec![tag, 0x82, (length >> 8) as u8, length as u8],
    };
    [head, content.to_vec()].concat()
}

/// The subject of a certificate: raw bytes, and a subject that is made of the input's parts.
pub(crate) fn subject(bytes: &[u8]) {
    if let Some(name) = x509::common_name(bytes) {
        let at = name.is_empty() || bytes.windows(name.len()).any(|part| part == name.as_bytes());
        assert!(at, "{name:?} is not in {bytes:?}");
        // A second name makes it nobody's: which one counts is nothing to guess.
        let second = attribute(3, 0x0c, b"admin");
        assert_eq!(x509::common_name(&[bytes, &second].concat()), None);
    }
    // Each part: the kind of the attribute, the tag of its text, the text.
    let (mut made, mut names, mut is_readable) = (Vec::new(), Vec::new(), true);
    for part in parts(bytes) {
        let [kind, tag, text @ ..] = part else { continue };
        if made.len() + text.len() > 16_384 {
            break;
        }
        made.extend(attribute(*kind, *tag, text));
        if *kind == 3 {
            let is_text = [0x0c, 0x13, 0x16].contains(tag);
            match std::str::from_utf8(text) {
                Ok(text) if is_text => names.push(text),
                _ => is_readable = false,
            }
        }
    }
    let expected = match names.as_slice() {
        [name] if is_readable => Some(*name),
        _ => None,
    };
    assert_eq!(x509::common_name(&made), expected);
}

fn attribute(kind: u8, tag: u8, text: &[u8]) -> Vec<u8> {
    let kind = tagged(0x06, &[0x55, 0x04, kind]);
    tagged(0x31, &tagged(0x30, &[kind, tagged(tag, text)].concat()))
}
