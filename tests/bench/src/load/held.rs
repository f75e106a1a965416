//! Idle connections that are kept open, and the moment when they are gone.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::poll::{EventFlags, Poll};
use super::{STUCK, connect};

/// One request that every held connection had answered, so that the relay has really opened both sides.
#[derive(Clone, Copy)]
pub(crate) struct Greeting {
    pub(crate) ask: &'static [u8],
    pub(crate) answer: &'static [u8],
}

/// For an echo server.
pub(crate) const BYTE: Greeting = Greeting { ask: b"x", answer: b"x" };
/// For Redis.
pub(crate) const PING: Greeting = Greeting { ask: b"PING\r\n", answer: b"+PONG\r\n" };

/// Connections that did one round trip each and are idle now.
#[derive(Default)]
pub(crate) struct Held {
    streams: Vec<TcpStream>,
}

impl Held {
    /// Opens connections until `total` are held.
    pub(crate) fn fill(&mut self, to: SocketAddr, total: usize, greeting: Greeting) -> Result<()> {
        let mut answer = vec![0; greeting.answer.len()];
        while self.streams.len() < total {
            let place = self.streams.len() + 1;
            let mut stream = connect::blocking(to)
                .with_context(|| format!("connection {place} of {total} (is `ulimit -n` high enough?)"))?;
            stream.write_all(greeting.ask)?;
            stream.read_exact(&mut answer).with_context(|| format!("no answer on connection {place}"))?;
            if answer != greeting.answer {
                bail!("a wrong answer on connection {place}");
            }
            self.streams.push(stream);
        }
        Ok(())
    }

    /// Takes out `count` of them, spread over the order in which they were opened.
    pub(crate) fn take(&mut self, count: usize) -> Vec<TcpStream> {
        let step = (self.streams.len() / count).max(1);
        let places = (0..self.streams.len()).step_by(step).take(count);
        // From the end, because taking one moves the last one to its place.
        places.rev().map(|place| self.streams.swap_remove(place)).collect()
    }

    /// Waits until every client has seen its end, and says when the last one did.
    pub(crate) fn all_gone(&mut self) -> Result<Instant> {
        let mut poll = Poll::new()?;
        for (index, stream) in self.streams.iter().enumerate() {
            poll.add(stream, index, EventFlags::IN)?;
        }
        let mut open: Vec<Option<TcpStream>> = self.streams.drain(..).map(Some).collect();
        let mut left = open.len();
        while left > 0 {
            let ready = poll.wait(STUCK)?;
            if ready.is_empty() {
                bail!("{left} connections are still open after {} s", STUCK.as_secs());
            }
            for &index in ready {
                let Some(stream) = &mut open[index] else { continue };
                // End of input and a reset are both an end; data is not.
                if !matches!(stream.read(&mut [0; 16]), Ok(1..)) {
                    open[index] = None;
                    left -= 1;
                }
            }
        }
        Ok(Instant::now())
    }
}

/// Waits until this one client has seen its end, and closes its own side, as clients do.
pub(crate) fn gone(mut stream: TcpStream) -> Result<()> {
    match stream.read(&mut [0; 16]) {
        Ok(1..) => bail!("data arrived on an idle connection"),
        Err(error) if error.kind() == ErrorKind::WouldBlock => {
            bail!("the connection is still open after {} s", STUCK.as_secs())
        }
        Ok(0) | Err(_) => Ok(()),
    }
}
