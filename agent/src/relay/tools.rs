//! What a thread lends to the direction that it is moving, and what the direction comes back with.

use connctl_api::conn::{Mode, Side};
use rustix::io::Errno;

use super::pair::{Pair, Way};
use crate::net::pipes::Pool;
use crate::policy::revoke::Revocations;
use crate::registry::Registry;

/// What a thread lends to the direction it is moving.
pub(super) struct Tools<'a> {
    pub(super) buffer: &'a mut [u8],
    pub(super) pipes: &'a mut Pool,
    pub(super) now_ms: u64,
    pub(super) registry: &'a Registry,
    pub(super) revocations: &'a Revocations,
}

/// Why a direction stopped moving.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// There is nothing to read, or no room to write. An event will tell.
    Waiting,
    /// Its share is used up: it goes on in the next turn.
    Share,
    /// A socket failed.
    Failed(Side, Errno),
    /// The upstream ended, and the connection goes on with another.
    Left,
}

/// Counts bytes of a peer that were written on, and when. What an echo gives back has come as well.
pub(super) fn count_written(pair: &Pair, way: Way, bytes: u64, now_ms: u64) {
    if bytes == 0 {
        return;
    }
    match way {
        Way::ToUpstream => pair.conn.add_to_upstream(bytes, now_ms),
        Way::ToClient => {
            if pair.conn.origin().mode == Mode::Echo {
                pair.conn.add_to_upstream(bytes, now_ms);
            }
            pair.conn.add_to_client(bytes, now_ms);
        }
    }
}
