//! What is in it of those who may.
use std::io::Write as _;

use serde_json::{Value, json};

use super::{change, check, lines, place, row, rows, setup};
use crate::support::{LIMIT, Peer, Setup, until};

#[test]
fn a_change_is_written_before_and_after_with_who_asked_and_what_came_of_it() {
    let agent = setup("").start();
    let clients = [Peer::connect(agent.only()), Peer::connect(agent.only())];
    agent.assign(&clients[0], "u1");
    agent.assign(&clients[1], "u1");
    let request =
        json!({ "operation": "reset", "where": "uid == 'u1'  and age < 9d", "note": "too \"loud\"\n" });
    agent.operate(&request);
    let row = row(&agent, "reset", "done");
    assert_eq!((&row["where"], &row["note"]), (&request["where"], &request["note"]), "{row}");
    let own = rustix::process::geteuid().as_raw();
    assert_eq!((&row["actor"], &row["known_by"]), (&json!(format!("uid-{own}")), &json!("unix")), "{row}");
    assert_eq!((&row["uid"], &row["pid"]), (&json!(own), &json!(std::process::id())), "{row}");
    assert_eq!((&row["status"], &row["counts"]["done"]), (&json!(200), &json!(2)), "{row}");
    let lines = lines(&place(&agent));
    let of = |event: &str| lines.iter().filter(|line| line["event"] == event).count();
    // Two assignments and the reset.
    assert_eq!((of("start"), of("call"), of("end")), (1, 3, 3), "{lines:?}");
    let call = lines.iter().find(|line| line["verb"] == "reset").unwrap();
    let end = lines.iter().find(|line| line["of"] == call["seq"]).unwrap();
    assert!(call["seq"].as_u64() < end["seq"].as_u64());
}

#[test]
fn every_way_to_change_something_is_in_it_and_reading_is_not() {
    let agent = setup("").start();
    let client = Peer::connect(agent.only());
    let id = agent.id(&client);
    let http = agent.http();
    for path in ["/v1/connections", "/v1/history", "/v1/jobs", "/connz", "/current/connections", "/v1/audit"]
    {
        http.get(path).is(200);
    }
    let plan = http.post("/v1/plans", &change()).is(200).json()["plan_id"].clone();
    http.post("/v1/wait", &json!({ "for": "count=1", "timeout_ms": 1 }));
    let revoke = json!({ "uid": "u9", "note": "gone" });
    for (method, path, body, verb) in [
        ("POST", format!("/v1/connections/{id}/assign"), json!({ "uid": "u1" }), "assign"),
        ("POST", "/v1/listeners/reject".into(), json!({ "names": ["echo"] }), "reject"),
        ("POST", "/v1/listeners/accept".into(), json!({}), "accept"),
        ("PATCH", "/v1/limits".into(), json!({ "set": { "max_connections": 7 } }), "set limits"),
        ("DELETE", "/v1/limits?all=true".into(), Value::Null, "remove limits"),
        ("POST", "/v1/agent/reload".into(), json!({}), "reload"),
        ("POST", "/v1/revocations".into(), revoke, "revoke"),
        ("DELETE", "/v1/revocations/1".into(), Value::Null, "lift"),
        ("POST", format!("/v1/plans/{}/apply", plan.as_str().unwrap()), json!({}), "apply"),
        ("DELETE", "/v1/plans/p-00000001-1".into(), Value::Null, "remove plan"),
        ("POST", "/v1/jobs/j-00000001-1/cancel".into(), json!({}), "cancel job"),
        ("POST", "/conn/remove".into(), json!({ "uid": "u1", "conn_id": id }), "remove"),
        ("DELETE", "/current/connections".into(), Value::Null, "remove connections"),
        ("PUT", "/current/listener".into(), Value::Null, "set listener"),
        ("DELETE", "/connections/0".into(), Value::Null, "remove connections"),
        ("POST", "/v1/node/drain".into(), json!({}), "drain node"),
    ] {
        let before = rows(&agent, "").len();
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let json = [("Content-Type", "application/json")];
        let status = http.send(method, &path, &json, body.as_bytes()).status;
        let rows = until(&format!("{method} {path} has an end"), || {
            let rows = rows(&agent, "");
            (rows[0]["result"] != "open").then_some(rows)
        });
        assert_eq!(rows.len(), before + 1, "{method} {path}");
        assert_eq!((&rows[0]["verb"], &rows[0]["status"]), (&json!(verb), &json!(status)), "{}", rows[0]);
        assert_eq!(rows[0]["call"], format!("{method} {path}"));
        let result = if status == 200 { "done" } else { "refused" };
        assert_eq!(rows[0]["result"], result, "{}", rows[0]);
    }
    let applied = row(&agent, "apply", "done");
    assert_eq!(applied["plan_id"], plan, "{applied}");
    assert_eq!(row(&agent, "revoke", "done")["note"], "gone");
    assert_eq!(row(&agent, "set limits", "done")["request"]["set"]["max_connections"], 7);
}

#[test]
fn a_job_is_in_it_with_what_came_of_it_when_it_ends_although_nobody_waits() {
    let agent = setup("").start();
    let clients: Vec<_> = (0..3).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(3);
    // One that nobody waits for from the start, and one whose client leaves in the middle.
    let request = json!({ "operation": "pause", "where": "all", "detach": true });
    let job = agent.http().post("/v1/operations", &request).is(200).json()["job_id"].clone();
    let row_of = row(&agent, "pause", "done");
    assert_eq!((&row_of["job_id"], &row_of["counts"]["done"]), (&job, &json!(3)), "{row_of}");
    // So slow that it is still under way when its client has left.
    let body = json!({ "operation": "reset", "where": "all", "pace": { "rate": 0.001 } }).to_string();
    let head = "POST /v1/operations HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
    let mut wire = agent.http().open();
    write!(wire, "{head}Content-Length: {}\r\n\r\n{body}", body.len()).unwrap();
    let open = until("the job is known", || {
        let rows = rows(&agent, "?verb=reset");
        rows.into_iter().next()
    });
    assert_eq!((&open["result"], &open["where"]), (&json!("open"), &json!("all")), "{open}");
    drop(wire);
    let left = until("its client has left", || {
        rows(&agent, "?verb=reset").into_iter().find(|row| row["status"] == 200)
    });
    assert_eq!(left["result"], "open", "the job goes on: {left}");
    let job = left["job_id"].as_str().unwrap();
    agent.http().post(&format!("/v1/jobs/{job}/cancel"), &json!({})).is(200);
    let row_of = row(&agent, "reset", "cancelled");
    assert_eq!(row_of["counts"]["matched"], 3, "{row_of}");
    assert_eq!(row(&agent, "cancel job", "done")["job_id"], job);
    drop(clients);
}

#[test]
fn what_was_under_way_when_the_agent_was_killed_is_interrupted() {
    let agent = setup("").start();
    let _clients: Vec<_> = (0..3).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(3);
    // The first has its turn at once, and the next after a quarter of an hour.
    let slow = json!({ "operation": "close", "where": "all", "detach": true, "pace": { "rate": 0.001 } });
    let job = agent.http().post("/v1/operations", &slow).is(200).json()["job_id"].clone();
    until("the job is in the audit", || (rows(&agent, "?verb=close")[0]["job_id"] == job).then_some(()));
    let agent = agent.crash_and_restart();
    assert_eq!(row(&agent, "close", "interrupted")["job_id"], job);
    assert_eq!(rows(&agent, "?verb=start").len(), 2);
}

#[test]
fn a_reload_by_a_signal_is_in_it_and_its_end_too() {
    let agent = setup("log = 'info'").start();
    agent.signal(rustix::process::Signal::HUP);
    let row_of = row(&agent, "reload", "done");
    assert_eq!((&row_of["known_by"], &row_of["actor"]), (&json!("signal"), &Value::Null), "{row_of}");
    agent.dir().write("agent.toml", "nonsense = 1\n");
    agent.signal(rustix::process::Signal::HUP);
    let failed = until("the second has failed", || rows(&agent, "?verb=reload&result=failed").pop());
    assert_eq!(failed["code"], "bad_config", "{failed}");
}

#[test]
fn rows_can_be_picked_out_and_what_is_wrong_is_named() {
    let agent = setup("").start();
    for _ in 0..3 {
        agent.operate(&change());
    }
    agent.http().post("/v1/operations", &json!({ "operation": "reset", "where": "colour = red" })).is(400);
    until("all have ended", || rows(&agent, "?result=open").is_empty().then_some(()));
    assert_eq!(rows(&agent, "?verb=close").len(), 3);
    assert_eq!(rows(&agent, "?verb=close&limit=2").len(), 2);
    assert_eq!(rows(&agent, "?result=refused").len(), 1);
    assert_eq!(rows(&agent, "?since=1h").len(), 5);
    assert_eq!(rows(&agent, "?since=2099-01-01T00:00:00Z").len(), 0);
    assert_eq!(rows(&agent, "?actor=nobody").len(), 0);
    let seqs: Vec<_> = rows(&agent, "").iter().map(|row| row["seq"].as_u64().unwrap()).collect();
    assert!(seqs.is_sorted_by(|a, b| a > b), "the latest first: {seqs:?}");
    for (query, name) in [
        ("since=yesterday", "yesterday"),
        ("result=good", "good"),
        ("limit=100001", "100001"),
        ("limit=-1", "-1"),
        ("colour=red", "colour"),
    ] {
        let message = agent.http().get(&format!("/v1/audit?{query}")).error(400, "invalid_request");
        assert!(message.contains(name), "{message}");
    }
    agent.http().get("/v1/audit/lines?x=1").error(400, "invalid_request");
}

#[test]
fn files_are_begun_anew_when_they_are_full_and_none_is_lost() {
    let mut agent = setup("audit_file_size = '64KiB'").start();
    let note = "x".repeat(1_000);
    let request = json!({ "operation": "close", "where": "uid = nobody", "note": note });
    for _ in 0..150 {
        agent.operate(&request);
    }
    until("all have ended", || rows(&agent, "?result=open").is_empty().then_some(()));
    assert_eq!(rows(&agent, "?verb=close").len(), 150, "rows come from all files");
    let sent = agent.http().get("/v1/audit/lines").is(200).text();
    assert_eq!(sent, super::written(&place(&agent)));
    let path = place(&agent);
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let report = check(&path);
    assert!(report.ok && report.files > 2, "{report:?}");
    assert_eq!(report.entries, 302, "start, stop, and two for each call");
    assert_eq!(lines(&path).last().unwrap()["event"], "stop");
}

#[test]
fn there_is_none_without_a_place_or_when_it_is_off() {
    let off = setup("audit = 'off'").start();
    let without = Setup::new().echo("echo").start();
    for agent in [&off, &without] {
        agent.operate(&change());
        let message = agent.http().get("/v1/audit").error(404, "not_found");
        assert!(message.contains("keeps no audit"), "{message}");
        agent.http().get("/v1/audit/lines").error(404, "not_found");
    }
    assert!(!place(&off).exists());
    for (config, says) in [
        ("audit = 'required'", "audit_file"),
        ("audit = 'sometimes'", "sometimes"),
        ("audit_file_size = '1KiB'", "audit_file_size"),
        ("audit_file = '/dev/null'", "regular file"),
        ("audit_file = '/nonexistent/audit'", "/nonexistent/audit"),
    ] {
        let run = Setup::new().config(config).echo("echo").refuses();
        assert!(run.stderr.contains(says), "{config}: {}", run.stderr);
    }
}

#[test]
fn two_agents_do_not_write_one_audit() {
    let first = setup("").start();
    let config = format!("audit_file = '{}'", place(&first).display());
    let run = Setup::new().config(config).echo("echo").refuses();
    assert!(run.stderr.contains("another agent"), "{}", run.stderr);
    first.operate(&change());
}
