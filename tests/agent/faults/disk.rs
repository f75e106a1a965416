//! A state directory that takes nothing more.
use rustix::process::{Pid, Resource, Rlimit, prlimit};
use serde_json::{Value, json};

use crate::support::{Agent, Peer, Setup};

/// From now on no file of the agent's grows beyond this: every write is an error, as on a full disk.
fn fill_disk(agent: &Agent, most: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(agent.pid()).unwrap()).unwrap();
    let maximum = None;
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: most, maximum }).unwrap();
}

fn agent() -> Agent {
    // The audit on the same disk refuses every change, unless told not to; it has tests of its own.
    let setup = Setup::new().echo("echo").config("audit = 'best-effort'");
    let state = setup.dir().join("state");
    setup.arg("--state-dir").arg(state).start()
}

fn asks(agent: &Agent, path: &str, id: u64) -> crate::support::http::Response {
    let pace = if path == "/v1/operations" { json!({ "rate": 50.0 }) } else { Value::Null };
    let mut request = json!({ "operation": "close", "items": [{ "conn_id": id }] });
    if path == "/v1/operations" {
        request["pace"] = pace;
        request["detach"] = json!(true);
    }
    agent.http().post(path, &request)
}

#[test]
fn a_full_disk_refuses_what_is_to_outlive_the_agent_and_nothing_else() {
    let agent = agent();
    let mut client = Peer::connect(agent.only());
    let id = agent.id(&client);
    fill_disk(&agent, Some(0));
    for (path, what) in [("/v1/plans", "plan"), ("/v1/operations", "job")] {
        let message = asks(&agent, path, id).error(503, "unavailable");
        assert!(message.contains(what) && message.contains("state directory"), "{message}");
    }
    assert_eq!(agent.http().get("/v1/plans").is(200).json()["plans"], json!([]));
    assert_eq!(agent.http().get("/v1/jobs").is(200).json()["jobs"], json!([]));
    client.send("untouched");
    client.expect("untouched");
    let mut other = Peer::connect(agent.only());
    other.send("newcomers, too");
    other.expect("newcomers, too");
    agent.does("close", "both", &other);
    // Nothing half written is left, and with room again all works.
    let state = agent.dir().path().join("state");
    let names: Vec<_> = std::fs::read_dir(state).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert!(names.iter().all(|name| !name.to_string_lossy().ends_with(".next")), "{names:?}");
    fill_disk(&agent, None);
    assert_eq!(asks(&agent, "/v1/plans", id).is(200).json()["connections"], 1);
}

#[test]
fn an_agent_on_a_full_disk_does_not_start_and_says_why() {
    let setup = Setup::new().echo("echo");
    // A file where the directory should be stands for whatever cannot be written to.
    let place = setup.dir().write("state", "in the way");
    let run = setup.arg("--state-dir").arg(&place).refuses();
    assert!(run.stderr.contains("state_dir") && run.stderr.contains(&place), "{}", run.stderr);
}
