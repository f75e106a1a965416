//! The history on disk: the same blocks as in memory, each under the place of its first entry.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Mutex, MutexGuard, PoisonError, RwLock, RwLockReadGuard};
use std::time::Duration;

use anyhow::{Context, anyhow, ensure};
use redb::{Database, ReadOnlyTable, ReadableDatabase, ReadableTable, TableDefinition};

use super::bytes::{Get, Put};
use super::ring::{Block, Head};
use crate::base::clock;

/// Pages of the file that are kept in memory.
const CACHE_BYTES: usize = 8 << 20;
/// Blocks by the place of their first entry.
const BLOCKS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("blocks-1");
/// What is known of each block without reading it.
const HEADS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("heads-1");

impl Head {
    fn encode(&self) -> Vec<u8> {
        let mut bytes = Vec::new();
        let mut put = Put(&mut bytes);
        put.u64(self.count);
        put.i64(self.newest_ms);
        put.u64(self.ids.0);
        put.u64(self.ids.1);
        bytes
    }

    fn read(bytes: &[u8]) -> Option<Self> {
        let mut get = Get(bytes);
        Some(Self { count: get.u64()?, newest_ms: get.i64()?, ids: (get.u64()?, get.u64()?) })
    }
}

/// The file.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    /// After an error the library takes nothing more and reads nothing more, also where there is room again: then
    /// it is absent, and opened by whoever needs it next.
    database: RwLock<Option<Database>>,
    heads: Mutex<BTreeMap<u64, Head>>,
    most: u64,
    age_ms: i64,
}

impl Store {
    /// Opens or makes the file.
    pub(super) fn open(path: &Path, most: u64, age: Duration) -> anyhow::Result<Self> {
        let (database, heads) = open(path)?;
        Ok(Self {
            path: path.to_owned(),
            database: RwLock::new(Some(database)),
            heads: Mutex::new(heads),
            most,
            age_ms: i64::try_from(age.as_millis()).unwrap_or(i64::MAX),
        })
    }

    fn heads(&self) -> MutexGuard<'_, BTreeMap<u64, Head>> {
        self.heads.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The file, opened again where it had failed.
    fn database(&self) -> anyhow::Result<RwLockReadGuard<'_, Option<Database>>> {
        let database = self.database.read().unwrap_or_else(PoisonError::into_inner);
        if database.is_some() {
            return Ok(database);
        }
        drop(database);
        let mut database = self.database.write().unwrap_or_else(PoisonError::into_inner);
        if database.is_none() {
            let (opened, heads) = open(&self.path)?;
            *self.heads() = heads;
            *database = Some(opened);
        }
        drop(database);
        Ok(self.database.read().unwrap_or_else(PoisonError::into_inner))
    }

    /// What was done with the file; an error closes it.
    fn with<T>(&self, act: impl FnOnce(&Database) -> anyhow::Result<T>) -> anyhow::Result<T> {
        let database = self.database()?;
        let open = database.as_ref().context("the history was closed by an error")?;
        let done = undamaged(&self.path, || act(open));
        drop(database);
        if done.is_err() {
            close(&self.path, self.database.write().unwrap_or_else(PoisonError::into_inner).take());
        }
        done
    }

    /// The place behind the last entry.
    pub(super) fn end(&self) -> u64 {
        self.heads().last_key_value().map_or(1, |(first, head)| first + head.count)
    }

    /// Writes blocks, in place of what was written of them before, and drops the oldest. It is on disk after this.
    pub(super) fn write(&self, blocks: &[Block]) -> anyhow::Result<()> {
        self.with(|database| self.write_to(database, blocks))
    }

    fn write_to(&self, database: &Database, blocks: &[Block]) -> anyhow::Result<()> {
        let mut heads = self.heads().clone();
        heads.extend(blocks.iter().map(|block| (block.first, block.head())));
        let dropped = self.retire(&mut heads);
        if blocks.is_empty() && dropped.is_empty() {
            return Ok(());
        }
        let mut write = database.begin_write()?;
        // After a crash the file is ready at once, however large it is.
        write.set_quick_repair(true);
        {
            let (mut table, mut known) = (write.open_table(BLOCKS)?, write.open_table(HEADS)?);
            for block in blocks {
                table.insert(block.first, block.bytes())?;
                known.insert(block.first, block.head().encode().as_slice())?;
            }
            for first in dropped {
                table.remove(first)?;
                known.remove(first)?;
            }
        }
        write.commit()?;
        *self.heads() = heads;
        Ok(())
    }

    /// Takes out what is one too many or too old.
    fn retire(&self, heads: &mut BTreeMap<u64, Head>) -> Vec<u64> {
        let since_ms = clock::wall_ms().saturating_sub(self.age_ms);
        let mut entries: u64 = heads.values().map(|head| head.count).sum();
        let mut dropped = Vec::new();
        while let Some(oldest) = heads.first_entry() {
            let head = *oldest.get();
            if entries - head.count < self.most && head.newest_ms >= since_ms {
                break;
            }
            entries -= head.count;
            dropped.push(oldest.remove_entry().0);
        }
        dropped
    }

    /// What is written of the blocks before this place.
    pub(super) fn before(&self, place: u64) -> anyhow::Result<Reading> {
        let table = self.with(|database| match database.begin_read()?.open_table(BLOCKS) {
            Ok(table) => Ok(Some(table)),
            // Nothing was ever written.
            Err(redb::TableError::TableDoesNotExist(_)) => Ok(None),
            Err(error) => Err(error.into()),
        })?;
        let heads = self.heads().range(..place).map(|(first, head)| (*first, *head)).collect();
        Ok(Reading { path: self.path.clone(), table, heads })
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        close(&self.path, self.database.get_mut().unwrap_or_else(PoisonError::into_inner).take());
    }
}

/// Does what reads the file's pages. The library checks their sums after a crash alone, and panics in a page that is
/// none; a damaged history is no reason for an agent to end.
fn undamaged<T>(path: &Path, act: impl FnOnce() -> anyhow::Result<T>) -> anyhow::Result<T> {
    catch_unwind(AssertUnwindSafe(act)).unwrap_or_else(|_| {
        Err(anyhow!("the history {} is damaged; moved away, it is begun anew", path.display()))
    })
}

/// Closing writes, too.
fn close(path: &Path, database: Option<Database>) {
    if let Err(error) = undamaged(path, || {
        drop(database);
        Ok(())
    }) {
        tracing::error!(error = format!("{error:#}"), "the history could not be closed");
    }
}

fn open(path: &Path) -> anyhow::Result<(Database, BTreeMap<u64, Head>)> {
    let database = undamaged(path, || {
        let opened = Database::builder().set_cache_size(CACHE_BYTES).create(path);
        opened.with_context(|| {
            format!("the history {} cannot be opened; moved away, it is begun anew", path.display())
        })
    })?;
    let heads = undamaged(path, || {
        read_heads(&database).with_context(|| format!("the history {} is damaged", path.display()))
    });
    match heads {
        Ok(heads) => Ok((database, heads)),
        Err(error) => {
            close(path, Some(database));
            Err(error)
        }
    }
}

fn read_heads(database: &Database) -> anyhow::Result<BTreeMap<u64, Head>> {
    let read = database.begin_read()?;
    let table = match read.open_table(HEADS) {
        Ok(table) => table,
        Err(redb::TableError::TableDoesNotExist(_)) => return Ok(BTreeMap::new()),
        Err(error) => return Err(error.into()),
    };
    let (mut heads, mut end) = (BTreeMap::new(), 0);
    for row in table.iter()? {
        let (first, head) = row?;
        let (first, head) = (first.value(), Head::read(head.value()));
        let head = head.with_context(|| format!("the head of block {first} cannot be read"))?;
        ensure!(first >= end, "block {first} begins before the one before it ends, at {end}");
        let behind = first.checked_add(head.count);
        end = behind.with_context(|| format!("block {first} has {} entries", head.count))?;
        heads.insert(first, head);
    }
    Ok(heads)
}

/// Blocks on disk as they were when somebody began to read, the latest first.
pub(super) struct Reading {
    path: PathBuf,
    table: Option<ReadOnlyTable<u64, &'static [u8]>>,
    heads: Vec<(u64, Head)>,
}

impl Reading {
    /// The next block that is wanted.
    pub(super) fn next(&mut self, wanted: impl Fn(&Head) -> bool) -> anyhow::Result<Option<Block>> {
        let Some(table) = &self.table else {
            return Ok(None);
        };
        while let Some((first, head)) = self.heads.pop() {
            // It may have been dropped since.
            if wanted(&head)
                && let Some(bytes) =
                    undamaged(&self.path, || Ok(table.get(first)?.map(|bytes| bytes.value().into())))?
            {
                return Ok(Some(Block::new(first, head.count, head.newest_ms, head.ids, bytes)));
            }
        }
        Ok(None)
    }
}
