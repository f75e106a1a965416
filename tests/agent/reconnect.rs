//! An upstream that goes away while its client stays: health, redial, idle close and fresh dials.
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::until::stays;
use crate::support::upstream::{ByHand, Refusing, Unanswering, Upstream};
use crate::support::{Agent, End, LIMIT, Peer, Setup, until};

/// One listener named `front` with these upstreams, in this order, and these keys.
fn front(upstreams: &[std::net::SocketAddr], keys: &str) -> Agent {
    let list: Vec<_> = upstreams.iter().map(|addr| format!("\"{addr}\"")).collect();
    let config = format!(
        "[[listener]]\nname = \"front\"\nmode = \"forward\"\nbind = \"127.0.0.1:0\"\nupstream = [{}]\n{keys}\n",
        list.join(", ")
    );
    Setup::new().config(config).start()
}

/// The upstreams as the listener shows them.
fn shown(agent: &Agent) -> Vec<Value> {
    let row = agent.http().get("/v1/listeners/front").is(200).json();
    row["upstreams"].as_array().expect("upstreams").clone()
}

#[test]
fn a_listener_shows_how_its_upstreams_are() {
    let (refusing, good, spare) = (Refusing::new(), Upstream::echo(), Upstream::echo());
    let agent = front(&[refusing.addr(), good.addr(), spare.addr()], "");
    assert!(shown(&agent).iter().all(|one| one["state"] == "untried" && one["since"].is_null()));
    let mut client = Peer::connect(agent.only());
    client.send("hello");
    client.expect("hello");
    let rows = shown(&agent);
    let names: Vec<_> = rows.iter().map(|row| row["upstream"].as_str().unwrap().to_owned()).collect();
    assert_eq!(names, [refusing.addr(), good.addr(), spare.addr()].map(|addr| addr.to_string()));
    let states: Vec<_> = rows.iter().map(|row| (&row["state"], &row["last_error"])).collect();
    let (down, why) = (json!("down"), json!("econnrefused"));
    assert_eq!(states, [(&down, &why), (&json!("up"), &Value::Null), (&json!("untried"), &Value::Null)]);
    assert!(rows[0]["since"].is_string() && rows[1]["since"].is_string() && rows[2]["since"].is_null());
    // It is dialled again once its time is over, and found to be back.
    let back = refusing.listens();
    until("the first upstream is used again", || {
        let client = Peer::connect(agent.only());
        (agent.row(&client)["upstream"] == back.addr().to_string()).then_some(())
    });
    assert_eq!(shown(&agent)[0]["state"], "up");
    assert_eq!(shown(&agent)[0]["last_error"], Value::Null);
}

#[test]
fn an_upstream_that_does_not_answer_holds_up_the_first_client_only() {
    let (dead, good) = (Unanswering::new(), Upstream::echo());
    let agent = front(&[dead.addr(), good.addr()], "dial_timeout = \"60s\"");
    let _first = Peer::connect(agent.only());
    // The kernel gives up no sooner than the dial's limit, so the first one waits until it is closed.
    let id = until("it is listed", || agent.connections().first().map(|row| row["conn_id"].clone()));
    agent.operate(&json!({ "operation": "close", "items": [{ "conn_id": id }] }));
    agent.settled(0);
    assert_eq!(shown(&agent)[0]["state"], "untried", "nobody has found out");
    let agent = front(&[dead.addr(), good.addr()], "dial_timeout = \"300ms\"");
    for turn in 0..20 {
        let mut client = Peer::connect(agent.only());
        client.send("hello");
        client.expect("hello");
        assert_eq!(shown(&agent)[0]["state"], "down", "{turn}");
    }
    assert_eq!(shown(&agent)[0]["last_error"], "etimedout");
}

/// Accepts and ends at once.
fn leaving() -> Upstream {
    Upstream::serve(drop)
}

#[test]
fn a_client_that_has_sent_nothing_is_dialled_to_the_next_upstream() {
    for bad in [leaving(), Upstream::reset()] {
        let good = Upstream::echo();
        let agent = front(&[bad.addr(), good.addr()], "redial = true");
        let mut client = Peer::connect(agent.only());
        until("it has the good one", || {
            let rows = agent.connections();
            rows.iter()
                .any(|row| row["upstream"] == good.addr().to_string() && row["state"] == "active")
                .then_some(())
        });
        client.send("hello");
        client.expect("hello");
        agent.counted(&client, 5, 5);
        assert!(bad.accepted() >= 1);
    }
}

#[test]
fn a_single_upstream_that_leaves_at_once_is_dialled_again_until_the_dial_timeout() {
    for (bad, reason) in [(leaving(), "closed_upstream"), (Upstream::reset(), "econnreset")] {
        let agent = front(&[bad.addr()], "redial = true\ndial_timeout = \"500ms\"");
        let mut client = Peer::connect(agent.only());
        assert_eq!(client.end().0, 0);
        drop(client);
        agent.settled(0);
        assert!((2..100).contains(&bad.accepted()), "{} dials", bad.accepted());
        agent.counts("upstream", reason, 1);
        assert_eq!(agent.ended("client"), 1);
    }
}

#[test]
fn an_upstream_that_is_started_within_the_dial_timeout_is_reached() {
    let refusing = Refusing::new();
    let agent = front(&[refusing.addr()], "redial = true\ndial_timeout = \"60s\"");
    let mut client = Peer::connect(agent.only());
    client.send("early");
    agent.reaches(&client, "opening");
    until("it has been refused", || (shown(&agent)[0]["state"] == "down").then_some(()));
    let upstream = refusing.listens();
    let mut server = upstream.accept();
    server.expect("early");
    server.send("late");
    client.expect("late");
}

#[test]
fn without_redial_and_after_a_byte_the_end_is_passed_on() {
    let upstream = ByHand::listen();
    let agent = front(&[upstream.addr()], "");
    let mut client = Peer::connect(agent.only());
    drop(upstream.accept());
    client.ends_with(End::Fin);
    let agent = front(&[upstream.addr()], "redial = true");
    for is_from_client in [true, false] {
        let mut client = Peer::connect(agent.only());
        let mut server = upstream.accept();
        if is_from_client {
            client.send("x");
            server.expect("x");
        } else {
            server.send("x");
            client.expect("x");
        }
        server.reset();
        client.ends_with(End::Reset);
        assert!(upstream.is_idle());
    }
}

const FRESH: &str = "reconnect = \"fresh\"\nupstream_idle_timeout = \"100ms\"";

/// A connection whose upstream was closed for being idle; it had said hello.
fn parked(agent: &Agent, upstream: &ByHand) -> Peer {
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.send("hello");
    server.expect("hello");
    server.ends_with(End::Fin);
    is_parked(agent, &client);
    client
}

fn is_parked(agent: &Agent, client: &Peer) {
    let row = agent.row(client);
    assert_eq!((&row["state"], &row["upstream"]), (&json!("active"), &Value::Null), "{row}");
    let id = row["conn_id"].as_u64().unwrap();
    let detail = agent.http().get(&format!("/v1/connections/{id}")).is(200).json();
    assert!(detail["sides"]["upstream"].is_null() && detail["sides"]["client"].is_object(), "{detail}");
    assert!(client.is_quiet());
}

#[test]
fn an_idle_upstream_is_closed_and_dialled_again_for_the_clients_next_byte() {
    let upstream = ByHand::listen();
    let agent = front(&[upstream.addr()], FRESH);
    let mut client = parked(&agent, &upstream);
    let id = agent.id(&client);
    for turn in 1..=5 {
        let (ask, answer) = (format!("ask {turn}"), format!("answer {turn}"));
        client.send(&ask);
        let mut server = upstream.accept();
        server.expect(&ask);
        server.send(&answer);
        client.expect(&answer);
        let row = agent.counted(&client, 5 + 5 * turn, 8 * turn);
        assert_eq!(row["conn_id"], id);
        server.ends_with(End::Fin);
        is_parked(&agent, &client);
    }
    let sockets = agent.open_of("socket:");
    drop(client);
    agent.settled(0);
    until("its socket is closed", || (agent.open_of("socket:") < sockets).then_some(()));
    agent.counts("client", "normal", 1);
    assert!(upstream.is_idle(), "a client that left needs no upstream");
}

#[test]
fn what_a_client_sends_with_its_end_reaches_the_upstream_that_was_closed() {
    let upstream = ByHand::listen();
    let agent = front(&[upstream.addr()], FRESH);
    let mut client = parked(&agent, &upstream);
    let big = vec![b'b'; 300_000];
    let mut other = client.another();
    let sender = std::thread::spawn({
        let big = big.clone();
        move || {
            other.send(&big);
            other.half_close();
        }
    });
    let mut server = upstream.accept();
    let mut got = Vec::new();
    assert_eq!(server.end_with(|piece| got.extend_from_slice(piece)), (300_000, End::Fin));
    assert!(got == big, "bytes came changed");
    server.send("bye");
    drop(server);
    client.expect("bye");
    client.ends_with(End::Fin);
    sender.join().unwrap();
    agent.settled(0);
    agent.counts("client", "normal", 1);
}

#[test]
fn every_operation_works_while_the_upstream_is_closed() {
    let upstream = ByHand::listen();
    let agent = front(&[upstream.addr()], FRESH);
    for (operation, end, reason) in
        [("close", End::Fin, "operator_close"), ("reset", End::Reset, "operator_reset")]
    {
        let mut client = parked(&agent, &upstream);
        let item = agent.does(operation, "both", &client);
        assert_eq!(item["wire"]["upstream"], Value::Null, "{item}");
        client.ends_with(end);
        agent.settled(0);
        agent.counts("client", reason, 1);
    }
    let mut client = parked(&agent, &upstream);
    let item = agent.does("halfclose", "client", &client);
    assert_eq!(
        (&item["wire"]["fin_sent"], &item["wire"]["fin_acked"]),
        (&json!(true), &json!(true)),
        "{item}"
    );
    client.ends_with(End::Fin);
    client.send("still");
    let mut server = upstream.accept();
    server.expect("still");
    drop((client, server));
    agent.settled(0);
    let mut client = parked(&agent, &upstream);
    agent.does("pause", "client", &client);
    client.send("held");
    agent.reaches(&client, "paused");
    stays("nobody is dialled", Duration::from_millis(300), || upstream.is_idle());
    agent.does("resume", "client", &client);
    upstream.accept().expect("held");
    let request = json!({ "operation": "halfclose", "side": "upstream", "where": "all" });
    let client = parked(&agent, &upstream);
    let id = agent.id(&client);
    let (items, _) = agent.operate(&request);
    let item = items.iter().find(|item| item["conn_id"] == id).unwrap();
    assert_eq!(item["status"], "failed", "there is no socket on that side: {item}");
}

#[test]
fn a_client_that_resets_while_the_upstream_is_closed_is_gone() {
    let upstream = ByHand::listen();
    let agent = front(&[upstream.addr()], FRESH);
    parked(&agent, &upstream).reset();
    agent.settled(0);
    agent.counts("client", "econnreset", 1);
    assert!(upstream.is_idle());
}

#[test]
fn a_dial_that_fails_then_ends_the_client_as_a_failed_dial_does() {
    let upstream = ByHand::listen();
    let agent = front(&[upstream.addr()], FRESH);
    let mut client = parked(&agent, &upstream);
    drop(upstream);
    client.send("anyone?");
    assert_eq!(client.end().0, 0);
    agent.settled(0);
    agent.counts("upstream", "econnrefused", 1);
    agent.counts("client", "closed_upstream", 1);
}

#[test]
fn an_upstream_is_not_closed_while_something_is_under_way() {
    let upstream = ByHand::listen();
    let agent = front(&[upstream.addr()], "reconnect = \"fresh\"\nupstream_idle_timeout = \"2s\"");
    let mut full = Peer::with_small_window(agent.only());
    let mut filling = upstream.accept();
    let sent = filling.fill();
    let mut paused = Peer::connect(agent.only());
    let mut waiting = upstream.accept();
    agent.does("pause", "client", &paused);
    let mut half = Peer::connect(agent.only());
    let mut answering = upstream.accept();
    half.half_close();
    answering.ends_with(End::Fin);
    let mut idle = Peer::connect(agent.only());
    upstream.accept().ends_with(End::Fin);
    stays("no other is closed", Duration::from_secs(1), || filling.is_quiet() && waiting.is_quiet());
    agent.does("resume", "client", &paused);
    paused.send("on");
    waiting.expect("on");
    answering.send("late");
    half.expect("late");
    drop(filling);
    assert_eq!(full.end().0, sent);
    idle.send("again");
    upstream.accept().expect("again");
}

#[test]
fn a_stop_ends_connections_without_an_upstream_too() {
    let upstream = ByHand::listen();
    let mut agent = front(&[upstream.addr()], FRESH);
    let mut client = parked(&agent, &upstream);
    assert_eq!(agent.terminate(LIMIT), Some(0));
    client.ends_with(End::Fin);
}

#[test]
fn nothing_is_dialled_again_for_a_user_who_is_revoked() {
    let refusing = Refusing::new();
    let agent = front(&[refusing.addr()], "redial = true\ndial_timeout = \"60s\"\nidentity = [\"redis\"]");
    agent.http().post("/v1/revocations", &json!({ "uid": "alice" })).is(200);
    let mut client = Peer::connect(agent.only());
    client.send("*3\r\n$4\r\nAUTH\r\n$5\r\nalice\r\n$6\r\ns3cret\r\n");
    until("it has been refused", || (shown(&agent)[0]["state"] == "down").then_some(()));
    let upstream = refusing.listens();
    // No byte has passed, so that this upstream's end alone would be a reason to dial the next.
    upstream.accept().ends_with(End::Reset);
    client.ends_with(End::Reset);
    agent.settled(0);
    assert!(upstream.is_idle());
    agent.counts("client", "revoked", 1);
}
