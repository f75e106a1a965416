//! The audit on disk. One thread writes it, in batches of what waits, and answers when it is on the disk; no
//! relay thread is ever here, and a request waits for its own line only.

mod denied;
mod figures;
mod file;

use std::collections::VecDeque;
use std::io;
use std::path::{Path, PathBuf};
use std::sync::atomic::Ordering::Relaxed;
use std::sync::mpsc::{self, Receiver, RecvTimeoutError, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use connctl_api::audit::chain::Link;
use connctl_api::audit::line::{AuditLine, Denial};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};

use self::denied::Denials;
pub use self::denied::Kind;
use self::figures::Counts;
pub use self::figures::Figures;
use self::file::AuditFile;
pub use self::file::{Opened, Part, parts};
use crate::base::clock;

/// Changes that may be on their way at once, from the line before each to the line behind it; whoever has another
/// waits.
const MAX_PLACES: usize = 1_024;
/// Lines that are written in one go.
const MAX_BATCH: usize = 256;
/// Lines that could not be written, are kept and written with the next: what came of changes that were
/// carried out.
const MAX_OWED: usize = 4_096;
/// Within this time, what came of a change is on the disk: with the line of the next change, if there is one.
const SYNC_WITHIN: Duration = Duration::from_millis(20);
/// How often the thread looks whether refusals are to be summed up.
const LOOK_EVERY: Duration = Duration::from_secs(10);

/// The writing end of the audit. [`Audit::close`] ends its thread.
#[derive(Debug)]
pub struct Audit {
    path: PathBuf,
    orders: Mutex<Option<Sender<Order>>>,
    places: Arc<Semaphore>,
    state: Arc<State>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

/// What the thread shares with the rest.
#[derive(Debug)]
struct State {
    head: Mutex<Link>,
    denials: Mutex<Denials>,
    counts: Counts,
}

/// The right to have a change under way. It is held until the line behind the change is written.
#[derive(Debug)]
pub struct Place(#[expect(dead_code, reason = "given back when dropped")] OwnedSemaphorePermit);

/// A line to be written.
#[derive(Debug)]
enum Order {
    /// Somebody waits for it.
    Asked { line: AuditLine, place: Place, reply: oneshot::Sender<io::Result<(Link, Place)>> },
    /// It has happened; nobody waits.
    Told { line: AuditLine, place: Option<Place> },
}

impl Audit {
    /// Opens the file and goes on where it ends.
    ///
    /// # Errors
    /// It cannot be read or written, is no file, or is another agent's.
    pub fn open(path: &Path, max_bytes: u64) -> io::Result<(Self, Opened)> {
        let (file, opened) = AuditFile::open(path, max_bytes)?;
        let state = Arc::new(State {
            head: Mutex::new(file.last()),
            denials: Mutex::new(Denials::new(clock::now_ms())),
            counts: Counts::default(),
        });
        state.counts.file_bytes.store(file.bytes(), Relaxed);
        let (sender, orders) = mpsc::channel();
        let own = Arc::clone(&state);
        let writer = move || Writer { file, state: own, owed: VecDeque::new() }.run(&orders);
        let thread = std::thread::Builder::new().name("audit".to_owned()).spawn(writer)?;
        let audit = Self {
            path: path.to_owned(),
            orders: Mutex::new(Some(sender)),
            places: Arc::new(Semaphore::new(MAX_PLACES)),
            state,
            thread: Mutex::new(Some(thread)),
        };
        Ok((audit, opened))
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The last line.
    pub fn head(&self) -> Link {
        *lock(&self.state.head)
    }

    /// How it goes, since the start.
    pub fn figures(&self) -> Figures {
        self.state.counts.read(self.head().seq)
    }

    /// Counts a change that was refused because it could not be written down.
    pub fn count_refused(&self) {
        Counts::add(&self.state.counts.refused, 1);
    }

    /// Counts a change that went ahead and is missing here: the line before it, and the one behind it.
    pub fn count_missing(&self) {
        Counts::add(&self.state.counts.lost, 2);
    }

    /// Appends the line before a change and returns when it is on the disk. If whoever asks for it leaves, it is
    /// written all the same.
    ///
    /// # Errors
    /// As the file system reports them; then the line is not there.
    pub async fn append(&self, line: AuditLine) -> io::Result<(Link, Place)> {
        let place = Arc::clone(&self.places).acquire_owned().await.map_err(|_| closed())?;
        let (reply, answer) = oneshot::channel();
        if !self.post(Order::Asked { line, place: Place(place), reply }) {
            return Err(closed());
        }
        answer.await.map_err(|_| closed())?
    }

    /// Appends what has happened, and waits for nothing. `place` is that of the change that it is about.
    pub fn tell(&self, line: AuditLine, place: Option<Place>) {
        if !self.post(Order::Told { line, place }) {
            Counts::add(&self.state.counts.lost, 1);
            tracing::error!("the audit is closed: a line is missing in it");
        }
    }

    /// Appends that somebody was refused; of many of a kind, the first at once and how many later.
    pub fn denied(&self, kind: Kind, denial: Denial) {
        let first = lock(&self.state.denials).note(kind, denial);
        if let Some(denial) = first {
            self.tell(AuditLine::Denied(denial), None);
        }
    }

    /// Appends how many were refused so far.
    pub fn sum_up(&self) {
        for denial in lock(&self.state.denials).due(clock::now_ms(), true) {
            self.tell(AuditLine::Denied(denial), None);
        }
    }

    fn post(&self, order: Order) -> bool {
        lock(&self.orders).as_ref().is_some_and(|orders| orders.send(order).is_ok())
    }

    /// Returns when everything is written, and writes nothing more.
    pub fn close(&self) {
        lock(&self.orders).take();
        let thread = lock(&self.thread).take();
        if thread.is_some_and(|thread| thread.join().is_err()) {
            tracing::error!("the thread of the audit ended badly");
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

fn closed() -> io::Error {
    io::Error::other("the audit is closed")
}

/// The thread.
struct Writer {
    file: AuditFile,
    state: Arc<State>,
    /// What has happened and could not be written.
    owed: VecDeque<AuditLine>,
}

impl Writer {
    fn run(mut self, orders: &Receiver<Order>) {
        loop {
            let wait = if self.file.is_behind() { SYNC_WITHIN } else { LOOK_EVERY };
            let first = orders.recv_timeout(wait);
            if first.is_err()
                && let Err(error) = self.file.sync()
            {
                Counts::add(&self.state.counts.failed, 1);
                tracing::error!(%error, "the end of a change may be lost in the audit");
            }
            let is_end = matches!(first, Err(RecvTimeoutError::Disconnected));
            let batch = first.into_iter().chain(orders.try_iter()).take(MAX_BATCH).collect();
            let denials = lock(&self.state.denials).due(clock::now_ms(), false);
            self.owe(denials.into_iter().map(AuditLine::Denied));
            self.write(batch);
            if is_end {
                if let Err(error) = self.file.sync() {
                    tracing::error!(%error, "the end of the audit may be lost");
                }
                if !self.owed.is_empty() {
                    tracing::error!(lines = self.owed.len(), "the end of the audit could not be written");
                }
                return;
            }
        }
    }

    /// Writes all of a batch, or nothing of it; then what has happened is written with the next.
    fn write(&mut self, batch: Vec<Order>) {
        let (mut waiting, mut lines, mut places) = (Vec::new(), Vec::new(), Vec::new());
        for order in batch {
            match order {
                Order::Asked { line, place, reply } => {
                    lines.push(line);
                    waiting.push((place, reply));
                }
                Order::Told { line, place } => {
                    self.owe([line]);
                    places.push(place);
                }
            }
        }
        if lines.is_empty() && self.owed.is_empty() {
            return;
        }
        let owed = self.owed.len();
        // Nobody waits for what has happened.
        let is_synced = !waiting.is_empty();
        let appended = self.file.append(self.owed.iter().chain(&lines), is_synced);
        if appended.is_ok() {
            self.owed.clear();
        }
        self.count(appended.as_ref().map_or(0, Vec::len), appended.is_err());
        match appended {
            Ok(links) => {
                for ((place, reply), link) in waiting.into_iter().zip(links.into_iter().skip(owed)) {
                    // Whoever asked may have left; the line is there all the same.
                    let _ = reply.send(Ok((link, place)));
                }
            }
            Err(error) => {
                if owed > 0 {
                    tracing::error!(%error, lines = owed, "the audit cannot be written: what was done waits for that");
                }
                for (_, reply) in waiting {
                    let _ = reply.send(Err(io::Error::new(error.kind(), error.to_string())));
                }
            }
        }
    }

    /// Tells how it went, before anyone is answered.
    fn count(&self, written: usize, has_failed: bool) {
        *lock(&self.state.head) = self.file.last();
        let counts = &self.state.counts;
        counts.file_bytes.store(self.file.bytes(), Relaxed);
        counts.owed.store(self.owed.len() as u64, Relaxed);
        Counts::add(&counts.failed, usize::from(has_failed));
        Counts::add(&counts.written, written);
    }

    fn owe(&mut self, lines: impl IntoIterator<Item = AuditLine>) {
        self.owed.extend(lines);
        let excess = self.owed.len().saturating_sub(MAX_OWED);
        if excess > 0 {
            self.owed.drain(..excess);
            Counts::add(&self.state.counts.lost, excess);
            tracing::error!(lines = excess, "the audit cannot be written: lines are lost");
        }
    }
}
