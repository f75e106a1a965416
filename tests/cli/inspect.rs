//! `connctl stats`, `assign`, `wait` and `agent status`.
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::cli::Connctl;
use crate::support::upstream::{Refusing, Upstream};
use crate::support::{Agent, LIMIT, Peer, Setup};

#[test]
fn stats_by_reason_is_an_array_of_reason_side_and_count() {
    let upstream = Upstream::echo();
    let refusing = Refusing::new();
    let agent = Setup::new().forward("good", upstream.addr()).forward("bad", refusing.addr()).start();
    let own = Connctl::to(&agent);
    assert_eq!(own.line("stats --by reason -o json").ok().json(), json!([]));
    for _ in 0..3 {
        let client = Peer::connect(agent.addr("good"));
        agent.does("reset", "both", &client);
    }
    Peer::connect(agent.addr("bad")).end();
    agent.settled(0);
    let rows = own.line("stats --by reason -o json").ok().json();
    let rows = rows.as_array().expect("an array");
    for row in rows {
        let mut names: Vec<_> = row.as_object().unwrap().keys().map(String::as_str).collect();
        names.sort_unstable();
        assert_eq!(names, ["count", "reason", "side"]);
    }
    let count = |side: &str, reason: &str| {
        let found: Vec<_> =
            rows.iter().filter(|row| row["side"] == side && row["reason"] == reason).collect();
        assert!(found.len() <= 1, "{rows:?}");
        found.first().map_or(Value::Null, |row| row["count"].clone())
    };
    assert_eq!(
        (count("client", "operator_reset"), count("upstream", "operator_reset")),
        (json!(3), json!(3))
    );
    assert_eq!(count("upstream", "econnrefused"), 1);
    let table = own.line("stats").ok().stdout;
    assert!(table.contains("operator_reset"), "{table}");
}

#[test]
fn stats_by_user_counts_live_connections() {
    let agent = Agent::echo();
    let clients: Vec<_> = (0..3).map(|_| Peer::connect(agent.only())).collect();
    agent.assign(&clients[0], "u1");
    agent.assign(&clients[1], "u1");
    for (by, value, count) in [
        ("uid", json!("u1"), 2),
        ("uid", Value::Null, 1),
        ("ip", json!("127.0.0.1"), 3),
        ("listener", json!("echo"), 3),
        ("device", Value::Null, 3),
    ] {
        let rows = Connctl::to(&agent).line(&format!("stats --by {by} -o json")).ok().json();
        let row = rows.as_array().unwrap().iter().find(|row| row["value"] == value);
        assert_eq!(row.map(|row| &row["connections"]), Some(&json!(count)), "{by} {value}: {rows}");
    }
    Connctl::to(&agent).line("stats --by height").exits(2).says("height");
}

#[test]
fn assign_names_the_user_of_a_connection() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    let id = agent.id(&client);
    let own = Connctl::to(&agent);
    own.line(&format!("assign {id} --uid u1 --device web --tag team=red --tag env=test")).ok();
    let row = agent.row(&client);
    assert_eq!((&row["uid"], &row["device"]), (&json!("u1"), &json!("web")), "{row}");
    assert_eq!(row["tags"], json!({ "team": "red", "env": "test" }));
    own.line(&format!("assign {} --uid u1", id + 1)).exits(3);
    own.line(&format!("assign {id}")).exits(2);
    own.line(&format!("assign {id} --tag broken")).exits(2).says("broken");
}

#[test]
fn wait_ends_when_the_connections_have_gone() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    agent.settled(1);
    let waiting = Connctl::to(&agent).start(&["wait", "--for", "count=0", "--timeout", "30s"]);
    drop(client);
    waiting.finish(LIMIT).ok();
}

#[test]
fn wait_gives_up_with_8() {
    let agent = Agent::echo();
    let _client = Peer::connect(agent.only());
    agent.settled(1);
    let start = Instant::now();
    Connctl::to(&agent).line("wait --for count=0 --timeout 400ms").exits(8);
    assert!(start.elapsed() >= Duration::from_millis(400), "{:?}", start.elapsed());
    Connctl::to(&agent).line("wait --for count>=1 --timeout 10s").ok();
    Connctl::to(&agent).line("wait --uid nobody --for count=0 --timeout 10s").ok();
    Connctl::to(&agent).line("wait --for total=0 --timeout 1s").exits(2).says("total=0");
}

#[test]
fn agent_status_tells_about_the_agent() {
    let agent = Setup::new().echo("echo").arg("--node-id").arg("12").start();
    let own = Connctl::to(&agent);
    let status = own.line("agent status -o json").ok().json();
    assert_eq!((&status["node_id"], &status["pid"]), (&json!(12), &json!(agent.pid())), "{status}");
    assert!(own.line("agent status").ok().stdout.contains("12"));
}
