//! What the figures were measured on, and with which versions.

use std::fmt;
use std::fs;
use std::path::Path;
use std::process::Command;

use serde::Serialize;

/// Set by `run` when it made a private network.
const PRIVATE_NETWORK: &str = "BENCH_PRIVATE_NETWORK";

#[derive(Serialize)]
pub(crate) struct Machine {
    kernel: String,
    cpu: String,
    cpus: usize,
    congestion_control: String,
    /// Loopback is ours alone.
    private_network: bool,
    versions: Vec<String>,
}

impl Machine {
    /// A fact that cannot be found is shown as unknown; nothing depends on it.
    pub(crate) fn read(connctl: &Path) -> Self {
        let cpuinfo = file("/proc/cpuinfo");
        let model = cpuinfo.lines().find(|line| line.starts_with("model name"));
        Self {
            kernel: file("/proc/sys/kernel/osrelease"),
            cpu: model.and_then(|line| line.split(": ").nth(1)).unwrap_or("unknown CPU").to_owned(),
            cpus: std::thread::available_parallelism().map_or(0, usize::from),
            congestion_control: file("/proc/sys/net/ipv4/tcp_congestion_control"),
            private_network: std::env::var_os(PRIVATE_NETWORK).is_some(),
            versions: vec![
                version("haproxy", "-v"),
                version("nginx", "-v"),
                version("redis-server", "--version"),
                version("ss", "--version"),
                version(&connctl.to_string_lossy(), "--version"),
            ],
        }
    }
}

impl fmt::Display for Machine {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let network = if self.private_network { "private network" } else { "shared loopback" };
        writeln!(
            f,
            "{} x {}, Linux {}, {}, {network}",
            self.cpus, self.cpu, self.kernel, self.congestion_control
        )?;
        write!(f, "{}", self.versions.join("; "))
    }
}

fn file(path: &str) -> String {
    fs::read_to_string(path).map_or_else(|_| "unknown".to_owned(), |text| text.trim().to_owned())
}

/// The first line that the program prints about its version; nginx prints it on stderr.
fn version(program: &str, flag: &str) -> String {
    let name = Path::new(program).file_name().unwrap_or_default().to_string_lossy();
    let Ok(output) = Command::new(program).arg(flag).output() else { return format!("{name}: not there") };
    let text = [output.stdout, output.stderr].concat();
    match String::from_utf8_lossy(&text).lines().next() {
        Some(line) => line.to_owned(),
        None => format!("{name}: unknown version"),
    }
}
