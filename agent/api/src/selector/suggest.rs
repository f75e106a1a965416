//! The nearest right word for a wrong one.

use super::field::{Field, TAG_PREFIX};

/// Words longer than this are no near miss of anything; also bounds the work below.
const MAX_WORD_CHARS: usize = 40;

/// Words people bring from elsewhere, with the field they mean.
const ALSO_CALLED: &[(&str, &str)] = &[
    ("id", "conn_id"),
    ("cid", "conn_id"),
    ("connection", "conn_id"),
    ("connection_id", "conn_id"),
    ("node", "node_id"),
    ("user", "uid"),
    ("username", "uid"),
    ("user_id", "uid"),
    ("host", "ip"),
    ("address", "ip"),
    ("client_ip", "ip"),
    ("client_port", "port"),
    ("source", "client"),
    ("remote", "client"),
    ("peer", "client"),
    ("backend", "upstream"),
    ("destination", "upstream"),
    ("status", "state"),
    ("uptime", "age"),
    ("lifetime", "age"),
    ("created_at", "opened_at"),
    ("idle_over", "idle"),
    ("age_over", "age"),
    ("latency", "rtt"),
    ("size", "bytes"),
    ("label", "tag.KEY"),
    ("tag", "tag.KEY"),
    ("tags", "tag.KEY"),
];

/// The field that was probably meant.
pub(super) fn field(word: &str) -> Option<&'static str> {
    let word = word.to_lowercase().replace('-', "_");
    if word.starts_with(TAG_PREFIX) {
        return Some(Field::Tag.name());
    }
    let exact = Field::ALL.iter().map(|field| field.name()).find(|name| *name == word);
    let known = ALSO_CALLED.iter().find(|(other, _)| *other == word).map(|(_, name)| *name);
    exact.or(known).or_else(|| nearest(&word, Field::ALL.iter().map(|field| field.name())))
}

/// The candidate fewest edits away, if few enough that it is a slip rather than another word.
pub(crate) fn nearest(
    word: &str,
    candidates: impl IntoIterator<Item = &'static str>,
) -> Option<&'static str> {
    let word: Vec<char> = word.to_lowercase().chars().take(MAX_WORD_CHARS + 1).collect();
    if word.is_empty() || word.len() > MAX_WORD_CHARS {
        return None;
    }
    let near = |candidate: &&'static str| {
        let limit = (candidate.len().max(word.len()) / 3).max(1);
        let edits = distance(&word, &candidate.chars().collect::<Vec<_>>());
        // A word of which every letter differs is no near miss, however short.
        (edits <= limit && edits < word.len()).then_some((edits, *candidate))
    };
    candidates.into_iter().filter_map(|c| near(&c)).min_by_key(|(edits, _)| *edits).map(|(_, name)| name)
}

/// Edits between two words: letters added, dropped, changed, or swapped with their neighbour.
fn distance(a: &[char], b: &[char]) -> usize {
    let mut two_ago = vec![0; b.len() + 1];
    let mut last: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i; b.len() + 1];
        for j in 1..=b.len() {
            let changed = last[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            row[j] = changed.min(last[j] + 1).min(row[j - 1] + 1);
            let swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if swapped {
                row[j] = row[j].min(two_ago[j - 2] + 1);
            }
        }
        two_ago = std::mem::replace(&mut last, row);
    }
    last[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slips_find_their_field_and_other_words_do_not() {
        for (word, meant) in [
            ("udi", Some("uid")),
            ("UID", Some("uid")),
            ("idel", Some("idle")),
            ("listner", Some("listener")),
            ("to-upstream-bytes", Some("to_upstream_bytes")),
            ("client_rrt", Some("client_rtt")),
            ("user", Some("uid")),
            ("node", Some("node_id")),
            ("tag", Some("tag.KEY")),
            ("elephant", None),
            ("x", None),
            ("", None),
        ] {
            assert_eq!(field(word), meant, "{word}");
        }
        assert_eq!(field(&"u".repeat(100_000)), None);
    }

    #[test]
    fn distance_counts_a_swap_as_one() {
        let count =
            |a: &str, b: &str| distance(&a.chars().collect::<Vec<_>>(), &b.chars().collect::<Vec<_>>());
        assert_eq!(count("udi", "uid"), 1);
        assert_eq!(count("", "abc"), 3);
        assert_eq!(count("kitten", "sitting"), 3);
    }
}
