//! Everything on one CPU: how long the work of a request takes, without the cost of waking another CPU.

use anyhow::{Context, Result};
use rustix::process::Pid;
use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// While it lives, this process and the given ones run on one CPU. Dropping it frees this process only; the
/// others are expected to end with the case.
pub(crate) struct Pinned {
    before: CpuSet,
}

impl Pinned {
    pub(crate) fn new(pids: &[u32]) -> Result<Self> {
        let before = sched_getaffinity(None).context("reading the CPUs of this process")?;
        // The last one: interrupts are mostly served by the first.
        let last = (0..CpuSet::MAX_CPU).rev().find(|&cpu| before.is_set(cpu)).context("no CPU to run on")?;
        let mut only = CpuSet::new();
        only.set(last);
        let pinned = Self { before };
        for &pid in pids {
            set(pid, &only)?;
        }
        set(std::process::id(), &only)?;
        Ok(pinned)
    }
}

impl Drop for Pinned {
    fn drop(&mut self) {
        // A thread that has ended meanwhile is no loss.
        let _ = set(std::process::id(), &self.before);
    }
}

fn set(pid: u32, cpus: &CpuSet) -> Result<()> {
    for task in std::fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("process {pid}"))? {
        let task: i32 = task?.file_name().to_string_lossy().parse().context("a task's number")?;
        sched_setaffinity(Pid::from_raw(task), cpus).with_context(|| format!("pinning task {task}"))?;
    }
    Ok(())
}
