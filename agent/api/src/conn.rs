//! A connection as a listing and as `show` present it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::id::{ConnId, NodeId};
use crate::instant::Instant;
pub use crate::side::Side;
use crate::words::words;

words!(
    /// What a listener does with a connection, or how the connection came to be.
    Mode {
        /// Relayed to an upstream.
        Forward = "forward",
        /// Sent back to the client.
        Echo = "echo",
        /// Read and discarded.
        Hold = "hold",
        /// Opened by the agent itself: an `upstream` side only.
        Outbound = "outbound",
    }
);

impl Mode {
    /// The side of the socket that a connection begins with.
    pub const fn side(self) -> Side {
        match self {
            Self::Forward | Self::Echo | Self::Hold => Side::Client,
            Self::Outbound => Side::Upstream,
        }
    }
}

words!(
    /// Where a connection is in its life.
    State {
        /// Accepted; the upstream is not connected yet.
        Opening = "opening",
        /// Bytes may flow in both directions.
        Active = "active",
        /// One direction has ended, the other goes on.
        HalfClosed = "half_closed",
        /// An operator stopped the reads of at least one side.
        Paused = "paused",
        /// An ending has begun: what is pending is being flushed.
        Closing = "closing",
    }
);

words!(
    /// Whether a connection is healthy, or why not.
    Health {
        /// Nothing is wrong with it.
        Healthy = "healthy",
        /// One side has ended its direction, and no byte has passed for long.
        Zombie = "zombie",
        /// The client has sent bytes, and none has come back for long.
        Stuck = "stuck",
        /// Bytes wait for a peer that takes or acknowledges none for long.
        Unacked = "unacked",
        /// No byte has passed for long.
        Idle = "idle",
    }
);

/// A row of a listing. Field names and meanings never change; later fields are added.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnRow<'a> {
    /// The connection's id.
    pub conn_id: ConnId,
    /// The agent that holds it.
    pub node_id: NodeId,
    /// Whose connection it is, where known.
    pub uid: Option<Cow<'a, str>>,
    /// From which kind of device, where known.
    pub device: Option<Cow<'a, str>>,
    /// Free labels.
    pub tags: Cow<'a, BTreeMap<String, String>>,
    /// The name of the listener that accepted it; none where the agent opened it.
    pub listener: Option<Cow<'a, str>>,
    /// What the listener does with it.
    pub mode: Mode,
    /// Where it is in its life.
    pub state: State,
    /// The client's address: the one in a PROXY header where one was accepted. None where the agent opened it.
    pub client: Option<std::net::SocketAddr>,
    /// The agent's own address, as the client dialled it or as it dialled itself.
    pub local: Option<std::net::SocketAddr>,
    /// The upstream's address, once it is connected.
    pub upstream: Option<std::net::SocketAddr>,
    /// When it was accepted.
    pub opened_at: Instant,
    /// Milliseconds since it was accepted.
    pub age_ms: u64,
    /// Milliseconds since a byte was last relayed in either direction.
    pub idle_ms: u64,
    /// Bytes relayed from the client.
    pub to_upstream_bytes: u64,
    /// Bytes relayed to the client.
    pub to_client_bytes: u64,
    /// What its queues and timers say about the peers, where that was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub health: Option<Health>,
}

/// One connection in depth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnDetail {
    /// What a listing shows of it.
    #[serde(flatten)]
    pub row: ConnRow<'static>,
    /// The relay thread that owns it.
    pub thread: u32,
    /// The two sockets; `upstream` is absent in `echo` and `hold` and before it is connected.
    pub sides: Sides,
    /// The policy that will end it first if nothing more happens to it; `null` where none will.
    #[serde(default)]
    pub ends_by: Option<crate::end::Reason>,
    /// Milliseconds until then.
    #[serde(default)]
    pub time_remaining_ms: Option<u64>,
}

/// The sockets of a connection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Sides {
    /// The socket the agent accepted.
    pub client: Option<SideDetail>,
    /// The socket the agent opened.
    pub upstream: Option<SideDetail>,
}

/// One socket in depth.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SideDetail {
    /// The agent's address on this socket.
    pub local: Option<std::net::SocketAddr>,
    /// The peer's address on this socket.
    pub peer: Option<std::net::SocketAddr>,
    /// Whether an operator stopped the reads.
    pub paused: bool,
    /// Whether the peer has ended its direction.
    pub read_closed: bool,
    /// Whether the agent has ended its direction.
    pub write_closed: bool,
    /// Bytes that the agent itself holds for this peer.
    pub pending_bytes: u64,
    /// What the kernel knows.
    pub tcp: Option<TcpFacts>,
}

/// The states of the TCP state machine; the kernel's number of each is its place here, from 1
/// (`include/net/tcp_states.h`).
pub const TCP_STATES: &[&str] = &[
    "established",
    "syn_sent",
    "syn_recv",
    "fin_wait1",
    "fin_wait2",
    "time_wait",
    "close",
    "close_wait",
    "last_ack",
    "listen",
    "closing",
    "new_syn_recv",
];
/// The states of congestion control, by the kernel's number (`enum tcp_ca_state`).
pub const CONGESTION_STATES: &[&str] = &["open", "disorder", "cwr", "recovery", "loss"];

/// What the kernel knows of a TCP socket (`TCP_INFO`, `SIOCOUTQ`, `SIOCINQ`).
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TcpFacts {
    /// The state of the TCP state machine: `established`, `fin_wait1`, `close_wait`, …
    pub state: Cow<'static, str>,
    /// The state of congestion control: `open`, `disorder`, `cwr`, `recovery`, `loss`.
    pub congestion: Cow<'static, str>,
    /// Smoothed round-trip time in microseconds.
    pub rtt_us: u64,
    /// Its variance in microseconds.
    pub rtt_var_us: u64,
    /// The retransmission time-out in microseconds.
    pub rto_us: u64,
    /// Segments retransmitted and not acknowledged yet.
    pub retransmits: u64,
    /// Segments retransmitted since the connection began.
    pub total_retransmits: u64,
    /// Bytes written that the peer has not acknowledged.
    pub send_queue_bytes: u64,
    /// Bytes received that the agent has not read.
    pub receive_queue_bytes: u64,
    /// The congestion window in segments.
    pub congestion_window: u64,
    /// The largest segment in bytes.
    pub mss_bytes: u64,
    /// Bytes the peer has acknowledged.
    pub acked_bytes: u64,
    /// Bytes received from the peer.
    pub received_bytes: u64,
    /// Milliseconds since data was last sent.
    pub last_sent_ms: u64,
    /// Milliseconds since data was last received.
    pub last_received_ms: u64,
    /// Milliseconds since an acknowledgement was last received.
    #[serde(default)]
    pub last_acked_ms: u64,
}

/// What can be set on a connection by hand. A field that is absent stays as it is.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AssignRequest {
    /// Whose connection it is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// From which kind of device.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub device: Option<String>,
    /// Labels to add or to change.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub tags: BTreeMap<String, String>,
}

/// The longest uid, device, tag name or tag value in bytes.
pub const MAX_LABEL_BYTES: usize = 256;
/// The most tags a connection can have.
pub const MAX_TAGS: usize = 32;

/// One page of a listing.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct ConnPage {
    /// The rows.
    pub connections: Vec<ConnRow<'static>>,
    /// How many connections match in all.
    pub matched: u64,
    /// Give this as `cursor` to read on; `null` on the last page, and where the order is not by `conn_id`.
    pub next_cursor: Option<String>,
}

/// A count, in all or by the values of a field.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountReport {
    /// How many connections match.
    pub count: u64,
    /// The counts by value, largest first, where a field was named.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<Vec<CountRow>>,
}

/// One value of a field and how many connections have it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CountRow {
    /// The value as text; `null` where the field is unknown.
    pub value: Option<String>,
    /// How many connections have it.
    pub count: u64,
}

/// The query of `GET /v1/connections`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ListQuery {
    /// A selector; all connections where absent.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// A field to sort by, `-` before it for descending; `conn_id` where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sort: Option<String>,
    /// The most rows to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Where an earlier page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Answer JSON lines, one row each, and no page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// Answer a [`CountReport`] and no rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub count: bool,
    /// With `count`: the field to count by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// Rows tell `health`, for which the kernel is asked about each connection.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub health: bool,
}

/// The rows of a page where no limit is asked, and the most that can be asked for in one page.
pub const PAGE_ROWS: u64 = 1_000;
/// See [`PAGE_ROWS`].
pub const MAX_PAGE_ROWS: u64 = 100_000;
