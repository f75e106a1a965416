//! AMQP 0-9-1: `connection.start-ok` with the mechanism PLAIN or AMQPLAIN.

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
    let properties = long(&mut frame)?;
    let mechanism = usize::from(frame.u8()?);
    let mechanism = frame.take(mechanism)?;
    let mut response = Bytes::whole(long(&mut frame)?);
    let found = match mechanism {
        // On whose behalf, who, and the secret, which is not touched.
        b"PLAIN" => {
            response.until(0)?;
            Found::user(response.until(0)?)?
        }
        b"AMQPLAIN" => Found::user(text(response, b"LOGIN")?)?,
        _ => return Err(Miss::No),
    };
    Ok(match text(Bytes::whole(properties), b"connection_name") {
        Ok(name) => found.tag("name", name),
        Err(_) => found,
    })
}

/// Bytes behind their length of four bytes.
fn long<'a>(bytes: &mut Bytes<'a>) -> Result<&'a [u8], Miss> {
    let length = usize::try_from(bytes.u32()?).map_err(|_| Miss::No)?;
    bytes.take(length)
}

/// The text of this name in a table, as RabbitMQ and its clients write tables.
fn text<'a>(mut table: Bytes<'a>, name: &[u8]) -> Result<&'a [u8], Miss> {
    loop {
        let length = usize::from(table.u8()?);
        let key = table.take(length)?;
        match table.u8()? {
            b'S' => {
                let value = long(&mut table)?;
                if key == name {
                    return Ok(value);
                }
            }
            b'x' | b'F' | b'A' => {
                long(&mut table)?;
            }
            kind => {
                table.take(width(kind)?)?;
            }
        }
    }
}

/// How many bytes a value of this kind has.
const fn width(kind: u8) -> Result<usize, Miss> {
    Ok(match kind {
        b'V' => 0,
        b't' | b'b' | b'B' => 1,
        b's' | b'u' => 2,
        b'I' | b'i' | b'f' => 4,
        b'D' => 5,
        b'l' | b'L' | b'd' | b'T' => 8,
        _ => return Err(Miss::No),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{is_steady, like, no};
    use super::*;

    fn start_ok(mechanism: &[u8], response: &[u8]) -> Vec<u8> {
        // A long string, and a table with a boolean in it, before what is looked for.
        let properties = b"\x07productS\0\0\0\x04test\x0ccapabilitiesF\0\0\0\x04\x01at\x01\
            \x0fconnection_nameS\0\0\0\x04till";
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
        let found = Found::user(b"alice").unwrap().tag("name", b"till");
        assert_eq!(decode(&sample()), Ok(found.clone()));
        let table = b"\x08PASSWORDS\0\0\0\x06s3cret\x05LOGINS\0\0\0\x05alice";
        assert_eq!(decode(&start_ok(b"AMQPLAIN", table)), Ok(found));
        assert_eq!(decode(HEADER), Err(Miss::More));
    }

    #[test]
    fn what_names_no_user_is_not_searched_for_one() {
        no(decode(&start_ok(b"EXTERNAL", b"")));
        no(decode(&start_ok(b"PLAIN", b"\0alice")));
        no(decode(&start_ok(b"AMQPLAIN", b"\x05LOGINt\x01")));
        no(decode(&start_ok(b"AMQPLAIN", b"\x05LOGIN?")));
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
