//! What is posted to the owner of a connection, and what comes back.

use std::sync::Arc;

use connctl_api::conn::Sides;
use connctl_api::end::{Cause, Wire};
use connctl_api::id::ConnId;
use connctl_api::operation::{ItemStatus, OperationKind, SideChoice};
use tokio::sync::mpsc;

use crate::record::asked::Asked;

/// A connection by its place and its id; the place alone could be somebody else's by now.
pub type Target = (u32, ConnId);

/// What to do to connections.
#[derive(Debug, Clone)]
pub struct Command {
    /// What.
    pub kind: OperationKind,
    /// On which side.
    pub side: SideChoice,
    /// Why, if it ends the connection.
    pub cause: Cause,
    /// Milliseconds to flush before it is forced.
    pub grace_ms: u64,
    /// Who asked for what, if somebody did.
    pub asked: Option<Arc<Asked>>,
}

/// How a command came out for one connection.
#[derive(Debug, Clone)]
pub struct Outcome {
    /// How.
    pub status: ItemStatus,
    /// What the wire saw.
    pub wire: Option<Wire>,
    /// Why it is not `done`.
    pub error: Option<&'static str>,
}

impl Outcome {
    /// The connection had ended before its turn came.
    pub fn gone() -> Self {
        let already = connctl_api::end::SideWire { already_closed: true, ..Default::default() };
        let wire = Wire { all: already, client: None, upstream: None };
        Self { status: ItemStatus::Skipped, wire: Some(wire), error: Some("ended before its turn came") }
    }
}

/// Where outcomes go. Its capacity is the number of targets, so sending never waits.
pub type Replies = mpsc::Sender<(ConnId, Outcome)>;
/// Where facts go; capacity as [`Replies`].
pub type Facts = mpsc::Sender<(ConnId, Sides)>;
