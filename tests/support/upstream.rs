//! Services to relay to, each bad in its own way.
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, Shutdown, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::{Domain, SockRef, Socket, Type};

use super::pattern::Pattern;
use super::peer::Peer;
use super::until::{LIMIT, until};

/// A server on a free loopback port. Each connection has a thread, which ends with the connection.
pub(crate) struct Upstream {
    addr: SocketAddr,
    stopping: Arc<AtomicBool>,
    accepted: Arc<AtomicU64>,
    acceptor: Option<JoinHandle<()>>,
}

impl Upstream {
    /// Serves each connection with this function.
    pub(crate) fn serve(serve: impl Fn(TcpStream) + Send + Sync + 'static) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let addr = listener.local_addr().unwrap();
        let (stopping, accepted) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stop, count, serve) = (Arc::clone(&stopping), Arc::clone(&accepted), Arc::new(serve));
        let acceptor = std::thread::spawn(move || {
            for stream in listener.incoming() {
                if stop.load(Ordering::SeqCst) {
                    return;
                }
                let Ok(stream) = stream else { continue };
                count.fetch_add(1, Ordering::SeqCst);
                let serve = Arc::clone(&serve);
                std::thread::spawn(move || serve(stream));
            }
        });
        Self { addr, stopping, accepted, acceptor: Some(acceptor) }
    }

    /// Sends everything back, and ends its direction when the other side has.
    pub(crate) fn echo() -> Self {
        Self::serve(|mut stream| {
            let mut chunk = vec![0; 64 * 1024];
            while let Ok(count @ 1..) = stream.read(&mut chunk) {
                if stream.write_all(&chunk[..count]).is_err() {
                    return;
                }
            }
        })
    }

    /// Sends this many bytes of the [`Pattern`], ends its direction and waits for the other side's end.
    pub(crate) fn source(count: u64) -> Self {
        Self::serve(move |mut stream| {
            let _ = Pattern::default().write(&mut stream, count);
            let _ = stream.shutdown(Shutdown::Write);
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        })
    }

    /// Reads and says nothing, and ends when the other side does.
    pub(crate) fn sink() -> Self {
        Self::serve(|mut stream| {
            let _ = std::io::copy(&mut stream, &mut std::io::sink());
        })
    }

    /// Accepts, and then neither reads nor writes.
    pub(crate) fn silent() -> Self {
        let held = Mutex::new(Vec::new());
        Self::serve(move |stream| held.lock().unwrap().push(stream))
    }

    /// Resets whoever connects.
    pub(crate) fn reset() -> Self {
        Self::serve(|stream| Peer::from_stream(stream).reset())
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// How many connections have been accepted.
    pub(crate) fn accepted(&self) -> u64 {
        self.accepted.load(Ordering::SeqCst)
    }
}

impl Drop for Upstream {
    fn drop(&mut self) {
        self.stopping.store(true, Ordering::SeqCst);
        // Wakes the acceptor, which then sees that it is to stop.
        let _ = TcpStream::connect_timeout(&self.addr, LIMIT);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

/// An upstream whose every move the test makes.
pub(crate) struct ByHand(TcpListener);

impl ByHand {
    pub(crate) fn listen() -> Self {
        Self::listen_on((Ipv4Addr::LOCALHOST, 0).into())
    }

    pub(crate) fn listen_on(addr: SocketAddr) -> Self {
        let listener = TcpListener::bind(addr).unwrap();
        listener.set_nonblocking(true).unwrap();
        Self(listener)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Whether nobody has dialled it since the last accept.
    pub(crate) fn is_idle(&self) -> bool {
        matches!(self.0.accept(), Err(error) if error.kind() == ErrorKind::WouldBlock)
    }

    /// The next connection, within the limit.
    #[track_caller]
    pub(crate) fn accept(&self) -> Peer {
        until("the agent dials the upstream", || match self.0.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                Some(Peer::from_stream(stream))
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => None,
            Err(error) => panic!("cannot accept: {error}"),
        })
    }
}

/// An address that answers every dial with `ECONNREFUSED` and that nobody else can take meanwhile.
pub(crate) struct Refusing(Socket);

impl Refusing {
    /// Takes dials from now on.
    pub(crate) fn listens(self) -> ByHand {
        self.0.listen(64).unwrap();
        self.0.set_nonblocking(true).unwrap();
        ByHand(self.0.into())
    }

    pub(crate) fn new() -> Self {
        let socket = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        socket.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        Self(socket)
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.0.local_addr().unwrap().as_socket().unwrap()
    }
}

/// An address that does not answer a dial at all: its backlog is full and nobody accepts.
pub(crate) struct Unanswering {
    listener: Socket,
    _queued: Vec<TcpStream>,
}

impl Unanswering {
    pub(crate) fn new() -> Self {
        let listener = Socket::new(Domain::IPV4, Type::STREAM, None).unwrap();
        listener.bind(&SocketAddr::from((Ipv4Addr::LOCALHOST, 0)).into()).unwrap();
        listener.listen(0).unwrap();
        let addr = listener.local_addr().unwrap().as_socket().unwrap();
        let mut queued = Vec::new();
        // The kernel takes a few before it drops the first packet of a dial.
        while let Ok(stream) = TcpStream::connect_timeout(&addr, Duration::from_millis(300)) {
            queued.push(stream);
            assert!(queued.len() < 64, "the backlog never fills");
        }
        Self { listener, _queued: queued }
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.listener.local_addr().unwrap().as_socket().unwrap()
    }
}

/// A client's receive buffer that stays small, whatever the kernel would like.
pub(crate) fn shrink(stream: &TcpStream) {
    SockRef::from(stream).set_recv_buffer_size(4096).unwrap();
}
