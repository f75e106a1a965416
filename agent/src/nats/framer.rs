//! From pieces of a stream to whole items. What is not whole yet is kept, up to a bound.

use zeroize::Zeroize;

use super::item::{Item, MAX_LINE_BYTES, Scan, Sender, Verb, scan};

/// A payload that a server takes unless its `INFO` says otherwise.
const DEFAULT_PAYLOAD_BYTES: usize = 1 << 20;
/// A larger payload than this is never kept, whatever the server takes.
const MAX_PAYLOAD_BYTES: usize = 8 << 20;

/// What came is not the protocol, or too large to be kept. Nothing is lost: see [`Framer::take_rest`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NotNats;

/// One direction of a connection.
pub struct Framer {
    sender: Sender,
    /// The beginning of an item.
    tail: Vec<u8>,
    /// So much of it has no line feed.
    searched: usize,
    /// It has so many bytes; 0 where its line has not ended.
    need: usize,
    largest: usize,
    is_broken: bool,
    /// A `CONNECT` was among the last bytes.
    is_secret: bool,
}

impl Framer {
    /// A direction at its beginning.
    pub const fn new(sender: Sender) -> Self {
        let largest = DEFAULT_PAYLOAD_BYTES + MAX_LINE_BYTES;
        let (is_broken, is_secret) = (false, false);
        Self { sender, tail: Vec::new(), searched: 0, need: 0, largest, is_broken, is_secret }
    }

    /// The server takes payloads of this size.
    pub fn set_max_payload(&mut self, bytes: usize) {
        self.largest = bytes.min(MAX_PAYLOAD_BYTES) + MAX_LINE_BYTES;
    }

    /// Bytes of an item that is not whole.
    pub const fn kept_bytes(&self) -> usize {
        self.tail.len()
    }

    /// Whether the beginning of a `CONNECT` may be among them.
    pub fn may_hold_secrets(&self) -> bool {
        may_hold_secrets(self.sender, &self.tail)
    }

    /// Tells each item that is whole with these bytes.
    ///
    /// # Errors
    /// Once the stream is not NATS, or an item is too large; also for all that comes after that.
    pub fn feed(&mut self, input: &[u8], mut each: impl FnMut(&Item<'_>)) -> Result<(), NotNats> {
        if self.is_broken || !self.tail.is_empty() {
            self.append(input);
            if self.is_broken {
                return Err(NotNats);
            }
            if self.tail.len() < self.need {
                return Ok(());
            }
            let mut bytes = std::mem::take(&mut self.tail);
            let used = self.run(&bytes, &mut each);
            self.append(&bytes[used..]);
            if self.is_secret || may_hold_secrets(self.sender, &bytes) {
                bytes.zeroize();
            }
        } else {
            let used = self.run(input, &mut each);
            self.append(&input[used..]);
        }
        if self.is_broken { Err(NotNats) } else { Ok(()) }
    }

    /// What was kept, which is then forgotten.
    pub fn take_rest(&mut self) -> Vec<u8> {
        (self.searched, self.need) = (0, 0);
        std::mem::take(&mut self.tail)
    }

    /// Tells whole items from the beginning of the bytes and how long they are together.
    fn run(&mut self, bytes: &[u8], each: &mut impl FnMut(&Item<'_>)) -> usize {
        let mut used = 0;
        self.is_secret = false;
        while used < bytes.len() {
            match scan(self.sender, &bytes[used..], self.searched) {
                Scan::Item(item) => {
                    each(&item);
                    self.is_secret |= item.verb == Verb::Connect;
                    used += item.whole.len();
                    self.searched = 0;
                }
                Scan::Line => {
                    self.searched = bytes.len() - used;
                    self.need = 0;
                    break;
                }
                Scan::More(need) => {
                    self.searched = 0;
                    self.need = need;
                    self.is_broken = need > self.largest;
                    break;
                }
                Scan::Wrong => {
                    self.is_broken = true;
                    break;
                }
            }
        }
        used
    }

    /// A `CONNECT` may be in it, so no copy of it is left where the kept bytes have to move.
    fn append(&mut self, input: &[u8]) {
        if self.tail.capacity() - self.tail.len() < input.len() {
            let mut grown = Vec::with_capacity((self.tail.len() + input.len()).max(2 * self.tail.len()));
            grown.extend_from_slice(&self.tail);
            if self.may_hold_secrets() {
                self.tail.zeroize();
            }
            self.tail = grown;
        }
        self.tail.extend_from_slice(input);
    }
}

/// Whether these bytes of a stream begin with what may become a `CONNECT`.
fn may_hold_secrets(sender: Sender, bytes: &[u8]) -> bool {
    sender == Sender::Client && bytes.first().is_some_and(|byte| byte.eq_ignore_ascii_case(&b'c'))
}

impl Drop for Framer {
    fn drop(&mut self) {
        if self.may_hold_secrets() {
            self.tail.zeroize();
        }
    }
}

impl std::fmt::Debug for Framer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Framer").field("sender", &self.sender).field("kept", &self.tail.len()).finish()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Whole items, what is left, and whether all of it is the protocol.
    type Framed = (Vec<(Verb, Vec<u8>)>, Vec<u8>, bool);

    /// The items of a stream that comes in these pieces, and what is left.
    fn framed<'a>(sender: Sender, pieces: impl Iterator<Item = &'a [u8]>) -> Framed {
        let (mut framer, mut items, mut is_fine) = (Framer::new(sender), Vec::new(), true);
        for piece in pieces {
            is_fine &= framer.feed(piece, |item| items.push((item.verb, item.whole.to_vec()))).is_ok();
        }
        (items, framer.take_rest(), is_fine)
    }

    const STREAM: &[u8] = b"CONNECT {\"verbose\":false}\r\nPING\r\nSUB a 1\r\nPUB a 5\r\nPING\r\r\n\
        HPUB a r 12 15\r\nNATS/1.0\r\n\r\na\r\n\r\nUNSUB 1 3\r\nPONG\r\nPUB b 3\r\nab";

    #[test]
    fn a_stream_byte_by_byte_is_the_same_as_at_once() {
        let at_once = framed(Sender::Client, std::iter::once(STREAM));
        assert_eq!((at_once.0.len(), at_once.1.as_slice(), at_once.2), (7, &b"PUB b 3\r\nab"[..], true));
        assert_eq!(framed(Sender::Client, STREAM.chunks(1)), at_once);
    }

    #[test]
    fn an_item_that_is_too_large_is_not_kept_and_not_lost() {
        let mut framer = Framer::new(Sender::Server);
        framer.set_max_payload(10);
        let head = format!("MSG a 1 {}\r\nbeginning", MAX_LINE_BYTES + 11);
        let mut count = 0;
        assert_eq!(framer.feed(head.as_bytes(), |_| count += 1), Err(NotNats));
        assert_eq!(framer.feed(b"more", |_| count += 1), Err(NotNats));
        assert_eq!((count, framer.take_rest()), (0, [head.as_bytes(), b"more"].concat()));
    }

    /// Streams with something of the protocol in them.
    fn streams() -> impl Strategy<Value = Vec<u8>> {
        let item = prop_oneof![
            Just(b"PING\r\n".to_vec()),
            Just(b"SUB x 1\n".to_vec()),
            Just(b"UNSUB 1\r\n".to_vec()),
            Just(b"CONNECT {}\r\n".to_vec()),
            prop::collection::vec(any::<u8>(), 0..40).prop_map(|payload| {
                [format!("PUB x {}\r\n", payload.len()).as_bytes(), &payload, b"\r\n"].concat()
            }),
            prop::collection::vec(any::<u8>(), 0..6),
        ];
        prop::collection::vec(item, 0..12).prop_map(|items| items.concat())
    }

    proptest! {
        #[test]
        fn any_split_of_any_stream_gives_the_same(stream in streams(), cuts in prop::collection::vec(0usize..200, 0..6)) {
            let at_once = framed(Sender::Client, std::iter::once(stream.as_slice()));
            let joined = [at_once.0.iter().flat_map(|(_, bytes)| bytes.clone()).collect(), at_once.1.clone()].concat();
            prop_assert_eq!(&joined, &stream, "a byte was lost or doubled");
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(stream.len())).collect();
            cuts.extend([0, stream.len()]);
            cuts.sort_unstable();
            let pieces = cuts.windows(2).map(|pair| &stream[pair[0]..pair[1]]);
            prop_assert_eq!(framed(Sender::Client, pieces), at_once);
        }
    }
}
