//! Bytes: every one, in order, in both directions, at the reader's pace.
use std::net::Shutdown;
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::support::pattern::Pattern;
use crate::support::upstream::{ByHand, Upstream};
use crate::support::{Agent, End, Peer, until};

const MIB: u64 = 1024 * 1024;

#[test]
fn big_streams_pass_both_ways_at_once_unchanged() {
    let upstream = Upstream::echo();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let writer = {
        let client = client.another();
        std::thread::spawn(move || {
            Pattern::default().write(&mut client.stream(), 48 * MIB).unwrap();
            client.half_close();
        })
    };
    let mut seen = Pattern::default();
    assert_eq!(client.end_with(|piece| seen.check(piece)), (48 * MIB, End::Fin));
    writer.join().unwrap();
    agent.settled(0);
    agent.counts("client", "normal", 1);
}

#[test]
fn odd_sizes_pass_unchanged() {
    let upstream = Upstream::echo();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    for size in [1, 2, 1447, 1448, 4095, 4096, 4097, 65_535, 65_536, 65_537, 300_001] {
        let mut bytes = Vec::new();
        Pattern::default().write(&mut bytes, size).unwrap();
        client.send(&bytes);
        let mut back = vec![0; bytes.len()];
        std::io::Read::read_exact(&mut client.stream(), &mut back).unwrap();
        assert!(bytes == back, "{size} bytes came back changed");
    }
    let total = 1 + 2 + 1447 + 1448 + 4095 + 4096 + 4097 + 65_535 + 65_536 + 65_537 + 300_001;
    agent.counted(&client, total, total);
}

#[test]
fn an_echo_listener_sends_a_big_stream_back_unchanged() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    let writer = {
        let client = client.another();
        std::thread::spawn(move || {
            Pattern::default().write(&mut client.stream(), 16 * MIB).unwrap();
            client.half_close();
        })
    };
    let mut seen = Pattern::default();
    assert_eq!(client.end_with(|piece| seen.check(piece)), (16 * MIB, End::Fin));
    writer.join().unwrap();
}

#[test]
fn a_slow_reader_slows_the_writer_and_costs_no_memory() {
    let sent = Arc::new(AtomicU64::new(0));
    let own = Arc::clone(&sent);
    let upstream = Upstream::serve(move |mut stream| {
        let mut pattern = Pattern::default();
        while pattern.offset() < 64 * MIB && pattern.write(&mut stream, 64 * 1024).is_ok() {
            own.store(pattern.offset(), Ordering::SeqCst);
        }
        let _ = stream.shutdown(Shutdown::Write);
        let _ = std::io::copy(&mut stream, &mut std::io::sink());
    });
    let agent = Agent::front(upstream.addr());
    let before = agent.memory_kib();
    let mut client = Peer::with_small_window(agent.only());
    // The writer has stopped when it has sent something and then no more for a while.
    let mut last = (0, std::time::Instant::now());
    until("the writer is held back", || {
        let now = sent.load(Ordering::SeqCst);
        if now != last.0 {
            last = (now, std::time::Instant::now());
        }
        (now > 0 && last.1.elapsed().as_millis() > 400).then_some(())
    });
    assert!(last.0 < 64 * MIB, "the whole stream went somewhere");
    let grown = agent.memory_kib().saturating_sub(before);
    assert!(grown < 4 * 1024, "a client that does not read cost {grown} KiB");
    let mut seen = Pattern::default();
    assert_eq!(client.end_with(|piece| seen.check(piece)), (64 * MIB, End::Fin));
}

#[test]
fn what_the_upstream_sent_before_it_left_arrives_before_the_fin() {
    let upstream = Upstream::serve(|mut stream| {
        let _ = Pattern::default().write(&mut stream, 4 * MIB);
        // Dropped here: FIN, with everything above still on its way.
    });
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::with_small_window(agent.only());
    until("the upstream has gone", || (upstream.accepted() == 1).then_some(()));
    let mut seen = Pattern::default();
    assert_eq!(client.end_with(|piece| seen.check(piece)), (4 * MIB, End::Fin));
}

#[test]
fn an_upstreams_rst_reaches_the_client_as_a_rst() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.send("a");
    server.expect("a");
    server.reset();
    client.ends_with(End::Reset);
    agent.settled(0);
    agent.counts("upstream", "econnreset", 1);
}

#[test]
fn a_clients_rst_reaches_the_upstream_as_a_rst() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.send("a");
    server.expect("a");
    client.reset();
    server.ends_with(End::Reset);
    agent.settled(0);
    agent.counts("client", "econnreset", 1);
}

#[test]
fn a_clients_rst_after_its_fin_reaches_the_upstream() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.half_close();
    server.ends_with(End::Fin);
    client.reset();
    until("the upstream cannot send any more", || {
        std::io::Write::write(&mut server.stream(), b"x").is_err().then_some(())
    });
    agent.settled(0);
    assert_eq!((agent.ended("client"), agent.ended("upstream")), (1, 1), "{:?}", agent.endings());
}

#[test]
fn paused_reads_hold_bytes_back_and_resumed_reads_deliver_them() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    agent.does("pause", "client", &client);
    agent.reaches(&client, "paused");
    client.send("held");
    server.send("flows");
    client.expect("flows");
    assert!(server.is_quiet(), "a paused side was read");
    agent.does("resume", "client", &client);
    server.expect("held");
    agent.reaches(&client, "active");
}

#[test]
fn a_paused_connection_can_be_closed_and_reset() {
    for (operation, end) in [("close", End::Fin), ("reset", End::Reset)] {
        let agent = Agent::echo();
        let mut client = Peer::connect(agent.only());
        agent.does("pause", "both", &client);
        agent.does(operation, "both", &client);
        client.ends_with(end);
        agent.settled(0);
    }
}

#[test]
fn a_client_that_leaves_while_paused_leaves_nothing() {
    let agent = Agent::echo();
    let base = agent.open_descriptors();
    let client = Peer::connect(agent.only());
    agent.does("pause", "both", &client);
    client.reset();
    agent.settled(0);
    until("its descriptors are gone", || (agent.open_descriptors() <= base).then_some(()));
}
