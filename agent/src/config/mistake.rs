//! What a mistake in the file says: where it is, what is wrong, and what was probably meant.

use serde::de::DeserializeOwned;

/// A table of the file by what stands above it, and its keys.
pub(super) type Table = (&'static str, Vec<String>);

/// Line and key of a place in the text: `line 3, node_id: `.
pub(super) fn place(text: &str, at: usize) -> String {
    let before = text.get(..at).unwrap_or(text);
    let number = before.matches('\n').count() + 1;
    let line = text.lines().nth(number - 1).unwrap_or_default();
    let key = line.split_once('=').map(|(key, _)| key.trim()).filter(|key| !key.is_empty());
    key.map_or_else(|| format!("line {number}: "), |key| format!("line {number}, {key}: "))
}

/// What the parser expects, for people.
const PLAIN: [(&str, &str); 5] = [
    ("expected u16", "expected a whole number, at most 65535"),
    ("expected u32", "expected a whole number"),
    ("expected u64", "expected a whole number"),
    ("expected usize", "expected a whole number"),
    ("expected a sequence", "expected a list, in brackets"),
];

/// What the parser says, for a person. Of an unknown key it lists all that it knows in the same table; a person wants
/// the nearest, which may stand in another table: a key below the wrong one is an easy mistake to make.
pub(super) fn explain(message: &str, tables: &[Table]) -> String {
    let Some((wrong, known)) = unknown(message) else {
        return PLAIN
            .iter()
            .fold(message.replace('\n', " "), |text, (word, plain)| text.replace(word, plain));
    };
    let distance = |key: &str| strsim::damerau_levenshtein(key, wrong);
    let here = known.into_iter().min_by_key(|key| distance(key));
    let all = tables.iter().flat_map(|(above, keys)| keys.iter().map(move |key| (key, above)));
    let nearest = all.min_by_key(|(key, _)| distance(key));
    match (here, nearest) {
        (Some(here), Some((key, above))) if distance(key) < distance(here) => match distance(key) {
            0 => format!("{wrong:?} is no key of this table: it is one of {above}"),
            _ => format!("unknown key {wrong:?}: the nearest known one is {key:?} of {above}"),
        },
        (Some(here), _) => format!("unknown key {wrong:?}: the nearest known one is {here:?}"),
        (None, _) => format!("unknown key {wrong:?}"),
    }
}

/// The key that is unknown, and those that are known in the same table.
fn unknown(message: &str) -> Option<(&str, Vec<&str>)> {
    let mut names = message.split('`').skip(1).step_by(2);
    let wrong = names.next().filter(|_| message.starts_with("unknown field"))?;
    Some((wrong, names.collect()))
}

/// The keys of a table: what its parser says to one that no table has.
pub(super) fn keys<T: DeserializeOwned>() -> Vec<String> {
    let message = toml::from_str::<T>("'' = 0").err().map(|error| error.message().to_owned());
    let known = message.as_deref().and_then(unknown).map(|(_, known)| known);
    known.unwrap_or_default().into_iter().map(str::to_owned).collect()
}
