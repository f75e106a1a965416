//! How wide each column of a table is, and which ones stay where the terminal is narrow.

use super::columns::Chosen;

/// What stands between two columns.
pub(crate) const GAP: usize = 2;
/// The narrowest that a column of text is made.
const NARROWEST: usize = 8;

/// The columns that are left, each with its place among those that were asked for, and its width.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Layout {
    pub columns: Vec<(usize, usize)>,
}

impl Layout {
    /// `widths` are those that nothing would be cut at; `droppable` says whether columns may be left out.
    pub(crate) fn fit(chosen: &[Chosen], widths: &[usize], terminal: Option<usize>, droppable: bool) -> Self {
        let mut columns: Vec<(usize, usize)> = widths.iter().copied().enumerate().collect();
        let Some(terminal) = terminal else { return Self { columns } };
        let rank = |place: usize| chosen.get(place).map_or(0, |chosen| chosen.column.rank);
        let elastic = |place: usize| chosen.get(place).is_some_and(|chosen| !chosen.column.right);
        let narrow =
            |&(place, width): &(usize, usize)| if elastic(place) { width.min(NARROWEST) } else { width };
        let total = |columns: &[(usize, usize)], width: &dyn Fn(&(usize, usize)) -> usize| {
            columns.iter().map(width).sum::<usize>() + GAP * columns.len().saturating_sub(1)
        };

        while droppable && total(&columns, &|column| narrow(column)) > terminal {
            let least = columns.iter().enumerate().max_by_key(|(_, (place, _))| (rank(*place), *place));
            match least.map(|(index, (place, _))| (index, rank(*place))) {
                Some((index, rank)) if rank > 0 => drop(columns.remove(index)),
                _ => break,
            }
        }
        // What is too much goes from the widest text, a character at a time, so that the cut is shared.
        let mut excess = total(&columns, &|(_, width)| *width).saturating_sub(terminal);
        while excess > 0 {
            let widest = columns
                .iter_mut()
                .filter(|(place, width)| elastic(*place) && *width > NARROWEST)
                .max_by_key(|c| c.1);
            let Some((_, width)) = widest else { break };
            *width -= 1;
            excess -= 1;
        }
        Self { columns }
    }
}

#[cfg(test)]
mod tests {
    use super::super::columns::Column;
    use super::*;

    const COLUMNS: [Column; 4] = [
        Column::number("id", "ID", "id", 0),
        Column::text("uid", "UID", "uid", 1),
        Column::text("client", "CLIENT", "client", 2),
        Column::number("idle", "IDLE", "idle", 9),
    ];

    fn fit(widths: [usize; 4], terminal: usize, droppable: bool) -> Vec<(usize, usize)> {
        static TABLE: [Column; 4] = COLUMNS;
        let chosen: Vec<_> = TABLE.iter().map(|column| Chosen { column, key: None }).collect();
        Layout::fit(&chosen, &widths, Some(terminal), droppable).columns
    }

    #[test]
    fn everything_stays_where_there_is_room() {
        assert_eq!(fit([3, 5, 20, 6], 40, true), [(0, 3), (1, 5), (2, 20), (3, 6)]);
    }

    #[test]
    fn the_widest_text_is_cut_before_a_column_is_left_out() {
        assert_eq!(fit([3, 5, 20, 6], 35, true), [(0, 3), (1, 5), (2, 15), (3, 6)]);
    }

    #[test]
    fn the_least_important_column_goes_first_and_numbers_are_never_cut() {
        assert_eq!(fit([3, 5, 20, 6], 24, true), [(0, 3), (1, 5), (2, 12)]);
        assert_eq!(fit([9, 5, 20, 6], 4, true), [(0, 9)]);
    }

    #[test]
    fn columns_that_were_asked_for_stay() {
        assert_eq!(fit([3, 5, 20, 6], 10, false), [(0, 3), (1, 5), (2, 8), (3, 6)]);
    }
}
