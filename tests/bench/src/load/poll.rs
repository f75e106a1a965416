//! epoll with the few calls that the load tool needs, all safe.

use std::io;
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

use rustix::event::{Timespec, epoll};

pub(crate) use rustix::event::epoll::EventFlags;

/// Events taken by one wait. More connections than that just need more waits.
const EVENTS: usize = 512;

/// A set of sockets to wait for, level-triggered; each is known by a token.
pub(crate) struct Poll {
    epoll: OwnedFd,
    ready: Vec<usize>,
}

impl Poll {
    pub(crate) fn new() -> io::Result<Self> {
        Ok(Self { epoll: epoll::create(epoll::CreateFlags::CLOEXEC)?, ready: Vec::with_capacity(EVENTS) })
    }

    pub(crate) fn add(&self, socket: impl AsFd, token: usize, flags: EventFlags) -> io::Result<()> {
        Ok(epoll::add(&self.epoll, socket, epoll::EventData::new_u64(token as u64), flags)?)
    }

    pub(crate) fn change(&self, socket: impl AsFd, token: usize, flags: EventFlags) -> io::Result<()> {
        Ok(epoll::modify(&self.epoll, socket, epoll::EventData::new_u64(token as u64), flags)?)
    }

    /// Waits until something is ready or `limit` is over, and gives the tokens of what is ready; an
    /// interrupted wait is an empty one.
    pub(crate) fn wait(&mut self, limit: Duration) -> io::Result<&[usize]> {
        let limit = Timespec::try_from(limit).map_err(io::Error::other)?;
        let mut space = [MaybeUninit::<epoll::Event>::uninit(); EVENTS];
        self.ready.clear();
        match epoll::wait(&self.epoll, &mut space, Some(&limit)) {
            Ok((events, _)) => self.ready.extend(events.iter().map(token)),
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(&self.ready)
    }
}

fn token(event: &epoll::Event) -> usize {
    // A copy, because the kernel's struct is packed. Tokens were made from usize, so this loses nothing.
    let data = event.data;
    usize::try_from(data.u64()).unwrap_or(usize::MAX)
}
