//! Named agents as they are listed.

use serde::{Deserialize, Serialize};

use super::columns::{Chosen, Column, Record};
use super::human;
use super::style::Tone;

/// A named agent.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct ContextRow {
    /// The name.
    pub name: String,
    /// Where it is.
    pub agent: String,
    /// It is the one that is used where none is named.
    pub current: bool,
}

/// Named agents.
#[derive(Debug)]
pub(crate) struct ContextRows;

impl Record for ContextRows {
    type View<'a> = ContextRow;

    const FIELDS: &'static [&'static str] = &["name", "agent", "current"];

    const COLUMNS: &'static [Column] = &[
        Column::text("current", "CURRENT", "current", 1),
        Column::text("name", "NAME", "name", 0),
        Column::text("agent", "AGENT", "agent", 0),
    ];

    fn cell(row: &ContextRow, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "current" => out.push_str(if row.current { "*" } else { "" }),
            "name" => human::clean(&row.name, out),
            _ => human::clean(&row.agent, out),
        }
        Tone::Plain
    }

    fn name(row: &ContextRow, out: &mut String) {
        human::clean(&row.name, out);
    }
}
