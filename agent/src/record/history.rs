//! The connections that have ended: the latest in memory, and more of them on disk where there is a directory.
//!
//! What has ended is in memory before anyone is told that it is done. A thread writes it to disk at most a second
//! later: whoever kills the agent loses what ended in that second, and nothing else.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, OnceLock, PoisonError};
use std::thread::{JoinHandle, Thread};
use std::time::Duration;

use super::ring::{Block, Head, New, Ring};
use super::store::{Reading, Store};
use crate::config::RecordSettings;

/// How long endings are gathered before they are written.
const GATHER: Duration = Duration::from_secs(1);
/// How often an idle writer looks for what is too old.
const LOOK: Duration = Duration::from_secs(600);

/// The connections that have ended.
#[derive(Debug)]
pub struct History {
    inner: Arc<Inner>,
    writer: Mutex<Option<JoinHandle<()>>>,
}

#[derive(Debug)]
struct Inner {
    ring: Ring,
    store: Option<Store>,
    /// Endings that were never written because the disk was too slow or failed.
    lost: AtomicU64,
    /// The writer waits for the next ending.
    is_idle: AtomicBool,
    is_over: AtomicBool,
    thread: OnceLock<Thread>,
}

impl History {
    /// A history that goes on behind what the file has.
    ///
    /// # Errors
    /// Where the file cannot be made or read, or there is no thread to write it.
    pub fn open(settings: &RecordSettings, file: Option<PathBuf>) -> anyhow::Result<Self> {
        let is_stored = settings.history_size > 0 && settings.history_stored > 0;
        let file = file.filter(|_| is_stored);
        let store = file.map(|path| Store::open(&path, settings.history_stored, settings.history_age));
        let store = store.transpose()?;
        let first = store.as_ref().map_or(1, Store::end);
        let inner = Arc::new(Inner {
            ring: Ring::new(settings.history_size, first),
            store,
            lost: AtomicU64::new(0),
            is_idle: AtomicBool::new(false),
            is_over: AtomicBool::new(false),
            thread: OnceLock::new(),
        });
        let writer = if inner.store.is_some() {
            let own = Arc::clone(&inner);
            let thread = std::thread::Builder::new().name("history".to_owned());
            let handle = thread.spawn(move || own.write_all(first))?;
            // Set once, here.
            let _ = inner.thread.set(handle.thread().clone());
            Some(handle)
        } else {
            None
        };
        Ok(Self { inner, writer: Mutex::new(writer) })
    }

    /// Writes an ending down: from here on every reader sees it.
    pub(super) fn push(&self, entry: &New<'_>) {
        let inner = &self.inner;
        inner.ring.push(entry);
        // The lock of the ring is between the two sides: the writer sees this ending, or this sees it idle.
        if inner.is_idle.load(Ordering::Relaxed) && inner.is_idle.swap(false, Ordering::Relaxed) {
            inner.wake();
        }
    }

    /// Everything that is kept, the latest block first.
    pub fn scan(&self) -> Scan {
        // Memory first: what it drops meanwhile is on disk by then, or lost for good.
        let memory = self.inner.ring.blocks(0);
        let oldest = memory.first().map_or(u64::MAX, |block| block.first);
        let disk = self.inner.store.as_ref().map(|store| store.before(oldest));
        Scan { memory, disk }
    }

    /// Endings that were never written to disk because it was too slow or failed.
    pub fn lost(&self) -> u64 {
        self.inner.lost.load(Ordering::Relaxed)
    }

    /// The bytes that it holds in memory.
    pub fn bytes(&self) -> usize {
        self.inner.ring.bytes()
    }

    /// Writes what is left and ends the writer.
    pub fn close(&self) {
        self.inner.is_over.store(true, Ordering::Release);
        self.inner.wake();
        let writer = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(writer) = writer
            && writer.join().is_err()
        {
            tracing::error!("the thread that writes the history had panicked");
        }
    }
}

impl Drop for History {
    fn drop(&mut self) {
        self.close();
    }
}

impl Inner {
    fn wake(&self) {
        if let Some(thread) = self.thread.get() {
            thread.unpark();
        }
    }

    /// The writer's life.
    fn write_all(&self, first: u64) {
        let (mut next, mut is_failing) = (first, false);
        loop {
            let is_over = self.is_over.load(Ordering::Acquire);
            let has_new = self.ring.end() > next;
            self.write(&mut next, &mut is_failing);
            if is_over {
                return;
            }
            if has_new {
                std::thread::park_timeout(GATHER);
                continue;
            }
            self.is_idle.store(true, Ordering::Relaxed);
            if self.ring.end() <= next {
                std::thread::park_timeout(LOOK);
            }
            self.is_idle.store(false, Ordering::Relaxed);
            if !self.is_over.load(Ordering::Acquire) {
                std::thread::park_timeout(GATHER);
            }
        }
    }

    /// Writes the blocks from `next` on, and moves it behind them.
    fn write(&self, next: &mut u64, is_failing: &mut bool) {
        let Some(store) = &self.store else {
            return;
        };
        let blocks = self.ring.blocks(*next);
        if let Some(missed) =
            blocks.first().map(|block| block.first.saturating_sub(*next)).filter(|missed| *missed > 0)
        {
            self.lost.fetch_add(missed, Ordering::Relaxed);
            tracing::warn!(missed, "the history could not be written as fast as connections ended");
            *next += missed;
        }
        match store.write(&blocks) {
            Ok(()) => {
                if std::mem::replace(is_failing, false) {
                    tracing::info!("the history is written again");
                }
                *next = blocks.last().map_or(*next, Block::end);
            }
            // It is tried again: the blocks stay in memory for as long as there is room.
            Err(error) => {
                if !std::mem::replace(is_failing, true) {
                    tracing::error!(error = format!("{error:#}"), "the history cannot be written");
                }
            }
        }
    }
}

/// What was there when somebody began to read.
pub struct Scan {
    memory: Vec<Block>,
    disk: Option<anyhow::Result<Reading>>,
}

impl Scan {
    /// The next block, older than the one before; `wanted` says of those on disk which are to be read.
    ///
    /// # Errors
    /// Where the disk fails.
    pub fn next(&mut self, wanted: impl Fn(&Head) -> bool) -> anyhow::Result<Option<Block>> {
        if let Some(block) = self.memory.pop() {
            return Ok(Some(block));
        }
        match &mut self.disk {
            None => Ok(None),
            Some(Ok(reading)) => reading.next(wanted),
            Some(disk @ Err(_)) => match std::mem::replace(disk, Err(anyhow::anyhow!("it failed before"))) {
                Ok(_) => Ok(None),
                Err(error) => Err(error),
            },
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicU32;

    use connctl_api::conn::Mode;
    use connctl_api::end::{Cause, Initiator, Reason, SideWire, Wire};
    use connctl_api::event::EventKind;

    use super::*;
    use crate::base::clock;
    use crate::record::Record;
    use crate::record::asked::Asked;
    use crate::record::entry::{End, Facts, Happening};

    /// A directory that is removed in the end.
    struct Dir(PathBuf);

    impl Dir {
        fn new() -> Self {
            static COUNT: AtomicU32 = AtomicU32::new(0);
            let name =
                format!("connctl-history-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
            let path = std::env::temp_dir().join(name);
            std::fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        fn open(&self, settings: &RecordSettings) -> Record {
            Record::open(settings, Some(self.0.join("history.redb"))).unwrap()
        }
    }

    impl Drop for Dir {
        fn drop(&mut self) {
            std::fs::remove_dir_all(&self.0).unwrap();
        }
    }

    fn end(record: &Record, conn_id: u64, asked: Option<&Asked>) {
        end_at(record, conn_id, asked, clock::wall_ms());
    }

    fn end_at(record: &Record, conn_id: u64, asked: Option<&Asked>, wall_ms: i64) {
        let wire = SideWire { fin_sent: true, dropped_bytes: conn_id, ..SideWire::default() };
        let happening = Happening {
            conn: Some(Facts {
                conn_id,
                uid: Some("u1"),
                device: None,
                tags: None,
                mode: Mode::Forward,
                client: Some(([10, 0, 0, 1], 4_000).into()),
                local: ([127, 0, 0, 1], 6_379).into(),
                upstream: None,
                opened_wall_ms: 5,
                age_ms: 6,
                idle_ms: 7,
                to_upstream_bytes: 8,
                to_client_bytes: 9,
                thread: 1,
            }),
            end: Some(End {
                cause: Cause { reason: Reason::OperatorReset, initiator: Initiator::Operator, side: None },
                wire: Wire::of(Some(wire), None),
            }),
            listener: Some("redis"),
            ..Happening::new(EventKind::Ended, wall_ms)
        };
        record.tell(&happening, asked);
    }

    /// All ids, the latest first.
    fn ids(record: &Record) -> Vec<u64> {
        let (mut scan, mut ids) = (record.history.scan(), Vec::new());
        while let Some(block) = scan.next(|_| true).unwrap() {
            let own: Vec<_> = block.entries().filter_map(|entry| Some(entry.conn?.conn_id)).collect();
            ids.extend(own.into_iter().rev());
        }
        ids
    }

    #[test]
    fn what_ended_is_there_after_a_restart_in_its_order() {
        let dir = Dir::new();
        let settings = RecordSettings { history_size: 100, ..RecordSettings::default() };
        let record = dir.open(&settings);
        let asked = Asked::new("alice", "reset where all", Some("why not"));
        (1..=1_000).for_each(|id| end(&record, id, Some(&asked)));
        record.close();
        drop(record);
        let record = dir.open(&settings);
        (1_001..=1_100).for_each(|id| end(&record, id, None));
        let all: Vec<_> = (1..=1_100).rev().collect();
        let seen = ids(&record);
        // The writer need not have kept up with a memory of a hundred.
        let lost = all.len() - seen.len();
        assert!(seen.is_sorted_by(|one, other| one > other), "{seen:?}");
        assert!(seen.starts_with(&all[..200]), "{lost} lost");
        let mut scan = record.history.scan();
        let mut oldest = None;
        while let Some(block) = scan.next(|_| true).unwrap() {
            oldest = Some(block);
        }
        let oldest = oldest.unwrap();
        let entry = oldest.entries().next().unwrap();
        assert_eq!(
            (entry.by, entry.request, entry.note),
            (Some("alice"), Some("reset where all"), Some("why not"))
        );
        assert_eq!(entry.end, Some((Reason::OperatorReset, Initiator::Operator)));
        let wire = entry.wire().unwrap();
        assert!(wire.all.fin_sent && wire.upstream.is_none());
        assert_eq!(Some(wire.all.dropped_bytes), entry.conn.map(|conn| conn.conn_id));
    }

    #[test]
    fn the_disk_keeps_the_latest() {
        let dir = Dir::new();
        let settings = RecordSettings { history_size: 80, history_stored: 200, ..RecordSettings::default() };
        for turn in 0..10 {
            let record = dir.open(&settings);
            (1..=50).for_each(|id| end(&record, turn * 50 + id, None));
            record.close();
        }
        let record = dir.open(&settings);
        let seen = ids(&record);
        assert!((200..=250).contains(&seen.len()), "{}", seen.len());
        assert_eq!(seen.first(), Some(&500));
    }

    #[test]
    fn nothing_that_is_too_old_stays_on_disk() {
        let (dir, settings) = (Dir::new(), RecordSettings::default());
        for (id, wall_ms) in [(1, 5), (2, clock::wall_ms())] {
            let record = dir.open(&settings);
            end_at(&record, id, None, wall_ms);
            record.close();
        }
        assert_eq!(ids(&dir.open(&settings)), [2]);
    }

    #[test]
    fn what_is_not_to_be_kept_is_not_written() {
        let dir = Dir::new();
        for settings in [
            RecordSettings { history_size: 0, ..RecordSettings::default() },
            RecordSettings { history_stored: 0, ..RecordSettings::default() },
        ] {
            let record = dir.open(&settings);
            end(&record, 1, None);
            record.close();
            assert_eq!(std::fs::read_dir(&dir.0).unwrap().count(), 0);
            assert_eq!(ids(&record).len() as u64, settings.history_size.min(1));
        }
    }

    #[test]
    fn a_file_that_is_none_is_an_error_that_names_it() {
        let dir = Dir::new();
        std::fs::write(dir.0.join("history.redb"), [7; 10_000]).unwrap();
        let opened = Record::open(&RecordSettings::default(), Some(dir.0.join("history.redb")));
        assert!(opened.unwrap_err().to_string().contains("history.redb"));
    }
}
