//! What an operator asks of each system: list, close one, close all.

pub(crate) mod connctl;
mod haproxy;
mod redis;

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::Path;

use anyhow::{Context, Result, bail};

use crate::load::STUCK;
use crate::proxy::Who;

/// A connection as a list shows it.
pub(crate) struct Row {
    pub(crate) id: String,
    /// The client's address and port.
    pub(crate) client: SocketAddr,
}

/// A system's control socket. Each call makes its own connection to it, as a command or script would.
pub(crate) trait Control: Send + Sync {
    /// Reads the complete list of connections into `answer`, replacing what it holds. The buffer is the
    /// caller's, so that a repetition is not charged for fresh pages.
    fn list(&self, answer: &mut Vec<u8>) -> Result<()>;

    /// The same where each connection is looked at before it is listed. Who cannot do that lists.
    fn select(&self, answer: &mut Vec<u8>) -> Result<()> {
        self.list(answer)
    }

    /// The rows of a list, without the control connections.
    fn rows(&self, answer: &[u8]) -> Result<Vec<Row>>;

    /// Asks to close one connection.
    fn close_one(&self, id: &str) -> Result<Pending>;

    /// Asks to close every connection.
    fn close_all(&self) -> Result<Pending>;
}

/// An asked request whose answer is still to come. Some systems answer at once; connctl answers when the other
/// side has closed, too, so clients must go on while one waits.
pub(crate) struct Pending {
    stream: UnixStream,
    check: fn(UnixStream) -> Result<()>,
}

impl Pending {
    fn ask(path: &Path, request: &str, check: fn(UnixStream) -> Result<()>) -> Result<Self> {
        Ok(Self { stream: send(path, request)?, check })
    }

    /// Waits for the answer; an error if it says that not all was done.
    pub(crate) fn answered(self) -> Result<()> {
        (self.check)(self.stream)
    }
}

/// The control of a running `who`, at the socket `path`.
pub(crate) fn of(who: Who, path: &Path) -> Result<Box<dyn Control>> {
    let path = path.to_path_buf();
    Ok(match who {
        Who::Haproxy1 | Who::Haproxy1t => Box::new(haproxy::Haproxy { path }),
        Who::Redis => Box::new(redis::Redis { path }),
        Who::Connctl1 => Box::new(connctl::Connctl { path }),
        Who::Direct | Who::Nginx1 | Who::Nginx1t | Who::Ss => bail!("{} has no control socket", who.name()),
    })
}

/// Connects, and sends `request`.
fn send(path: &Path, request: &str) -> Result<UnixStream> {
    let mut stream =
        UnixStream::connect(path).with_context(|| format!("control socket {}", path.display()))?;
    stream.set_read_timeout(Some(STUCK))?;
    stream.set_write_timeout(Some(STUCK))?;
    stream.write_all(request.as_bytes()).context("sending a control request")?;
    Ok(stream)
}

/// Reads until the other side ends the stream.
fn receive(mut stream: UnixStream, answer: &mut Vec<u8>) -> Result<()> {
    answer.clear();
    stream.read_to_end(answer).context("reading a control answer")?;
    Ok(())
}
