//! A real agent in a directory of its own.
use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Arc, Mutex, mpsc};
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::dir::Dir;
use super::disk::Disk;
use super::http::Http;
use super::peer::Peer;
use super::process::{Background, Run, Running};
use super::until::{LIMIT, until};

/// The command of this suite's package: `connctl`, or the agent alone.
pub(crate) const BINARY: &str = match (option_env!("CARGO_BIN_EXE_connctl"), AGENT_ALONE) {
    (Some(path), _) | (None, Some(path)) => path,
    (None, None) => panic!("this suite belongs to a package with a binary"),
};
const AGENT_ALONE: Option<&str> = option_env!("CARGO_BIN_EXE_connctl-agent");

/// The binary, below the command that `CONNCTL_AGENT_UNDER` names: a memory checker, say.
fn under() -> Command {
    let prefix = std::env::var("CONNCTL_AGENT_UNDER").unwrap_or_default();
    let mut words = prefix.split_whitespace();
    let Some(program) = words.next() else {
        return Command::new(BINARY);
    };
    let mut command = Command::new(program);
    command.args(words).arg(BINARY);
    command
}

/// What an agent is started with.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    dir: Arc<Dir>,
    args: Vec<String>,
    config: Option<String>,
    descriptors: Option<u32>,
    own_control: bool,
    environment: Vec<(String, String)>,
    handed: Option<(String, Arc<OwnedFd>)>,
    disk: Option<Arc<Disk>>,
}

impl Setup {
    pub(crate) fn new() -> Self {
        Self {
            dir: Arc::new(Dir::new()),
            args: Vec::new(),
            config: None,
            descriptors: None,
            own_control: true,
            environment: Vec::new(),
            handed: None,
            disk: None,
        }
    }

    pub(crate) fn arg(mut self, arg: impl Into<String>) -> Self {
        self.args.push(arg.into());
        self
    }

    pub(crate) fn echo(self, name: &str) -> Self {
        self.arg("--echo").arg(format!("{name}@127.0.0.1:0"))
    }

    pub(crate) fn hold(self, name: &str) -> Self {
        self.arg("--hold").arg(format!("{name}@127.0.0.1:0"))
    }

    pub(crate) fn forward(self, name: &str, upstream: SocketAddr) -> Self {
        self.arg("--forward").arg(format!("{name}@127.0.0.1:0={upstream}"))
    }

    /// Also serves the control API on a free loopback port.
    pub(crate) fn tcp_control(self) -> Self {
        self.arg("--control").arg("tcp:127.0.0.1:0")
    }

    /// Does not say where the control API is: the arguments or the configuration do.
    pub(crate) fn without_control(mut self) -> Self {
        self.own_control = false;
        self
    }

    /// The configuration file's text.
    pub(crate) fn config(mut self, toml: impl Into<String>) -> Self {
        self.config = Some(toml.into());
        self
    }

    /// The most descriptors the agent may open, as a service manager would limit it.
    pub(crate) fn descriptors(mut self, most: u32) -> Self {
        self.descriptors = Some(most);
        self
    }

    /// A variable of its environment.
    pub(crate) fn env(mut self, name: &str, value: impl Into<String>) -> Self {
        self.environment.push((name.into(), value.into()));
        self
    }

    /// Hands it a listening socket under a name, as a service manager does.
    pub(crate) fn handed(mut self, name: &str, socket: impl Into<OwnedFd>) -> Self {
        self.handed = Some((name.into(), Arc::new(socket.into())));
        self
    }

    /// Starts it where it sees this disk, with its state there. A limit of descriptors and what is handed to it
    /// do not go with that.
    pub(crate) fn on(mut self, disk: &Arc<Disk>) -> Self {
        self.disk = Some(Arc::clone(disk));
        self.arg("--state-dir").arg(disk.inside("state").to_str().unwrap())
    }

    pub(crate) fn dir(&self) -> &Dir {
        &self.dir
    }

    /// The control socket's path.
    pub(crate) fn socket(&self) -> PathBuf {
        self.dir.path().join("agent.sock")
    }

    fn command(&self) -> Command {
        let mut before = String::new();
        if let Some(most) = self.descriptors {
            before += &format!("ulimit -n {most} && ");
        }
        if let Some((name, _)) = &self.handed {
            // It comes as the standard input. The process keeps its number when it becomes the agent.
            let env = format!("LISTEN_PID=$$ LISTEN_FDS=1 LISTEN_FDNAMES='{name}'");
            before += &format!("exec 3<&0 0</dev/null && export {env} && ");
        }
        let mut command = if let Some(disk) = &self.disk {
            let [program, words @ ..] = &disk.words()[..] else { panic!("there are words") };
            let mut command = Command::new(program);
            command.args(words).arg("--").arg(BINARY);
            command
        } else if before.is_empty() {
            under()
        } else {
            let mut shell = Command::new("sh");
            shell.args(["-c", &format!("{before}exec \"$0\" \"$@\""), BINARY]);
            shell
        };
        command.envs(self.environment.iter().map(|(name, value)| (name, value)));
        if option_env!("CARGO_BIN_EXE_connctl").is_some() {
            command.arg("agent");
        }
        command.arg("run");
        if self.own_control {
            command.arg("--control").arg(format!("unix:{}", self.socket().display()));
        }
        if let Some(config) = &self.config {
            command.arg("--config").arg(self.dir.write("agent.toml", config));
        }
        command.args(&self.args);
        command.env("NO_COLOR", "1").env_remove("RUST_LOG");
        command
    }

    /// Starts it and waits for its ready line.
    #[track_caller]
    pub(crate) fn start(self) -> Agent {
        let mut command = self.command();
        command.stdin(self.stdin()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut process = Running::start(&mut command);
        let log = Arc::new(Mutex::new(String::new()));
        let stderr = BufReader::new(process.child().stderr.take().unwrap());
        let own = Arc::clone(&log);
        std::thread::spawn(move || {
            for line in stderr.lines().map_while(Result::ok) {
                *own.lock().unwrap() += &(line + "\n");
            }
        });
        let stdout = BufReader::new(process.child().stdout.take().unwrap());
        let (send, receive) = mpsc::channel();
        std::thread::spawn(move || {
            for line in stdout.lines().map_while(Result::ok) {
                let _ = send.send(line);
            }
        });
        let Ok(line) = receive.recv_timeout(LIMIT) else {
            // Its log is complete once it is gone.
            drop(process);
            panic!("no ready line; stderr:\n{}", log.lock().unwrap());
        };
        let ready: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        assert_eq!(ready["event"], "ready", "{line}");
        Agent { setup: self, process, ready, log, stdout: Mutex::new(receive) }
    }

    fn stdin(&self) -> Stdio {
        match &self.handed {
            Some((_, socket)) => socket.try_clone().unwrap().into(),
            None => Stdio::null(),
        }
    }

    /// Starts it, which must fail by itself.
    #[track_caller]
    pub(crate) fn refuses(&self) -> Run {
        let run = Background::start_from(&mut self.command(), self.stdin()).finish(LIMIT);
        assert_ne!(run.code, Some(0), "{run:?}");
        assert_eq!(run.stdout, "", "nothing but the ready line belongs on stdout");
        run
    }
}

/// A running agent. Killed and reaped on drop.
pub(crate) struct Agent {
    setup: Setup,
    process: Running,
    ready: Value,
    log: Arc<Mutex<String>>,
    stdout: Mutex<mpsc::Receiver<String>>,
}

/// Starting.
impl Agent {
    pub(crate) fn echo() -> Self {
        Setup::new().echo("echo").start()
    }

    pub(crate) fn hold() -> Self {
        Setup::new().hold("hold").start()
    }

    /// One listener, named `front`, in front of this address.
    pub(crate) fn front(upstream: SocketAddr) -> Self {
        Setup::new().forward("front", upstream).start()
    }

    /// Kills it as a power cut would and starts it again in the same directory.
    pub(crate) fn crash_and_restart(mut self) -> Self {
        self.process.signal(Signal::KILL);
        self.process.wait(LIMIT);
        self.restart()
    }

    /// Starts it again in the same directory, after its end.
    pub(crate) fn restart(self) -> Self {
        let setup = self.setup.clone();
        drop(self);
        setup.start()
    }

    /// Ends it with SIGTERM; gives its exit code.
    #[track_caller]
    pub(crate) fn terminate(&mut self, limit: Duration) -> Option<i32> {
        self.process.signal(Signal::TERM);
        self.waits(limit)
    }

    /// Waits for its end, after which its log is whole; gives its exit code.
    #[track_caller]
    pub(crate) fn waits(&mut self, limit: Duration) -> Option<i32> {
        let code = self.process.wait(limit).code();
        // Whoever reads its log holds it too, until it is whole.
        until("the log is read to its end", || (Arc::strong_count(&self.log) == 1).then_some(()));
        code
    }

    pub(crate) fn signal(&self, signal: Signal) {
        self.process.signal(signal);
    }
}

/// Facts.
impl Agent {
    pub(crate) fn ready(&self) -> &Value {
        &self.ready
    }

    pub(crate) fn pid(&self) -> u32 {
        self.process.pid()
    }

    pub(crate) fn dir(&self) -> &Dir {
        &self.setup.dir
    }

    pub(crate) fn socket(&self) -> PathBuf {
        self.setup.socket()
    }

    /// For `--agent` and `CONNCTL_AGENT`.
    pub(crate) fn endpoint(&self) -> String {
        format!("unix:{}", self.socket().display())
    }

    /// Lines it wrote on stdout after the ready line.
    pub(crate) fn more_stdout(&self) -> Vec<String> {
        self.stdout.lock().unwrap().try_iter().collect()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// The bound address of a listener.
    #[track_caller]
    pub(crate) fn addr(&self, listener: &str) -> SocketAddr {
        let rows = self.ready["listeners"].as_array().expect("listeners in the ready line");
        let row = rows.iter().find(|row| row["name"] == listener);
        let row = row.unwrap_or_else(|| panic!("no listener {listener} in {}", self.ready));
        row["bind"].as_str().unwrap().parse().unwrap()
    }

    /// The address of the only listener.
    #[track_caller]
    pub(crate) fn only(&self) -> SocketAddr {
        let rows = self.ready["listeners"].as_array().unwrap();
        assert_eq!(rows.len(), 1, "{}", self.ready);
        rows[0]["bind"].as_str().unwrap().parse().unwrap()
    }

    /// How many descriptors it has open.
    pub(crate) fn open_descriptors(&self) -> usize {
        std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap().count()
    }

    /// How many descriptors of a kind it has open, as `/proc` names the kind: `socket:`, `pipe:`.
    pub(crate) fn open_of(&self, kind: &str) -> usize {
        let all = std::fs::read_dir(format!("/proc/{}/fd", self.pid())).unwrap();
        // One that is closed meanwhile is not open.
        let targets = all.filter_map(|each| std::fs::read_link(each.ok()?.path()).ok());
        targets.filter(|target| target.to_string_lossy().starts_with(kind)).count()
    }

    /// Its resident memory in KiB.
    pub(crate) fn memory_kib(&self) -> u64 {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.pid())).unwrap();
        let line = status.lines().find(|line| line.starts_with("VmRSS:")).unwrap();
        line.split_whitespace().nth(1).unwrap().parse().unwrap()
    }
}

/// Asking it.
impl Agent {
    pub(crate) fn http(&self) -> Http {
        Http::unix(&self.socket())
    }

    /// The control API on TCP.
    #[track_caller]
    pub(crate) fn tcp(&self) -> Http {
        let control = self.ready["control"].as_array().unwrap();
        let found = control.iter().find_map(|each| each.as_str().unwrap().strip_prefix("tcp:"));
        Http::Tcp(found.expect("a tcp control address").parse().unwrap())
    }

    /// All rows.
    #[track_caller]
    pub(crate) fn connections(&self) -> Vec<Value> {
        let page = self.http().get("/v1/connections").is(200).json();
        page["connections"].as_array().expect("connections").clone()
    }

    /// Waits until there are so many connections, none of them still opening; gives their rows.
    #[track_caller]
    pub(crate) fn settled(&self, count: usize) -> Vec<Value> {
        until(&format!("{count} settled connections"), || {
            let rows = self.connections();
            let settled = rows.len() == count && rows.iter().all(|row| row["state"] != "opening");
            settled.then_some(rows)
        })
    }

    /// Waits until there are so many connections, in any state.
    #[track_caller]
    pub(crate) fn settled_or_opening(&self, count: usize) {
        until(&format!("{count} connections"), || (self.connections().len() == count).then_some(()));
    }

    /// The row of the connection whose client this is, once it is settled.
    #[track_caller]
    pub(crate) fn row(&self, client: &Peer) -> Value {
        until(&format!("a settled connection of {}", client.local()), || {
            let rows = self.connections();
            rows.into_iter().find(|row| client.is_client_of(row) && row["state"] != "opening")
        })
    }

    #[track_caller]
    pub(crate) fn id(&self, client: &Peer) -> u64 {
        self.row(client)["conn_id"].as_u64().expect("conn_id is an integer")
    }

    /// Waits until so many bytes are counted each way: a peer may have a byte a moment before it is counted.
    #[track_caller]
    pub(crate) fn counted(&self, client: &Peer, to_upstream: u64, to_client: u64) -> Value {
        until(&format!("{to_upstream} and {to_client} bytes are counted"), || {
            let row = self.row(client);
            (row["to_upstream_bytes"] == to_upstream && row["to_client_bytes"] == to_client).then_some(row)
        })
    }

    /// Waits until the client's connection is in this state.
    #[track_caller]
    pub(crate) fn reaches(&self, client: &Peer, state: &str) {
        until(&format!("{} is {state}", client.local()), || {
            let rows = self.connections();
            rows.iter().any(|row| client.is_client_of(row) && row["state"] == *state).then_some(())
        });
    }

    /// Sets the user of a client's connection; gives its id.
    #[track_caller]
    pub(crate) fn assign(&self, client: &Peer, uid: &str) -> u64 {
        self.assign_with(client, &json!({ "uid": uid }))
    }

    /// Sets the user, device and tags of a client's connection; gives its id.
    #[track_caller]
    pub(crate) fn assign_with(&self, client: &Peer, what: &Value) -> u64 {
        let id = self.id(client);
        self.http().post(&format!("/v1/connections/{id}/assign"), what).is(200);
        id
    }

    /// Asks for an operation; gives the items and the summary.
    #[track_caller]
    pub(crate) fn operate(&self, request: &Value) -> (Vec<Value>, Value) {
        let mut lines = self.http().post("/v1/operations", request).is(200).json_lines();
        let last = lines.pop().expect("a summary");
        assert!(last["summary"].is_object(), "the last line is the summary: {last}");
        (lines, last["summary"].clone())
    }

    /// Does this to one client's connection; it must be done. Gives the item.
    #[track_caller]
    pub(crate) fn does(&self, operation: &str, side: &str, client: &Peer) -> Value {
        let id = self.id(client);
        // A grace that a busy machine does not use up.
        let request = json!({
            "operation": operation, "side": side, "grace_ms": 20_000, "items": [{ "conn_id": id }]
        });
        let (items, _) = self.operate(&request);
        assert_eq!(items.len(), 1, "{items:?}");
        assert_eq!(items[0]["status"], "done", "{}", items[0]);
        items[0].clone()
    }

    /// Endings so far: `(side, reason, count)`.
    #[track_caller]
    pub(crate) fn endings(&self) -> Vec<(String, String, u64)> {
        let rows = self.http().get("/v1/stats?by=reason").is(200).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let read = |row: &Value| (text(&row["side"]), text(&row["reason"]), row["count"].as_u64().unwrap());
        rows.as_array().expect("an array").iter().map(read).collect()
    }

    /// Endings of one side, of all reasons.
    #[track_caller]
    pub(crate) fn ended(&self, side: &str) -> u64 {
        self.endings().iter().filter(|(own, _, _)| own == side).map(|(_, _, count)| count).sum()
    }

    /// How often a side ended for a reason.
    #[track_caller]
    pub(crate) fn count_of(&self, side: &str, reason: &str) -> u64 {
        let found = self.endings();
        found.iter().filter(|(own, why, _)| own == side && why == reason).map(|(_, _, count)| count).sum()
    }

    /// Waits until a side has ended for a reason so often.
    #[track_caller]
    pub(crate) fn counts(&self, side: &str, reason: &str, count: u64) {
        let start = std::time::Instant::now();
        while self.count_of(side, reason) != count {
            let seen = self.endings();
            assert!(start.elapsed() < LIMIT, "{side} {reason} is not {count} but: {seen:?}");
            std::thread::sleep(Duration::from_millis(5));
        }
    }

    /// `GET /v1/node`.
    #[track_caller]
    pub(crate) fn node(&self) -> Value {
        self.http().get("/v1/node").is(200).json()
    }
}

/// Whether a process with this control socket answers.
pub(crate) fn answers(socket: &Path) -> bool {
    std::os::unix::net::UnixStream::connect(socket).is_ok()
}
