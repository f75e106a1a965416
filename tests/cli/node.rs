//! `connctl node`, a drain of one listener, and `connctl wait --then`.
use std::io::ErrorKind;

use rustix::process::Signal;
use serde_json::json;

use crate::support::cli::Connctl;
use crate::support::upstream::ByHand;
use crate::support::{Agent, End, LIMIT, Peer, Setup, until};

fn is_refused(address: std::net::SocketAddr) -> bool {
    Peer::dial(address).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

fn two_listeners() -> (Agent, Vec<Peer>) {
    let agent = Setup::new().echo("one").hold("two").start();
    let names = ["one", "one", "one", "two", "two"];
    let clients = names.map(|name| Peer::connect(agent.addr(name))).into();
    agent.settled(5);
    (agent, clients)
}

#[test]
fn a_drained_node_is_empty_and_refuses_until_it_is_undrained() {
    let (agent, mut clients) = two_listeners();
    let own = Connctl::to(&agent);
    let job = own.line("node drain --yes --rate 50/s --jitter 20% --idle-first -o json").ok().json();
    assert_eq!((&job["state"], &job["summary"]["done"]), (&json!("done"), &json!(5)), "{job}");
    agent.settled(0);
    clients.iter_mut().for_each(|client| client.ends_with(End::Fin));
    assert!(is_refused(agent.addr("one")) && is_refused(agent.addr("two")));
    let reports = own.line("node undrain -o jsonl").ok().json_lines();
    assert_eq!(reports.len(), 2);
    assert!(reports.iter().all(|report| report["changed"] == true && report["accepting"] == true));
    let mut client = Peer::connect(agent.addr("one"));
    client.send("back");
    client.expect("back");
    own.line("node drain").ok();
    agent.settled(0);
}

#[test]
fn a_drain_of_one_listener_leaves_the_others_alone() {
    let (agent, mut clients) = two_listeners();
    let own = Connctl::to(&agent);
    let job = own.line("listener drain two --yes --rate 100/s -o json").ok().json();
    assert_eq!((&job["connections"], &job["summary"]["done"]), (&json!(2), &json!(2)), "{job}");
    assert!(is_refused(agent.addr("two")));
    for client in &mut clients[..3] {
        client.send("untouched");
        client.expect("untouched");
    }
    Peer::connect(agent.addr("one"));
    own.line("listener drain nobody --yes --rate 1/s").exits(3).says("nobody");
    own.line("listener drain one").ok();
    agent.settled(3);
    own.line("listener drain one --jitter 20%").exits(2).says("--rate");
}

#[test]
fn a_dry_run_of_a_drain_shows_who_would_go_and_shuts_no_door() {
    let (agent, mut clients) = two_listeners();
    let own = Connctl::to(&agent);
    let shown = own.line("node drain --dry-run --rate 5/s -o json").ok().json();
    assert_eq!(
        (&shown["plan"]["connections"], &shown["plan"]["pace"]["rate"]),
        (&json!(5), &json!(5.0)),
        "{shown}"
    );
    let plan = own.line("listener drain two --dry-run -o name").ok().stdout;
    own.line("listener drain nobody --dry-run").exits(3).says("nobody");
    own.line("node drain --yes --max-percent 50").exits(7);
    for client in &mut clients[..3] {
        client.send("untouched");
        client.expect("untouched");
    }
    agent.settled(5);
    drop(Peer::connect(agent.addr("two")));
    agent.settled(5);
    own.run(&["apply", plan.trim(), "--yes"]).ok();
    agent.settled(3);
}

#[test]
fn a_large_drain_asks_and_a_wrong_one_shuts_no_door() {
    let agent = Agent::hold();
    let clients: Vec<_> = (0..30).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(30);
    let own = Connctl::to(&agent);
    own.line("node drain").exits(7).says("--yes");
    own.line("node drain --yes --max 29").exits(7);
    own.line("node drain --yes --grace 2h").exits(2).says("--grace");
    own.line("node drain --yes --rate 0/s").exits(2).says("--rate");
    assert_eq!(own.line("listener list -o json").ok().json()[0]["accepting"], true);
    drop(clients);
}

#[test]
fn a_drain_that_is_interrupted_goes_on_in_the_agent() {
    let agent = Agent::hold();
    let _clients: Vec<_> = (0..15).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(15);
    let own = Connctl::to(&agent);
    let running = own.start(&["node", "drain", "--yes", "--rate", "10/s"]);
    until("some are gone", || (agent.connections().len() < 14).then_some(()));
    running.handles_interrupts();
    running.signal(Signal::INT);
    running.finish(LIMIT).exits(130).says("connctl job cancel");
    own.line("wait --for count=0").ok();
    let listed = own.line("node list -o jsonl").ok().json_lines();
    assert_eq!((listed.len(), &listed[0]["listeners_accepting"]), (1, &json!(0)), "{listed:?}");
    assert_eq!(own.line("node list -o name").ok().lines(), ["1"]);
    assert!(own.line("node show").ok().stdout.contains("connections"));
}

#[test]
fn who_dials_while_the_door_shuts_is_closed_too() {
    for _ in 0..5 {
        let agent = Agent::hold();
        let address = agent.only();
        let dialling = std::thread::spawn(move || {
            let mut clients = Vec::new();
            while let Ok(client) = Peer::dial(address) {
                clients.push(client);
            }
            clients
        });
        until("some are in", || (agent.connections().len() > 3).then_some(()));
        Connctl::to(&agent).line("node drain --yes --rate 100000/s").ok();
        let clients = dialling.join().unwrap();
        agent.settled(0);
        assert!(clients.len() > 3);
    }
}

#[test]
fn a_wait_acts_when_its_condition_holds() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut first = Peer::connect(agent.only());
    agent.assign(&first, "u1");
    let own = Connctl::to(&agent);
    let waiting =
        own.start(&["wait", "--uid", "u1", "--for", "count>1", "--then", "reset", "--timeout", "60s"]);
    waiting.handles_interrupts();
    let mut second = Peer::connect(agent.only());
    agent.assign(&second, "u1");
    waiting.finish(LIMIT).ok();
    first.ends_with(End::Reset);
    second.ends_with(End::Reset);
    own.line("wait --for count=0 --then remove").exits(2).says("--all");
    own.line("wait --for count=0 --yes").exits(2).says("--then");
    own.line("wait --all --then explode").exits(2).says("explode");
    let mut third = Peer::connect(agent.only());
    agent.settled(1);
    own.line("wait --all --for count>5 --then remove --timeout 100ms").exits(8);
    assert!(third.is_quiet());
    own.line("wait --all --for count=1 --then remove --yes --rate 50/s").ok();
    third.ends_with(End::Fin);
}
