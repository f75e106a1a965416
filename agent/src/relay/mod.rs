//! Floor 6: the threads that own the sockets and move the bytes.
//!
//! A relay thread waits in one `epoll` for all its sockets. A connection stays on its thread for life, and
//! all that is known of it is in its [`pair::Pair`]: no future hides a part. Other threads post messages
//! and never touch a socket.

mod command;
mod context;
mod dial;
mod dialogue;
mod drive;
mod ending;
mod farewell;
mod flow;
mod guest;
mod health;
mod identify;
mod inspect;
mod items;
mod later;
mod message;
mod pair;
mod parking;
mod pending;
mod proxy;
mod pump;
mod reconnect;
mod refuse;
mod speaker;
mod stay;
mod sweep;
mod thread;
mod timers;
mod token;
mod tools;
mod upstream;
mod work;

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};

use connctl_api::end::Reason;
use tokio::sync::oneshot;

use crate::base::inbox::{Outbox, inbox};
use crate::conn::command::{Command, Facts, Replies, Target};
use crate::policy::revoke::Revocations;
use crate::record::Record;
use crate::record::stats::Stats;
use crate::registry::{Conn, Registry};
pub use guest::Guest;
use message::Message;
pub use message::{Arrival, Opened};
pub(crate) use pair::descriptors;
pub use speaker::{Line, Lines, Speaker};

/// What the relay threads share with the rest of the agent.
#[derive(Debug, Clone)]
pub struct Shared {
    /// Who is here.
    pub registry: Arc<Registry>,
    /// Who is refused.
    pub revocations: Arc<Revocations>,
    /// What happened.
    pub stats: Arc<Stats>,
    /// What happened, one by one.
    pub record: Arc<Record>,
    /// Where names are looked up.
    pub resolver: tokio::runtime::Handle,
    /// Descriptors that connections hold.
    pub descriptors: Arc<Budget>,
    /// The most bulk pipes of one thread.
    pub pipes: usize,
}

/// Descriptors that connections may hold, so that some are left for the control API.
#[derive(Debug)]
pub struct Budget {
    used: AtomicUsize,
    most: usize,
}

impl Budget {
    /// A budget of `most` descriptors.
    pub const fn new(most: usize) -> Self {
        Self { used: AtomicUsize::new(0), most }
    }

    /// Takes `count` where they are left.
    pub fn take(&self, count: usize) -> bool {
        let take = |used: usize| used.checked_add(count).filter(|used| *used <= self.most);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, take).is_ok()
    }

    /// Gives back what was taken.
    pub fn give(&self, count: usize) {
        self.used.fetch_sub(count, Ordering::Relaxed);
    }
}

#[derive(Debug)]
struct Handle {
    outbox: Outbox<Message>,
    live: Arc<AtomicUsize>,
    thread: Mutex<Option<std::thread::JoinHandle<()>>>,
}

/// All relay threads.
#[derive(Debug)]
pub struct Pool {
    handles: Vec<Handle>,
}

impl Pool {
    /// Starts the threads.
    ///
    /// # Errors
    /// Where the kernel gives no thread or descriptor.
    pub fn start(threads: u16, shared: &Shared) -> std::io::Result<Self> {
        let mut handles = Vec::new();
        let peers = Arc::new(OnceLock::new());
        for index in 0..threads {
            let (outbox, inbox) = inbox()?;
            let live = Arc::new(AtomicUsize::new(0));
            let relay = thread::Relay::new(
                shared.clone(),
                Arc::clone(&peers),
                outbox.clone(),
                inbox,
                Arc::clone(&live),
            )?;
            let thread =
                std::thread::Builder::new().name(format!("relay-{index}")).spawn(move || relay.run())?;
            handles.push(Handle { outbox, live, thread: Mutex::new(Some(thread)) });
        }
        // Set once, before the first connection can come.
        let _ = peers.set(handles.iter().map(|handle| handle.outbox.clone()).collect());
        Ok(Self { handles })
    }

    /// How many threads.
    pub fn len(&self) -> usize {
        self.handles.len()
    }

    /// Whether there is none, which never happens.
    pub fn is_empty(&self) -> bool {
        self.handles.is_empty()
    }

    /// The thread with the fewest connections, which the next one goes to. It counts as there from now on,
    /// so that a burst is spread, too.
    pub fn choose(&self) -> u16 {
        let fewest = self
            .handles
            .iter()
            .enumerate()
            .min_by_key(|(_, handle)| handle.live.load(Ordering::Relaxed))
            .map_or(0, |(index, handle)| {
                handle.live.fetch_add(1, Ordering::Relaxed);
                index
            });
        u16::try_from(fewest).unwrap_or(0)
    }

    /// Hands an accepted or opened connection to the thread that [`Pool::choose`] named.
    pub fn adopt(&self, arrival: Arrival) {
        let thread = usize::from(arrival.conn.thread());
        if let Some(handle) = self.handles.get(thread) {
            handle.outbox.post(Message::Adopt(Box::new(arrival)));
        }
    }

    /// Lets something work on the first thread.
    pub fn host(&self, guest: Box<dyn Guest>) {
        if let Some(handle) = self.handles.first() {
            handle.outbox.post(Message::Host(guest));
        }
    }

    /// Posts a command to the connections of one thread.
    pub fn operate(&self, thread: u16, targets: Vec<Target>, command: Command, replies: Replies) {
        if let Some(handle) = self.handles.get(usize::from(thread)) {
            handle.outbox.post(Message::Operate { targets, command, replies });
        }
    }

    /// Says this to the clients, on connections of one thread, whose protocol has such a packet.
    pub fn say_farewell(&self, thread: u16, targets: Vec<Target>, packet: Arc<[u8]>) {
        if let Some(handle) = self.handles.get(usize::from(thread)) {
            handle.outbox.post(Message::Farewell { targets, packet });
        }
    }

    /// Asks the server of a connection that the agent opened whether it is there. The answer is dropped where
    /// none will come.
    pub fn ask(&self, conn: &Conn, asker: oneshot::Sender<()>) {
        if let Some(handle) = self.handles.get(usize::from(conn.thread())) {
            handle.outbox.post(Message::Ask { target: (conn.slot(), conn.id()), asker });
        }
    }

    /// Asks for the kernel's facts of connections of one thread.
    pub fn inspect(&self, thread: u16, targets: Vec<Target>, facts: Facts) {
        if let Some(handle) = self.handles.get(usize::from(thread)) {
            handle.outbox.post(Message::Inspect { targets, facts });
        }
    }

    /// The policies have changed: all threads look at their connections now. Gives those that they have begun
    /// to end, when every thread has looked; each has adopted by then what was handed to it before.
    pub async fn refresh(&self) -> Vec<(Arc<Conn>, Reason)> {
        let (ended, mut told) = tokio::sync::mpsc::channel(self.handles.len().max(1));
        for handle in &self.handles {
            handle.outbox.post(Message::Refresh { ended: ended.clone() });
        }
        drop(ended);
        let mut all = Vec::new();
        while let Some(some) = told.recv().await {
            all.extend(some);
        }
        all
    }

    /// Stops the threads. What becomes of the sockets that are left is the kernel's affair, and nothing is written
    /// down of it: whoever wants the connections ended ends them first.
    pub fn stop(&self) {
        for handle in &self.handles {
            handle.outbox.post(Message::Stop);
        }
        for handle in &self.handles {
            let thread = handle.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(thread) = thread
                && thread.join().is_err()
            {
                tracing::error!("a relay thread had panicked");
            }
        }
    }
}

/// The user whose connections have a defect, in unit tests only.
#[cfg(test)]
pub(crate) const DEFECTIVE: &str = "defective";

#[cfg(test)]
fn strike(conn: &Conn) {
    let is_struck = conn.labels().uid.as_deref() == Some(DEFECTIVE);
    assert!(!is_struck, "a defect, for a test");
}
