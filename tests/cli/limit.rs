//! `connctl limit`: what holds for connections, and changing it.
use serde_json::json;

use crate::support::cli::Connctl;
use crate::support::{Agent, Peer, Setup};

fn agent() -> Agent {
    let listener =
        |name: &str| format!("[[listener]]\nname = '{name}'\nmode = 'echo'\nbind = '127.0.0.1:0'\n");
    Setup::new().config(listener("pg") + "max_per_uid = 7\n" + &listener("redis")).start()
}

#[test]
fn list_tells_key_scope_value_and_where_it_comes_from() {
    let agent = agent();
    let own = Connctl::to(&agent);
    own.line("limit set --listener pg idle_timeout=10m on_over=evict-oldest").ok();
    let rows = own.line("limit list -o jsonl").ok().json_lines();
    for row in [
        json!({"key": "max_connections", "scope": "agent", "listener": null, "value": 0, "source": "default"}),
        json!({"key": "idle_timeout", "scope": "listener", "listener": "pg", "value": "10m", "source": "set"}),
        json!({"key": "max_per_uid", "scope": "listener", "listener": "pg", "value": 7, "source": "file"}),
        json!({"key": "idle_timeout", "scope": "listener", "listener": "redis", "value": "none", "source": "default"}),
    ] {
        assert!(rows.contains(&row), "{row} in {rows:?}");
    }
    let only = own.line("limit list --listener redis -o json").ok().json();
    assert!(only.as_array().unwrap().iter().all(|row| row["listener"] == "redis"), "{only}");
    let csv = own.line("limit list --listener pg -o csv").ok().stdout;
    assert!(csv.starts_with("key,scope,listener,value,source\nidle_timeout,listener,pg,10m,set\n"), "{csv}");
    let table = own.line("limit list --listener pg").ok().stdout;
    assert!(table.contains("FROM") && table.contains("evict-oldest"), "{table}");
    assert_eq!(own.line("limit list --listener pg -o name").ok().lines()[0], "idle_timeout");
    own.line("limit list --listener nosuch").exits(3).says("nosuch");
}

#[test]
fn set_and_remove_print_the_limits_as_they_are_then() {
    let agent = agent();
    let own = Connctl::to(&agent);
    let rows = own.line("limit set --listener pg --listener redis max_per_uid=5 -o jsonl").ok().json_lines();
    let told: Vec<_> = rows.iter().map(|row| (&row["listener"], &row["value"], &row["source"])).collect();
    let (five, set) = (json!(5), json!("set"));
    assert_eq!(told, [(&json!("pg"), &five, &set), (&json!("redis"), &five, &set)]);
    let rows = own.line("limit remove --listener pg max_per_uid -o jsonl").ok().json_lines();
    assert_eq!((&rows[0]["value"], &rows[0]["source"]), (&json!(7), &json!("file")));
    own.line("limit remove --all").ok();
    let rows = own.line("limit list -o jsonl").ok().json_lines();
    assert!(rows.iter().all(|row| row["source"] != "set"), "{rows:?}");
}

#[test]
fn a_wrong_limit_changes_nothing_and_says_what_is_allowed() {
    let agent = agent();
    let own = Connctl::to(&agent);
    for (words, code, said) in [
        ("set --listener pg max_per_ip=1 idle_timeout=10x", 2, "10x"),
        ("set --listener pg max_per_ip=1 on_over=evict", 2, "evict-oldest-activity"),
        ("set --listener pg max_per_ip=1 max_per_uuid=1", 2, "max_per_uid"),
        ("set --listener pg max_per_ip=-1", 2, "max_per_ip"),
        ("set max_per_ip=1", 2, "listener"),
        ("set --listener nosuch max_per_ip=1", 3, "nosuch"),
        ("set --listener pg max_per_ip=1 max_per_ip=2", 2, "max_per_ip"),
        ("set --listener pg", 2, "KEY=VALUE"),
        ("set --listener pg max_per_ip", 2, "KEY=VALUE"),
        ("remove --listener pg", 2, "KEY"),
        ("remove --listener pg max_per_op", 2, "max_per_ip"),
    ] {
        own.line(&format!("limit {words}")).exits(code).says(said);
    }
    let rows = own.line("limit list -o jsonl").ok().json_lines();
    assert!(rows.iter().all(|row| row["source"] != "set"), "{rows:?}");
}

#[test]
fn a_dry_run_lists_what_would_be_closed_in_the_forms_of_list() {
    let agent = agent();
    let own = Connctl::to(&agent);
    let clients: Vec<_> = (0..3).map(|_| Peer::connect(agent.addr("redis"))).collect();
    for client in &clients {
        agent.assign(client, "u1");
    }
    let change = "limit set --listener redis max_per_uid=1 on_over=evict-oldest";
    let ids: Vec<_> = clients[..2].iter().map(|client| agent.id(client).to_string()).collect();
    let run = own.line(&format!("{change} --dry-run -o name")).ok();
    assert_eq!(run.lines(), ids);
    assert!(run.stderr.contains("2 connections would be closed (redis: 2 of u1 evicted)"), "{}", run.stderr);
    let rows = own.line(&format!("{change} --dry-run -o json")).ok().json();
    assert_eq!((&rows[0]["uid"], &rows[0]["listener"]), (&json!("u1"), &json!("redis")), "{rows}");
    assert_eq!(own.line(&format!("{change} --dry-run --quiet")).ok().stderr, "");
    let rows = own.line("limit list -o jsonl").ok().json_lines();
    assert!(rows.iter().all(|row| row["source"] != "set"), "{rows:?}");
    let run = own.line(change).ok();
    assert!(run.stderr.contains("2 connections being closed"), "{}", run.stderr);
    agent.settled(1);
}

#[test]
fn a_limit_that_would_close_most_of_the_node_takes_yes() {
    let agent = agent();
    let own = Connctl::to(&agent);
    let _clients: Vec<_> = (0..25).map(|_| Peer::connect(agent.addr("pg"))).collect();
    agent.settled(25);
    let change = "limit set --listener pg max_connections=2 on_over=evict-oldest";
    own.line(change).exits(7).says("--yes");
    let rows = own.line("limit list -o jsonl").ok().json_lines();
    assert!(rows.iter().all(|row| row["source"] != "set"), "{rows:?}");
    agent.settled(25);
    own.line(&format!("{change} --yes")).ok();
    agent.settled(2);
}
