//! Dialling without waiting.

use std::net::SocketAddr;
use std::os::fd::{AsFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketFlags, SocketType, ipproto};

use super::options;
use crate::config::ListenerSettings;

/// A dial that has begun.
#[derive(Debug)]
pub enum Dial {
    /// It is done already, as happens on loopback.
    Connected(OwnedFd),
    /// The socket becomes writable when there is an outcome.
    Pending(OwnedFd),
}

/// Begins to dial.
///
/// # Errors
/// Where it fails at once.
pub fn start(address: SocketAddr, settings: &ListenerSettings) -> Result<Dial, Errno> {
    let family = if address.is_ipv4() { AddressFamily::INET } else { AddressFamily::INET6 };
    let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
    let fd = rustix::net::socket_with(family, SocketType::STREAM, flags, Some(ipproto::TCP))?;
    options::dress(&fd, settings);
    match rustix::net::connect(&fd, &address) {
        Ok(()) => Ok(Dial::Connected(fd)),
        Err(Errno::INPROGRESS) => Ok(Dial::Pending(fd)),
        Err(error) => Err(error),
    }
}

/// How a pending dial came out. Also takes any other error that waits on a socket.
///
/// # Errors
/// The dial's error.
pub fn outcome(fd: impl AsFd) -> Result<(), Errno> {
    rustix::net::sockopt::socket_error(fd)?
}
