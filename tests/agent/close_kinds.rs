//! What the peers see of `close`, `reset` and `halfclose`, by their own `recv`.
use rustix::event::{PollFd, PollFlags, poll};
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::upstream::ByHand;
use crate::support::{Agent, End, LIMIT, Peer, Setup};

/// A relayed connection with both ends in hand, after a byte has passed each way.
fn relayed() -> (Agent, Peer, Peer) {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.send("a");
    server.expect("a");
    server.send("b");
    client.expect("b");
    (agent, client, server)
}

fn wire<'a>(item: &'a Value, side: &str) -> &'a Value {
    &item["wire"][side]
}

/// The end of a connection is counted once on each side, for one reason.
fn ended_once(agent: &Agent, reason: &str) {
    agent.settled(0);
    agent.counts("client", reason, 1);
    agent.counts("upstream", reason, 1);
    assert_eq!((agent.ended("client"), agent.ended("upstream")), (1, 1), "{:?}", agent.endings());
}

#[test]
fn close_of_both_sides_sends_each_a_fin() {
    let (agent, mut client, mut server) = relayed();
    let item = agent.does("close", "both", &client);
    client.ends_with(End::Fin);
    server.ends_with(End::Fin);
    for side in ["client", "upstream"] {
        assert_eq!(wire(&item, side)["fin_sent"], true, "{item}");
        assert_eq!(wire(&item, side)["rst_sent"], false, "{item}");
    }
    ended_once(&agent, "operator_close");
}

#[test]
fn reset_of_both_sides_sends_each_a_rst() {
    let (agent, mut client, mut server) = relayed();
    let item = agent.does("reset", "both", &client);
    client.ends_with(End::Reset);
    server.ends_with(End::Reset);
    for side in ["client", "upstream"] {
        assert_eq!(wire(&item, side)["rst_sent"], true, "{item}");
        assert_eq!(wire(&item, side)["fin_sent"], false, "{item}");
    }
    ended_once(&agent, "operator_reset");
}

#[test]
fn close_of_the_client_side_sends_the_client_a_fin_and_no_rst_to_the_upstream() {
    let (agent, mut client, mut server) = relayed();
    let item = agent.does("close", "client", &client);
    client.ends_with(End::Fin);
    assert_eq!(wire(&item, "client")["fin_sent"], true, "{item}");
    drop(client);
    server.ends_with(End::Fin);
    ended_once(&agent, "operator_close");
}

#[test]
fn close_of_the_upstream_side_sends_the_upstream_a_fin_and_no_rst_to_the_client() {
    let (agent, mut client, mut server) = relayed();
    let item = agent.does("close", "upstream", &client);
    server.ends_with(End::Fin);
    assert_eq!(wire(&item, "upstream")["fin_sent"], true, "{item}");
    drop(server);
    client.ends_with(End::Fin);
    ended_once(&agent, "operator_close");
}

#[test]
fn reset_of_the_client_side_sends_the_client_a_rst_and_the_upstream_a_fin() {
    let (agent, mut client, mut server) = relayed();
    let item = agent.does("reset", "client", &client);
    client.ends_with(End::Reset);
    server.ends_with(End::Fin);
    assert_eq!(wire(&item, "client")["rst_sent"], true, "{item}");
    ended_once(&agent, "operator_reset");
}

#[test]
fn reset_of_the_upstream_side_sends_the_upstream_a_rst_and_the_client_a_fin() {
    let (agent, mut client, mut server) = relayed();
    let item = agent.does("reset", "upstream", &client);
    server.ends_with(End::Reset);
    client.ends_with(End::Fin);
    assert_eq!(wire(&item, "upstream")["rst_sent"], true, "{item}");
    ended_once(&agent, "operator_reset");
}

#[test]
fn halfclose_sends_the_client_a_fin_and_still_reads_from_it() {
    let (agent, mut client, mut server) = relayed();
    let item = agent.does("halfclose", "client", &client);
    client.ends_with(End::Fin);
    assert_eq!(wire(&item, "client")["fin_sent"], true, "{item}");
    agent.reaches(&client, "half_closed");
    client.send("still here");
    server.expect("still here");
    client.half_close();
    server.ends_with(End::Fin);
    drop(server);
    ended_once(&agent, "operator_halfclose");
}

#[test]
fn halfclose_of_the_upstream_side_sends_it_a_fin_and_still_reads_from_it() {
    let (agent, mut client, mut server) = relayed();
    agent.does("halfclose", "upstream", &client);
    server.ends_with(End::Fin);
    agent.reaches(&client, "half_closed");
    server.send("still here");
    client.expect("still here");
    drop(server);
    client.ends_with(End::Fin);
    drop(client);
    ended_once(&agent, "operator_halfclose");
}

#[test]
fn halfclose_of_both_sides_sends_both_a_fin_and_ends_when_both_have_closed() {
    let (agent, mut client, mut server) = relayed();
    agent.does("halfclose", "both", &client);
    client.ends_with(End::Fin);
    server.ends_with(End::Fin);
    assert_eq!(agent.connections().len(), 1);
    drop((client, server));
    ended_once(&agent, "operator_halfclose");
}

#[test]
fn reset_after_halfclose_sends_a_rst() {
    let (agent, mut client, mut server) = relayed();
    agent.does("halfclose", "client", &client);
    client.ends_with(End::Fin);
    agent.does("reset", "both", &client);
    server.ends_with(End::Reset);
    // The client has read its FIN, so `recv` says nothing more; its `send` does.
    crate::support::until("the client cannot send any more", || {
        std::io::Write::write(&mut client.stream(), b"x").is_err().then_some(())
    });
    agent.settled(0);
    assert_eq!((agent.ended("client"), agent.ended("upstream")), (1, 1), "{:?}", agent.endings());
}

#[test]
fn close_after_halfclose_ends_the_connection() {
    let (agent, mut client, mut server) = relayed();
    agent.does("halfclose", "client", &client);
    client.ends_with(End::Fin);
    agent.does("close", "both", &client);
    server.ends_with(End::Fin);
    agent.settled(0);
}

#[test]
fn close_is_forced_after_the_grace_when_a_peer_never_reads() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let client = Peer::with_small_window(agent.only());
    let mut server = upstream.accept();
    server.fill();
    let id = agent.id(&client);
    let start = std::time::Instant::now();
    let (items, _) =
        agent.operate(&json!({ "operation": "close", "grace_ms": 300, "items": [{ "conn_id": id }] }));
    assert!(start.elapsed().as_millis() >= 300, "the grace was not given: {items:?}");
    assert_eq!(wire(&items[0], "client")["forced"], true, "{items:?}");
    assert!(wire(&items[0], "client")["dropped_bytes"].as_u64().unwrap() > 0, "{items:?}");
    agent.settled(0);
    let mut client = client;
    assert_eq!(client.end().1, End::Reset, "a cut connection must not look like a whole one");
}

#[test]
fn close_delivers_what_is_pending_before_its_fin() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let client = Peer::with_small_window(agent.only());
    let mut server = upstream.accept();
    let sent = server.fill();
    let reader = {
        let mut client = client.another();
        std::thread::spawn(move || client.end())
    };
    let item = agent.does("close", "client", &client);
    let (received, end) = reader.join().unwrap();
    assert_eq!(end, End::Fin, "{item}");
    // What the upstream's own kernel still held when the close came was never accepted by the agent.
    assert!(received > 0 && received <= sent, "{received} of {sent}");
    assert_eq!(wire(&item, "client")["dropped_bytes"], 0, "{item}");
    assert!(client.stream().peek(&mut [0]).is_ok_and(|count| count == 0));
}

#[test]
fn close_delivers_what_a_client_has_sent_before_it_was_closed() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.send(vec![b'x'; 100_000]);
    let reader = std::thread::spawn(move || server.end());
    crate::support::until("all bytes are relayed", || {
        (agent.row(&client)["to_upstream_bytes"] == 100_000).then_some(())
    });
    agent.does("close", "both", &client);
    assert_eq!(reader.join().unwrap(), (100_000, End::Fin));
    client.ends_with(End::Fin);
}

#[test]
fn reset_discards_what_is_pending() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::with_small_window(agent.only());
    let mut server = upstream.accept();
    let sent = server.fill();
    agent.does("reset", "both", &client);
    let (received, end) = client.end();
    assert_eq!(end, End::Reset);
    assert!(received < sent, "{received} of {sent}");
    assert_eq!(server.end().1, End::Reset);
}

#[test]
fn echo_and_hold_end_by_fin_or_rst_as_asked_and_count_once() {
    for (operation, end, reason) in
        [("close", End::Fin, "operator_close"), ("reset", End::Reset, "operator_reset")]
    {
        for agent in [Agent::echo(), Agent::hold()] {
            let mut client = Peer::connect(agent.only());
            agent.does(operation, "both", &client);
            client.ends_with(end);
            agent.counts("client", reason, 1);
            assert_eq!(agent.endings().iter().map(|(_, _, count)| count).sum::<u64>(), 1);
        }
    }
}

#[test]
fn a_connection_that_has_ended_is_not_found_and_nothing_else_is_touched() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    let mut bystander = Peer::connect(agent.only());
    let id = agent.id(&client);
    agent.id(&bystander);
    agent.does("close", "both", &client);
    client.ends_with(End::Fin);
    let (items, summary) = agent.operate(&json!({ "operation": "close", "items": [{ "conn_id": id }] }));
    assert_eq!(items[0]["status"], "not_found", "{items:?}");
    assert!(items[0]["error"].is_string(), "{items:?}");
    assert_eq!((&summary["requested"], &summary["done"]), (&json!(1), &json!(0)));
    bystander.send("ok");
    bystander.expect("ok");
}

#[test]
fn an_item_with_anothers_uid_is_not_touched() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    let id = agent.assign(&client, "u1");
    let item = json!({ "conn_id": id, "uid": "u2" });
    let (items, _) = agent.operate(&json!({ "operation": "close", "items": [item] }));
    assert_eq!(items[0]["status"], "not_found", "{items:?}");
    client.send("ok");
    client.expect("ok");
}

#[test]
fn a_connection_is_gone_from_the_list_when_its_close_is_answered() {
    let agent = Agent::echo();
    for _ in 0..50 {
        let client = Peer::connect(agent.only());
        agent.does("close", "both", &client);
        assert_eq!(agent.connections(), Vec::<Value>::new());
    }
}

#[test]
fn where_many_are_closed_every_client_has_its_fin_before_the_first_upstream() {
    let upstream = ByHand::listen();
    let agent = Setup::new().forward("many", upstream.addr()).config("threads = 1").start();
    let dialled = (0..600).map(|_| (Peer::connect(agent.only()), upstream.accept()));
    let (mut clients, servers): (Vec<_>, Vec<_>) = dialled.unzip();
    agent.settled(600);
    let http = agent.http();
    let closing = std::thread::spawn(move || {
        http.post("/v1/operations", &json!({ "operation": "close", "where": "all", "grace_ms": 60_000 }))
            .is(200)
            .json_lines()
    });
    let mut polled: Vec<_> =
        servers.iter().map(|server| PollFd::new(server.stream(), PollFlags::IN)).collect();
    assert!(poll(&mut polled, Some(&LIMIT.try_into().unwrap())).unwrap() > 0, "no upstream sees its end");
    // What the agent has not sent by now it does not send; what it has sent still arrives.
    agent.signal(Signal::STOP);
    for client in &mut clients {
        client.ends_with(End::Fin);
    }
    agent.signal(Signal::CONT);
    drop(polled);
    drop((clients, servers));
    let lines = closing.join().unwrap();
    assert_eq!(lines.last().unwrap()["summary"]["done"], 600);
}

#[test]
fn what_comes_after_a_half_close_reaches_nobody_and_is_not_counted() {
    let (agent, mut client, mut server) = relayed();
    agent.does("halfclose", "client", &client);
    client.ends_with(End::Fin);
    server.send("too late");
    drop((server, client));
    agent.settled(0);
    let history = agent.http().get("/v1/history").is(200).json();
    let row = &history["connections"][0];
    assert_eq!((&row["to_upstream_bytes"], &row["to_client_bytes"]), (&json!(1), &json!(1)), "{row}");
}

/// A client that reads nothing and a connection whose bytes for it are all in the agent's socket, behind which
/// a FIN would have to wait.
fn stuck() -> (Agent, Peer, Peer) {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let client = Peer::with_small_window(agent.only());
    let mut server = upstream.accept();
    server.send(vec![b'x'; 60_000]);
    crate::support::until("all is written", || {
        (agent.row(&client)["to_client_bytes"] == 60_000).then_some(())
    });
    (agent, client, server)
}

#[test]
fn a_fin_behind_what_a_peer_does_not_take_is_not_called_sent() {
    let (agent, mut client, _server) = stuck();
    let item = json!({ "conn_id": agent.id(&client) });
    let request = json!({ "operation": "halfclose", "side": "client", "grace_ms": 200, "items": [item] });
    let (items, _) = agent.operate(&request);
    assert_eq!(items[0]["status"], "timed_out", "{items:?}");
    assert_eq!(wire(&items[0], "client")["fin_sent"], false, "{items:?}");
    assert_eq!(client.end(), (60_000, End::Fin));
    let done = agent.does("halfclose", "client", &client);
    assert_eq!(wire(&done, "client")["fin_acked"], true, "{done}");
}

#[test]
fn a_forced_close_tells_of_the_rst_alone_where_no_fin_went_out() {
    let (agent, mut client, _server) = stuck();
    let item = json!({ "conn_id": agent.id(&client) });
    let (items, _) = agent.operate(&json!({ "operation": "close", "grace_ms": 200, "items": [item] }));
    let seen = wire(&items[0], "client");
    assert_eq!((&seen["fin_sent"], &seen["rst_sent"]), (&json!(false), &json!(true)), "{items:?}");
    assert_eq!(client.end().1, End::Reset);
}

#[test]
fn a_reset_that_overtakes_a_close_tells_of_the_fin_before_it() {
    let (agent, mut client, mut server) = relayed();
    let id = agent.id(&client);
    let ask = |operation: &str| {
        agent.operate(&json!({ "operation": operation, "grace_ms": 60_000, "items": [{ "conn_id": id }] }))
    };
    std::thread::scope(|scope| {
        // Neither peer closes, so it would take its grace.
        let close = scope.spawn(|| ask("close"));
        client.ends_with(End::Fin);
        server.ends_with(End::Fin);
        let (reset, _) = ask("reset");
        let (close, _) = close.join().unwrap();
        for (item, side) in [(&close[0], "client"), (&close[0], "upstream"), (&reset[0], "client")] {
            let seen = wire(item, side);
            assert_eq!((&seen["fin_sent"], &seen["rst_sent"]), (&json!(true), &json!(true)), "{item}");
        }
    });
    ended_once(&agent, "operator_close");
}

#[test]
fn the_history_of_a_half_closed_connection_has_the_fin_of_each_side() {
    let (agent, mut client, mut server) = relayed();
    let id = agent.id(&client);
    agent.does("halfclose", "client", &client);
    client.ends_with(End::Fin);
    client.half_close();
    server.ends_with(End::Fin);
    drop(server);
    agent.settled(0);
    let why = agent.http().get(&format!("/v1/connections/{id}/why")).is(200).json();
    let ended = &why["ended"];
    assert_eq!(ended["reason"], "operator_halfclose", "{why}");
    for side in ["client", "upstream"] {
        assert_eq!(wire(ended, side)["fin_sent"], true, "{side}: {why}");
    }
}
