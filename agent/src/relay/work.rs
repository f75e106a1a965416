//! What is under way on a connection besides relaying: half-closes, the ending, and who waits for them.

use std::sync::Arc;

use connctl_api::conn::Side;
use connctl_api::end::{Cause, SideWire, Wire};
use connctl_api::operation::{OperationKind, SideChoice};

use crate::conn::command::{Outcome, Replies};
use crate::record::asked::Asked;

/// How a socket is ended. The order is that of severity, which only rises.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Method {
    /// Flush, FIN.
    Finish,
    /// Flush, RST: a peer's RST is passed on behind what it had sent.
    FlushReset,
    /// RST now.
    Reset,
}

/// What is under way.
#[derive(Debug, Default)]
pub(super) struct Work {
    /// Why the connection ends, once it does. The first cause wins.
    pub(super) cause: Option<Cause>,
    /// What the last one asked for before that.
    pub(super) asked: Option<Arc<Asked>>,
    /// An operator half-closed it; if it comes to its end by itself, that is why.
    pub(super) halfclosed: bool,
    /// By side.
    pub(super) legs: [LegWork; 2],
    /// When the ending is forced; 0 before there is one.
    pub(super) deadline: u64,
    /// Who waits.
    pub(super) waiters: Vec<Waiter>,
}

/// What is under way on one socket.
#[derive(Debug, Default)]
pub(super) struct LegWork {
    /// How it is ended.
    pub(super) method: Option<Method>,
    /// A half-close was asked for.
    pub(super) halfclose: bool,
    /// What the wire saw since the first operation.
    pub(super) wire: SideWire,
    /// Bytes that were pending for the peer then.
    pub(super) pending: u64,
    /// `pending` was measured.
    pub(super) is_measured: bool,
}

/// Someone who waits for an operation.
#[derive(Debug)]
pub(super) struct Waiter {
    pub(super) kind: OperationKind,
    pub(super) side: SideChoice,
    pub(super) replies: Replies,
    /// When a half-close is answered as not done in time.
    pub(super) until: u64,
}

impl Work {
    pub(super) const fn leg(&mut self, side: Side) -> &mut LegWork {
        &mut self.legs[side as usize]
    }

    /// What the wire saw of each socket that anyone looked at.
    pub(super) fn seen(&self) -> Wire {
        let of = |one: Side| {
            let leg = &self.legs[one as usize];
            (leg.is_measured || leg.wire != SideWire::default()).then_some(leg.wire)
        };
        Wire::of(of(Side::Client), of(Side::Upstream))
    }

    /// What the wire saw on the chosen sides. A side that was never connected is absent.
    pub(super) fn wire(&self, side: SideChoice) -> Wire {
        let of = |one: Side| {
            let leg = &self.legs[one as usize];
            (side.includes(one) && leg.is_measured).then_some(leg.wire)
        };
        Wire::of(of(Side::Client), of(Side::Upstream))
    }
}

impl Waiter {
    /// Answers. Whoever has stopped listening has lost interest, and nothing else.
    pub(super) fn answer(self, conn_id: connctl_api::id::ConnId, outcome: Outcome) {
        let _ = self.replies.try_send((conn_id, outcome));
    }
}
