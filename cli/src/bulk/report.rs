//! From a summary to an exit code and a line for people.

use connctl_api::error::Exit;
use connctl_api::operation::{OperationKind, Summary};

use crate::output::human::count;

/// The exit code of a bulk operation. A connection that ended by itself before its turn is as good as done.
pub(crate) const fn exit_of(summary: &Summary) -> Exit {
    let fine = summary.done + summary.skipped;
    let bad = summary.failed + summary.timed_out + summary.not_found;
    match (fine, bad) {
        (_, 0) => Exit::Done,
        (0, _) if bad == summary.not_found => Exit::NotFound,
        (0, _) if bad == summary.timed_out => Exit::TimedOut,
        (0, _) => Exit::Failed,
        (_, _) => Exit::Partial,
    }
}

/// `12 connections closed, 1 timed out`.
pub(crate) fn line_of(operation: OperationKind, summary: &Summary) -> String {
    let done = match operation {
        OperationKind::Close => "closed",
        OperationKind::Reset => "reset",
        OperationKind::Halfclose => "half-closed",
        OperationKind::Pause => "paused",
        OperationKind::Resume => "resumed",
    };
    let mut line = format!("{} {done}", count(summary.done, "connection"));
    for (number, word) in [
        (summary.skipped, "ended before"),
        (summary.failed, "failed"),
        (summary.timed_out, "timed out"),
        (summary.not_found, "not found"),
    ] {
        if number > 0 {
            line += &format!(", {number} {word}");
        }
    }
    line
}

#[cfg(test)]
mod tests {
    use connctl_api::operation::ItemStatus::{self, Done, Failed, NotFound, Skipped, TimedOut};

    use super::*;

    fn summary(statuses: &[ItemStatus]) -> Summary {
        let mut summary = Summary::default();
        statuses.iter().for_each(|status| summary.add(*status));
        summary
    }

    #[test]
    fn the_exit_code_tells_all_some_and_none_apart() {
        for (statuses, exit) in [
            (&[][..], Exit::Done),
            (&[Done, Skipped], Exit::Done),
            (&[NotFound, NotFound], Exit::NotFound),
            (&[TimedOut], Exit::TimedOut),
            (&[Failed], Exit::Failed),
            (&[Failed, NotFound], Exit::Failed),
            (&[Done, NotFound], Exit::Partial),
            (&[Done, Failed, TimedOut], Exit::Partial),
            (&[Skipped, Failed], Exit::Partial),
        ] {
            assert_eq!(exit_of(&summary(statuses)), exit, "{statuses:?}");
        }
    }

    #[test]
    fn the_line_names_only_what_happened() {
        let line = line_of(OperationKind::Close, &summary(&[Done, NotFound]));
        assert_eq!(line, "1 connection closed, 1 not found");
        assert_eq!(line_of(OperationKind::Reset, &summary(&[])), "0 connections reset");
    }
}
