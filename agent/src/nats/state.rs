//! What is known of a session, and what each item changes of it.

use zeroize::{Zeroize, Zeroizing};

use super::answers::{Answer, Answers};
use super::item::{Info, Item, Scan, Sender, Verb, number, scan, words};
use super::subs::{Subs, unsub};

/// Where a session is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Items pass.
    Live,
    /// There is no server.
    Away,
    /// A new server's `INFO` is waited for.
    Greeting,
    /// A new server has been told everything and has not said yet that it knows.
    Restoring,
    /// Not NATS, or too much to be remembered: bytes pass as they are, and there is no other server.
    Opaque,
}

/// What is known of a session, framing apart.
pub(super) struct State {
    pub(super) stage: Stage,
    pub(super) connect: Option<Zeroizing<Box<[u8]>>>,
    /// `CONNECT` answers a challenge of this server alone.
    pub(super) is_signed: bool,
    is_verbose: bool,
    /// The client has had an `INFO`.
    is_greeted: bool,
    subs: Subs,
    pub(super) answers: Answers,
    /// The client's items that were not handed over completely, in its own count while there is no server.
    pub(super) kept: Vec<u8>,
    /// So much of them was handed over.
    pub(super) sent: usize,
    /// So much of them was noted.
    noted: usize,
    /// The client's `CONNECT` is among them.
    pub(super) is_secret: bool,
    pub(super) replay: Option<Zeroizing<Vec<u8>>>,
    /// The server's last item was an error that ends a session.
    pub(super) is_refused: bool,
    /// Something passed that does more than keep a connection alive.
    pub(super) is_busy: bool,
    pub(super) max_payload: Option<usize>,
}

/// What a client's `CONNECT` says about how it is served.
#[derive(serde::Deserialize)]
struct Options<'a> {
    /// The server's default is true.
    verbose: Option<bool>,
    #[serde(borrow)]
    sig: Option<std::borrow::Cow<'a, str>>,
}

impl Default for State {
    fn default() -> Self {
        Self {
            stage: Stage::Live,
            connect: None,
            is_signed: false,
            is_verbose: true,
            is_greeted: false,
            subs: Subs::default(),
            answers: Answers::default(),
            kept: Vec::new(),
            sent: 0,
            noted: 0,
            is_secret: false,
            replay: None,
            is_refused: false,
            is_busy: false,
            max_payload: None,
        }
    }
}

impl State {
    /// An item of the client for the server that is there.
    pub(super) fn pass_on(&mut self, item: &Item<'_>) {
        self.is_secret |= item.verb == Verb::Connect;
        self.is_busy |= !matches!(item.verb, Verb::Ping | Verb::Pong);
        match self.translated(item) {
            Some((sid, max)) if max > 0 => unsub(sid, max, &mut self.kept),
            Some((sid, _)) => [b"UNSUB ", sid, b"\r\n"].iter().for_each(|part| self.kept.extend(*part)),
            None => self.kept.extend_from_slice(item.whole),
        }
    }

    /// An `UNSUB` with a number means all messages, and this server knows only its own.
    fn translated<'a>(&self, item: &Item<'a>) -> Option<(&'a [u8], usize)> {
        if item.verb != Verb::Unsub {
            return None;
        }
        let mut words = words(item.args);
        let (sid, max) = (words.next()?, words.next().and_then(number)?);
        let before = self.subs.before(sid);
        (before > 0).then(|| (sid, max.saturating_sub(before)))
    }

    /// An item of the client while there is no server. A `PING` is answered here if nothing that the client
    /// sent before it waits for a server: a `PONG` says that all of that is done.
    pub(super) fn keep(&mut self, item: &Item<'_>, back: &mut Vec<u8>) {
        match item.verb {
            Verb::Ping if self.kept.is_empty() && self.answers.is_empty() => {
                back.extend_from_slice(b"PONG\r\n");
            }
            // The server that asked is gone.
            Verb::Pong => {}
            verb => {
                self.is_secret |= verb == Verb::Connect;
                self.is_busy |= verb != Verb::Ping;
                self.kept.extend_from_slice(item.whole);
            }
        }
    }

    pub(super) fn handed(&mut self, count: usize) {
        self.sent += count;
        while self.stage != Stage::Opaque && self.noted < self.sent {
            let kept = std::mem::take(&mut self.kept);
            let length = match scan(Sender::Client, &kept[self.noted..self.sent], 0) {
                Scan::Item(item) => {
                    self.note(&item);
                    item.whole.len()
                }
                Scan::Line | Scan::More(_) | Scan::Wrong => 0,
            };
            self.kept = kept;
            if length == 0 {
                break;
            }
            self.noted += length;
        }
        if self.sent == self.kept.len() {
            self.forget_kept();
        }
    }

    fn forget_kept(&mut self) {
        if std::mem::take(&mut self.is_secret) {
            self.kept.zeroize();
        }
        (self.kept, self.sent, self.noted) = (Vec::new(), 0, 0);
    }

    /// A server has an item: it may act on it, and answer it.
    fn note(&mut self, item: &Item<'_>) {
        let mut has_room = true;
        match item.verb {
            Verb::Connect => self.note_connect(item),
            Verb::Sub => has_room = self.subs.add(item.args),
            Verb::Unsub => self.subs.end(item.args),
            _ => {}
        }
        let answer = match item.verb {
            Verb::Ping => Some(Answer::Pong),
            Verb::Pong => None,
            _ => self.is_verbose.then_some(Answer::Ok),
        };
        if let Some(answer) = answer {
            has_room &= self.answers.expect(answer);
        }
        if !has_room {
            self.give_up();
        }
    }

    fn note_connect(&mut self, item: &Item<'_>) {
        let options = serde_json::from_slice::<Options<'_>>(item.args).ok();
        self.is_verbose = options.as_ref().and_then(|options| options.verbose).unwrap_or(true);
        self.is_signed = options.and_then(|options| options.sig).is_some_and(|sig| !sig.is_empty());
        self.connect = Some(Zeroizing::new(item.whole.into()));
    }

    /// There is no other server for this session: nothing is remembered any more.
    pub(super) fn give_up(&mut self) {
        self.stage = Stage::Opaque;
        (self.connect, self.replay) = (None, None);
        (self.subs, self.answers) = (Subs::default(), Answers::default());
    }

    pub(super) fn take_item(&mut self, item: &Item<'_>, down: &mut Vec<u8>) {
        self.is_busy |= !matches!(item.verb, Verb::Ping | Verb::Pong | Verb::Ok | Verb::Info);
        self.is_refused = item.verb == Verb::Err && is_final(item.args);
        let is_new = matches!(self.stage, Stage::Greeting | Stage::Restoring);
        match item.verb {
            Verb::Info => {
                self.max_payload = Info::read(item.args).max_payload.or(self.max_payload);
                let is_known = std::mem::replace(&mut self.is_greeted, true);
                if self.stage == Stage::Greeting {
                    self.greeted();
                }
                // The client goes on with what its first server told it.
                if is_new && is_known {
                    return;
                }
            }
            Verb::Ok if is_new => return,
            Verb::Ok => self.answers.came(Answer::Ok),
            Verb::Pong if is_new => {
                self.stage = Stage::Live;
                return self.answers.settle(down);
            }
            Verb::Pong => self.answers.came(Answer::Pong),
            Verb::Msg | Verb::Hmsg => self.subs.deliver(item.args),
            _ => {}
        }
        down.extend_from_slice(item.whole);
    }

    /// A new server is there: it is told who the client is and what it listens to. Its answer to the `PING`
    /// behind that says that it knows. A client that has not said who it is has nothing to be told.
    fn greeted(&mut self) {
        let Some(connect) = &self.connect else {
            self.stage = Stage::Live;
            return;
        };
        const PING: &[u8] = b"PING\r\n";
        // With room for all of it: bytes that move leave a copy behind.
        let mut replay = Vec::with_capacity(connect.len() + 2 * self.subs.bytes() + PING.len());
        replay.extend_from_slice(connect);
        self.subs.replay(&mut replay);
        replay.extend_from_slice(PING);
        self.replay = Some(Zeroizing::new(replay));
        self.stage = Stage::Restoring;
    }

    pub(super) fn lose(&mut self) {
        if self.stage == Stage::Live {
            self.keep_unhanded();
        }
        self.subs.restart();
        (self.stage, self.replay) = (Stage::Away, None);
    }

    /// What was handed over completely is done with. The rest goes back to the client's own count.
    fn keep_unhanded(&mut self) {
        let mut kept = std::mem::take(&mut self.kept);
        let mut at = self.noted;
        while let Scan::Item(item) = scan(Sender::Client, &kept[at..], 0) {
            at += item.whole.len();
            let mut words = words(item.args);
            match (item.verb, words.next(), words.next().and_then(number)) {
                (Verb::Unsub, Some(sid), Some(max)) => {
                    unsub(sid, max + self.subs.before(sid), &mut self.kept);
                }
                // An answer to the server that is gone.
                (Verb::Pong, ..) => {}
                _ => self.kept.extend_from_slice(item.whole),
            }
        }
        if self.is_secret {
            kept.zeroize();
        }
        (self.sent, self.noted) = (0, 0);
    }
}

/// Whether a server ends the session with this error.
fn is_final(args: &[u8]) -> bool {
    let text = args.trim_ascii().to_ascii_lowercase();
    let begins = |word: &[u8]| text.strip_prefix(b"'").unwrap_or(&text).starts_with(word);
    !begins(b"permissions violation") && !begins(b"invalid subject") && !begins(b"invalid publish subject")
}

impl Drop for State {
    fn drop(&mut self) {
        self.forget_kept();
    }
}
