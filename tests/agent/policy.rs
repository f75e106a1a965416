//! Time-outs and limits of a listener, against the wire.
use std::time::{Duration, Instant};

use crate::support::until::stays;
use crate::support::upstream::{ByHand, Upstream};
use crate::support::{Agent, End, Peer, Setup, until};

/// One listener, named `front`, with these settings besides.
fn agent(mode: &str, more: &str) -> Agent {
    let listener = format!("[[listener]]\nname = 'front'\nmode = '{mode}'\nbind = '127.0.0.1:0'\n{more}\n");
    Setup::new().config(listener).start()
}

fn in_front_of(upstream: std::net::SocketAddr, more: &str) -> Agent {
    agent("forward", &format!("upstream = ['{upstream}']\n{more}"))
}

/// The log line of the ending with this reason.
#[track_caller]
fn log_of(agent: &Agent, reason: &str) -> String {
    until(&format!("a log line about {reason}"), || {
        let log = agent.log();
        log.lines().find(|line| line.contains("ended") && line.contains(reason)).map(str::to_owned)
    })
}

#[test]
fn an_idle_connection_is_closed_with_a_fin_on_both_sides() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "idle_timeout = '200ms'\nidle_check_interval = '50ms'");
    let begun = Instant::now();
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    client.ends_with(End::Fin);
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    server.ends_with(End::Fin);
    agent.settled(0);
    agent.counts("client", "inactivity", 1);
    agent.counts("upstream", "inactivity", 1);
    let line = log_of(&agent, "inactivity");
    assert!(line.contains("policy"), "{line}");
}

#[test]
fn bytes_in_either_direction_keep_a_connection() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "idle_timeout = '1500ms'\nidle_check_interval = '50ms'");
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    let begun = Instant::now();
    while begun.elapsed() < Duration::from_millis(2_500) {
        server.send("x");
        client.expect("x");
        std::thread::sleep(Duration::from_millis(100));
    }
    while begun.elapsed() < Duration::from_millis(5_000) {
        client.send("x");
        server.expect("x");
        std::thread::sleep(Duration::from_millis(100));
    }
    client.ends_with(End::Fin);
    agent.counts("client", "inactivity", 1);
}

#[test]
fn showing_a_connection_tells_which_policy_will_end_it_and_when() {
    let agent = agent("echo", "idle_timeout = '1h'\nmax_lifetime = '30m'\ninitial_data_timeout = '10m'");
    let mut client = Peer::connect(agent.only());
    let id = agent.id(&client);
    let shown = || agent.http().get(&format!("/v1/connections/{id}")).is(200).json();
    let left = |shown: &serde_json::Value| shown["time_remaining_ms"].as_u64().unwrap();
    assert_eq!(shown()["ends_by"], "initial_timeout");
    assert!((500_000..=600_000).contains(&left(&shown())), "{}", shown());
    client.send("x");
    client.expect("x");
    agent.counted(&client, 1, 1);
    assert_eq!(shown()["ends_by"], "max_lifetime");
    assert!((1_600_000..=1_890_000).contains(&left(&shown())), "{}", shown());
}

#[test]
fn an_immortal_connection_is_not_ended_by_time() {
    let more = "idle_timeout = '50ms'\nmax_lifetime = '50ms'\nkeep_alive = 'immortal'";
    let agent = agent("echo", more);
    let client = Peer::connect(agent.only());
    let id = agent.id(&client);
    stays("it is there", Duration::from_millis(600), || client.is_quiet());
    let shown = agent.http().get(&format!("/v1/connections/{id}")).is(200).json();
    assert_eq!(shown["ends_by"], serde_json::Value::Null, "{shown}");
    assert_eq!(shown["time_remaining_ms"], serde_json::Value::Null, "{shown}");
    drop(client);
    agent.counts("client", "normal", 1);
}

#[test]
fn an_extended_connection_is_warned_of_and_lasts_six_times_as_long() {
    let agent = agent("hold", "idle_timeout = '500ms'\nkeep_alive = 'extended'");
    let begun = Instant::now();
    let mut client = Peer::connect(agent.only());
    let id = agent.id(&client);
    client.ends_with(End::Fin);
    assert!(begun.elapsed() >= Duration::from_secs(3), "{:?}", begun.elapsed());
    agent.counts("client", "inactivity", 1);
    let log = agent.log();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("will be closed")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("WARN") && warnings[0].contains(&id.to_string()), "{}", warnings[0]);
}

#[test]
fn a_client_that_says_nothing_is_closed_and_one_that_spoke_is_not() {
    let upstream = Upstream::echo();
    let agent = in_front_of(upstream.addr(), "initial_data_timeout = '2s'");
    let mut spoke = Peer::connect(agent.only());
    spoke.send("hello");
    spoke.expect("hello");
    let mut silent = Peer::connect(agent.only());
    silent.ends_with(End::Fin);
    agent.counts("client", "initial_timeout", 1);
    stays("the other one is there", Duration::from_millis(2_500), || spoke.is_quiet());
}

#[test]
fn no_traffic_keeps_a_connection_past_its_lifetime() {
    let agent = agent("echo", "max_lifetime = '500ms'");
    let begun = Instant::now();
    let mut client = Peer::connect(agent.only());
    let writer = client.another();
    let writing = std::thread::spawn(move || {
        while std::io::Write::write_all(&mut writer.stream(), b"x").is_ok() {
            std::thread::sleep(Duration::from_millis(20));
        }
    });
    agent.counts("client", "max_lifetime", 1);
    assert!(begun.elapsed() >= Duration::from_millis(475), "{:?}", begun.elapsed());
    let _ = client.end();
    writing.join().unwrap();
    agent.settled(0);
}

#[test]
fn a_half_closed_connection_lingers_only_for_so_long() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "half_close_linger = '300ms'");
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    stays("it is there while both directions are", Duration::from_millis(700), || client.is_quiet());
    client.half_close();
    server.ends_with(End::Fin);
    let begun = Instant::now();
    client.ends_with(End::Fin);
    assert!(begun.elapsed() >= Duration::from_millis(200), "{:?}", begun.elapsed());
    drop(server);
    agent.settled(0);
    agent.counts("client", "half_close_linger", 1);
}

/// A client at an address of its own.
fn from(local: [u8; 4], addr: std::net::SocketAddr) -> Peer {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None).unwrap();
    socket.bind(&std::net::SocketAddr::from((local, 0)).into()).unwrap();
    socket.connect(&addr.into()).unwrap();
    Peer::from_stream(socket.into())
}

fn rejected(agent: &Agent) -> u64 {
    let rows = agent.http().get("/v1/listeners").is(200).json();
    rows["listeners"][0]["rejected"].as_u64().unwrap_or_else(|| panic!("{rows}"))
}

#[test]
fn one_too_many_is_turned_away_with_a_rst_and_counted() {
    let agent = agent("echo", "max_connections = 2");
    let (mut first, second) = (Peer::connect(agent.only()), Peer::connect(agent.only()));
    agent.settled(2);
    Peer::is_reset_by(agent.only());
    assert_eq!(rejected(&agent), 1);
    let log = until("the refusal is logged", || Some(agent.log()).filter(|log| log.contains("refused")));
    assert!(log.contains("limit") && log.contains("policy"), "{log}");
    first.send("still here");
    first.expect("still here");
    drop(second);
    agent.settled(1);
    let mut third = Peer::connect(agent.only());
    third.send("hello");
    third.expect("hello");
}

#[test]
fn the_agents_limit_is_over_all_listeners() {
    let agent = Setup::new().config("max_connections = 2").echo("one").hold("two").start();
    let _clients = (Peer::connect(agent.addr("one")), Peer::connect(agent.addr("two")));
    agent.settled(2);
    Peer::is_reset_by(agent.addr("one"));
    Peer::is_reset_by(agent.addr("two"));
}

#[test]
fn each_rule_evicts_another_one() {
    for (rule, victim) in [("evict-oldest", 0), ("evict-newest", 2), ("evict-oldest-activity", 1)] {
        let agent = agent("echo", &format!("max_connections = 3\non_over = '{rule}'"));
        let mut clients: Vec<_> = (0..3).map(|_| Peer::connect(agent.only())).collect();
        agent.settled(3);
        std::thread::sleep(Duration::from_millis(20));
        for client in [0, 2] {
            clients[client].send("x");
            clients[client].expect("x");
        }
        let mut newcomer = Peer::connect(agent.only());
        clients.remove(victim).ends_with(End::Fin);
        newcomer.send("in");
        newcomer.expect("in");
        agent.counts("client", "evicted", 1);
        agent.settled(3);
        assert_eq!(rejected(&agent), 0, "{rule}");
        for client in &mut clients {
            client.send("still here");
            client.expect("still here");
        }
    }
}

fn five_hundred_at_once(rule: &str) {
    const CLIENTS: usize = 500;
    const LIMIT: usize = 5;
    let agent = agent("hold", &format!("max_connections = {LIMIT}\non_over = '{rule}'"));
    let (addr, per_thread) = (agent.only(), CLIENTS / 10);
    let threads: Vec<_> = (0..10)
        .map(|_| {
            // A RST may overtake the answer to the dial.
            let dial = move || (0..per_thread).filter_map(|_| Peer::dial(addr).ok()).collect::<Vec<_>>();
            std::thread::spawn(dial)
        })
        .collect();
    let mut samples = 0;
    while threads.iter().any(|thread| !thread.is_finished()) || samples < 5 {
        let rows = agent.connections();
        assert!(rows.len() <= LIMIT, "{} are registered", rows.len());
        samples += 1;
    }
    let clients: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    until("everyone has been let in or turned away", || {
        assert!(agent.connections().len() <= LIMIT);
        let accepted = agent.node()["accepted"].as_u64().unwrap();
        (accepted + rejected(&agent) == CLIENTS as u64).then_some(())
    });
    agent.settled(LIMIT);
    until("all others have been told", || {
        (clients.iter().filter(|client| client.is_quiet()).count() == LIMIT).then_some(())
    });
    agent.settled(LIMIT);
    let node = agent.node();
    let ended = node["accepted"].as_u64().unwrap() - LIMIT as u64;
    assert_eq!(agent.count_of("client", "evicted"), ended, "{:?}", agent.endings());
}

#[test]
fn of_500_clients_at_once_the_limit_is_live_and_never_more_registered() {
    five_hundred_at_once("evict-oldest");
}

#[test]
fn of_500_clients_at_once_under_the_other_rules_the_limit_is_live_too() {
    five_hundred_at_once("evict-newest");
    five_hundred_at_once("evict-oldest-activity");
}

#[test]
fn each_address_has_its_own_places() {
    let agent = agent("echo", "max_per_ip = 2");
    let addr = agent.only();
    let clients: Vec<_> = [[127, 0, 0, 2], [127, 0, 0, 2], [127, 0, 0, 3]].map(|ip| from(ip, addr)).into();
    agent.settled(3);
    from([127, 0, 0, 2], addr).ends_with(End::Reset);
    let mut third = from([127, 0, 0, 3], addr);
    third.send("hello");
    third.expect("hello");
    drop(clients);
    agent.settled(1);
    let mut back = from([127, 0, 0, 2], addr);
    back.send("hello");
    back.expect("hello");
}

#[test]
fn an_address_makes_room_among_its_own() {
    let agent = agent("echo", "max_per_ip = 1\non_over = 'evict-oldest'");
    let (mut first, other) = (from([127, 0, 0, 2], agent.only()), from([127, 0, 0, 3], agent.only()));
    agent.settled(2);
    let mut second = from([127, 0, 0, 2], agent.only());
    first.ends_with(End::Fin);
    second.send("in");
    second.expect("in");
    assert!(other.is_quiet());
    agent.settled(2);
}

#[test]
fn a_proxied_client_is_counted_by_its_own_address() {
    let agent = agent("echo", "max_per_ip = 1\naccept_proxy_from = ['127.0.0.0/8']");
    let proxied = |ip: &str| {
        let mut client = Peer::connect(agent.only());
        client.send(format!("PROXY TCP4 {ip} 192.0.2.9 1000 80\r\n"));
        client
    };
    let clients = (proxied("192.0.2.1"), proxied("192.0.2.2"));
    agent.settled(2);
    proxied("192.0.2.1").ends_with(End::Reset);
    agent.counts("client", "limit", 1);
    drop(clients);
    agent.settled(0);
    let mut back = proxied("192.0.2.1");
    back.send("hello");
    back.expect("hello");
}

#[test]
fn an_address_that_comes_too_often_in_a_minute_is_turned_away() {
    let agent = agent("echo", "connections_per_minute_per_ip = 3\non_over = 'evict-oldest'");
    for _ in 0..3 {
        let mut client = from([127, 0, 0, 2], agent.only());
        client.send("x");
        client.expect("x");
    }
    from([127, 0, 0, 2], agent.only()).ends_with(End::Reset);
    let mut other = from([127, 0, 0, 3], agent.only());
    other.send("x");
    other.expect("x");
    assert_eq!(rejected(&agent), 1);
}

#[test]
fn a_user_with_too_many_loses_the_newcomer_or_the_oldest() {
    for (rule, reason, lost) in [("reject", "limit", 2), ("evict-oldest", "evicted", 0)] {
        let agent = agent("echo", &format!("max_per_uid = 2\non_over = '{rule}'"));
        let mut clients: Vec<_> = (0..3).map(|_| Peer::connect(agent.only())).collect();
        for client in &clients {
            agent.assign(client, "u1");
        }
        clients[lost].ends_with(End::Fin);
        agent.counts("client", reason, 1);
        agent.settled(2);
    }
}
