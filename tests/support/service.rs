//! Real servers for the relay to stand in front of: Redis, NATS, PostgreSQL, Mosquitto, MariaDB, each on a free
//! loopback port.
use std::net::{Ipv4Addr, SocketAddr, TcpListener, TcpStream};
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::time::Duration;

use rustix::process::Signal;

use super::dir::Dir;
use super::process::{Running, run};
use super::until::{LIMIT, until};

/// A server that is stopped, and killed if that takes long, on drop.
pub(crate) struct Service {
    process: Running,
    command: Command,
    addr: SocketAddr,
    stop: Signal,
    dir: Dir,
}

/// Whether all programs are here. Where they are not, a test says so and passes, except on CI.
#[track_caller]
pub(crate) fn have(programs: &[&str]) -> bool {
    let missing: Vec<_> = programs.iter().filter(|name| find(name).is_none()).collect();
    if missing.is_empty() {
        return true;
    }
    assert!(std::env::var_os("CI").is_none(), "{missing:?} must be installed where CI is set");
    eprintln!("skipped: {missing:?} not installed (tests/run installs what is missing)");
    false
}

/// Where a program is: on the PATH, or where Debian puts the programs of a service.
pub(crate) fn find(name: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let mut dirs: Vec<_> = std::env::split_paths(&path).collect();
    dirs.extend(["/usr/sbin".into(), "/usr/local/sbin".into()]);
    let versions = std::fs::read_dir("/usr/lib/postgresql").into_iter().flatten().flatten();
    dirs.extend(versions.map(|version| version.path().join("bin")));
    dirs.into_iter().map(|dir| dir.join(name)).find(|path| path.is_file())
}

/// A program by its name, wherever it is.
pub(crate) fn program(name: &str) -> Command {
    Command::new(find(name).unwrap_or_else(|| panic!("{name} is not installed")))
}

/// A port that was free a moment ago: these servers cannot be asked for port 0.
fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// Starts it and waits until it takes connections.
fn start(mut command: Command, port: u16, stop: Signal, dir: Dir) -> Service {
    let log = std::fs::File::create(dir.path().join("server.log")).unwrap();
    command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
    let addr = SocketAddr::from((Ipv4Addr::LOCALHOST, port));
    let process = serving(&mut command, addr, &dir);
    Service { process, command, addr, stop, dir }
}

/// Runs it until it takes connections.
fn serving(command: &mut Command, addr: SocketAddr, dir: &Dir) -> Running {
    let mut process = Running::start(command);
    until("the server takes connections", || {
        if let Some(status) = process.child().try_wait().unwrap() {
            let log = std::fs::read_to_string(dir.path().join("server.log")).unwrap_or_default();
            panic!("{command:?} ended with {status}:\n{log}");
        }
        TcpStream::connect_timeout(&addr, LIMIT).ok()
    });
    process
}

impl Service {
    pub(crate) fn redis() -> Self {
        let (dir, port) = (Dir::new(), free_port());
        let mut command = program("redis-server");
        command.args(["--bind", "127.0.0.1", "--port", &port.to_string()]);
        command.args(["--save", "", "--appendonly", "no", "--dir"]).arg(dir.path());
        start(command, port, Signal::TERM, dir)
    }

    pub(crate) fn nats() -> Self {
        Self::nats_at(free_port(), "")
    }

    /// Ends it with this signal, and waits for its end.
    pub(crate) fn end(&mut self, signal: Signal) {
        self.process.signal(signal);
        self.process.wait(LIMIT);
    }

    /// Starts it once more, where it was, after it has ended.
    pub(crate) fn again(&mut self) {
        self.process = serving(&mut self.command, self.addr, &self.dir);
    }

    /// With this configuration.
    pub(crate) fn nats_with(config: &str) -> Self {
        Self::nats_at(free_port(), config)
    }

    /// At this port, which an earlier one may have had.
    pub(crate) fn nats_at(port: u16, config: &str) -> Self {
        let dir = Dir::new();
        let mut command = program("nats-server");
        command.arg("-c").arg(dir.write("nats.conf", config));
        command.args(["-a", "127.0.0.1", "-p", &port.to_string()]);
        start(command, port, Signal::TERM, dir)
    }

    /// An MQTT broker that lets everyone in.
    pub(crate) fn mosquitto() -> Self {
        let (dir, port) = (Dir::new(), free_port());
        let config = format!("listener {port} 127.0.0.1\nallow_anonymous true\npersistence false\n");
        let mut command = program("mosquitto");
        command.arg("-c").arg(dir.write("mosquitto.conf", &config));
        start(command, port, Signal::TERM, dir)
    }

    /// A MySQL server that has no table of users, and so asks every user and checks none.
    pub(crate) fn mariadb() -> Self {
        let (dir, port) = (Dir::new(), free_port());
        let mut command = program("mariadbd");
        command.arg("--no-defaults").arg("--datadir").arg(dir.path());
        command.arg("--socket").arg(dir.path().join("mariadb.sock"));
        command.args(["--bind-address=127.0.0.1", &format!("--port={port}"), "--skip-networking=0"]);
        command.args(["--skip-grant-tables", "--innodb-log-file-size=4M", "--innodb-buffer-pool-size=8M"]);
        command.args(["--innodb-fast-shutdown=2", "--innodb-flush-log-at-trx-commit=0"]);
        if rustix::process::geteuid().is_root() {
            command.arg("--user=root");
        }
        start(command, port, Signal::TERM, dir)
    }

    /// Ends it as a crash would.
    pub(crate) fn kill(mut self) {
        self.stop = Signal::KILL;
    }

    pub(crate) fn postgres() -> Self {
        let (dir, port) = (Dir::new(), free_port());
        let data = dir.path().join("data");
        std::fs::create_dir(&data).unwrap();
        if let Some((user, group)) = postgres_user() {
            std::os::unix::fs::chown(&data, Some(user), Some(group)).unwrap();
        }
        let init = run(
            as_postgres("initdb")
                .args(["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-sync", "-D"])
                .arg(&data)
                .current_dir("/"),
            "",
            Duration::from_secs(60),
        );
        assert_eq!(init.code, Some(0), "{init:?}");
        let mut command = as_postgres("postgres");
        command.arg("-D").arg(&data).arg("-k").arg(&data).current_dir("/");
        command.args(["-h", "127.0.0.1", "-p", &port.to_string(), "-c", "fsync=off"]);
        let service = start(command, port, Signal::QUIT, dir);
        until("PostgreSQL answers", || {
            let answer = psql(service.addr, &["-c", "select 1"]).finish(LIMIT);
            (answer.code == Some(0)).then_some(())
        });
        service
    }

    pub(crate) fn addr(&self) -> SocketAddr {
        self.addr
    }
}

impl Drop for Service {
    fn drop(&mut self) {
        if !self.process.child().try_wait().is_ok_and(|status| status.is_none()) {
            return;
        }
        self.process.signal(self.stop);
        let start = std::time::Instant::now();
        while self.process.child().try_wait().is_ok_and(|status| status.is_none()) {
            if start.elapsed() > Duration::from_secs(5) {
                break;
            }
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

/// PostgreSQL does not run as root; then it runs as its own user: that user's and group's ids.
fn postgres_user() -> Option<(u32, u32)> {
    if !rustix::process::geteuid().is_root() {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").unwrap();
    let line = users.lines().find(|line| line.starts_with("postgres:"));
    let fields: Vec<_> = line.expect("a user postgres").split(':').collect();
    Some((fields[2].parse().unwrap(), fields[3].parse().unwrap()))
}

fn as_postgres(name: &str) -> Command {
    use std::os::unix::process::CommandExt;
    let mut command = program(name);
    if let Some((user, group)) = postgres_user() {
        command.uid(user).gid(group).env("HOME", "/");
    }
    command
}

/// A `psql` at this address, running while the test goes on.
pub(crate) fn psql(addr: SocketAddr, args: &[&str]) -> super::process::Background {
    let mut command = program("psql");
    command.args(["-X", "-q", "-A", "-t", "-U", "postgres", "-d", "postgres"]);
    command.args(["-h", &addr.ip().to_string(), "-p", &addr.port().to_string()]).args(args);
    command.env_remove("PGHOST").env("PGCONNECT_TIMEOUT", "10").env("LC_ALL", "C");
    super::process::Background::start(&mut command, "")
}

/// A `redis-cli` at this address, running while the test goes on.
pub(crate) fn redis_cli(addr: SocketAddr, args: &[&str], input: &str) -> super::process::Background {
    let mut command = program("redis-cli");
    command.args(["-h", &addr.ip().to_string(), "-p", &addr.port().to_string()]).args(args);
    super::process::Background::start(&mut command, input)
}

/// A `redis-benchmark` at this address, running while the test goes on.
pub(crate) fn redis_benchmark(addr: SocketAddr, args: &[&str]) -> super::process::Background {
    let mut command = program("redis-benchmark");
    command.args(["-h", &addr.ip().to_string(), "-p", &addr.port().to_string()]).args(args);
    super::process::Background::start(&mut command, "")
}
