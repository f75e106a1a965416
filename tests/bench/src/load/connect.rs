//! Client sockets towards the relay.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, SocketAddr, TcpStream};

use anyhow::{Context, Result};
use socket2::{Domain, Socket, Type};

use super::STUCK;

/// Source addresses in turn: 127.0.0.2 and the ones after it.
///
/// A closed connection keeps its port for a minute (TIME_WAIT). Spread over this many addresses the ports
/// last for more connections than any relay accepts in that minute.
const SOURCES: u8 = 64;

/// A blocking socket; a read or write that takes longer than [`STUCK`] fails.
pub(crate) fn blocking(to: SocketAddr) -> Result<TcpStream> {
    let stream = TcpStream::connect_timeout(&to, STUCK).with_context(|| format!("cannot connect to {to}"))?;
    stream.set_nodelay(true)?;
    stream.set_read_timeout(Some(STUCK))?;
    stream.set_write_timeout(Some(STUCK))?;
    Ok(stream)
}

/// A socket that does not block, once connected.
pub(crate) fn nonblocking(to: SocketAddr) -> Result<TcpStream> {
    let stream = blocking(to)?;
    stream.set_nonblocking(true)?;
    Ok(stream)
}

/// A socket that is still connecting, from the `turn`-th source address.
pub(crate) fn connecting(to: SocketAddr, turn: u64) -> io::Result<TcpStream> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM.nonblocking(), None)?;
    socket.set_reuse_address(true)?;
    socket.set_tcp_nodelay(true)?;
    let last = u8::try_from(turn % u64::from(SOURCES)).unwrap_or(0) + 2;
    socket.bind(&SocketAddr::from((Ipv4Addr::new(127, 0, 0, last), 0)).into())?;
    match socket.connect(&to.into()) {
        Ok(()) => {}
        Err(error) if in_progress(&error) => {}
        Err(error) => return Err(error),
    }
    Ok(socket.into())
}

fn in_progress(error: &io::Error) -> bool {
    error.kind() == ErrorKind::WouldBlock
        || error.raw_os_error() == Some(rustix::io::Errno::INPROGRESS.raw_os_error())
}
