//! What the demo plays on: an agent of its own, a small server behind it, and a directory that both vanish with.

use std::fs::{self, DirBuilder, File};
use std::io::{BufRead as _, BufReader};
use std::net::SocketAddr;
use std::os::unix::fs::DirBuilderExt as _;
use std::path::PathBuf;
use std::process::{Child, Command, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Mutex, mpsc};
use tokio::time::timeout;

use super::peer::LIMIT;

/// Lines that the server heard and nobody asked for yet.
const HEARD_LINES: usize = 64;

/// The agent, the server and their directory.
#[derive(Debug)]
pub(super) struct Stage {
    _agent: Agent,
    directory: Directory,
    listeners: Vec<Listener>,
    heard: Mutex<mpsc::Receiver<String>>,
    /// How the agent was started, as typed after `connctl`.
    pub(super) typed: String,
    /// The line that it printed.
    pub(super) ready: String,
}

/// The line that an agent prints once it serves.
#[derive(Debug, Deserialize)]
struct Ready {
    listeners: Vec<Listener>,
}

#[derive(Debug, Deserialize)]
struct Listener {
    name: String,
    bind: String,
}

/// The directory, gone with the stage.
#[derive(Debug)]
struct Directory(PathBuf);

impl Directory {
    fn make() -> Result<Self> {
        let path = std::env::temp_dir().join(format!("connctl-demo-{}", std::process::id()));
        let made = DirBuilder::new().mode(0o700).create(&path);
        made.with_context(|| format!("cannot make {}", path.display()))?;
        Ok(Self(path))
    }
}

impl Drop for Directory {
    fn drop(&mut self) {
        // Nothing is left to tell if it cannot be removed; the system clears such places.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The agent's process, gone with the stage.
#[derive(Debug)]
struct Agent(Child);

impl Drop for Agent {
    fn drop(&mut self) {
        // It may have gone by itself, by the same ctrl-c.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Stage {
    pub(super) async fn build() -> Result<Self> {
        let directory = Directory::make()?;
        let server = TcpListener::bind("127.0.0.1:0").await.context("cannot bind a port on 127.0.0.1")?;
        let upstream = server.local_addr()?;
        let (ears, heard) = mpsc::channel(HEARD_LINES);
        tokio::spawn(serve(server, ears));

        let typed = format!("agent run --forward app@127.0.0.1:0={upstream} --echo echo@127.0.0.1:0");
        let log = directory.0.join("agent.log");
        let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
        command.args(typed.split(' ')).stdin(Stdio::null()).stdout(Stdio::piped());
        command.arg("--control").arg(format!("unix:{}", directory.0.join(SOCKET).display()));
        command.arg("--state-dir").arg(directory.0.join("state"));
        command.stderr(File::create(&log).with_context(|| format!("cannot make {}", log.display()))?);
        let mut agent = Agent(command.spawn().context("cannot start the agent")?);
        let stdout = agent.0.stdout.take().context("the agent has no stdout")?;
        let first_line = tokio::task::spawn_blocking(move || {
            let mut line = String::new();
            BufReader::new(stdout).read_line(&mut line).map(|_| line)
        });
        let line = timeout(LIMIT, first_line).await.context("the agent does not begin to serve")???;
        let Ok(Ready { listeners }) = serde_json::from_str(&line) else {
            let said = fs::read_to_string(&log).unwrap_or_default();
            bail!("the agent did not begin to serve: {}", said.lines().last().unwrap_or("it says nothing"));
        };
        Ok(Self { _agent: agent, directory, listeners, heard: Mutex::new(heard), typed, ready: line })
    }

    /// Where a listener is bound.
    pub(super) fn address(&self, name: &str) -> Result<SocketAddr> {
        let found = self.listeners.iter().find(|listener| listener.name == name);
        let bind = &found.with_context(|| format!("the agent has no listener {name}"))?.bind;
        bind.parse().with_context(|| format!("listener {name} is bound to {bind:?}"))
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.directory.0.join(SOCKET)
    }

    pub(super) fn endpoint(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// That the server gets this line.
    pub(super) async fn server_hears(&self, line: &str) -> Result<()> {
        let mut heard = self.heard.lock().await;
        let wait = async { while heard.recv().await.is_some_and(|heard| heard != line) {} };
        timeout(LIMIT, wait).await.with_context(|| format!("the server never heard {line:?}"))
    }
}

/// The agent's socket in its directory.
const SOCKET: &str = "agent.sock";

/// Sends every byte back, and tells of the lines that it hears.
async fn serve(server: TcpListener, ears: mpsc::Sender<String>) {
    while let Ok((stream, _)) = server.accept().await {
        tokio::spawn(answer(stream, ears.clone()));
    }
}

async fn answer(mut stream: TcpStream, ears: mpsc::Sender<String>) {
    let mut bytes = vec![0; 1024];
    while let Ok(read @ 1..) = stream.read(&mut bytes).await {
        let Some(text) = bytes.get(..read) else { return };
        for line in String::from_utf8_lossy(text).lines() {
            // Greetings that nobody asks for are dropped where the queue is full.
            let _ = ears.try_send(line.to_owned());
        }
        // A client that was half-closed cannot hear its answer any more: it is heard all the same.
        let _ = stream.write_all(text).await;
    }
}
