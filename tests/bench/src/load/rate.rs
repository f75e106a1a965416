//! New connections: connect, one byte there and back, close, and the next one in its place.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use anyhow::Result;

use super::poll::{EventFlags, Poll};
use super::{STUCK, connect};
use crate::measure::cpu::{Cost, Meter};
use crate::measure::latency::Latency;

/// Connections under way at any time.
const AT_ONCE: usize = 32;
/// A run ends here even if time is left. A relay's own connections to the server are closed from its side and
/// keep their ports for a minute, and it has only one source address.
const MOST: u64 = 20_000;

/// What a run of connections came to.
pub(crate) struct Connections {
    /// Connect to answered byte, of those that succeeded.
    pub(crate) latency: Latency,
    pub(crate) failed: u64,
    pub(crate) cost: Cost,
}

/// One place of the [`AT_ONCE`]: a connection and where it stands.
struct Place {
    stream: TcpStream,
    began: Instant,
    asked: bool,
}

/// Connects to `to` again and again for `time`.
pub(crate) fn run(to: SocketAddr, time: Duration, meter: &Meter) -> Result<Connections> {
    let mut poll = Poll::new()?;
    let mut latency = Latency::new()?;
    let (mut turn, mut failed) = (0, 0);
    let before = meter.read()?;
    let start = Instant::now();
    let mut places =
        (0..AT_ONCE).map(|index| next(to, &mut turn, index, &poll).map(Some)).collect::<Result<Vec<_>>>()?;
    while places.iter().any(Option::is_some) {
        let ready = poll.wait(STUCK)?.to_vec();
        if ready.is_empty() {
            // Whoever is still waiting has failed.
            failed += places.iter().flatten().count() as u64;
            break;
        }
        for index in ready {
            let Some(place) = &mut places[index] else { continue };
            match step(place, index, &poll) {
                Ok(false) => continue,
                Ok(true) => latency.record(place.began.elapsed()),
                Err(_) => failed += 1,
            }
            let more = start.elapsed() < time && turn < MOST;
            // The old socket closes here, before the next one opens.
            places[index] = None;
            if more {
                places[index] = Some(next(to, &mut turn, index, &poll)?);
            }
        }
    }
    Ok(Connections { latency, failed, cost: meter.read()?.since(&before) })
}

fn next(to: SocketAddr, turn: &mut u64, index: usize, poll: &Poll) -> Result<Place> {
    let began = Instant::now();
    let stream = connect::connecting(to, *turn)?;
    *turn += 1;
    poll.add(&stream, index, EventFlags::OUT)?;
    Ok(Place { stream, began, asked: false })
}

/// Goes on with a ready connection; true when its byte came back.
fn step(place: &mut Place, index: usize, poll: &Poll) -> io::Result<bool> {
    if !place.asked {
        // A connect that failed makes this write fail with its error.
        place.stream.write_all(&[1])?;
        place.asked = true;
        poll.change(&place.stream, index, EventFlags::IN)?;
        return Ok(false);
    }
    match place.stream.read(&mut [0]) {
        Ok(1) => Ok(true),
        Ok(_) => Err(ErrorKind::UnexpectedEof.into()),
        Err(error) if error.kind() == ErrorKind::WouldBlock => Ok(false),
        Err(error) => Err(error),
    }
}
