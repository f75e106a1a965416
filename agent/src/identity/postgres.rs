//! PostgreSQL: the startup packet, perhaps behind requests for encryption that were declined.

use super::bytes::Bytes;
use super::{Decoded, Found, Miss};

const SSL_REQUEST: u32 = 80_877_103;
const GSS_REQUEST: u32 = 80_877_104;
const MAJOR: u32 = 3;
/// The server takes no longer ones.
const MAX_PACKET: u32 = 10_000;

/// The user is the user; database and application are labels.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let mut bytes = Bytes::new(bytes);
    let length = loop {
        let length = bytes.u32()?;
        if !(8..=MAX_PACKET).contains(&length) {
            return Err(Miss::No);
        }
        match bytes.u32()? {
            SSL_REQUEST | GSS_REQUEST if length == 8 => {}
            code if code >> 16 == MAJOR => break length,
            _ => return Err(Miss::No),
        }
    };
    // At most MAX_PACKET.
    let mut packet = bytes.message(usize::try_from(length - 8).map_err(|_| Miss::No)?);
    let (mut user, mut tags) = (None, Vec::new());
    loop {
        let key = packet.until(0)?;
        if key.is_empty() {
            break;
        }
        let value = packet.until(0)?;
        match key {
            b"user" => user = Some(value),
            b"database" => tags.push(("database", value)),
            b"application_name" => tags.push(("application_name", value)),
            _ => {}
        }
    }
    let found = Found::user(user.ok_or(Miss::No)?)?;
    Ok(tags.into_iter().fold(found, |found, (key, value)| found.tag(key, value)))
}

/// What follows a request for encryption, where there is one.
pub(super) fn skip_ssl_request(bytes: &[u8]) -> Result<&[u8], Miss> {
    let mut bytes = Bytes::new(bytes);
    if bytes.rest().first() == Some(&0) {
        bytes.expect(b"\0\0\0\x08\x04\xd2\x16\x2f")?;
    }
    Ok(bytes.rest())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{is_steady, like, no};
    use super::*;

    fn startup(parameters: &[u8]) -> Vec<u8> {
        let length = u32::try_from(parameters.len() + 9).unwrap();
        [&length.to_be_bytes()[..], b"\0\x03\0\0", parameters, b"\0"].concat()
    }

    fn sample() -> Vec<u8> {
        startup(b"user\0alice\0database\0shop\0application_name\0psql\0client_encoding\0UTF8\0")
    }

    #[test]
    fn user_database_and_application_are_found() {
        let found = Found::user(b"alice").unwrap().tag("database", b"shop").tag("application_name", b"psql");
        assert_eq!(decode(&sample()).unwrap(), found);
        let ssl = b"\0\0\0\x08\x04\xd2\x16\x2f";
        let gss = b"\0\0\0\x08\x04\xd2\x16\x30";
        assert_eq!(decode(&[&gss[..], ssl, &sample()].concat()).unwrap(), found);
        assert_eq!(skip_ssl_request(&[&ssl[..], b"x"].concat()).unwrap(), b"x");
    }

    #[test]
    fn what_is_not_a_startup_is_not_one() {
        no(decode(b"GET / HTTP/1.1\r\n"));
        no(decode(b"\x16\x03\x01\x02\x00\x01\x00\x01"));
        // A request to cancel, another major version, no user, and a value without an end.
        no(decode(b"\0\0\0\x10\x04\xd2\x16\x2e\0\0\0\0\0\0\0\0"));
        no(decode(b"\0\0\0\x10\0\x02\0\0"));
        no(decode(&startup(b"database\0shop\0")));
        no(decode(b"\0\0\0\x0d\0\x03\0\0user\0"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in like(&sample())) {
            is_steady(decode, &bytes);
        }
    }
}
