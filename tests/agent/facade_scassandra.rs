//! Scassandra's clients, unchanged: the `/current` endpoint of its documentation, request by request.

use serde_json::{Value, json};

use crate::support::{Agent, End, Peer, Setup, until};

/// `{"host","port"}` of a client.
fn named(client: &Peer) -> Value {
    json!({ "host": client.local().ip().to_string(), "port": client.local().port() })
}

fn listed(agent: &Agent, path: &str) -> Vec<Value> {
    let body = agent.tcp().get(path).is(200).json();
    assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
    body["connections"].as_array().expect("connections").clone()
}

fn agent() -> Agent {
    Setup::new().echo("echo").tcp_control().start()
}

fn sorted(mut rows: Vec<Value>) -> Vec<Value> {
    rows.sort_by_key(ToString::to_string);
    rows
}

#[test]
fn connections_are_listed_by_host_and_port() {
    let agent = agent();
    assert_eq!(listed(&agent, "/current/connections"), Vec::<Value>::new());
    let (one, two) = (Peer::connect(agent.only()), Peer::connect(agent.only()));
    agent.settled(2);
    let both = sorted(vec![named(&one), named(&two)]);
    for path in ["/current/connections", "/current/connections/", "/current/connections/127.0.0.1"] {
        assert_eq!(sorted(listed(&agent, path)), both, "{path}");
    }
    let port = two.local().port();
    for path in [format!("/current/connections/127.0.0.1/{port}"), format!("/current/connections//{port}")] {
        assert_eq!(listed(&agent, &path), vec![named(&two)], "{path}");
    }
}

#[test]
fn what_matches_nothing_is_an_empty_list_and_no_error() {
    let agent = agent();
    let client = Peer::connect(agent.only());
    agent.settled(1);
    let port = client.local().port();
    for path in
        ["127.0.0.2".to_owned(), "not-a-host".into(), "127.0.0.1/1".into(), format!("127.0.0.2/{port}")]
    {
        assert_eq!(listed(&agent, &format!("/current/connections/{path}")), Vec::<Value>::new(), "{path}");
        let body = agent.tcp().delete(&format!("/current/connections/{path}")).is(200).json();
        assert_eq!(body, json!({ "closed_connections": [], "operation": "close" }), "{path}");
    }
    assert_eq!(agent.connections().len(), 1);
}

#[test]
fn a_port_that_is_no_number_is_no_path() {
    let agent = agent();
    for path in ["127.0.0.1/abc", "127.0.0.1/-1", "127.0.0.1/1/2"] {
        agent.tcp().get(&format!("/current/connections/{path}")).is(404);
        agent.tcp().delete(&format!("/current/connections/{path}")).is(404);
    }
}

#[test]
fn each_type_closes_in_its_own_way_and_answers_with_what_it_closed() {
    let cases = [
        ("", "close", End::Fin),
        ("?type=close", "close", End::Fin),
        ("?type=reset", "reset", End::Reset),
        ("?type=halfclose", "halfclose", End::Fin),
        ("?type=RESET", "close", End::Fin),
        ("?type=foo", "close", End::Fin),
    ];
    for (query, operation, end) in cases {
        let agent = agent();
        let (mut one, mut other) = (Peer::connect(agent.only()), Peer::connect(agent.only()));
        agent.settled(2);
        let path = format!("/current/connections/127.0.0.1/{}{query}", one.local().port());
        let body = agent.tcp().delete(&path).is(200).json();
        assert_eq!(body, json!({ "closed_connections": [named(&one)], "operation": operation }), "{query}");
        one.ends_with(end);
        other.send("untouched");
        other.expect("untouched");
    }
}

#[test]
fn delete_without_an_address_closes_all() {
    let agent = agent();
    let mut clients: Vec<_> = (0..9).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(9);
    let body = agent.tcp().delete("/current/connections?type=reset").is(200).json();
    let closed = sorted(body["closed_connections"].as_array().unwrap().clone());
    assert_eq!(closed, sorted(clients.iter().map(named).collect()));
    for client in &mut clients {
        client.ends_with(End::Reset);
    }
    assert_eq!(listed(&agent, "/current/connections"), Vec::<Value>::new());
}

#[test]
fn halfclose_answers_at_once_although_the_client_keeps_its_half_open() {
    let agent = agent();
    let mut client = Peer::connect(agent.only());
    agent.settled(1);
    let body = agent.tcp().delete("/current/connections?type=halfclose").is(200).json();
    assert_eq!(body["closed_connections"], json!([named(&client)]));
    client.ends_with(End::Fin);
    assert_eq!(listed(&agent, "/current/connections"), vec![named(&client)]);
    drop(client);
    until("it is gone with its client", || listed(&agent, "/current/connections").is_empty().then_some(()));
}

#[test]
fn the_listener_rejects_and_accepts_and_says_what_changed() {
    for path in ["/current/listener", "/server/listener"] {
        let agent = agent();
        let changed = |method: &str, query: &str| {
            let body = agent.tcp().send(method, &format!("{path}{query}"), &[], b"").is(200).json();
            assert_eq!(body.as_object().unwrap().len(), 1, "{body}");
            body["changed"].as_bool().expect("a boolean")
        };
        assert!(!changed("PUT", ""));
        assert!(changed("DELETE", ""));
        assert!(!changed("DELETE", "?after=0"));
        assert!(Peer::dial(agent.only()).is_err());
        assert!(changed("PUT", ""));
        let mut client = Peer::connect(agent.only());
        client.send("served");
        client.expect("served");
    }
}

#[test]
fn after_five_the_next_five_are_accepted_and_the_rest_rejected() {
    let agent = agent();
    let body = agent.tcp().delete("/server/listener?after=5").is(200).json();
    assert_eq!(body, json!({ "changed": true }));
    let mut clients: Vec<_> = (0..5).map(|_| Peer::connect(agent.only())).collect();
    for client in &mut clients {
        client.send("served");
        client.expect("served");
    }
    assert!(Peer::dial(agent.only()).is_err());
    assert_eq!(agent.settled(5).len(), 5);
}

#[test]
fn after_counts_over_all_listeners() {
    let agent = Setup::new().echo("one").echo("two").tcp_control().start();
    agent.tcp().delete("/current/listener?after=2").is(200);
    for name in ["one", "two"] {
        let mut client = Peer::connect(agent.addr(name));
        client.send("served");
        client.expect("served");
    }
    assert!(Peer::dial(agent.addr("one")).is_err() && Peer::dial(agent.addr("two")).is_err());
}

#[test]
fn a_malformed_after_is_refused_and_changes_nothing() {
    let agent = agent();
    for after in ["abc", "1.5", "99999999999", "-1"] {
        let response = agent.tcp().delete(&format!("/current/listener?after={after}")).is(400);
        assert!(response.text().contains(after), "{}", response.text());
    }
    Peer::connect(agent.only());
}

#[test]
fn another_method_is_not_allowed() {
    let agent = agent();
    agent.tcp().post("/current/connections", &json!({})).is(405);
    agent.tcp().post("/current/listener", &json!({})).is(405);
}
