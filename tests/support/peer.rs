//! One end of a TCP connection that tells by its own `recv` how the other end left.
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use serde_json::Value;
use socket2::{Domain, SockRef, Socket, Type};

use super::until::LIMIT;

/// How a connection ended, as `recv` told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// `recv` gave 0.
    Fin,
    /// `recv` gave `ECONNRESET`.
    Reset,
}

/// A socket under the test's hand.
#[derive(Debug)]
pub(crate) struct Peer(TcpStream);

impl Peer {
    #[track_caller]
    pub(crate) fn connect(addr: SocketAddr) -> Self {
        Self::dial(addr).unwrap_or_else(|error| panic!("cannot connect to {addr}: {error}"))
    }

    /// A connect whose failure is of interest.
    pub(crate) fn dial(addr: SocketAddr) -> std::io::Result<Self> {
        TcpStream::connect_timeout(&addr, LIMIT).map(Self::from_stream)
    }

    /// Connects and must be reset, be it that the RST overtakes the answer to the dial.
    #[track_caller]
    pub(crate) fn is_reset_by(addr: SocketAddr) {
        match Self::dial(addr) {
            Ok(mut client) => client.ends_with(End::Reset),
            Err(error) => assert_eq!(error.kind(), ErrorKind::ConnectionReset),
        }
    }

    /// A client whose kernel holds little for it, so that what it does not read stays with the sender.
    pub(crate) fn with_small_window(addr: SocketAddr) -> Self {
        let socket = Socket::new(Domain::for_address(addr), Type::STREAM, None).unwrap();
        socket.set_recv_buffer_size(4096).unwrap();
        socket.connect_timeout(&addr.into(), LIMIT).unwrap();
        Self::from_stream(socket.into())
    }

    pub(crate) fn from_stream(stream: TcpStream) -> Self {
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.set_write_timeout(Some(LIMIT)).unwrap();
        stream.set_nodelay(true).unwrap();
        Self(stream)
    }

    pub(crate) fn local(&self) -> SocketAddr {
        self.0.local_addr().unwrap()
    }

    /// Whether this row is about this client. Its own address alone does not tell: another client of another
    /// listener may have the same.
    pub(crate) fn is_client_of(&self, row: &Value) -> bool {
        let is_there = |addr: SocketAddr| row["local"] == *addr.to_string();
        row["client"] == *self.local().to_string() && self.0.peer_addr().map_or(true, is_there)
    }

    pub(crate) fn stream(&self) -> &TcpStream {
        &self.0
    }

    /// A second handle on the same socket, for another thread.
    pub(crate) fn another(&self) -> Self {
        Self(self.0.try_clone().unwrap())
    }

    #[track_caller]
    pub(crate) fn send(&mut self, bytes: impl AsRef<[u8]>) {
        self.0.write_all(bytes.as_ref()).unwrap();
    }

    /// Sends what the sockets on the way take without anyone reading; gives how much that was.
    pub(crate) fn fill(&mut self) -> u64 {
        let chunk = [b'f'; 64 * 1024];
        self.0.set_nonblocking(true).unwrap();
        let (mut sent, mut last) = (0, Instant::now());
        // Full means: nothing more was taken for a while, long after buffers have grown.
        while last.elapsed() < Duration::from_millis(300) {
            match self.0.write(&chunk) {
                Ok(n) => {
                    sent += n as u64;
                    last = Instant::now();
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    std::thread::sleep(Duration::from_millis(5));
                }
                Err(error) => panic!("cannot fill: {error}"),
            }
        }
        self.0.set_nonblocking(false).unwrap();
        sent
    }

    /// Reads exactly as many bytes as the text has, and they must be the same.
    #[track_caller]
    pub(crate) fn expect(&mut self, text: impl AsRef<[u8]>) {
        let text = text.as_ref();
        let mut got = vec![0; text.len()];
        if let Err(error) = self.0.read_exact(&mut got) {
            panic!("{error} while waiting for {:?}", String::from_utf8_lossy(text));
        }
        assert_eq!(String::from_utf8_lossy(&got), String::from_utf8_lossy(text));
    }

    /// One line, without its end.
    #[track_caller]
    pub(crate) fn line(&mut self) -> String {
        let mut line = Vec::new();
        let mut byte = [0];
        loop {
            match self.0.read(&mut byte) {
                Ok(0) => panic!("ended within a line: {:?}", String::from_utf8_lossy(&line)),
                Ok(_) if byte[0] == b'\n' => break,
                Ok(_) => line.push(byte[0]),
                Err(error) => panic!("{error} after {:?}", String::from_utf8_lossy(&line)),
            }
        }
        String::from_utf8_lossy(&line).trim_end_matches('\r').to_owned()
    }

    pub(crate) fn read_some(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        self.0.read(buffer)
    }

    /// Ends the own direction.
    pub(crate) fn half_close(&self) {
        self.0.shutdown(Shutdown::Write).unwrap();
    }

    /// Leaves with a RST.
    pub(crate) fn reset(self) {
        SockRef::from(&self.0).set_linger(Some(Duration::ZERO)).unwrap();
    }

    /// Reads to the end: how many bytes came before it, and how it came.
    #[track_caller]
    pub(crate) fn end(&mut self) -> (u64, End) {
        self.end_with(|_| ())
    }

    /// Like [`Peer::end`], showing each piece on its way.
    #[track_caller]
    pub(crate) fn end_with(&mut self, mut piece: impl FnMut(&[u8])) -> (u64, End) {
        let mut chunk = vec![0; 64 * 1024];
        let mut count = 0;
        loop {
            match self.0.read(&mut chunk) {
                Ok(0) => return (count, End::Fin),
                Ok(n) => {
                    piece(&chunk[..n]);
                    count += n as u64;
                }
                Err(error) if error.kind() == ErrorKind::ConnectionReset => return (count, End::Reset),
                Err(error) => panic!("neither FIN nor RST but {error}, after {count} bytes"),
            }
        }
    }

    /// The end must be this one, with nothing before it.
    #[track_caller]
    pub(crate) fn ends_with(&mut self, end: End) {
        assert_eq!(self.end(), (0, end));
    }

    /// Whether nothing has arrived: no byte, no FIN, no RST.
    pub(crate) fn is_quiet(&self) -> bool {
        self.0.set_nonblocking(true).unwrap();
        let seen = self.0.peek(&mut [0]);
        self.0.set_nonblocking(false).unwrap();
        matches!(seen, Err(error) if error.kind() == ErrorKind::WouldBlock)
    }
}
