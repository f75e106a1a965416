//! What can be shown of a kind of thing: its fields on the wire and its columns in a table.

use anyhow::Result;
use serde::Deserialize;

use super::line::read;
use super::style::Tone;
use super::tree::Tree;
use crate::error::Failure;

/// A column of a table.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Column {
    /// What `--columns` calls it.
    pub name: &'static str,
    /// What stands above it.
    pub title: &'static str,
    /// The field on the wire that it shows; empty where it is computed from several.
    pub wire: &'static str,
    /// Numbers stand on the right and are never cut.
    pub right: bool,
    /// How much it matters: 0 is never left out, the largest goes first where the terminal is narrow.
    pub rank: u8,
    /// Where it is shown without being asked for.
    pub shown: Shown,
    /// The width it gets at least in a table that is written before all its rows are known.
    pub room: usize,
    /// The width it always has at least: what changes from second to second does not move its neighbours.
    pub least: usize,
}

/// Where a column is shown without being asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    Table,
    Wide,
    Asked,
}

impl Column {
    pub(crate) const fn text(name: &'static str, title: &'static str, wire: &'static str, rank: u8) -> Self {
        Self { name, title, wire, right: false, rank, shown: Shown::Table, room: 0, least: 0 }
    }

    pub(crate) const fn number(
        name: &'static str,
        title: &'static str,
        wire: &'static str,
        rank: u8,
    ) -> Self {
        Self { name, title, wire, right: true, rank, shown: Shown::Table, room: 0, least: 0 }
    }

    #[must_use]
    pub(crate) const fn room(self, room: usize) -> Self {
        Self { room, ..self }
    }

    #[must_use]
    pub(crate) const fn least(self, least: usize) -> Self {
        Self { least, ..self }
    }

    #[must_use]
    pub(crate) const fn shown(self, shown: Shown) -> Self {
        Self { shown, ..self }
    }
}

/// A kind of thing that is printed. It is handed about as the JSON line that stands for it, so that the forms
/// for programs need not read it.
pub(crate) trait Record: 'static {
    /// It, read as far as a table needs it.
    type View<'a>: Deserialize<'a>;
    /// Its fields on the wire, in order: the header of CSV.
    const FIELDS: &'static [&'static str];
    /// Its columns, in order.
    const COLUMNS: &'static [Column];

    /// Reads the line that stands for it.
    fn read(line: &[u8]) -> Result<Self::View<'_>> {
        read(line)
    }

    /// Appends the text of a cell.
    fn cell(view: &Self::View<'_>, column: &Chosen, out: &mut String) -> Tone;

    /// Appends the name of the thing; nothing where `-o name` leaves it out.
    fn name(view: &Self::View<'_>, out: &mut String);

    /// The value of a column that is computed.
    fn computed(_view: &Self::View<'_>, _column: &Chosen) -> Tree {
        Tree::Null
    }
}

/// A column that is shown.
#[derive(Debug, Clone)]
pub(crate) struct Chosen {
    pub column: &'static Column,
    /// Of `tag.KEY`.
    pub key: Option<String>,
}

impl Chosen {
    /// What stands above it.
    pub(crate) fn title(&self) -> &str {
        self.key.as_deref().unwrap_or(self.column.title)
    }

    /// What it is called in the forms for programs.
    pub(crate) fn wire(&self) -> String {
        match &self.key {
            Some(key) => format!("tag.{key}"),
            None if self.column.wire.is_empty() => self.column.name.to_owned(),
            None => self.column.wire.to_owned(),
        }
    }
}

/// The columns that nobody had to ask for.
pub(crate) fn usual<R: Record>(wide: bool) -> Vec<Chosen> {
    let shown = |column: &&Column| match column.shown {
        Shown::Table => true,
        Shown::Wide => wide,
        Shown::Asked => false,
    };
    R::COLUMNS.iter().filter(shown).map(|column| Chosen { column, key: None }).collect()
}

/// The columns of these names. A name of the wire does as well.
pub(crate) fn named<R: Record>(names: &[String]) -> Result<Vec<Chosen>, Failure> {
    names.iter().map(|name| find::<R>(name.trim())).collect()
}

fn find<R: Record>(name: &str) -> Result<Chosen, Failure> {
    let by_name = R::COLUMNS.iter().find(|column| column.name == name || column.wire == name);
    if let Some(column) = by_name.filter(|_| !name.is_empty()) {
        return Ok(Chosen { column, key: None });
    }
    let tag = R::COLUMNS.iter().find(|column| column.name == "tag.KEY");
    if let (Some(column), Some(key)) = (tag, name.strip_prefix("tag.").filter(|key| !key.is_empty())) {
        return Ok(Chosen { column, key: Some(key.to_owned()) });
    }
    let known: Vec<_> = R::COLUMNS.iter().map(|column| column.name).collect();
    Err(Failure::usage(format!("there is no column {name:?}"))
        .hint(format!("the columns are {}", known.join(", "))))
}
