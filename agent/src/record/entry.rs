//! What is written down of one event, and of one ending: compact bytes, and a view that reads them.

use std::collections::BTreeMap;
use std::net::SocketAddr;

use connctl_api::conn::{Mode, Side};
use connctl_api::end::{Cause, Initiator, Reason, SideWire, Wire};
use connctl_api::event::EventKind;

use super::bytes::{Get, Put, by_code, code};

/// The connection is told of.
const HAS_CONN: u8 = 1;
/// Its ending is told of.
const HAS_END: u8 = 2;
/// The wire of the client's side is told of.
const HAS_CLIENT_WIRE: u8 = 4;
/// The wire of the upstream's side is told of.
const HAS_UPSTREAM_WIRE: u8 = 8;

/// What the wire of one side takes.
const WIRE_BYTES: usize = 17;

/// A connection at one moment.
#[derive(Debug, Clone, Copy)]
pub struct Facts<'a> {
    /// Its id.
    pub conn_id: u64,
    /// Whose it is.
    pub uid: Option<&'a str>,
    /// From which kind of device.
    pub device: Option<&'a str>,
    /// Free labels.
    pub tags: Option<&'a BTreeMap<String, String>>,
    /// What its listener does with it.
    pub mode: Mode,
    /// The client's address.
    pub client: Option<SocketAddr>,
    /// The agent's own.
    pub local: SocketAddr,
    /// The upstream's.
    pub upstream: Option<SocketAddr>,
    /// Milliseconds since 1970 when it was accepted.
    pub opened_wall_ms: i64,
    /// Milliseconds since then.
    pub age_ms: u64,
    /// Milliseconds since its last byte.
    pub idle_ms: u64,
    /// Bytes relayed from the client.
    pub to_upstream_bytes: u64,
    /// Bytes relayed to the client.
    pub to_client_bytes: u64,
    /// The thread that owns it.
    pub thread: u16,
}

/// How a connection ended.
#[derive(Debug, Clone, Copy)]
pub struct End {
    /// Why.
    pub cause: Cause,
    /// What the wire saw, as far as anyone looked.
    pub wire: Wire,
}

/// What happened.
#[derive(Debug, Clone, Copy)]
pub struct Happening<'a> {
    /// What.
    pub kind: EventKind,
    /// Milliseconds since 1970.
    pub wall_ms: i64,
    /// To which connection.
    pub conn: Option<Facts<'a>>,
    /// How that ended.
    pub end: Option<End>,
    /// On which listener.
    pub listener: Option<&'a str>,
    /// On which side.
    pub side: Option<Side>,
    /// Who asked for it.
    pub by: Option<&'a str>,
    /// What else there is to say.
    pub text: Option<&'a str>,
}

impl<'a> Happening<'a> {
    /// Something that happened at this time, and nothing more.
    pub const fn new(kind: EventKind, wall_ms: i64) -> Self {
        Self { kind, wall_ms, conn: None, end: None, listener: None, side: None, by: None, text: None }
    }

    /// Appends it as bytes.
    pub(super) fn encode(&self, out: &mut Vec<u8>) {
        let wire = self.end.map(|end| end.wire).unwrap_or_default();
        let flag = |is_there: bool, flag: u8| if is_there { flag } else { 0 };
        let mut put = Put(out);
        put.u16(code(self.kind.word()));
        put.u8(flag(self.conn.is_some(), HAS_CONN)
            | flag(self.end.is_some(), HAS_END)
            | flag(wire.client.is_some(), HAS_CLIENT_WIRE)
            | flag(wire.upstream.is_some(), HAS_UPSTREAM_WIRE));
        put.i64(self.wall_ms);
        let side = self.end.map_or(self.side, |end| end.cause.side);
        put.u8(side.map_or(0, |side| side as u8 + 1));
        if let Some(conn) = &self.conn {
            for number in
                [conn.conn_id, conn.age_ms, conn.idle_ms, conn.to_upstream_bytes, conn.to_client_bytes]
            {
                put.u64(number);
            }
            put.i64(conn.opened_wall_ms);
            put.u16(conn.thread);
            put.u16(code(conn.mode.word()));
        }
        if let Some(end) = &self.end {
            put.u16(code(end.cause.reason.word()));
            put.u16(code(end.cause.initiator.word()));
        }
        for side in [wire.client, wire.upstream].into_iter().flatten() {
            wire_bytes(&mut put, &side);
        }
        put.text(self.listener);
        if let Some(conn) = &self.conn {
            put.text(conn.uid);
            put.text(conn.device);
            for address in [conn.client, Some(conn.local), conn.upstream] {
                put.address(address);
            }
            put.u8(conn.tags.map_or(0, |tags| u8::try_from(tags.len()).unwrap_or(u8::MAX)));
            for (key, value) in conn.tags.into_iter().flatten().take(usize::from(u8::MAX)) {
                put.text(Some(key));
                put.text(Some(value));
            }
        }
        if self.conn.is_none() || self.text.is_some() {
            put.text(self.by);
            put.text(self.text);
        }
    }
}

fn wire_bytes(put: &mut Put<'_>, wire: &SideWire) {
    let flags = [wire.fin_sent, wire.fin_acked, wire.rst_sent, wire.already_closed, wire.forced];
    put.u8(flags.iter().enumerate().fold(0, |all, (place, set)| all | u8::from(*set) << place));
    put.u64(wire.sent_bytes);
    put.u64(wire.dropped_bytes);
}

fn wire_of(bytes: &[u8; WIRE_BYTES]) -> Option<SideWire> {
    let mut get = Get(bytes);
    let flags = get.u8()?;
    let set = |place: u8| flags & 1 << place != 0;
    Some(SideWire {
        fin_sent: set(0),
        fin_acked: set(1),
        rst_sent: set(2),
        already_closed: set(3),
        forced: set(4),
        sent_bytes: get.u64()?,
        dropped_bytes: get.u64()?,
    })
}

/// What was written down of one event. Nothing is copied out of its bytes.
#[derive(Debug, Clone, Copy)]
pub struct Entry<'a> {
    /// Its place among all.
    pub seq: u64,
    /// What happened.
    pub kind: EventKind,
    /// Milliseconds since 1970.
    pub wall_ms: i64,
    /// On which side.
    pub side: Option<Side>,
    /// To which connection.
    pub conn: Option<ConnPart<'a>>,
    /// Why it ended, and who began that.
    pub end: Option<(Reason, Initiator)>,
    /// On which listener.
    pub listener: Option<&'a str>,
    /// Who asked for it.
    pub by: Option<&'a str>,
    /// What else there is to say.
    pub text: Option<&'a str>,
    /// What was asked.
    pub request: Option<&'a str>,
    /// What the operator noted.
    pub note: Option<&'a str>,
    /// Of the client's and of the upstream's side.
    pub(crate) wires: [Option<&'a [u8; WIRE_BYTES]>; 2],
}

/// What an entry says of its connection.
#[derive(Debug, Clone, Copy)]
pub struct ConnPart<'a> {
    /// Its id.
    pub conn_id: u64,
    /// Milliseconds since it was accepted.
    pub age_ms: u64,
    /// Milliseconds since its last byte.
    pub idle_ms: u64,
    /// Bytes relayed from the client.
    pub to_upstream_bytes: u64,
    /// Bytes relayed to the client.
    pub to_client_bytes: u64,
    /// Milliseconds since 1970 when it was accepted.
    pub opened_wall_ms: i64,
    /// The thread that owned it.
    pub thread: u16,
    /// What its listener did with it.
    pub mode: Mode,
    /// Whose it was.
    pub uid: Option<&'a str>,
    /// From which kind of device.
    pub device: Option<&'a str>,
    /// The client's address.
    pub client: Option<SocketAddr>,
    /// The agent's own.
    pub local: Option<SocketAddr>,
    /// The upstream's.
    pub upstream: Option<SocketAddr>,
    tags: Get<'a>,
    tag_count: u8,
}

impl<'a> ConnPart<'a> {
    /// Its labels, in the order of their keys.
    pub fn tags(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let mut get = self.tags;
        (0..self.tag_count).map_while(move |_| Some((get.text()??, get.text()??)))
    }
}

impl<'a> Entry<'a> {
    /// Reads one. Nothing where the bytes are none, or of a later agent.
    #[inline]
    pub(super) fn read(seq: u64, bytes: &'a [u8]) -> Option<Self> {
        let mut get = Get(bytes);
        let kind = by_code::<EventKind>(get.u16()?)?;
        let flags = get.u8()?;
        let has = |flag: u8| flags & flag != 0;
        let wall_ms = get.i64()?;
        let side = match get.u8()? {
            0 => None,
            number => Side::ALL.get(usize::from(number) - 1).copied(),
        };
        let numbers = if has(HAS_CONN) { Some(Numbers::read(&mut get)?) } else { None };
        let end = if has(HAS_END) {
            let reason = by_code::<Reason>(get.u16()?)?;
            Some((reason, by_code::<Initiator>(get.u16()?)?))
        } else {
            None
        };
        let client = if has(HAS_CLIENT_WIRE) { Some(get.chunk()?) } else { None };
        let upstream = if has(HAS_UPSTREAM_WIRE) { Some(get.chunk()?) } else { None };
        let listener = get.text()?;
        let conn = match numbers {
            Some(numbers) => Some(numbers.with_texts(&mut get)?),
            None => None,
        };
        let (by, text) = if get.0.is_empty() { (None, None) } else { (get.text()?, get.text()?) };
        Some(Self {
            seq,
            kind,
            wall_ms,
            side,
            conn,
            end,
            listener,
            by,
            text,
            request: None,
            note: None,
            wires: [client, upstream],
        })
    }

    /// What the wire saw of its end. Most who look at an entry do not ask.
    pub fn wire(&self) -> Option<Wire> {
        let [client, upstream] = self.wires.map(|bytes| bytes.and_then(wire_of));
        (client.is_some() || upstream.is_some()).then(|| Wire::of(client, upstream))
    }
}

/// The first half of a connection's part, which has one length.
struct Numbers {
    numbers: [u64; 5],
    opened_wall_ms: i64,
    thread: u16,
    mode: Mode,
}

impl Numbers {
    fn read(get: &mut Get<'_>) -> Option<Self> {
        let numbers = [get.u64()?, get.u64()?, get.u64()?, get.u64()?, get.u64()?];
        let (opened_wall_ms, thread) = (get.i64()?, get.u16()?);
        Some(Self { numbers, opened_wall_ms, thread, mode: by_code::<Mode>(get.u16()?)? })
    }

    fn with_texts<'a>(self, get: &mut Get<'a>) -> Option<ConnPart<'a>> {
        let [conn_id, age_ms, idle_ms, to_upstream_bytes, to_client_bytes] = self.numbers;
        let (uid, device) = (get.text()?, get.text()?);
        let (client, local, upstream) = (get.address()?, get.address()?, get.address()?);
        let tag_count = get.u8()?;
        let tags = *get;
        for _ in 0..tag_count {
            get.text()?;
            get.text()?;
        }
        Some(ConnPart {
            conn_id,
            age_ms,
            idle_ms,
            to_upstream_bytes,
            to_client_bytes,
            opened_wall_ms: self.opened_wall_ms,
            thread: self.thread,
            mode: self.mode,
            uid,
            device,
            client,
            local,
            upstream,
            tags,
            tag_count,
        })
    }
}
