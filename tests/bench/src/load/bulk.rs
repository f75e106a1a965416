//! Bulk streams. Bytes are counted where they arrive.

use std::io::{ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};

use super::poll::{EventFlags, Poll};
use super::server::Server;
use super::{IO_BYTES, STUCK, Span, connect};
use crate::measure::cpu::{Cost, Meter};

/// What moved during the measured time and what it cost.
pub(crate) struct Moved {
    pub(crate) bytes: u64,
    pub(crate) cost: Cost,
}

/// Reads from a source through `streams` connections.
pub(crate) fn pull(to: SocketAddr, streams: usize, span: Span, meter: &Meter) -> Result<Moved> {
    let mut reader = if streams == 1 { Reader::one(to)? } else { Reader::many(to, streams)? };
    reader.read_for(span.warm_up)?;
    let before = meter.read()?;
    let bytes = reader.read_for(span.measured)?;
    Ok(Moved { bytes, cost: meter.read()?.since(&before) })
}

/// Writes to a sink through one connection.
pub(crate) fn push(to: SocketAddr, sink: &Server, span: Span, meter: &Meter) -> Result<Moved> {
    let mut stream = connect::blocking(to)?;
    let data = vec![0; IO_BYTES];
    let mut write_for = |time: Duration| -> Result<()> {
        let start = Instant::now();
        while start.elapsed() < time {
            stream.write_all(&data).context("writing to the relay")?;
        }
        Ok(())
    };
    write_for(span.warm_up)?;
    let (before, already) = (meter.read()?, sink.received());
    write_for(span.measured)?;
    Ok(Moved { bytes: sink.received() - already, cost: meter.read()?.since(&before) })
}

enum Reader {
    /// One connection is read by blocking calls: epoll would be one system call more for each read.
    One(TcpStream, Vec<u8>),
    Many(Vec<TcpStream>, Poll, Vec<u8>),
}

impl Reader {
    fn one(to: SocketAddr) -> Result<Self> {
        Ok(Self::One(connect::blocking(to)?, vec![0; IO_BYTES]))
    }

    fn many(to: SocketAddr, streams: usize) -> Result<Self> {
        let poll = Poll::new()?;
        let streams = (0..streams).map(|_| connect::nonblocking(to)).collect::<Result<Vec<_>>>()?;
        for (index, stream) in streams.iter().enumerate() {
            poll.add(stream, index, EventFlags::IN)?;
        }
        Ok(Self::Many(streams, poll, vec![0; IO_BYTES]))
    }

    /// Bytes read in `time`.
    fn read_for(&mut self, time: Duration) -> Result<u64> {
        let start = Instant::now();
        let mut bytes = 0;
        match self {
            Self::One(stream, buffer) => {
                while start.elapsed() < time {
                    bytes += arrived(stream.read(buffer).context("reading from the relay")?)?;
                }
            }
            Self::Many(streams, poll, buffer) => {
                while start.elapsed() < time {
                    let ready = poll.wait(STUCK)?;
                    if ready.is_empty() {
                        bail!("no byte arrived for {} s", STUCK.as_secs());
                    }
                    for &index in ready {
                        match streams[index].read(buffer) {
                            Ok(count) => bytes += arrived(count)?,
                            Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                            Err(error) => return Err(error).context("reading from the relay"),
                        }
                    }
                }
            }
        }
        Ok(bytes)
    }
}

fn arrived(count: usize) -> Result<u64> {
    if count == 0 {
        bail!("the relay ended the stream");
    }
    Ok(count as u64)
}
