//! A bounded log in memory: entries in blocks of bytes, the oldest block dropped for a new one.
//!
//! Adding one copies its bytes under a lock and nothing else. A reader takes the blocks and reads them outside
//! the lock; only the block that is still being filled is copied for it. What operators asked for stands in a
//! block once, however many entries refer to it.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use super::asked::Asked;
use super::bytes::{Get, Put};
use super::entry::Entry;

/// The most entries of a block.
const BLOCK_ENTRIES: u64 = 1_024;
/// A block with more bytes than this is full.
const BLOCK_BYTES: usize = 192 * 1_024;
/// Bytes that an entry may have on average: with large labels, fewer are kept.
const ENTRY_BYTES: usize = 400;
/// What stands before an entry: its length, and where what was asked stands.
const FRAME_BYTES: usize = 8;
/// The mark of what was asked, which is no entry.
const IS_ASKED: u32 = u32::MAX;

/// What is known of a block without reading it.
#[derive(Debug, Clone, Copy)]
pub struct Head {
    /// How many entries.
    pub count: u64,
    /// The latest time of an entry, in milliseconds since 1970.
    pub newest_ms: i64,
    /// The smallest and the largest id of a connection.
    pub ids: (u64, u64),
}

/// Entries that belong together, in the order in which they came.
#[derive(Debug, Clone)]
pub struct Block {
    /// The place of its first entry among all.
    pub first: u64,
    /// How many entries.
    pub count: u64,
    /// The latest time of an entry, in milliseconds since 1970.
    pub newest_ms: i64,
    /// The smallest and the largest id of a connection.
    pub ids: (u64, u64),
    bytes: Arc<[u8]>,
}

impl Block {
    /// What was read from elsewhere.
    pub(super) fn new(first: u64, count: u64, newest_ms: i64, ids: (u64, u64), bytes: Arc<[u8]>) -> Self {
        Self { first, count, newest_ms, ids, bytes }
    }

    /// The place behind its last entry.
    pub fn end(&self) -> u64 {
        self.first + self.count
    }

    /// What is known of it without reading it.
    pub const fn head(&self) -> Head {
        Head { count: self.count, newest_ms: self.newest_ms, ids: self.ids }
    }

    pub(super) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Its entries. One that cannot be read is left out.
    pub fn entries(&self) -> impl DoubleEndedIterator<Item = Entry<'_>> {
        let mut frames = frames(&self.bytes);
        // A block that was read from elsewhere has no places for more than it says.
        frames.truncate(usize::try_from(self.count).unwrap_or(usize::MAX));
        frames.into_iter().enumerate().filter_map(|(place, (asked, bytes))| {
            let mut entry = Entry::read(self.first + place as u64, bytes)?;
            if let Some((by, request, note)) = asked.and_then(|at| self.asked(at)) {
                (entry.by, entry.request, entry.note) = (by, request, note);
            }
            Some(entry)
        })
    }

    fn asked(&self, at: u32) -> Option<Texts<'_>> {
        let (_, bytes, _) = frame(self.bytes.get(usize::try_from(at).ok()?..)?)?;
        let mut get = Get(bytes);
        get.u64()?;
        Some((get.text()?, get.text()?, get.text()?))
    }
}

/// Who asked, what, and why.
type Texts<'a> = (Option<&'a str>, Option<&'a str>, Option<&'a str>);

/// What stands before an entry, its bytes, and what follows.
fn frame(bytes: &[u8]) -> Option<(u32, &[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (mark, rest) = rest.split_first_chunk::<4>()?;
    let (entry, rest) = rest.split_at_checked(usize::try_from(u32::from_le_bytes(*length)).ok()?)?;
    Some((u32::from_le_bytes(*mark), entry, rest))
}

/// Each entry, with the place of what was asked.
fn frames(mut bytes: &[u8]) -> Vec<(Option<u32>, &[u8])> {
    let mut all = Vec::with_capacity(usize::try_from(BLOCK_ENTRIES).unwrap_or(0));
    while let Some((mark, entry, rest)) = frame(bytes) {
        if mark != IS_ASKED {
            all.push((mark.checked_sub(1), entry));
        }
        bytes = rest;
    }
    all
}

/// The log.
#[derive(Debug)]
pub struct Ring {
    state: Mutex<State>,
    most: u64,
    block_entries: u64,
}

#[derive(Debug)]
struct State {
    full: VecDeque<Block>,
    open: Open,
    entries: u64,
    bytes: usize,
}

/// The block that is being filled.
#[derive(Debug)]
struct Open {
    first: u64,
    count: u64,
    newest_ms: i64,
    ids: (u64, u64),
    bytes: Vec<u8>,
    /// The last one that was asked for: its id and its place.
    asked: Option<(u64, u32)>,
}

impl Open {
    const fn new(first: u64, bytes: Vec<u8>) -> Self {
        Self { first, count: 0, newest_ms: i64::MIN, ids: (u64::MAX, 0), bytes, asked: None }
    }

    fn block(&self) -> Block {
        Block::new(self.first, self.count, self.newest_ms, self.ids, self.bytes.as_slice().into())
    }

    fn add(&mut self, entry: &New<'_>) {
        let mark = entry.asked.map_or(0, |asked| self.place_of(asked).saturating_add(1));
        self.push(mark, |bytes| bytes.extend_from_slice(entry.bytes));
        self.count += 1;
        self.newest_ms = self.newest_ms.max(entry.wall_ms);
        self.ids = (self.ids.0.min(entry.conn_id), self.ids.1.max(entry.conn_id));
    }

    fn place_of(&mut self, asked: &Asked) -> u32 {
        if let Some((id, place)) = self.asked
            && id == asked.id
        {
            return place;
        }
        let place = u32::try_from(self.bytes.len()).unwrap_or(u32::MAX);
        self.push(IS_ASKED, |bytes| {
            let mut put = Put(bytes);
            put.u64(asked.id);
            put.text(Some(&asked.by));
            put.text(Some(&asked.request));
            put.text(asked.note.as_deref());
        });
        self.asked = Some((asked.id, place));
        place
    }

    fn push(&mut self, mark: u32, write: impl FnOnce(&mut Vec<u8>)) {
        let start = self.bytes.len();
        self.bytes.extend_from_slice(&[0; FRAME_BYTES]);
        write(&mut self.bytes);
        let length = u32::try_from(self.bytes.len() - start - FRAME_BYTES).unwrap_or(u32::MAX);
        if let Some(head) = self.bytes.get_mut(start..start + FRAME_BYTES) {
            head[..4].copy_from_slice(&length.to_le_bytes());
            head[4..].copy_from_slice(&mark.to_le_bytes());
        }
    }
}

/// What is added.
#[derive(Debug, Clone, Copy)]
pub(super) struct New<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) asked: Option<&'a Asked>,
    pub(super) wall_ms: i64,
    pub(super) conn_id: u64,
}

impl Ring {
    /// An empty log of at least `most` entries, the first of which has the place `first`.
    pub fn new(most: u64, first: u64) -> Self {
        let state = State { full: VecDeque::new(), open: Open::new(first, Vec::new()), entries: 0, bytes: 0 };
        Self { state: Mutex::new(state), most, block_entries: (most / 8).clamp(1, BLOCK_ENTRIES) }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Adds an entry. A log that keeps none takes none.
    pub(super) fn push(&self, entry: &New<'_>) {
        if self.most == 0 {
            return;
        }
        // What is dropped is freed outside the lock.
        let _dropped: Vec<Block>;
        let mut state = self.lock();
        state.open.add(entry);
        state.entries += 1;
        if state.open.count >= self.block_entries || state.open.bytes.len() >= BLOCK_BYTES {
            _dropped = self.seal(&mut state);
        }
        drop(state);
    }

    /// Closes the block that was being filled and makes room; gives what goes.
    fn seal(&self, state: &mut State) -> Vec<Block> {
        let block = state.open.block();
        let (next, mut bytes) = (block.end(), std::mem::take(&mut state.open.bytes));
        bytes.clear();
        state.open = Open::new(next, bytes);
        state.bytes += block.bytes.len();
        state.full.push_back(block);
        let most_bytes = usize::try_from(self.most).unwrap_or(usize::MAX).saturating_mul(ENTRY_BYTES);
        let mut gone = Vec::new();
        while let Some(oldest) = state.full.front() {
            let is_spare = state.entries - oldest.count >= self.most;
            if !is_spare && (state.bytes <= most_bytes.max(BLOCK_BYTES) || state.full.len() == 1) {
                break;
            }
            state.entries -= oldest.count;
            state.bytes -= oldest.bytes.len();
            gone.extend(state.full.pop_front());
        }
        gone
    }

    /// The place of the next entry.
    pub fn end(&self) -> u64 {
        let state = self.lock();
        state.open.first + state.open.count
    }

    /// The blocks with entries from this place on, oldest first.
    pub fn blocks(&self, from: u64) -> Vec<Block> {
        let state = self.lock();
        let mut blocks: Vec<_> = state.full.iter().filter(|block| block.end() > from).cloned().collect();
        if state.open.count > 0 && state.open.first + state.open.count > from {
            blocks.push(state.open.block());
        }
        blocks
    }

    /// The bytes that it holds.
    pub fn bytes(&self) -> usize {
        let state = self.lock();
        state.bytes + state.open.bytes.capacity()
    }
}

#[cfg(test)]
mod tests {
    use connctl_api::event::EventKind;

    use super::*;
    use crate::record::entry::Happening;

    fn add(ring: &Ring, text: &str, asked: Option<&Asked>) {
        let mut bytes = Vec::new();
        Happening { text: Some(text), ..Happening::new(EventKind::Job, 5) }.encode(&mut bytes);
        ring.push(&New { bytes: &bytes, asked, wall_ms: 5, conn_id: 7 });
    }

    fn texts(ring: &Ring, from: u64) -> Vec<(u64, String)> {
        let blocks = ring.blocks(from);
        let entries = blocks.iter().flat_map(Block::entries).filter(|entry| entry.seq >= from);
        entries.map(|entry| (entry.seq, entry.text.unwrap_or_default().to_owned())).collect()
    }

    #[test]
    fn the_latest_are_kept_each_in_its_place() {
        let ring = Ring::new(100, 1);
        for number in 1..=1_000_u64 {
            add(&ring, &number.to_string(), None);
        }
        let kept = texts(&ring, 0);
        assert!((100..=112).contains(&kept.len()), "{}", kept.len());
        assert!(kept.iter().all(|(seq, text)| seq.to_string() == *text));
        assert_eq!(kept.last().map(|(seq, _)| *seq), Some(1_000));
        assert_eq!(texts(&ring, 990).first().map(|(seq, _)| *seq), Some(990));
        assert_eq!((ring.end(), texts(&ring, 1_001).len()), (1_001, 0));
    }

    #[test]
    fn large_entries_leave_room_for_fewer() {
        let ring = Ring::new(10_000, 1);
        let long = "x".repeat(16 * 1_024);
        for _ in 0..10_000 {
            add(&ring, &long, None);
        }
        assert!(ring.bytes() <= 10_000 * ENTRY_BYTES + 3 * BLOCK_BYTES, "{}", ring.bytes());
        assert!(texts(&ring, 0).len() >= 200);
    }

    #[test]
    fn what_was_asked_stands_in_a_block_once() {
        let (ring, note) = (Ring::new(8_192, 1), "n".repeat(1_000));
        let one = Asked::new("alice", "close where all", Some(&note));
        let other = Asked::new("bob", "reset of connection 7", None);
        for number in 0..500 {
            add(&ring, "", Some(if number < 400 { &one } else { &other }));
        }
        add(&ring, "alone", None);
        assert!(ring.bytes() < 64 * 1_024, "{}", ring.bytes());
        let blocks = ring.blocks(0);
        let by: Vec<_> = blocks.iter().flat_map(Block::entries).map(|entry| (entry.by, entry.note)).collect();
        assert_eq!(by[0], (Some("alice"), Some(note.as_str())));
        assert_eq!(by[399], (Some("alice"), Some(note.as_str())));
        assert_eq!(by[400], (Some("bob"), None));
        assert_eq!(by[500], (None, None));
    }

    #[test]
    fn a_log_of_none_keeps_none() {
        let ring = Ring::new(0, 1);
        add(&ring, "x", None);
        assert_eq!((ring.blocks(0).len(), ring.bytes()), (0, 0));
    }

    #[test]
    fn readers_and_writers_at_once_see_no_torn_entry() {
        let ring = Ring::new(1_000, 1);
        std::thread::scope(|scope| {
            for own in 0..3 {
                let ring = &ring;
                scope
                    .spawn(move || (0..5_000).for_each(|number| add(ring, &format!("{own}-{number}"), None)));
            }
            let ring = &ring;
            scope.spawn(move || {
                while ring.end() <= 15_000 {
                    let seen = texts(ring, 0);
                    assert!(seen.windows(2).all(|pair| pair[0].0 + 1 == pair[1].0));
                    assert!(seen.iter().all(|(_, text)| text.contains('-')));
                }
            });
        });
        assert_eq!(ring.end(), 15_001);
    }

    #[test]
    fn damaged_bytes_are_left_out() {
        for bytes in [&b""[..], b"\xff\xff\xff\xff\0\0\0\0", b"\x02\0\0\0\x09\0\0\0ab", &[7; 64]] {
            let block = Block::new(1, 3, 0, (0, 0), bytes.into());
            assert_eq!(block.entries().count(), 0);
        }
    }
}
