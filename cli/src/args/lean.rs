//! A command line is read with the verbs that it names, and no others: to build all of them takes longer than a
//! call to an agent on the same machine.
//!
//! What reads a line with fewer verbs reads it as all of them would. Whatever it does not read (help, a mistake) is
//! left to the whole tree, which alone knows every text.

use std::ffi::OsString;

use clap::{Args, Command, FromArgMatches as _, Parser as _, Subcommand};

use super::Cli;
use super::audit::AuditVerb;
use super::bulk::{ChangeArgs, RemoveArgs};
use super::context::ContextVerb;
use super::job::JobVerb;
use super::limit::LimitVerb;
use super::listener::ListenerVerb;
use super::output::OutputArgs;
use super::past::{EventsArgs, HistoryArgs};
use super::revoke::RevokeArgs;
use super::target::TargetArgs;
use super::top::TopArgs;
#[cfg(feature = "agent")]
use super::verb::DemoArgs;
use super::verb::{
    AgentVerb, ApplyArgs, AssignArgs, CompletionArgs, ListArgs, ManArgs, NodeVerb, ShowArgs, StatsArgs,
    WaitArgs,
};

/// Adds a verb's arguments to a command.
type Grow = fn(Command) -> Command;

/// What the verbs take. A verb that is not here is read with the whole tree.
static VERBS: &[(&str, Grow)] = &[
    ("list", ListArgs::augment_args),
    ("show", ShowArgs::augment_args),
    ("remove", RemoveArgs::augment_args),
    ("reset", ChangeArgs::augment_args),
    ("halfclose", ChangeArgs::augment_args),
    ("pause", ChangeArgs::augment_args),
    ("resume", ChangeArgs::augment_args),
    ("apply", ApplyArgs::augment_args),
    ("job", group::<JobVerb>),
    ("revoke", RevokeArgs::augment_args),
    ("listener", group::<ListenerVerb>),
    ("limit", group::<LimitVerb>),
    ("node", group::<NodeVerb>),
    ("stats", StatsArgs::augment_args),
    ("top", TopArgs::augment_args),
    ("history", HistoryArgs::augment_args),
    ("why", ShowArgs::augment_args),
    ("events", EventsArgs::augment_args),
    ("audit", group::<AuditVerb>),
    ("assign", AssignArgs::augment_args),
    ("wait", WaitArgs::augment_args),
    ("agent", group::<AgentVerb>),
    ("context", group::<ContextVerb>),
    ("completion", CompletionArgs::augment_args),
    ("man", ManArgs::augment_args),
    #[cfg(feature = "agent")]
    ("demo", DemoArgs::augment_args),
];

/// Reads a command line, the program's name first.
///
/// # Errors
/// As clap has it: a mistake, or that help or the version is asked for.
pub(crate) fn parse(words: &[OsString]) -> Result<Cli, clap::Error> {
    read(words).map_or_else(|| Cli::try_parse_from(words), Ok)
}

/// The same with the verbs that are among the words; nothing where that is not enough.
fn read(words: &[OsString]) -> Option<Cli> {
    let mut command = tree(words.iter().skip(1).filter_map(|word| word.to_str()));
    let mut matches = command.try_get_matches_from_mut(words).ok()?;
    Cli::from_arg_matches_mut(&mut matches).ok()
}

/// The tree with only these verbs. What is only said in help is left out.
fn tree<'a>(words: impl Iterator<Item = &'a str>) -> Command {
    let top = OutputArgs::augment_args(TargetArgs::augment_args(Command::new("connctl")));
    words.fold(top.subcommand_required(true), |top, word| {
        match VERBS.iter().find(|(verb, _)| *verb == word) {
            Some((verb, grow)) if top.find_subcommand(verb).is_none() => {
                top.subcommand(grow(Command::new(*verb)))
            }
            _ => top,
        }
    })
}

/// A verb that has verbs of its own.
fn group<V: Subcommand>(command: Command) -> Command {
    V::augment_subcommands(command.subcommand_required(true))
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;

    use super::*;

    fn words(line: &str) -> Vec<OsString> {
        std::iter::once("connctl").chain(line.split_whitespace()).map(OsString::from).collect()
    }

    /// All that decides how a line is read.
    fn shape(command: &Command) -> String {
        let args: Vec<_> = command.get_arguments().map(|arg| format!("{arg:?}")).collect();
        let groups: Vec<_> = command.get_groups().map(|group| format!("{group:?}")).collect();
        let verbs: Vec<_> =
            command.get_subcommands().map(|verb| format!("{}{}", verb.get_name(), shape(verb))).collect();
        format!("{:?} {args:?} {groups:?} {verbs:?}", command.is_subcommand_required_set())
    }

    #[test]
    fn every_verb_is_read_as_the_whole_tree_reads_it() {
        let whole = Cli::command();
        for verb in whole.get_subcommands() {
            let own = tree(std::iter::once(verb.get_name()));
            let lean = own.find_subcommand(verb.get_name());
            let lean = lean.unwrap_or_else(|| panic!("{} is missing in VERBS", verb.get_name()));
            assert_eq!(shape(lean), shape(verb), "{}", verb.get_name());
            assert_eq!(own.get_subcommands().count(), 1);
        }
        let top = |command: &Command| {
            let args: Vec<_> = command.get_arguments().map(|arg| format!("{arg:?}")).collect();
            (args, command.is_subcommand_required_set())
        };
        assert_eq!(top(&tree(std::iter::empty())), top(&whole));
    }

    #[test]
    fn what_is_read_is_what_the_whole_tree_reads() {
        for line in [
            "list",
            "--agent list list --where list=list",
            "list --agent unix:/a -o jsonl --uid u1 --uid u2 --limit 7 --sort -age",
            "show show 12",
            "show 12 --quiet",
            "--context remove show 12",
            "wait --for count=0 --then remove --yes",
            "remove --uid u1 --type reset --yes --max 7 --rate 50/s",
            "remove --batch - reset",
            "reset --conn-id 7 --side client",
            "revoke list",
            "revoke lift 3",
            "revoke --uid list",
            "revoke --uid u1 lift 3",
            "listener reject list --after 2",
            "listener",
            "job wait list",
            "job list list",
            "context add list unix:/list --use",
            "agent status --timeout 3s",
            "agent run --echo 127.0.0.1:0",
            "man list",
            "completion bash",
            "limit set --listener pg idle_timeout=10m",
            "audit list --verb list --result done",
            "-- list",
            "list -- 7",
            "lisst",
            "list --uidd u1",
            "list -h",
            "--help",
            "--version",
            "help list",
            "list list",
            "--version list",
            "show none",
            "",
        ] {
            let words = words(line);
            match (parse(&words), Cli::try_parse_from(&words)) {
                (Ok(lean), Ok(whole)) => assert_eq!(format!("{lean:?}"), format!("{whole:?}"), "{line}"),
                (Err(lean), Err(whole)) => {
                    assert_eq!(lean.to_string(), whole.to_string(), "{line}");
                    assert!(read(&words).is_none(), "{line}");
                }
                (lean, whole) => panic!("{line}: {lean:?}, and not {whole:?}"),
            }
        }
        // Not by way of the whole tree.
        assert!(read(&words("--agent unix:/a list -o jsonl")).is_some());
    }
}
