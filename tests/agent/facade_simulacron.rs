//! Simulacron's clients, unchanged. The agent is cluster 0 `connctl`, a listener a data centre, the node its node.
use std::io::ErrorKind;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::http::Response;
use crate::support::until::stays;
use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Peer, Setup};

/// Two data centres: 0 `alpha` and 1 `beta`; the node is 7.
fn agent() -> Agent {
    Setup::new().echo("alpha").echo("beta").arg("--node-id").arg("7").tcp_control().start()
}

/// All `ip:port` of a report, sorted.
fn reported(body: &Value) -> Vec<String> {
    let mut all = Vec::new();
    for center in body["data_centers"].as_array().unwrap_or_else(|| panic!("no data_centers: {body}")) {
        for node in center["nodes"].as_array().unwrap_or_else(|| panic!("no nodes: {body}")) {
            let own = node["connections"].as_array().unwrap_or_else(|| panic!("no connections: {body}"));
            all.extend(own.iter().map(|each| each.as_str().unwrap().to_owned()));
        }
    }
    all.sort();
    all
}

fn addresses(clients: &[&Peer]) -> Vec<String> {
    let mut all: Vec<_> = clients.iter().map(|client| client.local().to_string()).collect();
    all.sort();
    all
}

/// `{"message":…,"status_code":…}`; gives the message.
fn refused(response: Response, status: u16) -> Value {
    let body = response.is(status).json();
    assert_eq!(body["status_code"], status, "{body}");
    body["message"].clone()
}

#[test]
fn a_report_is_rooted_at_the_cluster_and_names_the_bound_address() {
    let agent = agent();
    let client = Peer::connect(agent.addr("beta"));
    agent.settled(1);
    let body = agent.tcp().get("/connections/0/1").is(200).json();
    assert_eq!(body["id"], 0, "{body}");
    assert_eq!(body["data_centers"].as_array().unwrap().len(), 1, "{body}");
    assert_eq!(body["data_centers"][0]["id"], 1, "{body}");
    let node = &body["data_centers"][0]["nodes"][0];
    assert_eq!(node["id"], 7, "{body}");
    assert_eq!(node["address"], agent.addr("beta").to_string(), "{body}");
    assert_eq!(node["connections"], json!([client.local().to_string()]), "{body}");
}

#[test]
fn every_scope_reports_what_is_in_it_by_id_and_by_name() {
    let agent = agent();
    let (one, two) = (Peer::connect(agent.addr("alpha")), Peer::connect(agent.addr("beta")));
    agent.settled(2);
    let (both, first, second) = (addresses(&[&one, &two]), addresses(&[&one]), addresses(&[&two]));
    let cases = [
        ("0", &both),
        ("connctl", &both),
        ("0/0", &first),
        ("connctl/alpha", &first),
        ("0/beta", &second),
        ("connctl/1", &second),
        ("0/0/7", &first),
        ("connctl/beta/7", &second),
    ];
    for (scope, expected) in cases {
        let body = agent.tcp().get(&format!("/connections/{scope}")).is(200).json();
        assert_eq!(reported(&body), **expected, "{scope}");
    }
}

#[test]
fn an_unknown_scope_is_not_found_and_named() {
    let agent = agent();
    let cases = [
        ("5", "No cluster registered with id 5"),
        ("other", "No cluster registered with id other"),
        ("0/9", "No datacenter registered with id 0/9"),
        ("0/gamma", "No datacenter registered with id 0/gamma"),
        ("0/0/3", "No node registered with id 0/0/3"),
    ];
    for (scope, message) in cases {
        for path in ["connections", "listener", "pause-reads"] {
            let method = if path == "connections" { "GET" } else { "PUT" };
            let response = agent.tcp().send(method, &format!("/{path}/{scope}"), &[], b"");
            assert_eq!(refused(response, 404), message, "{path}/{scope}");
        }
    }
    agent.tcp().get("/connections").is(404);
}

#[test]
fn disconnect_closes_a_scope_and_reports_what_was_there() {
    for query in ["", "?type=disconnect", "?type=DISCONNECT"] {
        let agent = agent();
        let (mut one, mut two) = (Peer::connect(agent.addr("alpha")), Peer::connect(agent.addr("beta")));
        agent.settled(2);
        let body = agent.tcp().delete(&format!("/connections/connctl/alpha{query}")).is(200).json();
        assert_eq!(reported(&body), addresses(&[&one]), "{query}");
        one.ends_with(End::Fin);
        let left = agent.tcp().get("/connections/0").is(200).json();
        assert_eq!(reported(&left), addresses(&[&two]), "{query}");
        two.send("untouched");
        two.expect("untouched");
    }
}

#[test]
fn shutdown_write_sends_a_fin_and_still_reads() {
    let upstream = ByHand::listen();
    let agent = Setup::new().forward("front", upstream.addr()).tcp_control().start();
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    agent.settled(1);
    let body = agent.tcp().delete("/connections/0?type=shutdown_write").is(200).json();
    assert_eq!(reported(&body), addresses(&[&client]));
    client.ends_with(End::Fin);
    client.send("still read");
    server.expect("still read");
    let left = agent.tcp().get("/connections/0").is(200).json();
    assert_eq!(reported(&left), addresses(&[&client]));
}

#[test]
fn shutdown_read_stops_reading_and_keeps_the_connection_listed() {
    let agent = agent();
    let mut client = Peer::connect(agent.addr("alpha"));
    agent.settled(1);
    agent.tcp().delete("/connections/0?type=shutdown_read").is(200);
    client.send("anyone?");
    stays("no echo and no end", Duration::from_millis(300), || client.is_quiet());
    assert_eq!(reported(&agent.tcp().get("/connections/0").is(200).json()), addresses(&[&client]));
}

#[test]
fn one_connection_is_closed_by_address() {
    let agent = agent();
    let (mut one, mut two) = (Peer::connect(agent.addr("alpha")), Peer::connect(agent.addr("alpha")));
    agent.settled(2);
    let path = format!("/connection/connctl/127.0.0.1/{}", one.local().port());
    let body = agent.tcp().delete(&path).is(200).json();
    assert_eq!(reported(&body), addresses(&[&one]));
    one.ends_with(End::Fin);
    two.send("untouched");
    two.expect("untouched");
}

#[test]
fn an_address_that_is_not_there_or_no_address_is_refused() {
    let agent = agent();
    assert_eq!(refused(agent.tcp().delete("/connection/connctl/127.0.0.1/888"), 404), "Not found");
    refused(agent.tcp().delete("/connection/connctl/127.0.0.1/8888888"), 400);
    refused(agent.tcp().delete("/connection/connctl/127.0.0.1/abc"), 400);
}

#[test]
fn an_unknown_type_is_refused_and_closes_nothing() {
    let agent = agent();
    let mut client = Peer::connect(agent.addr("alpha"));
    agent.settled(1);
    let message = refused(agent.tcp().delete("/connections/0?type=foo"), 400);
    assert!(message.as_str().unwrap().contains("FOO"), "{message}");
    refused(agent.tcp().delete("/listener/0?type=foo"), 400);
    client.send("untouched");
    client.expect("untouched");
}

fn empty_success(response: Response) {
    let response = response.is(200);
    assert_eq!(response.text(), "");
}

fn is_refused(agent: &Agent, listener: &str) -> bool {
    Peer::dial(agent.addr(listener)).is_err_and(|error| error.kind() == ErrorKind::ConnectionRefused)
}

#[test]
fn unbind_refuses_new_connections_of_the_scope_and_put_binds_again() {
    let agent = agent();
    let mut before = Peer::connect(agent.addr("alpha"));
    agent.settled(1);
    // `unbind` is also what is meant where no type is given.
    for query in ["?type=unbind", "?type=UNBIND", ""] {
        empty_success(agent.tcp().delete(&format!("/listener/connctl/alpha{query}")));
        assert!(is_refused(&agent, "alpha"), "{query}");
        Peer::connect(agent.addr("beta"));
        before.send("stays");
        before.expect("stays");
        empty_success(agent.tcp().put("/listener/connctl/alpha"));
        empty_success(agent.tcp().put("/listener/connctl/alpha"));
        Peer::connect(agent.addr("alpha"));
    }
}

#[test]
fn stop_unbinds_and_closes_all() {
    let agent = agent();
    let mut client = Peer::connect(agent.addr("alpha"));
    agent.settled(1);
    empty_success(agent.tcp().delete("/listener/0/0?type=stop"));
    client.ends_with(End::Fin);
    assert!(is_refused(&agent, "alpha"));
}

#[test]
fn reject_startup_lets_clients_connect_and_says_nothing() {
    let agent = agent();
    empty_success(agent.tcp().delete("/listener/0/0?type=reject_startup"));
    let mut client = Peer::connect(agent.addr("alpha"));
    client.send("startup");
    stays("silence", Duration::from_millis(300), || client.is_quiet());
    empty_success(agent.tcp().put("/listener/0/0"));
    client.expect("startup");
}

#[test]
fn after_three_connections_the_fourth_is_refused() {
    let agent = agent();
    empty_success(agent.tcp().delete("/listener/0/0?after=3&type=unbind"));
    for _ in 0..3 {
        let mut client = Peer::connect(agent.addr("alpha"));
        client.send("served");
        client.expect("served");
    }
    assert!(is_refused(&agent, "alpha"));
    refused(agent.tcp().delete("/listener/0/0?after=abc&type=unbind"), 400);
}

#[test]
fn the_code_wants_a_listener_type_where_the_document_has_a_default() {
    let agent = Setup::new().echo("alpha").config("compat = \"actual\"\n").tcp_control().start();
    assert_eq!(refused(agent.tcp().delete("/listener/0"), 400), Value::Null);
    Peer::connect(agent.addr("alpha"));
}

#[test]
fn paused_reads_hold_bytes_back_until_they_are_resumed() {
    let agent = agent();
    let mut client = Peer::connect(agent.addr("alpha"));
    agent.settled(1);
    let body = agent.tcp().put("/pause-reads/0").is(200).json();
    assert_eq!(reported(&body), addresses(&[&client]));
    client.send("held");
    stays("nothing is read", Duration::from_millis(300), || client.is_quiet());
    let body = agent.tcp().delete("/pause-reads/0").is(200).json();
    assert_eq!(reported(&body), addresses(&[&client]));
    client.expect("held");
}

#[test]
fn a_stop_after_two_closes_both_and_refuses_the_third() {
    let agent = agent();
    for _ in 0..10 {
        empty_success(agent.tcp().delete("/listener/0/0?type=stop&after=2"));
        let (mut one, mut other) = (Peer::connect(agent.addr("alpha")), Peer::connect(agent.addr("alpha")));
        one.ends_with(End::Fin);
        other.ends_with(End::Fin);
        assert!(is_refused(&agent, "alpha"));
        empty_success(agent.tcp().put("/listener/0/0"));
    }
}

#[test]
fn a_stop_that_waits_for_its_count_ends_when_another_order_takes_its_place() {
    let agent = agent();
    let mut client = Peer::connect(agent.addr("alpha"));
    agent.settled(1);
    for orders in [["PUT", ""], ["DELETE", "?type=unbind&after=1"], ["DELETE", "?type=unbind"]] {
        empty_success(agent.tcp().delete("/listener/0/0?type=stop&after=1"));
        empty_success(agent.tcp().send(orders[0], &format!("/listener/0/0{}", orders[1]), &[], b""));
        // Whichever order it was, its end is that nobody else gets in, and that is not the stop's doing.
        let _ = Peer::dial(agent.addr("alpha"));
        empty_success(agent.tcp().delete("/listener/0/0?type=unbind"));
        stays("the connection", Duration::from_millis(200), || client.is_quiet());
        client.send("untouched");
        client.expect("untouched");
        empty_success(agent.tcp().put("/listener/0/0"));
    }
}

#[test]
fn a_listener_that_the_configuration_has_no_more_moves_the_others_and_takes_nothing_of_theirs() {
    let listener =
        |name: &str| format!("[[listener]]\nname = '{name}'\nmode = 'echo'\nbind = '127.0.0.1:0'\n");
    let both = listener("alpha") + &listener("beta");
    let agent = Setup::new().config(both).tcp_control().start();
    let (mut first, mut second) = (Peer::connect(agent.addr("alpha")), Peer::connect(agent.addr("beta")));
    agent.settled(2);
    agent.dir().write("agent.toml", &listener("beta"));
    agent.http().post("/v1/agent/reload", &json!({})).is(200);
    for scope in ["0/beta", "0/0", "0"] {
        let body = agent.tcp().get(&format!("/connections/{scope}")).is(200).json();
        assert_eq!(reported(&body), addresses(&[&second]), "{scope}");
    }
    refused(agent.tcp().delete(&format!("/connection/0/127.0.0.1/{}", first.local().port())), 404);
    let body = agent.tcp().delete("/connections/0/0").is(200).json();
    assert_eq!(reported(&body), addresses(&[&second]));
    second.ends_with(End::Fin);
    first.send("untouched");
    first.expect("untouched");
}
