//! `connctl context`: agents by name.
use std::path::PathBuf;

use serde_json::json;

use crate::support::cli::Connctl;
use crate::support::dir::Dir;
use crate::support::{Agent, Setup};

struct Home {
    dir: Dir,
}

impl Home {
    fn new() -> Self {
        Self { dir: Dir::new() }
    }

    fn file(&self) -> PathBuf {
        self.dir.path().join("connctl/contexts.json")
    }

    fn connctl(&self) -> Connctl {
        Connctl::alone().env("XDG_CONFIG_HOME", &self.dir.path().to_string_lossy())
    }
}

fn agent(node_id: u64) -> Agent {
    Setup::new()
        .config(format!("node_id = {node_id}\n[[listener]]\nname='e'\nmode='echo'\nbind='127.0.0.1:0'\n"))
        .start()
}

fn node(connctl: &Connctl, words: &str) -> serde_json::Value {
    connctl.line(&format!("{words} agent status -o json")).ok().json()["node_id"].clone()
}

#[test]
fn the_agent_is_looked_for_where_it_is_named_first() {
    let (home, one, two, three) = (Home::new(), agent(1), agent(2), agent(3));
    let own = home.connctl();
    own.line(&format!("context add one {} --use", one.endpoint())).ok();
    own.line(&format!("context add two {}", two.endpoint())).ok();
    assert_eq!(node(&own, ""), 1);
    assert_eq!(node(&own, "--context two"), 2);
    assert_eq!(node(&own, &format!("--agent {}", three.endpoint())), 3);
    let with_env = home.connctl().env("CONNCTL_AGENT", &three.endpoint());
    assert_eq!(node(&with_env, ""), 3);
    assert_eq!(node(&with_env, "--context two"), 2, "what is typed goes before the environment");
    own.line("context use two").ok();
    assert_eq!(node(&own, ""), 2);
    own.line(&format!("--agent {} --context one list", one.endpoint())).exits(2).says("--context");
}

#[test]
fn contexts_are_listed_renamed_and_forgotten() {
    let home = Home::new();
    let own = home.connctl();
    assert_eq!(own.line("context list -o jsonl").ok().stdout, "");
    own.line("context add b http://127.0.0.1:5001").ok();
    own.line("context add a unix:/run/connctl-a.sock --use").ok();
    own.line("context add b http://127.0.0.1:5002").ok();
    let rows = own.line("context list -o jsonl").ok().json_lines();
    assert_eq!(
        rows,
        [
            json!({"name": "a", "agent": "unix:/run/connctl-a.sock", "current": true}),
            json!({"name": "b", "agent": "http://127.0.0.1:5002", "current": false}),
        ]
    );
    assert_eq!(own.line("context list -o name").ok().lines(), ["a", "b"]);
    own.line("context remove a").ok();
    assert_eq!(own.line("context list -o jsonl").ok().json_lines().len(), 1);
    home.connctl().env("CONNCTL_AGENT", "unix:/run/x.sock").line("context add here").ok();
    let rows = own.line("context list -o jsonl").ok().json_lines();
    assert_eq!(rows[1], json!({"name": "here", "agent": "unix:/run/x.sock", "current": false}));
}

#[test]
fn what_is_wrong_is_named_and_changes_nothing() {
    let home = Home::new();
    let own = home.connctl();
    own.line("context use nosuch").exits(3).says("nosuch");
    own.line("--context nosuch list").exits(3).says("nosuch");
    own.line("context remove nosuch").exits(3).says("nosuch");
    own.line("context add prod").exits(2).says("prod");
    own.line("context add prod ftp://x").exits(2).says("ftp://x");
    own.line("context add a/b unix:/run/x").exits(2).says("a/b");
    assert!(!home.file().exists());
    own.line("context add prod unix:/run/x").ok();
    own.line("context use nosuch").exits(3).says("prod");
    std::fs::write(home.file(), "{\"contexts\":{\"prod\":{\"agnt\":\"x\"}}}").unwrap();
    own.line("list").exits(1).says("contexts.json").says("agnt");
    own.line("context add more unix:/run/x").exits(1);
    assert!(
        std::fs::read_to_string(home.file()).unwrap().contains("agnt"),
        "a damaged file is left to its owner"
    );
}
