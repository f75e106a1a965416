//! Reading the configuration again.
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Peer, Setup, until};

/// An echo listener, named `front`, with these settings besides.
fn echo(more: &str) -> String {
    format!("[[listener]]\nname = 'front'\nmode = 'echo'\nbind = '127.0.0.1:0'\n{more}\n")
}

fn write(agent: &Agent, text: &str) {
    agent.dir().write("agent.toml", text);
}

/// Reads this file; gives the changes as `(listener.key, outcome)` and how many connections it ends.
#[track_caller]
fn reload(agent: &Agent, text: &str) -> (Vec<(String, String)>, u64) {
    write(agent, text);
    let report = agent.http().post("/v1/agent/reload", &json!({})).is(200).json();
    let told = |row: &Value| {
        let key = row["key"].as_str().unwrap();
        let name = row["listener"].as_str().map_or_else(|| key.to_owned(), |name| format!("{name}.{key}"));
        (name, row["outcome"].as_str().unwrap().to_owned())
    };
    (report["changes"].as_array().unwrap().iter().map(told).collect(), report["ending"].as_u64().unwrap())
}

fn applied(keys: &[&str]) -> Vec<(String, String)> {
    keys.iter().map(|key| ((*key).to_owned(), "applied".to_owned())).collect()
}

#[track_caller]
fn is_in(agent: &Agent) -> Peer {
    let mut client = Peer::connect(agent.addr("front"));
    client.send("hello");
    client.expect("hello");
    client
}

fn limits(agent: &Agent) -> Value {
    agent.http().get("/v1/limits").is(200).json()
}

#[test]
fn limits_of_the_file_come_into_force_for_live_connections() {
    let agent = Setup::new().config(echo("max_connections = 9")).start();
    let (mut old, mut new) = (is_in(&agent), is_in(&agent));
    agent.http().patch("/v1/limits", &json!({ "listeners": ["front"], "set": { "max_per_uid": 3 } })).is(200);
    let (changes, ending) = reload(&agent, &echo("max_connections = 1\non_over = 'evict-oldest'"));
    let keys = ["front.max_connections", "front.max_per_uid", "front.on_over"];
    assert_eq!((changes, ending), (applied(&keys), 1));
    old.ends_with(End::Fin);
    new.send("still here");
    new.expect("still here");
    assert!(limits(&agent)["limits"].as_array().unwrap().iter().all(|row| row["source"] != "set"));
    assert_eq!(reload(&agent, &echo("max_connections = 1\non_over = 'evict-oldest'")), (Vec::new(), 0));
}

#[test]
fn settings_of_a_listener_count_for_new_connections() {
    let (first, second) = (ByHand::listen(), ByHand::listen());
    let front = |upstream: std::net::SocketAddr, more: &str| {
        let head = "[[listener]]\nname = 'front'\nmode = 'forward'\nbind = '127.0.0.1:0'";
        format!("{head}\nupstream = ['{upstream}']\n{more}\n")
    };
    let agent = Setup::new().config(front(first.addr(), "")).start();
    let mut old = Peer::connect(agent.only());
    let mut old_server = first.accept();
    let text = front(second.addr(), "networks = { '127.0.0.0/8' = 'home' }\nsend_proxy = 'v1'");
    assert_eq!(reload(&agent, &text).0, applied(&["front.upstream", "front.send_proxy", "front.networks"]));
    let new = Peer::connect(agent.only());
    let mut new_server = second.accept();
    assert!(new_server.line().starts_with("PROXY TCP4 127.0.0.1"));
    assert_eq!((&agent.row(&new)["uid"], &agent.row(&old)["uid"]), (&json!("home"), &Value::Null));
    old.send("as before");
    old_server.expect("as before");
    let row = agent.http().get("/v1/listeners/front").is(200).json();
    assert_eq!(row["upstream"], second.addr().to_string());
}

#[test]
fn identity_rules_change_under_a_client_that_is_half_way_through_its_first_words() {
    let agent = Setup::new().config(echo("identity = ['redis', 'http:X-User']")).start();
    let mut half = Peer::connect(agent.only());
    half.send("GET / HTTP/1.1\r\nX-Us");
    half.expect("GET / HTTP/1.1\r\nX-Us");
    assert_eq!(reload(&agent, &echo("identity = ['http:X-Name']")).0, applied(&["front.identity"]));
    half.send("er: u1\r\n\r\n");
    until("its user is known", || (agent.row(&half)["uid"] == "u1").then_some(()));
    let mut new = Peer::connect(agent.only());
    new.send("GET / HTTP/1.1\r\nX-User: u1\r\nX-Name: u2\r\n\r\n");
    until("its user is known", || (agent.row(&new)["uid"] == "u2").then_some(()));
}

#[test]
fn a_bad_file_changes_nothing_and_says_what_is_wrong() {
    let agent = Setup::new().config(echo("max_per_ip = 2")).start();
    let before = limits(&agent);
    for (text, words) in [
        ("max_connections = 5\nthread = 2\n".to_owned() + &echo(""), "threads"),
        ("max_connections = 5\n".to_owned() + &echo("max_per_ip = 'many'"), "max_per_ip"),
        ("max_connections = 5\n".to_owned() + &echo("idle_timeout = '10x'"), "10x"),
        ("max_connections = 5\n".to_owned() + &echo("identity = ['nosuch']"), "nosuch"),
        ("max_connections = 5\n".to_owned() + &echo("") + &echo(""), "two listeners"),
        ("max_connections = 5\n".to_owned() + &echo("idle_check_interval = '1s'"), "idle_timeout"),
        ("max_connections = 5\n[[listener".to_owned(), "agent.toml"),
        ("\0\u{1}".to_owned(), "agent.toml"),
    ] {
        write(&agent, &text);
        let answer = agent.http().post("/v1/agent/reload", &json!({})).is(422).json();
        assert_eq!(answer["error"]["code"], "bad_config", "{answer}");
        assert!(answer["error"]["message"].as_str().unwrap().contains(words), "{answer}");
    }
    std::fs::remove_file(agent.dir().path().join("agent.toml")).unwrap();
    agent.http().post("/v1/agent/reload", &json!({})).is(422);
    assert_eq!(limits(&agent), before);
    is_in(&agent);
}

#[test]
fn what_cannot_be_changed_is_named_and_stays() {
    let agent = Setup::new().config("node_id = 4\nthreads = 1\n".to_owned() + &echo("")).start();
    let client = is_in(&agent);
    let text = "node_id = 5\nthreads = 2\n".to_owned() + &echo("backlog = 7\nmax_per_ip = 5");
    let waits = |key: &str| (key.to_owned(), "needs_restart".to_owned());
    let expected = [waits("node_id"), waits("threads"), waits("front.backlog")];
    let (changes, _) = reload(&agent, &text);
    assert_eq!(changes, [&expected[..], &applied(&["front.max_per_ip"])].concat());
    assert_eq!(reload(&agent, &text).0, expected, "it is told until it is so");
    let node = agent.node();
    assert_eq!((&node["node_id"], &node["threads"], &node["listeners"]), (&json!(4), &json!(1), &json!(1)));
    let warned = |line: &str| {
        line.contains("WARN") && line.contains("waits for a restart") && line.contains("threads")
    };
    until("it is logged", || agent.log().lines().any(warned).then_some(()));
    let hold = "[[listener]]\nname = 'front'\nmode = 'hold'\nbind = '127.0.0.1:0'\n";
    assert_eq!(reload(&agent, &format!("node_id = 4\nthreads = 1\n{hold}")).0[0], waits("front.mode"));
    is_in(&agent);
    assert!(client.is_quiet());
}

#[test]
fn listeners_come_and_go_while_connections_live() {
    let other = "[[listener]]\nname = 'other'\nmode = 'echo'\nbind = '127.0.0.1:0'\nmax_connections = 1\n";
    let mut agent = Setup::new().config(echo("")).start();
    let front = agent.only();
    let mut old = is_in(&agent);
    let row = |key: &str, outcome: &str| (key.to_owned(), outcome.to_owned());
    assert_eq!(reload(&agent, &(other.to_owned() + &echo(""))).0, [row("other.listener", "added")]);
    let rows = agent.http().get("/v1/listeners/other").is(200).json();
    let addr = rows["bind"].as_str().unwrap().parse().unwrap();
    let mut new = Peer::connect(addr);
    new.send("hello");
    new.expect("hello");
    Peer::is_reset_by(addr);
    let request = json!({ "listeners": ["other"], "set": { "max_connections": 2 } });
    agent.http().patch("/v1/limits", &request).is(200);
    drop(Peer::connect(addr));

    assert_eq!(
        reload(&agent, other).0,
        [row("front.listener", "removed"), row("other.max_connections", "applied")]
    );
    assert_eq!(Peer::dial(front).unwrap_err().kind(), std::io::ErrorKind::ConnectionRefused);
    agent.http().get("/v1/listeners/front").is(404);
    agent.http().get("/v1/limits?listener=front").is(404);
    old.send("still here");
    old.expect("still here");
    agent.settled(2);

    let back = echo("max_connections = 1").replace("127.0.0.1:0", &front.to_string());
    assert_eq!(reload(&agent, &(other.to_owned() + &back)).0, [row("front.listener", "added")]);
    // Who came before is not counted with those of the new one.
    let mut again = is_in(&agent);
    Peer::is_reset_by(front);
    for client in [&mut old, &mut again, &mut new] {
        client.send("all of us");
        client.expect("all of us");
    }
    agent.settled(3);
    assert_eq!(agent.terminate(crate::support::until::LIMIT), Some(0));
    for client in [&mut old, &mut again, &mut new] {
        client.ends_with(End::Fin);
    }
}

#[test]
fn a_listener_whose_address_is_taken_changes_nothing() {
    let agent = Setup::new().config(echo("")).start();
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let addr = taken.local_addr().unwrap();
    let before = limits(&agent);
    let free = "[[listener]]\nname = 'free'\nmode = 'echo'\nbind = '127.0.0.1:0'\n";
    let other = format!("[[listener]]\nname = 'other'\nmode = 'echo'\nbind = '{addr}'\n");
    let text = echo("max_per_ip = 1") + free + &other;
    write(&agent, &text);
    let answer = agent.http().post("/v1/agent/reload", &json!({})).is(422).text();
    assert!(answer.contains("other") && answer.contains(&addr.to_string()), "{answer}");
    assert_eq!(limits(&agent), before);
    assert_eq!(agent.node()["listeners"], 1);
    drop(taken);
    let report = agent.http().post("/v1/agent/reload", &json!({})).is(200).json();
    assert_eq!(report["changes"].as_array().unwrap().len(), 3, "{report}");
    assert_eq!(agent.node()["listeners"], 3);
}

#[test]
fn a_hangup_reads_the_file_again_and_a_mistake_in_it_is_logged() {
    let mut agent = Setup::new().config(echo("")).start();
    let mut client = is_in(&agent);
    write(&agent, &echo("max_connections = 'many'"));
    agent.signal(Signal::HUP);
    until("the mistake is logged", || {
        let log = agent.log();
        log.lines().any(|line| line.contains("ERROR") && line.contains("many")).then_some(())
    });
    is_in(&agent);
    write(&agent, &echo("max_connections = 1"));
    agent.signal(Signal::HUP);
    until("the limit is in force", || {
        let page = limits(&agent);
        let rows = page["limits"].as_array().unwrap();
        rows.iter().any(|row| row["listener"] == "front" && row["value"] == 1).then_some(())
    });
    Peer::is_reset_by(agent.only());
    client.send("still here");
    client.expect("still here");
    assert_eq!(agent.terminate(crate::support::until::LIMIT), Some(0));
}

#[test]
fn an_agent_without_a_file_has_none_to_read_again() {
    let agent = Agent::echo();
    let answer = agent.http().post("/v1/agent/reload", &json!({})).is(409).text();
    assert!(answer.contains("--config"), "{answer}");
    agent.signal(Signal::HUP);
    until("it is logged", || agent.log().contains("--config").then_some(()));
    agent.http().get("/v1/health").is(200);
}

#[test]
fn clients_that_come_while_the_file_is_read_again_and_again_are_all_served() {
    let agent = Setup::new().config(echo("")).start();
    let addr = agent.only();
    let clients: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(move || {
                for _ in 0..50 {
                    let mut client = Peer::connect(addr);
                    client.send("hello");
                    client.expect("hello");
                    client.half_close();
                    client.ends_with(End::Fin);
                }
            })
        })
        .collect();
    let mut round = 0;
    while clients.iter().any(|client| !client.is_finished()) {
        round += 1;
        let more = format!("max_connections = {}\nidentity = ['nats']\nidle_timeout = '1h'", 100 + round % 2);
        reload(&agent, &echo(if round % 2 == 0 { "" } else { &more }));
    }
    clients.into_iter().for_each(|client| client.join().unwrap());
    agent.settled(0);
    assert_eq!(agent.count_of("client", "normal"), 400, "{:?}", agent.endings());
}

#[test]
fn what_is_logged_changes_with_the_file() {
    let agent = Setup::new().config("log = 'warn'\n".to_owned() + &echo("")).start();
    drop(is_in(&agent));
    agent.settled(0);
    assert_eq!(reload(&agent, &("log = 'info'\n".to_owned() + &echo(""))).0, applied(&["log"]));
    drop(is_in(&agent));
    let log = until("the second ending is logged", || Some(agent.log()).filter(|log| log.contains("ended")));
    assert_eq!(log.matches("connection ended").count(), 1, "{log}");
}

#[test]
fn an_upstream_that_the_file_adds_is_dialled() {
    let live = ByHand::listen();
    let free = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let dead = free.local_addr().unwrap();
    drop(free);
    let front = |upstream: &str| {
        format!(
            "[[listener]]\nname = 'front'\nmode = 'forward'\nbind = '127.0.0.1:0'\nupstream = [{upstream}]\n"
        )
    };
    let agent = Setup::new().config(front(&format!("'{dead}'"))).start();
    Peer::connect(agent.only()).ends_with(End::Fin);
    let text = front(&format!("'{dead}', '{}'", live.addr()));
    assert_eq!(reload(&agent, &text).0, applied(&["front.upstream"]));
    let mut client = Peer::connect(agent.only());
    client.send("hello");
    live.accept().expect("hello");
}
