//! Log lines on stderr, written by a thread of their own: a reader that is slow, or a pipe that is full,
//! never holds a connection up. What does not fit is dropped and counted.

use std::io::Write;
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tracing_subscriber::EnvFilter;
use tracing_subscriber::fmt::MakeWriter;

/// What may wait to be written.
const MAX_WAITING_BYTES: usize = 4 << 20;
/// What is logged where nobody says anything.
const USUAL: &str = "info";
/// How long lines are gathered: one wake-up and one write are enough for many of them.
const GATHER: Duration = Duration::from_millis(20);

/// The log of the process. Dropping it waits until everything is written.
#[derive(Debug)]
pub struct Log {
    queue: Arc<Queue>,
    thread: Option<std::thread::JoinHandle<()>>,
    levels: Levels,
}

/// What is logged, which can change while the process runs.
#[derive(Clone)]
pub struct Levels {
    change: Arc<dyn Fn(EnvFilter) + Send + Sync>,
    is_fixed: bool,
}

impl std::fmt::Debug for Levels {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Levels").field("is_fixed", &self.is_fixed).finish_non_exhaustive()
    }
}

impl Levels {
    /// A log that stays as it is.
    pub fn fixed() -> Self {
        Self { change: Arc::new(|_| ()), is_fixed: true }
    }

    /// Whether the environment has said what is logged, and the configuration has nothing to say.
    pub const fn is_fixed(&self) -> bool {
        self.is_fixed
    }

    /// Logs from this level on; the usual one where none is given.
    pub fn set(&self, level: Option<&str>) {
        if !self.is_fixed {
            (self.change)(EnvFilter::new(level.unwrap_or(USUAL)));
        }
    }
}

#[derive(Debug, Default)]
struct Queue {
    waiting: Mutex<Waiting>,
    changed: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    bytes: Vec<u8>,
    dropped: u64,
    is_over: bool,
}

/// Sets the log up for the whole process. `CONNCTL_LOG` chooses what is logged, as `info` or
/// `connctl_agent=debug`; where it does not, `level` does.
pub fn start(level: Option<&str>) -> Log {
    let queue = Arc::new(Queue::default());
    let writer = Writer(Arc::clone(&queue));
    let reader = Arc::clone(&queue);
    let spawned = std::thread::Builder::new().name("log".to_owned()).spawn(move || reader.run());
    let of_environment = EnvFilter::try_from_env("CONNCTL_LOG").ok();
    let is_fixed = of_environment.is_some();
    let filter = of_environment.unwrap_or_else(|| EnvFilter::new(level.unwrap_or(USUAL)));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_target(false);
    let mut levels = Levels::fixed();
    // A second agent in one process, as in tests, goes on with the first one's log.
    let _ = match &spawned {
        Ok(_) => {
            let log = log.with_writer(writer).with_filter_reloading();
            let handle = log.reload_handle();
            // A log that was never set up, or is gone, has nothing to change.
            let change = move |filter| handle.reload(filter).unwrap_or_default();
            levels = Levels { change: Arc::new(change), is_fixed };
            log.try_init()
        }
        Err(_) => log.with_writer(std::io::stderr).try_init(),
    };
    Log { queue, thread: spawned.ok(), levels }
}

impl Log {
    /// What is logged.
    pub fn levels(&self) -> Levels {
        self.levels.clone()
    }
}

impl Queue {
    fn lock(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn add(&self, line: &[u8]) {
        let mut waiting = self.lock();
        if waiting.bytes.len() + line.len() > MAX_WAITING_BYTES {
            waiting.dropped += 1;
            return;
        }
        let was_empty = waiting.bytes.is_empty();
        waiting.bytes.extend_from_slice(line);
        drop(waiting);
        if was_empty {
            self.changed.notify_one();
        }
    }

    fn run(&self) {
        let mut batch = Vec::new();
        loop {
            let mut waiting = self.lock();
            while waiting.bytes.is_empty() && !waiting.is_over {
                waiting = self.changed.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
            if !waiting.is_over {
                // An end wakes it before the time is over, and nothing else does.
                let gathered = self.changed.wait_timeout(waiting, GATHER);
                waiting = gathered.unwrap_or_else(PoisonError::into_inner).0;
            }
            std::mem::swap(&mut batch, &mut waiting.bytes);
            let dropped = std::mem::take(&mut waiting.dropped);
            let is_over = waiting.is_over;
            drop(waiting);
            if dropped > 0 {
                batch.extend_from_slice(format!("{dropped} log lines were dropped\n").as_bytes());
            }
            // There is nowhere left to tell that stderr is gone.
            let _ = std::io::stderr().write_all(&batch);
            batch.clear();
            if is_over {
                return;
            }
        }
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.lock().is_over = true;
        self.queue.changed.notify_one();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread has been printed by itself.
            let _ = thread.join();
        }
    }
}

#[derive(Debug, Clone)]
struct Writer(Arc<Queue>);

impl Write for Writer {
    fn write(&mut self, line: &[u8]) -> std::io::Result<usize> {
        self.0.add(line);
        Ok(line.len())
    }

    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Writer {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
