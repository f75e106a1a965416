//! `connctl agent reload`.
use serde_json::json;

use crate::support::cli::Connctl;
use crate::support::{Agent, Setup};

const ECHO: &str = "[[listener]]\nname = 'front'\nmode = 'echo'\nbind = '127.0.0.1:0'\n";

#[test]
fn what_changed_is_listed_and_what_waits_for_a_restart_is_exit_code_6() {
    let agent = Setup::new().config(ECHO).start();
    let own = Connctl::to(&agent);
    let run = own.line("agent reload -o json").ok();
    assert_eq!((run.json(), &*run.stderr), (json!([]), ""));
    agent.dir().write("agent.toml", &format!("{ECHO}max_per_uid = 3\n"));
    let row = json!({"key": "max_per_uid", "listener": "front", "outcome": "applied"});
    assert_eq!(own.line("agent reload -o jsonl").ok().json_lines(), [row]);
    agent.dir().write("agent.toml", &format!("node_id = 9\n{ECHO}max_per_uid = 3\n"));
    let run = own.line("agent reload").exits(6).says("1 change waiting for a restart");
    assert!(run.stdout.contains("node_id") && run.stdout.contains("needs_restart"), "{}", run.stdout);
}

#[test]
fn a_bad_file_is_exit_code_1_and_says_where() {
    let agent = Setup::new().config(ECHO).start();
    agent.dir().write("agent.toml", &format!("{ECHO}max_per_uid = 3\nmax_per_op = 1\n"));
    Connctl::to(&agent).line("agent reload").exits(1).says("line 6, max_per_op").says("max_per_ip");
    let rows = Connctl::to(&agent).line("limit list -o jsonl").ok().json_lines();
    assert!(rows.iter().all(|row| row["source"] == "default"), "{rows:?}");
    Connctl::to(&Agent::echo()).line("agent reload").exits(1).says("--config");
}
