//! A disk that is really full: the state directory and the audit are on a small one that the test fills.
use std::sync::Arc;

use serde_json::{Value, json};

use crate::audit::{check, lines};
use crate::support::disk::Disk;
use crate::support::{Agent, LIMIT, Peer, Setup, until};

/// With room for the history, which has a MiB from its beginning, and not for much more.
const KIB: u32 = 4_096;

fn agent(disk: &Arc<Disk>, config: &str) -> Agent {
    Setup::new().config(config).echo("echo").on(disk).start()
}

/// A change that touches nobody, with so much text that a few of them fill a page.
fn change() -> Value {
    json!({ "operation": "close", "where": "uid = nobody", "note": "n".repeat(900) })
}

/// Asks for changes until the disk takes no more of them; the answer that says so.
fn refused(agent: &Agent) -> String {
    until("a change is refused", || {
        let answer = agent.http().post("/v1/operations", &change());
        (answer.status != 200).then(|| answer.error(503, "audit_failed"))
    })
}

#[test]
fn a_change_that_the_audit_has_no_room_for_is_refused_and_leaves_no_trace() {
    let Some(disk) = Disk::new(KIB) else { return };
    let mut agent = agent(&disk, "");
    let mut client = Peer::connect(agent.only());
    let id = agent.assign(&client, "u1");
    disk.fill();
    let message = refused(&agent);
    assert!(message.contains("nothing was changed") && message.contains("audit"), "{message}");
    // Not even half a line of it is there.
    let before = until("what had begun has its end", || {
        let lines = lines(&disk.outside("state/audit.jsonl"));
        let count = |event: &str| lines.iter().filter(|line| line["event"] == event).count();
        (count("call") == count("end")).then_some(lines)
    });
    let body = json!({ "operation": "reset", "where": "all", "note": "x".repeat(900) });
    agent.http().post("/v1/operations", &body).error(503, "audit_failed");
    assert_eq!(lines(&disk.outside("state/audit.jsonl")), before);
    client.send("untouched");
    client.expect("untouched");
    assert_eq!(agent.row(&client)["conn_id"], id);
    assert_eq!(agent.http().get("/v1/audit?limit=1").is(200).json()["head"]["seq"], before.len());
    disk.make_room();
    agent.does("reset", "both", &client);
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let report = check(&disk.outside("state/audit.jsonl"));
    assert!(report.ok, "{report:?}");
}

#[test]
fn with_best_effort_changes_go_on_and_the_log_tells_which_are_missing() {
    let Some(disk) = Disk::new(KIB) else { return };
    let mut agent = agent(&disk, "audit = 'best-effort'");
    disk.fill();
    until("the log tells", || {
        agent.operate(&change());
        agent.log().contains("a change is missing").then_some(())
    });
    disk.make_room();
    agent.operate(&json!({ "operation": "close", "where": "uid = nobody", "note": "with room" }));
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let report = check(&disk.outside("state/audit.jsonl"));
    assert!(report.ok, "{report:?}");
    let lines = lines(&disk.outside("state/audit.jsonl"));
    assert!(lines.iter().any(|line| line["note"] == "with room"), "{lines:?}");
}

/// Lets so many clients come and go, each with a name that takes room on the disk.
fn come_and_go(agent: &Agent, count: usize) {
    for number in 0..count {
        let client = Peer::connect(agent.only());
        agent.assign(&client, &format!("{number}-{}", "u".repeat(200)));
        agent.does("reset", "both", &client);
    }
}

/// The ended connections that whoever starts next will know.
fn ended(agent: &Agent) -> u64 {
    agent.http().get("/v1/history?count=true").is(200).json()["count"].as_u64().unwrap()
}

#[test]
fn the_history_costs_no_close_on_a_full_disk_and_goes_on_when_there_is_room() {
    let Some(disk) = Disk::new(KIB) else { return };
    // Memory keeps a few: what is older is on the disk, or nowhere.
    let agent = agent(&disk, "audit = 'off'\nhistory_size = 2000");
    come_and_go(&agent, 1);
    disk.fill();
    until("the disk refuses it", || {
        come_and_go(&agent, 10);
        agent.log().contains("the history cannot be written").then_some(())
    });
    let known = ended(&agent);
    let mut client = Peer::connect(agent.only());
    client.send("still there");
    client.expect("still there");
    let page = agent.http().get("/v1/history?limit=1").is(200).json();
    assert_eq!(page["connections"].as_array().unwrap().len(), 1, "{page}");
    disk.make_room();
    until("it is written again", || {
        come_and_go(&agent, 1);
        agent.log().contains("the history is written again").then_some(())
    });
    let known_now = ended(&agent);
    assert!(known_now > known);
    // What ended while the disk was full is there for the next agent, too.
    let mut agent = agent;
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let agent = agent.restart();
    assert!(ended(&agent) >= known_now, "{} of {known_now}", ended(&agent));
}

#[test]
fn what_cannot_be_kept_is_not_said_to_be() {
    let Some(disk) = Disk::new(KIB) else { return };
    let agent = agent(&disk, "audit = 'off'");
    let mut client = Peer::connect(agent.only());
    let id = agent.assign(&client, "u1");
    let revoked = agent.http().post("/v1/revocations", &json!({ "uid": "first" })).is(200).json_lines();
    let first = revoked.last().unwrap()["revocation"]["id"].clone();
    disk.fill();
    let items = json!([{ "conn_id": id }]);
    let job = json!({ "operation": "close", "items": items, "pace": { "rate": 50.0 }, "detach": true });
    for (path, body) in [
        ("/v1/plans", json!({ "operation": "close", "items": items })),
        ("/v1/operations", job),
        ("/v1/revocations", json!({ "uid": "u1" })),
    ] {
        let message = agent.http().post(path, &body).error(503, "unavailable");
        assert!(message.contains("state directory"), "{path}: {message}");
    }
    let path = format!("/v1/revocations/{first}");
    let message = agent.http().send("DELETE", &path, &[], b"").error(503, "unavailable");
    assert!(message.contains("state directory"), "{message}");
    for (path, rows) in [("/v1/plans", "plans"), ("/v1/jobs", "jobs")] {
        assert_eq!(agent.http().get(path).is(200).json()[rows], json!([]), "{path}");
    }
    let kept = || {
        let listed = agent.http().get("/v1/revocations").is(200).json()["revocations"].clone();
        listed.as_array().unwrap().iter().map(|row| row["uid"].clone()).collect::<Vec<_>>()
    };
    assert_eq!(kept(), ["first"], "neither made nor lifted");
    client.send("untouched");
    client.expect("untouched");
    let names = std::fs::read_dir(disk.outside("state")).unwrap().map(|entry| entry.unwrap().file_name());
    let names: Vec<_> = names.map(|name| name.to_string_lossy().into_owned()).collect();
    assert!(!names.iter().any(|name| name.ends_with(".next")), "{names:?}");
    disk.make_room();
    agent.http().post("/v1/revocations", &json!({ "uid": "u2" })).is(200);
    let agent = agent.crash_and_restart();
    let listed = agent.http().get("/v1/revocations").is(200).json()["revocations"].clone();
    assert_eq!(listed.as_array().unwrap().len(), 2, "{listed}");
}

#[test]
fn an_agent_does_not_start_on_a_full_disk_and_names_the_place() {
    let Some(disk) = Disk::new(256) else { return };
    disk.fill();
    let run = Setup::new().echo("echo").on(&disk).refuses();
    let place = disk.inside("state");
    assert!(run.stderr.contains(place.to_str().unwrap()), "{}", run.stderr);
    assert!(run.stderr.contains("No space left"), "{}", run.stderr);
}
