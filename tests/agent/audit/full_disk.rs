//! A disk that takes nothing more.
use rustix::process::{Pid, Resource, Rlimit, prlimit};

use serde_json::json;

use super::{change, check, lines, place, rows, setup};
use crate::support::{Agent, LIMIT, Peer, until};

/// A figure of the audit that monitoring is told.
fn figure(agent: &Agent, name: &str) -> u64 {
    let text = agent.http().get("/metrics").is(200).text();
    let name = format!("connctl_audit_{name}{{}} ");
    let line = text.lines().find_map(|line| line.strip_prefix(&name));
    line.unwrap_or_else(|| panic!("no {name} in {text}")).parse().unwrap()
}

/// From now on no file of the agent's grows beyond this: every write is an error, as on a full disk.
fn fill_disk(agent: &Agent, most: Option<u64>) {
    let pid = Pid::from_raw(i32::try_from(agent.pid()).unwrap()).unwrap();
    prlimit(Some(pid), Resource::Fsize, Rlimit { current: most, maximum: None }).unwrap();
}

/// So that the next line fits in part.
fn nearly_full(agent: &Agent) -> u64 {
    until("nothing is on its way", || rows(agent, "?result=open").is_empty().then_some(()));
    std::fs::metadata(place(agent)).unwrap().len() + 40
}

#[test]
fn a_full_disk_refuses_every_change_and_leaves_the_rest_alone() {
    let mut agent = setup("").start();
    let mut client = Peer::connect(agent.only());
    let id = agent.assign(&client, "u1");
    let (full, before) = (nearly_full(&agent), lines(&place(&agent)).len());
    fill_disk(&agent, Some(full));
    for (method, path) in [
        ("POST", "/v1/operations"),
        ("POST", "/v1/listeners/reject"),
        ("DELETE", "/v1/limits"),
        ("POST", "/v1/node/drain"),
        ("DELETE", "/current/connections"),
    ] {
        let json = [("Content-Type", "application/json")];
        let body =
            if path == "/v1/operations" { "{\"operation\":\"reset\",\"where\":\"all\"}" } else { "{}" };
        let response = agent.http().send(method, path, &json, body.as_bytes());
        assert_eq!(response.status, 503, "{method} {path}: {}", response.text());
        assert!(response.text().contains("audit"), "{}", response.text());
    }
    let message = agent.http().post("/v1/operations", &change()).error(503, "audit_failed");
    assert!(message.contains("nothing was changed"), "{message}");
    assert_eq!(figure(&agent, "refused_changes_total"), 6);
    assert!(figure(&agent, "write_failures_total") >= 6);
    assert_eq!((figure(&agent, "lost_lines_total"), figure(&agent, "sequence")), (0, before as u64));
    // Nobody was touched, newcomers come, and whoever reads is answered.
    client.send("untouched");
    client.expect("untouched");
    let mut other = Peer::connect(agent.only());
    other.send("newcomers, too");
    other.expect("newcomers, too");
    assert_eq!(agent.row(&client)["conn_id"], id);
    assert_eq!(lines(&place(&agent)).len(), before, "what was refused is not there, not even in part");
    // With room again all works.
    fill_disk(&agent, None);
    agent.does("reset", "both", &client);
    let path = place(&agent);
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let report = check(&path);
    assert!(report.ok, "{report:?}");
}

#[test]
fn with_best_effort_a_full_disk_stops_no_change_and_the_log_tells_which_is_missing() {
    let mut agent = setup("audit = 'best-effort'").start();
    let client = Peer::connect(agent.only());
    agent.settled(1);
    let full = nearly_full(&agent);
    fill_disk(&agent, Some(full));
    agent.does("reset", "both", &client);
    until("the log tells", || agent.log().contains("a change is missing").then_some(()));
    assert_eq!((figure(&agent, "refused_changes_total"), figure(&agent, "lost_lines_total")), (0, 2));
    fill_disk(&agent, None);
    agent.operate(&change());
    let path = place(&agent);
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let (report, lines) = (check(&path), lines(&path));
    assert!(report.ok, "{report:?}");
    assert_eq!(lines.iter().filter(|line| line["event"] == "call").count(), 1, "{lines:?}");
}

#[test]
fn what_was_done_while_the_disk_was_full_is_written_when_there_is_room() {
    let mut agent = setup("").start();
    let _clients = [Peer::connect(agent.only()), Peer::connect(agent.only())];
    agent.settled(2);
    let body = json!({ "operation": "close", "where": "all", "detach": true, "pace": { "rate": 1.0 } });
    let job = agent.http().post("/v1/operations", &body).is(200).json()["job_id"].clone();
    let full = std::fs::metadata(place(&agent)).unwrap().len();
    fill_disk(&agent, Some(full));
    let path = format!("/v1/jobs/{}", job.as_str().unwrap());
    until("the job has ended", || (agent.http().get(&path).is(200).json()["state"] == "done").then_some(()));
    until("its end waits", || (figure(&agent, "waiting_lines") >= 1).then_some(()));
    fill_disk(&agent, None);
    agent.operate(&change());
    assert_eq!((figure(&agent, "waiting_lines"), figure(&agent, "lost_lines_total")), (0, 0));
    let found = rows(&agent, "?verb=close");
    let found = found.iter().find(|row| row["job_id"] == job).expect("the job is there");
    assert_eq!((&found["result"], &found["counts"]["done"]), (&json!("done"), &json!(2)), "{found}");
    let path = place(&agent);
    assert_eq!(agent.terminate(LIMIT), Some(0));
    assert!(check(&path).ok);
}
