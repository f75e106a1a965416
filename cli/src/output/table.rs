//! Tables. A small one is laid out by comfy-table when all of it is known; a large one is written as its rows
//! come, with the widths that its first rows have. Both look the same, and a test says so.

use std::io::{self, Write};

use comfy_table::{Cell, CellAlignment, ColumnConstraint, ContentArrangement, Row, Width, presets};
use unicode_width::{UnicodeWidthChar, UnicodeWidthStr};

use super::columns::Chosen;
use super::layout::{GAP, Layout};
use super::style::{RESET, Style, Tone};

/// The most rows that are held back to find the widths.
const FIRST_LOOK_ROWS: usize = 500;
/// Columns of this rank and above are left out where they are empty.
const OPTIONAL_RANK: u8 = 2;
/// What stands in an empty cell.
const NOTHING: &str = "-";
/// What stands where text was cut.
const CUT: char = '…';

/// How a table looks.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Look {
    pub style: Style,
    pub headers: bool,
    /// Of the terminal; nothing is cut where there is none.
    pub width: Option<usize>,
    /// Whether columns may be left out.
    pub droppable: bool,
}

/// A table that is being written.
#[derive(Debug)]
pub(crate) struct Table {
    chosen: Vec<Chosen>,
    look: Look,
    /// The rows of the first look, cell by cell; empty once the widths are fixed.
    first: Vec<(String, Tone)>,
    layout: Option<Layout>,
    line: String,
    cell: String,
}

impl Table {
    pub(crate) fn new(chosen: Vec<Chosen>, look: Look) -> Self {
        Self { chosen, look, first: Vec::new(), layout: None, line: String::new(), cell: String::new() }
    }

    /// Adds a row; `fill` appends the text of a column.
    pub(crate) fn row(
        &mut self,
        out: &mut dyn Write,
        mut fill: impl FnMut(&Chosen, &mut String) -> Tone,
    ) -> io::Result<()> {
        if let Some(layout) = &self.layout {
            self.line.clear();
            for (index, (place, width)) in layout.columns.iter().enumerate() {
                let Some(chosen) = self.chosen.get(*place) else { continue };
                self.cell.clear();
                let tone = fill(chosen, &mut self.cell);
                let last = index + 1 == layout.columns.len();
                let text = if self.cell.is_empty() { NOTHING } else { &self.cell };
                pad(&mut self.line, text, *width, chosen.column.right, last, self.look.style.start(tone));
            }
            return end_line(&mut self.line, out);
        }
        for chosen in &self.chosen {
            let mut text = String::new();
            let tone = fill(chosen, &mut text);
            if text.is_empty() {
                text.push_str(NOTHING);
            }
            self.first.push((text, tone));
        }
        if self.first.len() >= FIRST_LOOK_ROWS * self.chosen.len().max(1) {
            self.begin(out)?;
        }
        Ok(())
    }

    /// Writes the rows that are held back; later ones come with their widths.
    pub(crate) fn begin_now(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.layout.is_none() && !self.first.is_empty() { self.begin(out) } else { Ok(()) }
    }

    /// Writes what is left. A table without rows is written as nothing.
    pub(crate) fn finish(&mut self, out: &mut dyn Write) -> io::Result<()> {
        if self.layout.is_some() || self.first.is_empty() {
            return Ok(());
        }
        if self.look.droppable {
            self.leave_out_empty();
        }
        let layout = self.fit(&self.widths());
        self.whole(&layout, out)
    }

    /// Leaves out the columns of lesser rank in which no row has anything.
    fn leave_out_empty(&mut self) {
        let columns = self.chosen.len();
        let has_something =
            |place: usize| self.first.iter().skip(place).step_by(columns).any(|c| c.0 != NOTHING);
        let kept: Vec<bool> = self
            .chosen
            .iter()
            .enumerate()
            .map(|(place, chosen)| chosen.column.rank < OPTIONAL_RANK || has_something(place))
            .collect();
        if kept.iter().all(|kept| *kept) {
            return;
        }
        let mut columns = kept.iter();
        self.chosen.retain(|_| columns.next().copied().unwrap_or(true));
        let mut cells = kept.iter().cycle();
        self.first.retain(|_| cells.next().copied().unwrap_or(true));
    }

    /// The widths at which nothing of the first look is cut.
    fn widths(&self) -> Vec<usize> {
        let title = |chosen: &Chosen| {
            let title = if self.look.headers { chosen.title().width() } else { 0 };
            title.max(chosen.column.least)
        };
        let mut widths: Vec<usize> = self.chosen.iter().map(title).collect();
        for row in self.first.chunks(self.chosen.len().max(1)) {
            for (width, (text, _)) in widths.iter_mut().zip(row) {
                *width = (*width).max(display_width(text));
            }
        }
        widths
    }

    fn fit(&self, widths: &[usize]) -> Layout {
        Layout::fit(&self.chosen, widths, self.look.width, self.look.droppable)
    }

    /// Fixes the widths and writes the first look.
    fn begin(&mut self, out: &mut dyn Write) -> io::Result<()> {
        let mut widths = self.widths();
        for (width, chosen) in widths.iter_mut().zip(&self.chosen) {
            *width = (*width).max(chosen.column.room);
        }
        let layout = self.fit(&widths);
        if self.look.headers {
            let titles = layout.columns.iter().enumerate();
            for (index, (place, width)) in titles {
                let Some(chosen) = self.chosen.get(*place) else { continue };
                let last = index + 1 == layout.columns.len();
                let style = self.look.style.title();
                pad(&mut self.line, chosen.title(), *width, chosen.column.right, last, style);
            }
            end_line(&mut self.line, out)?;
        }
        let first = std::mem::take(&mut self.first);
        for row in first.chunks(self.chosen.len().max(1)) {
            self.line.clear();
            for (index, (place, width)) in layout.columns.iter().enumerate() {
                let (Some(chosen), Some((text, tone))) = (self.chosen.get(*place), row.get(*place)) else {
                    continue;
                };
                let last = index + 1 == layout.columns.len();
                pad(&mut self.line, text, *width, chosen.column.right, last, self.look.style.start(*tone));
            }
            end_line(&mut self.line, out)?;
        }
        self.layout = Some(layout);
        Ok(())
    }

    /// Writes a table all of which is known.
    fn whole(&mut self, layout: &Layout, out: &mut dyn Write) -> io::Result<()> {
        let mut table = comfy_table::Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Disabled)
            .set_truncation_indicator("");
        let of = |text: &str, width: usize| {
            let mut cut = String::new();
            shorten(text, width, &mut cut);
            Cell::new(cut)
        };
        if self.look.headers {
            let titles =
                layout.columns.iter().filter_map(|(place, width)| Some((self.chosen.get(*place)?, width)));
            table.set_header(titles.map(|(chosen, width)| of(chosen.title(), *width)).collect::<Vec<_>>());
        }
        for row in self.first.chunks(self.chosen.len().max(1)) {
            let cells = layout.columns.iter().filter_map(|(place, width)| Some((row.get(*place)?, width)));
            let mut row = Row::from(cells.map(|((text, _), width)| of(text, *width)).collect::<Vec<_>>());
            row.max_height(1);
            table.add_row(row);
        }
        for (index, (place, width)) in layout.columns.iter().enumerate() {
            let Some(column) = table.column_mut(index) else { continue };
            let right = self.chosen.get(*place).is_some_and(|chosen| chosen.column.right);
            let gap = if index + 1 == layout.columns.len() { 0 } else { GAP };
            let [gap, width] = [gap, *width].map(|number| u16::try_from(number).unwrap_or(u16::MAX));
            column.set_padding((0, gap));
            column.set_constraint(ColumnConstraint::Absolute(Width::Fixed(width.saturating_add(gap))));
            column.set_cell_alignment(if right { CellAlignment::Right } else { CellAlignment::Left });
        }
        let mut rows = self.first.chunks(self.chosen.len().max(1));
        for (number, line) in table.lines().enumerate() {
            let line = line.trim_end();
            if self.look.headers && number == 0 {
                match self.look.style.title() {
                    Some(start) => writeln!(out, "{start}{line}{RESET}")?,
                    None => writeln!(out, "{line}")?,
                }
                continue;
            }
            let row = rows.next().unwrap_or_default();
            let tones =
                layout.columns.iter().map(|(place, width)| (*width, row.get(*place).map(|cell| cell.1)));
            self.line.clear();
            paint(line, tones, self.look.style, &mut self.line);
            end_line(&mut self.line, out)?;
        }
        Ok(())
    }
}

/// Colours the cells of a line whose columns have known widths.
fn paint(line: &str, tones: impl Iterator<Item = (usize, Option<Tone>)>, style: Style, out: &mut String) {
    let mut rest = line;
    for (width, tone) in tones {
        let (cell, after) = rest.split_at(prefix_of(rest, width));
        let start = tone.and_then(|tone| style.start(tone));
        coloured(cell, start, out);
        let (gap, after) = after.split_at(prefix_of(after, GAP));
        out.push_str(gap);
        rest = after;
    }
    out.push_str(rest);
}

/// Appends text with its spaces outside of the colour.
fn coloured(text: &str, start: Option<&str>, out: &mut String) {
    let Some(start) = start else { return out.push_str(text) };
    let inner = text.trim_start();
    out.push_str(&text[..text.len() - inner.len()]);
    let word = inner.trim_end();
    out.push_str(start);
    out.push_str(word);
    out.push_str(RESET);
    out.push_str(&inner[word.len()..]);
}

/// The length in bytes of the longest prefix that is at most so wide.
fn prefix_of(text: &str, width: usize) -> usize {
    let mut left = width;
    for (at, c) in text.char_indices() {
        let wide = c.width().unwrap_or(0);
        if wide > left {
            return at;
        }
        left -= wide;
    }
    text.len()
}

fn display_width(text: &str) -> usize {
    if text.is_ascii() { text.len() } else { text.width() }
}

/// Appends text, cut to a width.
fn shorten(text: &str, width: usize, out: &mut String) -> usize {
    let full = display_width(text);
    if full <= width {
        out.push_str(text);
        return full;
    }
    let kept = &text[..prefix_of(text, width.saturating_sub(1))];
    out.push_str(kept);
    out.push(CUT);
    display_width(kept) + 1
}

/// Appends a cell of a line. Numbers are never cut: a line that sticks out is better than a wrong number.
fn pad(line: &mut String, text: &str, width: usize, right: bool, last: bool, start: Option<&str>) {
    let before = if right { width.saturating_sub(display_width(text)) } else { 0 };
    spaces(before, line);
    if let Some(start) = start {
        line.push_str(start);
    }
    let used = if right {
        line.push_str(text);
        before + display_width(text)
    } else {
        shorten(text, width, line)
    };
    if start.is_some() {
        line.push_str(RESET);
    }
    if !last {
        spaces(width.saturating_sub(used) + GAP, line);
    }
}

fn spaces(mut number: usize, line: &mut String) {
    const MANY: &str = "                                ";
    while number > 0 {
        let some = number.min(MANY.len());
        line.push_str(&MANY[..some]);
        number -= some;
    }
}

fn end_line(line: &mut String, out: &mut dyn Write) -> io::Result<()> {
    line.truncate(line.trim_end().len());
    line.push('\n');
    out.write_all(line.as_bytes())?;
    line.clear();
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::super::columns::Column;
    use super::*;

    static COLUMNS: [Column; 3] = [
        Column::number("id", "ID", "id", 0),
        Column::text("uid", "UID", "uid", 1),
        Column::text("state", "STATE", "state", 2),
    ];

    fn print(rows: &[(&str, &str, &str)], look: Look, streamed: bool) -> String {
        let chosen = COLUMNS.iter().map(|column| Chosen { column, key: None }).collect();
        let mut table = Table::new(chosen, look);
        let mut out = Vec::new();
        for (place, row) in rows.iter().enumerate() {
            table
                .row(&mut out, |chosen, cell| {
                    cell.push_str(match chosen.column.name {
                        "id" => row.0,
                        "uid" => row.1,
                        _ => row.2,
                    });
                    if chosen.column.name == "state" { Tone::Good } else { Tone::Plain }
                })
                .unwrap();
            if streamed && place == 0 {
                table.begin(&mut out).unwrap();
            }
        }
        table.finish(&mut out).unwrap();
        String::from_utf8(out).unwrap()
    }

    const ROWS: &[(&str, &str, &str)] =
        &[("12", "a longer user", "half_closed"), ("1", "ünïcødé 漢字", "active"), ("3", "", "x y  z")];

    fn look(on: bool, width: Option<usize>) -> Look {
        Look { style: Style::new(on), headers: true, width, droppable: true }
    }

    #[test]
    fn columns_are_aligned_and_nothing_is_empty() {
        let expected = "\
ID  UID            STATE
12  a longer user  half_closed
 1  ünïcødé 漢字   active
 3  -              x y  z
";
        assert_eq!(print(ROWS, look(false, None), false), expected);
    }

    #[test]
    fn text_is_cut_to_the_terminal() {
        let expected = "\
ID  UID         STATE
12  a longer …  half_clos…
 1  ünïcødé …   active
 3  -           x y  z
";
        assert_eq!(print(ROWS, look(false, Some(26)), false), expected);
    }

    #[test]
    fn both_ways_of_writing_look_the_same() {
        for width in [None, Some(80), Some(26), Some(20)] {
            for on in [false, true] {
                let [whole, streamed] = [false, true].map(|streamed| print(ROWS, look(on, width), streamed));
                let plain =
                    |text: &str| text.replace(RESET, "").replace("\x1b[1m", "").replace("\x1b[32m", "");
                assert_eq!(plain(&whole), plain(&streamed));
                assert!(whole.lines().skip(1).eq(streamed.lines().skip(1)), "{whole}{streamed}");
            }
        }
    }

    #[test]
    fn a_column_of_lesser_rank_is_left_out_where_it_is_empty() {
        let rows = &[("12", "", ""), ("1", "", "")];
        assert_eq!(print(rows, look(false, None), false), "ID  UID\n12  -\n 1  -\n");
        let asked = Look { droppable: false, ..look(false, None) };
        assert_eq!(print(rows, asked, false), "ID  UID  STATE\n12  -    -\n 1  -    -\n");
    }

    #[test]
    fn no_rows_are_no_table() {
        assert_eq!(print(&[], look(true, None), false), "");
    }
}
