//! What holds for every decoder.

use proptest::prelude::*;

use super::{Decoded, Found, Miss};

/// It is this user, and nothing else is known.
#[track_caller]
pub(super) fn user(answer: Decoded, uid: &str) {
    assert_eq!(answer, Found::user(uid.as_bytes()));
}

/// There is no user, and there will be none.
#[track_caller]
pub(super) fn no(answer: Decoded) {
    assert_eq!(answer, Err(Miss::No));
}

/// Byte by byte, an answer that is given once is the one that all the bytes get.
#[track_caller]
pub(super) fn is_steady(decode: impl Fn(&[u8]) -> Decoded, bytes: &[u8]) {
    let whole = decode(bytes);
    for end in 0..bytes.len() {
        let answer = decode(&bytes[..end]);
        if answer != Err(Miss::More) {
            assert_eq!(answer, whole, "after {end} of {} bytes: {bytes:?}", bytes.len());
        }
    }
}

/// Messages that are damaged, cut off, or followed by others; and bytes that never were one.
pub(super) fn like(message: &[u8]) -> impl Strategy<Value = Vec<u8>> + use<> {
    let message = message.to_vec();
    let length = message.len();
    let edits = prop::collection::vec((0..length, any::<u8>()), 0..4);
    let damaged =
        (edits, 0..=length, prop::collection::vec(any::<u8>(), 0..40)).prop_map(move |(edits, end, tail)| {
            let mut bytes = message.clone();
            for (at, byte) in edits {
                bytes[at] = byte;
            }
            // Mostly the whole of it: the tail then follows a message that is there.
            bytes.truncate(if tail.len() < 20 { length } else { end });
            bytes.extend(tail);
            bytes
        });
    prop_oneof![4 => damaged, 1 => prop::collection::vec(any::<u8>(), 0..200)]
}
