//! What a higher floor may put on a relay thread.

use std::os::fd::AsFd;

/// Something of a higher floor that works on a relay thread, with a poll of its own inside the thread's:
/// a connection that is accepted where it is relayed costs no switch of threads.
pub trait Guest: AsFd + Send + std::fmt::Debug {
    /// Does what there is to do, without waiting.
    fn turn(&mut self);

    /// Milliseconds until it wants a turn without an event.
    fn wait_ms(&self) -> Option<u64>;
}
