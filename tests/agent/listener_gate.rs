//! Rejecting and accepting new connections: by refusing, resetting, stalling; now or after N.
use std::io::ErrorKind;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::until::stays;
use crate::support::upstream::Upstream;
use crate::support::{Agent, End, Peer, Setup, until};

fn change(agent: &Agent, verb: &str, request: &Value) -> Vec<Value> {
    let answer = agent.http().post(&format!("/v1/listeners/{verb}"), request).is(200).json();
    answer["listeners"].as_array().expect("one report a listener").clone()
}

fn reject(agent: &Agent, mode: &str) -> Value {
    change(agent, "reject", &json!({ "mode": mode })).remove(0)
}

fn accept(agent: &Agent) -> Value {
    change(agent, "accept", &json!({})).remove(0)
}

/// Whether a fresh client is served: it gets its own byte back.
fn is_served(addr: std::net::SocketAddr) -> bool {
    let Ok(client) = Peer::dial(addr) else { return false };
    let mut byte = [0];
    std::io::Write::write_all(&mut client.stream(), b"x").is_ok()
        && std::io::Read::read_exact(&mut client.stream(), &mut byte).is_ok()
}

#[test]
fn refuse_makes_a_dial_fail_and_accept_takes_it_back() {
    let agent = Agent::echo();
    let mut before = Peer::connect(agent.only());
    agent.settled(1);
    let report = reject(&agent, "refuse");
    assert_eq!((&report["changed"], &report["accepting"]), (&json!(true), &json!(false)), "{report}");
    for _ in 0..20 {
        assert_eq!(Peer::dial(agent.only()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    }
    assert_eq!(reject(&agent, "refuse")["changed"], false);
    before.send("still served");
    before.expect("still served");
    let report = accept(&agent);
    assert_eq!((&report["changed"], &report["accepting"]), (&json!(true), &json!(true)), "{report}");
    assert!(is_served(agent.only()));
    assert_eq!(accept(&agent)["changed"], false);
}

#[test]
fn reset_lets_a_dial_succeed_and_resets_it() {
    let agent = Agent::echo();
    reject(&agent, "reset");
    for _ in 0..20 {
        Peer::is_reset_by(agent.only());
    }
    assert_eq!(agent.connections(), Vec::<Value>::new());
    let row = agent.http().get("/v1/listeners").is(200).json()["listeners"][0].clone();
    assert_eq!(row["rejected"], 20, "{row}");
    accept(&agent);
    assert!(is_served(agent.only()));
}

#[test]
fn stall_lets_a_dial_succeed_and_serves_it_only_when_accepting_again() {
    let agent = Agent::echo();
    reject(&agent, "stall");
    let mut clients: Vec<_> = (0..4).map(|_| Peer::connect(agent.only())).collect();
    for client in &mut clients {
        client.send("hello");
    }
    stays("nobody is served", Duration::from_millis(300), || {
        clients.iter().all(Peer::is_quiet) && agent.connections().is_empty()
    });
    accept(&agent);
    for client in &mut clients {
        client.expect("hello");
    }
    assert_eq!(agent.settled(4).len(), 4);
}

/// 64 clients dial at once; exactly `after` of them are served.
fn exactly_after(mode: &str, after: u64) {
    let upstream = Upstream::echo();
    let agent = Agent::front(upstream.addr());
    let report = change(&agent, "reject", &json!({ "mode": mode, "after": after })).remove(0);
    assert_eq!((&report["changed"], &report["accepting"]), (&json!(true), &json!(true)), "{report}");
    assert_eq!(report["after"], after, "{report}");
    let gate = std::sync::Arc::new(std::sync::Barrier::new(64));
    let addr = agent.only();
    let clients: Vec<_> = (0..64)
        .map(|_| {
            let gate = std::sync::Arc::clone(&gate);
            std::thread::spawn(move || {
                gate.wait();
                // Each served client stays until all have tried.
                let Ok(client) = Peer::dial(addr) else { return None };
                client.stream().set_read_timeout(Some(Duration::from_secs(3))).unwrap();
                let sent = std::io::Write::write_all(&mut client.stream(), b"x").is_ok();
                let served = sent && std::io::Read::read_exact(&mut client.stream(), &mut [0]).is_ok();
                Some((served, client))
            })
        })
        .collect();
    let clients: Vec<_> = clients.into_iter().filter_map(|client| client.join().unwrap()).collect();
    let served = clients.iter().filter(|(served, _)| *served).count() as u64;
    assert_eq!(served, after);
    assert_eq!((agent.node()["accepted"].clone(), upstream.accepted()), (json!(after), after));
    let row = agent.http().get("/v1/listeners/front").is(200).json();
    assert_eq!((&row["accepting"], &row["after"]), (&json!(false), &Value::Null), "{row}");
    assert_eq!(row["connections"], after, "{row}");
}

#[test]
fn after_n_of_64_clients_at_once_the_rest_are_refused() {
    exactly_after("refuse", 10);
}

#[test]
fn after_n_of_64_clients_at_once_the_rest_are_reset() {
    exactly_after("reset", 33);
}

#[test]
fn after_n_of_64_clients_at_once_the_rest_are_stalled() {
    exactly_after("stall", 5);
}

#[test]
fn after_one_the_second_dial_is_surely_refused() {
    let agent = Agent::echo();
    for _ in 0..20 {
        change(&agent, "reject", &json!({ "after": 1 }));
        assert!(is_served(agent.only()));
        let error = Peer::dial(agent.only()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::ConnectionRefused);
        accept(&agent);
    }
}

#[test]
fn after_counts_over_all_listeners_that_are_named() {
    let agent = Setup::new().echo("one").echo("two").echo("three").start();
    change(&agent, "reject", &json!({ "names": ["one", "two"], "after": 3 }));
    assert!(is_served(agent.addr("one")) && is_served(agent.addr("two")) && is_served(agent.addr("one")));
    assert!(!is_served(agent.addr("one")) && !is_served(agent.addr("two")));
    assert!(is_served(agent.addr("three")), "a listener that was not named rejects");
}

#[test]
fn accept_disarms_a_pending_after() {
    let agent = Agent::echo();
    change(&agent, "reject", &json!({ "after": 2 }));
    assert!(is_served(agent.only()));
    accept(&agent);
    for _ in 0..5 {
        assert!(is_served(agent.only()));
    }
}

#[test]
fn an_unknown_listener_is_an_error_and_changes_nothing() {
    let agent = Agent::echo();
    let message = agent
        .http()
        .post("/v1/listeners/reject", &json!({ "names": ["echo", "ecco"] }))
        .error(404, "not_found");
    assert!(message.contains("ecco"), "{message}");
    assert!(is_served(agent.only()));
    agent.http().get("/v1/listeners/ecco").error(404, "not_found");
}

#[test]
fn drain_turns_new_clients_away_and_lets_the_old_ones_end() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    agent.settled(1);
    let report = change(&agent, "drain", &json!({})).remove(0);
    assert_eq!((&report["accepting"], &report["draining"]), (&json!(false), &json!(true)), "{report}");
    assert_eq!(Peer::dial(agent.only()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    client.send("last words");
    client.expect("last words");
    drop(client);
    agent.settled(0);
    accept(&agent);
    assert!(is_served(agent.only()));
}

#[test]
fn a_listener_can_change_from_one_way_of_rejecting_to_another() {
    let agent = Agent::echo();
    reject(&agent, "refuse");
    let report = reject(&agent, "reset");
    assert_eq!(report["mode"], "reset", "{report}");
    until("a dial is reset", || match Peer::dial(agent.only()) {
        Ok(mut client) => (client.end().1 == End::Reset).then_some(()),
        Err(error) => (error.kind() == ErrorKind::ConnectionReset).then_some(()),
    });
}

#[test]
fn a_port_that_another_has_taken_meanwhile_is_an_error_and_the_listener_goes_on_refusing() {
    let agent = Setup::new().echo("echo").echo("other").tcp_control().start();
    let names = json!({ "names": ["echo"] });
    change(&agent, "reject", &names);
    let taken = std::net::TcpListener::bind(agent.addr("echo")).unwrap();
    let said = agent.http().post("/v1/listeners/accept", &json!({})).error(409, "conflict");
    assert!(said.contains("\"echo\"") && said.contains("in use"), "{said}");
    let fault = agent.tcp().put("/listener/0/echo").is(400).json();
    assert!(fault["message"].as_str().is_some_and(|said| said.contains("in use")), "{fault}");
    assert_eq!(agent.http().get("/v1/listeners/echo").is(200).json()["accepting"], false);
    assert!(is_served(agent.addr("other")));
    drop(taken);
    assert_eq!(change(&agent, "accept", &names)[0]["changed"], true);
    assert!(is_served(agent.addr("echo")));
}
