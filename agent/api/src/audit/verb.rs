//! The verbs of the audit: what it writes, and the commands by which somebody looks for it.

use crate::error::{ApiError, ErrorCode};
use crate::selector::suggest::nearest;

/// Every verb that is written, as the VERB column shows it. The operations are those of
/// [`crate::operation::OperationKind`], and the rest is what [`crate::route::verb`] makes of a call.
pub const WRITTEN: &[&str] = &[
    "accept",
    "apply",
    "assign",
    "cancel job",
    "close",
    "connect",
    "device_quit",
    "disconnect",
    "drain",
    "drain node",
    "halfclose",
    "kick",
    "lift",
    "operate",
    OTHER,
    "pause",
    "pause job",
    "reject",
    "reload",
    "remove",
    "remove connection",
    "remove connections",
    "remove limits",
    "remove listener",
    "remove pause-reads",
    "remove plan",
    "reset",
    "resume",
    "resume job",
    "revoke",
    "set connections",
    "set limits",
    "set listener",
    "set pause-reads",
    "start",
    "stop",
];

/// What is written of a call that is no change of the table of routes: it was refused, and its line has the path.
const OTHER: &str = "other";

/// The verb as it is written: [`OTHER`] where the table has none. Whoever is refused chooses no words of it.
pub fn written(verb: &str) -> &'static str {
    WRITTEN.iter().find(|written| **written == verb).copied().unwrap_or(OTHER)
}

/// The command that somebody knows, and the verbs that are written of it. Besides, it finds what was typed with it:
/// `remove --type reset` is a `reset`.
const COMMANDS: &[(&str, &[&str])] = &[
    ("remove", &["close", "remove", "remove connection", "remove connections"]),
    ("revoke lift", &["lift"]),
    ("job pause", &["pause job"]),
    ("job resume", &["resume job"]),
    ("job cancel", &["cancel job"]),
    ("node drain", &["drain node"]),
    ("node undrain", &["accept"]),
    ("listener reject", &["reject"]),
    ("listener accept", &["accept"]),
    ("listener drain", &["drain", "drain node"]),
    ("limit set", &["set limits"]),
    ("limit remove", &["remove limits"]),
    ("agent reload", &["reload"]),
];

/// What somebody looks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    verbs: Vec<&'static str>,
    /// The command, where it is one.
    command: Option<&'static str>,
}

impl Wanted {
    /// What is found by this name: a verb that is written, or a command.
    ///
    /// # Errors
    /// `invalid_request` where it is neither, with the one that was probably meant.
    pub fn named(name: &str) -> Result<Self, ApiError> {
        let words = name.split_whitespace().collect::<Vec<_>>().join(" ");
        let command = COMMANDS.iter().find(|(command, _)| *command == words);
        let written = WRITTEN.iter().find(|verb| **verb == words);
        if command.is_none() && written.is_none() {
            return Err(unknown(name, &words));
        }
        let verbs = command.map_or(&[][..], |(_, verbs)| verbs).iter().chain(written).copied().collect();
        Ok(Self { verbs, command: command.map(|(command, _)| *command) })
    }

    /// Whether a call of this verb is wanted; `typed` is the command that made it, where that is known.
    pub fn has(&self, verb: &str, typed: Option<&str>) -> bool {
        let is_typed = |command: &str| {
            let rest = typed.and_then(|typed| typed.strip_prefix(command));
            rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(' '))
        };
        self.verbs.contains(&verb) || self.command.is_some_and(is_typed)
    }
}

fn unknown(name: &str, words: &str) -> ApiError {
    let known = || WRITTEN.iter().copied().chain(COMMANDS.iter().map(|(command, _)| *command));
    let hint = match nearest(words, known()) {
        Some(near) => format!("did you mean {near:?}?"),
        None => format!("those of the audit are {}", WRITTEN.join(", ")),
    };
    let shown: String = name.chars().take(MAX_SHOWN_CHARS).collect();
    ApiError::new(ErrorCode::InvalidRequest, format!("{shown:?} is no verb of the audit"))
        .field("verb")
        .hint(hint)
}

/// Of a name that is no verb, so much is repeated.
const MAX_SHOWN_CHARS: usize = 40;

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;
    use crate::operation::OperationKind;
    use crate::route;

    /// What is written for every route that changes something, the operations, and what the agent says of itself.
    fn all() -> BTreeSet<String> {
        let changes = route::ALL.iter().chain(route::FACADES).filter(|(_, _, access)| access.is_change);
        let mut found: BTreeSet<String> = changes
            .flat_map(|(method, path, _)| {
                // The router knows one path where a facade has two.
                let targets = ["/current/listener/1", "/current/connections/1", path];
                targets.map(|target| route::verb(method, path, target))
            })
            .collect();
        found.extend(OperationKind::ALL.iter().map(ToString::to_string));
        found.extend(["start", "stop", OTHER].map(str::to_owned));
        found
    }

    #[test]
    fn the_table_has_what_is_written_and_nothing_else() {
        let table: BTreeSet<String> = WRITTEN.iter().map(ToString::to_string).collect();
        assert_eq!(table, all());
        for (command, verbs) in COMMANDS {
            assert!(verbs.iter().all(|verb| WRITTEN.contains(verb)), "{command}");
        }
    }

    #[test]
    fn every_verb_finds_itself_and_a_command_what_it_did() {
        assert_eq!([written("close"), written("explode"), written("")], ["close", OTHER, OTHER]);
        for verb in WRITTEN {
            assert!(Wanted::named(verb).unwrap().has(verb, None), "{verb}");
        }
        let remove = Wanted::named("remove").unwrap();
        assert!(remove.has("close", None) && remove.has("reset", Some("remove --type reset --uid bob")));
        assert!(!remove.has("reset", None) && !remove.has("reset", Some("reset --uid remove")));
        assert!(!remove.has("reset", Some("removed --uid bob")) && remove.has("halfclose", Some("remove")));
        let close = Wanted::named("close").unwrap();
        assert!(close.has("close", None) && !close.has("reset", Some("remove --type reset")));
        assert!(Wanted::named(" limit  set ").unwrap().has("set limits", None));
    }

    #[test]
    fn a_name_that_is_none_is_refused_with_the_nearest() {
        for (name, near) in
            [("remvoe", "remove"), ("clsoe", "close"), ("set limit", "set limits"), ("Reset", "reset")]
        {
            let error = Wanted::named(name).unwrap_err();
            assert_eq!(error.code, ErrorCode::InvalidRequest);
            assert!(error.message.contains(&format!("{name:?}")), "{error:?}");
            assert!(
                format!("{error:?}").contains(&format!("did you mean {near:?}").replace('"', "\\\"")),
                "{error:?}"
            );
        }
        for name in ["", " ", "elephant", &"x".repeat(10_000)] {
            let error = format!("{:?}", Wanted::named(name).unwrap_err());
            assert!(error.contains("cancel job") && error.len() < 2_000, "{error}");
        }
    }
}
