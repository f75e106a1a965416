//! Reads a row in the order in which an agent writes it, several times faster than by its keys. Whatever is
//! otherwise (an escape, a tag, another order) is left to serde, which knows every form.

use std::borrow::Cow;
use std::collections::BTreeMap;

use super::conn_view::{ConnView, Text};

/// The row, if it is written in the usual way. Later fields may follow.
pub(crate) fn row(line: &[u8]) -> Option<ConnView<'_>> {
    let mut scan = Scan { rest: std::str::from_utf8(line).ok()? };
    let mut row = ConnView {
        conn_id: scan.number("{\"conn_id\":")?,
        node_id: scan.number(",\"node_id\":")?,
        uid: scan.optional(",\"uid\":")?,
        device: scan.optional(",\"device\":")?,
        tags: scan.key(",\"tags\":{}").map(|()| BTreeMap::new())?,
        listener: scan.optional(",\"listener\":")?,
        mode: scan.text(",\"mode\":")?,
        state: scan.text(",\"state\":")?,
        client: scan.optional(",\"client\":")?,
        local: scan.optional(",\"local\":")?,
        upstream: scan.optional(",\"upstream\":")?,
        opened_at: scan.text(",\"opened_at\":")?,
        age_ms: scan.number(",\"age_ms\":")?,
        idle_ms: scan.number(",\"idle_ms\":")?,
        to_upstream_bytes: scan.number(",\"to_upstream_bytes\":")?,
        to_client_bytes: scan.number(",\"to_client_bytes\":")?,
        health: None,
    };
    if scan.rest.starts_with(HEALTH) {
        row.health = scan.optional(HEALTH)?;
    }
    let is_whole = scan.rest == "}" || (scan.rest.starts_with(",\"") && scan.rest.ends_with('}'));
    is_whole.then_some(row)
}

/// A field that only some rows have.
const HEALTH: &str = ",\"health\":";

/// What is left of a line.
struct Scan<'a> {
    rest: &'a str,
}

impl<'a> Scan<'a> {
    fn key(&mut self, key: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(key)?;
        Some(())
    }

    fn number(&mut self, key: &str) -> Option<u64> {
        self.key(key)?;
        let mut number = 0_u64;
        let mut digits = 0;
        for byte in self.rest.bytes().take_while(u8::is_ascii_digit) {
            number = number.checked_mul(10)?.checked_add(u64::from(byte - b'0'))?;
            digits += 1;
        }
        // What may follow an integer in a row; a fraction or an exponent is not for here.
        self.rest = self.rest.get(digits..).filter(|rest| digits > 0 && rest.starts_with([',', '}']))?;
        Some(number)
    }

    fn text(&mut self, key: &str) -> Option<Text<'a>> {
        self.key(key)?;
        let inner = self.rest.strip_prefix('"')?;
        let end = inner.bytes().position(|byte| byte == b'"' || byte == b'\\' || byte < b' ')?;
        let (text, after) = inner.split_at(end);
        self.rest = after.strip_prefix('"')?;
        Some(Text(Cow::Borrowed(text)))
    }

    fn optional(&mut self, key: &str) -> Option<Option<Text<'a>>> {
        if let Some(after) = self.rest.strip_prefix(key).and_then(|rest| rest.strip_prefix("null")) {
            self.rest = after;
            return Some(None);
        }
        self.text(key).map(Some)
    }
}

#[cfg(test)]
mod tests {
    use connctl_api::conn::{ConnRow, Health, Mode, State};
    use connctl_api::id::{ConnId, NodeId};
    use connctl_api::instant::Instant;
    use proptest::prelude::*;

    use super::*;

    fn line(uid: Option<String>, tag: Option<String>, number: u64) -> Vec<u8> {
        let tags: BTreeMap<String, String> = tag.into_iter().map(|tag| (tag.clone(), tag)).collect();
        let row = ConnRow {
            conn_id: ConnId::new(number % 1_000 + 1).unwrap(),
            node_id: NodeId::new(1).unwrap(),
            uid: uid.map(Cow::Owned),
            device: None,
            tags: Cow::Owned(tags),
            listener: number.is_multiple_of(2).then(|| "redis".into()),
            mode: Mode::Forward,
            state: State::HalfClosed,
            client: "[::1]:7".parse().ok(),
            local: "127.0.0.1:7".parse().ok(),
            upstream: None,
            opened_at: Instant(1_795_262_400_123),
            age_ms: number,
            idle_ms: 0,
            to_upstream_bytes: number / 2,
            to_client_bytes: u64::MAX,
            health: Health::ALL.get(usize::try_from(number % 7).unwrap()).copied(),
        };
        serde_json::to_vec(&row).unwrap()
    }

    #[test]
    fn the_usual_row_is_read_and_the_unusual_is_left_alone() {
        assert!(row(&line(Some("u1".into()), None, 7)).is_some());
        assert!(row(&line(Some("a\"b".into()), None, 7)).is_none());
        assert!(row(&line(None, Some("k".into()), 7)).is_none());
        for wrong in ["", "{}", "{\"conn_id\":1}", "{\"conn_id\":1.5,\"node_id\":1", "\u{0}"] {
            assert!(row(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn what_is_read_is_what_serde_reads(uid in ".{0,8}", is_known: bool, number: u64, cut in 0_usize..400) {
            let text = line(is_known.then_some(uid), None, number);
            if let Some(fast) = row(&text) {
                let slow: ConnView<'_> = serde_json::from_slice(&text).unwrap();
                prop_assert_eq!(format!("{fast:?}"), format!("{slow:?}"));
            }
            let whole = text.len();
            prop_assert!(row(&text[..cut.min(whole - 1)]).is_none());
        }
    }
}
