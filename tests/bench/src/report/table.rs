//! The table, and below it the goals.

use comfy_table::{CellAlignment, Table, presets};

use super::goals::Verdict;
use super::number::short;
use super::{Report, Row};
use crate::metric::Better;

/// Columns that hold numbers.
const NUMBERS: [usize; 4] = [2, 3, 4, 5];

pub(crate) fn render(report: &Report) -> String {
    let plural = if report.repetitions == 1 { "" } else { "s, interleaved" };
    let mode = if report.quick { " (--quick: too short to judge by)" } else { "" };
    format!(
        "{}\nmedians of {} repetition{plural}{mode}; ratio: to the best peer's median\n\n{}\n\ngoals\n{}\n",
        report.machine,
        report.repetitions,
        results(&report.results),
        goals(&report.goals)
    )
}

fn results(rows: &[Row]) -> String {
    let mut table = plain();
    table.set_header(["metric", "who", "median", "min", "max", "ratio", ""]);
    let mut last = "";
    for row in rows {
        // The name stands where its group begins.
        let label = if row.metric.id == last { String::new() } else { heading(row) };
        last = row.metric.id;
        let mut cells = vec![label, row.who.name().to_owned()];
        match row.spread {
            Some(spread) => cells.extend([short(spread.median), short(spread.min), short(spread.max)]),
            None => cells.extend(["-"; 3].map(str::to_owned)),
        }
        cells.push(row.ratio_to_best_peer.map_or_else(String::new, |ratio| format!("{ratio:.2}")));
        cells.push(remark(row));
        table.add_row(cells);
    }
    align(&mut table, &NUMBERS);
    table.trim_fmt()
}

fn heading(row: &Row) -> String {
    let better = match row.metric.better {
        Better::More => "more is better",
        Better::Less => "less is better",
    };
    format!("{} ({}, {better})", row.metric.label, row.metric.unit)
}

fn remark(row: &Row) -> String {
    match &row.error {
        Some(error) => format!("failed: {}", error.lines().next().unwrap_or_default()),
        None if row.best_peer => "best peer".to_owned(),
        None => String::new(),
    }
}

fn goals(verdicts: &[Verdict]) -> String {
    let mut table = plain();
    table.set_header(["goal", "against", "wanted", "measured", ""]);
    for verdict in verdicts {
        let measured = verdict.measured.map_or_else(|| "-".to_owned(), |ratio| format!("{ratio:.2}"));
        let outcome = match verdict.met {
            Some(true) => "met",
            Some(false) => "not met",
            None => "not measured",
        };
        let wanted = format!("{} {:.2}", verdict.relation.sign(), verdict.limit);
        table.add_row([verdict.label, verdict.against, &wanted, &measured, outcome]);
    }
    align(&mut table, &[2, 3]);
    table.trim_fmt()
}

/// No lines, so that it can be cut and searched with the usual tools.
fn plain() -> Table {
    let mut table = Table::new();
    table.load_style(presets::NOTHING);
    table
}

fn align(table: &mut Table, columns: &[usize]) {
    for &index in columns {
        if let Some(column) = table.column_mut(index) {
            column.set_cell_alignment(CellAlignment::Right);
        }
    }
}
