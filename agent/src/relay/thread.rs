//! A relay thread's loop: events, messages, deadlines, and a bounded share of commands in each turn.

use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::atomic::AtomicUsize;

use connctl_api::conn::Side;
use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::event::EventKind;
use connctl_api::id::ConnId;
use slab::Slab;

use super::context::{Context, Peers};
use super::drive::drive;
use super::guest::Guest;
use super::later::Later;
use super::message::{Arrival, Message, Opened};
use super::pair::Pair;
use super::parking::{self, Parking};
use super::pump::BUFFER_BYTES;
use super::sweep::{self, Sweep};
use super::timers::Timers;
use super::token::Token;
use super::{Shared, command, dial, dialogue, ending, farewell, inspect, pending, refuse};
use crate::base::clock;
use crate::base::inbox::{Inbox, Outbox};
use crate::conn::command::{Command, Outcome, Replies, Target};
use crate::conn::tell::More;
use crate::net::pipes::Pool;
use crate::net::poll::{Poll, Ready};
use crate::registry::Conn;

/// Commands carried out before the relay has its turn again: 64 closes take less than a millisecond.
const COMMANDS_A_TURN: usize = 64;
/// The token of the inbox.
const WAKE: u64 = u64::MAX;
/// The token of the guest.
const GUEST: u64 = u64::MAX - 1;

/// One relay thread.
#[derive(Debug)]
pub(super) struct Relay {
    inbox: Inbox<Message>,
    pairs: Slab<Box<Pair>>,
    context: Context,
    commands: VecDeque<Batch>,
    later: Later,
    guest: Option<Box<dyn Guest>>,
    sweep: Sweep,
    parking: Parking,
    is_stopping: bool,
}

/// A command and those it is still to reach.
#[derive(Debug)]
struct Batch {
    targets: std::vec::IntoIter<Target>,
    is_for_many: bool,
    command: Command,
    replies: Replies,
}

impl Relay {
    pub(super) fn new(
        shared: Shared,
        peers: Peers,
        outbox: Outbox<Message>,
        inbox: Inbox<Message>,
        live: Arc<AtomicUsize>,
    ) -> std::io::Result<Self> {
        let poll = Poll::new()?;
        poll.watch_input(&inbox, WAKE)?;
        let pipes = Pool::new(shared.pipes);
        let context = Context {
            shared,
            peers,
            outbox,
            poll,
            pipes,
            buffer: vec![0; BUFFER_BYTES].into(),
            now_ms: clock::now_ms(),
            clients_first: false,
            timers: Timers::default(),
            turns: Vec::new(),
            over: Vec::new(),
            live,
        };
        let (pairs, commands, later) = (Slab::new(), VecDeque::new(), Later::default());
        let (sweep, parking) = (Sweep::never(), Parking::never());
        Ok(Self { inbox, pairs, context, commands, later, guest: None, sweep, parking, is_stopping: false })
    }

    pub(super) fn run(mut self) {
        let mut events = Vec::new();
        let mut messages = Vec::new();
        let mut turns = Vec::new();
        while !self.is_stopping {
            events.clear();
            if let Err(error) = self.context.poll.wait(self.patience(), &mut events) {
                tracing::error!(%error, "waiting for events failed");
            }
            self.context.now_ms = clock::now_ms();
            std::mem::swap(&mut turns, &mut self.context.turns);
            for ready in &events {
                match ready.token {
                    WAKE => self.inbox.take(&mut messages),
                    GUEST => {}
                    _ => self.on_ready(*ready),
                }
            }
            self.serve_guest(events.iter().any(|ready| ready.token == GUEST));
            for message in messages.drain(..) {
                self.on_message(message);
            }
            while let Some(slot) = self.context.timers.due(self.context.now_ms) {
                self.on_deadline(slot);
            }
            self.sweep();
            for slot in self.parking.due(&self.pairs, self.context.now_ms) {
                self.with(slot, |pair, slot, context| {
                    parking::park(pair);
                    drive(pair, slot, context);
                });
            }
            for slot in turns.drain(..) {
                self.take_turn(slot);
            }
            self.run_commands();
            self.see_to_endings();
            self.bury();
        }
    }

    /// How long to wait for an event: not at all while there is more to do.
    fn patience(&self) -> Option<u64> {
        if !self.context.turns.is_empty() || !self.commands.is_empty() || !self.later.is_empty() {
            return Some(0);
        }
        let guest = self.guest.as_ref().and_then(|guest| guest.wait_ms());
        let now_ms = self.context.now_ms;
        let timers = self.context.timers.wait_ms(now_ms);
        [guest, timers, self.sweep.wait_ms(now_ms), self.parking.wait_ms(now_ms)].into_iter().flatten().min()
    }

    fn serve_guest(&mut self, is_ready: bool) {
        let Some(guest) = &mut self.guest else {
            return;
        };
        if (is_ready || guest.wait_ms() == Some(0))
            && catch_unwind(AssertUnwindSafe(|| guest.turn())).is_err()
        {
            tracing::error!("a defect while connections were accepted");
        }
    }

    fn host(&mut self, guest: Box<dyn Guest>) {
        if let Err(error) = self.context.poll.watch_input(&*guest, GUEST) {
            tracing::error!(%error, "no connection can be accepted");
        }
        self.guest = Some(guest);
    }

    fn on_ready(&mut self, ready: Ready) {
        let Token { slot, side, serial } = Token::of(ready.token);
        let has_commands = !self.commands.is_empty();
        let mut put_off = None;
        self.with(slot, |pair, slot, context| {
            if side == Side::Upstream && serial != pair.serial {
                // Of a socket that an earlier event of this turn closed.
                return;
            }
            let leg = pair.leg_mut(side);
            leg.readable |= ready.readable;
            leg.writable |= ready.writable;
            leg.hung_up |= ready.hung_up;
            leg.failed |= ready.failed;
            leg.has_news = true;
            if has_commands && pair.is_ending() {
                put_off = pair.put_off().then(|| pair.conn.id());
            } else {
                drive(pair, slot, context);
            }
        });
        if let Some(id) = put_off {
            self.later.add((slot, id), self.context.now_ms);
        }
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Adopt(arrival) => self.adopt(*arrival),
            Message::Operate { targets, command, replies } => {
                let is_for_many = targets.len() > 1;
                let targets = targets.into_iter();
                self.commands.push_back(Batch { targets, is_for_many, command, replies });
            }
            Message::Inspect { targets, facts } => {
                for (slot, id) in targets {
                    if let Some(pair) = self.find(slot, id) {
                        // Whoever asked may have gone.
                        let _ = facts.try_send((id, inspect::sides(pair)));
                    }
                }
            }
            Message::Farewell { targets, packet } => {
                for target in targets {
                    self.with_target(target, |pair, slot, context| {
                        farewell::say(pair, &packet);
                        drive(pair, slot, context);
                    });
                }
            }
            Message::Ask { target, asker } => self.with_target(target, |pair, slot, context| {
                dialogue::ask(pair, asker);
                drive(pair, slot, context);
            }),
            Message::Resolved { target, upstream, addresses } => {
                self.with_target(target, |pair, slot, context| {
                    dial::resolved(pair, slot, (upstream, addresses), context);
                    drive(pair, slot, context);
                });
            }
            Message::Refresh { ended } => {
                self.sweep.look_now();
                let mut all = self.sweep();
                all.extend(self.end_slow_readers());
                // Whoever asked may have gone.
                let _ = ended.try_send(all);
            }
            Message::Host(guest) => self.host(guest),
            Message::Stop => self.is_stopping = true,
        }
    }

    fn adopt(&mut self, arrival: Arrival) {
        let entry = self.pairs.vacant_entry();
        // A descriptor limit keeps the slots far below `u32::MAX`.
        let slot = u32::try_from(entry.key()).unwrap_or(u32::MAX);
        let Arrival { conn, fd, accepted_us, settings, ticket, opened } = arrival;
        if opened.is_none() {
            let took_us = clock::now_us().saturating_sub(accepted_us);
            self.context.shared.record.latencies.accept.took(took_us);
        }
        conn.set_slot(slot);
        let token = Token { slot, side: conn.origin().mode.side(), serial: 0 };
        let watched = self.context.poll.watch(&fd, token.number());
        let pair = entry.insert(Box::new(Pair::new(Arc::clone(&conn), settings, fd)));
        pair.ticket = ticket;
        self.sweep.include(pair, self.context.now_ms);
        self.parking.include(pair, self.context.now_ms);
        let (uid, entered) = match opened {
            Some(opened) => {
                let Opened { speaker, uid, entered } = *opened;
                pair.speaker = Some(Box::new(speaker));
                (uid, Some(entered))
            }
            None => (None, None),
        };
        let mut is_let_in = false;
        self.with(slot, |pair, slot, context| {
            is_let_in = refuse::enter(pair, uid, context);
            if !is_let_in {
                refuse::end(pair, context);
                // Nothing of it is read.
                return ending::settle(pair, slot, context);
            }
            context.tell(EventKind::Opened, &pair.conn, More::default());
            if let Err(error) = watched {
                tracing::error!(%error, "a socket cannot be watched");
                let cause = Cause { reason: Reason::Resource, initiator: Initiator::Agent, side: None };
                ending::begin(pair, cause, ending::BOTH_RESET, 0, context);
            } else {
                dial::welcome(pair, slot, context);
            }
            drive(pair, slot, context);
        });
        if let Some(entered) = entered {
            // Whoever opened it may have gone.
            let _ = entered.send(is_let_in);
        }
    }

    fn on_deadline(&mut self, slot: u32) {
        self.with(slot, |pair, slot, context| {
            pair.deadline = 0;
            pair.legs.iter_mut().for_each(|leg| leg.has_news = true);
            if pair.is_queued {
                // Its turn comes, and sets another.
                return;
            }
            dial::late(pair, slot, context);
            drive(pair, slot, context);
        });
    }

    /// Ends the connections whose time is up, if it is time to look; gives them, and why each ends.
    fn sweep(&mut self) -> Vec<(Arc<Conn>, Reason)> {
        let mut ended = Vec::new();
        for (slot, reason) in self.sweep.due(&mut self.pairs, &self.context) {
            self.with(slot, |pair, slot, context| {
                ended.push((Arc::clone(&pair.conn), reason));
                sweep::end(pair, reason, context);
                drive(pair, slot, context);
            });
        }
        ended
    }

    /// Ends the connections whose peers let more wait than may wait now. As long as that does not change, each
    /// is judged when something is written to it.
    fn end_slow_readers(&mut self) -> Vec<(Arc<Conn>, Reason)> {
        let slow = self.pairs.iter().filter(|(_, pair)| !pair.is_over && pending::slow_side(pair).is_some());
        let slots: Vec<_> = slow.map(|(slot, _)| u32::try_from(slot).unwrap_or(u32::MAX)).collect();
        let mut ended = Vec::new();
        for slot in slots {
            self.with(slot, |pair, slot, context| {
                ended.push((Arc::clone(&pair.conn), Reason::MaxPending));
                pending::enforce(pair, context);
                drive(pair, slot, context);
            });
        }
        ended
    }

    fn run_commands(&mut self) {
        for _ in 0..COMMANDS_A_TURN {
            let Some(batch) = self.commands.front_mut() else {
                return;
            };
            let Some((slot, id)) = batch.targets.next() else {
                self.commands.pop_front();
                continue;
            };
            let (order, replies) = (batch.command.clone(), batch.replies.clone());
            let is_one_of_many = batch.is_for_many;
            if self.find(slot, id).is_none() {
                // Whoever asked may have gone.
                let _ = replies.try_send((id, Outcome::gone()));
                continue;
            }
            let mut is_put_off = false;
            self.with(slot, |pair, slot, context| {
                command::apply(pair, order, replies, context);
                is_put_off = is_one_of_many && pair.is_ending() && pair.has_both() && pair.put_off();
                context.clients_first = is_put_off;
                drive(pair, slot, context);
            });
            self.context.clients_first = false;
            if is_put_off {
                self.later.add((slot, id), self.context.now_ms);
            }
        }
    }

    /// A share of the connections that had to wait for the commands.
    fn see_to_endings(&mut self) {
        if !self.later.is_time(!self.commands.is_empty()) {
            return;
        }
        for _ in 0..COMMANDS_A_TURN {
            let Some((target, since_ms)) = self.later.next() else {
                return;
            };
            let waited_ms = self.context.now_ms.saturating_sub(since_ms);
            self.with_target(target, |pair, slot, context| {
                ending::prolong(pair, waited_ms);
                pair.is_queued = false;
                drive(pair, slot, context);
            });
        }
    }

    fn take_turn(&mut self, slot: u32) {
        self.with(slot, |pair, slot, context| {
            pair.is_queued = false;
            drive(pair, slot, context);
        });
    }

    fn find(&self, slot: u32, id: ConnId) -> Option<&Pair> {
        self.pairs.get(slot as usize).map(|pair| &**pair).filter(|pair| pair.conn.id() == id && !pair.is_over)
    }

    /// The same as [`Self::with`], unless the connection has ended and the slot is another's or nobody's.
    fn with_target(&mut self, (slot, id): Target, step: impl FnOnce(&mut Pair, u32, &mut Context)) {
        if self.find(slot, id).is_some() {
            self.with(slot, step);
        }
    }

    /// Runs one step of one connection. A panic ends that connection and no other.
    fn with(&mut self, slot: u32, step: impl FnOnce(&mut Pair, u32, &mut Context)) {
        let Some(pair) = self.pairs.get_mut(slot as usize) else {
            return;
        };
        if pair.is_over {
            return;
        }
        let context = &mut self.context;
        if catch_unwind(AssertUnwindSafe(|| step(pair, slot, context))).is_err() {
            tracing::error!(conn_id = pair.conn.id().get(), "a defect ended a connection");
            ending::abandon(pair, slot, context);
        }
    }

    /// Frees the slots of what is over. Not before all events at hand are seen: one of them may still name
    /// the slot.
    fn bury(&mut self) {
        for slot in self.context.over.drain(..) {
            self.pairs.remove(slot as usize);
        }
    }
}
