//! Under a service manager, whose side of the protocols is spoken by hand: what it is told (`NOTIFY_SOCKET`), and
//! sockets that it has opened already (`LISTEN_FDS`).
use std::net::TcpListener;
use std::os::unix::net::{UnixDatagram, UnixListener};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use rustix::process::Signal;

use crate::support::process::{Background, run};
use crate::support::service::have;
use crate::support::{End, LIMIT, Peer, Setup, until};

/// The manager's end of the notices.
struct Manager(UnixDatagram);

impl Manager {
    fn of(setup: Setup) -> (Self, Setup) {
        let path = setup.dir().join("notify");
        let socket = UnixDatagram::bind(&path).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        (Self(socket), setup.env("NOTIFY_SOCKET", path))
    }

    /// The next notice.
    #[track_caller]
    fn hears(&self) -> String {
        let mut text = [0; 4096];
        let length = self.0.recv(&mut text).expect("a notice");
        String::from_utf8_lossy(&text[..length]).into_owned()
    }
}

/// Whether a notice has exactly this line.
fn says(notice: &str, line: &str) -> bool {
    notice.lines().any(|own| own == line)
}

#[test]
fn a_manager_is_told_of_the_start_of_each_reload_and_of_the_end() {
    let listener = "[[listener]]\nname = \"echo\"\nmode = \"echo\"\nbind = \"127.0.0.1:0\"\n";
    let (manager, setup) = Manager::of(Setup::new().config(format!("shutdown_grace = \"7s\"\n{listener}")));
    let mut agent = setup.start();
    let ready = manager.hears();
    assert!(says(&ready, "READY=1") && ready.contains("STATUS=0 connections, 1 listeners"), "{ready}");
    for round in 0..2 {
        if round == 0 {
            agent.signal(Signal::HUP);
        } else {
            agent.http().post("/v1/agent/reload", &serde_json::json!({})).is(200);
        }
        let begun = manager.hears();
        assert!(says(&begun, "RELOADING=1"), "{begun}");
        let time = begun.lines().find_map(|line| line.strip_prefix("MONOTONIC_USEC=")).expect("a time");
        assert!(time.parse::<u64>().unwrap() > 0);
        assert!(says(&manager.hears(), "READY=1"));
    }
    // A file that is wrong changes nothing, and the reload is over all the same.
    agent.dir().write("agent.toml", "nonsense");
    agent.signal(Signal::HUP);
    assert!(says(&manager.hears(), "RELOADING=1"));
    assert!(says(&manager.hears(), "READY=1"));
    assert_eq!(agent.terminate(LIMIT), Some(0), "{}", agent.log());
    let stopping = manager.hears();
    assert!(says(&stopping, "STOPPING=1"), "{stopping}");
    assert!(says(&stopping, "EXTEND_TIMEOUT_USEC=17000000"), "{stopping}");
}

#[test]
fn a_watchdog_gets_its_signs_of_life() {
    let (manager, setup) = Manager::of(Setup::new().echo("echo").env("WATCHDOG_USEC", "200000"));
    let agent = setup.start();
    let _client = Peer::connect(agent.only());
    agent.settled(1);
    let mut signs = 0;
    until("signs of life that count the client", || {
        let notice = manager.hears();
        signs += u32::from(says(&notice, "WATCHDOG=1"));
        (signs >= 4 && notice.contains("STATUS=1 connections")).then_some(())
    });
}

#[test]
fn nobody_is_told_signs_of_life_who_did_not_ask() {
    let other_process = "1";
    let (manager, setup) = Manager::of(Setup::new().echo("echo"));
    let setup = setup.env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", other_process);
    let mut agent = setup.start();
    assert!(says(&manager.hears(), "READY=1"));
    agent.terminate(LIMIT);
    assert!(says(&manager.hears(), "STOPPING=1"), "nothing between the start and the end");
}

#[test]
fn a_manager_that_does_not_listen_is_no_hindrance() {
    let setup = Setup::new().echo("echo");
    let nowhere = setup.dir().join("nowhere");
    let mut agent = setup.env("NOTIFY_SOCKET", nowhere).start();
    let mut client = Peer::connect(agent.only());
    client.send("served");
    client.expect("served");
    assert_eq!(agent.terminate(LIMIT), Some(0));
    assert!(agent.log().contains("could not be told"), "{}", agent.log());
}

#[test]
fn a_handed_over_listener_keeps_its_clients_while_agents_come_and_go() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    // The name is the listener's, and any port will do.
    let setup = Setup::new().echo("web").handed("web", socket);
    let mut early = Peer::connect(addr);
    early.send("before the agent");
    let mut agent = setup.clone().start();
    assert_eq!(agent.addr("web"), addr);
    early.expect("before the agent");
    assert_eq!(agent.terminate(LIMIT), Some(0), "{}", agent.log());
    assert_eq!(early.end().1, End::Fin);
    let mut between = Peer::connect(addr);
    between.send("between agents");
    let agent = setup.start();
    between.expect("between agents");
    assert_eq!(agent.addr("web"), addr);
}

#[test]
fn who_dials_a_handed_over_listener_during_the_stop_is_served_by_the_next_agent() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap();
    let listener = format!("[[listener]]\nname = \"web\"\nmode = \"echo\"\nbind = \"{addr}\"\n");
    let setup =
        Setup::new().config(format!("shutdown_grace = \"60s\"\n{listener}")).handed("unknown", socket);
    let agent = setup.clone().start();
    let client = Peer::connect(addr);
    agent.settled(1);
    agent.signal(Signal::TERM);
    until("it is stopping", || agent.log().contains("stopping").then_some(()));
    until("its listener stalls", || {
        let rows = agent.http().get("/v1/listeners").is(200).json();
        rows.to_string().contains("\"accepting\":false").then_some(())
    });
    let mut late = Peer::connect(addr);
    late.send("too late for this one");
    drop(client);
    let mut agent = agent;
    assert_eq!(agent.waits(LIMIT), Some(0), "{}", agent.log());
    let _next = setup.start();
    late.expect("too late for this one");
}

#[test]
fn an_operators_refusal_ends_with_the_agent_where_the_manager_listens_too() {
    // Bound by its number, as a unit does: the kernel keeps a port that it chose only while it listens.
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let socket = TcpListener::bind(addr).unwrap();
    let setup = Setup::new().echo("web").handed("web", socket);
    let mut agent = setup.clone().start();
    agent.http().post("/v1/listeners/reject", &serde_json::json!({ "mode": "refuse" })).is(200);
    assert!(Peer::dial(addr).is_err(), "the listener refuses");
    assert_eq!(agent.terminate(LIMIT), Some(0), "{}", agent.log());
    let mut client = Peer::connect(addr);
    client.send("again");
    let agent = setup.start();
    client.expect("again");
    drop(agent);
}

#[test]
fn a_handed_over_control_socket_is_served_and_left_in_its_place() {
    let setup = Setup::new().echo("echo");
    let path = setup.socket();
    let setup = setup.handed("control", UnixListener::bind(&path).unwrap());
    for _ in 0..2 {
        let mut agent = setup.clone().start();
        assert_eq!(agent.node()["pid"], agent.pid());
        assert_eq!(agent.terminate(LIMIT), Some(0), "{}", agent.log());
        assert!(path.exists(), "the socket is the manager's, and was removed");
    }
}

#[test]
fn what_is_handed_over_and_not_configured_is_an_error_that_names_it() {
    let socket = TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = socket.local_addr().unwrap().to_string();
    let run = Setup::new().echo("web").handed("other", socket).refuses();
    for part in ["\"other\"", addr.as_str()] {
        assert!(run.stderr.contains(part), "{}", run.stderr);
    }
    let run = Setup::new().echo("web").handed("file", std::fs::File::open("/dev/null").unwrap()).refuses();
    assert!(run.stderr.contains("\"file\""), "{}", run.stderr);
    let (connected, _other) = std::os::unix::net::UnixStream::pair().unwrap();
    let run = Setup::new().echo("web").handed("pair", connected).refuses();
    assert!(run.stderr.contains("\"pair\""), "{}", run.stderr);
}

#[test]
fn a_handed_over_control_port_beyond_loopback_is_refused_like_any_other() {
    let socket = TcpListener::bind("0.0.0.0:0").unwrap();
    let port = socket.local_addr().unwrap().port();
    let control = format!("tcp:0.0.0.0:{port}");
    let run = Setup::new().echo("web").arg("--control").arg(control).handed("control", socket).refuses();
    assert!(run.stderr.contains("loopback"), "{}", run.stderr);
}

#[test]
fn a_second_signal_resets_what_the_first_one_waits_for() {
    for (first, second) in [(Signal::TERM, Signal::TERM), (Signal::TERM, Signal::INT)] {
        let listener = "[[listener]]\nname = \"echo\"\nmode = \"echo\"\nbind = \"127.0.0.1:0\"\n";
        let mut agent = Setup::new().config(format!("shutdown_grace = \"1h\"\n{listener}")).start();
        let mut client = Peer::connect(agent.only());
        client.send("a");
        client.expect("a");
        agent.signal(first);
        until("it is stopping", || agent.log().contains("stopping").then_some(()));
        client.send("still served");
        client.expect("still served");
        agent.signal(second);
        client.ends_with(End::Reset);
        assert_eq!(agent.waits(LIMIT), Some(0), "{}", agent.log());
        assert!(!agent.socket().exists());
    }
}

fn units() -> &'static Path {
    Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/systemd"))
}

#[test]
fn the_units_are_accepted_and_start_an_agent_that_takes_their_configuration() {
    let setup = Setup::new();
    let read = |name: &str| std::fs::read_to_string(units().join(name)).unwrap();
    let service = read("connctl-agent.service");
    let start = service.lines().find_map(|line| line.strip_prefix("ExecStart=")).expect("ExecStart");
    let words: Vec<_> = start.split(' ').collect();
    assert_eq!(words, ["/usr/bin/connctl-agent", "run", "--config", "/etc/connctl/agent.toml"]);
    // Here, where nothing is installed: another binary, and no user of its own.
    let here = service.replace("/usr/bin/connctl-agent", crate::support::agent::BINARY);
    let unit = setup.dir().write("connctl-agent.service", &here);
    let socket = setup.dir().write("connctl-agent.socket", &read("connctl-agent.socket"));
    if have(&["systemd-analyze"]) {
        let run =
            run(Command::new("systemd-analyze").args(["verify", "--man=no", &unit, &socket]), "", LIMIT);
        let own: Vec<_> = run.stderr.lines().filter(|line| line.contains("connctl-agent")).collect();
        assert!(run.code == Some(0) && own.is_empty(), "{run:?}");
    }
    let state = setup.dir().join("state");
    let config =
        read("agent.toml").replace("/var/lib/connctl", &state).replace("127.0.0.1:8080", "127.0.0.1:0");
    let path = "/run/connctl/agent.sock";
    assert!(config.contains(path) && read("connctl-agent.socket").contains(path));
    let own = setup.socket().display().to_string();
    let agent = setup.without_control().config(config.replace(path, &own)).start();
    assert_eq!(agent.node()["listeners"], 1);
    assert!(Path::new(&state).join("next_conn_id").exists());
}

#[test]
fn a_dial_to_an_activated_socket_starts_the_agent_that_answers_it() {
    if !have(&["systemd-socket-activate"]) {
        return;
    }
    let setup = Setup::new();
    let control = setup.socket().display().to_string();
    // A port that was free a moment ago; the manager's part binds it.
    let addr = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap();
    let mut command = Command::new("systemd-socket-activate");
    command.args(["-l", &control, "-l", &addr.to_string(), "--fdname=control:web"]);
    command.args([crate::support::agent::BINARY, "run", "--control", &format!("unix:{control}")]);
    command.args(["--echo", &format!("web@{addr}")]);
    let background = Background::start(&mut command, "");
    let mut client = until("the activated port listens", || Peer::dial(addr).ok());
    client.send("wake up");
    client.expect("wake up");
    let http = crate::support::Http::unix(&setup.socket());
    assert_eq!(http.get("/v1/node").is(200).json()["connections"], 1);
    background.signal(Signal::TERM);
    let run = background.finish(LIMIT + Duration::from_secs(5));
    assert_eq!(run.code, Some(0), "{run:?}");
}
