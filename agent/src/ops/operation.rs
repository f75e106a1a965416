//! What an operator wants done, checked: what is posted for it, and what the history keeps of it.

use std::sync::{Arc, OnceLock};
use std::time::Duration;

use connctl_api::conn::Side;
use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::operation::{DEFAULT_GRACE_MS, ItemRef, MAX_GRACE_MS, OperationKind, SideChoice};

use crate::base::actor;
use crate::conn::command::Command;
use crate::record::asked::Asked;
use crate::registry::Conn;

/// What to do, checked.
#[derive(Debug, Clone)]
pub struct Operation {
    /// What.
    pub kind: OperationKind,
    /// On which side.
    pub side: SideChoice,
    /// Nobody chose the side: a connection without a socket there is meant on its other one.
    pub is_usual_side: bool,
    /// How long to flush before it is forced.
    pub grace: Duration,
    /// Who asks, if that is known.
    pub by: Option<String>,
    /// What was asked, in words, where it is more than the operation alone.
    pub request: Option<String>,
    /// Why, for the log and the history.
    pub note: Option<String>,
    /// All that as the history keeps it, made once.
    pub asked: OnceLock<Arc<Asked>>,
}

impl Operation {
    /// An operation as an operator means it who says nothing else: the one who asks for what this task does.
    pub fn new(kind: OperationKind) -> Self {
        let grace = Duration::from_millis(DEFAULT_GRACE_MS);
        Self {
            kind,
            side: kind.default_side(),
            is_usual_side: true,
            grace,
            by: actor::name(),
            request: None,
            note: None,
            asked: OnceLock::new(),
        }
    }

    /// The side of this connection that is meant.
    pub(super) fn side_of(&self, conn: &Conn) -> SideChoice {
        match (self.side, conn.origin().mode.side()) {
            (SideChoice::Client, Side::Upstream) if self.is_usual_side => SideChoice::Upstream,
            (side, _) => side,
        }
    }

    /// Milliseconds to flush before it is forced.
    pub fn grace_ms(&self) -> u64 {
        u64::try_from(self.grace.as_millis()).unwrap_or(MAX_GRACE_MS)
    }

    /// What is posted to the owners of connections of which this side is meant.
    pub(super) fn command(&self, side: SideChoice) -> Command {
        let cause = operator_cause(self.kind);
        let asked = Some(Arc::clone(self.asked.get_or_init(|| Arc::new(self.asked()))));
        Command { kind: self.kind, side, cause, grace_ms: self.grace_ms(), asked }
    }

    fn asked(&self) -> Asked {
        let by = self.by.as_deref().unwrap_or(Initiator::Operator.word());
        let request = self.request.as_deref().unwrap_or(self.kind.word());
        Asked::new(by, request, self.note.as_deref())
    }
}

/// A request in words, as the history keeps it: `close where uid = "bob"`.
pub(super) fn words(kind: OperationKind, selector: Option<&str>, items: Option<&[ItemRef]>) -> String {
    match (selector, items) {
        (Some(selector), _) => format!("{kind} where {selector}"),
        (None, Some([one])) => format!("{kind} of connection {}", one.conn_id),
        (None, Some(items)) => format!("{kind} of {} connections by name", items.len()),
        (None, None) => kind.to_string(),
    }
}

/// Why a connection ends that an operator ends.
pub(super) const fn operator_cause(kind: OperationKind) -> Cause {
    let reason = match kind {
        OperationKind::Reset => Reason::OperatorReset,
        OperationKind::Halfclose => Reason::OperatorHalfclose,
        OperationKind::Close | OperationKind::Pause | OperationKind::Resume => Reason::OperatorClose,
    };
    Cause { reason, initiator: Initiator::Operator, side: None }
}
