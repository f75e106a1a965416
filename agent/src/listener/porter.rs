//! Accepting, for all listeners in one place.

mod admit;

use std::collections::VecDeque;
use std::os::fd::{AsFd, BorrowedFd};
use std::sync::Arc;
use std::sync::atomic::Ordering;

use connctl_api::end::Reason;
use connctl_api::listener::{GateReport, ListenerRow, RejectMode, UpstreamRow};
use rustix::io::Errno;
use tokio::sync::oneshot;

use self::admit::{Newcomer, RETRY_MS, Waiting};
use super::gate::Gates;
use super::{Change, GateOrder, Inside, Message, Opened, Ordered};
use crate::base::clock;
use crate::base::inbox::Inbox;
use crate::config::ListenerSettings;
use crate::net::close;
use crate::net::listen::{Door, is_of_peer};
use crate::net::poll::{Poll, Ready};
use crate::policy::admission::Ticket;
use crate::registry::Conn;
use crate::registry::conn::{Birth, Origin};
use crate::relay::{Arrival, Guest, descriptors};

/// Connections accepted from one listener before the others have their turn.
const ACCEPTS_A_TURN: usize = 64;
/// How long accepting rests where descriptors have run out, in milliseconds.
const REST_MS: u64 = 50;
/// The token of the inbox; listeners have their index.
const WAKE: u64 = u64::MAX;

/// The one place that accepts.
#[derive(Debug)]
pub(super) struct Porter {
    poll: Poll,
    inbox: Inbox<Message>,
    entrances: Vec<Entrance>,
    gates: Gates,
    inside: Inside,
    /// When accepting goes on after descriptors had run out; 0 is now.
    resting_until: u64,
    events: Vec<Ready>,
    /// Newcomers for whom others make room.
    waiting: VecDeque<Waiting>,
    /// When they are looked after again.
    retry_at_ms: u64,
}

/// One listener.
#[derive(Debug)]
struct Entrance {
    /// None where the listener is gone; its index is not used again.
    door: Option<Door>,
    settings: Arc<ListenerSettings>,
    origin: Arc<Origin>,
    accepted: u64,
    rejected: u64,
    /// The socket listens: it is not refusing.
    is_listening: bool,
    /// The poll reports it.
    is_watched: bool,
}

impl Porter {
    pub(super) fn new(doors: Vec<Opened>, inbox: Inbox<Message>, inside: Inside) -> std::io::Result<Self> {
        let poll = Poll::new()?;
        poll.watch_input(&inbox, WAKE)?;
        let entrances: Vec<_> = doors.into_iter().map(Entrance::new).collect();
        let gates = Gates::new(entrances.len());
        let (waiting, events) = (VecDeque::new(), Vec::new());
        let (resting_until, retry_at_ms) = (0, 0);
        let mut porter =
            Self { poll, inbox, entrances, gates, inside, resting_until, waiting, retry_at_ms, events };
        porter.arrange();
        Ok(porter)
    }

    fn read_inbox(&mut self) {
        let mut messages = Vec::new();
        self.inbox.take(&mut messages);
        for message in messages {
            self.on_message(message);
        }
    }

    fn on_message(&mut self, message: Message) {
        match message {
            Message::Order { indexes, order, ran_out, reply } => {
                // Whoever asked may have gone; the order is carried out all the same.
                let _ = reply.send(self.order(&indexes, order, ran_out));
            }
            Message::Change { change, reply } => {
                self.change(change);
                // The order of the changes is that of the messages, whether anyone waits for one or not.
                let _ = reply.send(());
            }
            Message::Rows { reply } => {
                let _ = reply.send((0..self.entrances.len()).filter_map(|index| self.row(index)).collect());
            }
        }
    }

    fn order(
        &mut self,
        indexes: &[usize],
        order: GateOrder,
        ran_out: Option<oneshot::Sender<()>>,
    ) -> Vec<Ordered> {
        let before: Vec<_> = indexes.iter().map(|index| self.gates.get(*index)).collect();
        let changed = self.gates.order(indexes, order, ran_out);
        self.log(indexes, order, &changed);
        let mut failed = self.arrange();
        let mut ordered = Vec::with_capacity(indexes.len());
        for ((index, before), changed) in indexes.iter().zip(before).zip(changed) {
            let place = failed.iter().position(|(of, _)| of == index);
            let error = place.map(|place| failed.swap_remove(place).1);
            if error.is_some() && !before.accepting {
                self.gates.put_back(*index, before);
            }
            ordered.push(Ordered { report: self.report(*index, changed && error.is_none()), error });
        }
        ordered
    }

    /// Puts a change in force between two accepts: no place is being taken meanwhile.
    fn change(&mut self, change: Change) {
        let Change { most, policies, settings, came, gone } = change;
        let limits = policies.iter().map(|(index, policies)| (*index, policies.limits));
        self.inside.admission.set_limits(most, limits);
        for opened in came {
            self.entrances.push(Entrance::new(opened));
            self.gates.add();
        }
        for (index, policies) in policies {
            self.entrances[index].origin.set_policies(policies);
        }
        for (index, settings) in settings {
            let entrance = &mut self.entrances[index];
            entrance.door.iter().for_each(|door| door.dress(&settings));
            if entrance.settings.upstream != settings.upstream {
                entrance.origin.upstreams.replace(settings.upstream.len());
            }
            entrance.settings = settings;
        }
        for index in gone {
            // Closing the socket ends the watch, too.
            let entrance = &mut self.entrances[index];
            (entrance.door, entrance.is_watched) = (None, false);
            self.gates.order(&[index], GateOrder::Reject { after: 0, mode: RejectMode::Refuse }, None);
        }
        self.arrange();
    }

    fn log(&self, indexes: &[usize], order: GateOrder, changed: &[bool]) {
        for (index, changed) in indexes.iter().zip(changed) {
            let listener = &*self.entrances[*index].origin.name;
            tracing::info!(listener, ?order, changed, "listener order");
        }
    }

    /// Makes the sockets do what the gates say. Gives those that do not, by their index.
    fn arrange(&mut self) -> Vec<(usize, std::io::Error)> {
        let mut failed = Vec::new();
        for index in 0..self.entrances.len() {
            let gate = self.gates.get(index);
            let entrance = &mut self.entrances[index];
            let refuses = !gate.accepting && gate.mode == RejectMode::Refuse;
            let stalls = (!gate.accepting && gate.mode == RejectMode::Stall) || self.resting_until != 0;
            if let Err(error) = entrance.arrange(&self.poll, index as u64, refuses, stalls) {
                let listener = &*entrance.origin.name;
                tracing::error!(%error, listener, "a listener cannot change");
                failed.push((index, error));
            }
        }
        failed
    }

    fn accept_some(&mut self, index: usize) {
        for _ in 0..ACCEPTS_A_TURN {
            let gate = self.gates.get(index);
            let entrance = &self.entrances[index];
            let Some(door) = entrance.door.as_ref().filter(|_| entrance.is_watched) else {
                return;
            };
            let count = usize::from(descriptors(entrance.settings.mode));
            if !self.inside.descriptors.take(count) {
                return self.rest();
            }
            match door.accept() {
                Ok((fd, _)) if !gate.accepting => {
                    self.inside.descriptors.give(count);
                    self.entrances[index].rejected += 1;
                    close::reset(fd);
                }
                Ok((fd, peer)) => {
                    self.receive(Newcomer { index, fd, peer, count, accepted_us: clock::now_us() });
                }
                Err(error) => {
                    self.inside.descriptors.give(count);
                    match error {
                        Errno::AGAIN => return,
                        error if is_of_peer(error) => {}
                        error => {
                            let listener = &*self.entrances[index].origin.name;
                            tracing::warn!(%error, listener, "accepting rests");
                            return self.rest();
                        }
                    }
                }
            }
        }
    }

    /// Accepts nothing for a moment: clients wait in the kernel's queue until something is free.
    fn rest(&mut self) {
        self.resting_until = clock::now_ms() + REST_MS;
        self.arrange();
    }

    fn welcome(&mut self, newcomer: Newcomer, ticket: Ticket) {
        let entrance = &mut self.entrances[newcomer.index];
        let Some(local) = entrance.door.as_ref().map(|door| door.local_of(&newcomer.fd)) else {
            return self.turn_away(newcomer, Reason::Limit);
        };
        let Newcomer { index, fd, peer, count, accepted_us } = newcomer;
        let id = match (self.inside.ids.next(), peer) {
            (Ok(id), Some(_)) => id,
            (result, _) => {
                // Without an id that is sure to be new, or without a peer, there is no connection.
                let error = result.err();
                tracing::error!(?error, listener = &*entrance.origin.name, "a connection is turned away");
                entrance.rejected += 1;
                self.inside.descriptors.give(count);
                return close::reset(fd);
            }
        };
        entrance.accepted += 1;
        self.inside.stats.accepted_one();
        entrance.origin.live.fetch_add(1, Ordering::Relaxed);
        let conn = Arc::new(Conn::new(Birth {
            id,
            origin: Arc::clone(&entrance.origin),
            peer: peer.unwrap_or(local),
            local,
            wall_ms: clock::wall_ms(),
            now_ms: clock::now_ms(),
            thread: self.inside.pool.choose(),
        }));
        let settings = Arc::clone(&entrance.settings);
        // The gate first: a client that is served by the last place knows that the next dial is refused.
        let ran_out = self.gates.accepted(index);
        if ran_out.is_some() {
            self.arrange();
        }
        self.inside.pool.adopt(Arrival {
            conn,
            fd,
            accepted_us,
            settings,
            ticket: Some(ticket),
            opened: None,
        });
        // Behind it, so that whoever asks for the connections then finds it.
        if let Some(ran_out) = ran_out {
            ran_out.tell();
        }
    }

    fn report(&self, index: usize, changed: bool) -> GateReport {
        let (gate, entrance) = (self.gates.get(index), &self.entrances[index]);
        GateReport {
            listener: entrance.settings.name.clone(),
            changed,
            accepting: gate.accepting,
            after: self.gates.after(index),
            mode: gate.mode,
            draining: gate.draining,
            connections: entrance.origin.live.load(Ordering::Relaxed) as u64,
        }
    }

    fn row(&self, index: usize) -> Option<ListenerRow> {
        let (gate, entrance) = (self.gates.get(index), &self.entrances[index]);
        let door = entrance.door.as_ref()?;
        let upstream: Vec<_> = entrance.settings.upstream.iter().map(ToString::to_string).collect();
        Some(ListenerRow {
            name: entrance.settings.name.clone(),
            mode: entrance.settings.mode,
            bind: door.address().to_string(),
            upstream: (!upstream.is_empty()).then(|| upstream.join(",")),
            accepting: gate.accepting,
            after: self.gates.after(index),
            reject_mode: gate.mode,
            draining: gate.draining,
            connections: entrance.origin.live.load(Ordering::Relaxed) as u64,
            accepted: entrance.accepted,
            rejected: entrance.rejected,
            upstreams: entrance.upstreams(),
        })
    }
}

impl AsFd for Porter {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.poll.as_fd()
    }
}

impl Guest for Porter {
    fn turn(&mut self) {
        let mut events = std::mem::take(&mut self.events);
        if let Err(error) = self.poll.wait(Some(0), &mut events) {
            tracing::error!(%error, "waiting for connections failed");
        }
        for ready in events.drain(..) {
            match usize::try_from(ready.token) {
                Ok(index) if index < self.entrances.len() => self.accept_some(index),
                _ => self.read_inbox(),
            }
        }
        self.events = events;
        if !self.waiting.is_empty() {
            self.serve_waiting();
            self.retry_at_ms = clock::now_ms() + RETRY_MS;
        }
        if self.resting_until != 0 && self.resting_until <= clock::now_ms() {
            self.resting_until = 0;
            self.arrange();
        }
    }

    fn wait_ms(&self) -> Option<u64> {
        let rest = (self.resting_until != 0).then(|| self.resting_until.saturating_sub(clock::now_ms()));
        // A newcomer that waits wants a turn soon; the turn asks the clock no closer than that.
        let retry = (!self.waiting.is_empty()).then(|| self.retry_at_ms.saturating_sub(clock::now_ms()));
        [rest, retry].into_iter().flatten().min()
    }
}

impl Entrance {
    fn upstreams(&self) -> Vec<UpstreamRow> {
        let shown = self.origin.upstreams.shown(clock::now_ms());
        let rows = self.settings.upstream.iter().zip(shown).map(|(upstream, shown)| UpstreamRow {
            upstream: upstream.to_string(),
            state: shown.state,
            last_error: shown.last_error,
            since: shown.since,
            retry_in_ms: shown.retry_in_ms,
        });
        rows.collect()
    }

    fn new(Opened { settings, door, origin }: Opened) -> Self {
        let (accepted, rejected, door) = (0, 0, Some(door));
        Self { door, settings, origin, accepted, rejected, is_listening: true, is_watched: false }
    }

    /// Begins or ends to listen and to be watched. A socket that refuses is not watched: the kernel would
    /// report it as hung up all the time.
    fn arrange(&mut self, poll: &Poll, token: u64, refuses: bool, stalls: bool) -> std::io::Result<()> {
        let Some(door) = &self.door else {
            return Ok(());
        };
        let watch = !refuses && !stalls;
        if self.is_watched && !watch {
            poll.unwatch(door)?;
            self.is_watched = false;
        }
        if self.is_listening && refuses {
            door.refuse()?;
            self.is_listening = false;
        }
        if !self.is_listening && !refuses {
            door.listen()?;
            self.is_listening = true;
        }
        if !self.is_watched && watch {
            poll.watch_input(door, token)?;
            self.is_watched = true;
        }
        Ok(())
    }
}
