//! One direction of a connection: what it holds between being read and being written.

use std::os::fd::AsFd;

use rustix::io::Errno;
use rustix::net::SendFlags;
use rustix::pipe::SpliceFlags;
use zeroize::Zeroize;

use crate::net::pipes::{Pipe, Pool};

/// One direction. Empty, it owns nothing.
#[derive(Debug, Default)]
pub(super) struct Flow {
    held: Held,
    /// How much of what comes is still relayed.
    pub(super) cut: Cut,
    /// The last read was large: move by pipe.
    pub(super) bulk: bool,
    /// What is held was put there by the agent and is not the peer's: a PROXY header.
    pub(super) uncounted: u32,
}

/// Bytes that were read and not written yet.
#[derive(Debug, Default)]
enum Held {
    #[default]
    Nothing,
    /// In memory of their own, which lives as long as they do.
    Bytes(Box<Bytes>),
    /// In a pipe.
    Pipe(Box<Piped>),
}

#[derive(Debug)]
struct Bytes {
    data: Vec<u8>,
    start: usize,
    /// There may be credentials in it.
    is_secret: bool,
}

impl Drop for Bytes {
    fn drop(&mut self) {
        if self.is_secret {
            self.data.zeroize();
        }
    }
}

#[derive(Debug)]
struct Piped {
    pipe: Pipe,
    bytes: usize,
}

/// How much of what comes is still relayed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Cut {
    /// All of it.
    #[default]
    Open,
    /// This many bytes more, which the kernel had when the cut began; then a FIN.
    After(u64),
    /// Nothing: the FIN is sent, and what still comes is read and dropped.
    Discard,
}

/// How an attempt to write came out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Push {
    /// Nothing is held any more.
    Empty,
    /// The socket is full.
    Full,
    /// The socket failed.
    Failed(Errno),
}

impl Flow {
    /// Whether nothing is held.
    pub(super) const fn is_empty(&self) -> bool {
        matches!(self.held, Held::Nothing)
    }

    /// How many bytes are held.
    pub(super) fn held_bytes(&self) -> u64 {
        let bytes = match &self.held {
            Held::Nothing => 0,
            Held::Bytes(bytes) => bytes.data.len() - bytes.start,
            Held::Pipe(piped) => piped.bytes,
        };
        bytes as u64
    }

    /// Keeps what could not be written. The flow must be empty.
    pub(super) fn hold_bytes(&mut self, rest: &[u8]) {
        self.held = Held::Bytes(Box::new(Bytes { data: rest.to_vec(), start: 0, is_secret: false }));
    }

    /// Keeps more behind what is kept, which must not be a pipe.
    pub(super) fn hold_more(&mut self, more: &[u8], is_secret: bool) {
        let (mut data, mut secret) = (Vec::new(), is_secret);
        if let Held::Bytes(held) = &mut self.held {
            if !is_secret && !held.is_secret {
                return held.data.extend_from_slice(more);
            }
            // Bytes that move leave a copy behind, so these do not move.
            data.reserve_exact(held.data.len() - held.start + more.len());
            data.extend_from_slice(&held.data[held.start..]);
            secret = true;
        }
        data.extend_from_slice(more);
        self.held = Held::Bytes(Box::new(Bytes { data, start: 0, is_secret: secret }));
    }

    /// Keeps more, behind the bytes that are held.
    pub(super) fn add_bytes(&mut self, more: &[u8]) {
        match &mut self.held {
            Held::Bytes(bytes) => bytes.data.extend_from_slice(more),
            Held::Nothing | Held::Pipe(_) => self.hold_bytes(more),
        }
    }

    /// Keeps a filled pipe. The flow must be empty.
    pub(super) fn hold_pipe(&mut self, pipe: Pipe, bytes: usize) {
        self.held = Held::Pipe(Box::new(Piped { pipe, bytes }));
    }

    /// Drops what is held, which must not be a pipe, and all that was known of it.
    pub(super) fn forget(&mut self) {
        debug_assert!(!matches!(self.held, Held::Pipe(_)), "a pipe is counted where it is dropped");
        (self.held, self.uncounted) = (Held::Nothing, 0);
    }

    /// Drops what is held and says how much it was.
    pub(super) fn drop_held(&mut self, pipes: &mut Pool) -> u64 {
        let dropped = self.held_bytes();
        if matches!(self.held, Held::Pipe(_)) {
            pipes.lost();
        }
        self.held = Held::Nothing;
        dropped
    }

    /// Writes what is held, and says how many of the peer's bytes went out.
    pub(super) fn push(&mut self, to: impl AsFd, pipes: &mut Pool) -> (u64, Push) {
        let mut written = 0;
        let push = loop {
            let step = match &mut self.held {
                Held::Nothing => break Push::Empty,
                Held::Bytes(bytes) => rustix::net::send(&to, &bytes.data[bytes.start..], SendFlags::NOSIGNAL),
                Held::Pipe(piped) => {
                    let flags = SpliceFlags::MOVE | SpliceFlags::NONBLOCK;
                    rustix::pipe::splice(&piped.pipe.read, None, &to, None, piped.bytes, flags)
                }
            };
            match step {
                Ok(count) => {
                    written += count;
                    self.shrink(count, pipes);
                }
                Err(Errno::AGAIN) => break Push::Full,
                Err(Errno::INTR) => {}
                Err(error) => break Push::Failed(error),
            }
        };
        let own = u64::from(self.uncounted).min(written as u64);
        // `own` is at most `uncounted`.
        self.uncounted -= u32::try_from(own).unwrap_or(0);
        (written as u64 - own, push)
    }

    fn shrink(&mut self, count: usize, pipes: &mut Pool) {
        match std::mem::take(&mut self.held) {
            Held::Nothing => {}
            Held::Bytes(mut bytes) => {
                bytes.start += count;
                if bytes.start < bytes.data.len() {
                    self.held = Held::Bytes(bytes);
                }
            }
            Held::Pipe(mut piped) => {
                piped.bytes -= count;
                if piped.bytes > 0 {
                    self.held = Held::Pipe(piped);
                } else {
                    pipes.give(piped.pipe);
                }
            }
        }
    }
}
