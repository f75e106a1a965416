//! MQTT: `CONNECT` of the versions 3.1, 3.1.1 and 5.

use super::bytes::Bytes;
use super::{Decoded, Found, Miss};

const CONNECT: u8 = 0x10;
const HAS_USERNAME: u8 = 0x80;
const HAS_WILL: u8 = 0x04;
/// A flag that must not be set.
const RESERVED: u8 = 0x01;

/// The username is the user and the client id the device; a client without a username is its client id, too.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let mut bytes = Bytes::new(bytes);
    bytes.expect(&[CONNECT])?;
    let length = bytes.varint()?;
    let mut packet = bytes.message(length);
    let version = version(&mut packet)?;
    let flags = packet.u8()?;
    if flags & RESERVED != 0 {
        return Err(Miss::No);
    }
    packet.take(2)?;
    skip_properties(&mut packet, version)?;
    let client = packet.counted()?;
    if flags & HAS_USERNAME == 0 {
        return Ok(Found::user(client)?.device(client));
    }
    if flags & HAS_WILL != 0 {
        skip_properties(&mut packet, version)?;
        packet.counted()?;
        packet.counted()?;
    }
    let name = packet.counted()?;
    Ok(Found::user(if name.is_empty() { client } else { name })?.device(client))
}

fn version(packet: &mut Bytes<'_>) -> Result<u8, Miss> {
    match packet.u16()? {
        4 => packet.expect(b"MQTT")?,
        6 => packet.expect(b"MQIsdp")?,
        _ => return Err(Miss::No),
    }
    let version = packet.u8()?;
    if (3..=5).contains(&version) { Ok(version) } else { Err(Miss::No) }
}

/// Version 5 has properties in two places.
fn skip_properties(packet: &mut Bytes<'_>, version: u8) -> Result<(), Miss> {
    if version == 5 {
        let length = packet.varint()?;
        packet.take(length)?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{is_steady, like, no};
    use super::*;

    /// Version 3.1.1: client id `dev-7`, user `alice`, password `s3cret`.
    const V4: &[u8] = b"\x10\x20\x00\x04MQTT\x04\xc2\x00\x3c\x00\x05dev-7\x00\x05alice\x00\x06s3cret";
    /// Version 5 with a property and a will with one; client id `c`, user `bob`.
    const V5: &[u8] = b"\x10\x29\x00\x04MQTT\x05\x86\x00\x3c\x05\x11\x00\x00\x00\x0a\x00\x01c\
        \x05\x02\x00\x00\x00\x09\x00\x01t\x00\x04gone\x00\x03bob";

    #[test]
    fn both_versions_name_user_and_device() {
        assert_eq!(decode(V4).unwrap(), Found::user(b"alice").unwrap().device(b"dev-7"));
        assert_eq!(decode(V5).unwrap(), Found::user(b"bob").unwrap().device(b"c"));
        // The password has not come, and is not waited for.
        assert_eq!(decode(&V4[..V4.len() - 8]), decode(V4));
    }

    #[test]
    fn without_a_username_the_client_id_is_the_user() {
        let found = decode(b"\x10\x11\x00\x04MQTT\x04\x02\x00\x3c\x00\x05dev-7").unwrap();
        assert_eq!(found, Found::user(b"dev-7").unwrap().device(b"dev-7"));
        no(decode(b"\x10\x0c\x00\x04MQTT\x04\x02\x00\x3c\x00\x00"));
    }

    #[test]
    fn what_is_not_a_connect_is_not_one() {
        no(decode(b"\x30\x05"));
        no(decode(b"\x10\x20\x00\x04HTTP"));
        no(decode(b"\x10\x20\x00\x04MQTT\x09"));
        // The username would be longer than the packet.
        no(decode(b"\x10\x11\x00\x04MQTT\x04\x80\x00\x3c\x00\x01c\x00\x50al"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in prop_oneof![like(V4), like(V5)]) {
            is_steady(decode, &bytes);
        }
    }
}
