//! The operator's command, run as a script runs it: no terminal, a limit, its own environment.
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};
use std::sync::mpsc;
use std::time::Duration;

use super::agent::Agent;
use super::process::{Background, Run, Running, run};

/// A command line against one agent.
pub(crate) struct Connctl {
    endpoint: Option<String>,
    env: Vec<(String, String)>,
    input: String,
}

/// Enough for every command that does not wait by itself.
const LIMIT: Duration = Duration::from_secs(120);

impl Connctl {
    /// Against this agent, given by `CONNCTL_AGENT`.
    pub(crate) fn to(agent: &Agent) -> Self {
        Self { endpoint: Some(agent.endpoint()), env: Vec::new(), input: String::new() }
    }

    /// Without any agent named.
    pub(crate) fn alone() -> Self {
        Self { endpoint: None, env: Vec::new(), input: String::new() }
    }

    pub(crate) fn env(mut self, name: &str, value: &str) -> Self {
        self.env.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn input(mut self, text: &str) -> Self {
        text.clone_into(&mut self.input);
        self
    }

    /// Runs it to its end.
    #[track_caller]
    pub(crate) fn run(&self, args: &[&str]) -> Run {
        run(&mut self.command(args), &self.input, LIMIT)
    }

    /// Starts it and goes on.
    pub(crate) fn start(&self, args: &[&str]) -> Background {
        Background::start(&mut self.command(args), &self.input)
    }

    /// Starts it and hands out its lines as they come.
    pub(crate) fn follow(&self, args: &[&str]) -> (Running, mpsc::Receiver<String>) {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Running::start(&mut command);
        let stdout = BufReader::new(process.child().stdout.take().unwrap());
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        (process, lines)
    }

    /// Starts it, hands out its first line, and reads no more.
    pub(crate) fn follow_one(&self, args: &[&str]) -> (Running, mpsc::Receiver<String>) {
        let mut command = self.command(args);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut process = Running::start(&mut command);
        let stdout = process.child().stdout.take().unwrap();
        let (send, lines) = mpsc::channel();
        std::thread::spawn(move || {
            let mut line = String::new();
            let _ = BufReader::new(stdout).read_line(&mut line);
            let _ = send.send(line);
        });
        (process, lines)
    }

    /// Words separated by blanks, as on a command line without quotes.
    #[track_caller]
    pub(crate) fn line(&self, words: &str) -> Run {
        self.run(&words.split_whitespace().collect::<Vec<_>>())
    }

    fn command(&self, args: &[&str]) -> Command {
        let mut command = Command::new(super::agent::BINARY);
        command
            .args(args)
            .env_remove("CONNCTL_AGENT")
            .env_remove("CONNCTL_TOKEN")
            .env_remove("CONNCTL_CONTEXT")
            .env_remove("CONNCTL_CA_FILE")
            .env_remove("CONNCTL_CERT_FILE")
            .env_remove("CONNCTL_KEY_FILE")
            .env("NO_COLOR", "1");
        for name in ["XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", "HOME"] {
            command.env(name, "/nonexistent");
        }
        if let Some(endpoint) = &self.endpoint {
            command.env("CONNCTL_AGENT", endpoint);
        }
        command.envs(self.env.iter().map(|(name, value)| (name, value)));
        command
    }
}
