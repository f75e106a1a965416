//! What is said of connections that are not well, and closing them: each condition on real sockets.
use std::io::Write;
use std::net::SocketAddr;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::agent::BINARY;
use crate::support::process::Running;
use crate::support::service::have;
use crate::support::until::stays;
use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Http, Peer, Setup, until};

/// For how long a connection must be so in these tests.
const AFTER: Duration = Duration::from_millis(400);

/// A listener in front of an upstream, with these settings besides.
fn in_front_of(upstream: SocketAddr, more: &str) -> Agent {
    let listener =
        "[[listener]]\nname = 'front'\nmode = 'forward'\nbind = '127.0.0.1:0'\nunhealthy_after = '400ms'";
    Setup::new().config(format!("{listener}\nupstream = ['{upstream}']\n{more}\n")).start()
}

/// The health of the only connection, as a listing tells it.
#[track_caller]
fn health(http: &Http) -> Option<String> {
    let page = http.get("/v1/connections?health=true").is(200).json();
    page["connections"][0]["health"].as_str().map(str::to_owned)
}

#[track_caller]
fn becomes(agent: &Agent, expected: &str) {
    until(&format!("it is {expected}"), || {
        (health(&agent.http()).as_deref() == Some(expected)).then_some(())
    });
}

/// Asks for more than is taken, so that bytes wait for a client that does not read.
fn full(agent: &Agent, upstream: &ByHand) -> (Peer, Peer) {
    let client = Peer::with_small_window(agent.only());
    let mut server = upstream.accept();
    server.fill();
    (client, server)
}

#[test]
fn a_client_that_does_not_read_is_unacked_and_well_again_when_it_reads() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "");
    let (mut client, server) = full(&agent, &upstream);
    becomes(&agent, "unacked");
    let id = agent.id(&client);
    let shown = agent.http().get(&format!("/v1/connections/{id}")).is(200).json();
    assert_eq!((&shown["health"], &shown["ends_by"]), (&Value::from("unacked"), &Value::Null), "{shown}");
    let found = agent.http().get("/v1/connections?where=health%3Dunacked").is(200).json();
    assert_eq!(found["matched"], 1, "{found}");
    assert!(found["connections"][0]["health"].is_null(), "nobody asked for it: {found}");
    let by = agent.http().get("/v1/connections?count=true&by=health").is(200).json();
    assert_eq!(by["by"][0]["value"], "unacked", "{by}");
    // The other side ends, so that there is an end to read up to.
    drop(server);
    let (bytes, _) = client.end();
    assert!(bytes > 0);
    let waits = agent.http().get("/v1/connections?count=true&where=health%3Dunacked").is(200).json();
    assert_eq!(waits["count"], 0, "{waits}");
}

#[test]
fn a_listener_closes_who_does_not_read() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "close_unhealthy = ['unacked']");
    let mut well = Peer::connect(agent.only());
    let mut served = upstream.accept();
    let (mut client, _server) = full(&agent, &upstream);
    agent.counts("client", "unhealthy", 1);
    assert_eq!(client.end().1, End::Reset, "its bytes cannot be delivered, so the grace ends with a RST");
    let log = until("it is logged", || Some(agent.log()).filter(|log| log.contains("reason=\"unhealthy\"")));
    assert!(log.contains("health=\"unacked\"") && log.contains("policy"), "{log}");
    well.send("x");
    served.expect("x");
    agent.settled(1);
    // It is counted a moment after it is written.
    until("it is counted", || (agent.row(&well)["to_upstream_bytes"] == 1).then_some(()));
}

#[test]
fn half_of_a_connection_that_nothing_passes_on_is_a_zombie() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "");
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.half_close();
    server.ends_with(End::Fin);
    let begun = Instant::now();
    while begun.elapsed() < 3 * AFTER {
        let sent = Instant::now();
        server.send("x");
        client.expect("x");
        let health = health(&agent.http());
        // A machine that stands still for so long proves nothing.
        if sent.elapsed() < AFTER {
            assert_ne!(health.as_deref(), Some("zombie"), "bytes pass on the other half");
        }
    }
    becomes(&agent, "zombie");
}

#[test]
fn a_listener_closes_zombies_after_their_time() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "close_unhealthy = ['zombie', 'stuck']");
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    stays("it is there while both halves are", 2 * AFTER, || client.is_quiet());
    let begun = Instant::now();
    client.half_close();
    server.ends_with(End::Fin);
    client.ends_with(End::Fin);
    assert!(begun.elapsed() >= AFTER, "{:?}", begun.elapsed());
    drop(server);
    agent.counts("client", "unhealthy", 1);
    agent.counts("upstream", "unhealthy", 1);
}

#[test]
fn a_client_without_an_answer_is_stuck_until_it_has_one() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "");
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    becomes(&agent, "idle");
    let sent = Instant::now();
    client.send("question");
    server.expect("question");
    let now = health(&agent.http());
    if sent.elapsed() < AFTER {
        assert_ne!(now.as_deref(), Some("idle"), "a byte has just passed");
    }
    // More of the same is no answer.
    let begun = Instant::now();
    while begun.elapsed() < 2 * AFTER {
        client.send("?");
        server.expect("?");
    }
    assert_eq!(health(&agent.http()).as_deref(), Some("stuck"));
    server.send("answer");
    client.expect("answer");
    becomes(&agent, "idle");
    server.send("news");
    client.expect("news");
    becomes(&agent, "idle");
}

#[test]
fn a_listener_closes_who_gets_no_answer_and_no_other() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "close_unhealthy = ['stuck']");
    let mut silent = Peer::connect(agent.only());
    let mut server = upstream.accept();
    let mut asks = Peer::connect(agent.only());
    let mut owes = upstream.accept();
    let begun = Instant::now();
    asks.send("?");
    owes.expect("?");
    let id = agent.id(&asks);
    let shown = agent.http().get(&format!("/v1/connections/{id}")).json();
    assert!(shown["error"].is_object() || shown["ends_by"] == "unhealthy", "{shown}");
    asks.ends_with(End::Fin);
    assert!(begun.elapsed() >= AFTER, "{:?}", begun.elapsed());
    owes.ends_with(End::Fin);
    agent.counts("client", "unhealthy", 1);
    stays("one that asks nothing is there", 2 * AFTER, || silent.is_quiet());
    server.send("x");
    silent.expect("x");
}

#[test]
fn the_rule_can_be_set_while_they_live_and_tried_before() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "");
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.send("?");
    server.expect("?");
    becomes(&agent, "stuck");
    let change = |words: &str, dry_run: bool| {
        let set = json!({ "close_unhealthy": words });
        let request = json!({ "listeners": ["front"], "set": set, "dry_run": dry_run });
        agent.http().patch("/v1/limits", &request).is(200).json()
    };
    assert_eq!(change("unacked,zombie", true)["ending"], 0);
    let tried = change("stuck", true);
    assert_eq!((&tried["ending"], &tried["by"][0]["reason"]), (&json!(1), &json!("unhealthy")), "{tried}");
    assert!(client.is_quiet());
    let done = change("zombie,stuck", false);
    assert_eq!((&done["ending"], &done["limits"][0]["value"]), (&json!(1), &json!("zombie,stuck")), "{done}");
    client.ends_with(End::Fin);
    agent.counts("client", "unhealthy", 1);
    let request = json!({ "listeners": ["front"], "set": { "close_unhealthy": "idle" } });
    let error = agent.http().patch("/v1/limits", &request).error(400, "invalid_request");
    assert!(error.contains("close_unhealthy") && error.contains("idle"), "{error}");
}

/// An agent in a network of its own, whose wires can be cut.
struct Island {
    agent: Running,
    socket: std::path::PathBuf,
    _dir: crate::support::dir::Dir,
}

impl Island {
    fn start(config: &str) -> Self {
        let dir = crate::support::dir::Dir::new();
        let (file, socket) = (dir.write("config.toml", config), dir.join("agent.sock"));
        let mut command = Command::new("unshare");
        let run = "ip link set lo up && exec \"$@\"";
        command.args(["--net", "sh", "-c", run, "sh", BINARY, "run", "--config", &file]);
        command.args(["--control", &format!("unix:{socket}")]);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command.stderr(Stdio::null());
        let agent = Running::start(&mut command);
        until("the agent serves", || crate::support::agent::answers(socket.as_ref()).then_some(()));
        Self { agent, socket: socket.into(), _dir: dir }
    }

    /// A command in its network.
    fn command(&self, words: &[&str]) -> Command {
        let mut command = Command::new("nsenter");
        command.args(["--net", "--target", &self.agent.pid().to_string()]).args(words);
        command
    }

    fn http(&self) -> Http {
        Http::unix(&self.socket)
    }
}

/// Whether a network of its own can be made here.
fn can_cut_wires() -> bool {
    have(&["unshare", "nsenter", "ip", "bash"])
        && Command::new("unshare").args(["--net", "true"]).status().is_ok_and(|status| status.success())
}

#[test]
fn a_client_that_has_vanished_is_unacked() {
    if !can_cut_wires() {
        return;
    }
    let island = Island::start(
        "[[listener]]\nname = 'echo'\nmode = 'echo'\nbind = '127.0.0.1:7'\nunhealthy_after = '400ms'\n",
    );
    let script =
        "exec 3<>/dev/tcp/127.0.0.1/7; printf x >&3; read -r -n 1 -u 3; read -r; printf y >&3; read -r";
    let mut command = island.command(&["bash", "-c", script]);
    let mut client = Running::start(command.stdin(Stdio::piped()));
    let mut told = client.child().stdin.take().unwrap();
    let http = island.http();
    let first = || http.get("/v1/connections").is(200).json()["connections"][0].clone();
    let row = until("it is echoed", || Some(first()).filter(|row| row["to_client_bytes"] == 1));
    let path = format!("/v1/connections/{}", row["conn_id"]);
    let shown = || http.get(&path).is(200).json();
    let operate = |operation: &str| {
        let request = json!({ "operation": operation, "where": "all", "side": "client" });
        http.post("/v1/operations", &request).is(200);
    };
    // What comes now is read when the wire is cut, and the echo of it finds nobody.
    operate("pause");
    told.write_all(b"\n").unwrap();
    let queued = |shown: &Value| shown["sides"]["client"]["tcp"]["receive_queue_bytes"] == 1;
    until("the byte is there", || queued(&shown()).then_some(()));
    assert_ne!(shown()["health"], "unacked");
    assert!(island.command(&["ip", "link", "set", "lo", "down"]).status().unwrap().success());
    operate("resume");
    let gone = until("it is unacked", || Some(shown()).filter(|shown| shown["health"] == "unacked"));
    let tcp = &gone["sides"]["client"]["tcp"];
    assert_eq!(tcp["send_queue_bytes"], 1, "{gone}");
    assert!(tcp["last_acked_ms"].as_u64() >= Some(400), "{gone}");
    // The wire is whole again, and the kernel sends it again.
    assert!(island.command(&["ip", "link", "set", "lo", "up"]).status().unwrap().success());
    let is_empty = |shown: &Value| shown["sides"]["client"]["tcp"]["send_queue_bytes"] == 0;
    let well = until("it has arrived", || Some(shown()).filter(is_empty));
    assert_ne!(well["health"], "unacked", "{well}");
}
