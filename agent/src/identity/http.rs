//! HTTP/1: a header of the first request.

use super::bytes::Bytes;
use super::{Decoded, Found, Miss};

/// The value of the first header with this name.
pub(super) fn decode(bytes: &[u8], name: &str) -> Decoded {
    let is_method = |byte: &u8| byte.is_ascii_uppercase() || *byte == b'-';
    let method = bytes.iter().take_while(|byte| is_method(byte)).count();
    if bytes.get(method).is_some_and(|byte| method == 0 || *byte != b' ') {
        return Err(Miss::No);
    }
    let mut bytes = Bytes::new(bytes);
    let request = bytes.line()?;
    if !request.ends_with(b" HTTP/1.1") && !request.ends_with(b" HTTP/1.0") {
        return Err(Miss::No);
    }
    loop {
        let line = bytes.line()?;
        // The empty line is the end of the headers.
        let colon = line.iter().position(|byte| *byte == b':').ok_or(Miss::No)?;
        let (own, value) = line.split_at(colon);
        if own.eq_ignore_ascii_case(name.as_bytes()) {
            return Found::user(value[1..].trim_ascii());
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{is_steady, like, no, user};
    use super::*;

    const REQUEST: &[u8] = b"GET /a?b HTTP/1.1\r\nHost: h\r\nx-user:  alice \r\nX-User: bob\r\n\r\n";

    #[test]
    fn the_first_header_of_the_name_counts() {
        user(decode(REQUEST, "X-User"), "alice");
        user(decode(b"M-SEARCH * HTTP/1.0\nX-User: a:b\n", "X-User"), "a:b");
    }

    #[test]
    fn without_the_header_there_is_no_user() {
        no(decode(REQUEST, "X-Other"));
        no(decode(b"GET / HTTP/1.1\r\nX-User:\r\n\r\n", "X-User"));
        no(decode(b"GET / HTTP/1.1\r\nHost: h\r\n\r\nX-User: body\r\n", "X-User"));
        no(decode(b"PRI * HTTP/2.0\r\n\r\n", "X-User"));
        no(decode(b"\x16\x03\x01", "X-User"));
        no(decode(b" GET", "X-User"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in like(REQUEST)) {
            is_steady(|bytes| decode(bytes, "X-User"), &bytes);
        }
    }
}
