//! The beginning of a conversation with a NATS server: its `INFO`, our `CONNECT` with a `PING` behind it, its
//! `PONG`. The relay has the rest of it.

use std::net::SocketAddr;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{Instant, timeout_at};
use zeroize::Zeroizing;

use super::target::{Failure, Target};
use crate::relay::{Line, Lines};

/// The longest `INFO`: a large cluster's takes some kilobytes.
const MAX_INFO_BYTES: usize = 64 * 1024;
/// One read.
const READ_BYTES: usize = 4 * 1024;

/// What a server says of itself.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Info {
    tls_required: bool,
}

/// What the agent says of itself.
#[derive(Debug, Serialize)]
struct Hello<'a> {
    verbose: bool,
    pedantic: bool,
    tls_required: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    user: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pass: Option<&'a str>,
    name: &'static str,
    lang: &'static str,
    version: &'static str,
    protocol: u8,
}

/// A socket on which the server has answered, and where in its lines the conversation is.
pub(super) struct Greeted {
    pub(super) stream: TcpStream,
    pub(super) lines: Lines,
    /// Bytes that were read and written so far.
    pub(super) moved: (u64, u64),
}

/// Dials the server and logs in, within this time.
pub(super) async fn open(target: &Target, limit: Duration) -> Result<Greeted, Failure> {
    let end = Instant::now() + limit;
    let stream = dial(target, end).await?;
    match timeout_at(end, greet(stream, target)).await {
        Ok(greeted) => greeted,
        Err(_) => Err(Failure::connect(format!("{target} did not answer within {limit:?}"))),
    }
}

/// Tries the addresses of the host one after the other; each has its share of the time that is left.
async fn dial(target: &Target, end: Instant) -> Result<TcpStream, Failure> {
    let failed = |why: &dyn std::fmt::Display| Failure::connect(format!("{target}: {why}"));
    let found = match timeout_at(end, tokio::net::lookup_host((target.host.as_str(), target.port))).await {
        Ok(Ok(found)) => found,
        Ok(Err(error)) => return Err(failed(&error)),
        Err(_) => return Err(failed(&"the host's address was not found in time")),
    };
    let addresses: Vec<SocketAddr> = found.collect();
    let mut last = failed(&"the host has no address");
    for (place, address) in addresses.iter().enumerate() {
        let left = end.saturating_duration_since(Instant::now());
        let others = u32::try_from(addresses.len() - place).unwrap_or(u32::MAX);
        last = match timeout_at(Instant::now() + left / others, TcpStream::connect(address)).await {
            Ok(Ok(stream)) => return Ok(stream),
            Ok(Err(error)) => failed(&error),
            Err(_) => failed(&"the dial was not answered in time"),
        };
    }
    Err(last)
}

async fn greet(mut stream: TcpStream, target: &Target) -> Result<Greeted, Failure> {
    let (info, mut moved) = read_info(&mut stream, target).await?;
    let mut lines = Lines::default();
    let mut answer = Answer::default();
    // Nothing follows an `INFO` before our `CONNECT`; if something does, it is read like the rest.
    answer.read(&mut lines, &info);
    let hello = hello(target)?;
    stream.write_all(&hello).await.map_err(|error| target.failed(&error))?;
    moved.1 += hello.len() as u64;
    drop(hello);
    let mut bytes = vec![0; READ_BYTES];
    loop {
        if let Some(text) = answer.error {
            return Err(target.complained(&text));
        }
        if std::mem::take(&mut answer.asks) {
            stream.write_all(b"PONG\r\n").await.map_err(|error| target.failed(&error))?;
            moved.1 += 6;
        }
        if answer.is_there {
            return Ok(Greeted { stream, lines, moved });
        }
        let count = stream.read(&mut bytes).await.map_err(|error| target.failed(&error))?;
        if count == 0 {
            return Err(target.failed(&"the server closed the connection"));
        }
        moved.0 += count as u64;
        answer.read(&mut lines, &bytes[..count]);
    }
}

/// What the server has answered so far.
#[derive(Debug, Default)]
struct Answer {
    is_there: bool,
    asks: bool,
    error: Option<String>,
}

impl Answer {
    fn read(&mut self, lines: &mut Lines, bytes: &[u8]) {
        lines.read(bytes, |line| match line {
            Line::Ping => self.asks = true,
            Line::Pong => self.is_there = true,
            Line::Error(text) => self.error = Some(String::from_utf8_lossy(text).into_owned()),
            Line::Other => {}
        });
    }
}

/// Reads the first line; gives what came behind it, and how much came.
async fn read_info(stream: &mut TcpStream, target: &Target) -> Result<(Vec<u8>, (u64, u64)), Failure> {
    let mut bytes = Vec::new();
    let end = loop {
        if let Some(end) = bytes.iter().position(|byte| *byte == b'\n') {
            break end;
        }
        if bytes.len() > MAX_INFO_BYTES {
            return Err(target.failed(&"its first line has no end: this is no NATS server"));
        }
        let from = bytes.len();
        bytes.resize(from + READ_BYTES, 0);
        let count = stream.read(&mut bytes[from..]).await.map_err(|error| target.failed(&error))?;
        bytes.truncate(from + count);
        if count == 0 {
            return Err(target.failed(&"the server closed the connection before it said who it is"));
        }
    };
    let moved = (bytes.len() as u64, 0);
    let (first, rest) = bytes.split_at(end);
    let text = match first.split_at_checked(5) {
        Some((word, text)) if word.eq_ignore_ascii_case(b"INFO ") => text,
        _ => {
            let mut lines = Lines::default();
            let mut answer = Answer::default();
            answer.read(&mut lines, &bytes);
            return Err(match answer.error {
                Some(text) => target.complained(&text),
                None => target.failed(&"its first line is no INFO: this is no NATS server"),
            });
        }
    };
    let info: Info = serde_json::from_slice(text).map_err(|_| target.failed(&"its INFO cannot be read"))?;
    if info.tls_required {
        return Err(target.failed(&"the server wants TLS, which the agent does not speak"));
    }
    Ok((rest.get(1..).unwrap_or_default().to_vec(), moved))
}

/// The login, which is overwritten once it is sent.
fn hello(target: &Target) -> Result<Zeroizing<Vec<u8>>, Failure> {
    let text = |text| Some(text).filter(|text: &&str| !text.is_empty());
    let hello = Hello {
        verbose: false,
        pedantic: false,
        tls_required: false,
        user: text(&target.username),
        pass: text(target.password.text()),
        name: "connctl",
        lang: "rust",
        version: env!("CARGO_PKG_VERSION"),
        protocol: 1,
    };
    // With room for all of it, no copy of a password is left behind in memory that was too small.
    let room = 512 + 6 * (target.username.len() + target.password.text().len());
    let mut line = Zeroizing::new(Vec::with_capacity(room));
    line.extend_from_slice(b"CONNECT ");
    serde_json::to_writer(&mut *line, &hello).map_err(|error| target.failed(&error))?;
    line.extend_from_slice(b"\r\nPING\r\n");
    Ok(line)
}
