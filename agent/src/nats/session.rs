//! A client's session with its server, which can be moved to another server.
//!
//! What the client sends is kept until it is handed over; an item that was handed over only in part is whole
//! for the next server. What was handed over completely is never sent again: a message arrives at most once,
//! as NATS itself promises. The client is given whole items only, so a server that goes in the middle of one
//! takes the rest of it along and leaves the stream sound.
//!
//! `CONNECT` may hold credentials: it is in memory only, is never printed, and is overwritten when it is not
//! needed any more.

use zeroize::{Zeroize, Zeroizing};

use super::framer::Framer;
use super::item::{Sender, Verb};
use super::state::{Stage, State};

/// What a client may send while its server is away before nothing more is read.
const HELD_BYTES: usize = 256 * 1024;

/// The session.
pub struct Session {
    client: Framer,
    server: Framer,
    state: State,
}

impl Default for Session {
    fn default() -> Self {
        let state = State::default();
        Self { client: Framer::new(Sender::Client), server: Framer::new(Sender::Server), state }
    }
}

impl Session {
    /// Where it is.
    pub const fn stage(&self) -> Stage {
        self.state.stage
    }

    /// Whether another server can go on with it.
    pub const fn can_move(&self) -> bool {
        !matches!(self.state.stage, Stage::Opaque) && !self.state.is_signed && !self.state.is_refused
    }

    /// Whether nothing is under way: no item in part, no answer outstanding, nothing kept.
    pub fn is_at_rest(&self) -> bool {
        let is_whole = self.client.kept_bytes() == 0 && self.server.kept_bytes() == 0;
        is_whole && self.state.kept.is_empty() && self.state.answers.is_empty()
    }

    /// Whether the client has sent something that only a server can take.
    pub fn wants_server(&self) -> bool {
        !self.state.kept.is_empty()
    }

    /// Whether nothing more should be read from the client for now.
    pub fn is_full(&self) -> bool {
        let held = self.state.kept.len() + self.client.kept_bytes();
        !matches!(self.state.stage, Stage::Live | Stage::Opaque) && held >= HELD_BYTES
    }

    /// Whether something passed, since this was asked last, besides what keeps a connection alive.
    pub const fn take_busy(&mut self) -> bool {
        std::mem::replace(&mut self.state.is_busy, false)
    }

    /// Bytes towards the client that wait for the rest of their item.
    pub const fn kept_for_client(&self) -> usize {
        self.server.kept_bytes()
    }

    /// The client's next bytes. What it is answered without a server is appended to `back`; what the server is
    /// to have is [`Session::unsent`]. Tells whether credentials may have been among the bytes.
    pub fn client(&mut self, input: &[u8], back: &mut Vec<u8>) -> bool {
        let state = &mut self.state;
        if state.stage == Stage::Opaque {
            state.kept.append(&mut self.client.take_rest());
            state.kept.extend_from_slice(input);
            return false;
        }
        if state.stage == Stage::Live && state.kept.is_empty() {
            // With room for all of it: bytes that move leave a copy behind.
            state.kept.reserve(input.len() + self.client.kept_bytes());
        }
        let mut is_secret = self.client.may_hold_secrets();
        let fed = self.client.feed(input, |item| {
            is_secret |= item.verb == Verb::Connect;
            match state.stage {
                Stage::Live | Stage::Opaque => state.pass_on(item),
                Stage::Away | Stage::Greeting | Stage::Restoring => state.keep(item, back),
            }
        });
        if fed.is_err() {
            state.kept.append(&mut self.client.take_rest());
            if state.stage == Stage::Live {
                state.give_up();
                // Nor is there an item of the server's to wait for.
                back.append(&mut self.server.take_rest());
            }
        }
        is_secret || self.client.may_hold_secrets()
    }

    /// What the server is to have next. Empty while there is none.
    pub fn unsent(&self) -> &[u8] {
        match self.state.stage {
            Stage::Live | Stage::Opaque => &self.state.kept[self.state.sent..],
            Stage::Away | Stage::Greeting | Stage::Restoring => &[],
        }
    }

    /// So much of [`Session::unsent`] was handed over.
    pub fn handed(&mut self, count: usize) {
        self.state.handed(count);
    }

    /// The server's next bytes; what the client is to have is appended to `down`.
    pub fn server(&mut self, input: &[u8], down: &mut Vec<u8>) {
        let state = &mut self.state;
        let before = state.stage;
        if before != Stage::Opaque {
            let fed = self.server.feed(input, |item| state.take_item(item, down));
            if let Some(bytes) = state.max_payload.take() {
                self.client.set_max_payload(bytes);
                self.server.set_max_payload(bytes);
            }
            if fed.is_err() {
                state.give_up();
            }
        }
        if matches!(before, Stage::Greeting | Stage::Restoring) && state.stage == Stage::Live {
            self.resume(down);
        }
        if self.state.stage == Stage::Opaque {
            down.append(&mut self.server.take_rest());
            if before == Stage::Opaque {
                down.extend_from_slice(input);
            }
        }
    }

    /// What the new server is to be told before anything else.
    pub const fn take_replay(&mut self) -> Option<Zeroizing<Vec<u8>>> {
        self.state.replay.take()
    }

    /// The end of one direction has come: what is there of an item that will never be whole.
    pub fn take_rest(&mut self, sender: Sender) -> Vec<u8> {
        match sender {
            Sender::Client => self.client.take_rest(),
            Sender::Server => self.server.take_rest(),
        }
    }

    /// The server is gone.
    pub fn lose(&mut self) {
        // What is there of an item goes with the server that would have had the rest.
        self.server = Framer::new(Sender::Server);
        self.state.lose();
    }

    /// A new server has taken the dial.
    pub const fn dialled(&mut self) {
        self.state.stage = Stage::Greeting;
    }

    /// The new server knows everything: what the client has sent meanwhile passes as if it came now.
    fn resume(&mut self, down: &mut Vec<u8>) {
        let mut waiting = std::mem::take(&mut self.state.kept);
        waiting.append(&mut self.client.take_rest());
        self.client(&waiting, down);
        if self.state.is_secret {
            waiting.zeroize();
        }
    }
}

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Session").field("stage", &self.state.stage).finish_non_exhaustive()
    }
}
