//! AMQP 0-9-1: `connection.start-ok` with the mechanism PLAIN.

use super::bytes::Bytes;
use super::{Decoded, Found, Miss};

const HEADER: &[u8] = b"AMQP\0\0\x09\x01";
/// A method frame on channel 0.
const METHOD: &[u8] = b"\x01\0\0";
/// The numbers of `connection` and `start-ok`.
const START_OK: &[u8] = b"\0\x0a\0\x0b";

/// The header comes first, and `start-ok` when the server has answered it.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let mut bytes = Bytes::new(bytes);
    bytes.expect(HEADER)?;
    bytes.expect(METHOD)?;
    let length = usize::try_from(bytes.u32()?).map_err(|_| Miss::No)?;
    let mut frame = bytes.message(length);
    frame.expect(START_OK)?;
    let properties = usize::try_from(frame.u32()?).map_err(|_| Miss::No)?;
    frame.take(properties)?;
    let mechanism = usize::from(frame.u8()?);
    if frame.take(mechanism)? != b"PLAIN" {
        return Err(Miss::No);
    }
    let response = usize::try_from(frame.u32()?).map_err(|_| Miss::No)?;
    // On whose behalf, who, and the secret, which is not touched.
    let mut response = frame.message(response);
    response.until(0)?;
    Found::user(response.until(0)?)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{is_steady, like, no, user};
    use super::*;

    fn start_ok(mechanism: &[u8], response: &[u8]) -> Vec<u8> {
        // One property: product = "test", a long string.
        let properties = b"\x07productS\0\0\0\x04test";
        let count = |bytes: &[u8]| u32::try_from(bytes.len()).unwrap().to_be_bytes();
        let mut body = [START_OK, &count(properties), properties].concat();
        body.push(u8::try_from(mechanism.len()).unwrap());
        body.extend([mechanism, &count(response), response, b"\x05en_US"].concat());
        [HEADER, METHOD, &count(&body), &body, b"\xce"].concat()
    }

    fn sample() -> Vec<u8> {
        start_ok(b"PLAIN", b"\0alice\0s3cret")
    }

    #[test]
    fn the_user_is_found_behind_the_properties() {
        user(decode(&sample()), "alice");
        assert_eq!(decode(HEADER), Err(Miss::More));
    }

    #[test]
    fn what_names_no_user_is_not_searched_for_one() {
        no(decode(&start_ok(b"EXTERNAL", b"")));
        no(decode(&start_ok(b"PLAIN", b"\0alice")));
        no(decode(b"AMQP\0\x01\0\0"));
        no(decode(b"GET / HTTP/1.1\r\n"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in like(&sample())) {
            is_steady(decode, &bytes);
        }
    }
}
