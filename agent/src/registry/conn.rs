//! The shared face of a connection: what anyone may read of it while its thread owns the sockets.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicU32, AtomicU64, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError, RwLock};

use connctl_api::conn::{Mode, State};
use connctl_api::id::ConnId;

use super::upstreams::Upstreams;
use crate::config::Policies;

/// What all connections of a listener have in common.
#[derive(Debug)]
pub struct Origin {
    /// The listener's name.
    pub name: Box<str>,
    /// What it does with connections.
    pub mode: Mode,
    /// Its place in the configuration, from 0.
    pub index: usize,
    /// Its live connections.
    pub live: AtomicUsize,
    /// How its upstreams are.
    pub upstreams: Upstreams,
    policies: RwLock<Policies>,
    /// Of the policies, what is asked for with every byte.
    max_pending_bytes: AtomicU64,
}

impl Origin {
    /// A listener without connections and without policies.
    pub fn new(name: &str, mode: Mode, index: usize) -> Self {
        Self {
            name: name.into(),
            mode,
            index,
            live: AtomicUsize::new(0),
            upstreams: Upstreams::default(),
            policies: RwLock::default(),
            max_pending_bytes: AtomicU64::new(0),
        }
    }

    /// The same with so many upstreams.
    #[must_use]
    pub fn with_upstreams(self, count: usize) -> Self {
        Self { upstreams: Upstreams::new(count), ..self }
    }

    /// The policies in force, for its live connections as well as for new ones.
    pub fn policies(&self) -> Policies {
        *self.policies.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// The most bytes that may wait for a peer; 0 is no limit.
    pub fn max_pending_bytes(&self) -> u64 {
        self.max_pending_bytes.load(Ordering::Relaxed)
    }

    /// Puts other policies in force. Whoever asks from now on gets them; the relay threads are told.
    pub fn set_policies(&self, policies: Policies) {
        *self.policies.write().unwrap_or_else(PoisonError::into_inner) = policies;
        self.max_pending_bytes.store(policies.max_pending_bytes, Ordering::Relaxed);
    }
}

/// Who a connection belongs to; found by rules or assigned by hand.
#[derive(Debug, Clone, Default)]
pub struct Labels {
    /// Whose it is.
    pub uid: Option<Box<str>>,
    /// From which kind of device.
    pub device: Option<Box<str>>,
    /// Free labels.
    pub tags: Option<Box<BTreeMap<String, String>>>,
    upstream: Option<Box<SocketAddr>>,
    proxied: Option<Box<SocketAddr>>,
}

impl Labels {
    /// The client's address, where it is not the socket's peer.
    fn proxied(&self) -> Option<SocketAddr> {
        self.proxied.as_deref().copied()
    }

    /// The upstream's address, once connected.
    pub fn upstream(&self) -> Option<SocketAddr> {
        self.upstream.as_deref().copied()
    }
}

/// What a client of another system asked for that only the first who asks can have done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Claim {
    /// To be removed after a notice.
    Notice = 1,
    /// To be removed.
    Removal = 2,
}

/// One live connection. The thread that owns the sockets writes the counters; everyone may read them.
#[derive(Debug)]
pub struct Conn {
    id: ConnId,
    origin: Arc<Origin>,
    peer: SocketAddr,
    local: SocketAddr,
    opened_wall_ms: i64,
    opened_ms: u64,
    to_upstream: AtomicU64,
    to_client: AtomicU64,
    /// When bytes last went to the upstream, and to the client.
    to_upstream_at_ms: AtomicU64,
    to_client_at_ms: AtomicU64,
    /// When the client sent the first byte that nothing has come back for; 0 is not.
    unanswered_at_ms: AtomicU64,
    /// When one direction ended; 0 is not yet.
    half_closed_at_ms: AtomicU64,
    slot: AtomicU32,
    thread: u16,
    state: AtomicU8,
    is_doomed: AtomicBool,
    has_given_place: AtomicBool,
    claims: AtomicU8,
    labels: Mutex<Labels>,
}

/// What a new connection is made of.
#[derive(Debug)]
pub struct Birth {
    /// Its id.
    pub id: ConnId,
    /// Its listener.
    pub origin: Arc<Origin>,
    /// The socket's peer.
    pub peer: SocketAddr,
    /// The socket's own address.
    pub local: SocketAddr,
    /// Milliseconds since 1970.
    pub wall_ms: i64,
    /// Milliseconds of [`crate::base::clock::now_ms`].
    pub now_ms: u64,
    /// The relay thread that will own it.
    pub thread: u16,
}

impl Conn {
    /// A connection in state `opening`, in no table yet.
    pub fn new(birth: Birth) -> Self {
        Self {
            id: birth.id,
            origin: birth.origin,
            peer: birth.peer,
            local: birth.local,
            opened_wall_ms: birth.wall_ms,
            opened_ms: birth.now_ms,
            to_upstream: AtomicU64::new(0),
            to_client: AtomicU64::new(0),
            to_upstream_at_ms: AtomicU64::new(birth.now_ms),
            to_client_at_ms: AtomicU64::new(birth.now_ms),
            unanswered_at_ms: AtomicU64::new(0),
            half_closed_at_ms: AtomicU64::new(0),
            slot: AtomicU32::new(u32::MAX),
            thread: birth.thread,
            state: AtomicU8::new(State::Opening as u8),
            is_doomed: AtomicBool::new(false),
            has_given_place: AtomicBool::new(false),
            claims: AtomicU8::new(0),
            labels: Mutex::default(),
        }
    }

    /// Its id.
    pub const fn id(&self) -> ConnId {
        self.id
    }

    /// Its listener.
    pub const fn origin(&self) -> &Arc<Origin> {
        &self.origin
    }

    /// The client's address: the one of a PROXY header, or else the socket's peer. A connection that the
    /// agent opened has no client.
    pub fn client(&self) -> Option<SocketAddr> {
        self.client_of(&self.labels())
    }

    /// The same, for who holds the labels already.
    pub fn client_of(&self, labels: &Labels) -> Option<SocketAddr> {
        (self.origin.mode != Mode::Outbound).then(|| labels.proxied().unwrap_or(self.peer))
    }

    /// The listener that accepted it; none where the agent opened it.
    pub fn listener(&self) -> Option<&str> {
        (self.origin.mode != Mode::Outbound).then_some(&self.origin.name)
    }

    /// The peer of the accepted or opened socket.
    pub const fn peer(&self) -> SocketAddr {
        self.peer
    }

    /// The agent's address, as the client dialled it or as it dialled itself.
    pub const fn local(&self) -> SocketAddr {
        self.local
    }

    /// The upstream's address while it is connected.
    pub fn upstream(&self) -> Option<SocketAddr> {
        self.labels().upstream()
    }

    /// Milliseconds since 1970 when it was accepted.
    pub const fn opened_wall_ms(&self) -> i64 {
        self.opened_wall_ms
    }

    /// Milliseconds since it was accepted.
    pub const fn age_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.opened_ms)
    }

    /// Milliseconds since a byte was relayed in either direction.
    pub fn idle_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.active_at_ms())
    }

    /// When a byte was last relayed in either direction, or else when it was accepted.
    pub fn active_at_ms(&self) -> u64 {
        let (one, other) = (&self.to_upstream_at_ms, &self.to_client_at_ms);
        one.load(Ordering::Relaxed).max(other.load(Ordering::Relaxed))
    }

    /// The same in milliseconds since 1970: one instant until the next byte, whenever it is asked for.
    pub fn active_wall_ms(&self) -> i64 {
        let since_opened = self.active_at_ms().saturating_sub(self.opened_ms);
        self.opened_wall_ms.saturating_add(i64::try_from(since_opened).unwrap_or(i64::MAX))
    }

    /// Milliseconds since a byte was relayed from the client.
    pub fn quiet_to_upstream_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.to_upstream_at_ms.load(Ordering::Relaxed))
    }

    /// Milliseconds since a byte was relayed to the client.
    pub fn quiet_to_client_ms(&self, now_ms: u64) -> u64 {
        now_ms.saturating_sub(self.to_client_at_ms.load(Ordering::Relaxed))
    }

    /// Milliseconds since the first byte of the client that nothing has come back for, if there is one.
    pub fn unanswered_ms(&self, now_ms: u64) -> Option<u64> {
        let at = self.unanswered_at_ms.load(Ordering::Relaxed);
        (at != 0).then(|| now_ms.saturating_sub(at))
    }

    /// Milliseconds since one direction ended, if one has.
    pub fn half_closed_ms(&self, now_ms: u64) -> Option<u64> {
        let at = self.half_closed_at_ms.load(Ordering::Relaxed);
        (at != 0).then(|| now_ms.saturating_sub(at))
    }

    /// Bytes relayed from the client.
    pub fn to_upstream_bytes(&self) -> u64 {
        self.to_upstream.load(Ordering::Relaxed)
    }

    /// Bytes relayed to the client.
    pub fn to_client_bytes(&self) -> u64 {
        self.to_client.load(Ordering::Relaxed)
    }

    /// Where it is in its life.
    pub fn state(&self) -> State {
        let stored = self.state.load(Ordering::Relaxed);
        State::ALL.iter().copied().find(|state| *state as u8 == stored).unwrap_or(State::Closing)
    }

    /// Whether it stays: nobody has begun to end it, nor chosen it to make room.
    pub fn is_staying(&self) -> bool {
        !self.is_doomed.load(Ordering::Relaxed) && self.state() != State::Closing
    }

    /// Chosen to go: no limit counts it any more. Whoever calls this ends it, too.
    pub fn doom(&self) {
        self.is_doomed.store(true, Ordering::Relaxed);
    }

    /// Its place under the limits has been given back, a moment after it left the registry.
    pub fn note_given_place(&self) {
        self.has_given_place.store(true, Ordering::Release);
    }

    /// Whether its place under the limits is free for another.
    pub fn has_given_place(&self) -> bool {
        self.has_given_place.load(Ordering::Acquire)
    }

    /// Asks for it; tells whether nobody had asked for as much or more. A removal is more than a notice of it.
    pub fn claim(&self, claim: Claim) -> bool {
        self.claims.fetch_or(claim as u8, Ordering::Relaxed) < claim as u8
    }

    /// The relay thread that owns it.
    pub const fn thread(&self) -> u16 {
        self.thread
    }

    /// Its place in that thread's table.
    pub fn slot(&self) -> u32 {
        self.slot.load(Ordering::Relaxed)
    }

    /// Makes the processor bring all of it near. Loads that nothing waits for are under way side by side, where a
    /// count of references or a lock on memory that is far away would each wait for its own.
    pub fn fetch(&self) {
        let far_apart = (self.peer.port(), Arc::as_ptr(&self.origin), self.to_upstream_bytes());
        std::hint::black_box((far_apart, self.labels.is_poisoned(), self.slot()));
    }

    /// Who it belongs to. Hold the guard briefly, and never across an await.
    pub fn labels(&self) -> MutexGuard<'_, Labels> {
        self.labels.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Owner only: its place in the table.
    pub fn set_slot(&self, slot: u32) {
        self.slot.store(slot, Ordering::Relaxed);
    }

    /// Owner only: where it is in its life.
    pub fn set_state(&self, state: State) {
        self.state.store(state as u8, Ordering::Relaxed);
    }

    /// Owner only: one direction has ended; tells whether that is news.
    pub fn note_half_closed(&self, now_ms: u64) -> bool {
        let is_news = self.half_closed_at_ms.load(Ordering::Relaxed) == 0;
        if is_news {
            self.half_closed_at_ms.store(now_ms.max(1), Ordering::Relaxed);
        }
        is_news
    }

    /// Owner only: the upstream it is connected to, or none any more.
    pub fn set_upstream(&self, upstream: Option<SocketAddr>) {
        self.labels().upstream = upstream.map(Box::new);
    }

    /// The registry alone calls this, which keeps its index.
    pub(super) fn set_client(&self, client: SocketAddr) {
        self.labels().proxied = Some(Box::new(client));
    }

    /// Owner only: bytes relayed from the client. One writer, so a load and a store are enough.
    pub fn add_to_upstream(&self, bytes: u64, now_ms: u64) {
        self.to_upstream.store(self.to_upstream.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
        self.to_upstream_at_ms.store(now_ms, Ordering::Relaxed);
        if self.unanswered_at_ms.load(Ordering::Relaxed) == 0 {
            self.unanswered_at_ms.store(now_ms.max(1), Ordering::Relaxed);
        }
    }

    /// Owner only: bytes came that nobody gets. They are a sign of life, and count as relayed nowhere.
    pub fn note_dropped(&self, is_to_client: bool, now_ms: u64) {
        let at_ms = if is_to_client { &self.to_client_at_ms } else { &self.to_upstream_at_ms };
        at_ms.store(now_ms, Ordering::Relaxed);
    }

    /// Owner only: bytes relayed to the client.
    pub fn add_to_client(&self, bytes: u64, now_ms: u64) {
        self.to_client.store(self.to_client.load(Ordering::Relaxed) + bytes, Ordering::Relaxed);
        self.to_client_at_ms.store(now_ms, Ordering::Relaxed);
        self.unanswered_at_ms.store(0, Ordering::Relaxed);
    }
}
