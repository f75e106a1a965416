//! Whose a connection is: found in what its client sends, while nothing is held back.
use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Peer, Setup, until};

/// Listeners of mode `hold` with these rules, each named by its place.
pub(super) fn holding(rules: &[&str]) -> Agent {
    let mut config = String::new();
    for (place, rule) in rules.iter().enumerate() {
        writeln!(
            config,
            "[[listener]]\nname = \"l{place}\"\nmode = \"hold\"\nbind = \"127.0.0.1:0\"\n{rule}"
        )
        .unwrap();
    }
    Setup::new().config(config).start()
}

/// A listener in front of an upstream, with these settings besides.
pub(super) fn front(upstream: std::net::SocketAddr, settings: &str) -> Agent {
    let config = format!(
        "[[listener]]\nname = \"front\"\nmode = \"forward\"\nbind = \"127.0.0.1:0\"\nupstream = [\"{upstream}\"]\n{settings}\n"
    );
    Setup::new().config(config).start()
}

/// Waits until the client's connection has a user, and gives its row.
#[track_caller]
pub(super) fn named(agent: &Agent, client: &Peer) -> Value {
    until("the connection has a user", || {
        agent.connections().into_iter().find(|row| client.is_client_of(row) && !row["uid"].is_null())
    })
}

fn counted(text: &str) -> Vec<u8> {
    [&u16::try_from(text.len()).unwrap().to_be_bytes()[..], text.as_bytes()].concat()
}

fn postgres(user: &str) -> Vec<u8> {
    let parameters = format!("user\0{user}\0database\0shop\0application_name\0till\0\0");
    let length = u32::try_from(parameters.len() + 8).unwrap();
    [&length.to_be_bytes()[..], b"\0\x03\0\0", parameters.as_bytes()].concat()
}

fn mqtt(version: u8, user: &str) -> Vec<u8> {
    let mut body = [&counted("MQTT")[..], &[version, 0xc2, 0, 60]].concat();
    body.extend(if version == 5 { &[0][..] } else { &[] });
    body.extend([counted("dev-7"), counted(user), counted("s3cret")].concat());
    [&[0x10, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

fn mysql(user: &str) -> Vec<u8> {
    let mut body = (0x200_u32 | 0x8000).to_le_bytes().to_vec();
    body.extend([0; 28]);
    body.extend([user.as_bytes(), b"\0\x06s3cret"].concat());
    [&[u8::try_from(body.len()).unwrap(), 0, 0, 1][..], &body].concat()
}

fn amqp(user: &str) -> Vec<u8> {
    let response = format!("\0{user}\0s3cret");
    let mut body = b"\0\x0a\0\x0b\0\0\0\0\x05PLAIN\0\0".to_vec();
    body.extend([counted(&response), b"\x05en_US".to_vec()].concat());
    let length = u32::try_from(body.len()).unwrap().to_be_bytes();
    [b"AMQP\0\0\x09\x01\x01\0\0", &length[..], &body, b"\xce"].concat()
}

fn wukongim(user: &str) -> Vec<u8> {
    let body = [vec![4, 1], counted("d-1"), counted(user), counted("s3cret"), vec![0; 10]].concat();
    [&[0x10, u8::try_from(body.len()).unwrap()][..], &body].concat()
}

fn redis(user: &str) -> Vec<u8> {
    format!("*3\r\n$4\r\nAUTH\r\n${}\r\n{user}\r\n$6\r\ns3cret\r\n", user.len()).into_bytes()
}

fn nats(user: &str) -> Vec<u8> {
    format!("CONNECT {{\"user\":\"{user}\",\"pass\":\"s3cret\",\"name\":\"till\"}}\r\n").into_bytes()
}

fn http(user: &str) -> Vec<u8> {
    format!("GET / HTTP/1.1\r\nHost: h\r\nAuthorization: s3cret\r\nX-User: {user}\r\n\r\n").into_bytes()
}

/// Each protocol: its word, its first message, the device and one of the tags.
fn protocols(user: &str) -> Vec<(&'static str, Vec<u8>, Value, Value)> {
    vec![
        ("nats", nats(user), Value::Null, json!({ "name": "till" })),
        ("mqtt", mqtt(4, user), json!("dev-7"), json!({})),
        ("mqtt", mqtt(5, user), json!("dev-7"), json!({})),
        ("postgres", postgres(user), Value::Null, json!({ "database": "shop", "application_name": "till" })),
        ("mysql", mysql(user), Value::Null, json!({})),
        ("redis", redis(user), Value::Null, json!({})),
        ("amqp", amqp(user), Value::Null, json!({})),
        ("wukongim", wukongim(user), json!("web"), json!({ "device_id": "d-1" })),
        ("http:x-user", http(user), Value::Null, json!({})),
    ]
}

#[test]
fn each_protocol_names_its_user() {
    let protocols = protocols("alice");
    let rules: Vec<_> = protocols.iter().map(|(word, ..)| format!("identity = [\"{word}\"]")).collect();
    let agent = holding(&rules.iter().map(String::as_str).collect::<Vec<_>>());
    let mut clients = Vec::new();
    for (place, (word, message, device, tags)) in protocols.iter().enumerate() {
        let mut client = Peer::connect(agent.addr(&format!("l{place}")));
        client.send(message);
        let row = named(&agent, &client);
        assert_eq!((&row["uid"], &row["device"]), (&json!("alice"), device), "{word}: {row}");
        assert_eq!(row["tags"], *tags, "{word}");
        clients.push(client);
    }
    let found = agent.http().get("/v1/connections?where=uid%3Dalice").is(200).json();
    assert_eq!(found["matched"], clients.len(), "{found}");
    let (_, summary) = agent.operate(&json!({ "operation": "close", "where": "uid=alice" }));
    assert_eq!(summary["done"], clients.len(), "{summary}");
    let rows = agent.http().get("/v1/connections").is(200).json().to_string();
    assert!(!rows.contains("s3cret") && !agent.log().contains("s3cret"));
}

#[test]
fn all_rules_together_tell_the_protocols_apart() {
    let words =
        "'postgres', 'mysql', 'nats', 'mqtt', 'redis', 'amqp', 'wukongim', 'http:X-User', 'tls-sni', 'proxy'";
    let agent = holding(&[&format!("identity = [{words}]")]);
    for (word, message, ..) in protocols("bob") {
        let mut client = Peer::connect(agent.only());
        client.send(message);
        assert_eq!(named(&agent, &client)["uid"], "bob", "{word}");
    }
}

#[test]
fn a_message_in_pieces_is_passed_on_piece_by_piece() {
    let upstream = ByHand::listen();
    let agent = front(upstream.addr(), "identity = [\"postgres\"]");
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    // The server speaks first, and every byte arrives before the next one is sent.
    server.send("hello");
    client.expect("hello");
    let message = postgres("alice");
    for byte in &message {
        client.send([*byte]);
        server.expect([*byte]);
    }
    assert_eq!(named(&agent, &client)["uid"], "alice");
    agent.counted(&client, message.len() as u64, 5);
}

#[test]
fn a_flood_behind_an_undecided_message_arrives_whole() {
    let upstream = crate::support::Upstream::echo();
    let agent = front(upstream.addr(), "identity = [\"http:X-User\"]");
    let mut client = Peer::connect(agent.only());
    let flood = vec![b'G'; 3 << 20];
    let mut writer = client.another();
    let sent = flood.clone();
    let writing = std::thread::spawn(move || writer.send(sent));
    client.expect(&flood);
    writing.join().unwrap();
    assert!(agent.row(&client)["uid"].is_null());
}

#[test]
fn who_was_assigned_by_hand_stays_who_they_are() {
    let agent = holding(&["identity = [\"postgres\"]"]);
    let mut client = Peer::connect(agent.only());
    agent.assign_with(&client, &json!({ "uid": "operator-said", "tags": { "database": "theirs" } }));
    let message = postgres("alice");
    client.send(&message);
    agent.counted(&client, message.len() as u64, 0);
    let row = agent.row(&client);
    assert_eq!(row["uid"], "operator-said");
    // What else the message says is known all the same, and changes nothing that was said by hand.
    assert_eq!(row["tags"], json!({ "database": "theirs", "application_name": "till" }));
}

#[test]
fn a_network_stands_for_a_user_until_a_rule_finds_one() {
    let agent = holding(&[
        "identity = [\"redis\"]\nnetworks = { \"127.0.0.0/8\" = \"local\", \"127.0.0.1\" = \"self\" }",
        "networks = { \"10.0.0.0/8\" = \"lan\" }",
    ]);
    let mut client = Peer::connect(agent.addr("l0"));
    assert_eq!(named(&agent, &client)["uid"], "self");
    client.send(redis("alice"));
    until("the rule has found the user", || (agent.row(&client)["uid"] == "alice").then_some(()));
    let found = agent.http().get("/v1/connections?where=uid%3Dself").is(200).json();
    assert_eq!(found["matched"], 0, "{found}");
    let elsewhere = Peer::connect(agent.addr("l1"));
    assert!(agent.row(&elsewhere)["uid"].is_null());
}

/// A PROXY header of version 2 from 203.0.113.7:4444 with these values behind the addresses.
fn proxy_header(tlv: &[u8]) -> Vec<u8> {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11".to_vec();
    bytes.extend(u16::try_from(12 + tlv.len()).unwrap().to_be_bytes());
    bytes.extend([203, 0, 113, 7, 127, 0, 0, 1, 17, 92, 0, 80]);
    [&bytes, tlv].concat()
}

#[test]
fn a_proxy_header_names_the_user_and_the_network() {
    let agent = holding(&[
        "accept_proxy_from = [\"127.0.0.0/8\"]\nidentity = [\"proxy\"]\nnetworks = { \"203.0.113.0/24\" = \"lan\" }",
    ]);
    for (tlv, uid) in [(&b"\x02\0\x05alice"[..], "alice"), (&[], "lan")] {
        let mut client = Peer::connect(agent.only());
        client.send(proxy_header(tlv));
        let find = || agent.connections().into_iter().find(|row| row["uid"] == uid);
        let row = until("the header has named the user", find);
        assert_eq!(row["client"], "203.0.113.7:4444");
    }
}

#[test]
fn all_that_a_proxy_header_says_can_be_selected() {
    let accept = "accept_proxy_from = [\"127.0.0.0/8\"]";
    let agent = holding(&[
        &format!("{accept}\nidentity = [\"postgres\", \"proxy:tlv_e4\"]"),
        &format!("{accept}\nidentity = [\"proxy:unique_id\", \"postgres\"]"),
        accept,
    ]);
    let tlv = b"\x02\0\x04h.ex\x05\0\x04id-1\xe4\0\x06tenant\xea\0\x02\x01v";
    let facts = json!({ "authority": "h.ex", "unique_id": "id-1", "tlv_e4": "tenant", "tlv_ea": "0x0176" });
    let mut clients = Vec::new();
    for (listener, uid) in [("l0", json!("tenant")), ("l1", json!("id-1")), ("l2", Value::Null)] {
        let mut client = Peer::connect(agent.addr(listener));
        client.send(proxy_header(tlv));
        let find =
            || agent.connections().into_iter().find(|row| row["listener"] == listener && row["uid"] == uid);
        let row = until("the header has named the user", || find().filter(|row| row["tags"] == facts));
        assert_eq!(row["client"], "203.0.113.7:4444");
        clients.push(client);
    }
    let found = |selector: &str| {
        agent.http().get(&format!("/v1/connections?where={selector}")).is(200).json()["matched"].clone()
    };
    assert_eq!(found("tag.authority%3D%22h.ex%22"), 3);
    assert_eq!(found("tag.tlv_ea%3D%220x0176%22"), 3);
    assert_eq!(found("uid%3Dtenant"), 1);
    // A rule that stands before the header's finds another user, and its labels join those of the header.
    clients[0].send(postgres("ann"));
    let find = || agent.connections().into_iter().find(|row| row["uid"] == "ann");
    let row = until("the rule has found the user", find);
    assert_eq!((&row["tags"]["database"], &row["tags"]["unique_id"]), (&json!("shop"), &json!("id-1")));
    assert_eq!(found("uid%3Dtenant"), 0);
    // One that stands behind it is not asked.
    let message = postgres("ann");
    clients[1].send(&message);
    until("the bytes have passed", || {
        let row = agent.connections().into_iter().find(|row| row["listener"] == "l1").unwrap();
        (row["to_upstream_bytes"] == message.len() as u64).then(|| assert_eq!(row["uid"], "id-1"))
    });
}

#[test]
fn a_user_that_is_found_too_often_loses_the_oldest_or_the_newcomer() {
    for (rule, reason, lost) in [("evict-oldest", "evicted", 0), ("reject", "limit", 2)] {
        let settings = format!("identity = [\"postgres\"]\nmax_per_uid = 2\non_over = \"{rule}\"");
        let agent = holding(&[&settings]);
        let mut clients = Vec::new();
        for _ in 0..3 {
            let mut client = Peer::connect(agent.only());
            client.send(postgres("ann"));
            clients.push(client);
            until("the newcomer is known, and one too many gone", || {
                let (rows, most) = (agent.connections(), clients.len().min(2));
                let is_settled = rows.len() == most && rows.iter().all(|row| row["uid"] == "ann");
                (is_settled && agent.node()["ended"] == clients.len() - most).then_some(())
            });
        }
        clients[lost].ends_with(End::Fin);
        agent.counts("client", reason, 1);
        agent.settled(2);
    }
}
