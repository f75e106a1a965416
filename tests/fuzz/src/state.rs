//! What an agent finds in its state directory when it starts.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::{Arc, Once, OnceLock};
use std::time::Duration;

use connctl_agent::base::state_dir::{Ids, StateDir};
use connctl_agent::config::RecordSettings;
use connctl_agent::ops::job::Jobs;
use connctl_agent::ops::plan::Plans;
use connctl_agent::policy::revoke::Revocations;
use connctl_agent::record::Record;
use connctl_api::instant::Instant;
use redb::{Database, TableDefinition};

use crate::input::parts;

/// Before any revocation is over.
const NOW: Instant = Instant(0);
/// Ids that an agent reserves at a time, and the largest id.
const ID_BLOCK: u64 = 1 << 20;

type Files = BTreeMap<String, Vec<u8>>;

fn read(folder: &Path) -> Files {
    let entries = std::fs::read_dir(folder).expect("the folder is there");
    let names = entries.map(|entry| entry.expect("an entry").file_name().into_string().expect("a name"));
    names.map(|name| (name.clone(), std::fs::read(folder.join(name)).expect("a file"))).collect()
}

/// Each part is the name of a file, a line feed, and its content.
fn written(bytes: &[u8]) -> Files {
    let is_part = |byte: &u8| byte.is_ascii_alphanumeric() || b"-_.".contains(byte);
    let is_name = |name: &[u8]| {
        (1..=40).contains(&name.len())
            && name.iter().all(is_part)
            && name != b"lock"
            && !name.starts_with(b".")
            && ![&b".damaged"[..], b".next"].iter().any(|end| name.ends_with(end))
    };
    let files = parts(bytes).filter_map(|part| {
        let end = part.iter().position(|byte| *byte == b'\n')?;
        let name = String::from_utf8(part[..end].to_vec()).ok()?;
        is_name(name.as_bytes()).then(|| (name, part[end + 1..].to_vec()))
    });
    files.collect()
}

/// What the agent's parts make of the directory: what is read by an agent is read in the same way by the next one,
/// and whatever cannot be used is set aside or named, and lost in no case.
pub(crate) fn files(bytes: &[u8]) {
    let folder = crate::scratch().join("state");
    let _ = std::fs::remove_dir_all(&folder);
    std::fs::create_dir_all(&folder).expect("a directory");
    let files = written(bytes);
    for (name, content) in &files {
        std::fs::write(folder.join(name), content).expect("a file");
    }
    let first = opened(&folder);
    let after = read(&folder);
    for (name, content) in &files {
        let kept = after.get(name);
        let aside = after.get(&format!("{name}.damaged"));
        let is_there = match name.as_str() {
            "next_conn_id" => match (&first.id, kept) {
                (Ok(id), Some(now)) => {
                    let number = |text: &[u8]| String::from_utf8_lossy(text).trim().parse::<u64>();
                    // An id that an earlier agent may have given is not given again.
                    number(content).is_ok_and(|then| then <= *id) && number(now).is_ok_and(|now| now > *id)
                }
                (Err(error), Some(now)) => error.contains("next_conn_id") && now == content,
                (_, None) => false,
            },
            // An interrupted job has got its end behind its last whole line.
            name if name.starts_with("job-") => {
                let whole = content.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
                kept.is_some_and(|now| now == content || (whole > 0 && now.starts_with(&content[..whole])))
            }
            _ => kept == Some(content),
        };
        assert!(is_there || aside == Some(content), "{name} is lost: {kept:?}, {aside:?}");
    }
    let second = opened(&folder);
    assert_eq!(first.revoked, second.revoked);
    match (first.id, second.id) {
        (Ok(first), Ok(second)) => assert!(second >= first + ID_BLOCK),
        (Err(first), Err(second)) => assert_eq!(first, second),
        // The last block of ids: that there are no more is told.
        (Ok(first), Err(told)) => assert!(first + ID_BLOCK > connctl_api::id::MAX_ID, "{told}"),
        (first, second) => panic!("{first:?} and {second:?}"),
    }
    let later = read(&folder);
    for (name, content) in after.iter().filter(|(name, _)| *name != "next_conn_id") {
        assert_eq!(later.get(name), Some(content), "{name} was changed by another start");
    }
}

struct Opened {
    id: Result<u64, String>,
    revoked: Result<String, String>,
}

fn opened(folder: &Path) -> Opened {
    let dir = Arc::new(StateDir::open(folder).expect("the directory is nobody else's"));
    let _ = Plans::open(Some(Arc::clone(&dir)), Duration::from_secs(600));
    let _ = Jobs::open(Some(Arc::clone(&dir)));
    let revoked = match Revocations::open(Some(Arc::clone(&dir)), NOW) {
        Ok(table) => Ok(format!("{:?}", table.all(NOW))),
        Err(error) => {
            let told = format!("{error:#}");
            assert!(told.contains("revocations.json") && told.contains("damaged"), "{told}");
            Err(told)
        }
    };
    let id = Ids::open(Some(dir)).map_err(|error| format!("{error:#}"));
    Opened {
        id: id.and_then(|ids| ids.next().map(|id| id.get()).map_err(|error| error.to_string())),
        revoked,
    }
}

/// Blocks of the history by the place of their first entry, and what is known of each.
const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks-1");
const HEADS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("heads-1");

/// The history with rows of anybody's making: it is refused by its name, or read twice in the same way, and what
/// ends from then on is kept behind it. A row has its place, four bytes with the length of its head, and its block.
pub(crate) fn history(bytes: &[u8]) {
    let folder = crate::scratch().join("history");
    std::fs::create_dir_all(&folder).expect("a directory");
    let path = folder.join("history.redb");
    let _ = std::fs::remove_file(&path);
    let mut rest = bytes;
    {
        let database = Database::create(&path).expect("a database");
        let write = database.begin_write().expect("a transaction");
        {
            let mut blocks = write.open_table(BLOCKS).expect("a table");
            let mut heads = write.open_table(HEADS).expect("a table");
            while let Some((first, tail)) = rest.split_first_chunk::<8>()
                && let Some((lengths, tail)) = tail.split_first_chunk::<4>()
            {
                let head = usize::from(lengths[0]).min(tail.len());
                let (head, tail) = tail.split_at(head);
                let block = usize::from(u16::from_le_bytes([lengths[2], lengths[3]])).min(tail.len());
                let (block, tail) = tail.split_at(block);
                let place = u64::from_le_bytes(*first);
                heads.insert(place, head).expect("a row");
                if lengths[1] & 1 == 0 {
                    blocks.insert(place, block).expect("a row");
                }
                rest = tail;
            }
        }
        write.commit().expect("it is written");
    }
    // Nothing is too old or one too many: what is there stays while it is read.
    let (history_stored, history_age) = (u64::MAX, Duration::MAX);
    let settings = RecordSettings { history_stored, history_age, ..RecordSettings::default() };
    let record = match Record::open(&settings, Some(path.clone())) {
        Ok(record) => record,
        Err(error) => {
            let told = format!("{error:#}");
            assert!(told.contains("history.redb") && told.contains("damaged"), "{told}");
            return;
        }
    };
    let told = |record: &Record| {
        let (mut scan, mut told) = (record.history.scan(), Vec::new());
        while let Some(block) = scan.next(|_| true).expect("what is there can be read") {
            let entries = block.entries().map(|entry| {
                let tags: Vec<_> = entry.conn.iter().flat_map(|conn| conn.tags()).collect();
                format!("{entry:?} {:?} {tags:?}", entry.wire())
            });
            told.push((block.first, block.end(), entries.collect::<Vec<_>>()));
        }
        told
    };
    let first = told(&record);
    // What ended before there was time is too old all the same, and may go meanwhile.
    assert!(first.ends_with(&told(&record)), "{first:?}");
    record.close();
}

/// A history as its agent leaves it: three blocks, each with a head that is right.
fn intact() -> &'static Vec<u8> {
    static INTACT: OnceLock<Vec<u8>> = OnceLock::new();
    INTACT.get_or_init(|| {
        let folder = crate::scratch().join("history-intact");
        std::fs::create_dir_all(&folder).expect("a directory");
        let path = folder.join("history.redb");
        {
            let database = Database::create(&path).expect("a database");
            let write = database.begin_write().expect("a transaction");
            {
                let mut blocks = write.open_table(BLOCKS).expect("a table");
                let mut heads = write.open_table(HEADS).expect("a table");
                for place in [1_u64, 11, 21] {
                    let head = [10, u64::MAX / 4, place, place + 9].map(u64::to_le_bytes).concat();
                    heads.insert(place, head.as_slice()).expect("a row");
                    // No entry of it can be read, and each is left out.
                    blocks.insert(place, vec![place as u8; 6_000].as_slice()).expect("a row");
                }
            }
            write.commit().expect("it is written");
        }
        std::fs::read(&path).expect("the file")
    })
}

/// Whoever feeds inputs ends at any panic. Those of the database's library are the agent's to catch: one that it does
/// not catch ends the input all the same.
fn let_the_library_panic() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let before = std::panic::take_hook();
        std::panic::set_hook(Box::new(move |panic| {
            if !panic.location().is_some_and(|place| place.file().contains("/redb-")) {
                before(panic);
            }
        }));
    });
}

/// The history's file, damaged: each part overwrites bytes at a place of three bytes, or cuts the file there where
/// nothing follows. It is refused by its name, or read as far as it can be.
pub(crate) fn history_file(bytes: &[u8]) {
    let_the_library_panic();
    let folder = crate::scratch().join("history-file");
    std::fs::create_dir_all(&folder).expect("a directory");
    let path = folder.join("history.redb");
    let mut content = intact().clone();
    for part in parts(bytes) {
        let Some(([high, middle, low], data)) = part.split_first_chunk::<3>() else { continue };
        let at =
            (usize::from(*high) << 16 | usize::from(*middle) << 8 | usize::from(*low)) % content.len().max(1);
        if data.is_empty() {
            content.truncate(at);
        }
        content.iter_mut().skip(at).zip(data).for_each(|(old, new)| *old = *new);
    }
    std::fs::write(&path, &content).expect("a file");
    let settings =
        RecordSettings { history_stored: u64::MAX, history_age: Duration::MAX, ..RecordSettings::default() };
    match Record::open(&settings, Some(path)) {
        Ok(record) => {
            let mut scan = record.history.scan();
            while let Ok(Some(block)) = scan.next(|_| true) {
                assert_eq!(block.entries().count(), 0, "nobody has written one");
            }
            record.close();
        }
        Err(error) => assert!(format!("{error:#}").contains("history.redb"), "{error:#}"),
    }
}
