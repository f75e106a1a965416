//! The subscriptions of a client, as its next server must have them.

use std::collections::BTreeMap;

use super::item::{number, words};

/// Subjects, queues and ids of one connection, in bytes. What is more than this is not remembered.
const MAX_BYTES: usize = 4 << 20;
/// What an entry costs besides its text.
const ENTRY_BYTES: usize = 128;

/// The live subscriptions.
#[derive(Debug, Default)]
pub(super) struct Subs {
    by_sid: BTreeMap<Box<[u8]>, Sub>,
    bytes: usize,
}

#[derive(Debug)]
struct Sub {
    /// Subject, and queue where there is one.
    what: Box<[u8]>,
    /// Messages from servers before this one.
    before: usize,
    /// Messages from this server.
    here: usize,
    /// It ends with so many messages from this server.
    max: Option<usize>,
}

impl Subs {
    /// A `SUB` was handed over. Tells whether there was room to remember it.
    pub(super) fn add(&mut self, args: &[u8]) -> bool {
        let words: Vec<_> = words(args).collect();
        let Some((sid, what)) = words.split_last().filter(|(_, what)| matches!(what.len(), 1 | 2)) else {
            // The server will say what it thinks of it.
            return true;
        };
        if self.by_sid.contains_key(*sid) {
            // So does the server: the first one counts.
            return true;
        }
        let what: Box<[u8]> = what.join(&b' ').into();
        self.bytes += ENTRY_BYTES + sid.len() + what.len();
        self.by_sid.insert((*sid).into(), Sub { what, before: 0, here: 0, max: None });
        self.bytes <= MAX_BYTES
    }

    /// An `UNSUB` was handed over, in this server's count.
    pub(super) fn end(&mut self, args: &[u8]) {
        let mut words = words(args);
        let Some(sid) = words.next() else {
            return;
        };
        let max = words.next().and_then(number).filter(|max| *max > 0);
        match (max, self.by_sid.get_mut(sid)) {
            (Some(max), Some(sub)) if max > sub.here => sub.max = Some(max),
            _ => self.remove(sid),
        }
    }

    /// A message is passed on to the client.
    pub(super) fn deliver(&mut self, args: &[u8]) {
        let Some(sid) = words(args).nth(1) else {
            return;
        };
        if let Some(sub) = self.by_sid.get_mut(sid) {
            sub.here += 1;
            if sub.max == Some(sub.here) {
                self.remove(sid);
            }
        }
    }

    fn remove(&mut self, sid: &[u8]) {
        if let Some((sid, sub)) = self.by_sid.remove_entry(sid) {
            self.bytes -= ENTRY_BYTES + sid.len() + sub.what.len();
        }
    }

    /// How many messages a subscription had from servers before this one.
    pub(super) fn before(&self, sid: &[u8]) -> usize {
        self.by_sid.get(sid).map_or(0, |sub| sub.before)
    }

    /// This server is gone: the next one counts from nothing.
    pub(super) fn restart(&mut self) {
        for sub in self.by_sid.values_mut() {
            sub.before += sub.here;
            sub.max = sub.max.map(|max| max - sub.here);
            sub.here = 0;
        }
    }

    /// What the next server is told.
    pub(super) fn replay(&self, into: &mut Vec<u8>) {
        for (sid, sub) in &self.by_sid {
            for part in [b"SUB ", &*sub.what, b" ", sid, b"\r\n"] {
                into.extend_from_slice(part);
            }
            if let Some(max) = sub.max {
                unsub(sid, max, into);
            }
        }
    }

    /// How long the replay is, about.
    pub(super) const fn bytes(&self) -> usize {
        self.bytes
    }
}

/// Writes `UNSUB sid max`.
pub(super) fn unsub(sid: &[u8], max: usize, into: &mut Vec<u8>) {
    for part in [b"UNSUB ", sid, b" ", max.to_string().as_bytes(), b"\r\n"] {
        into.extend_from_slice(part);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replayed(subs: &Subs) -> String {
        let mut bytes = Vec::new();
        subs.replay(&mut bytes);
        String::from_utf8(bytes).unwrap()
    }

    #[test]
    fn what_is_live_is_told_and_what_has_ended_is_not() {
        let mut subs = Subs::default();
        for args in [&b"news.* 1"[..], b"jobs workers  2", b"old 3", b"late 4", b"again 1"] {
            assert!(subs.add(args));
        }
        subs.end(b"3");
        subs.end(b"4 2");
        subs.deliver(b"late 4 5");
        assert_eq!(replayed(&subs), "SUB news.* 1\r\nSUB jobs workers 2\r\nSUB late 4\r\nUNSUB 4 2\r\n");
        subs.restart();
        assert_eq!(replayed(&subs), "SUB news.* 1\r\nSUB jobs workers 2\r\nSUB late 4\r\nUNSUB 4 1\r\n");
        assert_eq!(subs.before(b"4"), 1);
        subs.deliver(b"late 4 5");
        assert_eq!(replayed(&subs), "SUB news.* 1\r\nSUB jobs workers 2\r\n");
    }

    #[test]
    fn a_limit_that_is_reached_already_ends_it() {
        let mut subs = Subs::default();
        assert!(subs.add(b"a 1"));
        subs.deliver(b"a 1 0");
        subs.end(b"1 1");
        assert_eq!((replayed(&subs), subs.bytes()), (String::new(), 0));
    }

    #[test]
    fn there_is_a_bound() {
        let mut subs = Subs::default();
        let subject = "s".repeat(60_000);
        let fits = (0..100).take_while(|sid| subs.add(format!("{subject} {sid}").as_bytes())).count();
        assert!((60..80).contains(&fits), "{fits}");
    }
}
