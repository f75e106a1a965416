//! Operators that use every verb, and a hand that breaks what is around the agent. Nothing of it concerns the
//! listener `calm`.
use std::io::Write;
use std::os::unix::net::UnixStream;
use std::sync::Arc;
use std::time::Duration;

use rustix::process::Signal;
use serde_json::{Value, json};

use super::{Stage, add};
use crate::support::http::Response;
use crate::support::random::Random;

/// The listeners that may be meddled with.
const MEDDLED: [&str; 3] = ["front", "echo", "hold"];
const VERBS: [&str; 5] = ["close", "reset", "halfclose", "close", "reset"];

/// What an honest request may be answered with while others are at work: done, gone, refused by a guard or busy.
#[track_caller]
fn is_fair(response: Response, what: &str) -> Response {
    assert!(matches!(response.status, 200 | 404 | 409), "{what}: {} {}", response.status, response.text());
    response
}

/// Asks by TCP: the unix socket is taken away now and then.
fn post(stage: &Stage, path: &str, body: &Value) -> Response {
    is_fair(stage.agent.tcp().post(path, body), &format!("{path} {body}"))
}

fn get(stage: &Stage, path: &str) -> Response {
    is_fair(stage.agent.tcp().get(path), path)
}

fn reachable(stage: &Stage) {
    crate::support::until("the control socket is there", || UnixStream::connect(stage.agent.socket()).ok());
}

pub(super) fn work(stage: &Arc<Stage>, mut random: Random) {
    while stage.goes_on() {
        let listener = random.of(&MEDDLED);
        let some = format!("listener = '{listener}'");
        match random.below(9) {
            0..3 => operate(stage, &some, &mut random),
            3 => pause(stage, &some),
            4 => plan(stage, &some, &mut random),
            5 => job(stage, &some, &mut random),
            6 => limit(stage, listener, &mut random),
            7 => gate(stage, listener, &mut random),
            _ => look(stage, &some),
        }
        add(&stage.figures.operations, 1);
        std::thread::sleep(Duration::from_millis(random.below(20)));
    }
    // Whoever is paused could not end.
    post(stage, "/v1/operations", &json!({ "operation": "resume", "where": "all" }));
    let keys = ["idle_timeout", "max_connections", "max_per_ip"].join(",");
    for listener in MEDDLED {
        stage.agent.tcp().delete(&format!("/v1/limits?listeners={listener}&keys={keys}"));
        post(stage, "/v1/listeners/accept", &json!({ "names": [listener] }));
    }
}

fn operate(stage: &Stage, some: &str, random: &mut Random) {
    let side = random.of(&["client", "upstream", "both"]);
    let share = 1.0 + f64::from(u32::try_from(random.below(99)).unwrap());
    let request = json!({
        "operation": random.of(&VERBS), "side": side, "where": some, "grace_ms": random.below(200),
        "sample_percent": share, "max": 1_000,
    });
    let lines = post(stage, "/v1/operations", &request).json_lines();
    let summary = &lines.last().expect("a summary")["summary"];
    let told = ["done", "skipped", "failed", "timed_out"]
        .iter()
        .filter_map(|key| summary[key].as_u64())
        .sum::<u64>();
    assert_eq!(told, lines.len() as u64 - 1, "an item each: {summary}");
}

fn pause(stage: &Stage, some: &str) {
    post(stage, "/v1/operations", &json!({ "operation": "pause", "where": some }));
    post(stage, "/v1/operations", &json!({ "operation": "resume", "where": some }));
}

fn plan(stage: &Stage, some: &str, random: &mut Random) {
    let request = json!({ "operation": random.of(&VERBS), "where": some, "max": 1_000 });
    let plan = post(stage, "/v1/plans", &request).json();
    let path = format!("/v1/plans/{}/apply", plan["plan_id"].as_str().expect("a plan id"));
    // Twice: the second one is refused.
    post(stage, &path, &json!({ "max": 1_000 })).is(200);
    post(stage, &path, &json!({ "max": 1_000 })).is(409);
}

fn job(stage: &Stage, some: &str, random: &mut Random) {
    let request = json!({
        "operation": random.of(&VERBS), "where": some, "pace": { "rate": 500.0 }, "detach": true, "max": 1_000,
    });
    let job = post(stage, "/v1/operations", &request).json();
    // Too many are running now and then.
    if let Some(id) = job["job_id"].as_str() {
        for verb in ["pause", "resume", random.of(&["resume", "cancel"])] {
            post(stage, &format!("/v1/jobs/{id}/{verb}"), &json!({}));
        }
    }
}

fn limit(stage: &Stage, listener: &str, random: &mut Random) {
    let (key, value) = match random.below(3) {
        0 => ("max_connections", json!(1 + random.below(20))),
        1 => ("max_per_ip", json!(1 + random.below(20))),
        _ => ("idle_timeout", json!("200ms")),
    };
    let request = json!({ "listeners": [listener], "set": { key: value } });
    is_fair(stage.agent.tcp().patch("/v1/limits", &request), &request.to_string());
}

fn gate(stage: &Stage, listener: &str, random: &mut Random) {
    let mode = random.of(&["refuse", "reset", "stall"]);
    let request = json!({ "names": [listener], "mode": mode, "after": random.below(5) });
    post(stage, "/v1/listeners/reject", &request);
    std::thread::sleep(Duration::from_millis(random.below(30)));
    post(stage, "/v1/listeners/accept", &json!({ "names": [listener] }));
}

fn look(stage: &Stage, some: &str) {
    let some = some.replace(' ', "%20").replace('\'', "%27");
    let page = get(stage, &format!("/v1/connections?where={some}")).is(200).json();
    for row in page["connections"].as_array().expect("rows").iter().take(5) {
        let id = row["conn_id"].as_u64().expect("an id");
        get(stage, &format!("/v1/connections/{id}"));
        post(stage, &format!("/v1/connections/{id}/assign"), &json!({ "uid": format!("u{}", id % 7) }));
    }
    for path in ["/v1/stats?by=reason", "/v1/node", "/v1/listeners", "/v1/limits"] {
        get(stage, path).is(200);
    }
}

/// Takes away, restarts and confuses what is around the agent.
pub(super) fn break_things(stage: &Arc<Stage>, mut random: Random) {
    let mut half_open = Vec::new();
    while stage.goes_on() {
        match random.below(8) {
            0..4 => stage.front.restart(),
            4 => stage.agent.signal(Signal::HUP),
            5 => drop(std::fs::remove_file(stage.agent.socket())),
            6 => half_open.clear(),
            _ => {
                let begun = (0..20).filter_map(|_| UnixStream::connect(stage.agent.socket()).ok());
                for mut stream in begun {
                    let _ = stream.write_all(b"POST /v1/operations HTTP/1.1\r\nHost: loc");
                    half_open.push(stream);
                }
                half_open.truncate(100);
            }
        }
        add(&stage.figures.faults, 1);
        std::thread::sleep(Duration::from_millis(20 + random.below(400)));
    }
    reachable(stage);
}
