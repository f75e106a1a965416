//! Servers that are good, bad, slow or none.
use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, NATS, PASSWORD, guarded, only, outbound, request, start};
use crate::support::service::{Service, have};
use crate::support::upstream::ByHand;
use crate::support::{Upstream, until};

#[test]
fn a_refused_login_says_so_and_leaves_nothing_behind() {
    if !have(NATS) {
        return;
    }
    let nats = guarded(None);
    let agent = start("");
    let before = agent.open_descriptors();
    for (username, password) in [("alice", "wrong-7c2e"), ("mallory", PASSWORD), ("", "")] {
        let mut client = Client::new(&agent);
        let response = client.try_connect(&request(nats.addr(), username, password)).is(401);
        assert_eq!(response.header("set-cookie"), None);
        let answer = response.json();
        assert_eq!(answer["error"], "Failed to connect to NATS server", "{answer}");
        assert!(answer["details"].as_str().unwrap().contains("Authorization Violation"), "{answer}");
        assert!(!answer.to_string().contains("wrong-7c2e"), "{answer}");
    }
    assert_eq!(outbound(&agent), [Value::Null; 0]);
    until("every descriptor is back", || (agent.open_descriptors() <= before).then_some(()));
    let log = agent.log();
    assert!(!log.contains("wrong-7c2e") && !log.contains(PASSWORD), "{log}");
}

#[test]
fn servers_that_are_none_are_told_apart() {
    let agent = start("[outbound]\ndial_timeout = \"300ms\"\n");
    let closed = ByHand::listen();
    let refused = closed.addr();
    drop(closed);
    let serve = |text: &'static str| {
        Upstream::serve(move |mut stream| {
            use std::io::{Read, Write};
            let _ = stream.write_all(text.as_bytes());
            let _ = stream.read(&mut [0; 4096]);
        })
    };
    let (silent, web) = (Upstream::silent(), serve("HTTP/1.1 400 Bad Request\r\n\r\n"));
    let (with_tls, broken) = (serve("INFO {\"tls_required\":true}\r\n"), serve("INFO {\"tls_\r\n"));
    let (full, rst) = (serve("-ERR 'maximum connections exceeded'\r\n"), Upstream::reset());
    let endless = Upstream::serve(|mut stream| {
        use std::io::Write;
        while stream.write_all(&[b'x'; 4096]).is_ok() {}
    });
    let parrot = serve("-ERR 'you said s3cret-9d1f'\r\n");
    for (addr, says) in [
        (refused, "refused"),
        (silent.addr(), "did not answer within"),
        (web.addr(), "no NATS server"),
        (with_tls.addr(), "TLS"),
        (broken.addr(), "cannot be read"),
        (full.addr(), "maximum connections exceeded"),
        (rst.addr(), "reset"),
        (endless.addr(), "no NATS server"),
        (parrot.addr(), "refused the login"),
    ] {
        let answer = Client::new(&agent).try_connect(&request(addr, "alice", PASSWORD)).is(401).json();
        assert_eq!(answer["error"], "Failed to connect to NATS server", "{answer}");
        let details = answer["details"].as_str().unwrap();
        assert!(details.contains(says) && details.contains(&addr.to_string()), "{says}: {answer}");
        assert!(!answer.to_string().contains(PASSWORD), "{answer}");
    }
    let body = json!({ "host": "no-such-host.invalid", "port": "4222" });
    Client::new(&agent).try_connect(&body).is(401);
    assert_eq!(agent.node()["accepted"], 0);
}

#[test]
fn a_server_that_lets_in_and_then_falls_silent_fails_the_test() {
    let nats = Upstream::serve(|mut stream| {
        use std::io::{Read, Write};
        let _ = stream.write_all(b"INFO {}\r\n");
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream.write_all(b"PONG\r\n");
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let agent = start("");
    let answer = Client::new(&agent).try_connect(&request(nats.addr(), "", "")).is(401).json();
    assert_eq!(answer["error"], "Connection test failed", "{answer}");
    until("it is closed", || outbound(&agent).is_empty().then_some(()));
    assert_eq!(agent.endings(), [("upstream".to_owned(), "unhealthy".to_owned(), 1)]);
}

#[test]
fn a_server_that_asks_is_answered_and_keeps_the_connection() {
    if !have(NATS) {
        return;
    }
    // Without an answer the third question is the last.
    let nats = Service::nats_with("ping_interval: \"50ms\"\nping_max: 2\n");
    let agent = start("");
    let mut client = Client::new(&agent);
    client.connect(&request(nats.addr(), "", ""));
    let row = only(&agent);
    let asked = |row: &Value| row["to_client_bytes"].as_u64().unwrap();
    let later = until("the server has asked ten times", || {
        let rows = outbound(&agent);
        let now = rows.first().expect("the server has dropped the connection").clone();
        (asked(&now) >= asked(&row) + 60).then_some(now)
    });
    assert_eq!(later["conn_id"], row["conn_id"]);
    client.get("/api/nats/health").is(200);
    assert_eq!(only(&agent)["conn_id"], row["conn_id"]);
}

#[test]
fn a_server_that_asks_without_end_and_reads_nothing_gets_no_memory_for_it() {
    let nats = Upstream::serve(|mut stream| {
        use std::io::{Read, Write};
        let _ = stream.write_all(b"INFO {}\r\n");
        let mut heard = Vec::new();
        while heard.windows(6).filter(|line| *line == b"PING\r\n").count() < 2 {
            let mut chunk = [0; 512];
            let Ok(count @ 1..) = stream.read(&mut chunk) else { return };
            let before = heard.windows(6).filter(|line| *line == b"PING\r\n").count();
            heard.extend_from_slice(&chunk[..count]);
            let after = heard.windows(6).filter(|line| *line == b"PING\r\n").count();
            for _ in before..after {
                let _ = stream.write_all(b"PONG\r\n");
            }
        }
        // From here on nothing is read.
        let flood = b"PING\r\n".repeat(10_000);
        while stream.write_all(&flood).is_ok() {}
    });
    let agent = start("");
    let before = agent.memory_kib();
    Client::new(&agent).connect(&request(nats.addr(), "", ""));
    // What the server's socket takes of our answers is all that is read of its questions.
    let read = |row: &Value| row["to_client_bytes"].as_u64().unwrap();
    let mut last = 0;
    until("the flow has come to rest", || {
        let now = read(&only(&agent));
        let rests = now > 100_000 && std::mem::replace(&mut last, now) == now;
        std::thread::sleep(Duration::from_millis(200));
        rests.then_some(())
    });
    assert!(agent.memory_kib() < before + 16 * 1024, "{} KiB, before {before}", agent.memory_kib());
    agent.http().get("/v1/node").is(200);
    let (items, _) = agent.operate(&json!({ "operation": "reset", "where": "mode = outbound" }));
    assert_eq!(items[0]["status"], "done", "{items:?}");
}

#[test]
fn a_slow_server_keeps_nobody_else_waiting() {
    if !have(NATS) {
        return;
    }
    let nats = Service::nats();
    let silent = Upstream::silent();
    let agent = start("[outbound]\ndial_timeout = \"10m\"\n");
    let http = agent.tcp();
    let body = request(silent.addr(), "", "").to_string();
    let mut hanging: Vec<_> = (0..40).map(|_| http.open()).collect();
    for wire in &mut hanging {
        use std::io::Write;
        let length = body.len();
        let head = format!(
            "POST /api/nats/connect HTTP/1.1\r\nHost: {}\r\nContent-Length: {length}\r\n\r\n{body}",
            http.host()
        );
        wire.write_all(head.as_bytes()).unwrap();
    }
    until("all of them are waiting", || (silent.accepted() == 40).then_some(()));
    let mut client = Client::new(&agent);
    client.connect(&request(nats.addr(), "", ""));
    client.get("/api/nats/health").is(200);
    client.get("/v1/node").is(200);
    client.send("POST", "/api/nats/disconnect", b"").is(200);
    drop(hanging);
}
