//! Whom we measure, and how each is started and stopped.

mod connctl;
mod haproxy;
mod nginx;
mod process;
mod redis;

use std::net::{SocketAddr, TcpStream};
use std::path::{Path, PathBuf};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail};
use clap::ValueEnum;
use serde::Serialize;
use tempfile::TempDir;

pub(crate) use self::connctl::{Audit, Extra, TOKEN};
use self::process::Process;

/// How long a relay may take until it accepts.
const START_LIMIT: Duration = Duration::from_secs(10);
const START_CHECK: Duration = Duration::from_millis(5);
/// Time for a fresh relay to finish what it does after it began to accept.
const SETTLE: Duration = Duration::from_millis(50);

/// Someone with a column in the result. Relays have the number of their threads in their name.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, ValueEnum)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lower")]
pub(crate) enum Who {
    /// No relay: what loopback and the load tool can do.
    Direct,
    /// HAProxy as it comes.
    Haproxy1,
    /// HAProxy with splice forced and 1 MiB pipes.
    Haproxy1t,
    /// nginx stream as it comes.
    Nginx1,
    /// nginx stream with 256 KiB buffers.
    Nginx1t,
    /// Redis: lists and closes clients of its own.
    Redis,
    /// ss: lists the sockets of the machine.
    Ss,
    /// connctl's agent with one relay thread.
    Connctl1,
}

impl Who {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Direct => "direct",
            Self::Haproxy1 => "haproxy1",
            Self::Haproxy1t => "haproxy1t",
            Self::Nginx1 => "nginx1",
            Self::Nginx1t => "nginx1t",
            Self::Redis => "redis",
            Self::Ss => "ss",
            Self::Connctl1 => "connctl1",
        }
    }

    /// Peers are what connctl is compared with; `direct` is a limit, not a peer.
    pub(crate) fn is_peer(self) -> bool {
        !matches!(self, Self::Direct | Self::Connctl1)
    }
}

/// A started relay (or Redis, or nothing at all for `direct`). It ends when this is dropped.
pub(crate) struct Proxy {
    /// Where clients connect.
    pub(crate) address: SocketAddr,
    /// Its control socket, if it has one.
    control: Option<PathBuf>,
    // Declared before the directory: it must have ended when its files go.
    process: Option<Process>,
    _directory: TempDir,
}

impl Proxy {
    /// Starts `who` in front of `upstream`; `connctl` is the path of that binary.
    pub(crate) fn start(who: Who, upstream: SocketAddr, connctl: &Path) -> Result<Self> {
        let directory = directory()?;
        let dir = directory.path();
        let started = match who {
            Who::Direct | Who::Ss => Started { address: upstream, control: None, process: None },
            Who::Haproxy1 => haproxy::start(dir, upstream, haproxy::Tuning::Default)?,
            Who::Haproxy1t => haproxy::start(dir, upstream, haproxy::Tuning::Splice)?,
            Who::Nginx1 => nginx::start(dir, upstream, nginx::Tuning::Default)?,
            Who::Nginx1t => nginx::start(dir, upstream, nginx::Tuning::Buffers)?,
            Who::Redis => redis::start(dir)?,
            Who::Connctl1 => connctl::start(dir, upstream, connctl, None)?,
        };
        Self::started(who, started, directory)
    }

    /// Starts connctl with what only it has. Files are on the file system of `TMPDIR`.
    pub(crate) fn start_with(extra: &Extra, upstream: SocketAddr, connctl: &Path) -> Result<Self> {
        let directory = directory()?;
        let started = connctl::start(directory.path(), upstream, connctl, Some(extra))?;
        Self::started(Who::Connctl1, started, directory)
    }

    /// Waits until it accepts.
    fn started(who: Who, started: Started, directory: TempDir) -> Result<Self> {
        let mut proxy = Self {
            address: started.address,
            control: started.control,
            process: started.process,
            _directory: directory,
        };
        proxy.wait_until_it_accepts().with_context(|| format!("{} does not start", who.name()))?;
        Ok(proxy)
    }

    pub(crate) fn control(&self) -> Result<&Path> {
        self.control.as_deref().context("it has no control socket")
    }

    /// The process and its children.
    pub(crate) fn pids(&self) -> Result<Vec<u32>> {
        self.process.as_ref().map_or(Ok(Vec::new()), Process::pids)
    }

    fn wait_until_it_accepts(&mut self) -> Result<()> {
        let start = Instant::now();
        while let Err(error) = TcpStream::connect(self.address) {
            if let Some(process) = &mut self.process {
                process.check()?;
            }
            if start.elapsed() > START_LIMIT {
                bail!("{}: {error} after {} s", self.address, START_LIMIT.as_secs());
            }
            thread::sleep(START_CHECK);
        }
        thread::sleep(SETTLE);
        Ok(())
    }
}

fn directory() -> Result<TempDir> {
    Ok(tempfile::Builder::new().prefix("connctl-bench-").tempdir()?)
}

/// What each kind of relay hands back from its start.
struct Started {
    address: SocketAddr,
    control: Option<PathBuf>,
    process: Option<Process>,
}
