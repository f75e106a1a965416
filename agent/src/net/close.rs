//! The ways a socket can be ended.

use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::net::Shutdown;

/// Sends a FIN behind what the kernel still holds.
///
/// # Errors
/// Where the socket is not connected any more.
pub fn finish_writing(fd: impl AsFd) -> rustix::io::Result<()> {
    rustix::net::shutdown(fd, Shutdown::Write)
}

/// Drops what the kernel holds and sends a RST, in every state in which TCP has one.
///
/// A `shutdown` before it would put a FIN on the wire first, so there is none.
pub fn reset(fd: OwnedFd) {
    // It fails only on something that is not a socket; then closing is all there is to do.
    let _ = socket2::SockRef::from(&fd).set_linger(Some(Duration::ZERO));
    drop(fd);
}
