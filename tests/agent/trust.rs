//! Who may ask, on real sockets: tokens over TCP, and what a scope leaves.
use std::io::{Read, Write};

use serde_json::json;
use sha2::{Digest, Sha256};

use crate::support::http::Wire;
use crate::support::{Agent, Peer, Setup};

/// A `[[token]]` table; the token is its own name.
fn table(name: &str, role: &str, more: &str) -> String {
    let hash: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[[token]]\nname = '{name}'\nrole = '{role}'\nsha256 = '{hash}'\n{more}\n")
}

fn agent() -> Agent {
    let tables = table("reader", "viewer", "")
        + &table("worker", "operator", "")
        + &table("chief", "admin", "")
        + &table("part", "operator", "listeners = ['one']");
    Setup::new().config(tables).echo("one").echo("two").tcp_control().start()
}

fn bearer(token: &str) -> (&'static str, String) {
    ("Authorization", format!("Bearer {token}"))
}

#[test]
fn each_role_may_what_it_may_and_the_refusal_says_which_is_needed() {
    let agent = agent();
    let mut client = Peer::connect(agent.addr("one"));
    agent.settled(1);
    for (token, method, path, body, status) in [
        ("reader", "GET", "/v1/connections", "", 200),
        ("reader", "POST", "/v1/operations", r#"{"operation":"reset","where":"all"}"#, 403),
        ("reader", "DELETE", "/current/connections?type=reset", "", 403),
        ("reader", "POST", "/v1/listeners/reject", "{}", 403),
        ("worker", "PATCH", "/v1/limits", r#"{"set":{"max_connections":1}}"#, 403),
        ("worker", "POST", "/v1/listeners/accept", "{}", 200),
        ("chief", "PATCH", "/v1/limits", r#"{"set":{"max_connections":10}}"#, 200),
    ] {
        let (name, value) = bearer(token);
        let headers = [(name, value.as_str()), ("Content-Type", "application/json")];
        let response = agent.tcp().send(method, path, &headers, body.as_bytes());
        assert_eq!(response.status, status, "{token} {method} {path}: {}", response.text());
        if status == 403 {
            let needed = if path == "/v1/limits" { "admin" } else { "operator" };
            let message = response.error(403, "denied");
            assert!(message.contains(token) && message.contains(needed), "{message}");
        }
    }
    client.send("untouched");
    client.expect("untouched");
}

#[test]
fn a_request_without_a_known_token_learns_and_changes_nothing() {
    let agent = agent();
    let mut client = Peer::connect(agent.addr("one"));
    agent.settled(1);
    for value in ["", "Bearer nobody", "Bearer reader2", "Basic cmVhZGVy", "bearer"] {
        let headers: &[_] = if value.is_empty() { &[] } else { &[("Authorization", value)] };
        let body = r#"{"operation":"reset","where":"all"}"#.as_bytes();
        for (method, path) in [
            ("POST", "/v1/operations"),
            ("GET", "/v1/connections"),
            ("DELETE", "/current/connections"),
            ("GET", "/connz"),
            ("GET", "/v1/nothing"),
        ] {
            let response = agent.tcp().send(method, path, headers, body);
            assert_eq!(response.header("www-authenticate"), Some("Bearer"), "{value} {path}");
            let message = response.error(401, "unauthenticated");
            assert!(!message.contains("nobody") && !message.contains("reader2"), "{message}");
        }
    }
    client.send("untouched");
    client.expect("untouched");
    assert!(!agent.log().contains("reader2"), "{}", agent.log());
}

#[test]
fn the_token_header_of_wukongim_is_a_token() {
    let agent = agent();
    let client = Peer::connect(agent.addr("one"));
    let id = agent.assign(&client, "u1");
    let body = json!({ "uid": "u1", "conn_id": id }).to_string();
    let remove = |token: &str| {
        let headers = [("token", token), ("Content-Type", "application/json")];
        agent.tcp().send("POST", "/conn/remove", &headers, body.as_bytes()).status
    };
    assert_eq!([remove("nobody"), remove("reader"), remove("worker")], [401, 403, 200]);
}

#[test]
fn a_scope_is_all_that_its_bearer_can_see_or_touch() {
    let agent = agent();
    let (inside, mut outside) = (Peer::connect(agent.addr("one")), Peer::connect(agent.addr("two")));
    agent.settled(2);
    let (name, value) = bearer("part");
    let headers = [(name, value.as_str()), ("Content-Type", "application/json")];
    let page = agent.tcp().send("GET", "/v1/connections", &headers, b"").is(200).json();
    assert_eq!((&page["matched"], &page["connections"][0]["listener"]), (&json!(1), &json!("one")), "{page}");
    let rows = agent.tcp().send("GET", "/v1/connections?stream=true", &headers, b"").is(200).json_lines();
    assert_eq!(rows.len(), 1, "{rows:?}");
    let body = json!({ "operation": "close", "where": "all" }).to_string();
    let lines = agent.tcp().send("POST", "/v1/operations", &headers, body.as_bytes()).is(200).json_lines();
    assert_eq!(lines.last().unwrap()["summary"]["matched"], 1, "{lines:?}");
    drop(inside);
    outside.send("untouched");
    outside.expect("untouched");
    agent.tcp().send("POST", "/v1/listeners/drain", &headers, b"{}").is(200);
    Peer::connect(agent.addr("two"));
}

#[test]
fn a_web_page_is_refused_although_it_has_a_token() {
    let agent = agent();
    let (name, value) = bearer("chief");
    for header in [("Origin", "http://evil.example"), ("Host", "evil.example")] {
        let response = agent.tcp().send("GET", "/v1/connections", &[(name, &value), header], b"");
        response.error(403, "foreign_origin");
    }
}

#[test]
fn no_token_is_needed_by_the_agents_own_user_on_its_socket() {
    let agent = agent();
    agent.http().get("/v1/connections").is(200);
    // Whoever shows one is its bearer all the same.
    let (name, value) = bearer("reader");
    agent.http().send("DELETE", "/current/listener", &[(name, &value)], b"").error(403, "denied");
    let (name, value) = bearer("nobody");
    agent.http().send("GET", "/v1/node", &[(name, &value)], b"").error(401, "unauthenticated");
}

/// Asks with a token for an answer that does not end by itself, and waits for its beginning.
fn begins(agent: &Agent, token: &str, target: &str) -> Wire {
    let mut wire = agent.tcp().open();
    let host = agent.tcp().host();
    let head = format!("GET {target} HTTP/1.1\r\nHost: {host}\r\nAuthorization: Bearer {token}\r\n\r\n");
    wire.write_all(head.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut byte = [0];
    while !answer.ends_with(b"\r\n\r\n") {
        wire.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    wire
}

#[test]
fn what_goes_on_with_a_token_ends_when_it_is_taken_away_and_says_why() {
    let agent = agent();
    let chief = table("chief", "admin", "");
    let lines = begins(&agent, "reader", "/v1/events?stream=true");
    let events = begins(&agent, "reader", "/v1/events");
    let narrowed = begins(&agent, "part", "/v1/events?stream=true");
    let mut stays = begins(&agent, "chief", "/v1/events?stream=true");
    let tcp = agent.tcp();
    let waits = std::thread::spawn(move || {
        let (name, value) = bearer("reader");
        let headers = [(name, value.as_str()), ("Content-Type", "application/json")];
        let body = json!({ "where": "uid = nobody", "for": "count>=1", "timeout_ms": 600_000 }).to_string();
        tcp.send("POST", "/v1/wait", &headers, body.as_bytes())
    });
    // Another token loses its role, and one what it may see.
    let wider = table("part", "operator", "listeners = ['two']");
    agent.dir().write("agent.toml", &(chief + &wider));
    agent.http().post("/v1/agent/reload", &json!({})).is(200);
    for (mut wire, code) in [(lines, "unauthenticated"), (events, "unauthenticated"), (narrowed, "denied")] {
        let told = String::from_utf8_lossy(&wire.read_all()).into_owned();
        assert!(told.contains(&format!("{{\"error\":{{\"code\":\"{code}\"")), "{told}");
        assert!(!told.contains("reader") && !told.ends_with("0\r\n\r\n"), "it is not the whole: {told}");
    }
    waits.join().unwrap().error(401, "unauthenticated");
    // Who still may is told what happens.
    let client = Peer::connect(agent.addr("one"));
    let mut told = String::new();
    while !told.contains(&client.local().to_string()) {
        let mut piece = [0; 4_096];
        let count = stays.read(&mut piece).unwrap();
        assert!(count > 0, "{told}");
        told += &String::from_utf8_lossy(&piece[..count]);
    }
    assert!(!told.contains("\"error\""), "{told}");
}
