//! Whole runs of a program, from start to its end with everything read.
//!
//! They are started by a small process of their own: to start a program from one that holds 16,000 sockets
//! costs the kernel the copy and closing of all these descriptors.

use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use anyhow::{Context, Result, bail};
use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::process::Pid;
use serde::{Deserialize, Serialize};

/// The hidden subcommand that this process is started with.
pub(crate) const SUBCOMMAND: &str = "starter";

/// Run this program so many times, or until the next line comes.
#[derive(Serialize, Deserialize)]
struct Order {
    program: String,
    arguments: Vec<String>,
    times: Option<usize>,
    /// The exit code of a run that went well.
    code: i32,
}

/// How the runs went.
#[derive(Serialize, Deserialize)]
pub(crate) struct Runs {
    /// Milliseconds of each run.
    pub(crate) ms: Vec<f64>,
    /// The fewest lines that a run printed.
    pub(crate) lines: usize,
    error: Option<String>,
}

/// The process that starts programs for us. Make it before opening many sockets.
pub(crate) struct Starter {
    child: Child,
    orders: ChildStdin,
    answers: BufReader<ChildStdout>,
}

impl Starter {
    pub(crate) fn new() -> Result<Self> {
        let mut child = Command::new(std::env::current_exe()?)
            .arg(SUBCOMMAND)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .context("cannot start the starter of programs")?;
        let orders = child.stdin.take().context("the starter has no stdin")?;
        let answers = BufReader::new(child.stdout.take().context("the starter has no stdout")?);
        Ok(Self { child, orders, answers })
    }

    /// Runs `program` `times` times, one after the other; the first failure is an error.
    pub(crate) fn run(&mut self, program: &str, arguments: Vec<String>, times: usize) -> Result<Runs> {
        self.begin(program, arguments, times)?;
        self.finish()
    }

    /// Gives the order and returns at once.
    pub(crate) fn begin(&mut self, program: &str, arguments: Vec<String>, times: usize) -> Result<()> {
        self.order(&Order { program: program.to_owned(), arguments, times: Some(times), code: 0 })
    }

    /// Runs `program` without a pause until [`Starter::stop`]; each run ends with `code`.
    pub(crate) fn repeat(&mut self, program: &str, arguments: Vec<String>, code: i32) -> Result<()> {
        self.order(&Order { program: program.to_owned(), arguments, times: None, code })
    }

    /// Ends what [`Starter::repeat`] began, after the run that is under way.
    pub(crate) fn stop(&mut self) -> Result<Runs> {
        writeln!(self.orders).context("the starter ended")?;
        self.finish()
    }

    /// The process that all of it runs below.
    pub(crate) fn pid(&self) -> Pid {
        Pid::from_child(&self.child)
    }

    fn order(&mut self, order: &Order) -> Result<()> {
        writeln!(self.orders, "{}", serde_json::to_string(order)?).context("the starter ended")
    }

    /// Waits for what [`Starter::begin`] began.
    pub(crate) fn finish(&mut self) -> Result<Runs> {
        let mut line = String::new();
        self.answers.read_line(&mut line)?;
        let runs: Runs = serde_json::from_str(&line).context("the starter ended")?;
        match runs.error {
            Some(error) => bail!(error),
            None => Ok(runs),
        }
    }
}

impl Drop for Starter {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The starter's own life: orders on stdin, answers on stdout, one JSON line each.
pub(crate) fn serve() -> Result<()> {
    let mut output = Vec::new();
    for line in io::stdin().lines() {
        let line = line?;
        // What ended a loop, if it had not ended by a failure before.
        if line.is_empty() {
            continue;
        }
        let order: Order = serde_json::from_str(&line)?;
        let runs = order.carry_out(&mut output);
        writeln!(io::stdout(), "{}", serde_json::to_string(&runs)?)?;
    }
    Ok(())
}

/// A line waits on stdin, or nobody is there any more. The order was the last line that was read, so nothing of
/// stdin is in its buffer.
fn is_told_to_stop() -> bool {
    let stdin = io::stdin();
    let mut ready = [PollFd::new(&stdin, PollFlags::IN)];
    !matches!(poll(&mut ready, Some(&Timespec::default())), Ok(0))
}

impl Order {
    fn carry_out(&self, output: &mut Vec<u8>) -> Runs {
        let mut runs = Runs { ms: Vec::new(), lines: usize::MAX, error: None };
        while self.times.map_or_else(|| !is_told_to_stop(), |times| runs.ms.len() < times) {
            let start = Instant::now();
            if let Err(error) = self.once(output) {
                runs.error = Some(format!("{error:#}"));
                break;
            }
            runs.ms.push(start.elapsed().as_secs_f64() * 1000.0);
            runs.lines = runs.lines.min(output.split(|&byte| byte == b'\n').count() - 1);
        }
        runs
    }

    fn once(&self, output: &mut Vec<u8>) -> Result<()> {
        let mut child = Command::new(&self.program)
            .args(&self.arguments)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("cannot start {}", self.program))?;
        output.clear();
        if let Some(mut stdout) = child.stdout.take() {
            stdout.read_to_end(output)?;
        }
        let status = child.wait()?;
        if status.code() != Some(self.code) {
            let mut said = String::new();
            // What it said on stderr fits in the pipe, so nothing is lost by reading it this late.
            if let Some(mut stderr) = child.stderr.take() {
                stderr.read_to_string(&mut said)?;
            }
            bail!(
                "{} ended with {status}: {}",
                self.program,
                said.lines().next().unwrap_or("it wrote nothing")
            );
        }
        Ok(())
    }
}
