//! The packet by which a server tells a client that it is not wanted any more.

/// The kind of packet, in the upper half of the first byte.
const DISCONNECT: u8 = 9;
/// Why: kicked.
const CONNECT_KICK: u8 = 12;
/// The longest reason; with it the packet's length has one byte.
const MAX_REASON_BYTES: usize = 100;

/// `DISCONNECT`, with a reason for people.
pub(super) fn disconnect(reason: &str) -> Vec<u8> {
    let reason = reason.as_bytes();
    let reason = reason.get(..MAX_REASON_BYTES).unwrap_or(reason);
    // The bound above keeps both numbers far below 128.
    let length = u8::try_from(reason.len()).unwrap_or(0);
    let head = [DISCONNECT << 4, length + 3, CONNECT_KICK, 0, length];
    [&head, reason].concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_packet_is_the_systems() {
        assert_eq!(disconnect(""), [0x90, 3, 12, 0, 0]);
        assert_eq!(disconnect("server kick"), b"\x90\x0e\x0c\0\x0bserver kick");
        assert_eq!(disconnect(&"x".repeat(500)).len(), 5 + MAX_REASON_BYTES);
    }
}
