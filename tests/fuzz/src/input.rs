//! Inputs of several parts.

/// What parts are separated by: no byte of UTF-8.
pub(crate) const BETWEEN: u8 = 0xff;

/// The parts of an input.
pub(crate) fn parts(bytes: &[u8]) -> impl Iterator<Item = &[u8]> {
    bytes.split(|byte| *byte == BETWEEN)
}

/// A place within so many bytes that depends on the bytes alone.
pub(crate) fn some_place(bytes: &[u8]) -> usize {
    let sum = bytes.iter().fold(0_usize, |sum, byte| sum.wrapping_mul(31).wrapping_add(usize::from(*byte)));
    sum % bytes.len().max(1)
}

/// The bytes in pieces that depend on the bytes alone.
pub(crate) fn pieces(bytes: &[u8]) -> Vec<&[u8]> {
    let (mut rest, mut pieces) = (bytes, Vec::new());
    while rest.len() > 1 && pieces.len() < 8 {
        let (head, tail) = rest.split_at(some_place(rest).max(1));
        pieces.push(head);
        rest = tail;
    }
    pieces.push(rest);
    pieces
}
