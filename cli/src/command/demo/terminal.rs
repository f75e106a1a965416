//! Runs each command as an operator would type it, and prints it with its true output.

use std::ffi::OsString;
use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use anyhow::{Context as _, Result, bail};
use serde::Deserialize;

use super::peer::{LIMIT, Peer};
use super::stage::Stage;
use crate::invocation::Invocation;
use crate::output::style::RESET;
use crate::output::{self};

/// How often a listing is asked for a client that just connected.
const LOOK_EVERY: std::time::Duration = std::time::Duration::from_millis(5);

/// Somebody at a terminal.
#[derive(Debug)]
pub(super) struct Terminal<'a> {
    stage: &'a Stage,
    invocation: &'a Invocation,
}

impl<'a> Terminal<'a> {
    pub(super) const fn new(stage: &'a Stage, invocation: &'a Invocation) -> Self {
        Self { stage, invocation }
    }

    /// What comes next, and why.
    pub(super) fn say(&self, text: &str) -> Result<()> {
        output::text(&format!("\n# {text}\n"))
    }

    /// What was seen.
    pub(super) fn tell(&self, text: &str) -> Result<()> {
        output::text(text)
    }

    /// A command and its output.
    pub(super) fn show(&self, command: &str, output: &str) -> Result<()> {
        let line = match self.invocation.style.title() {
            Some(start) => format!("{start}$ {command}{RESET}\n{output}"),
            None => format!("$ {command}\n{output}"),
        };
        output::text(&line)
    }

    /// Runs a command, prints it with its output, and answers what it wrote to stdout.
    pub(super) async fn run(&self, words: &str) -> Result<String> {
        let (stdout, stderr) = self.execute(words, String::new()).await?;
        self.show(&format!("connctl {words}"), &format!("{stdout}{stderr}"))?;
        Ok(stdout)
    }

    /// Runs a command, and prints nothing.
    pub(super) async fn quietly(&self, words: &str) -> Result<String> {
        Ok(self.execute(words, String::new()).await?.0)
    }

    /// Runs one command with the output of another.
    pub(super) async fn pipe(&self, from: &str, to: &str) -> Result<()> {
        let input = self.quietly(from).await?;
        let (stdout, stderr) = self.execute(to, input).await?;
        self.show(&format!("connctl {from} | connctl {to}"), &format!("{stdout}{stderr}"))
    }

    /// The connection that the agent has for a client.
    pub(super) async fn conn_id_of(&self, peer: &Peer) -> Result<u64> {
        #[derive(Deserialize)]
        struct Row {
            conn_id: u64,
        }
        let port = peer.address()?.port();
        let look = async {
            loop {
                let line = self.quietly(&format!("list --port {port} -o jsonl")).await?;
                if !line.is_empty() {
                    return Ok::<_, anyhow::Error>(serde_json::from_str::<Row>(&line)?.conn_id);
                }
                tokio::time::sleep(LOOK_EVERY).await;
            }
        };
        tokio::time::timeout(LIMIT, look).await.context("the agent does not list a client")?
    }

    async fn execute(&self, words: &str, input: String) -> Result<(String, String)> {
        let mut command = Command::new(std::env::current_exe().context("cannot find this program")?);
        command.args(words.split(' ').map(OsString::from)).env("CONNCTL_AGENT", self.stage.endpoint());
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        if self.invocation.style.title().is_some() {
            command.env("CLICOLOR_FORCE", "1");
        }
        let run = tokio::task::spawn_blocking(move || -> std::io::Result<Output> {
            let mut child = command.spawn()?;
            if let Some(mut stdin) = child.stdin.take() {
                stdin.write_all(input.as_bytes())?;
            }
            child.wait_with_output()
        });
        let output = run.await?.with_context(|| format!("cannot run connctl {words}"))?;
        let [stdout, stderr] =
            [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
        if !output.status.success() {
            bail!("connctl {words}: {}: {}{}", output.status, stdout, stderr.trim_end());
        }
        Ok((stdout, stderr))
    }
}
