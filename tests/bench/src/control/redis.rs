//! Redis over its unix socket.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::PathBuf;

use anyhow::{Context, Result, bail};

use super::{Control, Row, connect};
use crate::load::IO_BYTES;

pub(super) struct Redis {
    pub(super) path: PathBuf,
}

impl Redis {
    /// An inline command and its answer, which is a number, a status or a string with its length before it.
    fn command(&self, command: &str, answer: &mut Vec<u8>) -> Result<()> {
        let mut stream = connect(&self.path)?;
        stream.write_all(format!("{command}\r\n").as_bytes()).context("sending a command to redis")?;
        let mut reader = BufReader::with_capacity(IO_BYTES, stream);
        let mut head = String::new();
        reader.read_line(&mut head).context("reading redis' answer")?;
        answer.clear();
        if head.starts_with('-') {
            bail!("redis answered to {command:?}: {}", head.trim());
        }
        if let Some(length) = head.strip_prefix('$') {
            let length: usize = length.trim().parse().context("the length of redis' answer")?;
            answer.resize(length, 0);
            reader.read_exact(answer).context("reading redis' answer")?;
        }
        Ok(())
    }
}

impl Control for Redis {
    fn list(&self, answer: &mut Vec<u8>) -> Result<()> {
        self.command("CLIENT LIST", answer)
    }

    fn rows(&self, answer: &[u8]) -> Result<Vec<Row>> {
        let text = std::str::from_utf8(answer).context("the list is not UTF-8")?;
        Ok(text.lines().filter_map(row).collect())
    }

    fn close_one(&self, id: &str) -> Result<()> {
        self.command(&format!("CLIENT KILL ID {id}"), &mut Vec::new())
    }

    fn close_all(&self) -> Result<()> {
        self.command("CLIENT KILL TYPE normal", &mut Vec::new())
    }
}

/// `id=7 addr=127.0.0.1:4000 laddr=...`; a client of the unix socket has a path for its address.
fn row(line: &str) -> Option<Row> {
    let (id, rest) = line.strip_prefix("id=")?.split_once(" addr=")?;
    Some(Row { id: id.to_owned(), client: rest.split(' ').next()?.parse().ok()? })
}
