//! The server behind the relay: echo, source or sink, one thread, one epoll set.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use anyhow::{Context, Result};
use slab::Slab;
use socket2::{Domain, Socket, Type};

use super::IO_BYTES;
use super::poll::{EventFlags, Poll};
use crate::ports;

/// How long the server may take to notice that it should stop.
const STOP_CHECK: Duration = Duration::from_millis(20);
/// The kernel cuts this to `net.core.somaxconn`.
const BACKLOG: i32 = 4096;
const LISTENER: usize = usize::MAX;

/// What the server does with an accepted connection.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Role {
    /// Sends back what it reads.
    Echo,
    /// Writes as fast as it can.
    Source,
    /// Reads, counts and throws away.
    Sink,
}

/// A running server on 127.0.0.1; it and its connections end when this is dropped.
pub(crate) struct Server {
    address: SocketAddr,
    received: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
    thread: Option<JoinHandle<io::Result<()>>>,
}

impl Server {
    pub(crate) fn start(role: Role) -> Result<Self> {
        let listener = listen().context("the load tool's server cannot listen")?;
        let address = listener.local_addr()?;
        let received = Arc::new(AtomicU64::new(0));
        let stop = Arc::new(AtomicBool::new(false));
        let mut worker = Worker {
            role,
            listener,
            poll: Poll::new()?,
            connections: Slab::new(),
            buffer: vec![0; IO_BYTES],
            received: received.clone(),
            stop: stop.clone(),
        };
        let thread = thread::Builder::new().name("server".into()).spawn(move || worker.run())?;
        Ok(Self { address, received, stop, thread: Some(thread) })
    }

    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// Bytes that a sink has read so far, over all its connections.
    pub(crate) fn received(&self) -> u64 {
        self.received.load(Ordering::Relaxed)
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
        if let Some(thread) = self.thread.take() {
            // Its error, if any, has already shown as a failed or stuck client.
            let _ = thread.join();
        }
    }
}

fn listen() -> Result<TcpListener> {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None)?;
    socket.set_reuse_address(true)?;
    socket.bind(&ports::free()?.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    Ok(socket.into())
}

/// One accepted connection. `pending` holds echoed bytes that the socket did not take yet; idle it is empty.
struct Connection {
    stream: TcpStream,
    pending: Vec<u8>,
}

struct Worker {
    role: Role,
    listener: TcpListener,
    poll: Poll,
    connections: Slab<Connection>,
    buffer: Vec<u8>,
    received: Arc<AtomicU64>,
    stop: Arc<AtomicBool>,
}

impl Worker {
    fn run(&mut self) -> io::Result<()> {
        self.poll.add(&self.listener, LISTENER, EventFlags::IN)?;
        let mut ready = Vec::new();
        while !self.stop.load(Ordering::Relaxed) {
            ready.clear();
            ready.extend_from_slice(self.poll.wait(STOP_CHECK)?);
            for &token in &ready {
                if token == LISTENER {
                    self.accept()?;
                } else if !self.serve(token) {
                    self.connections.remove(token);
                }
            }
        }
        Ok(())
    }

    fn accept(&mut self) -> io::Result<()> {
        loop {
            match self.listener.accept() {
                Ok((stream, _)) => {
                    stream.set_nonblocking(true)?;
                    stream.set_nodelay(true)?;
                    let entry = self.connections.vacant_entry();
                    let flags = if self.role == Role::Source { EventFlags::OUT } else { EventFlags::IN };
                    self.poll.add(&stream, entry.key(), flags)?;
                    entry.insert(Connection { stream, pending: Vec::new() });
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                // Reset before it was accepted: that peer only.
                Err(error) if error.kind() == ErrorKind::ConnectionAborted => {}
                Err(error) => return Err(error),
            }
        }
    }

    /// One step for a ready connection; false when it is over.
    fn serve(&mut self, token: usize) -> bool {
        let Some(connection) = self.connections.get_mut(token) else { return true };
        let step = match self.role {
            Role::Echo => echo(connection, &mut self.buffer, &self.poll, token),
            Role::Source => connection.stream.write(&self.buffer).map(|_| true),
            Role::Sink => connection.stream.read(&mut self.buffer).map(|count| {
                self.received.fetch_add(count as u64, Ordering::Relaxed);
                count > 0
            }),
        };
        step.unwrap_or_else(|error| error.kind() == ErrorKind::WouldBlock)
    }
}

fn echo(connection: &mut Connection, buffer: &mut [u8], poll: &Poll, token: usize) -> io::Result<bool> {
    if !connection.pending.is_empty() {
        let sent = connection.stream.write(&connection.pending)?;
        connection.pending.drain(..sent);
        if connection.pending.is_empty() {
            connection.pending = Vec::new();
            poll.change(&connection.stream, token, EventFlags::IN)?;
        }
        return Ok(true);
    }
    let count = connection.stream.read(buffer)?;
    let mut sent = 0;
    while sent < count {
        match connection.stream.write(&buffer[sent..count]) {
            Ok(written) => sent += written,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {
                connection.pending = buffer[sent..count].to_vec();
                poll.change(&connection.stream, token, EventFlags::OUT)?;
                break;
            }
            Err(error) => return Err(error),
        }
    }
    Ok(count > 0)
}
