//! Pipes through which bulk moves between sockets without entering user space.
//!
//! Few, pooled, and held only while bytes are in them: an unprivileged process may have 64 MiB of pipes in
//! all, and each costs two descriptors.

use std::os::fd::OwnedFd;

use rustix::pipe::{PipeFlags, fcntl_setpipe_size, pipe_with};

/// What a pipe should hold. A smaller one moves less at once: 64 KiB reach 0.7 of the throughput.
const PIPE_BYTES: usize = 1 << 20;

/// An empty pipe, or one that a flow has filled.
#[derive(Debug)]
pub struct Pipe {
    /// Where bytes come out.
    pub read: OwnedFd,
    /// Where bytes go in.
    pub write: OwnedFd,
    /// What it can hold.
    pub bytes: usize,
}

/// The pipes of one thread.
#[derive(Debug)]
pub struct Pool {
    free: Vec<Pipe>,
    made: usize,
    most: usize,
}

impl Pool {
    /// A pool that never has more than `most` pipes.
    pub const fn new(most: usize) -> Self {
        Self { free: Vec::new(), made: 0, most }
    }

    /// An empty pipe, or none where all are in use or the kernel gives no more.
    pub fn take(&mut self) -> Option<Pipe> {
        if let Some(pipe) = self.free.pop() {
            return Some(pipe);
        }
        if self.made >= self.most {
            return None;
        }
        let (read, write) = pipe_with(PipeFlags::NONBLOCK | PipeFlags::CLOEXEC).ok()?;
        let bytes = [PIPE_BYTES, PIPE_BYTES / 4, PIPE_BYTES / 16]
            .into_iter()
            .find_map(|bytes| fcntl_setpipe_size(&write, bytes).ok())?;
        self.made += 1;
        Some(Pipe { read, write, bytes })
    }

    /// Takes an empty pipe back.
    pub fn give(&mut self, pipe: Pipe) {
        self.free.push(pipe);
    }

    /// A pipe that still held bytes when its flow was cut was dropped: there is room for another.
    pub const fn lost(&mut self) {
        self.made -= 1;
    }
}
