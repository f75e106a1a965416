//! An echo service that is restarted under its clients, at one address.
use std::io::{ErrorKind, Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;
use std::time::Duration;

use socket2::SockRef;

/// Ends with its last handle.
pub(super) struct Restarting {
    addr: SocketAddr,
    shared: Arc<Shared>,
    acceptor: Option<JoinHandle<()>>,
}

#[derive(Default)]
struct Shared {
    stops: AtomicBool,
    restarts: AtomicU64,
    streams: Mutex<Vec<TcpStream>>,
}

impl Restarting {
    pub(super) fn start() -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let (addr, shared) = (listener.local_addr().unwrap(), Arc::new(Shared::default()));
        let own = Arc::clone(&shared);
        let acceptor = std::thread::spawn(move || own.run(addr, listener));
        Self { addr, shared, acceptor: Some(acceptor) }
    }

    pub(super) fn addr(&self) -> SocketAddr {
        self.addr
    }

    /// Everyone is cut off, dials are refused for a moment, and then it serves again.
    pub(super) fn restart(&self) {
        self.shared.restarts.fetch_add(1, Ordering::SeqCst);
    }
}

impl Drop for Restarting {
    fn drop(&mut self) {
        self.shared.stops.store(true, Ordering::SeqCst);
        if let Some(acceptor) = self.acceptor.take() {
            let _ = acceptor.join();
        }
    }
}

impl Shared {
    fn run(&self, addr: SocketAddr, mut listener: TcpListener) {
        let mut seen = 0;
        listener.set_nonblocking(true).unwrap();
        while !self.stops.load(Ordering::SeqCst) {
            let restarts = self.restarts.load(Ordering::SeqCst);
            if restarts != seen {
                seen = restarts;
                drop(listener);
                self.cut(restarts.is_multiple_of(2));
                std::thread::sleep(Duration::from_millis(restarts % 40));
                listener = bind_again(addr);
            }
            match listener.accept() {
                Ok((stream, _)) => self.serve(stream),
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(1))
                }
                // A dial that was reset before it was accepted.
                Err(_) => {}
            }
        }
        self.cut(true);
    }

    fn serve(&self, stream: TcpStream) {
        stream.set_nonblocking(false).unwrap();
        let Ok(own) = stream.try_clone() else { return };
        let mut streams = self.streams.lock().unwrap();
        // Those that have ended are let go of now and then.
        if streams.len() >= 64 {
            streams.retain(|stream| stream.peer_addr().is_ok());
        }
        streams.push(own);
        std::thread::spawn(move || echo(stream));
    }

    /// Ends all streams, with a RST or a FIN.
    fn cut(&self, resets: bool) {
        for stream in self.streams.lock().unwrap().drain(..) {
            if resets {
                let _ = SockRef::from(&stream).set_linger(Some(Duration::ZERO));
            }
            let _ = stream.shutdown(std::net::Shutdown::Both);
        }
    }
}

fn bind_again(addr: SocketAddr) -> TcpListener {
    crate::support::until("the upstream's port is free again", || {
        let listener = TcpListener::bind(addr).ok()?;
        listener.set_nonblocking(true).unwrap();
        Some(listener)
    })
}

fn echo(mut stream: TcpStream) {
    let mut chunk = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = stream.read(&mut chunk) {
        if stream.write_all(&chunk[..count]).is_err() {
            return;
        }
    }
    // A handle is kept for the next restart, so that dropping this one does not end the direction.
    let _ = stream.shutdown(std::net::Shutdown::Write);
}
