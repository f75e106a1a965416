//! Jobs: paced operations that go on in the agent, whoever watches.
use std::collections::HashSet;
use std::io::Write as _;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Http, Peer, Setup, until};

fn clients(agent: &Agent, count: usize) -> Vec<Peer> {
    let clients: Vec<_> = (0..count).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(count);
    clients
}

/// Begins a job; gives its id.
#[track_caller]
fn begin(agent: &Agent, request: &Value) -> String {
    let mut request = request.clone();
    request["detach"] = json!(true);
    let row = agent.http().post("/v1/operations", &request).is(200).json();
    row["job_id"].as_str().expect("a job id").to_owned()
}

#[track_caller]
fn row(agent: &Agent, job: &str) -> Value {
    agent.http().get(&format!("/v1/jobs/{job}")).is(200).json()
}

#[track_caller]
fn ask(agent: &Agent, job: &str, verb: &str) -> Value {
    agent.http().post(&format!("/v1/jobs/{job}/{verb}"), &json!({})).is(200).json()
}

#[track_caller]
fn reaches(agent: &Agent, job: &str, state: &str) -> Value {
    until(&format!("{job} is {state}"), || {
        let row = row(agent, job);
        (row["state"] == state).then_some(row)
    })
}

/// What a watcher is told from the first item to the summary.
#[track_caller]
fn watched(agent: &Agent, job: &str) -> (Vec<Value>, Value) {
    watched_by(&agent.http(), job)
}

#[track_caller]
fn watched_by(http: &Http, job: &str) -> (Vec<Value>, Value) {
    let mut lines = http.get(&format!("/v1/jobs/{job}/watch")).is(200).json_lines();
    let last = lines.pop().expect("a summary");
    assert!(last["summary"].is_object(), "{last}");
    (lines.into_iter().filter(|line| line["conn_id"].is_u64()).collect(), last["summary"].clone())
}

/// The items of each status; none may be there twice.
fn ids(items: &[Value], status: &str) -> HashSet<u64> {
    let of_status: Vec<_> = items.iter().filter(|item| item["status"] == status).collect();
    let ids: HashSet<_> = of_status.iter().map(|item| item["conn_id"].as_u64().unwrap()).collect();
    assert_eq!(ids.len(), of_status.len(), "a connection has two items");
    ids
}

#[test]
fn a_paced_job_keeps_its_rate_and_answers_for_each_connection() {
    let agent = Agent::hold();
    let clients = clients(&agent, 40);
    let start = Instant::now();
    let request = json!({"operation": "close", "where": "all", "pace": {"rate": 40, "jitter_percent": 20}});
    let mut lines = agent.http().post("/v1/operations", &request).is(200).json_lines();
    // 39 times between 40 connections, less what the jitter takes of the last one.
    assert!(start.elapsed() >= Duration::from_millis(900), "{:?}", start.elapsed());
    let summary = lines.pop().unwrap();
    assert_eq!((lines.len(), &summary["summary"]["done"]), (40, &json!(40)));
    assert_eq!(ids(&lines, "done").len(), 40);
    for mut client in clients {
        client.ends_with(End::Fin);
    }
}

#[test]
fn a_job_goes_on_without_whoever_began_it() {
    let agent = Agent::hold();
    let _clients = clients(&agent, 20);
    let mut wire = agent.http().open();
    let body = json!({"operation": "close", "where": "all", "pace": {"rate": 20}}).to_string();
    write!(
        wire,
        "POST /v1/operations HTTP/1.1\r\nHost: localhost\r\nContent-Length: {}\r\n\r\n{body}",
        body.len()
    )
    .unwrap();
    let job = until("the job is there", || {
        let jobs = agent.http().get("/v1/jobs").is(200).json();
        Some(jobs["jobs"][0]["job_id"].as_str()?.to_owned())
    });
    drop(wire);
    let row = reaches(&agent, &job, "done");
    assert_eq!(row["summary"]["done"], 20, "{row}");
    agent.settled(0);
}

#[test]
fn many_watchers_see_the_same_whenever_they_come() {
    let agent = Agent::hold();
    let _clients = clients(&agent, 30);
    let job = begin(&agent, &json!({"operation": "reset", "where": "all", "pace": {"rate": 60}}));
    let http = agent.http();
    let all: Vec<_> = std::thread::scope(|scope| {
        let watchers: Vec<_> = (0..8).map(|_| scope.spawn(|| watched_by(&http, &job))).collect();
        watchers.into_iter().map(|watcher| watcher.join().unwrap()).collect()
    });
    let late = watched(&agent, &job);
    assert_eq!(late.0.len(), 30);
    for seen in &all {
        assert_eq!(seen, &late);
    }
    let without = agent.http().get(&format!("/v1/jobs/{job}/watch?items=false")).is(200).json_lines();
    assert!(without.iter().all(|line| line["conn_id"].is_null()), "{without:?}");
}

#[test]
fn a_watcher_that_reads_nothing_holds_nothing_up() {
    let agent = Agent::hold();
    let _clients = clients(&agent, 600);
    let job = begin(&agent, &json!({"operation": "close", "where": "all", "pace": {"rate": 2000}}));
    let wires: Vec<_> = (0..20)
        .map(|_| {
            let mut wire = agent.http().open();
            write!(wire, "GET /v1/jobs/{job}/watch HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
            wire
        })
        .collect();
    assert_eq!(reaches(&agent, &job, "done")["summary"]["done"], 600);
    assert_eq!(watched(&agent, &job).0.len(), 600);
    drop(wires);
}

#[test]
fn a_paused_job_begins_nothing_and_a_resumed_one_does_the_rest_once() {
    let agent = Agent::hold();
    let _clients = clients(&agent, 60);
    let job = begin(&agent, &json!({"operation": "close", "where": "all", "pace": {"rate": 10}}));
    until("some are done", || (row(&agent, &job)["summary"]["done"].as_u64() >= Some(3)).then_some(()));
    let paused = ask(&agent, &job, "pause");
    assert_eq!((&paused["state"], paused["reason"].is_string()), (&json!("paused"), true), "{paused}");
    assert_eq!(paused["paused_by"], "operator", "{paused}");
    assert_eq!(ask(&agent, &job, "pause")["state"], "paused");
    let look = || (row(&agent, &job)["summary"]["done"].as_u64().unwrap(), agent.connections().len() as u64);
    // What had begun comes to its end; then three more would have had their turn.
    until("nothing more is done", || {
        let before = look();
        std::thread::sleep(Duration::from_millis(300));
        (before.0 + before.1 == 60 && look() == before).then_some(())
    });
    let resumed = ask(&agent, &job, "resume");
    assert_eq!((&resumed["state"], &resumed["paused_by"]), (&json!("running"), &json!(null)), "{resumed}");
    let (items, summary) = watched(&agent, &job);
    assert_eq!((ids(&items, "done").len(), &summary["done"]), (60, &json!(60)));
    for verb in ["pause", "resume", "cancel"] {
        agent.http().post(&format!("/v1/jobs/{job}/{verb}"), &json!({})).error(409, "conflict");
    }
}

#[test]
fn a_cancelled_job_leaves_the_rest_as_it_is_and_says_so() {
    let agent = Agent::echo();
    let mut clients = clients(&agent, 30);
    let job = begin(&agent, &json!({"operation": "close", "where": "all", "pace": {"rate": 1}}));
    until("some are done", || (row(&agent, &job)["summary"]["done"].as_u64() >= Some(3)).then_some(()));
    ask(&agent, &job, "cancel");
    let ended = reaches(&agent, &job, "cancelled");
    assert_eq!(ask(&agent, &job, "cancel")["state"], "cancelled");
    let (items, summary) = watched(&agent, &job);
    assert_eq!((items.len(), &summary["requested"], &ended["summary"]), (30, &json!(30), &summary));
    let left = ids(&items, "skipped");
    assert_eq!(ids(&items, "done").len() + left.len(), 30, "{summary}");
    let rows = agent.connections();
    let live: HashSet<_> = rows.iter().map(|row| row["conn_id"].as_u64().unwrap()).collect();
    assert_eq!(live, left);
    let local = |row: &Value| row["client"].as_str().unwrap().to_owned();
    let locals: HashSet<_> = rows.iter().map(local).collect();
    for client in clients.iter_mut().filter(|client| locals.contains(&client.local().to_string())) {
        client.send("untouched");
        client.expect("untouched");
    }
}

#[test]
fn orders_that_race_never_lose_or_repeat_a_connection() {
    let agent = Agent::hold();
    for round in 0..6 {
        let _clients = clients(&agent, 40);
        let job = begin(&agent, &json!({"operation": "reset", "where": "all", "pace": {"rate": 400}}));
        let http = agent.http();
        std::thread::scope(|scope| {
            for verb in ["pause", "resume", "pause", "resume"] {
                let (http, job) = (&http, &job);
                scope.spawn(move || {
                    for _ in 0..25 {
                        let status = http.post(&format!("/v1/jobs/{job}/{verb}"), &json!({})).status;
                        assert!(matches!(status, 200 | 409), "{status}");
                    }
                });
            }
        });
        let last = if round % 2 == 0 { "resume" } else { "cancel" };
        let status = agent.http().post(&format!("/v1/jobs/{job}/{last}"), &json!({})).status;
        assert!(matches!(status, 200 | 409), "{status}");
        let (items, summary) = watched(&agent, &job);
        assert_eq!(ids(&items, "done").len() + ids(&items, "skipped").len(), 40, "{summary}");
        assert_eq!(agent.connections().len(), ids(&items, "skipped").len());
        agent.operate(&json!({"operation": "reset", "where": "all"}));
        agent.settled(0);
    }
}

#[test]
fn too_many_failures_pause_a_job_until_somebody_decides() {
    let agent = Agent::hold();
    let _clients = clients(&agent, 50);
    // A held connection has no upstream side: each of these fails.
    let request = json!({"operation": "reset", "side": "upstream", "where": "all",
        "pace": {"rate": 200, "pause_if_percent": 5}});
    let job = begin(&agent, &request);
    let paused = reaches(&agent, &job, "paused");
    assert!(paused["reason"].as_str().unwrap().contains("failed"), "{paused}");
    assert_eq!(paused["paused_by"], "agent", "{paused}");
    assert!(paused["summary"]["failed"].as_u64() < Some(50), "{paused}");
    ask(&agent, &job, "cancel");
    let row = reaches(&agent, &job, "cancelled");
    assert_eq!(row["summary"]["requested"], 50, "{row}");
    assert_eq!(agent.connections().len(), 50);
}

#[test]
fn a_job_is_done_only_when_the_last_answer_is_there() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let _client = Peer::with_small_window(agent.only());
    let mut server = upstream.accept();
    server.fill();
    let start = Instant::now();
    let job = begin(&agent, &json!({"operation": "close", "where": "all", "grace_ms": 700}));
    let (items, _) = watched(&agent, &job);
    assert!(start.elapsed() >= Duration::from_millis(700), "{:?}", start.elapsed());
    assert_eq!(items[0]["wire"]["forced"], true, "{items:?}");
}

#[test]
fn a_job_that_a_crash_interrupts_is_shown_as_such_with_every_item() {
    let setup = Setup::new().hold("hold");
    let state = setup.dir().join("state");
    let agent = setup.arg("--state-dir").arg(&state).start();
    let _clients = clients(&agent, 40);
    let whole = begin(&agent, &json!({"operation": "pause", "where": "all"}));
    reaches(&agent, &whole, "done");
    // So slow that it cannot end before the crash.
    let job = begin(&agent, &json!({"operation": "close", "where": "all", "pace": {"rate": 1}, "note": "n"}));
    until("some are done", || (row(&agent, &job)["summary"]["done"].as_u64() >= Some(3)).then_some(()));
    let mut agent = agent.crash_and_restart();
    let mut seen = Vec::new();
    for _ in 0..2 {
        let interrupted = row(&agent, &job);
        assert_eq!((&interrupted["state"], &interrupted["note"]), (&json!("interrupted"), &json!("n")));
        assert!(interrupted["ended_at"].is_string(), "{interrupted}");
        let (items, summary) = watched(&agent, &job);
        assert_eq!((items.len(), &summary["requested"]), (40, &json!(40)));
        let done = ids(&items, "done");
        assert!(done.len() >= 3, "{summary}");
        assert_eq!(done.len() + ids(&items, "skipped").len(), 40);
        seen.push((items, interrupted));
        assert_eq!(row(&agent, &whole)["state"], "done");
        assert_eq!(watched(&agent, &whole).0.len(), 40);
        agent.http().post(&format!("/v1/jobs/{job}/resume"), &json!({})).error(409, "conflict");
        agent = agent.crash_and_restart();
    }
    assert_eq!(seen[0], seen[1], "a second restart tells the same");
}

#[test]
fn a_torn_last_line_is_as_if_it_had_not_been_written() {
    let setup = Setup::new().hold("hold");
    let state = setup.dir().join("state");
    let mut agent = setup.arg("--state-dir").arg(&state).start();
    let _clients = clients(&agent, 10);
    let job = begin(&agent, &json!({"operation": "close", "where": "all", "pace": {"rate": 1}}));
    until("some are done", || (row(&agent, &job)["summary"]["done"].as_u64() >= Some(2)).then_some(()));
    agent.signal(rustix::process::Signal::STOP);
    let path = format!("{state}/job-{job}.jsonl");
    let text = std::fs::read(&path).unwrap();
    std::fs::write(&path, &text[..text.len() - 5]).unwrap();
    for _ in 0..2 {
        agent = agent.crash_and_restart();
        let (items, summary) = watched(&agent, &job);
        assert_eq!((items.len(), &summary["requested"]), (10, &json!(10)), "{summary}");
        assert_eq!(row(&agent, &job)["state"], "interrupted");
    }
}

#[test]
fn a_large_set_that_an_expression_picks_out_needs_a_number() {
    let agent = Agent::hold();
    let _clients = clients(&agent, 30);
    let by_expression = |more: Value| {
        let mut request = json!({"operation": "close", "where": "listener = hold"});
        request.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        agent.http().post("/v1/operations", &request)
    };
    let message = by_expression(json!({})).error(409, "guard_refused");
    assert!(message.contains("30"), "{message}");
    by_expression(json!({"detach": true, "pace": {"rate": 1}})).error(409, "guard_refused");
    by_expression(json!({"max": 29})).error(409, "guard_refused");
    by_expression(json!({"sample_percent": 50})).is(200);
    until("half are left", || (agent.connections().len() == 15).then_some(()));
    by_expression(json!({"max": 15})).is(200);
    agent.settled(0);
}

#[test]
fn a_wrong_pace_names_its_field_and_touches_nothing() {
    let agent = Agent::hold();
    let _clients = clients(&agent, 2);
    for (pace, field) in [
        (json!({"rate": 0}), "pace.rate"),
        (json!({"rate": 1, "jitter_percent": 200}), "pace.jitter_percent"),
        (json!({"jitter_percent": 20}), "pace.jitter_percent"),
        (json!({"rate": 1, "ramp_ms": 1_000_000_000_000_u64}), "pace.ramp_ms"),
        (json!({"rate": 1, "speed": 2}), "pace.speed"),
        (json!({"rate": "fast"}), "pace.rate"),
    ] {
        let request = json!({"operation": "close", "where": "all", "pace": pace});
        let response = agent.http().post("/v1/operations", &request).is(400).json();
        assert_eq!(response["error"]["detail"]["field"], field, "{response}");
    }
    for unknown in ["nonsense", "j-00000000-1", "%00"] {
        agent.http().get(&format!("/v1/jobs/{unknown}")).error(404, "not_found");
        agent.http().post(&format!("/v1/jobs/{unknown}/cancel"), &json!({})).error(404, "not_found");
    }
    assert_eq!(agent.connections().len(), 2);
}

#[test]
fn jobs_are_bounded_in_number() {
    let agent = Agent::hold();
    let _clients = clients(&agent, 2);
    let request = json!({"operation": "pause", "where": "all", "detach": true, "pace": {"rate": 0.01}});
    let jobs: Vec<_> = (0..32).map(|_| begin(&agent, &request)).collect();
    agent.http().post("/v1/operations", &request).error(409, "conflict");
    ask(&agent, &jobs[0], "cancel");
    reaches(&agent, &jobs[0], "cancelled");
    begin(&agent, &request);
}
