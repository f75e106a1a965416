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
fn an_immortal_connection_is_not_ended_by_time() {
    let more = "idle_timeout = '50ms'\nmax_lifetime = '50ms'\nkeep_alive = 'immortal'";
    let agent = agent("echo", more);
    let client = Peer::connect(agent.only());
    let id = agent.id(&client);
    stays("it is there", Duration::from_millis(600), || client.is_quiet());
    let shown = agent.http().get(&format!("/v1/connections/{id}")).is(200).json();
    assert_eq!(shown["conn_id"], id);
    drop(client);
    agent.counts("client", "normal", 1);
}

#[test]
fn an_extended_connection_is_warned_of_and_lasts_six_times_as_long() {
    let agent = agent("hold", "idle_timeout = '100ms'\nkeep_alive = 'extended'");
    let begun = Instant::now();
    let mut client = Peer::connect(agent.only());
    let id = agent.id(&client);
    client.ends_with(End::Fin);
    assert!(begun.elapsed() >= Duration::from_millis(600), "{:?}", begun.elapsed());
    agent.counts("client", "inactivity", 1);
    let log = agent.log();
    let warnings: Vec<_> = log.lines().filter(|line| line.contains("will be closed")).collect();
    assert_eq!(warnings.len(), 1, "{log}");
    assert!(warnings[0].contains("WARN") && warnings[0].contains(&id.to_string()), "{}", warnings[0]);
}

#[test]
fn a_client_that_says_nothing_is_closed_and_one_that_spoke_is_not() {
    let upstream = Upstream::echo();
    let agent = in_front_of(upstream.addr(), "initial_data_timeout = '400ms'");
    let mut spoke = Peer::connect(agent.only());
    spoke.send("hello");
    spoke.expect("hello");
    let mut silent = Peer::connect(agent.only());
    silent.ends_with(End::Fin);
    agent.counts("client", "initial_timeout", 1);
    stays("the other one is there", Duration::from_millis(600), || spoke.is_quiet());
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
