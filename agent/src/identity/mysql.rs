//! MySQL: the client's answer to the server's greeting, protocol 4.1.

use super::bytes::Bytes;
use super::{Decoded, Found, Miss};

const HAS_DATABASE: u32 = 0x8;
const PROTOCOL_41: u32 = 0x200;
const TLS: u32 = 0x800;
const COUNTED_SECRET: u32 = 0x8000;
const HAS_PLUGIN: u32 = 0x8_0000;
const HAS_ATTRIBUTES: u32 = 0x10_0000;
const LONG_SECRET: u32 = 0x20_0000;
/// What stands before the username; a request for TLS is just that.
const HEAD: usize = 32;
/// No client has that much to say about itself.
const MAX_PACKET: usize = 64 * 1024;
/// The place of the client's first packet in the conversation.
const SEQUENCE: u8 = 1;

/// The user is the user; database and program are labels. After a request for TLS nothing is readable.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let mut bytes = Bytes::new(bytes);
    let [a, b, c] = *bytes.take(3)? else {
        return Err(Miss::No);
    };
    let length = usize::from(a) | usize::from(b) << 8 | usize::from(c) << 16;
    if !(HEAD..MAX_PACKET).contains(&length) || bytes.u8()? != SEQUENCE {
        return Err(Miss::No);
    }
    let mut packet = bytes.message(length);
    let flags = packet.u32_le()?;
    if flags & PROTOCOL_41 == 0 || (flags & TLS != 0 && length == HEAD) {
        return Err(Miss::No);
    }
    // The largest packet and the character set; then zeros, of which MariaDB uses the last four.
    packet.take(5)?;
    packet.expect(&[0; HEAD - 13])?;
    packet.take(4)?;
    let found = Found::user(packet.until(0)?)?;
    // A packet that is longer than what is looked at never comes to its end.
    if flags & (HAS_DATABASE | HAS_ATTRIBUTES) == 0 || length + 4 > super::MAX_BYTES {
        return Ok(found);
    }
    let mut tags = Vec::new();
    match labels(&mut packet, flags, &mut tags) {
        Err(Miss::More) => Err(Miss::More),
        // A user is known, whatever is wrong behind it.
        _ => Ok(tags.into_iter().fold(found, |found, (key, value)| found.tag(key, value))),
    }
}

/// What comes behind the user.
fn labels<'a>(
    packet: &mut Bytes<'a>,
    flags: u32,
    tags: &mut Vec<(&'static str, &'a [u8])>,
) -> Result<(), Miss> {
    skip_secret(packet, flags)?;
    if flags & HAS_DATABASE != 0 {
        tags.push(("database", packet.until(0)?));
    }
    if flags & HAS_PLUGIN != 0 {
        packet.until(0)?;
    }
    if flags & HAS_ATTRIBUTES == 0 {
        return Ok(());
    }
    let length = counted_length(packet)?;
    let mut attributes = Bytes::whole(packet.take(length)?);
    while !attributes.rest().is_empty() {
        let (key, value) = (counted(&mut attributes)?, counted(&mut attributes)?);
        if key == b"program_name" {
            tags.push(("program_name", value));
        }
    }
    Ok(())
}

/// The answer to the server's challenge is passed over.
fn skip_secret(packet: &mut Bytes<'_>, flags: u32) -> Result<(), Miss> {
    if flags & LONG_SECRET != 0 {
        return counted(packet).map(|_| ());
    }
    if flags & COUNTED_SECRET == 0 {
        return packet.until(0).map(|_| ());
    }
    let length = packet.u8()?;
    packet.take(usize::from(length)).map(|_| ())
}

fn counted<'a>(packet: &mut Bytes<'a>) -> Result<&'a [u8], Miss> {
    let length = counted_length(packet)?;
    packet.take(length)
}

/// A length of one byte, or of two behind a mark. Longer ones would be beyond what is looked at.
fn counted_length(packet: &mut Bytes<'_>) -> Result<usize, Miss> {
    match packet.u8()? {
        252 => {
            let low = usize::from(packet.u8()?);
            Ok(low | usize::from(packet.u8()?) << 8)
        }
        251.. => Err(Miss::No),
        length => Ok(usize::from(length)),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{is_steady, like, no};
    use super::*;

    fn response(flags: u32, rest: &[u8]) -> Vec<u8> {
        let mut body = flags.to_le_bytes().to_vec();
        body.extend(16_777_216_u32.to_le_bytes());
        body.push(45);
        body.extend([0; 23]);
        body.extend(rest);
        let length = u32::try_from(body.len()).unwrap().to_le_bytes();
        [&length[..3], &[SEQUENCE], &body].concat()
    }

    fn sample() -> Vec<u8> {
        response(
            PROTOCOL_41 | COUNTED_SECRET | LONG_SECRET | HAS_DATABASE,
            b"alice\0\x05\x01\x00\x02\x03\x04shop\0caching_sha2_password\0",
        )
    }

    #[test]
    fn the_user_is_found_behind_any_kind_of_secret() {
        let found = Found::user(b"alice").unwrap();
        assert_eq!(decode(&sample()).unwrap(), found.clone().tag("database", b"shop"));
        let old = response(PROTOCOL_41 | HAS_DATABASE, b"alice\0xyz\0shop\0");
        assert_eq!(decode(&old).unwrap(), found.clone().tag("database", b"shop"));
        assert_eq!(decode(&response(PROTOCOL_41, b"alice\0\0")).unwrap(), found);
    }

    #[test]
    fn the_program_is_found_among_the_attributes() {
        let flags = PROTOCOL_41 | LONG_SECRET | HAS_DATABASE | HAS_PLUGIN | HAS_ATTRIBUTES;
        let bytes = response(flags, b"alice\0\x01xshop\0plug\0\x14\x03_os\x01L\x0cprogram_name\x05mysql");
        let found = Found::user(b"alice").unwrap().tag("database", b"shop");
        assert_eq!(decode(&bytes), Ok(found.clone()), "a byte more than there is");
        let bytes = response(flags, b"alice\0\x01xshop\0plug\0\x19\x03_os\x01L\x0cprogram_name\x05mysql");
        assert_eq!(decode(&bytes), Ok(found.clone().tag("program_name", b"mysql")));
        // As much as no one looks at, with the user in front.
        let long = response(flags, &[&b"alice\0\x01xshop\0plug\0\xfc\xff\xff"[..], &[b'x'; 5000]].concat());
        assert_eq!(decode(&long[..100]), Ok(Found::user(b"alice").unwrap()));
    }

    #[test]
    fn what_is_not_readable_is_not_read() {
        no(decode(&response(PROTOCOL_41 | TLS, b"")));
        no(decode(&response(0, b"alice\0")));
        no(decode(&response(PROTOCOL_41, b"alice")));
        no(decode(b"\x20\x00\x00\x02"));
        no(decode(b"GET / HTTP/1.1\r\n"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in like(&sample())) {
            is_steady(decode, &bytes);
        }
    }
}
