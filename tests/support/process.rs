//! Child processes: run to the end within a limit, and never left behind.
use std::io::{Read, Write};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

/// How a process ended and what it wrote.
#[derive(Debug)]
pub(crate) struct Run {
    /// Its exit code; `None` where a signal ended it.
    pub(crate) code: Option<i32>,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
}

impl Run {
    /// Checks the exit code and shows everything where it is another.
    #[track_caller]
    pub(crate) fn exits(self, code: i32) -> Self {
        assert_eq!(self.code, Some(code), "stdout:\n{}\nstderr:\n{}", self.stdout, self.stderr);
        self
    }

    /// Checks that it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        self.exits(0)
    }

    /// Checks that stderr has the text.
    #[track_caller]
    pub(crate) fn says(self, text: &str) -> Self {
        assert!(self.stderr.contains(text), "stderr has no {text:?}:\n{}", self.stderr);
        self
    }

    /// Stdout as one JSON value.
    #[track_caller]
    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.stdout).unwrap_or_else(|error| panic!("{error}: {:?}", self))
    }

    /// Stdout as JSON lines.
    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<serde_json::Value> {
        let read = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        self.stdout.lines().map(read).collect()
    }

    /// The lines of stdout.
    pub(crate) fn lines(&self) -> Vec<&str> {
        self.stdout.lines().collect()
    }
}

/// A child that is killed and reaped on drop.
#[derive(Debug)]
pub(crate) struct Running(Child);

impl Running {
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(command.spawn().unwrap_or_else(|error| panic!("cannot start {command:?}: {error}")))
    }

    pub(crate) fn child(&mut self) -> &mut Child {
        &mut self.0
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let pid = Pid::from_raw(i32::try_from(self.0.id()).unwrap()).unwrap();
        kill_process(pid, signal).unwrap();
    }

    /// Waits for the end; panics (and so kills it) when the limit is over.
    #[track_caller]
    pub(crate) fn wait(&mut self, limit: Duration) -> std::process::ExitStatus {
        let start = Instant::now();
        loop {
            if let Some(status) = self.0.try_wait().unwrap() {
                return status;
            }
            assert!(start.elapsed() < limit, "still running after {limit:?}");
            std::thread::sleep(Duration::from_millis(3));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Reads to the end on a thread of its own, so that no pipe fills.
pub(crate) fn collect(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
    std::thread::spawn(move || {
        let mut bytes = Vec::new();
        let _ = from.read_to_end(&mut bytes);
        String::from_utf8_lossy(&bytes).into_owned()
    })
}

/// Runs a command to its end. Its standard streams are pipes: there is no terminal.
#[track_caller]
pub(crate) fn run(command: &mut Command, input: &str, limit: Duration) -> Run {
    Background::start(command, input).finish(limit)
}

/// A command that runs while the test goes on.
pub(crate) struct Background {
    process: Running,
    stdout: std::thread::JoinHandle<String>,
    stderr: std::thread::JoinHandle<String>,
}

impl Background {
    pub(crate) fn start(command: &mut Command, input: &str) -> Self {
        let mut own = Self::start_from(command, Stdio::piped());
        let mut stdin = own.process.child().stdin.take().unwrap();
        let input = input.to_owned();
        std::thread::spawn(move || stdin.write_all(input.as_bytes()));
        own
    }

    /// With this as its standard input.
    pub(crate) fn start_from(command: &mut Command, stdin: Stdio) -> Self {
        command.stdin(stdin).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Running::start(command);
        let stdout = collect(process.child().stdout.take().unwrap());
        let stderr = collect(process.child().stderr.take().unwrap());
        Self { process, stdout, stderr }
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }

    /// Waits until it handles an interrupt itself; before that a SIGINT just kills it.
    #[track_caller]
    pub(crate) fn handles_interrupts(&self) {
        super::until("it handles SIGINT", || {
            let status = std::fs::read_to_string(format!("/proc/{}/status", self.process.pid())).ok()?;
            let caught = status.lines().find_map(|line| line.strip_prefix("SigCgt:"))?;
            let caught = u64::from_str_radix(caught.trim(), 16).ok()?;
            (caught & (1 << (Signal::INT.as_raw() - 1)) != 0).then_some(())
        });
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.process.child().try_wait().unwrap().is_none()
    }

    #[track_caller]
    pub(crate) fn finish(mut self, limit: Duration) -> Run {
        let status = self.process.wait(limit);
        let (stdout, stderr) = (self.stdout.join().unwrap(), self.stderr.join().unwrap());
        Run { code: status.code(), stdout, stderr }
    }
}

/// Whether a program is on the PATH.
pub(crate) fn has_program(name: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|dir| dir.join(name).is_file())
}
