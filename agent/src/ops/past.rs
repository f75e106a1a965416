//! What was written down, as selectors and answers see it.

use std::borrow::Cow;
use std::collections::BTreeMap;

use connctl_api::access::Scope;
use connctl_api::history::HistoryRow;
use connctl_api::id::{ConnId, NodeId};
use connctl_api::instant::Instant;
use connctl_api::selector::{Field, Subject, Value};

use crate::record::entry::{ConnPart, Entry};

/// An entry as a selector sees it.
#[derive(Debug, Clone, Copy)]
pub(super) struct Past<'a> {
    pub(super) entry: &'a Entry<'a>,
    pub(super) node_id: NodeId,
}

impl Subject for Past<'_> {
    fn value(&self, field: Field) -> Value<'_> {
        let entry = self.entry;
        match field {
            Field::NodeId => Value::Int(self.node_id.get()),
            Field::Listener => entry.listener.map_or(Value::Missing, Value::Text),
            Field::Reason => entry.end.map_or(Value::Missing, |(reason, _)| Value::Text(reason.word())),
            Field::Initiator => entry.end.map_or(Value::Missing, |(_, who)| Value::Text(who.word())),
            Field::EndedAt => entry.end.map_or(Value::Missing, |_| Value::Time(entry.wall_ms)),
            _ => entry.conn.as_ref().and_then(|conn| of_conn(conn, field)).unwrap_or(Value::Missing),
        }
    }

    fn tag(&self, key: &str) -> Option<&str> {
        let mut tags = self.entry.conn.as_ref()?.tags();
        tags.find(|(name, _)| *name == key).map(|(_, value)| value)
    }
}

#[expect(clippy::cast_precision_loss, reason = "rates and shares are rough figures")]
fn of_conn<'a>(conn: &ConnPart<'a>, field: Field) -> Option<Value<'a>> {
    let rate = |bytes: u64| Value::Float(bytes as f64 * 1000.0 / conn.age_ms.max(1) as f64);
    Some(match field {
        Field::ConnId => Value::Int(conn.conn_id),
        Field::Uid => Value::Text(conn.uid?),
        Field::Device => Value::Text(conn.device?),
        Field::Identified => Value::Bool(conn.uid.is_some()),
        Field::Mode => Value::Text(conn.mode.word()),
        Field::Thread => Value::Int(conn.thread.into()),
        Field::Client => Value::Address(conn.client?),
        Field::Ip => Value::Ip(conn.client?.ip()),
        Field::Port => Value::Int(conn.client?.port().into()),
        Field::Local => Value::Address(conn.local?),
        Field::LocalIp => Value::Ip(conn.local?.ip()),
        Field::LocalPort => Value::Int(conn.local?.port().into()),
        Field::Upstream => Value::Address(conn.upstream?),
        Field::UpstreamIp => Value::Ip(conn.upstream?.ip()),
        Field::UpstreamPort => Value::Int(conn.upstream?.port().into()),
        Field::OpenedAt => Value::Time(conn.opened_wall_ms),
        Field::Age => Value::Duration(conn.age_ms.saturating_mul(1_000)),
        Field::Idle => Value::Duration(conn.idle_ms.saturating_mul(1_000)),
        Field::IdlePercent => {
            let age = conn.age_ms.max(1);
            Value::Float(conn.idle_ms.min(age) as f64 * 100.0 / age as f64)
        }
        Field::Bytes => Value::Size(conn.to_upstream_bytes.saturating_add(conn.to_client_bytes)),
        Field::ToUpstreamBytes => Value::Size(conn.to_upstream_bytes),
        Field::ToClientBytes => Value::Size(conn.to_client_bytes),
        Field::ToUpstreamRate => rate(conn.to_upstream_bytes),
        Field::ToClientRate => rate(conn.to_client_bytes),
        // The state and what the kernel knew went with the sockets.
        _ => return None,
    })
}

/// An entry as somebody may see it: whole, or what a scope leaves of it. What is about the agent as a whole is in
/// no scope, and what was asked can name others than those in it.
pub(super) fn seen<'a>(entry: &Entry<'a>, scope: Option<&Scope>) -> Option<Entry<'a>> {
    let Some(scope) = scope else { return Some(*entry) };
    let uid = entry.conn.as_ref().and_then(|conn| conn.uid);
    (scope.has_listener(entry.listener) && scope.has_uid(uid)).then_some(Entry { request: None, ..*entry })
}

/// The row of an ending; nothing for any other entry.
pub(super) fn row<'a>(entry: &Entry<'a>, node_id: NodeId) -> Option<HistoryRow<'a>> {
    let (conn, (reason, initiator)) = (entry.conn.as_ref()?, entry.end?);
    Some(HistoryRow {
        conn_id: ConnId::new(conn.conn_id).ok()?,
        node_id,
        uid: conn.uid.map(Cow::Borrowed),
        device: conn.device.map(Cow::Borrowed),
        tags: tags(conn),
        listener: entry.listener.map(Cow::Borrowed),
        mode: conn.mode,
        client: conn.client,
        local: conn.local,
        upstream: conn.upstream,
        opened_at: Instant(conn.opened_wall_ms),
        ended_at: Instant(entry.wall_ms),
        age_ms: conn.age_ms,
        idle_ms: conn.idle_ms,
        to_upstream_bytes: conn.to_upstream_bytes,
        to_client_bytes: conn.to_client_bytes,
        reason,
        initiator,
        side: entry.side,
        by: entry.by.map(Cow::Borrowed),
        request: entry.request.map(Cow::Borrowed),
        note: entry.note.map(Cow::Borrowed),
        wire: entry.wire(),
    })
}

/// The labels of an entry's connection.
pub(super) fn tags<'a>(conn: &ConnPart<'a>) -> BTreeMap<Cow<'a, str>, Cow<'a, str>> {
    conn.tags().map(|(key, value)| (Cow::Borrowed(key), Cow::Borrowed(value))).collect()
}

/// The same row with texts of its own.
pub(super) fn owned(row: HistoryRow<'_>) -> HistoryRow<'static> {
    fn own(text: Cow<'_, str>) -> Cow<'static, str> {
        Cow::Owned(text.into_owned())
    }
    HistoryRow {
        uid: row.uid.map(own),
        device: row.device.map(own),
        tags: row.tags.into_iter().map(|(key, value)| (own(key), own(value))).collect(),
        listener: row.listener.map(own),
        by: row.by.map(own),
        request: row.request.map(own),
        note: row.note.map(own),
        ..row
    }
}
