//! `GET /connz`: a page of connections.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use connctl_api::conn::SideDetail;
use connctl_api::instant::Instant;
use serde::Serialize;

use super::answer::Fault;
use crate::base::clock;
use crate::control::facade::params::Params;
use crate::control::facade::{address, set};
use crate::ops::{self, Node};
use crate::registry::Conn;

/// Rows where no limit, or none that makes sense, is asked.
const DEFAULT_LIMIT: usize = 20;

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Connz {
    connections: Vec<Row>,
    now: String,
    total: usize,
    offset: usize,
    limit: usize,
}

/// A connection in this system's form. What a layer-4 agent cannot know is zero or empty: messages, packets,
/// versions and what a client says of itself.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    id: u64,
    uid: String,
    ip: String,
    port: u16,
    last_activity: String,
    uptime: String,
    idle: String,
    pending_bytes: u64,
    in_msgs: u64,
    out_msgs: u64,
    in_msg_bytes: u64,
    out_msg_bytes: u64,
    in_packets: u64,
    out_packets: u64,
    in_packet_bytes: u64,
    out_packet_bytes: u64,
    device: String,
    device_id: String,
    version: u64,
    proxy_type_format: String,
    leader_id: u64,
    node_id: u64,
}

/// `GET /connz`
pub(super) async fn connz(State(node): State<Arc<Node>>, uri: Uri) -> Result<Json<Connz>, Fault> {
    let params = Params::of(&uri);
    let asked: u64 = params.number("node_id").unwrap_or_default();
    if asked != 0 && asked != node.settings.node_id.get() {
        return Err(Fault::bad("节点不存在！"));
    }
    let mut conns = set::all(&node).await;
    // All connections, whatever the filter.
    let total = conns.len();
    let limit = limit_of(params.number("limit"));
    let offset = offset_of(params.number("offset"), total);
    if let Some(part) = params.first("uid").filter(|part| !part.is_empty()) {
        conns.retain(|conn| conn.labels().uid.as_deref().unwrap_or_default().contains(part));
    }
    let conns = Sort::parse(params.first("sort").unwrap_or_default()).apply(&node, conns).await;
    let page: Vec<_> = conns.into_iter().skip(offset).take(limit).collect();
    let connections = rows(&node, &page).await;
    Ok(Json(Connz { connections, now: Instant(clock::wall_ms()).to_string(), total, offset, limit }))
}

fn limit_of(asked: Option<i64>) -> usize {
    asked.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0).unwrap_or(DEFAULT_LIMIT)
}

fn offset_of(asked: Option<i64>, total: usize) -> usize {
    usize::try_from(asked.unwrap_or_default().max(0)).unwrap_or(usize::MAX).min(total)
}

/// These connections in this system's form.
pub(super) async fn rows(node: &Node, conns: &[Arc<Conn>]) -> Vec<Row> {
    let facts = ops::threads::kernel_facts(node, conns).await;
    let now_ms = clock::now_ms();
    let row = |conn: &Arc<Conn>| {
        let client = address::canonical(conn.client()?);
        let (uid, device) = {
            let labels = conn.labels();
            let text = |label: &Option<Box<str>>| label.as_deref().unwrap_or_default().to_owned();
            (text(&labels.uid), text(&labels.device))
        };
        Some(Row {
            id: conn.id().get(),
            uid,
            ip: client.ip().to_string(),
            port: client.port(),
            last_activity: Instant(conn.active_wall_ms()).to_string(),
            uptime: uptime(conn.age_ms(now_ms)),
            idle: uptime(conn.idle_ms(now_ms)),
            pending_bytes: facts.get(&conn.id()).map_or(0, |sides| pending(sides.client.as_ref())),
            in_msgs: 0,
            out_msgs: 0,
            in_msg_bytes: 0,
            out_msg_bytes: 0,
            in_packets: 0,
            out_packets: 0,
            in_packet_bytes: conn.to_upstream_bytes(),
            out_packet_bytes: conn.to_client_bytes(),
            device,
            device_id: String::new(),
            version: 0,
            proxy_type_format: String::new(),
            leader_id: node.settings.node_id.get(),
            node_id: node.settings.node_id.get(),
        })
    };
    conns.iter().filter_map(row).collect()
}

/// Bytes on their way to the client: those that the agent holds and those that the kernel holds.
fn pending(client: Option<&SideDetail>) -> u64 {
    client.map_or(0, |side| side.pending_bytes + side.tcp.as_ref().map_or(0, |facts| facts.send_queue_bytes))
}

/// A time span as this system writes it: whole seconds, in units up to 365-day years.
pub(super) fn uptime(ms: u64) -> String {
    let seconds = ms / 1_000;
    let (minutes, hours, days) = (seconds / 60, seconds / 3_600, seconds / 86_400);
    let years = days / 365;
    let parts =
        [(years, 'y'), (days % 365, 'd'), (hours % 24, 'h'), (minutes % 60, 'm'), (seconds % 60, 's')];
    // The first part that is not zero, and all after it, zero or not.
    let from = parts.iter().position(|(number, _)| *number > 0).unwrap_or(parts.len() - 1);
    parts.iter().skip(from).map(|(number, unit)| format!("{number}{unit}")).collect()
}

/// What a page is sorted by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sort {
    key: Key,
    descends: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Key {
    Id,
    InBytes,
    OutBytes,
    PendingBytes,
    Uptime,
    Idle,
    /// What is zero for every connection here, and what is unknown: the order stays.
    None,
}

impl Sort {
    fn parse(text: &str) -> Self {
        let (name, descends) = match text.strip_suffix("Desc") {
            Some(name) => (name, true),
            None => (text, false),
        };
        let key = match name {
            "" | "id" => Key::Id,
            "inPacketBytes" => Key::InBytes,
            "outPacketBytes" => Key::OutBytes,
            "pendingBytes" => Key::PendingBytes,
            "uptime" => Key::Uptime,
            "idle" => Key::Idle,
            _ => Key::None,
        };
        Self { key, descends }
    }

    async fn apply(self, node: &Node, conns: Vec<Arc<Conn>>) -> Vec<Arc<Conn>> {
        let facts = match self.key {
            Key::PendingBytes => Some(ops::threads::kernel_facts(node, &conns).await),
            _ => None,
        };
        let now_ms = clock::now_ms();
        // Numbers move while they are compared, so each is read once.
        let value = |conn: &Conn| match self.key {
            Key::Id => conn.id().get(),
            Key::InBytes => conn.to_upstream_bytes(),
            Key::OutBytes => conn.to_client_bytes(),
            Key::PendingBytes => {
                let sides = facts.as_ref().and_then(|facts| facts.get(&conn.id()));
                sides.map_or(0, |sides| pending(sides.client.as_ref()))
            }
            // By the instant that each began: ascending is the oldest, and the most idle, first.
            Key::Uptime => now_ms.saturating_sub(conn.age_ms(now_ms)),
            Key::Idle => now_ms.saturating_sub(conn.idle_ms(now_ms)),
            Key::None => 0,
        };
        let mut sorted: Vec<_> = conns.into_iter().map(|conn| (value(&conn), conn)).collect();
        sorted.sort_by(|(one, _), (other, _)| if self.descends { other.cmp(one) } else { one.cmp(other) });
        sorted.into_iter().map(|(_, conn)| conn).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_written_in_whole_seconds_from_the_largest_unit() {
        for (seconds, text) in [
            (0, "0s"),
            (5, "5s"),
            (185, "3m5s"),
            (7_205, "2h0m5s"),
            (93_784, "1d2h3m4s"),
            (365 * 86_400, "1y0d0h0m0s"),
        ] {
            assert_eq!(uptime(seconds * 1_000 + 999), text);
        }
    }

    #[test]
    fn limits_and_offsets_that_make_no_sense_are_put_right() {
        assert_eq!([None, Some(0), Some(-1), Some(5)].map(limit_of), [20, 20, 20, 5]);
        assert_eq!([None, Some(-3), Some(4), Some(99)].map(|asked| offset_of(asked, 10)), [0, 0, 4, 10]);
    }

    #[test]
    fn sort_names_are_those_of_the_original() {
        assert_eq!(Sort::parse(""), Sort { key: Key::Id, descends: false });
        assert_eq!(Sort::parse("idleDesc"), Sort { key: Key::Idle, descends: true });
        assert_eq!(Sort::parse("outPacketBytes").key, Key::OutBytes);
        assert_eq!(Sort::parse("inMsgDesc"), Sort { key: Key::None, descends: true });
        assert_eq!(Sort::parse("whatever").key, Key::None);
    }
}
