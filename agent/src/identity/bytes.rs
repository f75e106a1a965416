//! Reading a first message that may not be there as a whole yet.

use super::Miss;

/// What is left of a message. Running out of it is [`Miss::More`], unless the message is there as a whole.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bytes<'a> {
    rest: &'a [u8],
    is_whole: bool,
}

impl<'a> Bytes<'a> {
    /// Bytes of a stream: more may come.
    pub(super) const fn new(rest: &'a [u8]) -> Self {
        Self { rest, is_whole: false }
    }

    /// A message that is there to its end: what is missing in it never comes.
    pub(super) const fn whole(rest: &'a [u8]) -> Self {
        Self { rest, is_whole: true }
    }

    const fn short(&self) -> Miss {
        if self.is_whole { Miss::No } else { Miss::More }
    }

    /// What is left.
    pub(super) const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next so many bytes.
    pub(super) fn take(&mut self, count: usize) -> Result<&'a [u8], Miss> {
        let (head, rest) = self.rest.split_at_checked(count).ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(head)
    }

    /// What comes before this byte, which is taken, too.
    pub(super) fn until(&mut self, end: u8) -> Result<&'a [u8], Miss> {
        let at = self.rest.iter().position(|byte| *byte == end).ok_or_else(|| self.short())?;
        let head = self.take(at)?;
        self.take(1)?;
        Ok(head)
    }

    /// A line without its end, which is LF or CR LF.
    pub(super) fn line(&mut self) -> Result<&'a [u8], Miss> {
        let line = self.until(b'\n')?;
        Ok(line.strip_suffix(b"\r").unwrap_or(line))
    }

    /// The message of the next so many bytes, of which perhaps not all are there.
    pub(super) fn message(&mut self, count: usize) -> Self {
        match self.take(count) {
            Ok(rest) => Self::whole(rest),
            Err(_) => {
                let message = *self;
                self.rest = &[];
                message
            }
        }
    }

    /// Exactly these bytes, as far as they are there.
    pub(super) fn expect(&mut self, wanted: &[u8]) -> Result<(), Miss> {
        let seen = self.rest.len().min(wanted.len());
        if self.rest[..seen] != wanted[..seen] {
            return Err(Miss::No);
        }
        self.take(wanted.len()).map(|_| ())
    }

    fn array<const N: usize>(&mut self) -> Result<[u8; N], Miss> {
        let (head, rest) = self.rest.split_first_chunk::<N>().ok_or_else(|| self.short())?;
        self.rest = rest;
        Ok(*head)
    }

    /// A number of one byte.
    pub(super) fn u8(&mut self) -> Result<u8, Miss> {
        self.array().map(u8::from_be_bytes)
    }

    /// A big-endian number of two bytes, which is a length more often than not.
    pub(super) fn u16(&mut self) -> Result<usize, Miss> {
        self.array().map(u16::from_be_bytes).map(usize::from)
    }

    /// A big-endian number of three bytes.
    pub(super) fn u24(&mut self) -> Result<usize, Miss> {
        let [a, b, c] = self.array()?;
        Ok(usize::from(a) << 16 | usize::from(b) << 8 | usize::from(c))
    }

    /// A big-endian number of four bytes.
    pub(super) fn u32(&mut self) -> Result<u32, Miss> {
        self.array().map(u32::from_be_bytes)
    }

    /// A little-endian number of four bytes.
    pub(super) fn u32_le(&mut self) -> Result<u32, Miss> {
        self.array().map(u32::from_le_bytes)
    }

    /// A length as MQTT writes it: seven bits a byte, low ones first, at most four bytes.
    pub(super) fn varint(&mut self) -> Result<usize, Miss> {
        let mut value = 0;
        for place in 0..4 {
            let byte = self.u8()?;
            value |= usize::from(byte & 0x7f) << (7 * place);
            if byte & 0x80 == 0 {
                return Ok(value);
            }
        }
        Err(Miss::No)
    }

    /// Bytes behind their length of two bytes.
    pub(super) fn counted(&mut self) -> Result<&'a [u8], Miss> {
        let count = self.u16()?;
        self.take(count)
    }
}
