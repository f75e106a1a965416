//! Starting, stopping, and starting again.
use std::time::Duration;

use serde_json::Value;

use crate::support::{Agent, End, LIMIT, Peer, Setup};

fn ids(agent: &Agent, count: usize) -> Vec<u64> {
    let clients: Vec<_> = (0..count).map(|_| Peer::connect(agent.only())).collect();
    let ids = clients.iter().map(|client| agent.id(client)).collect();
    drop(clients);
    ids
}

fn ids_only_rise_over_crashes(setup: Setup) {
    let mut agent = setup.start();
    let mut last = 0;
    for _ in 0..4 {
        for id in ids(&agent, 5) {
            assert!(id > last, "{id} came after {last}");
            assert!(id < 1 << 53, "{id} is not exact in JSON");
            last = id;
        }
        agent = agent.crash_and_restart();
    }
}

#[test]
fn ids_are_never_used_twice_over_crashes_with_a_state_directory() {
    let setup = Setup::new().echo("echo");
    let state = setup.dir().join("deep/state");
    ids_only_rise_over_crashes(setup.arg("--state-dir").arg(state));
}

#[test]
fn ids_are_never_used_twice_over_crashes_without_a_state_directory() {
    ids_only_rise_over_crashes(Setup::new().echo("echo"));
}

#[test]
fn a_missing_state_directory_is_made() {
    let setup = Setup::new().echo("echo");
    let state = setup.dir().join("a/b/c");
    let agent = setup.arg("--state-dir").arg(&state).start();
    assert!(std::path::Path::new(&state).is_dir());
    drop(agent);
}

#[test]
fn the_ready_line_tells_everything_that_was_bound_and_is_the_only_line() {
    let agent = Setup::new()
        .echo("one")
        .forward("two", "127.0.0.1:9".parse().unwrap())
        .hold("three")
        .arg("--node-id")
        .arg("7")
        .tcp_control()
        .start();
    let ready = agent.ready();
    assert_eq!(ready["node_id"], 7);
    let control: Vec<_> = ready["control"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
    assert!(control.contains(&agent.endpoint().as_str()), "{control:?}");
    assert!(control.iter().any(|each| each.starts_with("tcp:127.0.0.1:") && !each.ends_with(":0")));
    let rows = ready["listeners"].as_array().unwrap();
    let seen: Vec<_> = rows.iter().map(|row| (&row["name"], &row["mode"], &row["upstream"])).collect();
    let texts = ["one", "echo", "two", "forward", "three", "hold", "127.0.0.1:9"].map(Value::from);
    let [one, echo, two, forward, three, hold, upstream] = &texts;
    assert_eq!(seen, [(one, echo, &Value::Null), (two, forward, upstream), (three, hold, &Value::Null)]);
    for name in ["one", "three"] {
        Peer::connect(agent.addr(name));
    }
    assert_eq!(agent.node()["node_id"], 7);
    assert_eq!(agent.tcp().get("/v1/node").is(200).json()["node_id"], 7);
    assert_eq!(agent.more_stdout(), Vec::<String>::new());
}

#[test]
fn the_control_socket_is_for_its_owner_only() {
    use std::os::unix::fs::PermissionsExt;
    let agent = Agent::echo();
    let mode = std::fs::metadata(agent.socket()).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600, "{mode:o}");
}

#[test]
fn sigterm_closes_what_is_open_and_exits_0() {
    let mut agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    client.send("a");
    client.expect("a");
    let code = agent.terminate(LIMIT);
    assert_eq!(code, Some(0), "{}", agent.log());
    assert_eq!(client.end().1, End::Fin);
    assert!(!agent.socket().exists(), "the control socket was left behind");
}

#[test]
fn sigterm_ends_although_a_control_client_says_nothing() {
    let mut agent = Agent::echo();
    let _silent = agent.http().open();
    assert_eq!(agent.terminate(Duration::from_secs(15)), Some(0), "{}", agent.log());
}
