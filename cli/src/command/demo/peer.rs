//! A client that tells a FIN from a RST.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use anyhow::{Context as _, Result, bail, ensure};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::time::timeout;

/// How long anything on the wire may take: it is all on this machine.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

/// How a connection ends for a client.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Ending {
    Fin,
    Reset,
}

/// A client's socket.
#[derive(Debug)]
pub(super) struct Peer {
    stream: TcpStream,
    ending: Option<Ending>,
}

impl Peer {
    pub(super) async fn connect(address: SocketAddr) -> Result<Self> {
        let stream =
            timeout(LIMIT, TcpStream::connect(address)).await.context("a client's dial took too long")?;
        Ok(Self {
            stream: stream.with_context(|| format!("a client cannot connect to {address}"))?,
            ending: None,
        })
    }

    /// That nobody can connect there.
    pub(super) async fn is_refused(address: SocketAddr) -> Result<()> {
        match timeout(LIMIT, TcpStream::connect(address)).await.context("the dial hangs")? {
            Err(error) if error.kind() == io::ErrorKind::ConnectionRefused => Ok(()),
            Err(error) => bail!("the dial should be refused, and failed otherwise: {error}"),
            Ok(_) => bail!("the dial should be refused, and was accepted"),
        }
    }

    /// The address that the agent knows it by.
    pub(super) fn address(&self) -> Result<SocketAddr> {
        Ok(self.stream.local_addr()?)
    }

    /// Whether its ending was seen.
    pub(super) fn is_over(&self) -> bool {
        self.ending.is_some()
    }

    pub(super) async fn send(&mut self, text: &str) -> Result<()> {
        self.stream.write_all(text.as_bytes()).await.context("a client cannot send")
    }

    pub(super) async fn hears(&mut self, text: &str) -> Result<()> {
        let mut bytes = vec![0; text.len()];
        let read =
            timeout(LIMIT, self.stream.read_exact(&mut bytes)).await.context("a client waits in vain")?;
        read.context("a client's connection ended")?;
        ensure!(bytes == text.as_bytes(), "a client got {:?} for {text:?}", String::from_utf8_lossy(&bytes));
        Ok(())
    }

    /// That its connection ends like this, with no byte before.
    pub(super) async fn sees(&mut self, expected: Ending) -> Result<()> {
        let read = timeout(LIMIT, self.stream.read(&mut [0; 64])).await;
        let ending =
            match read.with_context(|| format!("a client should see {expected:?}, and sees nothing"))? {
                Ok(0) => Ending::Fin,
                Ok(bytes) => bail!("a client should see {expected:?}, and got {bytes} bytes"),
                Err(error) if error.kind() == io::ErrorKind::ConnectionReset => Ending::Reset,
                Err(error) => bail!("a client should see {expected:?}, and its socket failed: {error}"),
            };
        ensure!(ending == expected, "a client should see {expected:?}, and saw {ending:?}");
        self.ending = Some(ending);
        Ok(())
    }
}
