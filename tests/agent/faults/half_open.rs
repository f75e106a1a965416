//! Thousands of control clients that begin a request and never end it.
use std::io::{Read, Write};
use std::os::unix::net::UnixStream;

use crate::support::{Agent, LIMIT, Peer, until};

const CLIENTS: usize = 10_000;
/// Each has a descriptor here as well, which the whole suite shares.
const AT_ONCE: usize = 2_000;
const BEGUN: &[u8] = b"POST /v1/operations HTTP/1.1\r\nHost: localhost\r\nContent-Length: 999\r\n";

/// An answer of the control API, unless it has no place for this client.
fn health(agent: &Agent) -> Option<String> {
    let mut stream = UnixStream::connect(agent.socket()).ok()?;
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.write_all(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").ok()?;
    let mut answer = String::new();
    stream.read_to_string(&mut answer).ok()?;
    Some(answer)
}

#[test]
fn ten_thousand_half_open_requests_cost_no_client_of_the_service_anything_and_pass() {
    let agent = Agent::echo();
    let before = agent.memory_kib();
    let mut client = Peer::connect(agent.only());
    let mut open = std::collections::VecDeque::new();
    for number in 0..CLIENTS {
        let mut stream = UnixStream::connect(agent.socket()).unwrap();
        // Who finds no place is closed at once.
        let _ = stream.write_all(BEGUN);
        open.push_back(stream);
        if open.len() > AT_ONCE {
            open.pop_front();
        }
        if number % 1_000 == 0 {
            client.send("served");
            client.expect("served");
        }
    }
    let grown = agent.memory_kib().saturating_sub(before);
    assert!(grown < 64 * 1024, "{grown} KiB for half-open requests");
    assert!(agent.open_of("socket:") < 1_000, "{} sockets", agent.open_of("socket:"));
    // Those that are there still keep others out for as long as a head may take, and no longer.
    until("the control API has a place", || health(&agent).filter(|answer| answer.contains(" 200 ")));
    drop(open);
    agent.settled(1);
    client.send("served");
    client.expect("served");
}
