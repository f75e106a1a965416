//! CPU time of the relay and of the whole machine.

use std::fs;
use std::time::{Duration, Instant};

use anyhow::{Context, Result};

/// Reads the CPU time of some processes, and of the machine.
pub(crate) struct Meter {
    pids: Vec<u32>,
}

/// One reading.
pub(crate) struct Reading {
    at: Instant,
    machine: Duration,
    processes: Duration,
}

/// The difference of two readings.
#[derive(Clone, Copy)]
pub(crate) struct Cost {
    /// Time on the clock.
    pub(crate) wall: Duration,
    /// CPU time of everything on this machine: user, system, irq and softirq. The honest figure, because
    /// loopback does much of a relay's work in the context of its peers.
    pub(crate) machine: Duration,
    /// CPU time of the relay's own tasks.
    pub(crate) processes: Duration,
}

impl Meter {
    pub(crate) fn new(pids: Vec<u32>) -> Self {
        Self { pids }
    }

    pub(crate) fn read(&self) -> Result<Reading> {
        let mut processes = Duration::ZERO;
        for &pid in &self.pids {
            processes += of_process(pid)?;
        }
        Ok(Reading { at: Instant::now(), machine: of_machine()?, processes })
    }
}

impl Reading {
    pub(crate) fn since(&self, before: &Reading) -> Cost {
        Cost {
            wall: self.at - before.at,
            machine: self.machine.saturating_sub(before.machine),
            processes: self.processes.saturating_sub(before.processes),
        }
    }
}

/// All tasks of a process, from schedstat: nanoseconds, where `stat` has ticks of 10 ms.
fn of_process(pid: u32) -> Result<Duration> {
    let mut total = Duration::ZERO;
    for task in fs::read_dir(format!("/proc/{pid}/task")).with_context(|| format!("process {pid} ended"))? {
        let path = task?.path().join("schedstat");
        let text = fs::read_to_string(&path).with_context(|| format!("{}", path.display()))?;
        let spent = text.split_whitespace().next().and_then(|field| field.parse().ok());
        total += Duration::from_nanos(spent.with_context(|| format!("{} has no time", path.display()))?);
    }
    Ok(total)
}

fn of_machine() -> Result<Duration> {
    let text = fs::read_to_string("/proc/stat").context("/proc/stat")?;
    let ticks = machine_ticks(&text).context("/proc/stat has no line of all CPUs")?;
    Ok(Duration::from_millis(ticks * 1000 / rustix::param::clock_ticks_per_second()))
}

/// user + system + irq + softirq of the first line, whose fields are user, nice, system, idle, iowait, irq,
/// softirq, and then time that is not this machine's.
fn machine_ticks(stat: &str) -> Option<u64> {
    let all = stat.lines().next()?.strip_prefix("cpu ")?;
    let fields = all.split_whitespace().map(|field| field.parse().ok()).collect::<Option<Vec<u64>>>()?;
    [0, 2, 5, 6].iter().map(|&index| fields.get(index)).sum()
}

#[cfg(test)]
mod tests {
    use super::machine_ticks;

    #[test]
    fn machine_time_leaves_out_nice_idle_iowait_and_steal() {
        assert_eq!(machine_ticks("cpu  1 10 100 1000 10000 2 3 99999 0 0\ncpu0 1 1 1 1\n"), Some(106));
        assert_eq!(machine_ticks("intr 5"), None);
    }
}
