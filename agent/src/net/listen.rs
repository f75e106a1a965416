//! Listening sockets that can refuse and accept again.

use std::net::SocketAddr;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::io::Errno;
use rustix::net::{Shutdown, SocketFlags};
use socket2::{Domain, Protocol, Socket, Type};

use super::options;
use crate::config::ListenerSettings;

/// A bound socket.
#[derive(Debug)]
pub struct Door {
    fd: OwnedFd,
    address: SocketAddr,
    backlog: i32,
    /// The service manager has it, too, and serves its queue again when this agent is gone.
    is_handed: bool,
}

/// Tries to find a free port that can also be bound by its number.
const PORT_TRIES: usize = 16;

impl Door {
    /// Binds and listens.
    ///
    /// A port that the kernel chose is let go when the socket stops listening, so with port 0 the number
    /// it chose is bound again, explicitly: then a listener that refuses keeps its port.
    ///
    /// # Errors
    /// Where the address is taken or not this host's.
    pub fn open(settings: &ListenerSettings) -> std::io::Result<Self> {
        let mut address = settings.bind;
        let mut tries = 0;
        let socket = loop {
            let chosen = if settings.bind.port() == 0 {
                let probe = bound(settings.bind)?;
                address = local(&probe)?;
                Some(probe)
            } else {
                None
            };
            match bound(address) {
                Ok(socket) => break socket,
                Err(_) if chosen.is_some() && tries < PORT_TRIES => tries += 1,
                Err(error) => return Err(error),
            }
        };
        options::dress(&socket, settings);
        socket.listen(settings.backlog)?;
        Ok(Self { fd: socket.into(), address, backlog: settings.backlog, is_handed: false })
    }

    /// Takes over a socket that the service manager opened, and listens: an earlier agent may have left it
    /// refusing.
    ///
    /// # Errors
    /// Where it is no TCP socket, or another one listens there.
    pub fn take_over(fd: OwnedFd, settings: &ListenerSettings) -> std::io::Result<Self> {
        let socket = Socket::from(fd);
        let address = local(&socket)?;
        socket.set_nonblocking(true)?;
        options::dress(&socket, settings);
        socket.listen(settings.backlog)?;
        Ok(Self { fd: socket.into(), address, backlog: settings.backlog, is_handed: true })
    }

    /// Whether dials are kept by the service manager while there is no agent.
    pub const fn is_handed(&self) -> bool {
        self.is_handed
    }

    /// Sets the options of what it accepts from now on.
    pub fn dress(&self, settings: &ListenerSettings) {
        options::dress(&self.fd, settings);
    }

    /// Where it is bound.
    pub const fn address(&self) -> SocketAddr {
        self.address
    }

    /// Refuses from now on: dials fail with `ECONNREFUSED`, and those that were completed and not accepted
    /// are reset. The port stays bound.
    ///
    /// # Errors
    /// Where it did not listen.
    pub fn refuse(&self) -> std::io::Result<()> {
        Ok(rustix::net::shutdown(&self.fd, Shutdown::Read)?)
    }

    /// Listens again.
    ///
    /// # Errors
    /// Where another process has begun to listen on the port in between.
    pub fn listen(&self) -> std::io::Result<()> {
        Ok(rustix::net::listen(&self.fd, self.backlog)?)
    }

    /// The next completed dial and its peer.
    ///
    /// # Errors
    /// `EAGAIN` where there is none; else as [`is_of_peer`] tells apart.
    pub fn accept(&self) -> Result<(OwnedFd, Option<SocketAddr>), Errno> {
        let flags = SocketFlags::NONBLOCK | SocketFlags::CLOEXEC;
        let (fd, peer) = rustix::net::acceptfrom_with(&self.fd, flags)?;
        Ok((fd, peer.and_then(|peer| peer.try_into().ok())))
    }

    /// The address an accepted socket was dialled at: the door's own unless that is a wildcard.
    pub fn local_of(&self, fd: impl AsFd) -> SocketAddr {
        if !self.address.ip().is_unspecified() {
            return self.address;
        }
        rustix::net::getsockname(fd).ok().and_then(|any| any.try_into().ok()).unwrap_or(self.address)
    }
}

impl Drop for Door {
    fn drop(&mut self) {
        if self.is_handed {
            // Where it refuses, the manager would never see a dial again.
            let _ = self.listen();
        }
    }
}

impl AsFd for Door {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether an error of `accept` is about that one peer, so that the next one can be accepted at once.
pub fn is_of_peer(error: Errno) -> bool {
    matches!(
        error,
        Errno::CONNABORTED
            | Errno::CONNRESET
            | Errno::INTR
            | Errno::PROTO
            | Errno::NETDOWN
            | Errno::NETUNREACH
            | Errno::HOSTDOWN
            | Errno::HOSTUNREACH
            | Errno::TIMEDOUT
            | Errno::PERM
    )
}

fn bound(address: SocketAddr) -> std::io::Result<Socket> {
    let socket = Socket::new(Domain::for_address(address), Type::STREAM.nonblocking(), Some(Protocol::TCP))?;
    socket.set_reuse_address(true)?;
    if address.is_ipv6() {
        // `[::]` and `0.0.0.0` are two listeners, whatever the host's default is.
        socket.set_only_v6(true)?;
    }
    socket.bind(&address.into())?;
    Ok(socket)
}

fn local(socket: &Socket) -> std::io::Result<SocketAddr> {
    socket.local_addr()?.as_socket().ok_or_else(|| std::io::Error::other("a TCP socket without an address"))
}
