//! Redis: not a relay, but its CLIENT commands list and close connections of its own.

use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use super::Started;
use super::process::Process;
use crate::ports;

pub(super) fn start(dir: &Path) -> Result<Started> {
    let address = ports::free()?;
    let control = dir.join("redis.sock");
    let mut command = Command::new("redis-server");
    command
        .args(["--bind", &address.ip().to_string(), "--port", &address.port().to_string()])
        .args(["--maxclients", "9000", "--tcp-backlog", "4096", "--save", "", "--appendonly", "no"])
        .arg("--unixsocket")
        .arg(&control)
        .arg("--dir")
        .arg(dir)
        .stdout(Stdio::null());
    Ok(Started { address, control: Some(control), process: Some(Process::start(command, dir)?) })
}
