//! HAProxy's stats socket.

use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::{Control, Pending, Row, receive, send};

pub(super) struct Haproxy {
    pub(super) path: PathBuf,
}

/// Commands that change something answer an empty line, or say what is wrong.
fn done(stream: UnixStream) -> Result<()> {
    let mut answer = Vec::new();
    receive(stream, &mut answer)?;
    let answer = String::from_utf8_lossy(&answer);
    ensure!(answer.trim().is_empty(), "haproxy answered: {}", answer.trim());
    Ok(())
}

impl Control for Haproxy {
    fn list(&self, answer: &mut Vec<u8>) -> Result<()> {
        receive(send(&self.path, "show sess\n")?, answer)
    }

    fn rows(&self, answer: &[u8]) -> Result<Vec<Row>> {
        let text = std::str::from_utf8(answer).context("the list is not UTF-8")?;
        Ok(text.lines().filter_map(row).collect())
    }

    fn close_one(&self, id: &str) -> Result<Pending> {
        Pending::ask(&self.path, &format!("shutdown session {id}\n"), done)
    }

    /// The fastest of its ways: it marks the sessions and answers before they are closed.
    fn close_all(&self) -> Result<Pending> {
        Pending::ask(&self.path, "shutdown sessions server be/s1\n", done)
    }
}

/// `0x55c0: proto=tcpv4 src=127.0.0.1:4000 fe=...`; the control connection itself has another proto.
fn row(line: &str) -> Option<Row> {
    let (id, rest) = line.split_once(": proto=tcpv4 src=")?;
    Some(Row { id: id.to_owned(), client: rest.split(' ').next()?.parse().ok()? })
}

#[cfg(test)]
mod tests {
    use super::row;

    #[test]
    fn the_control_connection_is_not_a_row() {
        assert!(row("0x5: proto=unix_stream src=unix:1 fe=GLOBAL").is_none());
        let row = row("0x55c0: proto=tcpv4 src=127.0.0.1:4000 fe=fe be=be").expect("a row");
        assert_eq!((row.id.as_str(), row.client.port()), ("0x55c0", 4000));
    }
}
