//! `connctl history` and `why`.
use serde_json::{Value, json};

use crate::support::cli::Connctl;
use crate::support::{Agent, Peer};

/// An agent of which three connections have ended, the last first.
fn agent() -> (Agent, Vec<u64>) {
    let agent = Agent::echo();
    let own = Connctl::to(&agent);
    let mut ids = Vec::new();
    for (uid, verb) in [("bob", "remove"), ("eve", "reset"), ("bob", "remove")] {
        let client = Peer::connect(agent.only());
        let id = agent.assign(&client, uid);
        own.run(&[verb, "--conn-id", &id.to_string(), "--yes", "--note", "too loud"]).ok();
        ids.insert(0, id);
    }
    (agent, ids)
}

#[test]
fn history_lists_what_ended_in_every_form() {
    let (agent, ids) = agent();
    let own = Connctl::to(&agent);
    let table = own.line("history").ok();
    let lines: Vec<_> = table.stdout.lines().collect();
    assert_eq!(lines.len(), 4, "{}", table.stdout);
    assert!(lines[0].starts_with("ENDED") && lines[1].contains("operator_close"), "{}", table.stdout);
    assert!(table.stderr.contains("3 connections ended"), "{}", table.stderr);
    let json = own.line("history -o json").ok().json();
    let rows = json.as_array().unwrap();
    assert!(rows.iter().map(|row| row["conn_id"].as_u64().unwrap()).eq(ids.iter().copied()), "{json}");
    assert_eq!(own.line("history -o jsonl").ok().stdout.lines().count(), 3);
    let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
    assert_eq!(own.line("history -o name").ok().stdout.lines().collect::<Vec<_>>(), names);
    let csv = own.line("history -o csv").ok().stdout;
    assert!(csv.starts_with("conn_id,node_id,uid,") && csv.lines().count() == 4, "{csv}");
    assert!(own.line("history -o yaml").ok().stdout.contains("reason: operator_close"));
    assert!(own.line("history -o wide").ok().stdout.contains("remove --conn-id "));
    let quiet = own.line("history --quiet --no-headers").ok();
    assert_eq!((quiet.stdout.lines().count(), quiet.stderr.as_str()), (3, ""));
}

#[test]
fn history_takes_the_selectors_of_every_verb() {
    let (agent, ids) = agent();
    let own = Connctl::to(&agent);
    assert_eq!(own.line("history --uid eve -o name").ok().stdout, format!("{}\n", ids[1]));
    assert_eq!(own.line("history --uid bob --limit 1 -o name").ok().stdout, format!("{}\n", ids[0]));
    assert_eq!(own.line("history --since 1h --count").ok().stdout, "3\n");
    assert_eq!(own.line("history --uid nobody -o json").ok().json(), json!([]));
    let by = own.line("history --count --by reason -o json").ok().json();
    assert_eq!(by["by"][0], json!({ "value": "operator_close", "count": 2 }));
    let columns = own.line("history --columns conn_id,reason,meaning --limit 1 -o jsonl").ok().json();
    let expected =
        json!({ "conn_id": ids[0], "reason": "operator_close", "meaning": "an operator closed it" });
    assert_eq!(columns, expected);
    own.line("history --since yesterday").exits(2).says("yesterday");
    own.line("history --count --by colour").exits(2).says("colour");
    own.run(&["history", "--where", "colour = red"]).exits(2).says("colour");
}

#[test]
fn why_says_it_in_words() {
    let (agent, ids) = agent();
    let own = Connctl::to(&agent);
    let said = own.line(&format!("why {}", ids[0])).ok().stdout;
    for part in [format!("{} of bob on echo from 127.0.0.1:", ids[0]), "note: too loud".to_owned()] {
        assert!(said.contains(&part), "{said}");
    }
    let me = format!("uid-{}", rustix::process::geteuid().as_raw());
    let typed = format!("remove --conn-id {} --yes --note 'too loud'", ids[0]);
    let closed = format!("closed by operator {me} with `{typed}`");
    assert!(said.contains(&closed), "{said}");
    let report = own.line(&format!("why {} -o json", ids[1])).ok().json();
    assert_eq!((&report["live"], &report["ended"]["reason"]), (&json!(false), &json!("operator_reset")));
    let live = Peer::connect(agent.only());
    let id = agent.id(&live);
    assert!(own.line(&format!("why {id}")).ok().stdout.contains("it lives"));
    assert_eq!(own.line(&format!("why {id} -o json")).ok().json()["ended"], Value::Null);
    own.line(&format!("why {}", id + 1_000)).exits(3);
    own.line("why bob").exits(2).says("bob");
}
