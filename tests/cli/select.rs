//! What can be asked with a selector, and how it is said where it cannot.
use serde_json::Value;

use crate::support::cli::Connctl;
use crate::support::{Agent, Peer, Setup, Upstream};

#[test]
fn every_field_of_a_live_relayed_connection_is_known() {
    let upstream = Upstream::echo();
    let agent = Agent::front(upstream.addr());
    let client = Peer::connect(agent.only());
    agent.assign_with(&client, &serde_json::json!({ "uid": "u1", "device": "web" }));
    let own = Connctl::to(&agent);
    let fields = own.line("list --fields -o json").ok().json();
    let names: Vec<_> = fields.as_array().unwrap().iter().map(|row| row["field"].as_str().unwrap()).collect();
    assert!(names.len() >= 30, "{names:?}");
    for name in names {
        if matches!(name, "tag.KEY" | "initiator" | "reason" | "ended_at") {
            continue;
        }
        let known = own.run(&["list", "--count", "--where", &format!("{name} != null")]).ok();
        assert_eq!(known.stdout, "1\n", "{name}");
    }
    let all_there = own.run(&["list", "--count", "--where", "pending_bytes = 0"]).ok();
    assert_eq!(all_there.stdout, "1\n");
}

#[test]
fn the_fields_are_printed_in_every_form() {
    let own = Connctl::alone();
    let rows = own.line("list --fields -o jsonl").ok().json_lines();
    assert!(rows.iter().any(|row| row["field"] == "idle" && row["meaning"].is_string()), "{rows:?}");
    assert_eq!(own.line("list --fields -o name").ok().lines().len(), rows.len());
    for form in ["table", "wide", "csv", "yaml", "json"] {
        assert!(own.line(&format!("list --fields -o {form}")).ok().stdout.contains("conn_id"), "{form}");
    }
    own.line("list --fields --agent unix:/nonexistent --color never").ok();
    own.line("list --fields --uid u1").exits(2).says("--uid");
}

#[test]
fn every_selector_flag_several_times_means_any_of() {
    let agent = Agent::echo();
    let clients: Vec<_> = ["a", "b", "c"].map(|uid| (uid, Peer::connect(agent.only()))).into();
    for (uid, client) in &clients {
        agent.assign(client, uid);
    }
    let own = Connctl::to(&agent);
    let uids = |args: &[&str]| {
        let rows = own.run(&[&["list", "-o", "jsonl"], args].concat()).ok().json_lines();
        rows.iter().map(|row| row["uid"].as_str().unwrap().to_owned()).collect::<Vec<_>>().concat()
    };
    assert_eq!(uids(&["--where", "uid = a", "--where", "uid = b"]), "ab");
    assert_eq!(uids(&["--where", "uid = a", "--where", "uid = b", "--uid", "b", "--uid", "c"]), "b");
    assert_eq!(uids(&["--where", "uid = a", "--where", "all"]), "abc");
    assert_eq!(uids(&["--age-over", "1h", "--age-over", "0ms"]), "abc");
    assert_eq!(uids(&["--idle-over", "1h", "--idle-over", "2h"]), "");
}

#[test]
fn an_id_can_be_compared_with_a_number_that_is_none() {
    let agent = Agent::echo();
    let _client = Peer::connect(agent.only());
    agent.settled(1);
    let count = |expression: &str| {
        Connctl::to(&agent).run(&["list", "--count", "--where", expression]).ok().stdout.trim().to_owned()
    };
    assert_eq!(count("conn_id > 0"), "1");
    assert_eq!(count("conn_id < 9007199254740992"), "1");
    assert_eq!(count("node_id >= 0"), "1");
    Connctl::to(&agent).run(&["list", "--where", "conn_id = 0"]).exits(2).says("\"0\" is too small");
}

#[test]
fn a_negative_number_is_refused_by_its_flag() {
    let own = Connctl::alone();
    for (line, flag, value) in [
        ("list --conn-id -1", "--conn-id", "-1"),
        ("list --port -5", "--port", "-5"),
        ("list --limit -2", "--limit", "-2"),
        ("history --limit -2", "--limit", "-2"),
        ("remove --all --max -3", "--max", "-3"),
    ] {
        own.line(line).exits(2).says(flag).says(&format!("{value:?}").replace('"', ""));
    }
    own.line("list --limit many").exits(2).says("it is not a whole number such as 10");
}

#[test]
fn a_query_that_is_too_long_says_so() {
    let agent = Setup::new().hold("hold").start();
    let many = (0..8_000).map(|n| format!("uid = u{n}")).collect::<Vec<_>>();
    let longest = many.join(" or ").chars().take(45_000).collect::<String>();
    let expression = longest.rsplit_once(" or ").unwrap().0;
    let own = Connctl::to(&agent);
    own.run(&["list", "--where", expression]).exits(2).says("65534").says("say it shorter");
    // A change is asked for in a body, which holds it.
    let run = own.run(&["remove", "--yes", "--where", expression, "-o", "json"]).ok().json();
    assert_eq!(run["summary"]["matched"], Value::from(0));
}
