//! nginx with its stream module: a master and one worker.

use std::fs;
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Command, Stdio};

use anyhow::Result;

use super::Started;
use super::process::Process;
use crate::ports;

/// Where Debian's libnginx-mod-stream puts the module.
const MODULE: &str = "/usr/lib/nginx/modules/ngx_stream_module.so";

pub(super) enum Tuning {
    /// As it comes: 16 KiB buffers.
    Default,
    /// 256 KiB buffers.
    Buffers,
}

pub(super) fn start(dir: &Path, upstream: SocketAddr, tuning: Tuning) -> Result<Started> {
    let address = ports::free()?;
    let buffers = match tuning {
        Tuning::Default => "",
        Tuning::Buffers => "proxy_buffer_size 256k;",
    };
    let file = dir.join("nginx.conf");
    // Half-close is relayed, because connctl and HAProxy always do so. 17,000: two for each of 8,000 pairs.
    let config = format!(
        "load_module {MODULE};
daemon off;
worker_processes 1;
pid {dir}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 17000; }}
stream {{
    server {{
        listen {address} backlog=4096;
        proxy_pass {upstream};
        proxy_connect_timeout 10s;
        proxy_timeout 1h;
        proxy_half_close on;
        {buffers}
    }}
}}
",
        dir = dir.display()
    );
    fs::write(&file, config)?;
    let mut command = Command::new("nginx");
    command.arg("-p").arg(dir).arg("-e").arg("stderr").arg("-c").arg(&file).stdout(Stdio::null());
    Ok(Started { address, control: None, process: Some(Process::start(command, dir)?) })
}
