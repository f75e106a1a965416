//! Servers spoken by hand: cuts at any point, bounds, operations, and what is no NATS.
use std::io::BufRead;
use std::time::Duration;

use serde_json::{Value, json};

use super::{CONNECT, are_away, are_back, front};
use crate::support::until::stays;
use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Peer, until};

/// A server spoken by hand.
struct Server(Peer);

impl Server {
    fn accept(upstream: &ByHand) -> Self {
        let mut peer = upstream.accept();
        peer.send("INFO {\"max_payload\":1048576}\r\n");
        Self(peer)
    }
}

/// A client with a server by hand that knows it.
fn by_hand(agent: &Agent, upstream: &ByHand) -> (Peer, Server) {
    let mut client = Peer::connect(agent.only());
    let mut server = Server::accept(upstream);
    client.expect("INFO {\"max_payload\":1048576}\r\n");
    client.send(format!("{CONNECT}\r\nSUB a 1\r\n"));
    server.0.expect(format!("{CONNECT}\r\nSUB a 1\r\n"));
    (client, server)
}

/// The next server, told what the first one knew.
fn next(upstream: &ByHand, subs: &str) -> Server {
    let mut server = Server::accept(upstream);
    server.0.expect(format!("{CONNECT}\r\n{subs}PING\r\n"));
    server.0.send("PONG\r\n");
    server
}

#[test]
fn a_message_cut_in_the_middle_is_never_begun() {
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "");
    let (mut client, mut server) = by_hand(&agent, &upstream);
    let whole = format!("MSG a 1 100000\r\n{}\r\n", "x".repeat(100_000));
    for cut in [1, 5, 17, 50_000, whole.len() - 1] {
        server.0.send(&whole);
        client.expect(&whole);
        server.0.send(&whole[..cut]);
        if cut % 2 == 0 {
            server.0.reset();
        } else {
            drop(server);
        }
        server = next(&upstream, "SUB a 1\r\n");
        assert!(client.is_quiet(), "cut at {cut}");
    }
    server.0.send("MSG a 1 2\r\nhi\r\n");
    client.expect("MSG a 1 2\r\nhi\r\n");
}

#[test]
fn a_publication_cut_in_the_middle_is_sent_again_as_a_whole() {
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "");
    let (mut client, server) = by_hand(&agent, &upstream);
    // More than the sockets on the way take, and every number once.
    const COUNT: usize = 40_000;
    let mut sender = client.another();
    let publishing = std::thread::spawn(move || {
        for number in 0..COUNT {
            sender.send(format!("PUB n 500\r\n{number:0500}\r\n"));
        }
        sender.send("PING\r\n");
    });
    until("nothing more is taken", || {
        let row = agent.row(&client);
        let before = row["to_upstream_bytes"].as_u64().unwrap();
        std::thread::sleep(Duration::from_millis(200));
        (before > 100_000 && agent.row(&client)["to_upstream_bytes"] == before).then_some(())
    });
    server.0.reset();
    let mut server = next(&upstream, "SUB a 1\r\n");
    let (mut first, mut expected) = (None, 0);
    let mut lines = std::io::BufReader::new(server.0.stream()).lines().map(Result::unwrap);
    while lines.next().unwrap() == "PUB n 500" {
        let number: usize = lines.next().unwrap().parse().unwrap();
        assert!(first.is_none() || number == expected, "{number} after {expected}");
        first.get_or_insert(number);
        expected = number + 1;
    }
    assert_eq!(expected, COUNT);
    assert!(first.unwrap() > 0, "what was handed over is not sent again");
    server.0.send("PONG\r\n");
    client.expect("PONG\r\n");
    publishing.join().unwrap();
}

#[test]
fn what_a_client_sends_without_a_server_is_held_to_a_bound_and_then_in_its_own_socket() {
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "");
    let (mut client, server) = by_hand(&agent, &upstream);
    let addr = upstream.addr();
    drop(upstream);
    server.0.reset();
    are_away(&agent, 1);
    let before = agent.memory_kib();
    let mut sender = client.another();
    const COUNT: usize = 20_000;
    let publishing = std::thread::spawn(move || {
        for number in 0..COUNT {
            sender.send(format!("PUB n 1000\r\n{number:01000}\r\n"));
        }
    });
    stays("its memory is bounded", Duration::from_millis(500), || agent.memory_kib() < before + 8 * 1024);
    let upstream = ByHand::listen_on(addr);
    let mut server = next(&upstream, "SUB a 1\r\n");
    let mut lines = std::io::BufReader::new(server.0.stream()).lines().map(Result::unwrap);
    for number in 0..COUNT {
        assert_eq!(lines.next().unwrap(), "PUB n 1000");
        assert_eq!(lines.next().unwrap().parse::<usize>().unwrap(), number);
    }
    publishing.join().unwrap();
    client.send("PING\r\n");
    server.0.expect("PING\r\n");
}

#[test]
fn a_server_that_stays_away_too_long_ends_the_client() {
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "reconnect_timeout = \"500ms\"");
    let (mut client, server) = by_hand(&agent, &upstream);
    drop((upstream, server));
    client.ends_with(End::Fin);
    agent.settled(0);
    agent.counts("upstream", "econnrefused", 1);
}

#[test]
fn a_server_that_fails_while_a_session_is_restored_is_dialled_again_and_no_longer_than_the_limit() {
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "reconnect_timeout = \"60s\"");
    let (mut client, server) = by_hand(&agent, &upstream);
    drop(server);
    for turn in 0..4 {
        let mut server = upstream.accept();
        if turn > 0 {
            server.send("INFO {}\r\n");
            server.expect(format!("{CONNECT}\r\nSUB a 1\r\nPING\r\n"));
        }
        if turn == 2 {
            server.reset()
        } else {
            drop(server)
        }
        assert_eq!(agent.connections()[0]["state"], "opening");
    }
    let mut server = next(&upstream, "SUB a 1\r\n");
    server.0.send("MSG a 1 2\r\nhi\r\n");
    client.expect("MSG a 1 2\r\nhi\r\n");
    let agent = front(upstream.addr(), "reconnect_timeout = \"400ms\"");
    let (mut client, server) = by_hand(&agent, &upstream);
    drop(server);
    let closing = std::thread::spawn(move || {
        until("it is given up", || {
            while !upstream.is_idle() {}
            agent.connections().is_empty().then_some(())
        });
        agent
    });
    client.ends_with(End::Fin);
    closing.join().unwrap().counts("upstream", "closed_upstream", 1);
}

#[test]
fn a_ping_is_answered_while_no_server_is_wanted_also_where_dials_are_repeated() {
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "redial = true\nupstream_idle_timeout = \"100ms\"");
    let (mut client, mut server) = by_hand(&agent, &upstream);
    server.0.ends_with(End::Fin);
    client.send("PING\r\n");
    client.expect("PONG\r\n");
    assert!(upstream.is_idle(), "a sign of life dials nobody");
}

#[test]
fn every_operation_works_while_the_server_is_away() {
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "");
    let mut pairs: Vec<_> = (0..5).map(|_| by_hand(&agent, &upstream)).collect();
    let addr = upstream.addr();
    drop(upstream);
    let mut clients: Vec<_> = pairs.drain(..).map(|(client, _)| client).collect();
    are_away(&agent, 5);
    let away = |client: &Peer| {
        let addr = client.local().to_string();
        let rows = agent.connections();
        rows.iter().find(|row| row["client"] == *addr).expect("it is listed")["conn_id"].clone()
    };
    let act = |operation: &str, id: &Value| {
        let request = json!({ "operation": operation, "side": "client", "items": [{ "conn_id": id }] });
        let (items, _) = agent.operate(&request);
        assert_eq!(items[0]["status"], "done", "{items:?}");
    };
    for (operation, end) in [("close", End::Fin), ("reset", End::Reset), ("halfclose", End::Fin)] {
        let mut client = clients.remove(0);
        act(operation, &away(&client));
        client.ends_with(end);
        if operation == "halfclose" {
            client.half_close();
        }
        until("it is gone", || (agent.connections().len() == clients.len()).then_some(()));
    }
    // Paused, nothing is read; a client that leaves is gone at once.
    let (client, mut paused) = (clients.remove(0), clients.remove(0));
    drop(client);
    until("it is gone", || (agent.connections().len() == 1).then_some(()));
    act("pause", &away(&paused));
    paused.send("PING\r\n");
    stays("nothing is answered", Duration::from_millis(200), || paused.is_quiet());
    act("resume", &away(&paused));
    paused.expect("PONG\r\n");
    let upstream = ByHand::listen_on(addr);
    let _server = next(&upstream, "SUB a 1\r\n");
    are_back(&agent, 1);
}

#[test]
fn what_is_no_nats_passes_untouched_and_ends_with_its_server() {
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "");
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.send([0x16, 3, 1, 0]);
    server.expect([0x16, 3, 1, 0]);
    server.send("SSH-2.0");
    client.expect("SSH-2.0");
    let big = "y".repeat(500_000);
    let mut other = client.another();
    let text = big.clone();
    let sender = std::thread::spawn(move || other.send(text));
    server.expect(&big);
    sender.join().unwrap();
    server.reset();
    client.ends_with(End::Reset);
    agent.settled(0);
    agent.counts("upstream", "econnreset", 1);
}

#[test]
fn a_close_gives_the_client_all_that_its_server_had_sent() {
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "");
    let (mut client, mut server) = by_hand(&agent, &upstream);
    server.0.send("MSG a 1 2\r\nhi\r\nMSG a 1 100\r\nbegun");
    client.expect("MSG a 1 2\r\nhi\r\n");
    until("the beginning waits", || {
        let id = agent.id(&client);
        let detail = agent.http().get(&format!("/v1/connections/{id}")).is(200).json();
        (detail["sides"]["client"]["pending_bytes"] == 18).then_some(())
    });
    agent.does("close", "both", &client);
    client.expect("MSG a 1 100\r\nbegun");
    client.ends_with(End::Fin);
    server.0.ends_with(End::Fin);
}

#[test]
fn a_revoked_user_is_told_to_no_server() {
    const ALICE: &str = r#"CONNECT {"verbose":false,"user":"alice","pass":"s3cret"}"#;
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "");
    let mut client = Peer::connect(agent.only());
    let mut server = Server::accept(&upstream);
    client.expect("INFO {\"max_payload\":1048576}\r\n");
    client.send(format!("{ALICE}\r\nPING\r\n"));
    server.0.expect(format!("{ALICE}\r\nPING\r\n"));
    server.0.send("PONG\r\n");
    client.expect("PONG\r\n");
    // While the server is away: its client ends, and the session with it.
    let addr = upstream.addr();
    drop(upstream);
    server.0.reset();
    are_away(&agent, 1);
    let lines = agent.http().post("/v1/revocations", &json!({ "uid": "alice" })).is(200).json_lines();
    assert_eq!(lines[0]["uid"], "alice", "{lines:?}");
    client.ends_with(End::Fin);
    agent.settled(0);
    let upstream = ByHand::listen_on(addr);
    // The words that name it are not given to the server, and no other server is looked for.
    let mut client = Peer::connect(agent.only());
    let mut server = Server::accept(&upstream);
    client.expect("INFO {\"max_payload\":1048576}\r\n");
    client.send(format!("{ALICE}\r\nPING\r\n"));
    client.ends_with(End::Reset);
    server.0.ends_with(End::Reset);
    agent.settled(0);
    agent.counts("client", "revoked", 2);
    assert!(upstream.is_idle());
}
