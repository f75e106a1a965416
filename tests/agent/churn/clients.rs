//! Clients that come, send, check what comes back, and leave in one of many ways.
use std::io::Read;
use std::net::Shutdown;
use std::sync::Arc;

use super::{Stage, add};
use crate::support::pattern::Pattern;
use crate::support::random::Random;
use crate::support::{LIMIT, Peer};

/// How a client leaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Leave {
    /// Half-closes when all is sent, and reads to the end.
    Whole,
    /// Resets in the middle.
    Reset,
    /// Closes without reading what comes.
    Unread,
    /// Half-closes at once and says nothing.
    Silent,
    /// Stays for a moment without a word, and closes.
    Idle,
}

const WAYS: [Leave; 8] = [
    Leave::Whole,
    Leave::Whole,
    Leave::Whole,
    Leave::Whole,
    Leave::Reset,
    Leave::Unread,
    Leave::Silent,
    Leave::Idle,
];
const LISTENERS: [&str; 8] = ["front", "front", "front", "echo", "echo", "hold", "calm", "calm"];

pub(super) fn come_and_go(stage: &Arc<Stage>, mut random: Random) {
    while stage.goes_on() {
        let listener = random.of(&LISTENERS);
        let addr = stage.agent.addr(listener);
        let small = random.below(4) == 0;
        let Ok(client) = Peer::dial(addr) else {
            assert_ne!(listener, "calm", "a dial was refused that nobody had refused");
            add(&stage.figures.refused, 1);
            continue;
        };
        if small {
            crate::support::upstream::shrink(client.stream());
        }
        add(&stage.figures.connections, 1);
        let leave = random.of(&WAYS);
        match leave {
            // What goes through a small window goes slowly.
            Leave::Whole => whole(stage, client, listener, if small { 13 } else { 20 }, &mut random),
            Leave::Reset => {
                let _ = Pattern::default().write(&mut client.stream(), random.size(18));
                random.stall();
                client.reset();
            }
            Leave::Unread => {
                let _ = Pattern::default().write(&mut client.stream(), random.size(12));
            }
            Leave::Silent => {
                let _ = client.stream().shutdown(Shutdown::Write);
                let end = client.stream().read(&mut [0]);
                assert!(
                    !matches!(&end, Err(error) if is_time(error)),
                    "{listener}: no end for {}",
                    client.local()
                );
            }
            Leave::Idle => std::thread::sleep(std::time::Duration::from_millis(random.below(50))),
        }
    }
}

/// Sends, half-closes and reads to the end. What comes back is the beginning of what was sent, and where nobody
/// meddles, all of it.
fn whole(stage: &Stage, client: Peer, listener: &str, power: u64, random: &mut Random) {
    let (from, size) = (random.below(1 << 30), random.size(power));
    let sender = client.another();
    let mut stalls = random.split();
    let writer = std::thread::spawn(move || {
        let mut pattern = Pattern::at(from);
        let mut left = size;
        while left > 0 {
            let piece = stalls.size(16).min(left);
            if pattern.write(&mut sender.stream(), piece).is_err() {
                return;
            }
            left -= piece;
            stalls.stall();
        }
        let _ = sender.stream().shutdown(Shutdown::Write);
    });
    let mut pattern = Pattern::at(from);
    let mut chunk = vec![0; 64 * 1024];
    let mut is_reset = false;
    loop {
        match client.stream().read(&mut chunk) {
            Ok(0) => break,
            Ok(count) => pattern.check(&chunk[..count]),
            Err(error) if is_time(&error) => {
                panic!("{listener}: nothing for {LIMIT:?}, after {}", pattern.offset() - from)
            }
            Err(_) => {
                is_reset = true;
                break;
            }
        }
        random.stall();
    }
    let came = pattern.offset() - from;
    // Who was cut off may still be writing into a socket that nobody reads.
    let _ = client.stream().shutdown(Shutdown::Both);
    writer.join().expect("the writer");
    add(&stage.figures.bytes, came);
    let is_whole = came == size && !is_reset;
    if listener == "calm" {
        assert!(is_whole, "nobody meddled, and {came} of {size} bytes came back (reset: {is_reset})");
    }
    add(if is_whole { &stage.figures.whole } else { &stage.figures.cut }, 1);
}

fn is_time(error: &std::io::Error) -> bool {
    matches!(error.kind(), std::io::ErrorKind::WouldBlock | std::io::ErrorKind::TimedOut)
}
