//! The chain: each line ends with the hash of the line before and its own, so that no line can be changed,
//! taken out, put in or moved without a trace.
//!
//! ```text
//! {"seq":7,…,"prev":"<hash of line 6>","hash":"<SHA-256 of this line up to here>"}
//! ```
//!
//! What a chain alone cannot show, that its end was cut off, the head shows: a file beside it that says which
//! line was the last.

use sha2::{Digest, Sha256};

use super::{AuditProblem, AuditReport};

/// A SHA-256.
pub type Hash = [u8; 32];

/// What the first line has for the hash of the line before it.
pub const GENESIS: Hash = [0; 32];
/// The most problems that a report has.
const MAX_PROBLEMS: usize = 100;
/// What is said of a line that the end of its file cuts off.
pub const TORN: &str = "is torn: it has no end";
/// The digits of a hash.
const DIGITS: usize = 64;

const SEQ: &[u8] = b"{\"seq\":";
const PREV: &[u8] = b",\"prev\":\"";
const HASH: &[u8] = b"\",\"hash\":\"";
const END: &[u8] = b"\"}";

/// A place in the chain.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Link {
    /// The number of the line, from 1; 0 is before the first.
    pub seq: u64,
    /// Its hash.
    pub hash: Hash,
}

impl Link {
    /// Before the first line.
    pub const START: Self = Self { seq: 0, hash: GENESIS };

    /// The text of the head file.
    pub fn head(self) -> String {
        format!("{:020} {}\n", self.seq, hexadecimal(&self.hash))
    }

    /// Reads the text of the head file.
    pub fn read_head(text: &[u8]) -> Option<Self> {
        let text = std::str::from_utf8(text).ok()?;
        let (seq, hash) = text.strip_suffix('\n')?.split_once(' ')?;
        let link = Self { seq: seq.parse().ok()?, hash: from_hexadecimal(hash.as_bytes())? };
        // There is one way to write it.
        (link.head() == text).then_some(link)
    }
}

/// Appends the line that follows `last` to `out`; `fields` are its own, as JSON without the braces.
pub fn seal(last: Link, fields: &str, out: &mut Vec<u8>) -> Link {
    let (start, seq) = (out.len(), last.seq + 1);
    out.extend_from_slice(SEQ);
    out.extend_from_slice(format!("{seq},{fields}").as_bytes());
    out.extend_from_slice(PREV);
    out.extend_from_slice(hexadecimal(&last.hash).as_bytes());
    let hash: Hash = Sha256::digest(out.get(start..).unwrap_or_default()).into();
    out.extend_from_slice(HASH);
    out.extend_from_slice(hexadecimal(&hash).as_bytes());
    out.extend_from_slice(END);
    out.push(b'\n');
    Link { seq, hash }
}

/// A line, read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Line {
    /// Its place.
    pub link: Link,
    /// The hash that it has for the line before.
    pub prev: Hash,
}

impl Line {
    /// Reads a line without its end. It is as it was written, or `None`.
    pub fn read(line: &[u8]) -> Option<Self> {
        let line = line.strip_suffix(END)?;
        let (rest, hash) = line.split_at_checked(line.len().checked_sub(DIGITS)?)?;
        let body = rest.strip_suffix(HASH)?;
        let hash = from_hexadecimal(hash)?;
        if Hash::from(Sha256::digest(body)) != hash {
            return None;
        }
        let (rest, prev) = body.split_at_checked(body.len().checked_sub(DIGITS)?)?;
        let rest = rest.strip_suffix(PREV)?.strip_prefix(SEQ)?;
        let digits = rest.split(|byte| *byte == b',').next()?;
        let seq = std::str::from_utf8(digits).ok()?.parse().ok()?;
        Some(Self { link: Link { seq, hash }, prev: from_hexadecimal(prev)? })
    }
}

/// Reads a chain from its beginning, line by line.
#[derive(Debug)]
pub struct Verifier {
    last: Link,
    /// Whether the next line may be anywhere: it is the first of a part.
    is_anywhere: bool,
    /// Lines since the last that could be read.
    unread: u64,
    /// What the end is held against.
    head: Option<Link>,
    /// What was kept elsewhere and must be there.
    kept: Option<Hash>,
    report: AuditReport,
}

impl Verifier {
    /// Of a whole chain, with its head where that is known.
    pub fn new(head: Option<Link>) -> Self {
        let report = AuditReport { ok: true, ..AuditReport::default() };
        let head = head.filter(|head| *head != Link::START);
        Self { last: Link::START, is_anywhere: false, unread: 0, head, kept: None, report }
    }

    /// Of a part that begins anywhere: earlier files were moved away.
    #[must_use]
    pub fn of_part(self) -> Self {
        Self { is_anywhere: true, ..self }
    }

    /// One of the lines must have this hash, which was kept elsewhere.
    #[must_use]
    pub fn with_kept(self, kept: Option<Hash>) -> Self {
        Self { kept, ..self }
    }

    /// Counts a file.
    pub const fn begin_file(&mut self) {
        self.report.files += 1;
    }

    /// The next line of a file, with its line feed; `number` is its place there, from 1.
    pub fn line(&mut self, file: &str, number: u64, line: &[u8]) {
        self.report.entries += 1;
        let read = line.strip_suffix(b"\n").and_then(Line::read);
        let Some(Line { link, prev }) = read else {
            let is_torn = !line.ends_with(b"\n");
            let problem = if is_torn { TORN } else { "was changed: its hash is not that of its text" };
            self.found(file, number, problem.to_owned());
            // What follows shows by its own numbers and hashes where it belongs.
            self.unread += 1;
            return;
        };
        if let Some(problem) = self.misplaced(link, prev) {
            self.found(file, number, problem);
        }
        self.is_anywhere = false;
        self.unread = 0;
        if self.head.is_some_and(|head| head.seq == link.seq && head.hash != link.hash) {
            self.found(file, number, "is another than the one that the head knows".to_owned());
        }
        if self.head.is_some_and(|head| head.seq <= link.seq) {
            self.head = None;
        }
        if self.kept == Some(link.hash) {
            self.kept = None;
        }
        self.last = link;
    }

    fn misplaced(&self, link: Link, prev: Hash) -> Option<String> {
        let (last, unread) = (self.last, self.unread);
        if self.is_anywhere {
            None
        } else if link.seq <= last.seq {
            Some(format!("is out of order: it has the number {}, after {}", link.seq, last.seq))
        } else if link.seq > last.seq + 1 + unread {
            let (from, to) = (last.seq + 1, link.seq - 1);
            let missing = match (unread, from == to) {
                (0, true) => format!("{from} is missing before it"),
                (0, false) => format!("{from} to {to} are missing before it"),
                _ => format!("{} of {from} to {to} are missing before it", to + 1 - from - unread),
            };
            Some(format!("has the number {}: {missing}", link.seq))
        } else if link.seq == last.seq + 1 && prev != last.hash {
            Some(format!("does not belong here: line {} before it was another", last.seq))
        } else {
            None
        }
    }

    fn found(&mut self, file: &str, line: u64, problem: String) {
        self.report.ok = false;
        if self.report.problems.len() < MAX_PROBLEMS {
            self.report.problems.push(AuditProblem { file: file.to_owned(), line, problem });
        }
    }

    /// Says what is wrong beside the lines: with the head, say.
    pub fn wrong(&mut self, file: &str, problem: &str) {
        self.found(file, 0, problem.to_owned());
    }

    /// What was found; `file` is the one that the end should be in, and it has so many lines.
    pub fn finish(mut self, file: &str, lines: u64) -> AuditReport {
        // Where the last lines are there and cannot be read, that has been said.
        if let Some(head) = self.head.filter(|head| self.last.seq + self.unread < head.seq) {
            let last = self.last.seq;
            let problem =
                format!("is missing: the head knows {} lines, and the last here is {last}", head.seq);
            self.found(file, lines + 1, problem);
        }
        if self.kept.is_some() {
            self.wrong(file, "has no line with the hash that was kept elsewhere");
        }
        self.report.last_seq = self.last.seq;
        self.report.head = hexadecimal(&self.last.hash);
        self.report
    }
}

/// The bytes in hexadecimal.
pub fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A hash of its digits. Lower case only: there is one way to write a hash.
pub fn from_hexadecimal(text: &[u8]) -> Option<Hash> {
    let digit = |byte: u8| match byte {
        b'0'..=b'9' => Some(byte - b'0'),
        b'a'..=b'f' => Some(byte - b'a' + 10),
        _ => None,
    };
    let mut hash = [0; 32];
    if text.len() != DIGITS {
        return None;
    }
    for (place, pair) in hash.iter_mut().zip(text.chunks(2)) {
        let [high, low] = pair else { return None };
        *place = digit(*high)? << 4 | digit(*low)?;
    }
    Some(hash)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn chain(texts: &[&str]) -> (Vec<u8>, Link) {
        let (mut out, mut last) = (Vec::new(), Link::START);
        for text in texts {
            last = seal(last, &format!("\"text\":{}", serde_json::Value::from(*text)), &mut out);
        }
        (out, last)
    }

    fn check(content: &[u8], head: Link) -> AuditReport {
        finish(Verifier::new(Some(head)), content)
    }

    fn finish(mut verifier: Verifier, content: &[u8]) -> AuditReport {
        let mut lines = 0;
        for line in content.split_inclusive(|byte| *byte == b'\n') {
            lines += 1;
            verifier.line("audit", lines, line);
        }
        verifier.finish("audit", lines)
    }

    fn first(report: &AuditReport) -> (u64, String) {
        report.problems.first().map(|found| (found.line, found.problem.clone())).unwrap()
    }

    #[test]
    fn a_chain_as_it_was_written_is_right_and_each_line_is_json() {
        let (content, head) = chain(&["one", "two\n", "drei ä"]);
        let report = check(&content, head);
        assert!(report.ok, "{report:?}");
        assert_eq!((report.entries, report.last_seq), (3, 3));
        for line in content.split(|byte| *byte == b'\n').filter(|line| !line.is_empty()) {
            serde_json::from_slice::<serde_json::Value>(line).unwrap();
        }
        assert_eq!(Link::read_head(head.head().as_bytes()), Some(head));
        // A head that is behind is one that was not written any more before a power cut.
        let (_, behind) = chain(&["one"]);
        assert!(check(&content, behind).ok);
        assert!(check(b"", Link::START).ok);
    }

    #[test]
    fn what_was_done_to_a_line_is_named() {
        let (content, head) = chain(&["a", "b", "c", "d"]);
        let lines: Vec<_> = content.split_inclusive(|byte| *byte == b'\n').collect();
        let with = |order: &[usize]| order.iter().flat_map(|at| lines[*at].to_vec()).collect::<Vec<u8>>();
        for (order, line, word) in [
            (&[0, 2, 3][..], 2, "2 is missing"),
            (&[0, 3], 2, "2 to 3 are missing"),
            (&[1, 2, 3], 1, "1 is missing"),
            (&[0, 2, 1, 3], 2, "missing"),
            (&[0, 1, 1, 2, 3], 3, "out of order"),
            (&[0, 1, 2], 4, "the head knows 4 lines"),
            (&[], 1, "the head knows 4 lines"),
        ] {
            let (at, problem) = first(&check(&with(order), head));
            assert!(at == line && problem.contains(word), "{order:?}: {at} {problem}");
        }
        let (at, problem) = first(&check(&content[..content.len() - 1], head));
        assert!(at == 4 && problem.contains("torn"), "{at} {problem}");
        // A line that was written anew, with its hash: the next one tells.
        let (other, _) = chain(&["a", "B"]);
        let forged = [&other[..], lines[2], lines[3]].concat();
        let (at, problem) = first(&check(&forged, head));
        assert!(at == 3 && problem.contains("does not belong"), "{at} {problem}");
        // All of them, to the end: the head tells.
        let (forged, _) = chain(&["a", "b", "c", "D"]);
        assert!(first(&check(&forged, head)).1.contains("head"));
    }

    #[test]
    fn a_part_may_begin_anywhere_and_must_hang_together() {
        let (content, _) = chain(&["a", "b", "c", "d"]);
        let lines: Vec<_> = content.split_inclusive(|byte| *byte == b'\n').collect();
        let check = |content: &[u8]| finish(Verifier::new(None).of_part(), content);
        assert!(check(&lines[2..].concat()).ok);
        assert!(!check(&[lines[1], lines[3]].concat()).ok);
    }

    #[test]
    fn a_line_that_cannot_be_read_hides_no_other() {
        let (content, head) = chain(&["a", "b", "c", "d", "e"]);
        let lines: Vec<_> = content.split_inclusive(|byte| *byte == b'\n').collect();
        let count = |content: &[u8]| check(content, head).problems.len();
        let bad = &b"nothing\n"[..];
        // In the place of one; of two; beside all of them; in the place of the last.
        assert_eq!(count(&[lines[0], bad, lines[2], lines[3], lines[4]].concat()), 1);
        let report = check(&[lines[0], bad, lines[3], lines[4]].concat(), head);
        assert!(report.problems[1].problem.contains("1 of 2 to 3 are missing"), "{report:?}");
        assert_eq!(count(&[lines[0], bad, lines[1], lines[2], lines[3], lines[4]].concat()), 1);
        assert_eq!(count(&[lines[0], lines[1], lines[2], lines[3], bad].concat()), 1);
    }

    #[test]
    fn a_hash_that_was_kept_shows_that_all_was_written_anew() {
        let (content, head) = chain(&["a", "b", "c"]);
        let (_, kept) = chain(&["a", "b"]);
        assert!(finish(Verifier::new(Some(head)).with_kept(Some(kept.hash)), &content).ok);
        // With a head of its own, it is a chain as good as the first.
        let (forged, head) = chain(&["a", "B", "c"]);
        assert!(check(&forged, head).ok);
        let report = finish(Verifier::new(Some(head)).with_kept(Some(kept.hash)), &forged);
        assert!(first(&report).1.contains("kept elsewhere"), "{report:?}");
    }

    #[test]
    fn every_byte_that_is_flipped_anywhere_is_found() {
        let (content, head) = chain(&["one", "two \"quoted\"", ""]);
        for at in 0..content.len() {
            for bit in 0..8 {
                let mut flipped = content.clone();
                flipped[at] ^= 1 << bit;
                assert!(!check(&flipped, head).ok, "byte {at} bit {bit}");
            }
        }
        let text = head.head().into_bytes();
        for at in 0..text.len() {
            for bit in 0..8 {
                let mut flipped = text.clone();
                flipped[at] ^= 1 << bit;
                let is_found = Link::read_head(&flipped).is_none_or(|head| !check(&content, head).ok);
                assert!(is_found, "byte {at} bit {bit} of the head");
            }
        }
    }

    proptest! {
        #[test]
        fn whatever_is_changed_cut_or_put_in_is_found(
            texts in prop::collection::vec(".{0,20}", 1..6),
            from in any::<prop::sample::Index>(),
            to in any::<prop::sample::Index>(),
            other in prop::collection::vec(any::<u8>(), 0..40),
        ) {
            let texts: Vec<_> = texts.iter().map(String::as_str).collect();
            let (content, head) = chain(&texts);
            let (from, to) = (from.index(content.len() + 1), to.index(content.len() + 1));
            let (from, to) = (from.min(to), from.max(to));
            let changed = [&content[..from], &other, &content[to..]].concat();
            prop_assert_eq!(check(&changed, head).ok, changed == content);
        }
    }
}
