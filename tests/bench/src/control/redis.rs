//! Redis over its unix socket.

use std::io::{BufRead, BufReader, Read};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;

use anyhow::{Context, Result, ensure};

use super::{Control, Pending, Row, send};
use crate::load::IO_BYTES;

pub(super) struct Redis {
    pub(super) path: PathBuf,
}

/// Reads an answer: a number, a status or a string with its length before it, of which the string is kept.
fn read(stream: UnixStream, answer: &mut Vec<u8>) -> Result<()> {
    let mut reader = BufReader::with_capacity(IO_BYTES, stream);
    let mut head = String::new();
    reader.read_line(&mut head).context("reading redis' answer")?;
    ensure!(!head.is_empty() && !head.starts_with('-'), "redis answered: {}", head.trim());
    answer.clear();
    if let Some(length) = head.strip_prefix('$') {
        let length: usize = length.trim().parse().context("the length of redis' answer")?;
        answer.resize(length, 0);
        reader.read_exact(answer).context("reading redis' answer")?;
    }
    Ok(())
}

fn done(stream: UnixStream) -> Result<()> {
    read(stream, &mut Vec::new())
}

impl Control for Redis {
    fn list(&self, answer: &mut Vec<u8>) -> Result<()> {
        read(send(&self.path, "CLIENT LIST\r\n")?, answer)
    }

    fn rows(&self, answer: &[u8]) -> Result<Vec<Row>> {
        let text = std::str::from_utf8(answer).context("the list is not UTF-8")?;
        Ok(text.lines().filter_map(row).collect())
    }

    fn close_one(&self, id: &str) -> Result<Pending> {
        Pending::ask(&self.path, &format!("CLIENT KILL ID {id}\r\n"), done)
    }

    fn close_all(&self) -> Result<Pending> {
        Pending::ask(&self.path, "CLIENT KILL TYPE normal\r\n", done)
    }
}

/// `id=7 addr=127.0.0.1:4000 laddr=...`; a client of the unix socket has a path for its address.
fn row(line: &str) -> Option<Row> {
    let (id, rest) = line.strip_prefix("id=")?.split_once(" addr=")?;
    Some(Row { id: id.to_owned(), client: rest.split(' ').next()?.parse().ok()? })
}
