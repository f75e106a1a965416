//! One direction ends, the other goes on.
use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Peer};

#[test]
fn a_clients_fin_is_passed_on_and_the_answer_still_arrives() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.send("request");
    client.half_close();
    server.expect("request");
    server.ends_with(End::Fin);
    agent.reaches(&client, "half_closed");
    server.send("first ");
    client.expect("first ");
    server.send("second");
    client.expect("second");
    drop(server);
    client.ends_with(End::Fin);
    drop(client);
    agent.settled(0);
    agent.counts("client", "normal", 1);
}

#[test]
fn an_upstreams_fin_is_passed_on_and_the_client_can_still_send() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    server.send("greeting");
    server.half_close();
    client.expect("greeting");
    client.ends_with(End::Fin);
    agent.reaches(&client, "half_closed");
    client.send("last ");
    server.expect("last ");
    client.send("words");
    server.expect("words");
    drop(client);
    server.ends_with(End::Fin);
    drop(server);
    agent.settled(0);
    agent.counts("client", "closed_upstream", 1);
}

#[test]
fn a_fin_before_the_upstream_answers_the_dial_loses_no_byte() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    client.send("request");
    client.half_close();
    let mut server = upstream.accept();
    server.expect("request");
    server.ends_with(End::Fin);
    server.send("answer");
    drop(server);
    client.expect("answer");
    client.ends_with(End::Fin);
}

#[test]
fn an_echo_listener_sends_all_back_and_then_its_fin() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    client.send("one two");
    client.half_close();
    client.expect("one two");
    client.ends_with(End::Fin);
    agent.settled(0);
    assert_eq!(agent.ended("client") + agent.ended("upstream"), 1, "{:?}", agent.endings());
}

#[test]
fn a_hold_listener_says_nothing_and_closes_after_the_client() {
    let agent = Agent::hold();
    let mut client = Peer::connect(agent.only());
    client.send("anyone?");
    agent.settled(1);
    assert!(client.is_quiet());
    client.half_close();
    client.ends_with(End::Fin);
    agent.settled(0);
}

#[test]
fn a_half_closed_connection_can_be_closed_by_the_operator() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.half_close();
    server.ends_with(End::Fin);
    agent.reaches(&client, "half_closed");
    agent.does("close", "both", &client);
    client.ends_with(End::Fin);
    agent.settled(0);
    assert_eq!((agent.ended("client"), agent.ended("upstream")), (1, 1), "{:?}", agent.endings());
}
