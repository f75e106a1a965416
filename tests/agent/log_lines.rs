//! The agent's log: what a program can read of it, and what it does not start with.
use serde_json::{Value, json};

use crate::support::{Agent, Peer, Setup, until};

#[test]
fn a_log_of_json_has_an_object_a_line_with_what_belongs_to_it() {
    let agent = Setup::new().config("log_format = 'json'\n").echo("echo").start();
    let mut client = Peer::connect(agent.only());
    let id = agent.assign(&client, "o'brien \"x\"");
    client.send("12345");
    client.expect("12345");
    drop(client);
    let lines = until("the ending is logged", || {
        let log = agent.log();
        // The last one may still be on its way.
        let whole = log.split_inclusive('\n').filter(|line| line.ends_with('\n'));
        let lines: Vec<Value> = whole.map(|line| serde_json::from_str(line).unwrap()).collect();
        lines.iter().any(|line| line["message"] == "connection ended").then_some(lines)
    });
    let ended = lines.iter().find(|line| line["message"] == "connection ended").unwrap();
    assert_eq!((&ended["conn_id"], &ended["uid"]), (&json!(id), &json!("o'brien \"x\"")), "{ended}");
    assert_eq!((&ended["level"], &ended["to_client_bytes"]), (&json!("INFO"), &json!(5)), "{ended}");
    assert!(ended["timestamp"].is_string(), "{ended}");
}

#[test]
fn an_agent_does_not_start_with_a_level_that_is_none() {
    let setup = Setup::new().echo("echo").env("CONNCTL_LOG", "loud");
    let run = setup.refuses();
    assert!(run.stderr.contains("CONNCTL_LOG") && run.stderr.contains("loud"), "{}", run.stderr);
    let _agent: Agent = Setup::new().echo("echo").env("CONNCTL_LOG", "warn,connctl_agent=debug").start();
}
