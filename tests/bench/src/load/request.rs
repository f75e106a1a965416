//! Requests and answers as fast as they go: each connection sends its next request when it has its answer.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Instant;

use anyhow::{Context, Result, bail};

use super::poll::{EventFlags, Poll};
use super::{MESSAGE_BYTES, STUCK, Span, connect};
use crate::measure::cpu::{Cost, Meter};
use crate::measure::latency::Latency;

/// Answers of the measured time.
pub(crate) struct Answers {
    pub(crate) latency: Latency,
    pub(crate) cost: Cost,
}

/// One connection, blocking calls.
pub(crate) fn one(to: SocketAddr, span: Span, meter: &Meter) -> Result<Answers> {
    let mut stream = connect::blocking(to)?;
    let mut message = [7; MESSAGE_BYTES];
    let start = Instant::now();
    while start.elapsed() < span.warm_up {
        round_trip(&mut stream, &mut message)?;
    }
    let mut latency = Latency::new()?;
    let before = meter.read()?;
    let start = Instant::now();
    let mut sent = start;
    while sent - start < span.measured {
        round_trip(&mut stream, &mut message)?;
        // The end of one request is the start of the next: one look at the clock for each.
        let now = Instant::now();
        latency.record(now - sent);
        sent = now;
    }
    Ok(Answers { latency, cost: meter.read()?.since(&before) })
}

fn round_trip(stream: &mut TcpStream, message: &mut [u8]) -> Result<()> {
    stream.write_all(message).context("sending a request")?;
    stream.read_exact(message).context("reading an answer")
}

/// A connection with one request under way.
pub(crate) struct Asking {
    pub(crate) stream: TcpStream,
    got: usize,
}

impl Asking {
    pub(crate) fn connect(to: SocketAddr) -> Result<Self> {
        Ok(Self { stream: connect::nonblocking(to)?, got: 0 })
    }

    /// Sends a request. 64 bytes fit in an empty send buffer, so a short write is an error here.
    pub(crate) fn ask(&mut self) -> Result<()> {
        let sent = self.stream.write(&[7; MESSAGE_BYTES]).context("sending a request")?;
        if sent != MESSAGE_BYTES {
            bail!("{sent} of {MESSAGE_BYTES} bytes of a request were taken");
        }
        Ok(())
    }

    /// Reads; true when the answer is complete.
    pub(crate) fn answered(&mut self) -> Result<bool> {
        let mut buffer = [0; MESSAGE_BYTES];
        match self.stream.read(&mut buffer[self.got..]) {
            Ok(0) => bail!("the relay closed a connection"),
            Ok(count) => self.got += count,
            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
            Err(error) => return Err(error).context("reading an answer"),
        }
        let whole = self.got == MESSAGE_BYTES;
        if whole {
            self.got = 0;
        }
        Ok(whole)
    }
}

/// Opens `count` connections and puts them in an epoll set; the token is the index.
pub(crate) fn open(to: SocketAddr, count: usize) -> Result<(Vec<Asking>, Poll)> {
    let poll = Poll::new()?;
    let asking = (0..count).map(|_| Asking::connect(to)).collect::<Result<Vec<_>>>()?;
    for (index, one) in asking.iter().enumerate() {
        poll.add(&one.stream, index, EventFlags::IN)?;
    }
    Ok((asking, poll))
}

/// `count` connections, each always with one request under way.
pub(crate) fn many(to: SocketAddr, count: usize, span: Span, meter: &Meter) -> Result<Answers> {
    let (mut asking, mut poll) = open(to, count)?;
    let mut latency = Latency::new()?;
    let start = Instant::now();
    let mut sent = vec![start; count];
    for one in &mut asking {
        one.ask()?;
    }
    let mut before = None;
    loop {
        let ready = poll.wait(STUCK)?;
        if ready.is_empty() {
            bail!("no answer for {} s", STUCK.as_secs());
        }
        for &index in ready {
            if asking[index].answered()? {
                let now = Instant::now();
                if before.is_some() {
                    latency.record(now - sent[index]);
                }
                asking[index].ask()?;
                sent[index] = now;
            }
        }
        match &before {
            None if start.elapsed() >= span.warm_up => before = Some(meter.read()?),
            Some(before) if start.elapsed() >= span.warm_up + span.measured => {
                return Ok(Answers { latency, cost: meter.read()?.since(before) });
            }
            _ => {}
        }
    }
}
