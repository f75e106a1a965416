//! A kick of a WuKongIM client whose connection is relayed: the client is told in its own protocol, between
//! two packets of its server, and then closed.
use std::io::{Read, Write};
use std::time::Duration;

use serde_json::json;

use crate::support::upstream::ByHand;
use crate::support::{Agent, End, LIMIT, Peer, Setup, Upstream, until};

const KICKED: &[u8] = b"\x90\x0e\x0c\0\x0bserver kick";
const CONNACK: &[u8] = b"\x20\x03\0\0\x01";

fn agent(upstream: std::net::SocketAddr, identity: &str) -> Agent {
    let config = format!(
        "[[listener]]\nname='im'\nmode='forward'\nbind='127.0.0.1:0'\nupstream=['{upstream}']\n\
         identity=['{identity}']\n"
    );
    Setup::new().config(config).tcp_control().start()
}

fn connect(uid: &str) -> Vec<u8> {
    let mut body = vec![4, 1];
    for text in ["d-1", uid, "a token"] {
        body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        body.extend(text.as_bytes());
    }
    body.extend([0; 10]);
    [&[0x10, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

/// A client that has sent its `CONNECT`, and its `conn_id` once its user is known.
fn login(agent: &Agent) -> (Peer, u64) {
    let mut client = Peer::connect(agent.only());
    client.send(connect("u1"));
    let row = until("its user is known", || {
        let row = agent.row(&client);
        (row["uid"] == "u1").then_some(row)
    });
    (client, row["conn_id"].as_u64().unwrap())
}

fn kick(agent: &Agent, id: u64) {
    agent.tcp().post("/conn/kick", &json!({ "uid": "u1", "conn_id": id })).is(200);
}

#[test]
fn the_client_is_told_and_then_closed() {
    let upstream = ByHand::listen();
    let agent = agent(upstream.addr(), "wukongim");
    let (mut client, id) = login(&agent);
    let mut server = upstream.accept();
    server.expect(connect("u1"));
    server.send(CONNACK);
    client.expect(CONNACK);
    kick(&agent, id);
    // Kicked twice, told once.
    kick(&agent, id);
    client.expect(KICKED);
    assert_eq!(client.end(), (0, End::Fin));
    assert_eq!(server.end().1, End::Fin);
    agent.counts("client", "operator_close", 1);
    // What the agent says is no byte of the server's.
    let ended = until("the log tells of its end", || {
        agent.log().lines().find(|line| line.contains("connection ended")).map(str::to_owned)
    });
    let own: String =
        ended.split("to_client_bytes").nth(1).unwrap().chars().filter(char::is_ascii_digit).collect();
    assert!(own.starts_with(&CONNACK.len().to_string()), "{ended}");
}

#[test]
fn a_device_that_has_to_quit_is_told_too() {
    let upstream = ByHand::listen();
    let agent = agent(upstream.addr(), "wukongim");
    let (mut client, _) = login(&agent);
    let _server = upstream.accept();
    let quit = |flag: i64| json!({ "uid": "u1", "device_flag": flag });
    agent.tcp().post("/user/device_quit", &quit(2)).is(200);
    let online = agent.tcp().post("/user/onlinestatus", &json!(["u1"])).is(200).json();
    assert_eq!(online, json!([{ "uid": "u1", "device_flag": 1, "online": 1 }]), "another device");
    agent.tcp().post("/user/device_quit", &quit(1)).is(200);
    client.expect([0x90, 3, 12, 0, 0]);
    client.ends_with(End::Fin);
}

#[test]
fn the_packet_cuts_none_of_the_servers() {
    // `RECV` packets in a stream without a pause, in pieces that have nothing to do with where packets end.
    let upstream = Upstream::serve(|mut stream| {
        let _ = stream.read(&mut [0; 512]);
        let mut packets = Vec::new();
        for length in (1..2_000_usize).step_by(37) {
            let count = [0x80 | u8::try_from(length % 128).unwrap(), u8::try_from(length / 128).unwrap()];
            packets.extend([&[0x50][..], &count, &vec![0xa5; length]].concat());
        }
        let _ = stream.set_write_timeout(Some(LIMIT));
        for piece in [1_usize, 7, 100, 1_447, 30_011].into_iter().cycle() {
            for chunk in packets.chunks(piece) {
                if stream.write_all(chunk).is_err() {
                    return;
                }
            }
        }
    });
    let agent = agent(upstream.addr(), "wukongim");
    let (mut client, id) = login(&agent);
    let (send, receive) = std::sync::mpsc::channel();
    let reading = std::thread::spawn(move || {
        let mut all = Vec::new();
        let end = client.end_with(|piece| {
            if all.is_empty() {
                send.send(()).unwrap();
            }
            all.extend_from_slice(piece);
            // A gigabyte of the same packets proves no more than some megabytes.
            std::thread::sleep(Duration::from_millis(1));
        });
        (all, end)
    });
    receive.recv_timeout(LIMIT).unwrap();
    kick(&agent, id);
    let (all, _) = reading.join().unwrap();
    let (mut rest, mut told) = (&all[..], 0);
    while let [kind, first, second, ..] = *rest {
        let (head, length) = match kind {
            0x50 => (3, usize::from(first & 0x7f) | usize::from(second) << 7),
            0x90 => (2, usize::from(first)),
            other => panic!("{other:#x} is no packet of the server's, after {}", all.len() - rest.len()),
        };
        let Some((packet, behind)) = rest.split_at_checked(head + length) else { break };
        if kind == 0x90 {
            assert_eq!(packet, KICKED);
            told += 1;
        } else {
            assert!(packet[head..].iter().all(|byte| *byte == 0xa5), "a packet has something else in it");
        }
        rest = behind;
    }
    assert_eq!(told, 1);
}

#[test]
fn a_client_of_another_protocol_and_a_server_that_speaks_no_packets_are_left_alone() {
    let upstream = ByHand::listen();
    let agent_of_others = agent(upstream.addr(), "redis");
    let mut client = Peer::connect(agent_of_others.only());
    let mut server = upstream.accept();
    let id = agent_of_others.assign(&client, "u1");
    server.send("+OK\r\n");
    client.expect("+OK\r\n");
    kick(&agent_of_others, id);
    assert_eq!(client.end(), (0, End::Fin), "closed without a word that it would not understand");
    let upstream = ByHand::listen();
    let agent = agent(upstream.addr(), "wukongim");
    let (mut client, id) = login(&agent);
    let mut server = upstream.accept();
    server.send([0]);
    client.expect([0]);
    kick(&agent, id);
    assert_eq!(client.end(), (0, End::Fin));
}
