//! WuKongIM: `CONNECT` of its binary protocol.

use super::bytes::Bytes;
use super::{Decoded, Found, Miss};

/// Packets without a length: one byte is all of them.
const PING: u8 = 7;
const PONG: u8 = 8;
/// The bytes of a length; each has seven bits of it.
const LENGTH_BYTES: u32 = 4;

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
    let found = Found::user(packet.counted()?)?.tag("device_id", device_id).with_farewell();
    Ok(match flag {
        0 => found.device(b"app"),
        1 => found.device(b"web"),
        2 => found.device(b"pc"),
        other => found.device(other.to_string().as_bytes()),
    })
}

/// Where one direction is in its packets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Frames {
    /// Between two.
    #[default]
    Between,
    /// In the length, so many bytes of which have come.
    Length { value: usize, bytes: u32 },
    /// So many bytes before the end.
    Inside(usize),
}

impl Frames {
    /// Whether the packets so far are whole.
    pub fn is_between(self) -> bool {
        self == Self::Between
    }

    /// Passes over the next bytes, and tells where among them the first packet ends.
    ///
    /// # Errors
    /// [`Miss::No`] where they are no packets; then nothing more can be told of this direction.
    pub fn pass(&mut self, bytes: &[u8]) -> Result<Option<usize>, Miss> {
        let (mut at, mut first) = (0, None);
        while let Some(byte) = bytes.get(at) {
            *self = match *self {
                Self::Between => match byte >> 4 {
                    0 => return Err(Miss::No),
                    PING | PONG => Self::Between,
                    _ => Self::Length { value: 0, bytes: 0 },
                },
                Self::Length { bytes: LENGTH_BYTES.., .. } => return Err(Miss::No),
                Self::Length { value, bytes } => {
                    let value = value | usize::from(byte & 0x7f) << (7 * bytes);
                    match (byte & 0x80, value) {
                        (0, 0) => Self::Between,
                        (0, _) => Self::Inside(value),
                        _ => Self::Length { value, bytes: bytes + 1 },
                    }
                }
                Self::Inside(left) => {
                    let count = left.min(bytes.len() - at);
                    // The step below is one of them.
                    at += count - 1;
                    if count == left { Self::Between } else { Self::Inside(left - count) }
                }
            };
            at += 1;
            if self.is_between() && first.is_none() {
                first = Some(at);
            }
        }
        Ok(first)
    }
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
            let found = found.with_farewell();
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

    /// Packets as a server sends them, and where each of them ends.
    fn packets() -> impl Strategy<Value = (Vec<u8>, Vec<usize>)> {
        let packet = (1u8..16, 0usize..300).prop_map(|(kind, length)| match kind {
            PING | PONG => vec![kind << 4],
            _ if length < 128 => [&[kind << 4, u8::try_from(length).unwrap()][..], &vec![0; length]].concat(),
            _ => {
                let bytes = [
                    kind << 4,
                    0x80 | u8::try_from(length % 128).unwrap(),
                    u8::try_from(length / 128).unwrap(),
                ];
                [&bytes[..], &vec![0xff; length]].concat()
            }
        });
        prop::collection::vec(packet, 1..8).prop_map(|packets| {
            let ends = packets.iter().scan(0, |end, packet| {
                *end += packet.len();
                Some(*end)
            });
            (packets.concat(), ends.collect())
        })
    }

    #[test]
    fn what_are_no_packets_is_found_out() {
        for wrong in [&b"\0"[..], b"\x10\xff\xff\xff\xff\xff", b"\x80\x00"] {
            assert_eq!(Frames::default().pass(wrong), Err(Miss::No), "{wrong:?}");
        }
    }

    proptest! {
        #[test]
        fn packets_end_where_they_end((bytes, ends) in packets(), cut in 0usize..2_000) {
            let cut = cut.min(bytes.len());
            let mut frames = Frames::default();
            let first = frames.pass(&bytes[..cut]).unwrap();
            prop_assert_eq!(first, ends.iter().copied().find(|end| *end <= cut));
            prop_assert_eq!(frames.is_between(), cut == 0 || ends.contains(&cut));
            let second = frames.pass(&bytes[cut..]).unwrap();
            let expected = ends.iter().copied().find(|end| *end > cut).map(|end| end - cut);
            prop_assert_eq!(second, expected);
            prop_assert!(frames.is_between());
        }

        #[test]
        fn frames_of_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..400), cut in 0usize..400) {
            let (mut whole, mut pieces) = (Frames::default(), Frames::default());
            let cut = cut.min(bytes.len());
            let in_pieces = pieces.pass(&bytes[..cut]).and_then(|_| pieces.pass(&bytes[cut..]));
            prop_assert_eq!(whole.pass(&bytes).is_ok(), in_pieces.is_ok());
            if in_pieces.is_ok() {
                prop_assert_eq!(whole, pieces);
            }
        }

        #[test]
        fn any_bytes(bytes in like(&connect(1))) {
            is_steady(decode, &bytes);
        }
    }
}
