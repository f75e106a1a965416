//! The instruments measured: what the helpers say about plain sockets, with no agent between.
use std::io::ErrorKind;

use crate::support::pattern::Pattern;
use crate::support::service::{Service, have, psql, redis_cli};
use crate::support::upstream::{ByHand, Refusing, Unanswering, Upstream};
use crate::support::{End, LIMIT, Peer, until};

fn pair() -> (Peer, Peer) {
    let listener = ByHand::listen();
    let client = Peer::connect(listener.addr());
    (client, listener.accept())
}

#[test]
fn a_peer_tells_fin_from_rst() {
    let (mut client, server) = pair();
    drop(server);
    client.ends_with(End::Fin);
    let (mut client, server) = pair();
    server.reset();
    client.ends_with(End::Reset);
    let (mut client, mut server) = pair();
    server.send("abc");
    server.reset();
    assert_eq!(client.end(), (3, End::Reset));
}

#[test]
fn a_peer_is_quiet_until_something_comes() {
    let (client, mut server) = pair();
    assert!(client.is_quiet());
    server.send("x");
    until("it arrives", || (!client.is_quiet()).then_some(()));
    let (client, server) = pair();
    drop(server);
    until("the FIN arrives", || (!client.is_quiet()).then_some(()));
}

#[test]
fn a_half_closed_peer_still_receives() {
    let (mut client, mut server) = pair();
    client.half_close();
    server.ends_with(End::Fin);
    server.send("answer");
    client.expect("answer");
}

#[test]
fn a_small_window_fills() {
    let listener = ByHand::listen();
    let mut client = Peer::with_small_window(listener.addr());
    let mut server = listener.accept();
    let sent = server.fill();
    assert!(sent > 1000, "{sent}");
    drop(server);
    assert_eq!(client.end(), (sent, End::Fin));
}

#[test]
fn a_pattern_sees_a_lost_and_a_changed_byte() {
    let mut bytes = Vec::new();
    Pattern::default().write(&mut bytes, 200_000).unwrap();
    let check = |bytes: Vec<u8>| std::panic::catch_unwind(move || Pattern::default().check(&bytes));
    assert!(check(bytes.clone()).is_ok());
    let mut lost = bytes.clone();
    lost.remove(100_000);
    assert!(check(lost).is_err());
    bytes[150_000] ^= 1;
    assert!(check(bytes).is_err());
}

#[test]
fn upstreams_are_bad_each_in_its_own_way() {
    assert_eq!(Peer::dial(Refusing::new().addr()).unwrap_err().kind(), ErrorKind::ConnectionRefused);
    let echo = Upstream::echo();
    let mut client = Peer::connect(echo.addr());
    client.send("hello");
    client.half_close();
    assert_eq!(client.end(), (5, End::Fin));
    let source = Upstream::source(1000);
    assert_eq!(Peer::connect(source.addr()).end(), (1000, End::Fin));
    let sink = Upstream::sink();
    let mut client = Peer::connect(sink.addr());
    client.send("hello");
    client.half_close();
    client.ends_with(End::Fin);
    let reset = Upstream::reset();
    Peer::is_reset_by(reset.addr());
    let silent = Upstream::silent();
    let mut client = Peer::connect(silent.addr());
    client.send("hello");
    until("it is accepted", || (silent.accepted() == 1).then_some(()));
    assert!(client.is_quiet());
}

#[test]
fn an_unanswering_address_does_not_answer() {
    let unanswering = Unanswering::new();
    let dial =
        std::net::TcpStream::connect_timeout(&unanswering.addr(), std::time::Duration::from_millis(700));
    assert_eq!(dial.unwrap_err().kind(), ErrorKind::TimedOut);
}

#[test]
fn the_real_servers_start_and_answer() {
    if have(&["redis-server", "redis-cli"]) {
        let redis = Service::redis();
        assert_eq!(redis_cli(redis.addr(), &["PING"], "").finish(LIMIT).ok().stdout.trim(), "PONG");
    }
    if have(&["nats-server"]) {
        assert!(Peer::connect(Service::nats().addr()).line().starts_with("INFO {"));
    }
    if have(&["postgres", "initdb", "psql"]) {
        let postgres = Service::postgres();
        assert_eq!(psql(postgres.addr(), &["-c", "select 1"]).finish(LIMIT).ok().stdout.trim(), "1");
    }
}
