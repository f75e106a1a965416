//! Connections that have ended.

use connctl_api::end::Initiator;
use connctl_api::history::HistoryRow;

use super::columns::{Chosen, Column, Record, Shown};
use super::human::{self, number};
use super::style::Tone;
use super::tree::Tree;

/// The rows of the history.
#[derive(Debug)]
pub(crate) struct Ended;

impl Record for Ended {
    type View<'a> = HistoryRow<'a>;

    const FIELDS: &'static [&'static str] = &[
        "conn_id",
        "node_id",
        "uid",
        "device",
        "tags",
        "listener",
        "mode",
        "client",
        "local",
        "upstream",
        "opened_at",
        "ended_at",
        "age_ms",
        "idle_ms",
        "to_upstream_bytes",
        "to_client_bytes",
        "reason",
        "initiator",
        "side",
        "by",
        "request",
        "note",
        "wire",
    ];

    const COLUMNS: &'static [Column] = &[
        Column::text("ended_at", "ENDED", "ended_at", 3).room(24),
        Column::number("conn_id", "CONN", "conn_id", 0).room(7),
        Column::number("node_id", "NODE", "node_id", 9).shown(Shown::Wide),
        Column::text("uid", "UID", "uid", 1).room(12),
        Column::text("device", "DEVICE", "device", 9).shown(Shown::Wide).room(6),
        Column::text("listener", "LISTENER", "listener", 5).room(8),
        Column::text("mode", "MODE", "mode", 9).shown(Shown::Wide),
        Column::text("client", "CLIENT", "client", 4).room(21),
        Column::text("local", "LOCAL", "local", 9).shown(Shown::Wide).room(21),
        Column::text("upstream", "UPSTREAM", "upstream", 9).shown(Shown::Wide).room(21),
        Column::text("opened_at", "OPENED", "opened_at", 9).shown(Shown::Wide),
        Column::number("age", "AGE", "age_ms", 4).least(6),
        Column::number("idle", "IDLE", "idle_ms", 9).shown(Shown::Wide).least(6),
        Column::number("to_upstream_bytes", "TO UPSTREAM", "to_upstream_bytes", 7).least(11),
        Column::number("to_client_bytes", "TO CLIENT", "to_client_bytes", 7).least(10),
        Column::text("reason", "REASON", "reason", 0).room(18),
        Column::text("initiator", "INITIATOR", "initiator", 6).room(9),
        Column::text("side", "SIDE", "side", 9).shown(Shown::Wide),
        Column::text("by", "BY", "by", 5).room(8),
        Column::text("request", "REQUEST", "request", 9).shown(Shown::Wide).room(20),
        Column::text("note", "NOTE", "note", 6).room(12),
        Column::text("tags", "TAGS", "tags", 9).shown(Shown::Wide),
        Column::text("meaning", "MEANING", "", 9).shown(Shown::Asked).room(30),
        Column::text("tag.KEY", "TAG", "", 6).shown(Shown::Asked).room(8),
    ];

    fn cell(row: &HistoryRow<'_>, column: &Chosen, out: &mut String) -> Tone {
        let optional = |text: Option<&str>, out: &mut String| human::clean(text.unwrap_or_default(), out);
        let address = |address: Option<std::net::SocketAddr>, out: &mut String| {
            if let Some(address) = address {
                *out += &address.to_string();
            }
        };
        match column.column.name {
            "ended_at" => *out += &row.ended_at.to_string(),
            "conn_id" => number(row.conn_id.get(), out),
            "node_id" => number(row.node_id.get(), out),
            "uid" => optional(row.uid.as_deref(), out),
            "device" => optional(row.device.as_deref(), out),
            "listener" => optional(row.listener.as_deref(), out),
            "mode" => out.push_str(row.mode.word()),
            "client" => address(row.client, out),
            "local" => address(row.local, out),
            "upstream" => address(row.upstream, out),
            "opened_at" => *out += &row.opened_at.to_string(),
            "age" => human::duration(row.age_ms, out),
            "idle" => human::duration(row.idle_ms, out),
            "to_upstream_bytes" => human::size(row.to_upstream_bytes, out),
            "to_client_bytes" => human::size(row.to_client_bytes, out),
            "reason" => {
                out.push_str(row.reason.word());
                return tone_of(row.initiator);
            }
            "initiator" => out.push_str(row.initiator.word()),
            "side" => out.push_str(row.side.map_or("", |side| side.word())),
            "by" => optional(row.by.as_deref(), out),
            "request" => optional(row.request.as_deref(), out),
            "note" => optional(row.note.as_deref(), out),
            "meaning" => out.push_str(row.reason.meaning()),
            "tags" => {
                for (place, (key, value)) in row.tags.iter().enumerate() {
                    out.push_str(if place > 0 { " " } else { "" });
                    human::clean(key, out);
                    out.push('=');
                    human::clean(value, out);
                }
            }
            _ => optional(tag(row, column), out),
        }
        Tone::Plain
    }

    fn name(row: &HistoryRow<'_>, out: &mut String) {
        number(row.conn_id.get(), out);
    }

    fn computed(row: &HistoryRow<'_>, column: &Chosen) -> Tree {
        match column.column.name {
            "meaning" => Tree::text(row.reason.meaning()),
            _ => tag(row, column).map_or(Tree::Null, Tree::text),
        }
    }
}

fn tag<'a>(row: &'a HistoryRow<'_>, column: &Chosen) -> Option<&'a str> {
    row.tags.get(column.key.as_deref()?).map(|value| &**value)
}

/// How an ending is meant.
pub(crate) const fn tone_of(initiator: Initiator) -> Tone {
    match initiator {
        Initiator::Client | Initiator::Upstream => Tone::Plain,
        Initiator::Operator => Tone::Careful,
        Initiator::Policy | Initiator::Agent => Tone::Bad,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_header_is_the_row_of_the_api() {
        let line = r#"{"conn_id":12,"node_id":1,"uid":"u\u0031","device":null,"tags":{"team":"blue"},
            "listener":"redis","mode":"forward","client":"[::1]:40312","local":"127.0.0.1:7001","upstream":null,
            "opened_at":"2026-11-21T12:00:00.123Z","ended_at":"2026-11-21T12:00:04.323Z","age_ms":4200,
            "idle_ms":310,"to_upstream_bytes":812,"to_client_bytes":40960,"reason":"normal","initiator":"client",
            "side":null,"by":null,"request":null,"note":null,"wire":null,"later":1}"#;
        let row: HistoryRow<'_> = serde_json::from_str(line).unwrap();
        let Tree::Map(entries) = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap() else {
            panic!("a row is a map");
        };
        assert!(entries.iter().map(|(key, _)| key.as_str()).eq(Ended::FIELDS.iter().copied()));
    }
}
