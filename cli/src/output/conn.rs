//! Connections.

use anyhow::Result;

use super::columns::{Chosen, Column, Record, Shown};
use super::conn_view::{ConnView, Text};
use super::human::{self, number};
use super::line::read;
use super::scan;
use super::style::Tone;
use super::tree::Tree;

/// The rows of a listing.
#[derive(Debug)]
pub(crate) struct Conns;

impl Record for Conns {
    type View<'a> = ConnView<'a>;

    fn read(line: &[u8]) -> Result<ConnView<'_>> {
        scan::row(line).map_or_else(|| read(line), Ok)
    }

    const FIELDS: &'static [&'static str] = &[
        "conn_id",
        "node_id",
        "uid",
        "device",
        "tags",
        "listener",
        "mode",
        "state",
        "client",
        "local",
        "upstream",
        "opened_at",
        "age_ms",
        "idle_ms",
        "to_upstream_bytes",
        "to_client_bytes",
    ];

    const COLUMNS: &'static [Column] = &[
        Column::number("conn_id", "CONN", "conn_id", 0).room(7),
        Column::number("node_id", "NODE", "node_id", 9).shown(Shown::Wide),
        Column::text("uid", "UID", "uid", 1).room(12),
        Column::text("device", "DEVICE", "device", 6).room(6),
        Column::text("listener", "LISTENER", "listener", 4).room(8),
        Column::text("mode", "MODE", "mode", 9).shown(Shown::Wide),
        Column::text("state", "STATE", "state", 2).room(11),
        Column::text("health", "HEALTH", "health", 2).shown(Shown::Wide).room(7),
        Column::text("client", "CLIENT", "client", 3).room(21),
        Column::text("local", "LOCAL", "local", 9).shown(Shown::Wide).room(21),
        Column::text("upstream", "UPSTREAM", "upstream", 7).room(21),
        Column::text("opened_at", "OPENED", "opened_at", 9).shown(Shown::Wide),
        Column::number("age", "AGE", "age_ms", 5).least(6),
        Column::number("idle", "IDLE", "idle_ms", 3).least(6),
        Column::number("to_upstream_bytes", "TO UPSTREAM", "to_upstream_bytes", 8).least(11),
        Column::number("to_client_bytes", "TO CLIENT", "to_client_bytes", 8).least(10),
        Column::text("tags", "TAGS", "tags", 9).shown(Shown::Wide),
        Column::text("ip", "IP", "", 3).shown(Shown::Asked).room(15),
        Column::number("port", "PORT", "", 3).shown(Shown::Asked).room(5),
        Column::number("bytes", "BYTES", "", 8).shown(Shown::Asked).room(10),
        Column::text("tag.KEY", "TAG", "", 6).shown(Shown::Asked).room(8),
    ];

    fn cell(row: &ConnView<'_>, column: &Chosen, out: &mut String) -> Tone {
        let optional = |text: &Option<Text<'_>>, out: &mut String| {
            if let Some(text) = text {
                human::clean(&text.0, out);
            }
        };
        match column.column.name {
            "conn_id" => number(row.conn_id, out),
            "node_id" => number(row.node_id, out),
            "uid" => optional(&row.uid, out),
            "device" => optional(&row.device, out),
            "listener" => optional(&row.listener, out),
            "mode" => human::clean(&row.mode.0, out),
            "state" => {
                human::clean(&row.state.0, out);
                return tone_of(&row.state.0);
            }
            "health" => {
                optional(&row.health, out);
                return row.health.as_ref().map_or(Tone::Plain, |health| health_tone(&health.0));
            }
            "client" => optional(&row.client, out),
            "local" => optional(&row.local, out),
            "upstream" => optional(&row.upstream, out),
            "opened_at" => human::clean(&row.opened_at.0, out),
            "age" => human::duration(row.age_ms, out),
            "idle" => human::duration(row.idle_ms, out),
            "to_upstream_bytes" => human::size(row.to_upstream_bytes, out),
            "to_client_bytes" => human::size(row.to_client_bytes, out),
            "bytes" => human::size(row.to_upstream_bytes.saturating_add(row.to_client_bytes), out),
            "ip" => human::clean(row.ip_and_port().map_or("", |(ip, _)| ip), out),
            "port" => human::clean(row.ip_and_port().map_or("", |(_, port)| port), out),
            "tags" => {
                for (place, (key, value)) in row.tags.iter().enumerate() {
                    out.push_str(if place > 0 { " " } else { "" });
                    human::clean(&key.0, out);
                    out.push('=');
                    human::clean(&value.0, out);
                }
            }
            _ => human::clean(row.tag(column).unwrap_or_default(), out),
        }
        Tone::Plain
    }

    fn name(row: &ConnView<'_>, out: &mut String) {
        number(row.conn_id, out);
    }

    fn computed(row: &ConnView<'_>, column: &Chosen) -> Tree {
        let address = row.ip_and_port();
        match column.column.name {
            "ip" => address.map_or(Tree::Null, |(ip, _)| Tree::text(ip)),
            "port" => {
                let port = address.and_then(|(_, port)| port.parse::<u64>().ok());
                port.map_or(Tree::Null, |port| Tree::Number(port.into()))
            }
            "bytes" => Tree::Number(row.to_upstream_bytes.saturating_add(row.to_client_bytes).into()),
            _ => row.tag(column).map_or(Tree::Null, Tree::text),
        }
    }
}

impl ConnView<'_> {
    /// The client's, without the brackets of IPv6.
    fn ip_and_port(&self) -> Option<(&str, &str)> {
        let (ip, port) = self.client.as_ref()?.0.rsplit_once(':')?;
        Some((ip.trim_start_matches('[').trim_end_matches(']'), port))
    }

    fn tag<'s>(&'s self, column: &Chosen) -> Option<&'s str> {
        let key = column.key.as_deref()?;
        self.tags.iter().find(|(name, _)| name.0 == key).map(|(_, value)| value.0.as_ref())
    }
}

/// How a state is meant.
pub(crate) fn tone_of(state: &str) -> Tone {
    match state {
        "active" => Tone::Good,
        "opening" => Tone::Dim,
        "half_closed" | "paused" => Tone::Careful,
        "closing" => Tone::Bad,
        _ => Tone::Plain,
    }
}

/// How a health is meant.
fn health_tone(health: &str) -> Tone {
    match health {
        "healthy" => Tone::Good,
        "idle" => Tone::Dim,
        "stuck" | "zombie" => Tone::Careful,
        "unacked" => Tone::Bad,
        _ => Tone::Plain,
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::named;
    use super::*;

    const LINE: &str = r#"{"conn_id":12,"node_id":1,"uid":"u\u0031","device":null,"tags":{"team":"blue"},
        "listener":"redis","mode":"forward","state":"warped","client":"[::1]:40312","local":"127.0.0.1:7001",
        "upstream":null,"opened_at":"2026-11-21T12:00:00.123Z","age_ms":192000,"idle_ms":310,
        "to_upstream_bytes":812,"to_client_bytes":40960,"later":[1]}"#;

    #[test]
    fn every_column_has_its_text_and_later_fields_are_passed_over() {
        let row: ConnView<'_> = serde_json::from_str(LINE).unwrap();
        let names =
            "conn_id uid device state client ip port age idle bytes to_client_bytes tags tag.team tag.x";
        let names: Vec<String> = names.split(' ').map(str::to_owned).collect();
        let chosen = named::<Conns>(&names).unwrap();
        let cells = chosen.iter().map(|chosen| {
            let mut cell = String::new();
            Conns::cell(&row, chosen, &mut cell);
            cell
        });
        let expected = [
            "12",
            "u1",
            "",
            "warped",
            "[::1]:40312",
            "::1",
            "40312",
            "3m12s",
            "310ms",
            "40.7 KiB",
            "40.0 KiB",
            "team=blue",
            "blue",
            "",
        ];
        assert!(cells.eq(expected));
        assert_eq!(
            Conns::computed(&row, &named::<Conns>(&["port".to_owned()]).unwrap()[0]).to_string_plain(),
            "40312"
        );
    }

    impl Tree {
        fn to_string_plain(&self) -> String {
            serde_json::to_string(self).unwrap()
        }
    }

    #[test]
    fn the_header_is_the_row_of_the_api() {
        let row: connctl_api::conn::ConnRow<'_> =
            serde_json::from_str(&LINE.replace("warped", "active")).unwrap();
        let Tree::Map(entries) = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap() else {
            panic!("a row is a map");
        };
        assert!(entries.iter().map(|(key, _)| key.as_str()).eq(Conns::FIELDS.iter().copied()));
    }
}
