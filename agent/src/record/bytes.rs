//! Values as bytes, as the history and the events keep them in memory and on disk. Reading checks every
//! length: what a disk gives back may be anything.

use std::net::{IpAddr, SocketAddr};

use connctl_api::conn::Mode;
use connctl_api::end::{Initiator, Reason};
use connctl_api::event::EventKind;

/// The length of a text that is not there.
const NO_TEXT: u16 = u16::MAX;

/// Appends values.
pub(super) struct Put<'a>(pub(super) &'a mut Vec<u8>);

impl Put<'_> {
    pub(super) fn u8(&mut self, value: u8) {
        self.0.push(value);
    }

    pub(super) fn u16(&mut self, value: u16) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn u64(&mut self, value: u64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    pub(super) fn i64(&mut self, value: i64) {
        self.0.extend_from_slice(&value.to_le_bytes());
    }

    /// A text; one that is longer than any label or note may be is cut.
    pub(super) fn text(&mut self, text: Option<&str>) {
        let Some(text) = text else {
            return self.u16(NO_TEXT);
        };
        let mut end = text.len().min(usize::from(NO_TEXT) - 1);
        while !text.is_char_boundary(end) {
            end -= 1;
        }
        let bytes = text.as_bytes().get(..end).unwrap_or_default();
        self.u16(u16::try_from(bytes.len()).unwrap_or(0));
        self.0.extend_from_slice(bytes);
    }

    pub(super) fn address(&mut self, address: Option<SocketAddr>) {
        match address {
            None => self.u8(0),
            Some(SocketAddr::V4(address)) => {
                self.u8(4);
                self.0.extend_from_slice(&address.ip().octets());
                self.u16(address.port());
            }
            Some(SocketAddr::V6(address)) => {
                self.u8(6);
                self.0.extend_from_slice(&address.ip().octets());
                self.u16(address.port());
            }
        }
    }
}

/// Takes values from the front; nothing where they are not there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Get<'a>(pub(super) &'a [u8]);

impl<'a> Get<'a> {
    /// So many bytes, where they are.
    #[inline]
    pub(super) fn chunk<const N: usize>(&mut self) -> Option<&'a [u8; N]> {
        let (first, rest) = self.0.split_first_chunk::<N>()?;
        self.0 = rest;
        Some(first)
    }

    #[inline]
    fn array<const N: usize>(&mut self) -> Option<[u8; N]> {
        self.chunk().copied()
    }

    #[inline]
    pub(super) fn u8(&mut self) -> Option<u8> {
        self.array::<1>().map(|[byte]| byte)
    }

    #[inline]
    pub(super) fn u16(&mut self) -> Option<u16> {
        self.array().map(u16::from_le_bytes)
    }

    #[inline]
    pub(super) fn u64(&mut self) -> Option<u64> {
        self.array().map(u64::from_le_bytes)
    }

    #[inline]
    pub(super) fn i64(&mut self) -> Option<i64> {
        self.array().map(i64::from_le_bytes)
    }

    /// A text, or that there is none.
    #[inline]
    pub(super) fn text(&mut self) -> Option<Option<&'a str>> {
        let length = self.u16()?;
        if length == NO_TEXT {
            return Some(None);
        }
        let (text, rest) = self.0.split_at_checked(usize::from(length))?;
        self.0 = rest;
        std::str::from_utf8(text).ok().map(Some)
    }

    /// An address, or that there is none.
    #[inline]
    pub(super) fn address(&mut self) -> Option<Option<SocketAddr>> {
        let ip: IpAddr = match self.u8()? {
            0 => return Some(None),
            4 => self.array::<4>()?.into(),
            6 => self.array::<16>()?.into(),
            _ => return None,
        };
        Some(Some((ip, self.u16()?).into()))
    }
}

/// A number for a word of a table that stays the same whatever words are added: 16 bits of its FNV-1a hash.
/// A test holds the words of each table apart.
pub(super) const fn code(word: &str) -> u16 {
    let (bytes, mut hash, mut at) = (word.as_bytes(), 0x811c_9dc5_u32, 0);
    while at < bytes.len() {
        hash = (hash ^ bytes[at] as u32).wrapping_mul(0x0100_0193);
        at += 1;
    }
    let folded = (hash >> 16) ^ (hash & 0xffff);
    // Folded to 16 bits above.
    let [low, high, ..] = folded.to_le_bytes();
    u16::from_le_bytes([low, high])
}

/// A table whose words stand as numbers.
pub(super) trait Coded: Copy + 'static {
    /// Its values.
    const ALL: &'static [Self];
    /// Their numbers, in the same order. The compiler finds them: a scan asks for several of each entry.
    const CODES: &'static [u16];
}

const fn codes<const N: usize>(words: &[&str]) -> [u16; N] {
    let (mut codes, mut at) = ([0; N], 0);
    while at < N {
        codes[at] = code(words[at]);
        at += 1;
    }
    codes
}

macro_rules! coded {
    ($($table:ty),+) => {$(
        impl Coded for $table {
            const ALL: &'static [Self] = <$table>::ALL;
            const CODES: &'static [u16] = &codes::<{ <$table>::WORDS.len() }>(<$table>::WORDS);
        }
    )+};
}
coded!(EventKind, Reason, Initiator, Mode);

/// The value of a table whose word has this number.
#[inline]
pub(super) fn by_code<T: Coded>(number: u16) -> Option<T> {
    let place = T::CODES.iter().position(|code| *code == number)?;
    T::ALL.get(place).copied()
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use connctl_api::conn::Side;
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn no_two_words_of_a_table_have_one_number() {
        for words in [Reason::WORDS, Initiator::WORDS, Mode::WORDS, Side::WORDS, EventKind::WORDS] {
            let codes: HashSet<_> = words.iter().map(|word| code(word)).collect();
            assert_eq!(codes.len(), words.len(), "{words:?}");
            assert!(!codes.contains(&0), "0 is none: {words:?}");
        }
        for reason in Reason::ALL {
            assert_eq!(by_code(code(reason.word())), Some(*reason));
        }
        assert_eq!(by_code::<Mode>(0), None);
    }

    proptest! {
        #[test]
        fn what_is_put_is_got_back(
            text in prop::option::of(".*"), number: u64,
            address in prop::option::of(any::<(IpAddr, u16)>().prop_map(SocketAddr::from)),
        ) {
            let mut bytes = Vec::new();
            let mut put = Put(&mut bytes);
            put.text(text.as_deref());
            put.u64(number);
            put.address(address);
            let mut get = Get(&bytes);
            prop_assert_eq!(get.text(), Some(text.as_deref()));
            prop_assert_eq!(get.u64(), Some(number));
            prop_assert_eq!(get.address(), Some(address));
            prop_assert!(get.0.is_empty());
        }

        #[test]
        fn no_bytes_make_it_panic(bytes in prop::collection::vec(any::<u8>(), 0..64)) {
            let mut get = Get(&bytes);
            while get.text().is_some() && get.address().is_some() && get.u64().is_some() {}
        }
    }

    #[test]
    fn a_text_that_is_too_long_is_cut_at_a_character() {
        let (mut bytes, long) = (Vec::new(), "é".repeat(40_000));
        Put(&mut bytes).text(Some(&long));
        let read = Get(&bytes).text().flatten().unwrap();
        assert_eq!(read.len(), usize::from(u16::MAX) - 1);
    }
}
