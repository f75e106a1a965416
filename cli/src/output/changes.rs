//! Connections as a watched list tells of them: each with what became of it.

use anyhow::{Context, Result};
use serde::Deserialize;

use super::columns::{Chosen, Column, Record};
use super::conn::Conns;
use super::conn_view::ConnView;
use super::style::Tone;
use super::tree::Tree;

/// What became of a connection since the last look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Change {
    /// It has come, or is selected from now on.
    New,
    /// Its user, device, tags, state or upstream is another.
    Changed,
    /// It has ended, or is selected no longer.
    Gone,
}

impl Change {
    const fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Changed => "changed",
            Self::Gone => "gone",
        }
    }

    /// The row with this word behind all that it has.
    pub(crate) fn marked(self, row: &[u8]) -> Vec<u8> {
        let open = row.trim_ascii_end().strip_suffix(b"}").unwrap_or(row);
        [open, MARK.as_bytes(), self.word().as_bytes(), b"\"}"].concat()
    }
}

/// What stands between a row and the word.
const MARK: &str = ",\"change\":\"";

/// The rows of a watched listing.
#[derive(Debug)]
pub(crate) struct Changes;

/// A row and the word.
#[derive(Debug, Deserialize)]
pub(crate) struct ChangeView<'a> {
    #[serde(flatten, borrow)]
    row: ConnView<'a>,
    change: &'a str,
}

const CHANGE: Column = Column::text("change", "CHANGE", "change", 0).room(7);
const COLUMNS: usize = Conns::COLUMNS.len() + 1;
const FIELDS: usize = Conns::FIELDS.len() + 1;

#[expect(clippy::indexing_slicing, reason = "the compiler carries it out")]
const fn with_change() -> [Column; COLUMNS] {
    let mut all = [CHANGE; COLUMNS];
    let mut place = 0;
    while place < Conns::COLUMNS.len() {
        all[place + 1] = Conns::COLUMNS[place];
        place += 1;
    }
    all
}

#[expect(clippy::indexing_slicing, reason = "the compiler carries it out")]
const fn and_change() -> [&'static str; FIELDS] {
    let mut all = ["change"; FIELDS];
    let mut place = 0;
    while place < Conns::FIELDS.len() {
        all[place] = Conns::FIELDS[place];
        place += 1;
    }
    all
}

impl Record for Changes {
    type View<'a> = ChangeView<'a>;

    const FIELDS: &'static [&'static str] = &and_change();
    const COLUMNS: &'static [Column] = &with_change();

    fn read(line: &[u8]) -> Result<ChangeView<'_>> {
        let text = std::str::from_utf8(line)?;
        let (_, word) = text.rsplit_once(MARK).context("a row of a watched list has no change")?;
        Ok(ChangeView { row: Conns::read(line)?, change: word.trim_end_matches(['"', '}']) })
    }

    fn cell(view: &ChangeView<'_>, column: &Chosen, out: &mut String) -> Tone {
        if column.column.name != CHANGE.name {
            return Conns::cell(&view.row, column, out);
        }
        out.push_str(view.change);
        match view.change {
            "new" => Tone::Good,
            "gone" => Tone::Dim,
            _ => Tone::Careful,
        }
    }

    fn name(view: &ChangeView<'_>, out: &mut String) {
        Conns::name(&view.row, out);
    }

    fn computed(view: &ChangeView<'_>, column: &Chosen) -> Tree {
        Conns::computed(&view.row, column)
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::{named, usual};
    use super::*;

    const ROW: &str = r#"{"conn_id":12,"node_id":1,"uid":",\"change\":\"new","device":null,"tags":{},"listener":"redis","mode":"echo","state":"active","client":"[::1]:40312","local":"127.0.0.1:7001","upstream":null,"opened_at":"2026-11-21T12:00:00.123Z","age_ms":192000,"idle_ms":310,"to_upstream_bytes":812,"to_client_bytes":40960}"#;

    #[test]
    fn a_marked_row_is_a_row_with_a_word_whatever_its_user_is_called() {
        let line = Change::Gone.marked(ROW.as_bytes());
        let value: serde_json::Value = serde_json::from_slice(&line).unwrap();
        assert_eq!((value["change"].as_str(), value["conn_id"].as_u64()), (Some("gone"), Some(12)));
        let view = Changes::read(&line).unwrap();
        let cells = named::<Changes>(&["change".to_owned(), "conn_id".to_owned()]).unwrap();
        let mut text = String::new();
        cells.iter().for_each(|chosen| {
            Changes::cell(&view, chosen, &mut text);
        });
        assert_eq!(text, "gone12");
        assert_eq!(usual::<Changes>(false)[0].column.name, "change");
        assert!(Changes::FIELDS.ends_with(&["to_client_bytes", "change"]));
    }
}
