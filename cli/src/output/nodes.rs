//! Nodes as they are listed.

use connctl_api::node::NodeReport;

use super::columns::{Chosen, Column, Record, Shown};
use super::human::{self, number};
use super::style::Tone;

/// Agents.
#[derive(Debug)]
pub(crate) struct Nodes;

impl Record for Nodes {
    type View<'a> = NodeReport;

    const FIELDS: &'static [&'static str] = &[
        "node_id",
        "version",
        "pid",
        "started_at",
        "uptime_ms",
        "control",
        "threads",
        "listeners",
        "listeners_accepting",
        "connections",
        "accepted",
        "ended",
        "descriptors_used",
        "descriptors_limit",
        "memory_bytes",
        "compat",
        "certificates",
    ];

    const COLUMNS: &'static [Column] = &[
        Column::number("node_id", "NODE", "node_id", 0),
        Column::text("version", "VERSION", "version", 3),
        Column::number("uptime_ms", "UPTIME", "uptime_ms", 2),
        Column::number("listeners", "LISTENERS", "listeners", 3),
        Column::number("listeners_accepting", "ACCEPTING", "listeners_accepting", 1),
        Column::number("connections", "CONNECTIONS", "connections", 0),
        Column::number("accepted", "ACCEPTED", "accepted", 4),
        Column::number("ended", "ENDED", "ended", 4),
        Column::number("memory_bytes", "MEMORY", "memory_bytes", 5),
        Column::number("pid", "PID", "pid", 6).shown(Shown::Wide),
        Column::text("started_at", "STARTED", "started_at", 7).shown(Shown::Wide),
    ];

    fn cell(row: &NodeReport, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "node_id" => number(row.node_id.get(), out),
            "version" => human::clean(&row.version, out),
            "uptime_ms" => human::duration(row.uptime_ms, out),
            "listeners" => number(row.listeners, out),
            "listeners_accepting" => {
                number(row.listeners_accepting, out);
                if row.listeners_accepting < row.listeners {
                    return Tone::Careful;
                }
            }
            "connections" => number(row.connections, out),
            "accepted" => number(row.accepted, out),
            "ended" => number(row.ended, out),
            "memory_bytes" => human::size(row.memory_bytes, out),
            "pid" => number(row.pid.into(), out),
            _ => *out += &row.started_at.to_string(),
        }
        Tone::Plain
    }

    fn name(row: &NodeReport, out: &mut String) {
        number(row.node_id.get(), out);
    }
}
