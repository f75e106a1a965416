//! A process that we started: found with its children, asked how it is, killed by its number.

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdout, Command, Stdio};

use anyhow::{Context, Result, bail};
use rustix::process::{Pid, Signal, kill_process};

/// A running process. Dropping it kills it and its children.
pub(super) struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    /// Starts `command`; its stderr goes to a file in `dir` and is quoted if it ends early.
    pub(super) fn start(mut command: Command, dir: &Path) -> Result<Self> {
        let name = command.get_program().to_string_lossy().into_owned();
        let log = dir.join("stderr");
        let child = command
            .stdin(Stdio::null())
            .stderr(File::create(&log)?)
            .spawn()
            .with_context(|| format!("cannot start {name}"))?;
        Ok(Self { child, log })
    }

    /// What it prints, if `command` asked for a pipe.
    pub(super) fn stdout(&mut self) -> Option<ChildStdout> {
        self.child.stdout.take()
    }

    /// Fails if the process has ended, with the last line that it wrote.
    pub(super) fn check(&mut self) -> Result<()> {
        let Some(status) = self.child.try_wait()? else { return Ok(()) };
        let log = fs::read_to_string(&self.log).unwrap_or_default();
        let last = log.lines().rev().find(|line| !line.trim().is_empty()).unwrap_or("it wrote nothing");
        bail!("it ended ({status}): {last}");
    }

    /// The process and its children; a server that forks workers does so before it accepts.
    pub(super) fn pids(&self) -> Result<Vec<u32>> {
        let mut pids = vec![self.child.id()];
        for entry in fs::read_dir("/proc")? {
            let Ok(pid) = entry?.file_name().to_string_lossy().parse::<u32>() else { continue };
            // A process that ended since the listing has no file any more.
            let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
            if parent(&stat) == Some(self.child.id()) {
                pids.push(pid);
            }
        }
        Ok(pids)
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // None of them has a state worth an orderly end, and a drain would take its time.
        for pid in self.pids().unwrap_or_else(|_| vec![self.child.id()]) {
            if let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) {
                let _ = kill_process(pid, Signal::KILL);
            }
        }
        let _ = self.child.wait();
    }
}

/// The parent in a line of /proc/PID/stat: the second field after the name, which may hold blanks and brackets.
fn parent(stat: &str) -> Option<u32> {
    stat.rsplit_once(')')?.1.split_whitespace().nth(1)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::parent;

    #[test]
    fn a_name_with_brackets_does_not_hide_the_parent() {
        assert_eq!(parent("12 (a) b) S 7 12 12 0"), Some(7));
        assert_eq!(parent(""), None);
    }
}
