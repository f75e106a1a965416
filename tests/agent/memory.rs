//! Memory and descriptors come back when connections leave.
use std::io::Read;

use crate::support::upstream::ByHand;
use crate::support::{Agent, Peer, Setup, until};

const PAIRS: usize = 1_000;
const TURNS: usize = 10;
/// As many as a listener's backlog takes at once.
const BATCH: usize = 50;
/// Enough to change to bulk and back.
const BYTES: usize = 40_000;

/// So many pairs come, talk both ways and leave.
fn come_and_go(agent: &Agent, upstream: &ByHand) {
    let mut clients = Vec::with_capacity(PAIRS);
    let mut servers = Vec::with_capacity(PAIRS);
    while clients.len() < PAIRS {
        clients.extend((0..BATCH).map(|_| Peer::connect(agent.only())));
        servers.extend((0..BATCH).map(|_| upstream.accept()));
    }
    let (ask, answer) = (vec![b'a'; BYTES], vec![b'b'; BYTES]);
    let mut got = vec![0; BYTES];
    for client in &mut clients {
        client.send(&ask);
    }
    for server in &mut servers {
        server.stream().read_exact(&mut got).unwrap();
        assert!(got == ask, "a request came changed");
        server.send(&answer);
    }
    for client in &mut clients {
        client.stream().read_exact(&mut got).unwrap();
        assert!(got == answer, "an answer came changed");
    }
    drop(clients);
    drop(servers);
    agent.settled(0);
}

#[test]
fn a_thousand_pairs_that_come_and_go_again_and_again_leave_no_memory_and_no_descriptor() {
    let upstream = ByHand::listen();
    // What is kept of connections that have gone has its own bounds, which are full before the second turn.
    let config = "history_size = 1000\nevents_size = 1000\n";
    let agent = Setup::new().config(config).forward("front", upstream.addr()).start();
    let sockets = agent.open_of("socket:");
    let mut second = 0;
    for turn in 1..=TURNS {
        come_and_go(&agent, &upstream);
        if turn == 2 {
            second = agent.memory_kib();
        }
    }
    until("its sockets are closed", || (agent.open_of("socket:") <= sockets).then_some(()));
    let (last, most) = (agent.memory_kib(), second + second / 10 + 1024);
    assert!(last <= most, "{last} KiB after {TURNS} times, {second} KiB after the second");
    assert_eq!(agent.ended("client"), (PAIRS * TURNS) as u64, "{:?}", agent.endings());
}
