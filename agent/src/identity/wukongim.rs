//! WuKongIM: `CONNECT` of its binary protocol.

use super::bytes::Bytes;
use super::{Decoded, Found, Miss};

/// In the upper half of the first byte; flags are in the lower one.
const CONNECT: u8 = 1;

/// The user is the uid and the device is its kind: `app`, `web`, `pc` or a number.
pub(super) fn decode(bytes: &[u8]) -> Decoded {
    let mut bytes = Bytes::new(bytes);
    if bytes.u8()? >> 4 != CONNECT {
        return Err(Miss::No);
    }
    let length = bytes.varint()?;
    let mut packet = bytes.message(length);
    // Version 0 was never used, and it is what MQTT's CONNECT would look like.
    if packet.u8()? == 0 {
        return Err(Miss::No);
    }
    let flag = packet.u8()?;
    let device_id = packet.counted()?;
    let found = Found::user(packet.counted()?)?.tag("device_id", device_id);
    Ok(match flag {
        0 => found.device(b"app"),
        1 => found.device(b"web"),
        2 => found.device(b"pc"),
        other => found.device(other.to_string().as_bytes()),
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::testing::{is_steady, like, no};
    use super::*;

    fn connect(flag: u8) -> Vec<u8> {
        let mut body = vec![4, flag];
        for text in ["d-1", "alice", "s3cret"] {
            body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
            body.extend(text.as_bytes());
        }
        body.extend(1_700_000_000_000_u64.to_be_bytes());
        body.extend(b"\0\x03key");
        [&[0x10, u8::try_from(body.len()).unwrap()][..], &body].concat()
    }

    #[test]
    fn user_and_kind_of_device_are_found() {
        for (flag, device) in [(0, "app"), (1, "web"), (2, "pc"), (99, "99")] {
            let found = Found::user(b"alice").unwrap().tag("device_id", b"d-1").device(device.as_bytes());
            assert_eq!(decode(&connect(flag)).unwrap(), found);
        }
    }

    #[test]
    fn what_is_not_a_connect_is_not_one() {
        no(decode(b"\x10\x20\x00\x04MQTT\x04"));
        no(decode(b"\x30"));
        no(decode(b"\x10\x06\x04\0\0\0\0\x09"));
        no(decode(b"\x10\xff\xff\xff\xff"));
    }

    proptest! {
        #[test]
        fn any_bytes(bytes in like(&connect(1))) {
            is_steady(decode, &bytes);
        }
    }
}
