//! HAProxy's stats socket.

use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::{Control, Row, ask};

pub(super) struct Haproxy {
    pub(super) path: PathBuf,
}

impl Haproxy {
    /// Commands that change something answer an empty line, or say what is wrong.
    fn command(&self, command: &str) -> Result<()> {
        let mut answer = Vec::new();
        ask(&self.path, format!("{command}\n").as_bytes(), &mut answer)?;
        let answer = String::from_utf8_lossy(&answer);
        if !answer.trim().is_empty() {
            bail!("haproxy answered to {command:?}: {}", answer.trim());
        }
        Ok(())
    }
}

impl Control for Haproxy {
    fn list(&self, answer: &mut Vec<u8>) -> Result<()> {
        ask(&self.path, b"show sess\n", answer)
    }

    fn rows(&self, answer: &[u8]) -> Result<Vec<Row>> {
        let text = std::str::from_utf8(answer).context("the list is not UTF-8")?;
        Ok(text.lines().filter_map(row).collect())
    }

    fn close_one(&self, id: &str) -> Result<()> {
        self.command(&format!("shutdown session {id}"))
    }

    /// The fastest of its ways: it marks the sessions and answers before they are closed.
    fn close_all(&self) -> Result<()> {
        self.command("shutdown sessions server be/s1")
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
