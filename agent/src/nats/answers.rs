//! What a client still waits for: `PONG`, and in verbose mode `+OK`, in the order of its commands.

use std::collections::VecDeque;

/// Changes from one answer to the other that are kept track of.
const MAX_RUNS: usize = 4_096;

/// An answer that a command has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    Ok,
    Pong,
}

/// What is outstanding, as runs of the same answer.
#[derive(Debug, Default)]
pub(super) struct Answers {
    runs: VecDeque<(Answer, u32)>,
}

impl Answers {
    pub(super) fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// A command was handed over. Tells whether there was room to note it.
    pub(super) fn expect(&mut self, answer: Answer) -> bool {
        if let Some((last, count)) = self.runs.back_mut()
            && *last == answer
            && *count < u32::MAX
        {
            *count += 1;
            return true;
        }
        let has_room = self.runs.len() < MAX_RUNS;
        if has_room {
            self.runs.push_back((answer, 1));
        }
        has_room
    }

    /// An answer came. One that an error stood for is passed over with the next `PONG`.
    pub(super) fn came(&mut self, answer: Answer) {
        while let Some((first, count)) = self.runs.front_mut() {
            if *first == answer {
                *count -= 1;
                if *count == 0 {
                    self.pop();
                }
                return;
            }
            if answer == Answer::Ok {
                return;
            }
            self.pop();
        }
    }

    fn pop(&mut self) {
        self.runs.pop_front();
        if self.runs.is_empty() {
            self.runs = VecDeque::new();
        }
    }

    /// Gives all that is outstanding.
    pub(super) fn settle(&mut self, into: &mut Vec<u8>) {
        for (answer, count) in std::mem::take(&mut self.runs) {
            let text: &[u8] = match answer {
                Answer::Ok => b"+OK\r\n",
                Answer::Pong => b"PONG\r\n",
            };
            (0..count).for_each(|_| into.extend_from_slice(text));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_outstanding_is_given_in_order() {
        let mut answers = Answers::default();
        for answer in [Answer::Ok, Answer::Ok, Answer::Pong, Answer::Ok] {
            assert!(answers.expect(answer));
        }
        answers.came(Answer::Ok);
        let mut given = Vec::new();
        answers.settle(&mut given);
        assert_eq!(given, b"+OK\r\nPONG\r\n+OK\r\n");
        assert!(answers.is_empty());
    }

    #[test]
    fn a_pong_is_behind_everything_that_was_answered_otherwise() {
        let mut answers = Answers::default();
        for answer in [Answer::Ok, Answer::Pong, Answer::Pong] {
            assert!(answers.expect(answer));
        }
        answers.came(Answer::Pong);
        let mut given = Vec::new();
        answers.settle(&mut given);
        assert_eq!(given, b"PONG\r\n");
        answers.came(Answer::Pong);
        answers.came(Answer::Ok);
        assert!(answers.is_empty());
    }

    #[test]
    fn there_is_a_bound() {
        let mut answers = Answers::default();
        let expect = |turn| if turn % 2 == 0 { Answer::Ok } else { Answer::Pong };
        assert!((0..MAX_RUNS).all(|turn| answers.expect(expect(turn))));
        assert!(!answers.expect(Answer::Ok));
    }
}
