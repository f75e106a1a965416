//! `connctl list --watch` in a pipe: what is there, and then what changes.
use std::sync::mpsc::Receiver;

use serde_json::{Value, json};

use crate::support::cli::Connctl;
use crate::support::{Agent, LIMIT, Peer};

fn next(lines: &Receiver<String>) -> String {
    lines.recv_timeout(LIMIT).expect("a line of the watched list")
}

/// The next row of which this has become. One that is being opened may be told of twice.
fn row(lines: &Receiver<String>, change: &str, id: u64) -> Value {
    (0..3)
        .map(|_| serde_json::from_str(&next(lines)).unwrap())
        .find(|row: &Value| (&row["change"], &row["conn_id"]) == (&json!(change), &json!(id)))
        .unwrap_or_else(|| panic!("{id} is not {change} in three lines"))
}

#[test]
fn a_watched_list_in_a_pipe_is_the_list_once_and_then_what_changes() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    let id = agent.id(&client);
    for form in ["jsonl", "json"] {
        let (_watching, lines) = Connctl::to(&agent).follow(&["list", "--watch", "-o", form]);
        assert_eq!(row(&lines, "new", id)["state"], "active");
        agent.does("pause", "both", &client);
        assert_eq!(row(&lines, "changed", id)["state"], "paused");
        let more = Peer::connect(agent.only());
        let other = agent.id(&more);
        assert_eq!(row(&lines, "new", other)["uid"], json!(null));
        Connctl::to(&agent).line(&format!("reset --conn-id {other}")).ok();
        row(&lines, "gone", other);
        agent.does("resume", "both", &client);
        assert_eq!(row(&lines, "changed", id)["state"], "active");
    }
}

#[test]
fn a_connection_that_is_selected_no_longer_is_gone_from_a_watched_list() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    let id = agent.assign(&client, "u1");
    let args = ["list", "-w", "--uid", "u1", "-o", "csv", "--columns", "change,conn_id,uid"];
    let (_watching, lines) = Connctl::to(&agent).follow(&args);
    assert_eq!(next(&lines), "change,conn_id,uid");
    assert_eq!(next(&lines), format!("new,{id},u1"));
    agent.assign(&client, "u2");
    assert_eq!(next(&lines), format!("gone,{id},u1"));
    agent.assign(&client, "u1");
    assert_eq!(next(&lines), format!("new,{id},u1"));
}

#[test]
fn a_watched_count_in_a_pipe_is_told_when_it_is_another() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    agent.settled(1);
    let (_watching, lines) = Connctl::to(&agent).follow(&["list", "--watch", "--count"]);
    assert_eq!(next(&lines), "1");
    let more = Peer::connect(agent.only());
    assert_eq!(next(&lines), "2");
    drop((client, more));
    // It may look between the two.
    assert!((0..2).any(|_| next(&lines) == "0"));
}

#[test]
fn what_goes_on_ends_when_nobody_reads_it() {
    let agent = Agent::echo();
    let _client = Peer::connect(agent.only());
    agent.settled(1);
    for args in [
        &["list", "--watch", "-o", "jsonl"][..],
        &["list", "-w", "--count"],
        &["events", "--follow", "--after", "0"],
    ] {
        let (mut watching, lines) = Connctl::to(&agent).follow_one(args);
        next(&lines);
        assert!(watching.wait(LIMIT).success(), "{args:?}");
    }
}

#[test]
fn a_watched_table_says_what_became_of_each() {
    let agent = Agent::echo();
    let (_watching, lines) = Connctl::to(&agent).follow(&["list", "--watch"]);
    let client = Peer::connect(agent.only());
    let id = agent.id(&client).to_string();
    assert!(next(&lines).starts_with("CHANGE"));
    let words = next(&lines);
    assert!(words.starts_with("new") && words.contains(&id), "{words}");
    agent.does("pause", "both", &client);
    let is_told = |line: String| line.starts_with("changed") && line.contains("paused");
    assert!((0..3).any(|_| is_told(next(&lines))));
}
