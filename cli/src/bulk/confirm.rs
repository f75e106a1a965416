//! Whether to go on: the question at a terminal, and the guard of scripts.

use std::io::{self, BufRead, Write};

use anyhow::Result;
use connctl_api::error::Exit;
use connctl_api::operation::OperationKind;

use crate::error::Failure;
use crate::output::human::count;

/// Without a terminal and without `--yes`, a set may have so many connections in any case …
const UNASKED: u64 = 20;
/// … or such a share of the node's, in percent.
const UNASKED_PERCENT: u64 = 30;

/// The set that is about to be touched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub operation: OperationKind,
    pub connections: u64,
    /// Where it is known.
    pub users: Option<u64>,
    /// All connections of the node.
    pub node: u64,
}

/// What is to be done before the set is touched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    Ask(String),
    Refuse(String),
}

/// Decides, without asking anybody.
pub(crate) fn verdict(extent: &Extent, can_ask: bool) -> Verdict {
    let Extent { operation, connections, users, node } = *extent;
    if can_ask {
        if connections <= 1 || !operation.is_ending() {
            return Verdict::Go;
        }
        let verb = match operation {
            OperationKind::Reset => "Reset",
            OperationKind::Halfclose => "Half-close",
            OperationKind::Close | OperationKind::Pause | OperationKind::Resume => "Close",
        };
        let of = users.map(|users| format!(" of {}", count(users, "user"))).unwrap_or_default();
        return Verdict::Ask(format!("{verb} {}{of}?", count(connections, "connection")));
    }
    let large = connections > UNASKED
        && u128::from(connections) * 100 > u128::from(node) * u128::from(UNASKED_PERCENT);
    if large && operation.is_ending() {
        return Verdict::Refuse(format!("{connections} of the node's {node} connections would be ended"));
    }
    Verdict::Go
}

/// Acts on a verdict: asks at the terminal where one is there.
pub(crate) fn settle(verdict: Verdict) -> Result<()> {
    match verdict {
        Verdict::Go => Ok(()),
        Verdict::Refuse(message) => Err(Failure::new(Exit::Refused, message)
            .hint("give --yes if that is meant, or narrow the selector")
            .into()),
        Verdict::Ask(question) => {
            let mut stderr = io::stderr();
            write!(stderr, "{question} [y/N] ")?;
            stderr.flush()?;
            let mut answer = String::new();
            let read = io::stdin().lock().read_line(&mut answer)?;
            if read == 0 {
                // The cursor is still behind the question.
                writeln!(stderr)?;
            }
            if is_yes(&answer) { Ok(()) } else { Err(Failure::new(Exit::Refused, "nothing was done").into()) }
        }
    }
}

/// No is the answer to everything else, the end of input as well.
fn is_yes(answer: &str) -> bool {
    matches!(answer.trim().to_ascii_lowercase().as_str(), "y" | "yes")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn extent(operation: OperationKind, connections: u64, node: u64) -> Extent {
        Extent { operation, connections, users: Some(3), node }
    }

    #[test]
    fn a_terminal_is_asked_for_more_than_one_ending() {
        let ask = |extent: &Extent| verdict(extent, true);
        assert_eq!(ask(&extent(OperationKind::Close, 1, 1)), Verdict::Go);
        assert_eq!(
            ask(&extent(OperationKind::Close, 12, 100)),
            Verdict::Ask("Close 12 connections of 3 users?".to_owned())
        );
        assert_eq!(ask(&extent(OperationKind::Pause, 12, 12)), Verdict::Go);
    }

    #[test]
    fn a_script_is_stopped_only_where_much_is_at_stake() {
        let script = |connections, node| verdict(&extent(OperationKind::Close, connections, node), false);
        assert_eq!(script(20, 20), Verdict::Go);
        assert_eq!(script(30, 100), Verdict::Go);
        assert!(matches!(script(31, 100), Verdict::Refuse(_)));
        assert!(matches!(script(21, 21), Verdict::Refuse(_)));
        assert_eq!(verdict(&extent(OperationKind::Resume, 900, 900), false), Verdict::Go);
    }

    #[test]
    fn only_yes_is_yes() {
        for (answer, yes) in
            [("y\n", true), ("YES\n", true), ("", false), ("\n", false), ("n\n", false), ("yep", false)]
        {
            assert_eq!(is_yes(answer), yes, "{answer:?}");
        }
    }
}
