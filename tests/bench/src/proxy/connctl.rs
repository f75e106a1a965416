//! Our own agent with one relay thread.

use std::fs;
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::sync::mpsc;
use std::thread;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::process::Process;
use super::{SETTLE, START_LIMIT, Started};

/// The line that an agent prints when it serves; what is not needed here is left out.
#[derive(Deserialize)]
struct Ready {
    event: String,
    listeners: Vec<Listener>,
}

#[derive(Deserialize)]
struct Listener {
    bind: SocketAddr,
}

/// What becomes of a change that cannot be written to the audit.
#[derive(Clone, Copy)]
pub(crate) enum Audit {
    Required,
    BestEffort,
    /// Nothing is written down.
    Off,
}

/// A token that an agent with tokens knows, and its hash.
pub(crate) const TOKEN: &str = "bench-token";
const TOKEN_SHA256: &str = "7137e16f75a1d75b6fd65930672814806cdc1a0d6e0aa38611afc996a402258b";

/// What is asked of an agent beside its listener.
pub(crate) enum Extra {
    /// An audit.
    Audit(Audit),
    /// So many tokens, [`TOKEN`] among them.
    Tokens(usize),
}

impl Extra {
    /// The configuration; files are in `dir`.
    fn config(&self, dir: &Path) -> String {
        match self {
            Self::Audit(audit) => {
                let mode = match audit {
                    Audit::Required => "required",
                    Audit::BestEffort => "best-effort",
                    Audit::Off => "off",
                };
                format!("audit = {mode:?}\naudit_file = {:?}\n", dir.join("audit.jsonl"))
            }
            Self::Tokens(count) => (0..*count)
                .map(|place| {
                    let hash = if place == 0 { TOKEN_SHA256.to_owned() } else { format!("{place:064x}") };
                    format!("[[token]]\nname = \"t{place}\"\nrole = \"viewer\"\nsha256 = {hash:?}\n")
                })
                .collect(),
        }
    }
}

/// Starts an agent, with what is asked of it.
pub(super) fn start(
    dir: &Path,
    upstream: SocketAddr,
    binary: &Path,
    extra: Option<&Extra>,
) -> Result<Started> {
    let control = dir.join("agent.sock");
    let mut command = Command::new(binary);
    command
        .args(["agent", "run", "--threads", "1", "--forward"])
        .arg(format!("bench@127.0.0.1:0={upstream}"))
        .arg("--control")
        .arg(format!("unix:{}", control.display()))
        .stdout(Stdio::piped());
    if let Some(extra) = extra {
        let file = dir.join("agent.toml");
        fs::write(&file, extra.config(dir))?;
        command.arg("--config").arg(file);
    }
    let mut process = Process::start(command, dir)?;
    let stdout = process.stdout().context("the agent has no stdout")?;
    let line = match first_line(stdout) {
        Some(line) => line,
        None => {
            // Its stdout closes a moment before it can be waited for.
            thread::sleep(SETTLE);
            process.check().context("the agent was not ready")?;
            bail!("the agent was not ready after {} s", START_LIMIT.as_secs());
        }
    };
    let ready: Ready = serde_json::from_str(&line).with_context(|| format!("not a ready line: {line}"))?;
    if ready.event != "ready" {
        bail!("the agent's first line is {:?}, not ready", ready.event);
    }
    let listener = ready.listeners.first().context("the agent has no listener")?;
    Ok(Started { address: listener.bind, control: Some(control), process: Some(process) })
}

/// The first line, or none in time. The thread reads on until the agent ends, so that a chatty agent is
/// neither blocked by a full pipe nor ended by a closed one.
fn first_line(stdout: ChildStdout) -> Option<String> {
    let (give, take) = mpsc::sync_channel(1);
    thread::spawn(move || {
        let mut lines = BufReader::new(stdout).lines().map_while(Result::ok);
        if let Some(line) = lines.next() {
            let _ = give.send(line);
        }
        lines.for_each(drop);
    });
    take.recv_timeout(START_LIMIT).ok()
}
