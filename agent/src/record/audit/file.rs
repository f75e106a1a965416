//! The files of the audit: lines in a chain, the head beside them, and a new file when one is full. Nothing is
//! ever taken away here: a file that is full is renamed to what it was called and the number of its first line.

mod end;
mod folder;

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use connctl_api::audit::chain::{Line, Link, seal};
use connctl_api::audit::line::AuditLine;
use end::{ANOTHERS, end_of, hole_in, is_anothers};
pub use folder::{Part, parts};
use folder::{earlier, head_of, last_text, numbered, sync_folder};

/// Who may read it: its owner.
const MODE: u32 = 0o600;
/// The longest head in bytes.
const MAX_HEAD_BYTES: u64 = 128;

/// What was found when the audit was opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Opened {
    /// The bytes of a last line that a crash had cut off; they are gone.
    pub torn_bytes: u64,
    /// What is wrong with its end, and no crash explains.
    pub damage: Option<&'static str>,
}

/// The file that is written.
#[derive(Debug)]
pub(super) struct AuditFile {
    path: PathBuf,
    file: File,
    head: File,
    /// Its whole lines.
    bytes: u64,
    /// The number of its first line.
    first: u64,
    last: Link,
    max_bytes: u64,
    /// More than its whole lines may be in it.
    is_dirty: bool,
    /// Its last lines may not be on the disk yet.
    is_behind: bool,
}

impl AuditFile {
    pub(super) fn open(path: &Path, max_bytes: u64) -> io::Result<(Self, Opened)> {
        if let Ok(found) = fs::metadata(path)
            && !found.is_file()
        {
            return Err(io::Error::new(ErrorKind::InvalidInput, "it is not a regular file"));
        }
        let open = |path: &Path| {
            let mut options = OpenOptions::new();
            options.read(true).write(true).create(true).truncate(false).mode(MODE).open(path)
        };
        let head = open(&head_of(path))?;
        // Two that write one chain would make two of it.
        head.try_lock().map_err(|error| match error {
            TryLockError::WouldBlock => io::Error::new(ErrorKind::WouldBlock, "another agent writes it"),
            TryLockError::Error(error) => error,
        })?;
        let mut file = open(path)?;
        let mut content = Vec::new();
        file.read_to_end(&mut content)?;
        let known = read_head(&head)?;
        let full = earlier(path)?;
        let before = || last_text(&full);
        let mut whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
        if let Some(hole) = hole_in(content.get(..whole).unwrap_or_default(), known, before)? {
            whole = hole;
        }
        let torn_bytes = (content.len() - whole) as u64;
        content.truncate(whole);
        // A new file may have been begun and nothing written to it.
        if content.is_empty() {
            content = before()?;
        }
        let (last, mut damage) = end_of(&content, known);
        // No crash leaves a head that is a whole file behind, but somebody may have put an old one there. A file
        // that is full is read for that alone.
        if let Some(head) = known.filter(|_| damage.is_none())
            && content_first(&content).is_some_and(|first| head.seq < first)
            && let Some((_, full)) = full.iter().rfind(|(first, _)| *first <= head.seq)
            && is_anothers(&fs::read(full)?, head)
        {
            damage = Some(ANOTHERS);
        }
        let first = content_first(&content).filter(|_| whole > 0).unwrap_or(last.seq + 1);
        if torn_bytes > 0 {
            file.set_len(whole as u64)?;
            file.sync_data()?;
        }
        if known.is_none() && last == Link::START {
            // On the disk before any line is: then lines without a head are lines whose head somebody took.
            head.write_all_at(last.head().as_bytes(), 0)?;
            head.sync_all()?;
        }
        // They may be new.
        sync_folder(path)?;
        let bytes = whole as u64;
        let own = Self {
            path: path.to_owned(),
            file,
            head,
            bytes,
            first,
            last,
            max_bytes,
            is_dirty: false,
            is_behind: false,
        };
        Ok((own, Opened { torn_bytes, damage }))
    }

    /// The bytes of its whole lines.
    pub(super) const fn bytes(&self) -> u64 {
        self.bytes
    }

    /// The last line.
    pub(super) const fn last(&self) -> Link {
        self.last
    }

    /// Writes lines, all of them or none; where they are to be synced, returns when they and all before them are
    /// on the disk.
    pub(super) fn append<'a>(
        &mut self,
        lines: impl Iterator<Item = &'a AuditLine>,
        is_synced: bool,
    ) -> io::Result<Vec<Link>> {
        if self.is_dirty {
            self.file.set_len(self.bytes)?;
            self.is_dirty = false;
        }
        if self.bytes >= self.max_bytes {
            self.begin_another()?;
        }
        let (mut text, mut links, mut last) = (Vec::new(), Vec::new(), self.last);
        for line in lines {
            last = seal(last, &line.fields(), &mut text);
            links.push(last);
        }
        let sync = || if is_synced { self.file.sync_data() } else { Ok(()) };
        if let Err(error) = self.file.write_all_at(&text, self.bytes).and_then(|()| sync()) {
            // Part of it may be there; a line that is told to be missing must not be found later.
            self.is_dirty = self.file.set_len(self.bytes).is_err();
            return Err(error);
        }
        self.bytes += text.len() as u64;
        self.last = last;
        self.is_behind = !is_synced;
        if is_synced {
            self.write_head();
        }
        Ok(links)
    }

    /// Returns when all lines are on the disk.
    pub(super) fn sync(&mut self) -> io::Result<()> {
        if self.is_behind {
            self.file.sync_data()?;
            self.is_behind = false;
            self.write_head();
        }
        Ok(())
    }

    /// Whether there are lines that may not be on the disk yet.
    pub(super) const fn is_behind(&self) -> bool {
        self.is_behind
    }

    /// After the lines are on the disk: it may be behind after a power cut, and never ahead.
    fn write_head(&self) {
        if let Err(error) = self.head.write_all_at(self.last.head().as_bytes(), 0) {
            tracing::warn!(%error, "the head of the audit could not be written");
        }
    }

    fn begin_another(&mut self) -> io::Result<()> {
        self.sync()?;
        let full = numbered(&self.path, self.first);
        if full.try_exists()? {
            // It would be lost. That is no file of this chain, or this chain was cut.
            let message = format!("{} is in the way of the next file", full.display());
            return Err(io::Error::new(ErrorKind::AlreadyExists, message));
        }
        fs::rename(&self.path, &full)?;
        let file = OpenOptions::new().write(true).create_new(true).mode(MODE).open(&self.path);
        match file {
            Ok(file) => self.file = file,
            Err(error) => {
                fs::rename(&full, &self.path)?;
                return Err(error);
            }
        }
        (self.bytes, self.first) = (0, self.last.seq + 1);
        sync_folder(&self.path)
    }
}

fn content_first(content: &[u8]) -> Option<u64> {
    Line::read(content.split(|byte| *byte == b'\n').next()?).map(|line| line.link.seq)
}

/// What the head says; nothing where there is none yet, or where it is no head.
fn read_head(head: &File) -> io::Result<Option<Link>> {
    let mut text = Vec::new();
    head.take(MAX_HEAD_BYTES).read_to_end(&mut text)?;
    Ok(Link::read_head(&text))
}

#[cfg(test)]
mod crash_tests;

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use connctl_api::audit::AuditReport;
    use connctl_api::audit::chain::Verifier;
    use connctl_api::audit::line::Stop;
    use connctl_api::instant::Instant;

    use super::*;

    /// A directory of its own for each test, removed at the end.
    pub(super) struct Directory(PathBuf);

    impl Directory {
        pub(in super::super) fn new() -> Self {
            static COUNT: AtomicU64 = AtomicU64::new(0);
            let number = COUNT.fetch_add(1, Ordering::Relaxed);
            let path = std::env::temp_dir().join(format!("connctl-audit-{}-{number}", std::process::id()));
            fs::create_dir_all(&path).unwrap();
            Self(path)
        }

        pub(in super::super) fn path(&self) -> PathBuf {
            self.0.join("audit.jsonl")
        }

        fn open(&self) -> (AuditFile, Opened) {
            AuditFile::open(&self.path(), 500).unwrap()
        }

        /// What a check of all files says.
        pub(in super::super) fn check(&self) -> AuditReport {
            let mut verifier = Verifier::new(read_head(&File::open(head_of(&self.path())).unwrap()).unwrap());
            for part in parts(&self.path()).unwrap() {
                verifier.begin_file();
                let mut content = Vec::new();
                part.open().unwrap().read_to_end(&mut content).unwrap();
                for line in content.split_inclusive(|byte| *byte == b'\n') {
                    verifier.line("", 0, line);
                }
            }
            verifier.finish("audit.jsonl", 0)
        }
    }

    impl Drop for Directory {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    const NOTHING: Opened = Opened { torn_bytes: 0, damage: None };

    fn line() -> AuditLine {
        AuditLine::Stop(Stop { time: Instant(0), pid: 7 })
    }

    fn add(file: &mut AuditFile, count: usize) {
        for _ in 0..count {
            file.append([line()].iter(), true).unwrap();
        }
    }

    #[test]
    fn the_chain_goes_on_across_files_and_restarts() {
        let directory = Directory::new();
        for round in 1..=4 {
            let (mut file, opened) = directory.open();
            assert_eq!(opened, NOTHING, "{round}");
            add(&mut file, 7);
            let report = directory.check();
            assert!(report.ok, "{report:?}");
            assert_eq!(report.last_seq, round * 7);
        }
        assert!(directory.check().files > 3);
        assert_eq!(directory.open().1, NOTHING);
    }

    #[test]
    fn a_line_that_a_crash_cut_off_is_gone_and_told() {
        let directory = Directory::new();
        add(&mut directory.open().0, 2);
        let whole = fs::read(directory.path()).unwrap();
        for torn in [&b"{"[..], b"{\"seq\":3,\"event\"", b"\0\0\0"] {
            fs::write(directory.path(), [&whole, torn].concat()).unwrap();
            assert!(!directory.check().ok);
            let (_, opened) = directory.open();
            assert_eq!(opened, Opened { torn_bytes: torn.len() as u64, damage: None });
            assert!(directory.check().ok);
        }
    }

    #[test]
    fn a_head_that_is_behind_must_know_its_own_line() {
        let mut text = Vec::new();
        let one = seal(Link::START, "\"event\":\"a\"", &mut text);
        let two = seal(one, "\"event\":\"b\"", &mut text);
        let other = seal(Link::START, "\"event\":\"c\"", &mut Vec::new());
        assert_eq!(end_of(&text, Some(one)), (two, None));
        assert_eq!(end_of(&text, Some(other)), (two, Some("its head is another's")));
    }

    #[test]
    fn a_head_that_is_files_behind_must_know_its_own_line_too() {
        let directory = Directory::new();
        add(&mut directory.open().0, 2);
        let right = Link::read_head(&fs::read(head_of(&directory.path())).unwrap()).unwrap();
        add(&mut directory.open().0, 9);
        assert!(directory.check().files > 2);
        let other = seal(Link { seq: 1, ..right }, "\"event\":\"c\"", &mut Vec::new());
        for (head, damage) in [(right, None), (other, Some(ANOTHERS))] {
            fs::write(head_of(&directory.path()), head.head()).unwrap();
            assert_eq!(directory.check().ok, damage.is_none());
            assert_eq!(directory.open().1, Opened { torn_bytes: 0, damage });
        }
    }

    #[test]
    fn the_chain_goes_on_behind_the_last_file_that_has_lines() {
        let directory = Directory::new();
        add(&mut directory.open().0, 9);
        let (_, last) = earlier(&directory.path()).unwrap().pop().unwrap();
        // Emptied by somebody who put the head back as well.
        for emptied in [&directory.path(), &last] {
            fs::write(emptied, "").unwrap();
        }
        fs::write(head_of(&directory.path()), Link::START.head()).unwrap();
        let before = directory.check();
        let (mut file, opened) = directory.open();
        assert!(before.ok && opened == NOTHING, "{before:?} {opened:?}");
        add(&mut file, 1);
        let after = directory.check();
        assert!(after.ok && after.last_seq == before.last_seq + 1, "{after:?}");
    }

    #[test]
    fn lines_that_were_taken_away_leave_a_hole_that_stays() {
        let directory = Directory::new();
        add(&mut directory.open().0, 3);
        let content = fs::read(directory.path()).unwrap();
        let first = content.iter().position(|byte| *byte == b'\n').unwrap() + 1;
        fs::write(directory.path(), &content[..first]).unwrap();
        let (mut file, opened) = directory.open();
        assert!(opened.damage.unwrap().contains("missing"), "{opened:?}");
        add(&mut file, 1);
        let report = directory.check();
        assert!(report.problems[0].problem.contains("2 to 3 are missing"), "{report:?}");
    }

    #[test]
    fn what_cannot_be_written_is_not_there_and_the_next_line_is() {
        let directory = Directory::new();
        let (mut file, _) = directory.open();
        add(&mut file, 1);
        // As a disk that is full: this one cannot be written at all.
        let writable = std::mem::replace(&mut file.file, File::open(directory.path()).unwrap());
        assert!(file.append([line()].iter(), true).is_err());
        file.file = writable;
        add(&mut file, 1);
        let report = directory.check();
        assert!(report.ok && report.last_seq == 2, "{report:?}");
    }

    #[test]
    fn lines_that_nobody_waits_for_are_there_and_the_head_follows_when_they_are_on_the_disk() {
        let directory = Directory::new();
        let (mut file, _) = directory.open();
        add(&mut file, 1);
        let before = fs::read(head_of(&directory.path())).unwrap();
        file.append([line()].iter(), false).unwrap();
        assert!(file.is_behind() && fs::read(head_of(&directory.path())).unwrap() == before);
        assert!(directory.check().ok, "as after a crash at this moment");
        file.sync().unwrap();
        assert!(!file.is_behind() && fs::read(head_of(&directory.path())).unwrap() != before);
        let report = directory.check();
        assert!(report.ok && report.last_seq == 2, "{report:?}");
        // A full file takes what is behind along.
        for _ in 0..9 {
            file.append([line()].iter(), false).unwrap();
        }
        file.sync().unwrap();
        assert!(directory.check().ok && directory.check().files > 1);
    }

    #[test]
    fn two_agents_do_not_write_one_audit() {
        let directory = Directory::new();
        let (first, _) = directory.open();
        let error = AuditFile::open(&directory.path(), 500).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::WouldBlock);
        drop(first);
        directory.open();
    }

    #[test]
    fn a_file_in_the_way_of_the_next_is_not_written_over() {
        let directory = Directory::new();
        let (mut file, _) = directory.open();
        fs::write(numbered(&directory.path(), 1), "another's").unwrap();
        let error = (0..9).find_map(|_| file.append([line()].iter(), true).err()).unwrap();
        assert_eq!(error.kind(), ErrorKind::AlreadyExists);
        assert_eq!(fs::read(numbered(&directory.path(), 1)).unwrap(), b"another's");
    }

    #[test]
    fn what_is_no_file_is_not_opened() {
        let error = AuditFile::open(Path::new("/dev/full"), 500).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::InvalidInput);
    }
}
