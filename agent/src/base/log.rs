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
/// What a level is called.
const LEVELS: [&str; 6] = ["off", "error", "warn", "info", "debug", "trace"];
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
///
/// # Errors
/// `CONNCTL_LOG` says nothing that can be logged.
pub fn start(level: Option<&str>, is_json: bool) -> anyhow::Result<Log> {
    let of_environment = of_environment(std::env::var("CONNCTL_LOG").unwrap_or_default().trim())?;
    let queue = Arc::new(Queue::default());
    let writer = Writer(Arc::clone(&queue));
    let reader = Arc::clone(&queue);
    let spawned = std::thread::Builder::new().name("log".to_owned()).spawn(move || reader.run());
    let is_fixed = of_environment.is_some();
    let filter = of_environment.unwrap_or_else(|| EnvFilter::new(level.unwrap_or(USUAL)));
    let log = tracing_subscriber::fmt().with_env_filter(filter).with_ansi(false).with_target(false);
    let mut levels = Levels::fixed();
    // A second agent in one process, as in tests, goes on with the first one's log.
    let _ = match &spawned {
        Ok(_) => {
            let log = log.with_writer(writer);
            // A log that was never set up, or is gone, has nothing to change.
            let (change, set_up): (Arc<dyn Fn(EnvFilter) + Send + Sync>, _) = if is_json {
                let log = log.json().flatten_event(true).with_filter_reloading();
                let handle = log.reload_handle();
                (Arc::new(move |filter| handle.reload(filter).unwrap_or_default()), log.try_init())
            } else {
                let log = log.with_filter_reloading();
                let handle = log.reload_handle();
                (Arc::new(move |filter| handle.reload(filter).unwrap_or_default()), log.try_init())
            };
            levels = Levels { change, is_fixed };
            set_up
        }
        Err(_) => log.with_writer(std::io::stderr).try_init(),
    };
    Ok(Log { queue, thread: spawned.ok(), levels })
}

/// What the environment says is logged. A word that is no level would be taken for the name of a module, and
/// nothing else be logged any more.
fn of_environment(text: &str) -> anyhow::Result<Option<EnvFilter>> {
    if text.is_empty() {
        return Ok(None);
    }
    let is_known = |part: &str| part.contains('=') || LEVELS.contains(&part.trim().to_lowercase().as_str());
    match EnvFilter::try_new(text) {
        Ok(filter) if text.split(',').all(is_known) => Ok(Some(filter)),
        _ => anyhow::bail!(
            "CONNCTL_LOG {text:?} is no level: one of {}, or for a module, as connctl_agent=debug",
            LEVELS.join(", ")
        ),
    }
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
        let (mut batch, mut lost) = (Vec::new(), Lost::default());
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
            lost.write(&mut std::io::stderr(), &batch);
            batch.clear();
            if is_over {
                return;
            }
        }
    }
}

/// What could not be written: stderr may be a file on a disk that is full.
#[derive(Debug, Default)]
struct Lost {
    lines: u64,
    /// The last line that was begun has no end.
    is_torn: bool,
}

impl Lost {
    /// Writes what it can. What it cannot is told before what is written next: there is nowhere else to tell it.
    fn write(&mut self, out: &mut impl Write, batch: &[u8]) {
        let end = if self.is_torn { "\n" } else { "" };
        let told = match self.lines {
            0 => end.to_owned(),
            lines => format!("{end}{lines} log lines could not be written\n"),
        };
        if !told.is_empty() {
            let written = write_most(out, told.as_bytes());
            // With its first byte the line that was torn has its end; the rest of what is told can be torn, too.
            self.is_torn =
                if written == 0 { self.is_torn } else { written > end.len() && written < told.len() };
            if written < told.len() {
                self.lines += lines_of(batch);
                return;
            }
        }
        let written = write_most(out, batch);
        let (done, rest) = batch.split_at(written);
        self.is_torn = done.last().is_some_and(|last| *last != b'\n');
        self.lines = lines_of(rest);
    }
}

fn lines_of(batch: &[u8]) -> u64 {
    batch.iter().filter(|byte| **byte == b'\n').count() as u64
}

/// Writes as much as is taken; gives how much.
fn write_most(out: &mut impl Write, bytes: &[u8]) -> usize {
    let mut written = 0;
    while let Some(rest) = bytes.get(written..).filter(|rest| !rest.is_empty()) {
        match out.write(rest) {
            Ok(0) => break,
            Ok(count) => written += count,
            Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
            Err(_) => break,
        }
    }
    written
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

#[cfg(test)]
mod tests {
    use super::*;

    /// A file on a disk with this much room.
    struct Full(Vec<u8>, usize);

    impl Write for Full {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            let count = bytes.len().min(self.1);
            self.1 -= count;
            self.0.extend_from_slice(&bytes[..count]);
            if count == 0 { Err(std::io::ErrorKind::StorageFull.into()) } else { Ok(count) }
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn lines_that_a_full_disk_did_not_take_are_counted_and_no_two_run_into_one() {
        // However much room there is in the end, and however much comes while there is none.
        for room in 0..60 {
            let (mut lost, mut file) = (Lost::default(), Full(Vec::new(), room));
            for number in 0..4 {
                lost.write(&mut file, format!("line {number}\nand {number}\n").as_bytes());
            }
            file.1 = usize::MAX;
            lost.write(&mut file, b"the last\n");
            let text = String::from_utf8(file.0).unwrap();
            let told: u64 = text
                .lines()
                .filter_map(|line| line.strip_suffix(" log lines could not be written")?.parse::<u64>().ok())
                .sum();
            let full = text.lines().filter(|line| line.len() == 6 && line.starts_with("line")).count()
                + text.lines().filter(|line| line.len() == 5 && line.starts_with("and")).count();
            assert!(text.ends_with("the last\n"), "{room}: {text:?}");
            assert!(told + full as u64 >= 8, "{room}: {text:?}");
        }
    }

    #[test]
    fn a_level_or_one_for_a_module_is_taken_and_anything_else_is_refused() {
        for text in ["info", "WARN", "off", "connctl_agent=debug", "warn,connctl_agent::relay=trace"] {
            assert!(of_environment(text).unwrap().is_some(), "{text}");
        }
        assert!(of_environment("").unwrap().is_none());
        for text in ["loud", "wran", "warn,loud", "connctl_agent=loud"] {
            assert!(of_environment(text).unwrap_err().to_string().contains(text), "{text}");
        }
    }
}
