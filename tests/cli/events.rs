//! `connctl events`.
use crate::support::cli::Connctl;
use crate::support::{Agent, LIMIT, Peer};

#[test]
fn events_prints_what_happened_in_every_form() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    let id = agent.assign(&client, "bob");
    agent.does("reset", "both", &client);
    let own = Connctl::to(&agent);
    let lines = own.line("events").ok().stdout;
    let lines: Vec<_> = lines.lines().collect();
    assert_eq!(lines.len(), 3, "{lines:?}");
    assert!(
        lines[0].contains("opened") && lines[1].contains(&format!("{id} of bob on echo from 127.0.0.1:"))
    );
    assert!(
        lines[2].contains("ended") && lines[2].contains("operator_reset: an operator reset it"),
        "{}",
        lines[2]
    );
    let json = own.line("events -o json").ok().json();
    assert_eq!(json.as_array().unwrap().len(), 3);
    assert_eq!(own.line("events --uid bob -o jsonl").ok().stdout.lines().count(), 2);
    assert_eq!(own.line("events --kind ended --kind warned -o jsonl").ok().json()["conn_id"], id);
    assert_eq!(own.line("events -o csv").ok().stdout.lines().count(), 4);
    assert!(own.line("events -o yaml").ok().stdout.contains("event: ended"));
    let names = own.line("events -o name").ok().stdout;
    let first = names.lines().next().unwrap();
    assert_eq!(own.run(&["events", "--after", first, "-o", "name"]).ok().stdout.lines().count(), 2);
    own.line("events --kind born").exits(2).says("born");
    own.line("events --after 7").exits(2).says("after");
}

#[test]
fn events_that_are_followed_come_at_once() {
    let agent = Agent::echo();
    let args = ["events", "--follow", "--after", "0", "-o", "jsonl"];
    let (_following, lines) = Connctl::to(&agent).follow(&args);
    // What has no end is no JSON document: it is one for each event.
    let (_too, documents) = Connctl::to(&agent).follow(&[&args[..5], &["json"]].concat());
    for _ in 0..3 {
        let client = Peer::connect(agent.only());
        let opened = lines.recv_timeout(LIMIT).unwrap();
        assert!(opened.contains("\"opened\"") && opened.contains(&client.local().to_string()), "{opened}");
        client.reset();
        assert!(lines.recv_timeout(LIMIT).unwrap().contains("\"ended\""));
        for kind in ["opened", "ended"] {
            let event: serde_json::Value =
                serde_json::from_str(&documents.recv_timeout(LIMIT).unwrap()).unwrap();
            assert_eq!(event["event"], kind);
        }
    }
}
