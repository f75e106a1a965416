//! The PROXY header, taken from a load balancer and given to an upstream.
use serde_json::json;

use crate::support::until::stays;
use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Peer, Setup, until};

/// A forwarding listener with these settings besides.
fn front(upstream: &ByHand, settings: &str) -> Agent {
    let config = format!(
        "[[listener]]\nname = \"front\"\nmode = \"forward\"\nbind = \"127.0.0.1:0\"\nupstream = [\"{}\"]\n{settings}\n",
        upstream.addr()
    );
    Setup::new().config(config).start()
}

const ACCEPT: &str = "accept_proxy_from = [\"127.0.0.0/8\"]";

/// The binary header: TCP over IPv4, 203.0.113.7:4444 to 127.0.0.1:80.
fn binary() -> Vec<u8> {
    let mut header = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\x00\x0c".to_vec();
    header.extend([203, 0, 113, 7, 127, 0, 0, 1]);
    header.extend(4444_u16.to_be_bytes());
    header.extend(80_u16.to_be_bytes());
    header
}

const TEXT: &str = "PROXY TCP4 203.0.113.7 127.0.0.1 4444 80\r\n";

#[test]
fn the_header_names_the_client_and_is_not_passed_on() {
    for header in [TEXT.as_bytes().to_vec(), binary()] {
        let upstream = ByHand::listen();
        let agent = front(&upstream, ACCEPT);
        let mut client = Peer::connect(agent.only());
        client.send([header.as_slice(), b"hello"].concat());
        let mut server = upstream.accept();
        server.expect("hello");
        server.send("welcome");
        client.expect("welcome");
        let row = agent.settled(1).remove(0);
        assert_eq!(row["client"], "203.0.113.7:4444", "{row}");
        let found = agent.http().get("/v1/connections?where=ip%3D203.0.113.7").is(200).json();
        assert_eq!(found["matched"], 1, "{found}");
    }
}

#[test]
fn a_header_may_come_in_pieces() {
    for header in [TEXT.as_bytes().to_vec(), binary()] {
        let upstream = ByHand::listen();
        let agent = front(&upstream, ACCEPT);
        let mut client = Peer::connect(agent.only());
        for byte in header {
            client.send([byte]);
        }
        client.send("hello");
        upstream.accept().expect("hello");
        assert_eq!(agent.settled(1)[0]["client"], "203.0.113.7:4444");
    }
}

#[test]
fn a_malformed_header_ends_the_connection_and_the_upstream_never_hears_of_it() {
    let upstream = ByHand::listen();
    let agent = front(&upstream, ACCEPT);
    let bad = [
        "GET / HTTP/1.1\r\n\r\n",
        "PROXY TCP4 nobody 127.0.0.1 1 2\r\n",
        "PROXY TCP9 1.1.1.1 2.2.2.2 1 2\r\n",
    ];
    for header in bad {
        let mut client = Peer::connect(agent.only());
        client.send(header);
        let (count, _) = client.end();
        assert_eq!(count, 0, "{header:?}");
    }
    agent.settled(0);
    agent.counts("client", "bad_proxy_header", 3);
    assert!(upstream.is_idle(), "the upstream was dialled");
}

#[test]
fn a_late_header_ends_the_connection() {
    let upstream = ByHand::listen();
    let agent = front(&upstream, &format!("{ACCEPT}\nproxy_timeout = \"300ms\""));
    let mut client = Peer::connect(agent.only());
    client.send("PROXY TCP4 203.0");
    assert_eq!(client.end().0, 0);
    agent.counts("client", "bad_proxy_header", 1);
}

#[test]
fn from_elsewhere_a_header_is_just_bytes() {
    let upstream = ByHand::listen();
    let agent = front(&upstream, "accept_proxy_from = [\"10.0.0.0/8\"]");
    let mut client = Peer::connect(agent.only());
    client.send(TEXT);
    upstream.accept().expect(TEXT);
    assert_eq!(agent.row(&client)["client"], client.local().to_string());
}

#[test]
fn an_upstream_is_told_who_the_client_is() {
    let upstream = ByHand::listen();
    let agent = front(&upstream, "send_proxy = \"v1\"");
    let mut client = Peer::connect(agent.only());
    client.send("hello");
    let mut server = upstream.accept();
    let (from, to) = (client.local().port(), agent.only().port());
    assert_eq!(server.line(), format!("PROXY TCP4 127.0.0.1 127.0.0.1 {from} {to}"));
    server.expect("hello");
    // The header is the agent's own, and not counted.
    agent.counted(&client, 5, 0);
}

#[test]
fn a_client_that_waits_for_its_header_can_be_listed_and_reset() {
    let upstream = ByHand::listen();
    let agent = front(&upstream, &format!("{ACCEPT}\nproxy_timeout = \"1m\""));
    let mut client = Peer::connect(agent.only());
    let row = until("it is listed", || agent.connections().first().cloned());
    stays("it is opening", std::time::Duration::from_millis(50), || {
        agent.connections()[0]["state"] == "opening"
    });
    let request = json!({ "operation": "reset", "items": [{ "conn_id": row["conn_id"] }] });
    assert_eq!(agent.operate(&request).0[0]["status"], "done");
    client.ends_with(crate::support::End::Reset);
}

#[test]
fn what_comes_instead_of_a_header_is_not_answered() {
    let config =
        format!("[[listener]]\nname = \"echo\"\nmode = \"echo\"\nbind = \"127.0.0.1:0\"\n{ACCEPT}\n");
    let agent = Setup::new().config(config).start();
    for wrong in ["hello, is there anybody?", "PROXY TCP4 192.0.2.7 127.0.0.1 no ports\r\nhello"] {
        let mut client = Peer::connect(agent.only());
        client.send(wrong);
        assert_eq!(client.end(), (0, End::Reset), "{wrong:?}");
    }
    agent.counts("client", "bad_proxy_header", 2);
}
