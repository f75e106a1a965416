//! The state directory, and the ids that survive a restart because of it.

use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use anyhow::Context;
use connctl_api::id::{ConnId, MAX_ID};
use rustix::fs::{FlockOperation, flock};

use crate::base::clock;

/// How many ids one write to disk reserves.
const ID_BLOCK: u64 = 1 << 20;

/// 2026-01-01T00:00:00Z in milliseconds since 1970: where ids without a state directory count from.
const ID_EPOCH_MS: i64 = 1_767_225_600_000;

/// Ids for each millisecond of the clock without a state directory: more than any node accepts.
const IDS_PER_MS: u64 = 64;

/// Files of one name that are set aside.
const MAX_ASIDE: u32 = 10;

/// A directory that belongs to one live agent.
#[derive(Debug)]
pub struct StateDir {
    path: PathBuf,
    _lock: std::fs::File,
}

impl StateDir {
    /// Makes the directory where it is missing, and locks it.
    ///
    /// # Errors
    /// Where it cannot be made or written, or another live agent has it.
    pub fn open(path: &Path) -> anyhow::Result<Self> {
        std::fs::create_dir_all(path)
            .with_context(|| format!("state_dir {} cannot be made", path.display()))?;
        let lock = std::fs::File::create(path.join("lock"))
            .with_context(|| format!("state_dir {} cannot be written", path.display()))?;
        flock(&lock, FlockOperation::NonBlockingLockExclusive)
            .with_context(|| format!("state_dir {} belongs to another live agent", path.display()))?;
        Ok(Self { path: path.to_owned(), _lock: lock })
    }

    /// A file in it.
    pub fn file(&self, name: &str) -> PathBuf {
        self.path.join(name)
    }

    /// The files whose names begin and end so, with their content. One that cannot be read is set aside.
    pub fn files(&self, (start, end): (&str, &str)) -> Vec<(String, Vec<u8>)> {
        let names = std::fs::read_dir(&self.path).into_iter().flatten();
        let names = names.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
        let own = names.filter(|name| name.starts_with(start) && name.ends_with(end));
        own.filter_map(|name| match std::fs::read(self.file(&name)) {
            Ok(content) => Some((name, content)),
            Err(error) => {
                self.set_aside(&name, &error);
                None
            }
        })
        .collect()
    }

    /// Gives a file that cannot be used another name, and says so: it is not worth an agent that does not start. What
    /// was set aside before stays; where all names are taken, so does the file.
    pub fn set_aside(&self, name: &str, problem: &dyn std::fmt::Display) {
        let path = self.file(name);
        let file = path.display();
        let Some(aside) = self.free_aside(name) else {
            tracing::error!(%file, %problem, "a file is damaged, and too many of its name are set aside already");
            return;
        };
        match std::fs::rename(&path, &aside) {
            Ok(()) => {
                tracing::error!(%file, %problem, aside = %aside.display(), "a file is damaged and set aside")
            }
            Err(error) => {
                tracing::error!(%file, %problem, %error, "a file is damaged and cannot be set aside")
            }
        }
    }

    /// `NAME.damaged`, `NAME.damaged.2` and so on: the first that is not taken. Nobody else takes one meanwhile: the
    /// directory is this agent's.
    fn free_aside(&self, name: &str) -> Option<PathBuf> {
        let number = |number| if number == 1 { String::new() } else { format!(".{number}") };
        let mut names = (1..=MAX_ASIDE).map(|at| self.file(&format!("{name}.damaged{}", number(at))));
        names.find(|path| {
            let found = std::fs::symlink_metadata(path);
            found.is_err_and(|error| error.kind() == std::io::ErrorKind::NotFound)
        })
    }

    /// Takes a file away, if it is there.
    pub fn remove(&self, name: &str) {
        match std::fs::remove_file(self.file(name)) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                tracing::warn!(file = %self.file(name).display(), %error, "a file cannot be removed");
            }
            _ => {}
        }
    }

    /// Replaces a file as a whole: after a crash it holds the old content or the new.
    ///
    /// # Errors
    /// As the file system reports them.
    pub fn replace(&self, name: &str, content: &[u8]) -> std::io::Result<()> {
        let next = self.file(&format!("{name}.next"));
        let written = std::fs::File::create(&next).and_then(|mut file| {
            file.write_all(content)?;
            file.sync_all()
        });
        if let Err(error) = written.and_then(|()| std::fs::rename(&next, self.file(name))) {
            // Half a file helps nobody, and its room may be what is missing.
            let _ = std::fs::remove_file(&next);
            return Err(error);
        }
        std::fs::File::open(&self.path)?.sync_all()
    }
}

/// Where new `conn_id`s come from: increasing, and never used twice on a node.
#[derive(Debug)]
pub struct Ids {
    next: AtomicU64,
    reserved: AtomicU64,
    disk: Option<Mutex<std::sync::Arc<StateDir>>>,
}

const ID_FILE: &str = "next_conn_id";

impl Ids {
    /// Goes on behind the ids that an earlier agent on this directory can have used. Without a directory
    /// the wall clock takes its place, so that the ids are larger than those of any earlier run.
    ///
    /// # Errors
    /// Where the file is damaged or cannot be written.
    pub fn open(state_dir: Option<std::sync::Arc<StateDir>>) -> anyhow::Result<Self> {
        let Some(dir) = state_dir else {
            let elapsed = u64::try_from(clock::wall_ms() - ID_EPOCH_MS).unwrap_or(0);
            let first = (elapsed * IDS_PER_MS).clamp(1, MAX_ID / 2);
            return Ok(Self { next: first.into(), reserved: MAX_ID.into(), disk: None });
        };
        let path = dir.file(ID_FILE);
        let first = match std::fs::read_to_string(&path) {
            Ok(text) => {
                text.trim().parse::<u64>().ok().filter(|first| (1..=MAX_ID).contains(first)).with_context(
                    || format!("{} is damaged: {:?} is not an id", path.display(), text.trim()),
                )?
            }
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => 1,
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        let ids = Self { next: first.into(), reserved: first.into(), disk: Some(Mutex::new(dir)) };
        ids.reserve(first).with_context(|| format!("{} cannot be written", path.display()))?;
        Ok(ids)
    }

    /// A new id.
    ///
    /// # Errors
    /// Where the next block of ids cannot be written down: then no id is given, because a restart could
    /// give it again.
    pub fn next(&self) -> std::io::Result<ConnId> {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        if number >= self.reserved.load(Ordering::Acquire) {
            self.reserve(number)?;
        }
        ConnId::new(number).map_err(std::io::Error::other)
    }

    fn reserve(&self, number: u64) -> std::io::Result<()> {
        let Some(disk) = &self.disk else {
            return Ok(());
        };
        let dir = disk.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        if number < self.reserved.load(Ordering::Acquire) {
            return Ok(());
        }
        let end = number + ID_BLOCK;
        dir.replace(ID_FILE, format!("{end}\n").as_bytes())?;
        self.reserved.store(end, Ordering::Release);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;

    fn temporary() -> PathBuf {
        static COUNT: AtomicU64 = AtomicU64::new(0);
        let name = format!("connctl-state-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        std::env::temp_dir().join(name)
    }

    #[test]
    fn ids_go_on_after_a_restart() {
        let path = temporary();
        let first = {
            let dir = Arc::new(StateDir::open(&path).unwrap());
            let ids = Ids::open(Some(dir)).unwrap();
            ids.next().unwrap();
            ids.next().unwrap()
        };
        assert_eq!(first.get(), 2);
        let dir = Arc::new(StateDir::open(&path).unwrap());
        assert!(Ids::open(Some(dir)).unwrap().next().unwrap() > first);
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_directory_has_one_agent() {
        let path = temporary();
        let held = StateDir::open(&path).unwrap();
        let error = StateDir::open(&path).unwrap_err();
        assert!(error.to_string().contains("another live agent"), "{error}");
        drop(held);
        StateDir::open(&path).unwrap();
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn what_is_set_aside_stays_and_there_is_an_end_of_it() {
        let path = temporary();
        let dir = StateDir::open(&path).unwrap();
        // A link to nowhere has a name, too.
        std::os::unix::fs::symlink("/nonexistent", dir.file("a.json.damaged.3")).unwrap();
        for round in 1..=MAX_ASIDE + 2 {
            std::fs::write(dir.file("a.json"), round.to_string()).unwrap();
            dir.set_aside("a.json", &"a test");
        }
        let read = |name: &str| std::fs::read_to_string(dir.file(name)).unwrap();
        assert_eq!(
            [read("a.json.damaged"), read("a.json.damaged.2"), read("a.json.damaged.4")],
            ["1", "2", "3"]
        );
        assert_eq!([read("a.json.damaged.10"), read("a.json")], ["9", "12"]);
        assert!(dir.file("a.json.damaged.3").is_symlink() && !dir.file("a.json.damaged.11").exists());
        // Another name has its own.
        std::fs::write(dir.file("b.json"), "b").unwrap();
        dir.set_aside("b.json", &"a test");
        assert_eq!(read("b.json.damaged"), "b");
        drop(dir);
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn a_damaged_file_is_an_error_and_not_a_fresh_start() {
        let path = temporary();
        let dir = Arc::new(StateDir::open(&path).unwrap());
        std::fs::write(dir.file(ID_FILE), "seven").unwrap();
        assert!(Ids::open(Some(Arc::clone(&dir))).unwrap_err().to_string().contains("damaged"));
        drop(dir);
        std::fs::remove_dir_all(path).unwrap();
    }

    #[test]
    fn without_a_directory_a_later_agent_has_larger_ids() {
        let first = Ids::open(None).unwrap().next().unwrap();
        std::thread::sleep(std::time::Duration::from_millis(3));
        assert!(Ids::open(None).unwrap().next().unwrap() > first);
    }
}
