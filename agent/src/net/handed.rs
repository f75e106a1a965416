//! Listening sockets that a service manager opened for this process and handed over (`LISTEN_FDS`).

use std::net::SocketAddr;
use std::os::fd::{FromRawFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use anyhow::{Context, bail, ensure};
use rustix::net::{SocketAddrAny, SocketAddrUnix, SocketType, sockopt};

/// What was handed over and is not taken yet.
#[derive(Debug, Default)]
pub struct Handed(Vec<Socket>);

/// One listening socket.
#[derive(Debug)]
struct Socket {
    /// `FileDescriptorName=` of its unit.
    name: String,
    place: Place,
    fd: OwnedFd,
}

#[derive(Debug, PartialEq, Eq)]
enum Place {
    Tcp(SocketAddr),
    Unix(PathBuf),
}

impl std::fmt::Display for Place {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Tcp(address) => write!(f, "tcp:{address}"),
            Self::Unix(path) => write!(f, "unix:{}", path.display()),
        }
    }
}

impl Handed {
    /// What was handed over to this process; nothing where that was another one, or when it was asked before.
    /// To be called before the process opens anything.
    ///
    /// # Errors
    /// The environment says what is not so, or a descriptor is no listening stream socket: it is named.
    pub fn receive() -> anyhow::Result<Self> {
        static RECEIVED: AtomicBool = AtomicBool::new(false);
        if RECEIVED.swap(true, Ordering::SeqCst) {
            return Ok(Self::default());
        }
        let handed = sd_notify::listen_fds_with_names().context("what LISTEN_FDS says is not so")?;
        let own = |(number, name): (i32, String)| {
            // SAFETY: the manager opened it for this process, `listen_fds` saw it open, and the flag above
            // gives it to one owner.
            #[expect(unsafe_code, reason = "descriptors come into the process as numbers")]
            let fd = unsafe { OwnedFd::from_raw_fd(number) };
            Socket::new(name, fd)
        };
        handed.map(own).collect::<anyhow::Result<_>>().map(Self)
    }

    /// The socket for a TCP address. Where its port is 0, one of the same name will do, whatever its port.
    pub fn take_tcp(&mut self, name: &str, bind: SocketAddr) -> Option<OwnedFd> {
        self.take(|socket| match socket.place {
            Place::Tcp(at) => at == bind || (bind.port() == 0 && at.ip() == bind.ip() && socket.name == name),
            Place::Unix(_) => false,
        })
    }

    /// The socket for a path.
    pub fn take_unix(&mut self, path: &Path) -> Option<OwnedFd> {
        let same = |at: &Path| {
            at == path || at.canonicalize().is_ok_and(|at| path.canonicalize().is_ok_and(|path| at == path))
        };
        self.take(|socket| matches!(&socket.place, Place::Unix(at) if same(at)))
    }

    fn take(&mut self, is_wanted: impl FnMut(&Socket) -> bool) -> Option<OwnedFd> {
        let found = self.0.iter().position(is_wanted)?;
        Some(self.0.swap_remove(found).fd)
    }

    /// Whether all were taken: one that nobody serves would take clients in and leave them waiting.
    ///
    /// # Errors
    /// Names those that are left.
    pub fn all_taken(&self) -> anyhow::Result<()> {
        let left: Vec<_> =
            self.0.iter().map(|Socket { name, place, .. }| format!("{name:?} on {place}")).collect();
        ensure!(
            left.is_empty(),
            "the service manager handed over what is no address of this agent: {}; a socket is taken by the \
             address of a listener or of the control API, or by its listener's name where that binds port 0",
            left.join(", ")
        );
        Ok(())
    }
}

impl Socket {
    fn new(name: String, fd: OwnedFd) -> anyhow::Result<Self> {
        let place = place(&fd).with_context(|| format!("the handed over descriptor {name:?}"))?;
        Ok(Self { name, place, fd })
    }
}

fn place(fd: &OwnedFd) -> anyhow::Result<Place> {
    let kind = sockopt::socket_type(fd).context("it is no socket")?;
    ensure!(
        kind == SocketType::STREAM && sockopt::socket_acceptconn(fd)?,
        "it is no listening stream socket (Accept= is to be off, and the type ListenStream=)"
    );
    let any: SocketAddrAny = rustix::net::getsockname(fd)?;
    if let Ok(address) = SocketAddr::try_from(any.clone()) {
        return Ok(Place::Tcp(address));
    }
    match SocketAddrUnix::try_from(any).ok().as_ref().and_then(SocketAddrUnix::path_bytes) {
        Some(path) => Ok(Place::Unix(PathBuf::from(std::ffi::OsStr::from_bytes(path)))),
        None => bail!("it is neither TCP nor a unix socket with a path"),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    fn tcp(name: &str) -> (Socket, SocketAddr) {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        (Socket::new(name.to_owned(), listener.into()).unwrap(), address)
    }

    #[test]
    fn a_socket_is_taken_by_its_address_and_by_its_name_where_any_port_will_do() {
        let ((one, at_one), (two, at_two)) = (tcp("unknown"), tcp("web"));
        let mut handed = Handed(vec![one, two]);
        let any = "127.0.0.1:0".parse().unwrap();
        assert!(handed.take_tcp("other", any).is_none());
        assert!(handed.take_tcp("web", "127.0.0.2:0".parse().unwrap()).is_none());
        assert!(handed.take_tcp("web", at_one).is_some(), "by its address, whatever its name");
        assert!(handed.take_tcp("web", at_one).is_none(), "once");
        let error = handed.all_taken().unwrap_err().to_string();
        assert!(error.contains("\"web\"") && error.contains(&at_two.to_string()), "{error}");
        assert!(handed.take_tcp("web", any).is_some());
        handed.all_taken().unwrap();
    }

    #[test]
    fn what_does_not_listen_is_refused_by_its_name() {
        let (pair, _other) = std::os::unix::net::UnixStream::pair().unwrap();
        let datagrams = std::net::UdpSocket::bind("127.0.0.1:0").unwrap();
        let file = std::fs::File::open("/dev/null").unwrap();
        for fd in [OwnedFd::from(pair), datagrams.into(), file.into()] {
            let error = format!("{:#}", Socket::new("odd".into(), fd).unwrap_err());
            assert!(error.contains("\"odd\"") && error.contains("socket"), "{error}");
        }
    }
}
