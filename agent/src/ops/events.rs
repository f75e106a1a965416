//! What happens, as it happens, for whoever asks; and telling what does not happen to a connection.

use std::borrow::Cow;
use std::sync::Arc;

use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::event::{EventKind, EventQuery, EventRow};
use connctl_api::id::ConnId;
use connctl_api::instant::Instant;
use connctl_api::selector::Selector;

use super::past::{self, Past};
use super::{Node, select};
use crate::base::clock;
use crate::record::entry::{Entry, Happening};

/// Something happened that is about no single connection.
pub(super) fn tell(node: &Node, kind: EventKind, listener: Option<&str>, text: &str) {
    let happening = Happening { listener, text: Some(text), ..Happening::new(kind, clock::wall_ms()) };
    node.record.tell(&happening, None);
}

/// Somebody who reads the events.
#[derive(Debug)]
pub struct Reader {
    node: Arc<Node>,
    selector: Selector,
    /// Empty is every kind.
    kinds: Vec<EventKind>,
    /// The place of the next event.
    next: u64,
    /// What came before is of an earlier process.
    is_after_restart: bool,
}

impl Reader {
    /// Begins where the query says.
    ///
    /// # Errors
    /// A selector, kind or place that is wrong.
    pub fn new(node: &Arc<Node>, query: &EventQuery) -> Result<Self, ApiError> {
        let selector = query.selector.as_deref().map_or(Ok(Selector::all()), select::parse)?;
        let kinds = query.kinds.as_deref().map_or(Ok(Vec::new()), kinds)?;
        let (run, end) = (node.started_wall_ms, node.record.events.end());
        let oldest = || node.record.events.blocks(0).first().map_or(end, |block| block.first);
        let (next, is_after_restart) = match query.after.as_deref().map(place).transpose()? {
            None if query.follow => (end, false),
            None | Some(Place::Oldest) => (oldest(), false),
            // Behind the last event is where the next one will be.
            Some(Place::After(own, seq)) if own == run => (seq.saturating_add(1).min(end), false),
            Some(Place::After(..)) => (oldest(), true),
        };
        Ok(Self { node: Arc::clone(node), selector, kinds, next, is_after_restart })
    }

    /// Hands out the next of the events at hand, at most some hundreds; tells whether there may be more.
    pub fn take(&mut self, mut write: impl FnMut(&EventRow<'_>)) -> bool {
        if std::mem::take(&mut self.is_after_restart) {
            write(&self.gap(self.next, None));
            return true;
        }
        let Some(block) = self.node.record.events.blocks(self.next).into_iter().next() else {
            return false;
        };
        let missed = block.first.saturating_sub(self.next);
        if missed > 0 {
            write(&self.gap(block.first, Some(missed)));
        }
        let node_id = self.node.settings.node_id;
        for entry in block.entries().filter(|entry| entry.seq >= self.next) {
            let Some(entry) = past::seen(&entry, self.node.scope.as_deref()) else { continue };
            let is_kind = self.kinds.is_empty() || self.kinds.contains(&entry.kind);
            if is_kind && self.selector.matches(&Past { entry: &entry, node_id }) {
                write(&self.row(&entry));
            }
        }
        self.next = block.end();
        true
    }

    /// Returns when there is an event that was not handed out yet.
    pub async fn wait(&self) {
        self.node.record.events.wait(self.next).await;
    }

    fn id(&self, seq: u64) -> Cow<'static, str> {
        Cow::Owned(format!("{}-{seq}", self.node.started_wall_ms))
    }

    /// What is told in place of the events before `next`.
    fn gap(&self, next: u64, missed: Option<u64>) -> EventRow<'static> {
        let (id, at) = (self.id(next.saturating_sub(1)), Instant(clock::wall_ms()));
        // How many of them are in a scope is not known any more.
        let missed = missed.filter(|_| self.node.scope.is_none());
        EventRow { missed, ..EventRow::new(id, EventKind::Gap, at, self.node.settings.node_id) }
    }

    fn row<'a>(&self, entry: &Entry<'a>) -> EventRow<'a> {
        let id = self.id(entry.seq);
        let row = EventRow {
            listener: entry.listener.map(Cow::Borrowed),
            side: entry.side,
            reason: entry.end.map(|(reason, _)| reason),
            initiator: entry.end.map(|(_, initiator)| initiator),
            by: entry.by.map(Cow::Borrowed),
            request: entry.request.map(Cow::Borrowed),
            note: entry.note.map(Cow::Borrowed),
            text: entry.text.map(Cow::Borrowed),
            ..EventRow::new(id, entry.kind, Instant(entry.wall_ms), self.node.settings.node_id)
        };
        let Some(conn) = &entry.conn else { return row };
        let has_lived = !matches!(entry.kind, EventKind::Opened | EventKind::Identified);
        EventRow {
            conn_id: ConnId::new(conn.conn_id).ok(),
            uid: conn.uid.map(Cow::Borrowed),
            device: conn.device.map(Cow::Borrowed),
            tags: past::tags(conn),
            mode: Some(conn.mode),
            client: conn.client,
            local: conn.local,
            upstream: conn.upstream,
            age_ms: has_lived.then_some(conn.age_ms),
            to_upstream_bytes: has_lived.then_some(conn.to_upstream_bytes),
            to_client_bytes: has_lived.then_some(conn.to_client_bytes),
            ..row
        }
    }
}

fn kinds(text: &str) -> Result<Vec<EventKind>, ApiError> {
    let read = |word: &str| {
        word.parse().map_err(|problem| {
            ApiError::new(ErrorCode::InvalidRequest, format!("kinds: {problem}")).field("kinds")
        })
    };
    text.split(',').map(read).collect()
}

/// Where somebody wants to go on.
#[derive(Debug, PartialEq)]
enum Place {
    /// With the oldest that is kept.
    Oldest,
    /// Behind this one of this process.
    After(i64, u64),
}

fn place(id: &str) -> Result<Place, ApiError> {
    if id == "0" {
        return Ok(Place::Oldest);
    }
    let parts = id.split_once('-').and_then(|(run, seq)| Some((run.parse().ok()?, seq.parse().ok()?)));
    parts.map(|(run, seq)| Place::After(run, seq)).ok_or_else(|| {
        let message = format!("after {id:?} is not the id of an event");
        let hint = "the id of an event, or 0 for the oldest that is kept";
        ApiError::new(ErrorCode::InvalidRequest, message).field("after").hint(hint)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_and_kinds_are_read_or_named() {
        assert_eq!(place("0").unwrap(), Place::Oldest);
        assert_eq!(place("1795262400123-42").unwrap(), Place::After(1_795_262_400_123, 42));
        for wrong in ["", "7", "x-1", "1-", "1-x", "1--1", "1-2-3"] {
            assert_eq!(place(wrong).unwrap_err().detail.field.as_deref(), Some("after"), "{wrong}");
        }
        assert_eq!(kinds("opened,ended").unwrap(), [EventKind::Opened, EventKind::Ended]);
        assert!(kinds("opened,").unwrap_err().message.contains("opened"));
    }
}
