//! Requests that are wrong, too big, endless or too many: a clear answer, nothing changed, still reachable.
use std::io::{Read, Write};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Agent, Http, LIMIT, Peer, Setup, until};

/// An agent with one client, which must be as it was at the end.
struct Bystander {
    agent: Agent,
    client: Peer,
    id: u64,
}

impl Bystander {
    fn new() -> Self {
        let agent = Setup::new().echo("echo").tcp_control().start();
        let client = Peer::connect(agent.only());
        let id = agent.assign(&client, "u1");
        Self { agent, client, id }
    }

    fn http(&self) -> Http {
        self.agent.http()
    }

    #[track_caller]
    fn is_as_it_was(&mut self) {
        let rows = self.agent.connections();
        assert_eq!(rows.len(), 1, "{rows:?}");
        assert_eq!((&rows[0]["uid"], &rows[0]["state"]), (&json!("u1"), &json!("active")), "{}", rows[0]);
        self.client.send("untouched");
        self.client.expect("untouched");
        let mut other = Peer::connect(self.agent.only());
        other.send("untouched");
        other.expect("untouched");
        drop(other);
        self.agent.settled(1);
    }
}

#[test]
fn malformed_json_is_refused() {
    let mut bystander = Bystander::new();
    for path in ["/v1/operations", "/v1/listeners/reject", "/v1/wait"] {
        for body in ["{", "[]", "null", "\"close\"", "{\"operation\":\"close\",}", "\u{0}"] {
            bystander.http().post_text(path, body).error(400, "invalid_request");
        }
    }
    for path in ["/v1/operations", "/v1/wait"] {
        bystander.http().post_text(path, "").error(400, "invalid_request");
    }
    bystander.is_as_it_was();
}

#[test]
fn a_wrong_field_is_named() {
    let mut bystander = Bystander::new();
    let id = bystander.id;
    let cases = [
        ("operation", json!({ "operation": "explode", "where": "all" })),
        ("operation", json!({ "where": "all" })),
        ("side", json!({ "operation": "close", "side": "left", "where": "all" })),
        ("conn_id", json!({ "operation": "close", "items": [{ "conn_id": "one" }] })),
        ("conn_id", json!({ "operation": "close", "items": [{ "conn_id": id }, { "conn_id": 0 }] })),
        ("conn_id", json!({ "operation": "close", "items": [{ "conn_id": -1 }] })),
        ("conn_id", json!({ "operation": "close", "items": [{ "conn_id": 1_u64 << 53 }] })),
        ("conn_id", json!({ "operation": "close", "items": [{ "conn_id": 1.5 }] })),
        ("items", json!({ "operation": "close", "items": 5 })),
        ("where", json!({ "operation": "close", "where": 5 })),
        ("grace_ms", json!({ "operation": "close", "where": "all", "grace_ms": -1 })),
        ("grace_ms", json!({ "operation": "close", "where": "all", "grace_ms": u64::MAX })),
        ("max", json!({ "operation": "close", "where": "all", "max": "many" })),
        ("max_percent", json!({ "operation": "close", "where": "all", "max_percent": -3 })),
        ("typo", json!({ "operation": "close", "where": "all", "typo": 1 })),
    ];
    for (field, body) in cases {
        let message = bystander.http().post("/v1/operations", &body).error(400, "invalid_request");
        assert!(message.contains(field), "{body}: {message}");
    }
    bystander.is_as_it_was();
}

#[test]
fn an_operation_needs_exactly_one_way_of_naming_connections() {
    let mut bystander = Bystander::new();
    let id = bystander.id;
    for body in [
        json!({ "operation": "close" }),
        json!({ "operation": "close", "where": "all", "items": [{ "conn_id": id }] }),
    ] {
        bystander.http().post("/v1/operations", &body).error(400, "invalid_request");
    }
    bystander.http().post("/v1/operations", &json!({ "operation": "close", "where": "" })).is(400);
    bystander.is_as_it_was();
}

#[test]
fn a_wrong_selector_is_refused_with_its_column() {
    let mut bystander = Bystander::new();
    for (selector, column, named) in [
        ("uidd = u1", 1, "uidd"),
        ("uid = u1 and", 13, ""),
        ("uid = 'u1", 7, ""),
        ("conn_id > many", 11, "many"),
        ("idle > 10x", 8, "10x"),
    ] {
        let body = json!({ "operation": "close", "where": selector });
        let answer = bystander.http().post("/v1/operations", &body).is(400).json();
        assert_eq!(answer["error"]["code"], "invalid_selector", "{selector}: {answer}");
        assert_eq!(answer["error"]["detail"]["column"], column, "{selector}: {answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(named), "{selector}: {answer}");
    }
    let answer = bystander.http().get("/v1/connections?where=uidd%3Du1").is(400).json();
    assert_eq!(answer["error"]["code"], "invalid_selector", "{answer}");
    bystander.is_as_it_was();
}

#[test]
fn a_wrong_query_is_named() {
    let bystander = Bystander::new();
    for (query, named) in [
        ("sort=height", "height"),
        ("limit=many", "limit"),
        ("limit=-1", "limit"),
        ("cursor=garbage", "cursor"),
        ("whre=all", "whre"),
        ("count=true&by=height", "height"),
        ("stream=maybe", "stream"),
    ] {
        let message = bystander.http().get(&format!("/v1/connections?{query}")).error(400, "invalid_request");
        assert!(message.contains(named), "{query}: {message}");
    }
    let message = bystander.http().get("/v1/stats?by=height").error(400, "invalid_request");
    assert!(message.contains("height"), "{message}");
}

#[test]
fn an_unknown_id_is_not_found_and_a_wrong_one_is_named() {
    let bystander = Bystander::new();
    let unknown = bystander.id + 1_000_000;
    let message = bystander.http().get(&format!("/v1/connections/{unknown}")).error(404, "not_found");
    assert!(message.contains(&unknown.to_string()), "{message}");
    bystander
        .http()
        .post(&format!("/v1/connections/{unknown}/assign"), &json!({ "uid": "u" }))
        .error(404, "not_found");
    for id in ["0", "-1", "abc", "1.5", "9007199254740992", "99999999999999999999999"] {
        let message = bystander.http().get(&format!("/v1/connections/{id}")).error(400, "invalid_request");
        assert!(message.contains(id), "{message}");
    }
}

#[test]
fn a_label_that_is_too_long_or_of_a_wrong_type_is_refused() {
    let mut bystander = Bystander::new();
    let path = format!("/v1/connections/{}/assign", bystander.id);
    let long = "x".repeat(257);
    for (named, body) in [
        ("uid", json!({ "uid": long })),
        ("device", json!({ "uid": "u2", "device": long })),
        ("tag", json!({ "uid": "u2", "tags": { "k": long } })),
        ("uid", json!({ "uid": 5 })),
        ("user", json!({ "user": "u2" })),
    ] {
        let message = bystander.http().post(&path, &body).error(400, "invalid_request");
        assert!(message.contains(named), "{message}");
    }
    bystander.is_as_it_was();
}

#[test]
fn an_unknown_path_and_a_wrong_method_are_told_apart() {
    let bystander = Bystander::new();
    for path in ["/v1/nothing", "/v2/connections"] {
        let message = bystander.http().get(path).error(404, "no_route");
        assert!(message.contains(path), "{message}");
    }
    bystander.http().delete("/v1/connections").error(405, "method_not_allowed");
    bystander.http().get("/v1/operations").error(405, "method_not_allowed");
}

#[track_caller]
fn is_413(wire: &mut crate::support::http::Wire) {
    let mut start = [0; 12];
    wire.read_exact(&mut start).unwrap();
    assert_eq!(String::from_utf8_lossy(&start), "HTTP/1.1 413");
}

#[test]
fn a_client_that_asks_first_is_told_413_before_it_sends_100_mib() {
    let mut bystander = Bystander::new();
    for http in [bystander.http(), bystander.agent.tcp()] {
        let mut wire = http.open();
        let head = format!(
            "POST /v1/operations HTTP/1.1\r\nHost: {}\r\nExpect: 100-continue\r\nContent-Length: 104857600\r\n\r\n",
            http.host()
        );
        wire.write_all(head.as_bytes()).unwrap();
        is_413(&mut wire);
    }
    bystander.is_as_it_was();
}

#[test]
fn a_body_of_100_mib_is_413() {
    let mut bystander = Bystander::new();
    let before = bystander.agent.memory_kib();
    let mib = vec![b' '; 1 << 20];
    for (http, path) in [(bystander.http(), "/v1/operations"), (bystander.agent.tcp(), "/conn/remove")] {
        for is_chunked in [false, true] {
            let mut wire = http.open();
            let length = if is_chunked { "Transfer-Encoding: chunked" } else { "Content-Length: 104857600" };
            let head = format!("POST {path} HTTP/1.1\r\nHost: {}\r\n{length}\r\n\r\n", http.host());
            wire.write_all(head.as_bytes()).unwrap();
            for _ in 0..100 {
                if is_chunked {
                    wire.write_all(b"100000\r\n").unwrap();
                }
                wire.write_all(&mib).unwrap();
                if is_chunked {
                    wire.write_all(b"\r\n").unwrap();
                }
            }
            if is_chunked {
                wire.write_all(b"0\r\n\r\n").unwrap();
            }
            is_413(&mut wire);
        }
    }
    let grown = bystander.agent.memory_kib().saturating_sub(before);
    assert!(grown < 100 * 1024, "the refused bodies cost {grown} KiB");
    bystander.is_as_it_was();
}

#[test]
fn a_body_without_an_end_is_given_up() {
    let mut bystander = Bystander::new();
    let mut wire = bystander.http().open();
    let head = "POST /v1/operations HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n";
    wire.write_all(head.as_bytes()).unwrap();
    let chunk = [b"100000\r\n".as_slice(), &vec![b' '; 1 << 20], b"\r\n"].concat();
    let gave_up = (0..1024).any(|_| wire.write_all(&chunk).is_err());
    assert!(gave_up, "a GiB was taken");
    bystander.is_as_it_was();
}

#[test]
fn bytes_that_are_no_http_are_refused() {
    let mut bystander = Bystander::new();
    let long = format!("GET /{} HTTP/1.1\r\n\r\n", "x".repeat(1 << 20));
    let headers = format!("GET /v1/node HTTP/1.1\r\n{}\r\n", "X-A: b\r\n".repeat(100_000));
    for bytes in ["\r\n\r\n\r\n", "hello\r\n\r\n", "\u{16}\u{3}\u{1}\u{2}\u{0}\r\n\r\n", &long, &headers] {
        let answer = String::from_utf8_lossy(&bystander.http().raw(bytes.as_bytes())).into_owned();
        let refused = answer.is_empty() || answer.starts_with("HTTP/1.1 4");
        assert!(refused, "{:?}… was answered with {answer:?}", bytes.get(..20));
    }
    bystander.is_as_it_was();
}

#[test]
fn requests_that_never_end_keep_nobody_out_and_are_ended() {
    let mut bystander = Bystander::new();
    let parts = [
        "",
        "GET /v1/node HT",
        "POST /v1/operations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 50\r\n\r\n{",
    ];
    let open: Vec<_> = (0..90)
        .map(|number| {
            let mut wire = bystander.http().open();
            wire.write_all(parts[number % 3].as_bytes()).unwrap();
            wire
        })
        .collect();
    let start = Instant::now();
    bystander.is_as_it_was();
    // Before the first of them is ended for its silence.
    assert!(start.elapsed() < Duration::from_secs(9), "{:?}", start.elapsed());
    let limit = Instant::now() + Duration::from_secs(90);
    for (number, mut wire) in open.into_iter().enumerate() {
        let part = parts[number % 3];
        if part.is_empty() {
            // A connection on which no request has begun may be kept.
            continue;
        }
        let crate::support::http::Wire::Unix(stream) = &mut wire else { panic!("not a unix socket") };
        let left = limit.saturating_duration_since(Instant::now()).max(Duration::from_millis(10));
        stream.set_read_timeout(Some(left)).unwrap();
        let mut answer = Vec::new();
        let end = stream.read_to_end(&mut answer);
        assert!(end.is_ok(), "still open after 90 s: {part:?}");
        let answer = String::from_utf8_lossy(&answer);
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{part:?}: {answer}");
    }
}

#[test]
fn out_of_descriptors_the_control_api_still_answers_and_service_resumes() {
    let agent = Setup::new().hold("hold").descriptors(128).start();
    let clients: Vec<_> = (0..300).map(|_| Peer::connect(agent.only())).collect();
    until("the agent is full", || (agent.open_descriptors() >= 100).then_some(()));
    for _ in 0..10 {
        let node = agent.node();
        assert_eq!(node["descriptors_limit"], 128, "{node}");
        assert!(node["connections"].as_u64().unwrap() > 20, "{node}");
    }
    let (items, summary) = agent.operate(&json!({ "operation": "reset", "where": "all" }));
    assert_eq!(summary["done"], items.len(), "{summary}");
    drop(clients);
    until("all are gone", || agent.connections().is_empty().then_some(()));
    let client = Peer::connect(agent.only());
    assert_eq!(agent.row(&client)["state"], "active");
}

#[test]
fn many_control_connections_do_not_keep_others_out() {
    let agent = Setup::new().echo("echo").descriptors(256).start();
    let mut open = Vec::new();
    // As many as the agent or the kernel takes; the rest may fail.
    while open.len() < 400 {
        match std::os::unix::net::UnixStream::connect(agent.socket()) {
            Ok(stream) => open.push(stream),
            Err(_) => break,
        }
    }
    let mut client = Peer::connect(agent.only());
    client.send("served");
    client.expect("served");
    drop(open);
    until("the control API answers again", || {
        let mut stream = std::os::unix::net::UnixStream::connect(agent.socket()).ok()?;
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream.write_all(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
        let mut answer = String::new();
        stream.read_to_string(&mut answer).ok()?;
        answer.starts_with("HTTP/1.1 200").then_some(())
    });
}

#[test]
fn an_answer_that_nobody_reads_does_not_hold_up_the_relay() {
    let mut bystander = Bystander::new();
    let clients: Vec<_> = (0..500).map(|_| Peer::connect(bystander.agent.only())).collect();
    bystander.agent.settled(501);
    let mut wire = bystander.http().open();
    for _ in 0..50 {
        let request = "GET /v1/connections?stream=true HTTP/1.1\r\nHost: localhost\r\n\r\n";
        if wire.write_all(request.as_bytes()).is_err() {
            break;
        }
    }
    let start = Instant::now();
    bystander.client.send("meanwhile");
    bystander.client.expect("meanwhile");
    assert!(start.elapsed() < Duration::from_secs(20), "{:?}", start.elapsed());
    drop(clients);
    assert_eq!(bystander.agent.settled(1)[0]["uid"], Value::from("u1"));
}
