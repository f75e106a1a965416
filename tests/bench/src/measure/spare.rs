//! Spare CPU time: what is left while nobody else wants it.
//!
//! A loop that takes it only shows what is done for it by those whom it asks, and not what it costs itself. It
//! still gets a little of a busy CPU: the kernel lets nobody starve.

use std::process::Command;

use anyhow::{Context, Result, ensure};
use rustix::process::{Pid, getsid};

/// From now on this task, and what it starts, has spare time only (`SCHED_IDLE`). Fails where that would mean
/// nothing: the kernel shares out CPU time between sessions first (`sched_autogroup`), so `others`, whom it
/// shall give way to, must be of its session.
pub(crate) fn only(task: Pid, others: &[u32]) -> Result<()> {
    let session = getsid(Some(task)).context("its session")?;
    for &other in others {
        let pid = i32::try_from(other).ok().and_then(Pid::from_raw);
        ensure!(getsid(pid)? == session, "process {other} is of another session");
    }
    let said = Command::new("chrt")
        .args(["--idle", "--pid", "0", &task.as_raw_nonzero().to_string()])
        .output()
        .context("cannot start chrt")?;
    ensure!(said.status.success(), "chrt: {}", String::from_utf8_lossy(&said.stderr).trim());
    Ok(())
}
