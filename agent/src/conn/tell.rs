//! Writing down what happens to a connection.

use connctl_api::conn::Side;
use connctl_api::end::{Cause, Wire};
use connctl_api::event::EventKind;

use crate::base::clock;
use crate::record::Record;
use crate::record::asked::Asked;
use crate::record::entry::{End, Facts, Happening};
use crate::registry::Conn;

/// How a connection ended.
#[derive(Debug, Clone, Copy)]
pub struct Ending<'a> {
    /// Why.
    pub cause: Cause,
    /// What the wire saw, as far as anyone looked.
    pub wire: Wire,
    /// What was asked for, if that is why.
    pub asked: Option<&'a Asked>,
}

/// What else there is to say of an event.
#[derive(Debug, Clone, Copy, Default)]
pub struct More<'a> {
    /// On which side.
    pub side: Option<Side>,
    /// Who asked for it.
    pub by: Option<&'a str>,
    /// In words.
    pub text: Option<&'a str>,
}

/// Something happened to a connection that goes on.
pub fn tell(record: &Record, kind: EventKind, conn: &Conn, more: More<'_>, now_ms: u64) {
    with_facts(conn, now_ms, |facts| {
        let happening = Happening {
            conn: Some(facts),
            listener: conn.listener(),
            side: more.side,
            by: more.by,
            text: more.text,
            ..Happening::new(kind, clock::wall_ms())
        };
        record.tell(&happening, None);
    });
}

/// A connection has ended.
pub(super) fn tell_end(record: &Record, conn: &Conn, ending: &Ending<'_>, now_ms: u64) {
    with_facts(conn, now_ms, |facts| {
        let happening = Happening {
            conn: Some(facts),
            end: Some(End { cause: ending.cause, wire: ending.wire }),
            listener: conn.listener(),
            ..Happening::new(EventKind::Ended, clock::wall_ms())
        };
        record.tell(&happening, ending.asked);
    });
}

fn with_facts(conn: &Conn, now_ms: u64, write: impl FnOnce(Facts<'_>)) {
    let labels = conn.labels();
    write(Facts {
        conn_id: conn.id().get(),
        uid: labels.uid.as_deref(),
        device: labels.device.as_deref(),
        tags: labels.tags.as_deref(),
        mode: conn.origin().mode,
        client: conn.client_of(&labels),
        local: conn.local(),
        upstream: labels.upstream(),
        opened_wall_ms: conn.opened_wall_ms(),
        age_ms: conn.age_ms(now_ms),
        idle_ms: conn.idle_ms(now_ms),
        to_upstream_bytes: conn.to_upstream_bytes(),
        to_client_bytes: conn.to_client_bytes(),
        thread: conn.thread(),
    });
}
