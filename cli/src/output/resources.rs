//! Listeners, what became of them, statistics, counts and fields.

use connctl_api::conn::CountRow;
use connctl_api::listener::{GateReport, ListenerRow};
use connctl_api::revocation::RevocationRow;
use connctl_api::stats::{GroupCount, ReasonCount};
use serde::Deserialize;

use super::columns::{Chosen, Column, Record, Shown};
use super::human::{self, number};
use super::style::Tone;

/// Listeners as they are listed.
#[derive(Debug)]
pub(crate) struct Listeners;

impl Record for Listeners {
    type View<'a> = ListenerRow;

    const FIELDS: &'static [&'static str] = &[
        "name",
        "mode",
        "bind",
        "upstream",
        "accepting",
        "after",
        "reject_mode",
        "draining",
        "connections",
        "accepted",
        "rejected",
        "upstreams",
    ];

    const COLUMNS: &'static [Column] = &[
        Column::text("name", "NAME", "name", 0),
        Column::text("mode", "MODE", "mode", 4),
        Column::text("bind", "BIND", "bind", 1),
        Column::text("upstream", "UPSTREAM", "upstream", 5),
        Column::text("accepting", "GATE", "accepting", 1),
        Column::number("connections", "CONNECTIONS", "connections", 2),
        Column::number("accepted", "ACCEPTED", "accepted", 6),
        Column::number("rejected", "REJECTED", "rejected", 7),
    ];

    fn cell(row: &ListenerRow, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "name" => human::clean(&row.name, out),
            "mode" => out.push_str(row.mode.word()),
            "bind" => human::clean(&row.bind, out),
            "upstream" => human::clean(row.upstream.as_deref().unwrap_or_default(), out),
            "connections" => number(row.connections, out),
            "accepted" => number(row.accepted, out),
            "rejected" => number(row.rejected, out),
            _ => {
                let gate = Gate { accepting: row.accepting, after: row.after, draining: row.draining };
                return gate.show(row.reject_mode.word(), out);
            }
        }
        Tone::Plain
    }

    fn name(row: &ListenerRow, out: &mut String) {
        human::clean(&row.name, out);
    }
}

/// Who gets in.
struct Gate {
    accepting: bool,
    after: Option<u64>,
    draining: bool,
}

impl Gate {
    fn show(&self, how: &str, out: &mut String) -> Tone {
        match self {
            Self { draining: true, .. } => {
                *out += &format!("draining ({how})");
                Tone::Careful
            }
            Self { accepting: true, after: Some(after), .. } => {
                *out += &format!("{how} after {after}");
                Tone::Careful
            }
            Self { accepting: true, .. } => {
                out.push_str("accepting");
                Tone::Good
            }
            Self { accepting: false, .. } => {
                *out += &format!("rejecting ({how})");
                Tone::Bad
            }
        }
    }
}

/// What became of listeners.
#[derive(Debug)]
pub(crate) struct Gates;

impl Record for Gates {
    type View<'a> = GateReport;

    const FIELDS: &'static [&'static str] =
        &["listener", "changed", "accepting", "after", "mode", "draining", "connections"];

    const COLUMNS: &'static [Column] = &[
        Column::text("listener", "LISTENER", "listener", 0),
        Column::text("changed", "CHANGED", "changed", 1),
        Column::text("accepting", "GATE", "accepting", 1),
        Column::number("connections", "CONNECTIONS", "connections", 2),
    ];

    fn cell(row: &GateReport, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "listener" => human::clean(&row.listener, out),
            "changed" => out.push_str(if row.changed { "yes" } else { "no" }),
            "connections" => number(row.connections, out),
            _ => {
                let gate = Gate { accepting: row.accepting, after: row.after, draining: row.draining };
                return gate.show(row.mode.word(), out);
            }
        }
        Tone::Plain
    }

    fn name(row: &GateReport, out: &mut String) {
        human::clean(&row.listener, out);
    }
}

/// Who is refused.
#[derive(Debug)]
pub(crate) struct Revocations;

impl Record for Revocations {
    type View<'a> = RevocationRow;

    const FIELDS: &'static [&'static str] =
        &["id", "node_id", "uid", "ip", "created_at", "expires_at", "remaining_ms", "refused", "note"];

    const COLUMNS: &'static [Column] = &[
        Column::number("id", "ID", "id", 0),
        Column::number("node_id", "NODE", "node_id", 9).shown(Shown::Wide),
        Column::text("uid", "UID", "uid", 1),
        Column::text("ip", "IP", "ip", 1),
        Column::text("created_at", "CREATED", "created_at", 9).shown(Shown::Wide),
        Column::text("expires_at", "EXPIRES", "expires_at", 4),
        Column::number("remaining", "LEFT", "remaining_ms", 3),
        Column::number("refused", "REFUSED", "refused", 5),
        Column::text("note", "NOTE", "note", 2),
    ];

    fn cell(row: &RevocationRow, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "id" => number(row.id.get(), out),
            "node_id" => number(row.node_id.get(), out),
            "uid" => human::clean(row.uid.as_deref().unwrap_or_default(), out),
            "ip" => human::clean(row.ip.as_deref().unwrap_or_default(), out),
            "created_at" => *out += &row.created_at.to_string(),
            "expires_at" => *out += &row.expires_at.map_or("never".to_owned(), |end| end.to_string()),
            "remaining" => {
                if let Some(ms) = row.remaining_ms {
                    human::duration(ms, out);
                }
            }
            "refused" => number(row.refused, out),
            _ => human::clean(row.note.as_deref().unwrap_or_default(), out),
        }
        Tone::Plain
    }

    fn name(row: &RevocationRow, out: &mut String) {
        number(row.id.get(), out);
    }
}

/// Endings by reason and side.
#[derive(Debug)]
pub(crate) struct Reasons;

impl Record for Reasons {
    type View<'a> = ReasonCount;

    const FIELDS: &'static [&'static str] = &["reason", "side", "count"];

    const COLUMNS: &'static [Column] = &[
        Column::text("reason", "REASON", "reason", 0),
        Column::text("side", "SIDE", "side", 0),
        Column::number("count", "COUNT", "count", 0),
        Column::text("meaning", "MEANING", "", 1),
    ];

    fn cell(row: &ReasonCount, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "reason" => out.push_str(row.reason.word()),
            "side" => out.push_str(row.side.word()),
            "count" => number(row.count, out),
            _ => {
                out.push_str(row.reason.meaning());
                return Tone::Dim;
            }
        }
        Tone::Plain
    }

    fn name(row: &ReasonCount, out: &mut String) {
        out.push_str(row.reason.word());
    }
}

/// Live connections by the values of a field.
#[derive(Debug)]
pub(crate) struct Groups;

impl Record for Groups {
    type View<'a> = GroupCount;

    const FIELDS: &'static [&'static str] = &["value", "connections", "to_upstream_bytes", "to_client_bytes"];

    const COLUMNS: &'static [Column] = &[
        Column::text("value", "VALUE", "value", 0),
        Column::number("connections", "CONNECTIONS", "connections", 0),
        Column::number("to_upstream_bytes", "TO UPSTREAM", "to_upstream_bytes", 1),
        Column::number("to_client_bytes", "TO CLIENT", "to_client_bytes", 1),
    ];

    fn cell(row: &GroupCount, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "value" => human::clean(row.value.as_deref().unwrap_or_default(), out),
            "connections" => number(row.connections, out),
            "to_upstream_bytes" => human::size(row.to_upstream_bytes, out),
            _ => human::size(row.to_client_bytes, out),
        }
        Tone::Plain
    }

    fn name(row: &GroupCount, out: &mut String) {
        human::clean(row.value.as_deref().unwrap_or_default(), out);
    }
}

/// How many connections have each value.
#[derive(Debug)]
pub(crate) struct Counts;

impl Record for Counts {
    type View<'a> = CountRow;

    const FIELDS: &'static [&'static str] = &["value", "count"];

    const COLUMNS: &'static [Column] =
        &[Column::text("value", "VALUE", "value", 0), Column::number("count", "COUNT", "count", 0)];

    fn cell(row: &CountRow, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "value" => human::clean(row.value.as_deref().unwrap_or_default(), out),
            _ => number(row.count, out),
        }
        Tone::Plain
    }

    fn name(row: &CountRow, out: &mut String) {
        human::clean(row.value.as_deref().unwrap_or_default(), out);
    }
}

/// The fields of the selector language.
#[derive(Debug)]
pub(crate) struct Fields;

/// A field of the selector language.
#[derive(Debug, serde::Serialize, Deserialize)]
pub(crate) struct FieldView {
    pub field: String,
    pub kind: String,
    pub sortable: bool,
    pub column: bool,
    pub meaning: String,
}

impl Record for Fields {
    type View<'a> = FieldView;

    const FIELDS: &'static [&'static str] = &["field", "kind", "sortable", "column", "meaning"];

    const COLUMNS: &'static [Column] = &[
        Column::text("field", "FIELD", "field", 0),
        Column::text("kind", "KIND", "kind", 0),
        Column::text("sortable", "SORT", "sortable", 2).shown(Shown::Table),
        Column::text("column", "COLUMN", "column", 2),
        Column::text("meaning", "MEANING", "meaning", 1),
    ];

    fn cell(row: &FieldView, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "field" => out.push_str(&row.field),
            "kind" => out.push_str(&row.kind),
            "sortable" => out.push_str(if row.sortable { "yes" } else { "" }),
            "column" => out.push_str(if row.column { "yes" } else { "" }),
            _ => out.push_str(&row.meaning),
        }
        Tone::Plain
    }

    fn name(row: &FieldView, out: &mut String) {
        out.push_str(&row.field);
    }
}
