//! What can be done to connections, what is asked, and what is answered.

use serde::{Deserialize, Serialize};

use crate::conn::Side;
use crate::end::Wire;
use crate::id::{ConnId, NodeId};
use crate::pace::Pace;
use crate::words::words;

words!(
    /// What can be done to a connection.
    OperationKind {
        /// Flush what is pending, then FIN; cut after the grace.
        Close = "close",
        /// Discard what is pending, RST.
        Reset = "reset",
        /// Flush, FIN one way, and keep reading until the peer closes.
        Halfclose = "halfclose",
        /// Stop reading.
        Pause = "pause",
        /// Read again.
        Resume = "resume",
    }
);

words!(
    /// Which sockets of a connection an operation is about.
    SideChoice {
        /// The client's.
        Client = "client",
        /// The upstream's.
        Upstream = "upstream",
        /// Both.
        Both = "both",
    }
);

impl SideChoice {
    /// Whether the choice takes this side in.
    pub const fn includes(self, side: Side) -> bool {
        matches!(
            (self, side),
            (Self::Both, _) | (Self::Client, Side::Client) | (Self::Upstream, Side::Upstream)
        )
    }
}

impl OperationKind {
    /// The side where none is given.
    pub const fn default_side(self) -> SideChoice {
        match self {
            Self::Halfclose => SideChoice::Client,
            Self::Close | Self::Reset | Self::Pause | Self::Resume => SideChoice::Both,
        }
    }

    /// Whether it ends a connection or a direction of it.
    pub const fn is_ending(self) -> bool {
        matches!(self, Self::Close | Self::Reset | Self::Halfclose)
    }
}

/// How long a `close` may take to flush before it is forced, in milliseconds, where nothing is said.
pub const DEFAULT_GRACE_MS: u64 = 1_000;
/// The longest grace that can be asked for: one hour, in milliseconds.
pub const MAX_GRACE_MS: u64 = 3_600_000;
/// The most items of one batch.
pub const MAX_ITEMS: usize = 1_000_000;
/// The longest note in bytes.
pub const MAX_NOTE_BYTES: usize = 1_024;
/// Bytes of a command as it was typed, at most.
pub const MAX_TYPED_BYTES: usize = 1_024;

/// One connection by name. With a `uid`, the connection must belong to that user.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ItemRef {
    /// The connection.
    pub conn_id: ConnId,
    /// Its owner, as a guard.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Its node; this agent's where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub node_id: Option<NodeId>,
}

/// `POST /v1/operations`: exactly one of `where` and `items` says which connections.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OperationRequest {
    /// What to do.
    pub operation: OperationKind,
    /// On which side; see [`OperationKind::default_side`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub side: Option<SideChoice>,
    /// A selector.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Connections by name.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub items: Option<Vec<ItemRef>>,
    /// Milliseconds to flush before a `close` is forced; [`DEFAULT_GRACE_MS`] where absent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grace_ms: Option<u64>,
    /// Refuse to act on more connections than this. A large set that an expression picked out needs it, or
    /// `max_percent`: see [`UNCONFIRMED`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max: Option<u64>,
    /// Refuse to act on more than this share of the node's connections, in percent.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_percent: Option<f64>,
    /// Why, for the log.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The command as somebody typed it, for the audit, the history and `why`: what is done, the rest says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub typed: Option<String>,
    /// Of the connections that match, only this share, drawn at random, in percent; at least one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sample_percent: Option<f64>,
    /// Those that have been idle the longest come first.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub idle_first: bool,
    /// How it is spread over time; a paced operation is a job.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pace: Option<Pace>,
    /// Answer at once with the [`JobRow`](crate::job::JobRow) of a job that does it.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub detach: bool,
}

impl OperationRequest {
    /// A request without options, about no connection yet.
    pub const fn new(operation: OperationKind) -> Self {
        Self {
            operation,
            side: None,
            selector: None,
            items: None,
            grace_ms: None,
            max: None,
            max_percent: None,
            note: None,
            typed: None,
            sample_percent: None,
            idle_first: false,
            pace: None,
            detach: false,
        }
    }
}

/// A set that an expression picked out and that would be ended may have so many connections without a `max` …
pub const UNCONFIRMED: u64 = 20;
/// … or such a share of the node's, in percent. `all`, and connections named one by one, say what is meant.
pub const UNCONFIRMED_PERCENT: u64 = 30;

/// Whether so many connections are more than anybody should end without having said the number.
pub const fn is_large(connections: u64, node_connections: u64) -> bool {
    let share = connections as u128 * 100;
    connections > UNCONFIRMED && share > node_connections as u128 * UNCONFIRMED_PERCENT as u128
}

words!(
    /// How an item of a bulk operation came out.
    ItemStatus {
        /// It happened, and `wire` tells how.
        Done = "done",
        /// It could not be done; `error` says why.
        Failed = "failed",
        /// The connection ended by itself before its turn came.
        Skipped = "skipped",
        /// It did not happen in time.
        TimedOut = "timed_out",
        /// No such connection.
        NotFound = "not_found",
    }
);

/// One line of a bulk operation's answer.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Item {
    /// The connection.
    pub conn_id: ConnId,
    /// Its node.
    pub node_id: NodeId,
    /// Its user, where known.
    pub uid: Option<String>,
    /// What was asked.
    pub operation: OperationKind,
    /// On which side.
    pub side: SideChoice,
    /// How it came out.
    pub status: ItemStatus,
    /// What the wire saw; absent where nothing was touched.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub wire: Option<Wire>,
    /// Why it is not `done`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
}

/// The last line of a bulk operation's answer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Summary {
    /// Connections that the selector or the list named and that were there.
    pub matched: u64,
    /// Lines before this one.
    pub requested: u64,
    /// Of them, done.
    pub done: u64,
    /// Of them, failed.
    pub failed: u64,
    /// Of them, gone before their turn.
    pub skipped: u64,
    /// Of them, not in time.
    pub timed_out: u64,
    /// Of them, never there.
    #[serde(default)]
    pub not_found: u64,
}

impl Summary {
    /// Counts one more line.
    pub const fn add(&mut self, status: ItemStatus) {
        self.requested += 1;
        match status {
            ItemStatus::Done => self.done += 1,
            ItemStatus::Failed => self.failed += 1,
            ItemStatus::Skipped => self.skipped += 1,
            ItemStatus::TimedOut => self.timed_out += 1,
            ItemStatus::NotFound => self.not_found += 1,
        }
    }
}

/// One line of the answer: an item, or the summary that ends it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum OperationLine {
    /// The last line.
    Summary {
        /// The counts.
        summary: Summary,
    },
    /// Any other line.
    Item(Item),
}
