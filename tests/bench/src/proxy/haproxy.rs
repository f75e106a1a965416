//! HAProxy, one thread, one frontend, one server.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use super::Started;
use super::process::Process;
use crate::ports;

pub(super) enum Tuning {
    /// As it comes: 16 KiB buffers, no splice.
    Default,
    /// Its best for bulk: splice in both directions whatever the traffic, 1 MiB pipes.
    Splice,
}

pub(super) fn start(dir: &Path, upstream: SocketAddr, tuning: Tuning) -> Result<Started> {
    let address = ports::free()?;
    let control = dir.join("haproxy.sock");
    let (pipes, splice) = match tuning {
        Tuning::Default => ("", ""),
        // maxpipes: without it a quarter of maxconn, which together would be over 20,000 descriptors.
        Tuning::Splice => {
            ("tune.pipesize 1048576\n    maxpipes 500", "option splice-request\n    option splice-response")
        }
    };
    let file = dir.join("haproxy.cfg");
    let config = format!(
        "global
    nbthread 1
    maxconn 9000
    stats socket {control} mode 600 level admin
    {pipes}
defaults
    mode tcp
    timeout connect 10s
    timeout client 1h
    timeout server 1h
    {splice}
frontend fe
    bind {address} backlog 4096
    maxconn 9000
    default_backend be
backend be
    server s1 {upstream}
",
        control = control.display()
    );
    fs::write(&file, config)?;
    let mut command = Command::new("haproxy");
    // -db: one process, in the foreground.
    command.arg("-db").arg("-f").arg(&file).stdout(Stdio::null());
    Ok(Started { address, control: Some(control), process: Some(Process::start(command, dir)?) })
}
