//! Refusals, so that whoever asks again and again fills no disk: of each kind the first is written at once, and
//! how many there were when a minute is over. Kinds are bounded, too; what is beyond is counted together.

use std::collections::HashMap;
use std::net::IpAddr;

use connctl_api::audit::line::{Asked, Denial};

/// Refusals of one kind are written twice in this time, in milliseconds.
const WINDOW_MS: u64 = 60_000;
/// Kinds that are told apart in that time, for those that nobody knows.
const MAX_UNKNOWN: usize = 16;
/// The same, for those that have a name: whoever has none does not use up their places.
const MAX_NAMED: usize = 64;
/// What is said of kinds beyond that.
const OTHERS: &str = "several";

/// What refusals that are counted together have in common.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Kind {
    /// The code of the error.
    pub code: &'static str,
    /// Who asked.
    pub actor: Option<String>,
    /// The user of their process.
    pub uid: Option<u32>,
    /// Where they asked from.
    pub ip: Option<IpAddr>,
    /// For what.
    pub verb: String,
}

/// The refusals of this minute.
#[derive(Debug)]
pub(super) struct Denials {
    since_ms: u64,
    /// What is to be written of each kind; nothing yet where there was one only, which is written.
    kinds: HashMap<Kind, Option<Denial>>,
}

impl Denials {
    pub(super) fn new(now_ms: u64) -> Self {
        Self { since_ms: now_ms, kinds: HashMap::new() }
    }

    /// Counts a refusal; gives it back where it is to be written at once.
    pub(super) fn note(&mut self, kind: Kind, mut denial: Denial) -> Option<Denial> {
        let mut kind = kind;
        if !self.kinds.contains_key(&kind) {
            let is_named = kind.actor.is_some();
            let same = self.kinds.keys().filter(|known| known.actor.is_some() == is_named).count();
            if same < if is_named { MAX_NAMED } else { MAX_UNKNOWN } {
                self.kinds.insert(kind, None);
                return Some(denial);
            }
            kind = Kind { code: kind.code, actor: None, uid: None, ip: None, verb: OTHERS.to_owned() };
            denial.asked = others(denial.asked);
        }
        match self.kinds.entry(kind).or_default() {
            Some(sum) => sum.times += denial.times,
            none @ None => *none = Some(denial),
        }
        None
    }

    /// What is to be written now; all of it where this is the end.
    pub(super) fn due(&mut self, now_ms: u64, is_end: bool) -> Vec<Denial> {
        if !is_end && now_ms.saturating_sub(self.since_ms) < WINDOW_MS {
            return Vec::new();
        }
        self.since_ms = now_ms;
        self.kinds.drain().filter_map(|(_, sum)| sum).collect()
    }
}

fn others(asked: Asked) -> Asked {
    Asked::new(asked.time, OTHERS)
}

#[cfg(test)]
mod tests {
    use connctl_api::instant::Instant;

    use super::*;

    fn kind(verb: &str, actor: Option<&str>) -> Kind {
        let (actor, verb) = (actor.map(str::to_owned), verb.to_owned());
        Kind { code: "denied", actor, uid: None, ip: None, verb }
    }

    fn denial(verb: &str) -> Denial {
        let json = serde_json::json!({ "time": Instant(0), "verb": verb, "status": 403, "code": "denied", "times": 1 });
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_first_of_a_kind_is_written_at_once_and_the_rest_as_a_number() {
        let mut denials = Denials::new(0);
        assert!(denials.note(kind("close", None), denial("close")).is_some());
        for _ in 0..500 {
            assert!(denials.note(kind("close", None), denial("close")).is_none());
        }
        assert!(denials.note(kind("reset", None), denial("reset")).is_some());
        assert!(denials.due(WINDOW_MS - 1, false).is_empty());
        let due = denials.due(WINDOW_MS, false);
        assert_eq!(due.iter().map(|denial| denial.times).collect::<Vec<_>>(), [500]);
        // Then it begins anew, also for what is told at the end.
        assert!(denials.note(kind("close", None), denial("close")).is_some());
        assert!(denials.note(kind("close", None), denial("close")).is_none());
        assert_eq!(denials.due(WINDOW_MS + 1, true).len(), 1);
    }

    #[test]
    fn a_flood_of_kinds_is_bounded_and_none_is_forgotten() {
        let mut denials = Denials::new(0);
        let mut times = 0;
        for round in 0..10_000_u64 {
            times += denials
                .note(kind(&format!("verb {round}"), None), denial("close"))
                .map_or(0, |one| one.times);
        }
        assert_eq!(times, MAX_UNKNOWN as u64);
        // Nobody's flood hides what somebody known was refused.
        assert!(denials.note(kind("close", Some("alice")), denial("close")).is_some());
        let due = denials.due(0, true);
        assert_eq!((due.len(), due[0].times + times), (1, 10_000));
        assert_eq!((due[0].asked.verb.as_str(), &due[0].asked.actor), (OTHERS, &None));
    }
}
