//! The addresses of the control API: a unix socket that belongs to this agent alone, TCP on loopback, and TLS.

use std::ffi::OsString;
use std::fs::{self, DirBuilder, File, OpenOptions, Permissions};
use std::io;
use std::net::{SocketAddr, TcpListener};
use std::os::fd::OwnedFd;
use std::os::unix::fs::{DirBuilderExt, FileTypeExt, MetadataExt, OpenOptionsExt, PermissionsExt};
use std::os::unix::net::UnixListener;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use connctl_api::endpoint::{default_socket, is_own, temporary_dir};
use rustix::fs::{FlockOperation, Mode};
use rustix::io::Errno;
use rustix::net::{AddressFamily, SocketAddrUnix, SocketFlags, SocketType};

use crate::config::Control;
use crate::net::handed::Handed;

/// Connections that the kernel keeps until they are accepted.
const BACKLOG: i32 = 1024;
/// Who may connect to the unix socket: its owner.
const SOCKET_MODE: u32 = 0o600;
/// Who may enter a directory that is made for it: the same.
const DIRECTORY_MODE: u32 = 0o700;
/// The same where others may ask: everyone may connect, and is asked who they are.
const SHARED_SOCKET_MODE: u32 = 0o666;
/// Everyone may pass through, and nobody else look inside.
const SHARED_DIRECTORY_MODE: u32 = 0o711;
/// How often a lock file that was removed meanwhile is opened again.
const LOCK_ATTEMPTS: u32 = 16;

/// A bound address, before anything is served on it.
#[derive(Debug)]
pub(super) enum Bound {
    /// A socket in the file system, and the right to it.
    Unix(UnixListener, Claim),
    /// A TCP socket and its address.
    Tcp(TcpListener, SocketAddr),
    /// The same, where TLS is spoken.
    Tls(TcpListener, SocketAddr),
}

impl Bound {
    /// Binds; the error names the address. A shared socket is one that every user may connect to.
    pub(super) fn new(control: &Control, is_shared: bool) -> anyhow::Result<Self> {
        match control {
            Control::Unix(path) => {
                unix(path, is_shared).with_context(|| format!("control socket {}", path.display()))
            }
            Control::Tcp(address) => is_loopback(*address)
                .and_then(|()| tcp(*address))
                .map(|(listener, address)| Self::Tcp(listener, address))
                .with_context(|| format!("control address {address}")),
            Control::Tls(address) => tcp(*address)
                .map(|(listener, address)| Self::Tls(listener, address))
                .with_context(|| format!("control address {address}")),
        }
    }

    /// Takes over what the service manager opened for this address; nothing where it did not.
    pub(super) fn handed(control: &Control, handed: &mut Handed) -> Option<anyhow::Result<Self>> {
        let bound = match control {
            Control::Unix(path) => take_over_unix(path, handed.take_unix(path)?),
            // A name is of a listener: the control API's port is taken by its number.
            Control::Tcp(address) => {
                let handed = handed.take_tcp("", *address)?;
                is_loopback(*address).and_then(|()| Ok(Self::Tcp(nonblocking(handed)?, *address)))
            }
            Control::Tls(address) => {
                nonblocking(handed.take_tcp("", *address)?).map(|listener| Self::Tls(listener, *address))
            }
        };
        Some(bound.with_context(|| format!("handed over control address {control}")))
    }

    /// The address, with the port that was really taken.
    pub(super) fn address(&self) -> Control {
        match self {
            Self::Unix(_, claim) => Control::Unix(claim.path.clone()),
            Self::Tcp(_, address) => Control::Tcp(*address),
            Self::Tls(_, address) => Control::Tls(*address),
        }
    }
}

fn tcp(address: SocketAddr) -> anyhow::Result<(TcpListener, SocketAddr)> {
    let socket = socket2::Socket::new(socket2::Domain::for_address(address), socket2::Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&address.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = TcpListener::from(socket);
    let address = listener.local_addr()?;
    Ok((listener, address))
}

fn nonblocking(fd: OwnedFd) -> anyhow::Result<TcpListener> {
    let listener = TcpListener::from(fd);
    listener.set_nonblocking(true)?;
    Ok(listener)
}

/// The path, its mode and its lock are the manager's business.
fn take_over_unix(path: &Path, fd: OwnedFd) -> anyhow::Result<Bound> {
    let listener = UnixListener::from(fd);
    listener.set_nonblocking(true)?;
    Ok(Bound::Unix(listener, Claim { path: path.to_owned(), own: None }))
}

fn is_loopback(address: SocketAddr) -> anyhow::Result<()> {
    if !address.ip().to_canonical().is_loopback() {
        bail!(
            "{} is not a loopback address: whoever reaches the control API can end every connection, and \
             there is no TLS here",
            address.ip()
        );
    }
    Ok(())
}

fn unix(path: &Path, is_shared: bool) -> anyhow::Result<Bound> {
    let (socket_mode, directory_mode) = match is_shared {
        true => (SHARED_SOCKET_MODE, SHARED_DIRECTORY_MODE),
        false => (SOCKET_MODE, DIRECTORY_MODE),
    };
    if let Some(parent) = path.parent().filter(|parent| !parent.as_os_str().is_empty()) {
        DirBuilder::new()
            .recursive(true)
            .mode(directory_mode)
            .create(parent)
            .with_context(|| format!("its directory {} cannot be made", parent.display()))?;
    }
    if *path == default_socket()
        && let Some(dir) = temporary_dir()
    {
        let found = fs::symlink_metadata(&dir)?;
        if !found.is_dir() || !is_own(found.uid(), found.mode()) {
            bail!(
                "{} is another user's, or others may write to it: name another with --control",
                dir.display()
            );
        }
    }
    // Held for as long as the socket is: two agents that start at once must not both find it stale.
    let lock = Lock::take(path)?;
    remove_stale(path)?;
    let socket = stream_socket()?;
    // On Linux the file takes its mode from the socket: there is no moment at which others could connect.
    rustix::fs::fchmod(&socket, Mode::from_raw_mode(socket_mode))?;
    rustix::net::bind(&socket, &SocketAddrUnix::new(path).context("its path is too long")?)?;
    if is_shared {
        // The mode of the process's files is for those that it means to keep to itself.
        fs::set_permissions(path, Permissions::from_mode(socket_mode))?;
    }
    let made = fs::symlink_metadata(path)?;
    let own = Own { file: (made.dev(), made.ino()), is_shared, _lock: lock };
    let claim = Claim { path: path.to_owned(), own: Some(own) };
    rustix::net::listen(&socket, BACKLOG)?;
    Ok(Bound::Unix(UnixListener::from(socket), claim))
}

fn stream_socket() -> io::Result<OwnedFd> {
    let flags = SocketFlags::CLOEXEC | SocketFlags::NONBLOCK;
    Ok(rustix::net::socket_with(AddressFamily::UNIX, SocketType::STREAM, flags, None)?)
}

/// Takes away a socket on which nobody answers; anything else at the path is an error.
fn remove_stale(path: &Path) -> anyhow::Result<()> {
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(error.into()),
        Ok(found) if !found.file_type().is_socket() => {
            bail!("there is something else at this path, and it is not a socket")
        }
        Ok(_) => {}
    }
    match rustix::net::connect(&stream_socket()?, &SocketAddrUnix::new(path)?) {
        // A full backlog belongs to somebody who is alive.
        Ok(()) | Err(Errno::AGAIN) => bail!("another agent is alive and answers on it"),
        Err(Errno::CONNREFUSED) => fs::remove_file(path).context("it is stale and cannot be removed"),
        Err(Errno::NOENT) => Ok(()),
        Err(error) => Err(error).context("there is a socket at this path that cannot be tried"),
    }
}

/// The right to a socket's path. Gives the path back when dropped.
#[derive(Debug)]
pub(super) struct Claim {
    path: PathBuf,
    /// None where it is the service manager's.
    own: Option<Own>,
}

/// What makes a path this agent's.
#[derive(Debug)]
struct Own {
    file: (u64, u64),
    is_shared: bool,
    _lock: Lock,
}

impl Claim {
    /// Whether whoever opens the path comes to this agent. A path of the service manager's is believed to.
    pub(super) fn is_in_place(&self) -> bool {
        self.own.as_ref().is_none_or(|own| own.is_at(&self.path))
    }

    /// Whether every user may connect.
    pub(super) fn is_shared(&self) -> bool {
        self.own.as_ref().is_some_and(|own| own.is_shared)
    }
}

impl Own {
    fn is_at(&self, path: &Path) -> bool {
        fs::symlink_metadata(path).is_ok_and(|now| (now.dev(), now.ino()) == self.file)
    }
}

impl Drop for Claim {
    fn drop(&mut self) {
        // Somebody may have put another socket there since; that one is not ours to remove. One that cannot be
        // removed refuses, and the next agent takes its place.
        if self.own.as_ref().is_some_and(|own| own.is_at(&self.path)) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// An exclusive lock beside the socket. The kernel lets go of it when the process ends, however it ends.
#[derive(Debug)]
struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    fn take(socket: &Path) -> anyhow::Result<Self> {
        let mut path = OsString::from(socket);
        path.push(".lock");
        let path = PathBuf::from(path);
        for _ in 0..LOCK_ATTEMPTS {
            let file = OpenOptions::new()
                .read(true)
                .write(true)
                .create(true)
                .truncate(false)
                .mode(SOCKET_MODE)
                .open(&path)
                .with_context(|| format!("its lock file {} cannot be opened", path.display()))?;
            match rustix::fs::flock(&file, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => {}
                Err(Errno::AGAIN) => bail!("another agent is alive and owns it"),
                Err(error) => {
                    return Err(error).with_context(|| format!("its lock file {}", path.display()));
                }
            }
            // The agent before us may have removed the file between our opening and our locking it; then
            // the lock is on a file that nobody else can see.
            if is_seen(&file, &path) {
                return Ok(Self { path, file });
            }
        }
        bail!("its lock file {} does not stay in place", path.display())
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        // Still locked here, so nobody else has it; unless it was taken away and somebody else made another. One that
        // stays is no obstacle: the lock goes with this process.
        if is_seen(&self.file, &self.path) {
            let _ = fs::remove_file(&self.path);
        }
    }
}

/// Whether the path leads to this file.
fn is_seen(file: &File, path: &Path) -> bool {
    let [own, seen] = [file.metadata(), fs::metadata(path)];
    own.is_ok_and(|own| seen.is_ok_and(|seen| (seen.dev(), seen.ino()) == (own.dev(), own.ino())))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A directory of its own for each test, removed at the end.
    struct Directory(PathBuf);

    impl Directory {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("connctl-bind-{name}-{}", std::process::id()));
            let _ = fs::remove_dir_all(&path);
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn control(&self) -> Control {
            Control::Unix(self.0.join("made/agent.sock"))
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    fn path_of(control: &Control) -> &Path {
        match control {
            Control::Unix(path) => path,
            Control::Tcp(_) | Control::Tls(_) => unreachable!(),
        }
    }

    fn error(control: &Control) -> String {
        format!("{:#}", Bound::new(control, false).unwrap_err())
    }

    #[test]
    fn the_socket_is_private_and_goes_away_with_its_owner() {
        let directory = Directory::new("private");
        let control = directory.control();
        let bound = Bound::new(&control, false).unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(path_of(&control)), 0o600);
        assert_eq!(mode(path_of(&control).parent().unwrap()), 0o700);
        assert_eq!(bound.address(), control);
        drop(bound);
        assert_eq!(fs::read_dir(directory.0.join("made")).unwrap().count(), 0);
    }

    #[test]
    fn a_live_owner_is_left_alone_and_a_stale_socket_is_replaced() {
        let directory = Directory::new("owner");
        let control = directory.control();
        let first = Bound::new(&control, false).unwrap();
        let message = error(&control);
        assert!(message.contains("alive") && message.contains("agent.sock"), "{message}");
        drop(first);

        // One that was bound without a lock, by something that is alive and then dead.
        let other = UnixListener::bind(path_of(&control)).unwrap();
        assert!(error(&control).contains("answers"));
        drop(other);
        assert!(path_of(&control).exists());
        Bound::new(&control, false).unwrap();
    }

    #[test]
    fn a_file_that_is_no_socket_is_not_touched() {
        let directory = Directory::new("file");
        let control = directory.control();
        fs::create_dir_all(path_of(&control).parent().unwrap()).unwrap();
        fs::write(path_of(&control), "precious").unwrap();
        assert!(error(&control).contains("not a socket"));
        assert_eq!(fs::read(path_of(&control)).unwrap(), b"precious");
    }

    #[test]
    fn a_socket_that_took_our_place_is_not_removed() {
        let directory = Directory::new("place");
        let control = directory.control();
        let bound = Bound::new(&control, false).unwrap();
        fs::remove_file(path_of(&control)).unwrap();
        let other = UnixListener::bind(path_of(&control)).unwrap();
        drop(bound);
        assert!(path_of(&control).exists());
        drop(other);
    }

    #[test]
    fn a_lock_that_took_the_place_of_ours_is_not_removed() {
        let directory = Directory::new("lock");
        let control = directory.control();
        let bound = Bound::new(&control, false).unwrap();
        fs::remove_dir_all(directory.0.join("made")).unwrap();
        let other = Bound::new(&control, false).unwrap();
        drop(bound);
        assert!(error(&control).contains("another agent is alive and owns it"));
        drop(other);
    }

    #[test]
    fn tcp_is_loopback_only_and_a_taken_port_is_named() {
        let message = error(&Control::Tcp("0.0.0.0:0".parse().unwrap()));
        assert!(message.contains("0.0.0.0") && message.contains("loopback"), "{message}");
        let bound = Bound::new(&Control::Tcp("127.0.0.1:0".parse().unwrap()), false).unwrap();
        let Control::Tcp(address) = bound.address() else { unreachable!() };
        assert_ne!(address.port(), 0);
        let message = error(&bound.address());
        assert!(message.contains(&address.to_string()), "{message}");
    }

    #[test]
    fn a_path_that_is_too_long_is_an_error() {
        let long = std::env::temp_dir().join("x".repeat(120));
        assert!(error(&Control::Unix(long)).contains("too long"));
    }
}
