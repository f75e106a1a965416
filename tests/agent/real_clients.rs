//! Real clients of real servers, with their connection taken away in the middle of their work.
use std::time::Duration;

use serde_json::json;

use crate::support::process::Run;
use crate::support::service::{Service, have, psql, redis_benchmark, redis_cli};
use crate::support::{Agent, End, LIMIT, Peer, until};

/// Does this to every connection. A client that gives up at its first cut may take its others along.
fn all(agent: &Agent, operation: &str) {
    let (items, summary) = agent.operate(&json!({ "operation": operation, "where": "all" }));
    let count = |status: &str| summary[status].as_u64().unwrap();
    assert!(count("done") > 0, "{summary}");
    assert_eq!(count("done") + count("skipped"), items.len() as u64, "{summary}");
}

/// Nothing is left, whatever happened before.
fn is_empty(agent: &Agent) {
    agent.settled(0);
    assert_eq!(agent.ended("client"), agent.node()["accepted"], "{:?}", agent.endings());
}

const REDIS: &[&str] = &["redis-server", "redis-cli", "redis-benchmark"];

#[test]
fn redis_works_through_the_agent() {
    if !have(REDIS) {
        return;
    }
    let redis = Service::redis();
    let agent = Agent::front(redis.addr());
    let ask = |args: &[&str], input: &str| redis_cli(agent.only(), args, input).finish(LIMIT).ok().stdout;
    assert_eq!(ask(&["SET", "key", "value"], "").trim(), "OK");
    assert_eq!(ask(&["GET", "key"], "").trim(), "value");
    let big = "x".repeat(3 << 20);
    assert_eq!(ask(&["-x", "SET", "big"], &big).trim(), "OK");
    assert_eq!(ask(&["GET", "big"], "").trim(), big);
    let arguments = ["-q", "-n", "4000", "-c", "20", "-t", "set,get,lrange_100"];
    let run = redis_benchmark(agent.only(), &arguments).finish(LIMIT).ok();
    assert!(run.stdout.contains("GET:"), "{}", run.stdout);
    is_empty(&agent);
}

/// A client that waits for a list element meets this operation; gives what it said.
fn redis_waiter_meets(operation: &str) -> Run {
    let redis = Service::redis();
    let agent = Agent::front(redis.addr());
    let waiting = redis_cli(agent.only(), &["BLPOP", "nothing", "0"], "");
    until("Redis has the command", || {
        let list = redis_cli(redis.addr(), &["CLIENT", "LIST"], "").finish(LIMIT).ok().stdout;
        list.contains("cmd=blpop").then_some(())
    });
    all(&agent, operation);
    let run = waiting.finish(LIMIT);
    is_empty(&agent);
    until("Redis has let go of the client", || {
        let list = redis_cli(redis.addr(), &["CLIENT", "LIST"], "").finish(LIMIT).ok().stdout;
        (!list.contains("cmd=blpop")).then_some(())
    });
    run
}

#[test]
fn a_redis_client_that_is_closed_sees_the_server_close() {
    if have(REDIS) {
        let run = redis_waiter_meets("close");
        assert!(run.stderr.contains("Server closed the connection"), "{run:?}");
    }
}

#[test]
fn a_redis_client_that_is_reset_sees_the_reset() {
    if have(REDIS) {
        let run = redis_waiter_meets("reset");
        assert!(run.stderr.contains("Connection reset by peer"), "{run:?}");
    }
}

#[test]
fn a_redis_client_that_is_half_closed_sees_the_server_close() {
    if have(REDIS) {
        let run = redis_waiter_meets("halfclose");
        assert!(run.stderr.contains("Server closed the connection"), "{run:?}");
    }
}

#[test]
fn a_benchmark_cut_off_again_and_again_leaves_nothing() {
    if !have(REDIS) {
        return;
    }
    let redis = Service::redis();
    let agent = Agent::front(redis.addr());
    let base = agent.open_descriptors();
    for operation in ["reset", "close", "reset"] {
        let args = ["-q", "-n", "100000000", "-c", "30", "-P", "4", "-t", "set"];
        let benchmark = redis_benchmark(agent.only(), &args);
        until("the benchmark works", || {
            let rows = agent.connections();
            let busy = |row: &&serde_json::Value| row["to_upstream_bytes"].as_u64() > Some(10_000);
            (rows.iter().filter(busy).count() >= 30).then_some(())
        });
        all(&agent, operation);
        // Some of its clients end it, others it just forgets and then waits for ever.
        is_empty(&agent);
        drop(benchmark);
    }
    until("every descriptor is back", || (agent.open_descriptors() <= base).then_some(()));
    assert_eq!(redis_cli(agent.only(), &["PING"], "").finish(LIMIT).ok().stdout.trim(), "PONG");
}

const POSTGRES: &[&str] = &["postgres", "initdb", "psql"];

#[test]
fn postgres_works_through_the_agent_and_long_queries_can_be_cut() {
    if !have(POSTGRES) {
        return;
    }
    let postgres = Service::postgres();
    let agent = Agent::front(postgres.addr());
    let run = psql(agent.only(), &["-c", "select g, md5(g::text) from generate_series(1, 300000) g"]);
    let run = run.finish(Duration::from_secs(60)).ok();
    assert_eq!(run.lines().len(), 300_000);
    is_empty(&agent);
    for operation in ["close", "halfclose", "reset"] {
        let mark = format!("select pg_sleep(120) as {operation}");
        let sleeping = psql(agent.only(), &["-c", &mark]);
        let running = |sql: &str| psql(postgres.addr(), &["-c", sql]).finish(LIMIT).ok().stdout;
        let query =
            format!("select count(*) from pg_stat_activity where state = 'active' and query = '{mark}'");
        until("the query runs", || (running(&query).trim() == "1").then_some(()));
        all(&agent, operation);
        let run = sleeping.finish(LIMIT);
        assert_eq!(run.code, Some(2), "{operation}: {run:?}");
        // Its client says the same of a FIN and of a RST.
        assert!(run.stderr.contains("server closed the connection unexpectedly"), "{operation}: {run:?}");
        // The server notices that its client is gone only when it next writes.
        running("select pg_terminate_backend(pid) from pg_stat_activity where query like 'select pg_sleep%'");
        is_empty(&agent);
    }
    assert_eq!(psql(agent.only(), &["-c", "select 6 * 7"]).finish(LIMIT).ok().stdout.trim(), "42");
}

/// A NATS client as small as one can be.
struct Nats(Peer);

impl Nats {
    fn connect(addr: std::net::SocketAddr) -> Self {
        let mut peer = Peer::connect(addr);
        assert!(peer.line().starts_with("INFO {"));
        peer.send("CONNECT {\"verbose\":false,\"pedantic\":false,\"name\":\"small\"}\r\nPING\r\n");
        let mut own = Self(peer);
        own.pong();
        own
    }

    /// The server has handled all that was sent before.
    fn pong(&mut self) {
        loop {
            match self.0.line().as_str() {
                "PONG" => return,
                "PING" => self.0.send("PONG\r\n"),
                other => panic!("neither PONG nor PING: {other}"),
            }
        }
    }

    fn subscribe(&mut self, subject: &str) {
        self.0.send(format!("SUB {subject} 1\r\nPING\r\n"));
        self.pong();
    }

    fn publish(&mut self, subject: &str, text: &str) {
        self.0.send(format!("PUB {subject} {}\r\n{text}\r\nPING\r\n", text.len()));
        self.pong();
    }

    fn message(&mut self) -> String {
        loop {
            let head = self.0.line();
            if head == "PING" {
                self.0.send("PONG\r\n");
                continue;
            }
            assert!(head.starts_with("MSG "), "{head}");
            return self.0.line();
        }
    }
}

#[test]
fn a_nats_subscriber_is_cut_and_the_others_go_on() {
    if !have(&["nats-server"]) {
        return;
    }
    let nats = Service::nats();
    let agent = Agent::front(nats.addr());
    let mut publisher = Nats::connect(agent.only());
    let mut witness = Nats::connect(agent.only());
    witness.subscribe("news");
    for (operation, end) in [("close", End::Fin), ("reset", End::Reset), ("halfclose", End::Fin)] {
        let mut subscriber = Nats::connect(agent.only());
        subscriber.subscribe("news");
        for turn in 0..50 {
            publisher.publish("news", &format!("{operation} {turn}"));
            assert_eq!(subscriber.message(), format!("{operation} {turn}"));
        }
        agent.does(operation, "both", &subscriber.0);
        assert_eq!(subscriber.0.end(), (0, end), "{operation}");
        drop(subscriber);
        agent.settled(2);
        publisher.publish("news", "after");
        for turn in 0..50 {
            assert_eq!(witness.message(), format!("{operation} {turn}"));
        }
        assert_eq!(witness.message(), "after");
    }
    // A close in the middle of a stream of messages cuts at some point, and never changes a byte before it.
    let mut subscriber = Nats::connect(agent.only());
    subscriber.subscribe("numbers");
    let id = agent.id(&subscriber.0);
    let feeder = std::thread::spawn(move || {
        for number in 0..20_000 {
            publisher.0.send(format!("PUB numbers 8\r\n{number:08}\r\n"));
        }
        publisher
    });
    assert_eq!(subscriber.message(), "00000000");
    let http = agent.http();
    let request = json!({ "operation": "close", "items": [{ "conn_id": id }] });
    let closer = std::thread::spawn(move || http.post("/v1/operations", &request).is(200).json_lines());
    let mut rest = Vec::new();
    let (_, end) = subscriber.0.end_with(|piece| rest.extend_from_slice(piece));
    assert_eq!(end, End::Fin);
    let whole: String = (1..20_000).map(|number| format!("MSG numbers 1 8\r\n{number:08}\r\n")).collect();
    assert!(whole.as_bytes().starts_with(&rest), "the bytes before the close are not those that were sent");
    assert_eq!(closer.join().unwrap()[0]["status"], "done");
    drop((feeder.join().unwrap(), witness, subscriber));
    is_empty(&agent);
}
