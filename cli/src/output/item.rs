//! The items of a bulk operation.

use connctl_api::end::Wire;
use connctl_api::operation::{Item, ItemStatus};

use super::columns::{Chosen, Column, Record, Shown};
use super::human::{self, number};
use super::style::Tone;

/// What became of each connection.
#[derive(Debug)]
pub(crate) struct Items;

impl Record for Items {
    type View<'a> = Item;

    const FIELDS: &'static [&'static str] =
        &["conn_id", "node_id", "uid", "operation", "side", "status", "wire", "error"];

    const COLUMNS: &'static [Column] = &[
        Column::number("conn_id", "CONN", "conn_id", 0).room(7),
        Column::number("node_id", "NODE", "node_id", 9).shown(Shown::Wide),
        Column::text("uid", "UID", "uid", 2).room(12),
        Column::text("operation", "OPERATION", "operation", 4).room(9),
        Column::text("side", "SIDE", "side", 5).room(8),
        Column::text("status", "STATUS", "status", 1).room(9),
        Column::text("wire", "WIRE", "wire", 6).room(24),
        Column::text("error", "ERROR", "error", 2),
    ];

    fn cell(item: &Item, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "conn_id" => number(item.conn_id.get(), out),
            "node_id" => number(item.node_id.get(), out),
            "uid" => human::clean(item.uid.as_deref().unwrap_or_default(), out),
            "operation" => out.push_str(item.operation.word()),
            "side" => out.push_str(item.side.word()),
            "status" => {
                out.push_str(item.status.word());
                return match item.status {
                    ItemStatus::Done => Tone::Good,
                    ItemStatus::Skipped => Tone::Dim,
                    ItemStatus::TimedOut | ItemStatus::NotFound => Tone::Careful,
                    ItemStatus::Failed => Tone::Bad,
                };
            }
            "wire" => wire(item.wire.as_ref(), out),
            _ => human::clean(item.error.as_deref().unwrap_or_default(), out),
        }
        Tone::Plain
    }

    fn name(item: &Item, out: &mut String) {
        if item.status == ItemStatus::Done {
            number(item.conn_id.get(), out);
        }
    }
}

/// What the wire saw, in a few words.
fn wire(wire: Option<&Wire>, out: &mut String) {
    let Some(wire) = wire.map(|wire| wire.all) else { return };
    let mut word = |text: &str| {
        if !out.is_empty() {
            out.push_str(", ");
        }
        out.push_str(text);
    };
    if wire.already_closed {
        word("already closed");
    }
    if wire.forced {
        word("forced");
    }
    if wire.fin_sent {
        word(if wire.fin_acked { "fin acked" } else { "fin sent" });
    }
    if wire.rst_sent {
        word("rst sent");
    }
    for (bytes, what) in [(wire.sent_bytes, "flushed"), (wire.dropped_bytes, "dropped")] {
        if bytes > 0 {
            let mut text = String::new();
            human::size(bytes, &mut text);
            word(&format!("{text} {what}"));
        }
    }
}

#[cfg(test)]
mod tests {
    use connctl_api::end::SideWire;

    use super::*;

    #[test]
    fn the_wire_is_told_in_words() {
        let side = SideWire { forced: true, rst_sent: true, dropped_bytes: 2_048, ..SideWire::default() };
        let mut out = String::new();
        wire(Some(&Wire::of(Some(side), None)), &mut out);
        assert_eq!(out, "forced, rst sent, 2.0 KiB dropped");
    }
}
