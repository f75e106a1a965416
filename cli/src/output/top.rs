//! Connections with what passes through them now, in bytes a second.

use serde::Deserialize;

use super::columns::{Chosen, Column, Record, Shown};
use super::conn::Conns;
use super::conn_view::ConnView;
use super::human;
use super::style::Tone;
use super::tree::Tree;

/// A row of a listing, and the rates beside it; `null` where it was not seen before.
#[derive(Debug, Deserialize)]
pub(crate) struct TopView<'a> {
    #[serde(flatten, borrow)]
    conn: ConnView<'a>,
    to_upstream_rate: Option<u64>,
    to_client_rate: Option<u64>,
    rate: Option<u64>,
}

/// What the view adds to a row of a listing.
const RATES: [&str; 3] = ["to_upstream_rate", "to_client_rate", "rate"];

/// The fields of a row of a listing, and the rates behind them.
const FIELDS: [&str; Conns::FIELDS.len() + RATES.len()] = {
    let mut fields = [""; _];
    let (ours, rates) = fields.split_at_mut(Conns::FIELDS.len());
    ours.copy_from_slice(Conns::FIELDS);
    rates.copy_from_slice(&RATES);
    fields
};

/// The rows of a live view.
#[derive(Debug)]
pub(crate) struct Tops;

impl Record for Tops {
    type View<'a> = TopView<'a>;

    const FIELDS: &'static [&'static str] = &FIELDS;

    const COLUMNS: &'static [Column] = &[
        Column::number("conn_id", "CONN", "conn_id", 0).least(6),
        Column::text("uid", "UID", "uid", 1),
        Column::text("listener", "LISTENER", "listener", 5),
        Column::text("state", "STATE", "state", 4),
        Column::text("client", "CLIENT", "client", 2),
        Column::text("upstream", "UPSTREAM", "upstream", 8).shown(Shown::Wide),
        Column::number("rate", "RATE", "rate", 0).least(10),
        Column::number("to_upstream_rate", "UPSTREAM/S", "to_upstream_rate", 6).least(10),
        Column::number("to_client_rate", "CLIENT/S", "to_client_rate", 6).least(10),
        Column::number("idle", "IDLE", "idle_ms", 3).least(6),
        Column::number("age", "AGE", "age_ms", 7).least(6),
        Column::number("to_upstream_bytes", "TO UPSTREAM", "to_upstream_bytes", 9)
            .shown(Shown::Wide)
            .least(11),
        Column::number("to_client_bytes", "TO CLIENT", "to_client_bytes", 9).shown(Shown::Wide).least(10),
    ];

    fn cell(row: &TopView<'_>, column: &Chosen, out: &mut String) -> Tone {
        let rate = match column.column.name {
            "rate" => row.rate,
            "to_upstream_rate" => row.to_upstream_rate,
            "to_client_rate" => row.to_client_rate,
            _ => return Conns::cell(&row.conn, column, out),
        };
        if let Some(rate) = rate {
            human::size(rate, out);
            out.push_str("/s");
        }
        if rate == Some(0) { Tone::Dim } else { Tone::Plain }
    }

    fn name(row: &TopView<'_>, out: &mut String) {
        Conns::name(&row.conn, out);
    }

    fn computed(row: &TopView<'_>, column: &Chosen) -> Tree {
        Conns::computed(&row.conn, column)
    }
}
