//! Whether to go on: the question at a terminal, and the guard of scripts.

use std::io::{self, BufRead, Write};

use anyhow::Result;
use connctl_api::error::Exit;
use connctl_api::operation::{OperationKind, is_large};
use connctl_api::plan::PlanRow;

use crate::error::Failure;
use crate::output::human::count;

/// The set that is about to be touched.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extent {
    pub operation: OperationKind,
    pub connections: u64,
    /// Where it is known.
    pub users: Option<u64>,
    /// All connections of the node.
    pub node: u64,
    /// Connections named one by one, or `--all`: what is meant is said, and `--yes` is enough.
    pub is_explicit: bool,
}

impl Extent {
    /// A plan's: whoever names it has seen its set.
    pub(crate) fn of(plan: &PlanRow) -> Self {
        Self {
            operation: plan.operation,
            connections: plan.connections,
            users: Some(plan.users).filter(|users| *users > 0),
            node: plan.node_connections,
            is_explicit: true,
        }
    }
}

/// What is to be done before the set is touched.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Verdict {
    Go,
    Ask(String),
    /// Why, and what to give.
    Refuse(String, String),
}

/// Decides, without asking anybody.
pub(crate) fn verdict(extent: &Extent, can_ask: bool) -> Verdict {
    let Extent { operation, connections, users, node, is_explicit } = *extent;
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
    if is_large(connections, node) && operation.is_ending() {
        let message = format!("{connections} of the node's {node} connections would be ended");
        return Verdict::Refuse(message, flags(connections, is_explicit));
    }
    Verdict::Go
}

/// What says that so many are meant.
pub(crate) fn flags(connections: u64, is_explicit: bool) -> String {
    if is_explicit {
        "give --yes if that is meant, or name fewer".to_owned()
    } else {
        format!("give --yes --max {connections} if that is meant, or narrow the selector")
    }
}

/// Acts on a verdict: asks at the terminal where one is there.
pub(crate) fn settle(verdict: Verdict) -> Result<()> {
    match verdict {
        Verdict::Go => Ok(()),
        Verdict::Refuse(message, hint) => Err(Failure::new(Exit::Refused, message).hint(hint).into()),
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
        Extent { operation, connections, users: Some(3), node, is_explicit: false }
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
        assert!(matches!(script(31, 100), Verdict::Refuse(_, hint) if hint.contains("--yes --max 31")));
        assert!(matches!(script(21, 21), Verdict::Refuse(..)));
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
