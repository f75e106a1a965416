//! What the kernel's poll calls the sockets of a connection.

use connctl_api::conn::Side;

/// Where a token has its serial; below it are the slot and, in the last bit, the side.
const SERIAL_SHIFT: u32 = 40;

/// One side of the connection in a slot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token {
    pub(super) slot: u32,
    pub(super) side: Side,
    /// Tells the sockets to the upstream apart that the connection has had one after the other.
    pub(super) serial: u8,
}

impl Token {
    /// As the poll keeps it.
    pub(super) fn number(self) -> u64 {
        u64::from(self.serial) << SERIAL_SHIFT | u64::from(self.slot) << 1 | self.side as u64
    }

    /// What the poll has kept.
    pub(super) fn of(number: u64) -> Self {
        let side = if number & 1 == 0 { Side::Client } else { Side::Upstream };
        // It was made from a `u32` and a `u8`.
        let slot = u32::try_from(number >> 1 & u64::from(u32::MAX)).unwrap_or(u32::MAX);
        Self { slot, side, serial: u8::try_from(number >> SERIAL_SHIFT).unwrap_or(u8::MAX) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_read_back() {
        for (slot, serial) in [(0, 0), (1, 255), (u32::MAX, 0), (u32::MAX, 255)] {
            for side in [Side::Client, Side::Upstream] {
                let token = Token { slot, side, serial };
                assert_eq!(Token::of(token.number()), token);
            }
        }
    }
}
