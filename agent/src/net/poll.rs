//! Waiting for many sockets at once: an edge-triggered `epoll`.

use std::mem::MaybeUninit;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

use rustix::event::Timespec;
use rustix::event::epoll::{self, CreateFlags, Event, EventData, EventFlags};

/// Events taken from the kernel at once.
const BATCH: usize = 512;

/// What a socket's event said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ready {
    /// Which registration: what was given to [`Poll::watch`].
    pub token: u64,
    /// There is something to read: bytes, an end, or an error.
    pub readable: bool,
    /// There is room to write, or an error to find.
    pub writable: bool,
    /// The peer has ended its direction, or everything is over.
    pub hung_up: bool,
    /// The socket has failed; `SO_ERROR` says how.
    pub failed: bool,
}

/// An `epoll` instance.
#[derive(Debug)]
pub struct Poll {
    epoll: OwnedFd,
}

impl Poll {
    /// A new one.
    ///
    /// # Errors
    /// Where the kernel gives none.
    pub fn new() -> std::io::Result<Self> {
        Ok(Self { epoll: epoll::create(CreateFlags::CLOEXEC)? })
    }

    /// Reports each change of a socket's readiness, in both directions. Closing the descriptor ends it.
    ///
    /// # Errors
    /// Where the kernel is out of memory or watches.
    pub fn watch(&self, fd: impl AsFd, token: u64) -> std::io::Result<()> {
        let flags = EventFlags::IN | EventFlags::OUT | EventFlags::RDHUP | EventFlags::ET;
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(token), flags)?)
    }

    /// Reports as long as there is something to read.
    ///
    /// # Errors
    /// As [`Poll::watch`].
    pub fn watch_input(&self, fd: impl AsFd, token: u64) -> std::io::Result<()> {
        Ok(epoll::add(&self.epoll, fd, EventData::new_u64(token), EventFlags::IN)?)
    }

    /// Ends the reports of a descriptor that stays open.
    ///
    /// # Errors
    /// Where it was not watched.
    pub fn unwatch(&self, fd: impl AsFd) -> std::io::Result<()> {
        Ok(epoll::delete(&self.epoll, fd)?)
    }

    /// Waits until something happens or `timeout_ms` is over (`None`: for ever; 0: not at all), and appends
    /// what happened.
    ///
    /// # Errors
    /// None but a defect's: an interruption by a signal is an empty answer.
    pub fn wait(&self, timeout_ms: Option<u64>, into: &mut Vec<Ready>) -> std::io::Result<()> {
        let timeout = timeout_ms.map(|ms| Timespec {
            tv_sec: i64::try_from(ms / 1000).unwrap_or(i64::MAX),
            tv_nsec: i64::try_from(ms % 1000 * 1_000_000).unwrap_or(0),
        });
        let mut buffer = [const { MaybeUninit::<Event>::uninit() }; BATCH];
        match epoll::wait(&self.epoll, &mut buffer, timeout.as_ref()) {
            Ok((events, _)) => into.extend(events.iter().map(ready)),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(())
    }
}

impl AsFd for Poll {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.epoll.as_fd()
    }
}

fn ready(event: &Event) -> Ready {
    let (flags, data) = (event.flags, event.data);
    let failed = flags.contains(EventFlags::ERR);
    let hung_up = flags.intersects(EventFlags::RDHUP | EventFlags::HUP) || failed;
    Ready {
        token: data.u64(),
        readable: flags.contains(EventFlags::IN) || hung_up,
        writable: flags.contains(EventFlags::OUT) || failed,
        hung_up,
        failed,
    }
}
