//! Both ends of a NATS session, and the server that the agent itself logs in to.

use connctl_agent::nats::{Sender, Session, Stage};
use connctl_agent::relay::{Line, Lines};

use crate::input::{parts, pieces, some_place};

/// What becomes of a session.
#[derive(Debug, Default, PartialEq)]
struct Outcome {
    /// What the servers got; where one went, there is a mark.
    to_server: Vec<u8>,
    to_client: Vec<u8>,
    /// Where the session was after each step.
    stages: Vec<Stage>,
    /// Everything that was fed.
    of_client: Vec<u8>,
    of_server: Vec<u8>,
    losses: usize,
}

/// The most servers that go in one input.
const MAX_LOSSES: usize = 8;

/// Runs the steps: `C` and `S` are bytes of the client and of the server, `H` hands over, `L` loses the server and
/// `D` finds another. `cut` says in which pieces bytes come.
fn run(bytes: &[u8], cut: impl Fn(&[u8]) -> Vec<&[u8]>) -> Outcome {
    let (mut session, mut outcome) = (Session::default(), Outcome::default());
    for part in parts(bytes) {
        let Some((step, rest)) = part.split_first() else { continue };
        match step {
            b'S' if session.stage() == Stage::Away => {}
            b'S' => {
                for piece in cut(rest) {
                    session.server(piece, &mut outcome.to_client);
                    outcome.to_server.extend_from_slice(&session.take_replay().unwrap_or_default());
                }
                outcome.of_server.extend_from_slice(rest);
            }
            b'H' => {
                let unsent = session.unsent();
                let count = rest.first().map_or(unsent.len(), |byte| unsent.len().min(usize::from(*byte)));
                outcome.to_server.extend_from_slice(&unsent[..count]);
                session.handed(count);
            }
            b'L' if session.can_move() && outcome.losses < MAX_LOSSES => {
                session.lose();
                outcome.losses += 1;
                outcome.to_server.extend_from_slice(b"<lost>");
            }
            b'D' if session.stage() == Stage::Away => session.dialled(),
            b'C' => {
                for piece in cut(rest) {
                    session.client(piece, &mut outcome.to_client);
                }
                outcome.of_client.extend_from_slice(rest);
            }
            _ => {}
        }
        outcome.stages.push(session.stage());
    }
    outcome.to_server.extend_from_slice(session.unsent());
    let rest = session.take_rest(Sender::Client);
    if outcome.losses == 0 {
        outcome.to_server.extend_from_slice(&rest);
        outcome.to_client.extend_from_slice(&session.take_rest(Sender::Server));
    }
    outcome
}

/// The cuts of the network make no difference; and as long as no server goes, every byte arrives once.
pub(crate) fn session(bytes: &[u8]) {
    let whole = run(bytes, |part| vec![part]);
    // A new server that goes on with what is no NATS may have been told who the client is before, or not: that is
    // a matter of when its bytes came.
    let is_nonsense = whole.losses > 0 && whole.stages.contains(&Stage::Opaque);
    let same = |outcome: Outcome, how: &str| {
        let to_server = if is_nonsense { whole.to_server.clone() } else { outcome.to_server };
        assert_eq!(Outcome { to_server, ..outcome }, whole, "{how}");
    };
    same(run(bytes, pieces), "in pieces");
    if bytes.len() <= 512 {
        same(run(bytes, |part| part.chunks(1).collect()), "byte by byte");
    }
    if whole.losses == 0 {
        assert_eq!(whole.to_server, whole.of_client, "towards the server");
        assert_eq!(whole.to_client, whole.of_server, "towards the client");
    }
}

/// What the agent understands of a server that it has logged in to, in any pieces.
pub(crate) fn lines(bytes: &[u8]) {
    let read = |pieces: &[&[u8]]| {
        let (mut lines, mut told) = (Lines::default(), Vec::new());
        for piece in pieces {
            lines.read(piece, |line| {
                told.push(match line {
                    Line::Error(text) => format!("{:?}", text),
                    other => format!("{other:?}"),
                });
            });
        }
        told
    };
    let whole = read(&[bytes]);
    assert_eq!(whole.len(), bytes.iter().filter(|byte| **byte == b'\n').count(), "one a line");
    let (head, tail) = bytes.split_at(some_place(bytes));
    assert_eq!(read(&[head, tail]), whole, "cut at {}", head.len());
    assert_eq!(read(&bytes.chunks(1).collect::<Vec<_>>()), whole, "byte by byte");
}
