//! Floor 5: whose connection it is, found in the first bytes that a client sends.
//!
//! A [`Tap`] looks at what passes and never waits for it: nothing is held back, and what a decoder cannot
//! tell from the first few kilobytes is not told at all. A decoder sees the same message from its beginning
//! each time more of it has come, so it has no state, and it gives the same answer however the bytes come.

mod amqp;
mod bytes;
mod found;
mod http;
mod mqtt;
mod mysql;
mod nats;
#[cfg(test)]
mod oracle;
mod postgres;
pub mod proxy;
mod redis;
#[cfg(test)]
mod testing;
mod tls;
mod wukongim;

use connctl_api::conn::MAX_TAGS;

use crate::config::identity::{MAX_RULES, Rule};
use crate::registry::conn::Labels;
use crate::registry::{Conn, Registry};
pub use found::Found;
pub use wukongim::Frames;

/// What is looked at in all.
const MAX_BYTES: usize = 4096;
/// A `ClientHello` may fill a whole record, with keys that are large nowadays; so may the headers of a request
/// with tokens and cookies before the one that is wanted.
const MAX_LARGE_BYTES: usize = 16 * 1024;

/// How often one connection is looked at. Each time the message is read from its beginning, so that one which
/// comes byte by byte would cost the square of its length.
const MAX_LOOKS: u16 = 512;

/// Why nobody is found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Miss {
    /// Not enough has come yet.
    More,
    /// Nobody is named, and more bytes would not change that.
    No,
}

/// What a decoder says to a message's beginning.
pub type Decoded = Result<Found, Miss>;

/// What is known of one connection until it is decided whose it is.
#[derive(Debug)]
pub struct Tap {
    seen: Seen,
    looks: u16,
    /// One bit for each rule that can match no more.
    out: u32,
    /// The user that the address stands for, or that a rule further behind has found.
    pub presumed: Option<Box<str>>,
}

// One bit for each rule.
const _: () = assert!(MAX_RULES <= 32);

impl Tap {
    /// A tap for the first so many rules. Where none of them looks at bytes, none is needed.
    pub fn new(rules: &[Rule], first: usize) -> Option<Box<Self>> {
        let mut out = 0_u32;
        for (place, rule) in rules.iter().enumerate() {
            if place >= first || matches!(rule, Rule::Proxy(_)) {
                out |= 1 << place;
            }
        }
        let is_needed = (out.count_ones() as usize) < rules.len();
        is_needed.then(|| Box::new(Self { seen: Seen::default(), looks: 0, out, presumed: None }))
    }

    /// Looks at the client's next bytes. After any answer but [`Miss::More`] the tap has done its work.
    pub fn look(&mut self, rules: &[Rule], bytes: &[u8]) -> Decoded {
        self.looks = self.looks.saturating_add(1);
        if self.looks > MAX_LOOKS {
            return Err(Miss::No);
        }
        let left = MAX_LARGE_BYTES - self.seen.0.len();
        let bytes = &bytes[..bytes.len().min(left)];
        if self.seen.0.is_empty() {
            // Mostly the first read has the whole message, and it is kept nowhere.
            let answer = decide(rules, &mut self.out, bytes);
            if answer == Err(Miss::More) {
                self.seen.push(bytes);
            }
            return answer;
        }
        self.seen.push(bytes);
        decide(rules, &mut self.out, &self.seen.0)
    }
}

/// The first rule that matches, in the order of the rules and not in that of their answers.
fn decide(rules: &[Rule], out: &mut u32, bytes: &[u8]) -> Decoded {
    for (place, rule) in rules.iter().enumerate() {
        if *out & 1 << place != 0 {
            continue;
        }
        match decode(rule, bytes) {
            Err(Miss::No) => *out |= 1 << place,
            answer => return answer,
        }
    }
    Err(Miss::No)
}

fn decode(rule: &Rule, bytes: &[u8]) -> Decoded {
    let most = if matches!(rule, Rule::TlsSni | Rule::Http(_)) { MAX_LARGE_BYTES } else { MAX_BYTES };
    let seen = &bytes[..bytes.len().min(most)];
    let answer = match rule {
        Rule::Nats => nats::decode(seen),
        Rule::Mqtt => mqtt::decode(seen),
        Rule::Postgres => postgres::decode(seen),
        Rule::Mysql => mysql::decode(seen),
        Rule::Redis => redis::decode(seen),
        Rule::Amqp => amqp::decode(seen),
        Rule::Wukongim => wukongim::decode(seen),
        Rule::Http(name) => http::decode(seen, name),
        Rule::TlsSni => tls::decode(seen),
        Rule::Proxy(_) => Err(Miss::No),
    };
    if seen.len() == most && answer == Err(Miss::More) { Err(Miss::No) } else { answer }
}

/// Whether it has a user that was assigned by hand, and not only `presumed`.
pub fn is_settled(labels: &Labels, presumed: Option<&str>) -> bool {
    labels.uid.as_deref().is_some_and(|uid| Some(uid) != presumed)
}

/// Writes down whose a connection is. A user that was assigned by hand stays; one that was only `presumed`
/// does not.
pub fn assign(registry: &Registry, conn: &Conn, found: Found, presumed: Option<&str>) {
    registry.assign(conn, |labels| {
        if !is_settled(labels, presumed) {
            labels.uid = Some(found.uid);
        }
        labels.device = labels.device.take().or(found.device);
        add(labels, found.tags);
    });
}

/// Writes down what else is known of a connection. A tag that it has stays as it is.
pub fn tag(conn: &Conn, tags: Vec<(&'static str, Box<str>)>) {
    add(&mut conn.labels(), tags);
}

fn add(labels: &mut Labels, tags: Vec<(&'static str, Box<str>)>) {
    for (key, value) in tags {
        let own = labels.tags.get_or_insert_default();
        if own.len() < MAX_TAGS {
            own.entry(key.to_owned()).or_insert_with(|| value.into());
        }
    }
}

/// The bytes so far, among which there may be a secret: they are wiped before their memory is given back.
#[derive(Default)]
struct Seen(Vec<u8>);

impl Seen {
    fn push(&mut self, bytes: &[u8]) {
        let length = self.0.len() + bytes.len();
        if length > self.0.capacity() {
            // A vector that grows by itself leaves its old memory as it was.
            let mut larger = Vec::with_capacity(length.next_power_of_two());
            larger.extend_from_slice(&self.0);
            self.wipe();
            self.0 = larger;
        }
        self.0.extend_from_slice(bytes);
    }

    fn wipe(&mut self) {
        self.0.fill(0);
        // Someone may look: the writes are not for nothing.
        std::hint::black_box(&self.0);
    }
}

impl Drop for Seen {
    fn drop(&mut self) {
        self.wipe();
    }
}

impl std::fmt::Debug for Seen {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} bytes", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::testing::{no, user};
    use super::*;

    const REDIS: &[u8] = b"AUTH alice s3cret\r\n";
    const REQUEST: &[u8] = b"GET / HTTP/1.1\r\nX-User: bob\r\n\r\n";

    fn rules() -> Vec<Rule> {
        vec![Rule::Postgres, Rule::Redis, Rule::Proxy(None), Rule::Http("X-User".into())]
    }

    fn fed(rules: &[Rule], chunks: &mut dyn Iterator<Item = &[u8]>) -> Decoded {
        let mut tap = Tap::new(rules, rules.len()).unwrap();
        chunks.map(|chunk| tap.look(rules, chunk)).find(|answer| *answer != Err(Miss::More)).unwrap()
    }

    #[test]
    fn pieces_and_the_whole_get_one_answer() {
        for (bytes, uid) in [(REDIS, "alice"), (REQUEST, "bob")] {
            for size in [1, 2, 7, 4096] {
                user(fed(&rules(), &mut bytes.chunks(size)), uid);
            }
        }
    }

    #[test]
    fn the_first_rule_that_matches_wins() {
        let rules = [Rule::Http("X-None".into()), Rule::Http("X-User".into())];
        user(fed(&rules, &mut REQUEST.chunks(1)), "bob");
        let request = b"GET / HTTP/1.1\r\nX-Late: carol\r\nX-None: dave\r\n\r\n";
        user(
            fed(&[Rule::Http("X-None".into()), Rule::Http("X-Late".into())], &mut request.chunks(1)),
            "dave",
        );
    }

    #[test]
    fn a_message_that_never_ends_is_given_up() {
        let mut endless = b"GET / HTTP/1.1\r\nX: ".to_vec();
        endless.resize(MAX_LARGE_BYTES + 1, b'x');
        no(fed(&rules(), &mut endless.chunks(100)));
        no(fed(&rules(), &mut endless.chunks(endless.len())));
        let mut record = b"\x16\x03\x01\x40\x00\x01\0\x3f\xf0".to_vec();
        record.resize(2 * MAX_LARGE_BYTES, 0xff);
        no(fed(&[Rule::TlsSni], &mut record.chunks(MAX_LARGE_BYTES)));
        let tap = Tap::new(&[Rule::TlsSni], 1).unwrap();
        assert_eq!(format!("{:?}", tap.seen), "0 bytes");
    }

    #[test]
    fn a_message_in_too_many_pieces_is_given_up() {
        let most = usize::from(MAX_LOOKS);
        let request = |length: usize| format!("GET /{} HTTP/1.1\r\nX-User: bob\r\n", "x".repeat(length - 29));
        user(fed(&rules(), &mut request(most).as_bytes().chunks(1)), "bob");
        no(fed(&rules(), &mut request(most + 1).as_bytes().chunks(1)));
        user(fed(&rules(), &mut request(most + 1).as_bytes().chunks(2)), "bob");
    }

    #[test]
    fn a_tap_is_there_only_where_bytes_decide() {
        assert!(Tap::new(&[], 0).is_none());
        assert!(Tap::new(&[Rule::Proxy(None)], 1).is_none());
        assert!(Tap::new(&rules(), 0).is_none());
        let mut tap = Tap::new(&rules(), 1).unwrap();
        no(tap.look(&rules(), REDIS));
    }

    #[test]
    fn what_cannot_be_a_label_is_nobody() {
        for name in ["", "a\x1b[2J", "a\0", &"x".repeat(257)] {
            no(Found::user(name.as_bytes()));
        }
        no(Found::user(b"\xff"));
        assert!(Found::user("x".repeat(256).as_bytes()).is_ok());
    }
}
