//! A command as it was typed, for whoever asks later what somebody did. No argument is a secret.

use std::ffi::OsString;

use connctl_api::operation::MAX_TYPED_BYTES;

/// The verbs whose words are kept.
const VERBS: [&str; 5] = ["remove", "reset", "halfclose", "pause", "resume"];
/// What stands for the rest of a command that is too long.
const MORE: &str = "…";

/// The verb and what follows it, as a shell would take it again; nothing for other verbs. `args` begin with the
/// program.
pub(crate) fn command(args: impl Iterator<Item = OsString>) -> Option<String> {
    let words: Vec<String> = args.skip(1).map(|arg| arg.to_string_lossy().into_owned()).collect();
    let verb = words.iter().position(|word| VERBS.contains(&word.as_str()))?;
    let quoted: Vec<String> = words.iter().skip(verb).map(|word| quoted(word)).collect();
    Some(short(quoted.join(" ")))
}

/// A word that a shell takes for one.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_alphanumeric() || "-_./:=,@%+".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        return word.to_owned();
    }
    format!("'{}'", word.replace('\'', "'\\''"))
}

fn short(text: String) -> String {
    if text.len() <= MAX_TYPED_BYTES {
        return text;
    }
    let most = MAX_TYPED_BYTES - MORE.len();
    let end = (0..=most).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0);
    format!("{}{MORE}", text.get(..end).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn typed(args: &[&str]) -> Option<String> {
        command(args.iter().map(OsString::from))
    }

    #[test]
    fn the_verb_and_its_words_are_kept_as_a_shell_takes_them() {
        let args = ["connctl", "--agent", "unix:/a b", "remove", "--uid", "bob", "--note", "it's late", ""];
        assert_eq!(typed(&args).unwrap(), r"remove --uid bob --note 'it'\''s late' ''");
        let args = ["connctl", "reset", "--where", "idle > 10m", "--yes"];
        assert_eq!(typed(&args).unwrap(), "reset --where 'idle > 10m' --yes");
        assert_eq!(typed(&["connctl", "list"]), None);
        assert_eq!(typed(&["connctl"]), None);
    }

    #[test]
    fn a_long_one_is_cut_between_two_letters() {
        for extra in 0..4 {
            let long = typed(&["connctl", "remove", &"x".repeat(extra), &"é".repeat(2_000)]).unwrap();
            assert!(long.len() <= MAX_TYPED_BYTES && long.len() > MAX_TYPED_BYTES - 8, "{}", long.len());
            assert!(long.starts_with("remove ") && long.ends_with(MORE), "{long}");
        }
    }
}
