//! Whatever clients, upstreams and operators do at once: each connection ends once, and nothing is left.
use std::io::ErrorKind;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use crate::support::upstream::Upstream;
use crate::support::{Agent, Http, Peer, until};

const CLIENTS: u64 = 6;
const TURNS: u64 = 400;

/// One client's life; the number decides how it goes.
fn live(addr: std::net::SocketAddr, number: u64) {
    let mut client = match Peer::dial(addr) {
        Ok(client) => client,
        // It was accepted, and an operator's RST (or FIN and then RST) overtook the answer to the dial.
        Err(error) if matches!(error.kind(), ErrorKind::ConnectionReset | ErrorKind::BrokenPipe) => return,
        Err(error) => panic!("cannot connect: {error}"),
    };
    // Any of these may fail because an operator was faster.
    let mut talk = || {
        let _ = std::io::Write::write(&mut client.stream(), b"hello");
        let mut byte = [0];
        client.read_some(&mut byte).is_ok()
    };
    match number % 6 {
        0 => client.reset(),
        1 => drop(client),
        2 => {
            talk();
            client.reset();
        }
        3 => {
            talk();
        }
        4 => {
            talk();
            let _ = client.stream().shutdown(std::net::Shutdown::Write);
            let _ = std::io::copy(&mut client.stream(), &mut std::io::sink());
        }
        _ => {
            // Stays until it is removed.
            let _ = client.stream().set_read_timeout(Some(Duration::from_millis(30)));
            let _ = std::io::copy(&mut client.stream(), &mut std::io::sink());
        }
    }
}

/// Removes whatever is there, in every way, until told to stop.
fn remove_all(http: &Http, stop: &AtomicBool) {
    for turn in 0_usize.. {
        if stop.load(Ordering::SeqCst) {
            return;
        }
        let operation = ["close", "reset", "halfclose", "reset"][turn % 4];
        let request = json!({ "operation": operation, "where": "all", "grace_ms": 50 });
        let lines = http.post("/v1/operations", &request).is(200).json_lines();
        assert!(lines.last().is_some_and(|line| line["summary"].is_object()), "{lines:?}");
    }
}

fn storm(agent: &Agent) {
    let base = agent.open_descriptors();
    let (addr, stop, connected) =
        (agent.only(), Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
    let removers: Vec<_> = (0..2)
        .map(|_| {
            let (http, stop) = (agent.http(), Arc::clone(&stop));
            std::thread::spawn(move || remove_all(&http, &stop))
        })
        .collect();
    let clients: Vec<_> = (0..CLIENTS)
        .map(|own| {
            let connected = Arc::clone(&connected);
            std::thread::spawn(move || {
                for turn in 0..TURNS {
                    live(addr, own + turn);
                    connected.fetch_add(1, Ordering::SeqCst);
                }
            })
        })
        .collect();
    for client in clients {
        client.join().unwrap();
    }
    stop.store(true, Ordering::SeqCst);
    for remover in removers {
        remover.join().unwrap();
    }
    let clients = connected.load(Ordering::SeqCst);
    assert_eq!(clients, CLIENTS * TURNS);
    until("every client is accepted", || (agent.node()["accepted"] == clients).then_some(()));
    agent.settled(0);
    assert_eq!(agent.ended("client"), clients, "{:?}", agent.endings());
    assert_eq!(agent.node()["ended"], clients);
    assert_eq!(agent.count_of("client", "internal") + agent.count_of("upstream", "internal"), 0);
    until("every descriptor is back", || (agent.open_descriptors() <= base).then_some(()));
    let log = agent.log();
    assert!(!log.contains("panicked"), "{log}");
}

#[test]
fn thousands_of_relayed_clients_come_leave_and_are_removed_at_once() {
    let upstream = Upstream::echo();
    let agent = Agent::front(upstream.addr());
    storm(&agent);
    assert!(agent.ended("upstream") <= CLIENTS * TURNS, "{:?}", agent.endings());
}

#[test]
fn thousands_of_echoed_clients_come_leave_and_are_removed_at_once() {
    storm(&Agent::echo());
}

#[test]
fn a_connection_removed_by_many_operators_at_once_ends_once() {
    let upstream = Upstream::echo();
    let agent = Agent::front(upstream.addr());
    for turn in 1..=20 {
        let client = Peer::connect(agent.only());
        let id = agent.id(&client);
        let operators: Vec<_> = ["close", "reset", "halfclose", "reset", "close"]
            .into_iter()
            .map(|operation| {
                let http = agent.http();
                let request = json!({ "operation": operation, "items": [{ "conn_id": id }] });
                std::thread::spawn(move || http.post("/v1/operations", &request).is(200).json_lines())
            })
            .collect();
        for operator in operators {
            let lines = operator.join().unwrap();
            assert_eq!(lines.len(), 2, "{lines:?}");
        }
        drop(client);
        agent.settled(0);
        assert_eq!((agent.ended("client"), agent.ended("upstream")), (turn, turn), "{:?}", agent.endings());
    }
}
