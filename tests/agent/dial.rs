//! The way to the upstream: refused, unanswered, tried in order, given up by the client.
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::until::stays;
use crate::support::upstream::{ByHand, Refusing, Unanswering, Upstream};
use crate::support::{Agent, Peer, Setup, until};

/// One listener named `front` with these upstreams, in this order.
fn front(upstreams: &[String]) -> Agent {
    let list: Vec<_> = upstreams.iter().map(|addr| format!("{addr:?}")).collect();
    let config = format!(
        "[[listener]]\nname = \"front\"\nmode = \"forward\"\nbind = \"127.0.0.1:0\"\nupstream = [{}]\n",
        list.join(", ")
    );
    Setup::new().config(config).start()
}

#[test]
fn a_refused_dial_ends_the_client_and_says_why() {
    let upstream = Refusing::new();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    assert_eq!(client.end().0, 0);
    agent.settled(0);
    agent.counts("upstream", "econnrefused", 1);
    assert_eq!(agent.ended("client"), 1, "{:?}", agent.endings());
}

#[test]
fn an_unanswered_dial_ends_after_ten_seconds_and_says_why() {
    let upstream = Unanswering::new();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let start = Instant::now();
    assert_eq!(client.end().0, 0);
    let took = start.elapsed().as_secs_f64();
    assert!((9.0..16.0).contains(&took), "the dial was given up after {took} s");
    agent.settled(0);
    agent.counts("upstream", "etimedout", 1);
}

#[test]
fn upstreams_are_tried_in_order() {
    let (refusing, good, spare) = (Refusing::new(), Upstream::echo(), Upstream::echo());
    let agent = front(&[refusing.addr(), good.addr(), spare.addr()].map(|addr| addr.to_string()));
    for _ in 0..5 {
        let mut client = Peer::connect(agent.only());
        client.send("hello");
        client.expect("hello");
        assert_eq!(agent.row(&client)["upstream"], good.addr().to_string());
    }
    assert_eq!((good.accepted(), spare.accepted()), (5, 0));
}

#[test]
fn a_client_that_resets_during_the_dial_leaves_nothing() {
    let upstream = Unanswering::new();
    let agent = Agent::front(upstream.addr());
    let base = agent.open_descriptors();
    let client = Peer::connect(agent.only());
    let client_addr = client.local().to_string();
    until("it is listed as opening", || {
        let rows = agent.connections();
        rows.iter().any(|row| row["client"] == *client_addr && row["state"] == "opening").then_some(())
    });
    client.reset();
    agent.settled(0);
    until("its descriptors are gone", || (agent.open_descriptors() <= base).then_some(()));
    assert_eq!(agent.ended("client"), 1, "{:?}", agent.endings());
}

#[test]
fn a_connection_in_its_dial_can_be_reset_by_the_operator() {
    let upstream = Unanswering::new();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let id = until("it is listed", || agent.connections().first().map(|row| row["conn_id"].clone()));
    let request = serde_json::json!({ "operation": "reset", "items": [{ "conn_id": id }] });
    let (items, _) = agent.operate(&request);
    assert_eq!(items[0]["status"], "done", "{items:?}");
    client.ends_with(crate::support::End::Reset);
    agent.settled(0);
}

#[test]
fn a_halfclose_during_the_dial_is_answered_when_its_grace_is_over() {
    let upstream = Unanswering::new();
    let agent = Agent::front(upstream.addr());
    let _client = Peer::connect(agent.only());
    let id = until("it is listed", || agent.connections().first().map(|row| row["conn_id"].clone()));
    let request =
        serde_json::json!({ "operation": "halfclose", "grace_ms": 100, "items": [{ "conn_id": id }] });
    let (items, summary) = agent.operate(&request);
    assert_eq!((&items[0]["status"], &summary["timed_out"]), (&"timed_out".into(), &1.into()), "{items:?}");
    assert_eq!(agent.connections()[0]["state"], "opening", "the answer did not wait for the dial");
}

#[test]
fn one_dead_upstream_does_not_hold_up_other_clients() {
    let (dead, good) = (Unanswering::new(), Upstream::echo());
    // The dials take longer than this test waits for anything.
    let listeners = [("dead", dead.addr()), ("good", good.addr())].map(|(name, upstream)| {
        format!(
            "[[listener]]\nname = '{name}'\nbind = '127.0.0.1:0'\nmode = 'forward'\n\
             upstream = ['{upstream}']\ndial_timeout = '10m'\n"
        )
    });
    let agent = Setup::new().config(listeners.concat()).start();
    let waiting: Vec<_> = (0..20).map(|_| Peer::connect(agent.addr("dead"))).collect();
    agent.settled_or_opening(20);
    let mut client = Peer::connect(agent.addr("good"));
    client.send("hello");
    client.expect("hello");
    agent.settled_or_opening(21);
    drop(waiting);
}

#[test]
fn an_upstream_that_resets_at_once_resets_the_client() {
    let upstream = Upstream::reset();
    let agent = Agent::front(upstream.addr());
    Peer::is_reset_by(agent.only());
    agent.settled(0);
    agent.counts("upstream", "econnreset", 1);
}

#[test]
fn a_pause_of_both_sides_during_the_dial_holds_for_the_upstream_that_answers() {
    let (first, second) = (Unanswering::new(), ByHand::listen());
    let config = format!(
        "[[listener]]\nname = 'front'\nmode = 'forward'\nbind = '127.0.0.1:0'\ndial_timeout = '1s'\n\
         upstream = ['{}', '{}']\n",
        first.addr(),
        second.addr()
    );
    let agent = Setup::new().config(config).start();
    let mut client = Peer::connect(agent.only());
    let id = until("it is listed", || agent.connections().first().map(|row| row["conn_id"].clone()));
    let request = |operation: &str| json!({ "operation": operation, "items": [{ "conn_id": id }] });
    let (items, _) = agent.operate(&request("pause"));
    assert_eq!(items[0]["status"], "done", "{items:?}");
    client.send("from the client");
    let mut server = second.accept();
    server.send("from the server");
    stays("both are quiet", Duration::from_millis(300), || client.is_quiet() && server.is_quiet());
    agent.operate(&request("resume"));
    client.expect("from the server");
    server.expect("from the client");
}
