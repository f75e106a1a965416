//! What the agent tells while it happens.
use std::io::{BufRead, BufReader, Write};
use std::os::unix::net::UnixStream;

use serde_json::{Value, json};

use crate::support::upstream::Upstream;
use crate::support::{Agent, LIMIT, Peer, Setup, until};

/// All events that are kept.
fn all(agent: &Agent, query: &str) -> Vec<Value> {
    agent.http().get(&format!("/v1/events?follow=false&stream=true{query}")).is(200).json_lines()
}

fn kinds(events: &[Value]) -> Vec<&str> {
    events.iter().map(|event| event["event"].as_str().unwrap()).collect()
}

fn seq(event: &Value) -> u64 {
    event["id"].as_str().unwrap().split_once('-').unwrap().1.parse().unwrap()
}

/// A reader of server-sent events.
struct Stream(BufReader<UnixStream>);

impl Stream {
    fn open(agent: &Agent, query: &str, last: Option<&str>) -> Self {
        let mut socket = UnixStream::connect(agent.socket()).unwrap();
        socket.set_read_timeout(Some(LIMIT)).unwrap();
        let header = last.map(|id| format!("Last-Event-ID: {id}\r\n")).unwrap_or_default();
        write!(socket, "GET /v1/events{query} HTTP/1.1\r\nHost: localhost\r\n{header}\r\n").unwrap();
        let mut stream = Self(BufReader::new(socket));
        let (status, mut head) = (stream.line(), String::new());
        assert!(status.contains("200"), "{status}");
        loop {
            let line = stream.line();
            if line.is_empty() {
                break;
            }
            head += &(line.to_lowercase() + "\n");
        }
        assert!(head.contains("content-type: text/event-stream"), "{head}");
        stream
    }

    fn line(&mut self) -> String {
        let mut line = String::new();
        assert!(self.0.read_line(&mut line).unwrap() > 0, "the stream ended");
        line.trim_end_matches(['\r', '\n']).to_owned()
    }

    /// The next event: the fields of the protocol agree with its data.
    fn event(&mut self) -> Value {
        let (mut id, mut kind) = (String::new(), String::new());
        loop {
            let line = self.line();
            if let Some(own) = line.strip_prefix("id: ") {
                id = own.to_owned();
            } else if let Some(own) = line.strip_prefix("event: ") {
                kind = own.to_owned();
            } else if let Some(data) = line.strip_prefix("data: ") {
                let event: Value = serde_json::from_str(data).unwrap();
                assert_eq!((&event["id"], &event["event"]), (&json!(id), &json!(kind)));
                return event;
            }
            // Sizes of chunks, empty lines and heartbeats.
        }
    }
}

#[test]
fn a_connections_life_is_told_in_its_order() {
    let upstream = Upstream::echo();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    client.send("hello");
    client.expect("hello");
    let id = agent.assign(&client, "bob");
    agent.counted(&client, 5, 5);
    client.half_close();
    agent.settled(0);
    let events = all(&agent, "");
    assert_eq!(kinds(&events), ["opened", "identified", "half_closed", "ended"], "{events:?}");
    assert!(events.iter().all(|event| event["conn_id"] == id && event["listener"] == "front"));
    assert!(events.windows(2).all(|pair| seq(&pair[0]) + 1 == seq(&pair[1])));
    let (opened, ended) = (&events[0], &events[3]);
    assert_eq!(
        (&opened["uid"], &opened["age_ms"], &opened["reason"]),
        (&Value::Null, &Value::Null, &Value::Null)
    );
    assert_eq!((&events[1]["uid"], &events[2]["side"]), (&json!("bob"), &json!("client")));
    assert_eq!(
        (&ended["reason"], &ended["to_client_bytes"], &ended["uid"]),
        (&json!("normal"), &json!(5), &json!("bob"))
    );
}

#[test]
fn events_are_told_while_they_happen_and_gone_on_with() {
    let agent = Agent::echo();
    let before = Peer::connect(agent.only());
    agent.settled(1);
    let mut stream = Stream::open(&agent, "", None);
    let mut other = Stream::open(&agent, "?kinds=ended&where=listener%20%3D%20echo", None);
    let client = Peer::connect(agent.only());
    let opened = stream.event();
    assert_eq!((&opened["event"], &opened["client"]), (&json!("opened"), &json!(client.local().to_string())));
    drop(stream);
    // Meanwhile nobody reads.
    agent.operate(&json!({ "operation": "reset", "where": "all", "note": "both" }));
    let mut again = Stream::open(&agent, "", opened["id"].as_str());
    let (one, two) = (again.event(), again.event());
    assert_eq!(kinds(&[one.clone(), two]), ["ended", "ended"]);
    assert_eq!((&one["note"], &one["request"]), (&json!("both"), &json!("reset where all")));
    assert_eq!(kinds(&[other.event(), other.event()]), ["ended", "ended"]);
    let after = format!("&after={}", opened["id"].as_str().unwrap());
    assert_eq!(kinds(&all(&agent, &after)), ["ended", "ended"]);
    drop(before);
}

#[test]
fn a_reader_that_was_away_for_too_long_is_told_how_much_it_missed() {
    let config = "events_size = 32\n[[listener]]\nname = 'echo'\nmode = 'echo'\nbind = '127.0.0.1:0'\n";
    let agent = Setup::new().config(config).start();
    let mut stream = Stream::open(&agent, "", None);
    Peer::connect(agent.only()).reset();
    let first = stream.event();
    drop(stream);
    for _ in 0..50 {
        Peer::connect(agent.only()).reset();
    }
    // One that is accepted, and not yet with its thread, is in no list, and would still be told of.
    until("all have ended", || (agent.node()["ended"] == 51).then_some(()));
    agent.settled(0);
    let after = format!("&after={}", first["id"].as_str().unwrap());
    let events = all(&agent, &after);
    let (gap, next) = (&events[0], &events[1]);
    assert_eq!(gap["event"], "gap", "{gap}");
    let missed = gap["missed"].as_u64().unwrap();
    assert_eq!((seq(&first) + missed, seq(gap)), (seq(gap), seq(next) - 1), "{gap} {next}");
    assert!((32..=36).contains(&(events.len() - 1)), "{}", events.len());
    // Whoever asks for what there is misses nothing of it.
    assert_ne!(all(&agent, "")[0]["event"], "gap");
    assert_ne!(all(&agent, "&after=0")[0]["event"], "gap");
}

#[test]
fn a_reader_that_does_not_read_holds_nobody_up_and_learns_what_it_missed() {
    const ROUNDS: usize = 40;
    let config = "events_size = 200\n[[listener]]\nname = 'hold'\nmode = 'hold'\nbind = '127.0.0.1:0'\n";
    let agent = Setup::new().config(config).start();
    let mut stream = Stream::open(&agent, "", None);
    for _ in 0..ROUNDS {
        let clients: Vec<_> = (0..250).map(|_| Peer::connect(agent.only())).collect();
        agent.settled(clients.len());
        agent.operate(&json!({ "operation": "reset", "where": "all" }));
    }
    let end = seq(all(&agent, "").last().unwrap());
    let (mut last, mut seen, mut missed) = (0, 0, 0);
    while last < end {
        let event = stream.event();
        match event["missed"].as_u64() {
            Some(count) => missed += count,
            None => seen += 1,
        }
        assert!(seq(&event) > last, "{event}");
        last = seq(&event);
    }
    assert_eq!(seen + missed, end, "{seen} seen");
    assert!(missed > 0, "the sockets held {seen} events");
}

#[test]
fn an_agent_that_was_started_anew_says_so() {
    let agent = Agent::echo();
    Peer::connect(agent.only()).reset();
    agent.counts("client", "econnreset", 1);
    let last = all(&agent, "").last().unwrap()["id"].as_str().unwrap().to_owned();
    let agent = agent.crash_and_restart();
    Peer::connect(agent.only()).reset();
    agent.counts("client", "econnreset", 1);
    let events = all(&agent, &format!("&after={last}"));
    assert_eq!((&events[0]["event"], &events[0]["missed"]), (&json!("gap"), &Value::Null));
    assert_eq!(kinds(&events)[1..], ["opened", "ended"]);
}

#[test]
fn what_operators_change_is_told() {
    let agent = Agent::echo();
    agent.http().post("/v1/listeners/reject", &json!({ "names": ["echo"], "after": 2 })).is(200);
    agent.http().post("/v1/listeners/accept", &json!({})).is(200);
    let request = json!({ "listeners": ["echo"], "set": { "max_per_uid": 5 } });
    agent.http().patch("/v1/limits", &request).is(200);
    let events = all(&agent, "");
    assert_eq!(kinds(&events), ["listener_changed", "listener_changed", "policy_changed"], "{events:?}");
    assert!(events.iter().all(|event| event["listener"] == "echo" && event["conn_id"].is_null()));
    assert!(events[0]["text"].as_str().unwrap().contains("after 2"), "{}", events[0]);
    assert!(events[2]["text"].as_str().unwrap().contains("max_per_uid = 5"), "{}", events[2]);
    assert_eq!(all(&agent, "&where=listener%20%3D%20other"), Vec::<Value>::new());
    assert_eq!(all(&agent, "&kinds=policy_changed").len(), 1);
}

#[test]
fn a_warning_is_told() {
    let agent = Setup::new()
        .config(
            "[[listener]]\nname = 'echo'\nmode = 'echo'\nbind = '127.0.0.1:0'\nkeep_alive = 'extended'\n\
             idle_timeout = '1s'\nidle_check_interval = '3s'\n",
        )
        .start();
    let client = Peer::connect(agent.only());
    let id = agent.id(&client);
    let warned = until("a warning", || all(&agent, "&kinds=warned").first().cloned());
    assert_eq!(warned["conn_id"], id);
    assert!(warned["text"].as_str().unwrap().starts_with("inactivity ends it in "), "{warned}");
}

#[test]
fn a_bad_query_names_the_field() {
    let agent = Agent::echo();
    for (query, field) in [
        ("kinds=born", "kinds"),
        ("after=7", "after"),
        ("where=x", "where"),
        ("follow=maybe", "follow"),
        ("limit=1", "limit"),
    ] {
        let error = agent.http().get(&format!("/v1/events?{query}")).is(400).json();
        assert_eq!(error["error"]["detail"]["field"], field, "{error}");
    }
}
