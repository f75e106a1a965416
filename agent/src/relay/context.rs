//! What the parts of a relay thread work with besides the connection at hand.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, OnceLock};

use connctl_api::event::EventKind;

use super::Shared;
use super::message::Message;
use super::pair::Pair;
use super::timers::Timers;
use super::tools::Tools;
use crate::base::inbox::Outbox;
use crate::conn::tell::{More, tell};
use crate::net::pipes::Pool;
use crate::net::poll::Poll;
use crate::registry::Conn;

/// The inboxes of all relay threads, by their number.
pub(super) type Peers = Arc<OnceLock<Vec<Outbox<Message>>>>;

/// What every part of the thread works with.
#[derive(Debug)]
pub(super) struct Context {
    pub(super) shared: Shared,
    pub(super) peers: Peers,
    pub(super) outbox: Outbox<Message>,
    pub(super) poll: Poll,
    pub(super) pipes: Pool,
    pub(super) buffer: Box<[u8]>,
    pub(super) now_ms: u64,
    /// Many are being ended: each client's socket has its FIN before the first upstream's has.
    pub(super) clients_first: bool,
    pub(super) timers: Timers,
    /// Connections that want another turn without an event.
    pub(super) turns: Vec<u32>,
    /// Slots of connections that have left every table.
    pub(super) over: Vec<u32>,
    /// How many connections the thread has.
    pub(super) live: Arc<AtomicUsize>,
}

impl Context {
    pub(super) fn tools(&mut self) -> Tools<'_> {
        Tools {
            buffer: &mut self.buffer,
            pipes: &mut self.pipes,
            now_ms: self.now_ms,
            registry: &self.shared.registry,
            revocations: &self.shared.revocations,
        }
    }

    /// Writes down what happens to a connection.
    pub(super) fn tell(&self, kind: EventKind, conn: &Conn, more: More<'_>) {
        tell(&self.shared.record, kind, conn, more, self.now_ms);
    }

    /// Gives a connection another turn.
    pub(super) fn queue(&mut self, pair: &mut Pair, slot: u32) {
        if pair.put_off() {
            self.turns.push(slot);
        }
    }

    /// Sets when it is looked at without an event.
    pub(super) fn set_deadline(&mut self, pair: &mut Pair, slot: u32) {
        let wanted = pair.next_deadline(self.now_ms);
        if wanted != pair.deadline {
            self.timers.change(slot, pair.deadline, wanted);
            pair.deadline = wanted;
        }
    }

    /// The connection has left every table: its slot is freed after the events at hand.
    pub(super) fn retire(&mut self, pair: &mut Pair, slot: u32) {
        self.timers.change(slot, pair.deadline, 0);
        pair.deadline = 0;
        pair.is_over = true;
        self.over.push(slot);
        self.live.fetch_sub(1, Ordering::Relaxed);
    }
}
