//! Whose a connection is, by its first bytes.

use connctl_agent::config::identity::{Rule, rules};
use connctl_agent::identity::proxy::Header;
use connctl_agent::identity::{Decoded, Miss, Tap};
use connctl_api::conn::MAX_LABEL_BYTES;

use crate::input::some_place;

/// Every cut of a message up to this long is tried, and one of a longer one.
const SHORT: usize = 256;
/// Every rule that looks at bytes.
const WORDS: [&str; 9] =
    ["postgres", "mysql", "nats", "mqtt", "redis", "amqp", "wukongim", "http:X-User", "tls-sni"];

fn parsed(words: &[&str]) -> Vec<Rule> {
    let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    rules(&words).expect("these are rules")
}

/// What a tap says in the end to bytes that come in these pieces.
fn fed<'a>(rules: &[Rule], pieces: impl IntoIterator<Item = &'a [u8]>) -> Decoded {
    let mut tap = Tap::new(rules, rules.len()).expect("these rules look at bytes");
    let answers = pieces.into_iter().map(|piece| tap.look(rules, piece));
    answers.into_iter().find(|answer| *answer != Err(Miss::More)).unwrap_or(Err(Miss::More))
}

fn check(rules: &[Rule], bytes: &[u8]) {
    let whole = fed(rules, [bytes]);
    let (head, tail) = bytes.split_at(some_place(bytes));
    assert_eq!(fed(rules, [head, tail]), whole, "cut at {}", head.len());
    if bytes.len() <= SHORT {
        assert_eq!(fed(rules, bytes.chunks(1).chain([&[][..]])), whole, "byte by byte");
    }
    if let Ok(found) = whole {
        let labels = [Some(&found.uid), found.device.as_ref()].into_iter().flatten();
        for label in labels.chain(found.tags.iter().map(|(_, value)| value)) {
            is_label(label);
        }
    }
}

/// What a client sends must not steer the terminal of whoever lists it.
fn is_label(label: &str) {
    assert!((1..=MAX_LABEL_BYTES).contains(&label.len()) && !label.contains(char::is_control), "{label:?}");
}

/// One rule.
pub(crate) fn decode(word: &str, bytes: &[u8]) {
    check(&parsed(&[word]), bytes);
}

/// All rules at once, in two orders.
pub(crate) fn all_rules(bytes: &[u8]) {
    let mut words = WORDS;
    check(&parsed(&words), bytes);
    words.reverse();
    check(&parsed(&words), bytes);
}

/// A PROXY header, whole and at every cut.
pub(crate) fn proxy_header(bytes: &[u8]) {
    let whole = Header::read(bytes);
    let ends = if bytes.len() <= SHORT { 0..bytes.len() } else { some_place(bytes)..some_place(bytes) + 1 };
    for end in ends {
        let answer = Header::read(&bytes[..end]);
        assert!(answer == whole || answer == Err(Miss::More), "after {end} bytes: {answer:?}, not {whole:?}");
    }
    if let Ok(header) = whole {
        assert!((1..=bytes.len()).contains(&header.length));
        header.labels.iter().for_each(|(_, value)| is_label(value));
        header.user(&parsed(&["proxy", "proxy:unique_id", "proxy:tlv_ea"]));
    }
}
