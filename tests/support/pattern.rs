//! A byte stream that shows at once what was lost, doubled or swapped.
use std::io::Write;
use std::sync::OnceLock;

/// A prime, so that no buffer size divides it.
const LENGTH: usize = 65_521;

fn table() -> &'static [u8] {
    static TABLE: OnceLock<Vec<u8>> = OnceLock::new();
    TABLE.get_or_init(|| {
        let mut state = 0x9e37_79b9_7f4a_7c15_u64;
        let mut next = || {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state.to_le_bytes()[5]
        };
        (0..LENGTH).map(|_| next()).collect()
    })
}

/// A place in the stream.
#[derive(Debug, Default, Clone)]
pub(crate) struct Pattern {
    offset: u64,
}

impl Pattern {
    /// A stream that starts at another place, so that streams differ.
    pub(crate) fn at(offset: u64) -> Self {
        Self { offset }
    }

    fn ahead(&self) -> &'static [u8] {
        let at = usize::try_from(self.offset % LENGTH as u64).unwrap();
        &table()[at..]
    }

    /// How far it is.
    pub(crate) fn offset(&self) -> u64 {
        self.offset
    }

    /// Writes so many bytes, starting where the last call ended.
    pub(crate) fn write(&mut self, to: &mut impl Write, count: u64) -> std::io::Result<()> {
        let end = self.offset + count;
        while self.offset < end {
            let ahead = self.ahead();
            let size = ahead.len().min(usize::try_from(end - self.offset).unwrap());
            to.write_all(&ahead[..size])?;
            self.offset += size as u64;
        }
        Ok(())
    }

    /// Checks that the piece is what comes next.
    #[track_caller]
    pub(crate) fn check(&mut self, mut piece: &[u8]) {
        while !piece.is_empty() {
            let ahead = self.ahead();
            let size = ahead.len().min(piece.len());
            assert!(piece[..size] == ahead[..size], "wrong bytes after offset {}", self.offset);
            self.offset += size as u64;
            piece = &piece[size..];
        }
    }
}
