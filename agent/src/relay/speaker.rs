//! What the agent itself says on a connection that it opened to a NATS server and holds: as much of the
//! protocol as keeps a silent client connected. The server's `PING` is answered, and a `PING` of our own shows
//! that the server is there. Nothing is subscribed to, so nothing else that comes needs an answer.

use std::collections::VecDeque;

use tokio::sync::oneshot;

/// What is kept of a line: of the lines that are understood, only an error has a text, and this is enough.
const LINE_BYTES: usize = 256;
/// Askers that wait for a `PONG`. Who comes when there are so many is told that the server does not answer.
const MAX_ASKERS: usize = 64;

/// A line of the server.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Line<'a> {
    /// It wants a `PONG`.
    Ping,
    /// It has read our `PING`.
    Pong,
    /// It complains, with these words.
    Error(&'a [u8]),
    /// Anything else.
    Other,
}

/// Bytes in any pieces, read as lines.
#[derive(Debug, Default)]
pub struct Lines {
    /// The beginning of a line whose end has not come.
    kept: Vec<u8>,
}

impl Lines {
    /// Tells of each line that ends in these bytes.
    pub fn read(&mut self, mut bytes: &[u8], mut tell: impl FnMut(Line<'_>)) {
        while let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            let (line, rest) = bytes.split_at(end);
            // A line is the same wherever the network has cut it.
            if self.kept.is_empty() {
                tell(Line::of(&line[..line.len().min(LINE_BYTES)]));
            } else {
                self.keep(line);
                tell(Line::of(&std::mem::take(&mut self.kept)));
            }
            bytes = rest.get(1..).unwrap_or_default();
        }
        self.keep(bytes);
    }

    fn keep(&mut self, bytes: &[u8]) {
        let room = LINE_BYTES - self.kept.len().min(LINE_BYTES);
        self.kept.extend_from_slice(&bytes[..bytes.len().min(room)]);
    }
}

impl<'a> Line<'a> {
    fn of(line: &'a [u8]) -> Self {
        let line = line.trim_ascii_end();
        match line.split_at_checked(4) {
            Some((word, [])) if word.eq_ignore_ascii_case(b"PING") => Self::Ping,
            Some((word, [])) if word.eq_ignore_ascii_case(b"PONG") => Self::Pong,
            Some((word, text)) if word.eq_ignore_ascii_case(b"-ERR") => {
                let text = text.trim_ascii();
                Self::Error(&text[..text.len().min(LINE_BYTES)])
            }
            _ => Self::Other,
        }
    }
}

/// The agent's part in a conversation with a server.
#[derive(Debug, Default)]
pub struct Speaker {
    lines: Lines,
    /// Who waits for a `PONG`, in the order of the `PING`s.
    askers: VecDeque<oneshot::Sender<()>>,
}

impl Speaker {
    /// One that goes on in the middle of a conversation.
    pub const fn new(lines: Lines) -> Self {
        Self { lines, askers: VecDeque::new() }
    }

    /// The server's next bytes; gives what they ask for.
    pub(super) fn hear(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut answers = Vec::new();
        let askers = &mut self.askers;
        self.lines.read(bytes, |line| match line {
            Line::Ping => answers.extend_from_slice(b"PONG\r\n"),
            // Whoever asked may have gone.
            Line::Pong => drop(askers.pop_front().map(|asker| asker.send(()))),
            Line::Error(_) | Line::Other => {}
        });
        answers
    }

    /// Takes somebody in who asks whether the server is there; what is to be said for that, or nothing where too
    /// many wait already.
    pub(super) fn ask(&mut self, asker: oneshot::Sender<()>) -> Option<&'static [u8]> {
        (self.askers.len() < MAX_ASKERS).then(|| {
            self.askers.push_back(asker);
            &b"PING\r\n"[..]
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn lines(pieces: &[&[u8]]) -> Vec<String> {
        let (mut lines, mut seen) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.read(piece, |line| {
                seen.push(match line {
                    Line::Error(text) => String::from_utf8_lossy(text).into_owned(),
                    other => format!("{other:?}"),
                });
            });
        }
        seen
    }

    #[test]
    fn lines_are_told_apart() {
        let text = b"PING\r\npong\r\n+OK\r\n-ERR 'Stale Connection'\r\nPINGS\r\n\r\nINFO {}\r\nPI";
        let seen = lines(&[text]);
        assert_eq!(seen, ["Ping", "Pong", "Other", "'Stale Connection'", "Other", "Other", "Other"]);
    }

    #[test]
    fn a_line_without_an_end_costs_a_bounded_memory_and_is_no_word() {
        let mut own = Lines::default();
        for _ in 0..10_000 {
            own.read(&[b'x'; 100], |_| panic!("there is no line yet"));
        }
        assert!(own.kept.len() <= LINE_BYTES && own.kept.capacity() <= 4 * LINE_BYTES);
        let mut seen = Vec::new();
        own.read(b"\r\nPING\r\n", |line| seen.push(line == Line::Ping));
        assert_eq!(seen, [false, true]);
        assert_eq!(own.kept.capacity(), 0, "an idle connection holds no buffer");
    }

    proptest! {
        #[test]
        fn the_pieces_make_no_difference(
            text in "(PING\r\n|PONG\n|-ERR 'x'\r\n|MSG a 1 3\r\nabc\r\n|[ -~]{0,9}\n){0,12}",
            cuts in prop::collection::vec(0usize..120, 0..6),
        ) {
            let whole = lines(&[text.as_bytes()]);
            let mut cuts: Vec<_> = cuts.into_iter().map(|cut| cut.min(text.len())).collect();
            cuts.extend([0, text.len()]);
            cuts.sort_unstable();
            let pieces: Vec<_> = cuts.windows(2).map(|pair| &text.as_bytes()[pair[0]..pair[1]]).collect();
            prop_assert_eq!(lines(&pieces), whole);
        }
    }
}
