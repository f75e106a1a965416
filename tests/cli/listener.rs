//! `connctl listener`: closing and opening the door.
use std::io::ErrorKind;

use serde_json::{Value, json};

use crate::support::cli::Connctl;
use crate::support::{Agent, Peer, Setup, Upstream};

fn is_refused(addr: std::net::SocketAddr) -> bool {
    Peer::dial(addr).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

fn is_served(addr: std::net::SocketAddr) -> bool {
    let Ok(client) = Peer::dial(addr) else { return false };
    std::io::Write::write_all(&mut client.stream(), b"x").is_ok()
        && std::io::Read::read_exact(&mut client.stream(), &mut [0]).is_ok()
}

#[test]
fn list_and_show_tell_name_mode_and_address() {
    let upstream = Upstream::echo();
    let agent = Setup::new().echo("one").forward("two", upstream.addr()).start();
    let own = Connctl::to(&agent);
    let rows = own.line("listener list -o jsonl").ok().json_lines();
    let seen: Vec<_> = rows.iter().map(|row| (&row["name"], &row["mode"], &row["bind"])).collect();
    let (one, two) = (json!(agent.addr("one").to_string()), json!(agent.addr("two").to_string()));
    assert_eq!(seen, [(&json!("one"), &json!("echo"), &one), (&json!("two"), &json!("forward"), &two)]);
    let row = own.line("listener show two -o json").ok().json();
    assert_eq!(
        (&row["name"], &row["upstream"]),
        (&json!("two"), &json!(upstream.addr().to_string())),
        "{row}"
    );
    assert_eq!(row["upstreams"][0]["state"], "untried", "{row}");
    let mut client = Peer::connect(agent.addr("two"));
    client.send("hello");
    client.expect("hello");
    let text = own.line("listener show two").ok().stdout;
    assert!(text.contains(&format!("{} up since 20", upstream.addr())), "{text}");
    assert_eq!(own.line("listener list -o name").ok().lines(), ["one", "two"]);
    own.line("listener show three").exits(3).says("three");
}

#[test]
fn reject_and_accept_say_what_changed() {
    let agent = Agent::echo();
    let own = Connctl::to(&agent);
    let report = |words: &str| -> Value {
        let lines = own.line(&format!("listener {words} -o jsonl")).ok().json_lines();
        assert_eq!(lines.len(), 1, "{lines:?}");
        lines[0].clone()
    };
    let line = report("reject");
    for (name, value) in [
        ("listener", json!("echo")),
        ("changed", json!(true)),
        ("accepting", json!(false)),
        ("after", Value::Null),
        ("mode", json!("refuse")),
    ] {
        assert_eq!(line[name], value, "{name}: {line}");
    }
    assert!(is_refused(agent.only()));
    assert_eq!(report("reject")["changed"], false);
    let line = report("accept");
    assert_eq!((&line["changed"], &line["accepting"]), (&json!(true), &json!(true)), "{line}");
    assert!(is_served(agent.only()));
    assert_eq!(report("accept")["changed"], false);
}

#[test]
fn reject_after_n_serves_exactly_n_of_64_at_once() {
    let agent = Agent::echo();
    let lines = Connctl::to(&agent).line("listener reject echo --after 7 -o jsonl").ok().json_lines();
    assert_eq!((&lines[0]["after"], &lines[0]["accepting"]), (&json!(7), &json!(true)), "{lines:?}");
    let addr = agent.only();
    let clients: Vec<_> = (0..64).map(|_| std::thread::spawn(move || is_served(addr))).collect();
    let served = clients.into_iter().filter_map(|client| client.join().unwrap().then_some(())).count();
    assert_eq!((served, agent.node()["accepted"].clone()), (7, json!(7)));
    assert!(is_refused(addr));
}

#[test]
fn reject_can_reset_and_stall() {
    let agent = Agent::echo();
    let own = Connctl::to(&agent);
    own.line("listener reject --mode reset").ok();
    Peer::is_reset_by(agent.only());
    own.line("listener accept").ok();
    own.line("listener reject --mode stall").ok();
    let mut client = Peer::connect(agent.only());
    client.send("hello");
    assert_eq!(own.line("list -o json").ok().json(), json!([]));
    assert!(client.is_quiet());
    own.line("listener accept").ok();
    client.expect("hello");
    own.line("listener reject --mode explode").exits(2).says("explode");
}

#[test]
fn only_the_named_listeners_change() {
    let agent = Setup::new().echo("one").echo("two").echo("three").start();
    let own = Connctl::to(&agent);
    let lines = own.line("listener reject one three -o jsonl").ok().json_lines();
    assert_eq!(lines.iter().map(|line| &line["listener"]).collect::<Vec<_>>(), ["one", "three"]);
    assert!(is_refused(agent.addr("one")) && is_served(agent.addr("two")) && is_refused(agent.addr("three")));
    own.line("listener reject two four").exits(3).says("four");
    assert!(is_served(agent.addr("two")));
}

#[test]
fn drain_turns_new_clients_away_and_keeps_the_old() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    agent.settled(1);
    let lines = Connctl::to(&agent).line("listener drain -o jsonl").ok().json_lines();
    assert_eq!(lines[0]["accepting"], false, "{lines:?}");
    assert!(is_refused(agent.only()));
    client.send("still here");
    client.expect("still here");
}

#[test]
fn a_wrong_after_is_refused() {
    let agent = Agent::echo();
    for after in ["-1", "many", "99999999999"] {
        Connctl::to(&agent).line(&format!("listener reject --after={after}")).exits(2).says(after);
    }
    assert!(is_served(agent.only()));
}
