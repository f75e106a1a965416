//! Newcomers and the limits: in, away, or waiting until another has made room.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;

use connctl_api::end::{Initiator, Reason};
use connctl_api::id::ConnId;
use connctl_api::instant::Instant;
use tokio::sync::mpsc;

use super::Porter;
use crate::base::clock;
use crate::config::OnOver;
use crate::net::close;
use crate::policy::admission::{Over, Ticket};
use crate::policy::evict;
use crate::registry::Conn;

/// How often newcomers that wait for a place are looked after, in milliseconds. None waits for long: an
/// ending has a grace.
pub(super) const RETRY_MS: u64 = 2;

/// An accepted socket without a record.
#[derive(Debug)]
pub(super) struct Newcomer {
    pub(super) index: usize,
    pub(super) fd: OwnedFd,
    pub(super) peer: Option<SocketAddr>,
    /// Descriptors that were taken for it.
    pub(super) count: usize,
    /// When it was accepted.
    pub(super) accepted_us: u64,
}

/// A newcomer that waits for a place.
#[derive(Debug)]
pub(super) struct Waiting {
    newcomer: Newcomer,
    /// The limit that it waits for.
    over: Over,
    /// Who makes room for it.
    victim: Option<Arc<Conn>>,
}

impl Porter {
    /// Lets a newcomer in, has it wait, or turns it away.
    pub(super) fn receive(&mut self, newcomer: Newcomer) {
        if self.is_revoked(&newcomer) {
            return self.turn_away(newcomer, Reason::Revoked);
        }
        let over = match self.admit(&newcomer) {
            Ok(ticket) => return self.welcome(newcomer, ticket),
            Err(over) => over,
        };
        if over == Over::Rate || self.rule(newcomer.index) == OnOver::Reject {
            return self.turn_away(newcomer, Reason::Limit);
        }
        let mut victim = None;
        let mates = || self.waiting.iter().enumerate().filter(|(_, other)| other.over == over);
        if mates().count() >= self.inside.admission.most(over) {
            // As many wait as there are places, so one of them would make room for this one in any case.
            let loser = match self.rule(newcomer.index) {
                OnOver::EvictNewest => mates().next_back(),
                OnOver::Reject | OnOver::EvictOldest | OnOver::EvictOldestActivity => mates().next(),
            };
            if let Some(loser) = loser.map(|(at, _)| at).and_then(|at| self.waiting.remove(at)) {
                victim = loser.victim;
                self.turn_away(loser.newcomer, Reason::Evicted);
            }
        }
        self.waiting.push_back(Waiting { newcomer, over, victim });
    }

    /// Lets in who has a place now, and makes room for the others. Who got the place that another one's
    /// victim left hands its own victim on: as many go as come, and no more.
    pub(super) fn serve_waiting(&mut self) {
        let victims = || self.waiting.iter().filter_map(|waiting| waiting.victim.as_ref());
        let mut taken: HashSet<_> = victims().map(|victim| victim.id()).collect();
        // Those whose places could be had in this round. Whoever gives one back from now on is still to make
        // room in the next, and so is who has left the registry and keeps its place for a moment.
        let gone: HashSet<_> =
            victims().filter(|victim| victim.has_given_place()).map(|victim| victim.id()).collect();
        let (mut left, mut spare) = (Vec::new(), Vec::new());
        for waiting in std::mem::take(&mut self.waiting) {
            let Waiting { newcomer, over, victim } = waiting;
            if !self.gates.get(newcomer.index).accepting {
                self.turn_away(newcomer, Reason::Limit);
            } else {
                match self.admit(&newcomer) {
                    Ok(ticket) => self.welcome(newcomer, ticket),
                    Err(Over::Rate) => self.turn_away(newcomer, Reason::Limit),
                    Err(now) => {
                        left.push((Waiting { newcomer, over: now, victim }, over));
                        continue;
                    }
                }
            }
            spare.extend(victim.map(|victim| (over, victim)));
        }
        spare.retain(|(_, victim)| !gone.contains(&victim.id()));
        for (mut waiting, before) in left {
            let is_awaited = waiting.victim.as_ref().is_some_and(|victim| !gone.contains(&victim.id()));
            if waiting.over != before || !is_awaited {
                let inherited = spare.iter().position(|(over, _)| *over == waiting.over);
                waiting.victim = match inherited {
                    Some(at) => Some(spare.swap_remove(at).1),
                    None => self.make_room(waiting.over, waiting.newcomer.index, &taken),
                };
                taken.extend(waiting.victim.as_ref().map(|victim| victim.id()));
            }
            self.waiting.push_back(waiting);
        }
    }

    fn rule(&self, index: usize) -> OnOver {
        self.entrances[index].origin.policies().limits.on_over
    }

    /// A newcomer's address. A proxy's is nobody's: the header tells the client's.
    fn address(&self, newcomer: &Newcomer) -> Option<IpAddr> {
        let proxies = &self.entrances[newcomer.index].settings.accept_proxy_from;
        let ip = newcomer.peer.map(|peer| peer.ip().to_canonical());
        ip.filter(|ip| !proxies.iter().any(|net| net.contains(ip)))
    }

    /// The thread that gets it asks once more: this only saves most of the trouble.
    fn is_revoked(&self, newcomer: &Newcomer) -> bool {
        let held = self.inside.revocations.hold(Instant(clock::wall_ms()));
        self.address(newcomer).is_some_and(|ip| held.refuses_ip(ip).is_some())
    }

    fn admit(&self, newcomer: &Newcomer) -> Result<Ticket, Over> {
        let ip = self.address(newcomer);
        self.inside.admission.admit(newcomer.index, ip, clock::now_ms())
    }

    /// Ends the connection that has to go, and tells which. There may be none to choose from for a moment:
    /// the places are taken, and the records are on their way.
    fn make_room(&self, over: Over, index: usize, taken: &HashSet<ConnId>) -> Option<Arc<Conn>> {
        let mut conns = evict::counted(&self.inside.registry, over);
        conns.retain(|conn| !taken.contains(&conn.id()));
        evict::sort(&mut conns, self.rule(index), clock::now_ms());
        let victim = conns.into_iter().next()?;
        victim.doom();
        // The place itself tells when it is free, so nobody listens for the answer.
        let (replies, _) = mpsc::channel(1);
        let target = vec![(victim.slot(), victim.id())];
        self.inside.pool.operate(victim.thread(), target, evict::command(Reason::Evicted), replies);
        Some(victim)
    }

    pub(super) fn turn_away(&mut self, newcomer: Newcomer, reason: Reason) {
        let entrance = &mut self.entrances[newcomer.index];
        entrance.rejected += 1;
        tracing::info!(
            peer = newcomer.peer.map(tracing::field::display),
            listener = &*entrance.origin.name,
            reason = reason.word(),
            initiator = Initiator::Policy.word(),
            "connection refused"
        );
        self.inside.descriptors.give(newcomer.count);
        close::reset(newcomer.fd);
    }
}
