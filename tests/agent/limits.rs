//! Policies that change while connections live.
use std::net::SocketAddr;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::until::stays;
use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Peer, Setup, until};

/// One listener, named `front`, with these settings besides.
fn agent(mode: &str, more: &str) -> Agent {
    let listener = format!("[[listener]]\nname = 'front'\nmode = '{mode}'\nbind = '127.0.0.1:0'\n{more}\n");
    Setup::new().config(listener).start()
}

/// Changes limits of `front`; gives the report.
#[track_caller]
fn set(agent: &Agent, set: Value) -> Value {
    agent.http().patch("/v1/limits", &json!({ "listeners": ["front"], "set": set })).is(200).json()
}

#[track_caller]
fn try_set(agent: &Agent, set: Value) -> Value {
    let request = json!({ "listeners": ["front"], "set": set, "dry_run": true });
    agent.http().patch("/v1/limits", &request).is(200).json()
}

/// Value and source of a key of `front`.
#[track_caller]
fn limit(agent: &Agent, key: &str) -> (Value, String) {
    let page = agent.http().get("/v1/limits?listener=front").is(200).json();
    let row = page["limits"].as_array().unwrap().iter().find(|row| row["key"] == key).unwrap().clone();
    (row["value"].clone(), row["source"].as_str().unwrap().to_owned())
}

fn is_in(addr: SocketAddr) -> Peer {
    let mut client = Peer::connect(addr);
    client.send("hello");
    client.expect("hello");
    client
}

fn rejected(agent: &Agent) -> u64 {
    agent.http().get("/v1/listeners/front").is(200).json()["rejected"].as_u64().unwrap()
}

#[test]
fn a_time_limit_that_comes_into_force_ends_those_who_are_past_it() {
    let agent = agent("echo", "");
    let (mut idle, mut busy) = (is_in(agent.only()), is_in(agent.only()));
    let begun = std::time::Instant::now();
    stays("nothing ends them", Duration::from_millis(300), || idle.is_quiet() && busy.is_quiet());
    busy.send("x");
    busy.expect("x");
    assert_eq!(set(&agent, json!({ "idle_timeout": "1h" }))["ending"], 0);
    assert_eq!(limit(&agent, "idle_timeout"), (json!("1h"), "set".to_owned()));
    // How long each has been idle depends on the machine; that the first is past it does not.
    let report = set(&agent, json!({ "idle_timeout": "250ms", "idle_check_interval": "10ms" }));
    assert!(begun.elapsed() >= Duration::from_millis(250));
    assert!(report["ending"].as_u64().unwrap() >= 1, "{report}");
    assert_eq!(report["by"][0]["reason"], "inactivity", "{report}");
    idle.ends_with(End::Fin);
    busy.ends_with(End::Fin);
    agent.counts("client", "inactivity", 2);
}

#[test]
fn a_time_limit_can_be_taken_away_and_come_back() {
    let agent = agent("echo", "idle_timeout = '1h'");
    let client = is_in(agent.only());
    let id = agent.id(&client);
    let ends_by = || agent.http().get(&format!("/v1/connections/{id}")).is(200).json()["ends_by"].clone();
    assert_eq!(ends_by(), "inactivity");
    set(&agent, json!({ "idle_timeout": "none" }));
    assert_eq!((ends_by(), limit(&agent, "idle_timeout").0), (Value::Null, json!("none")));
    agent.http().delete("/v1/limits?listeners=front&keys=idle_timeout").is(200);
    assert_eq!(ends_by(), "inactivity");
    assert!(client.is_quiet());
}

#[test]
fn what_is_removed_comes_to_the_value_in_the_file_again() {
    let agent = agent("echo", "max_per_uid = 7");
    assert_eq!(limit(&agent, "max_per_uid"), (json!(7), "file".to_owned()));
    assert_eq!(limit(&agent, "max_per_ip"), (json!(0), "default".to_owned()));
    set(&agent, json!({ "max_per_uid": 3, "max_per_ip": 4 }));
    agent.http().patch("/v1/limits", &json!({ "set": { "max_connections": 9 } })).is(200);
    let row = agent.http().get("/v1/limits").is(200).json()["limits"][0].clone();
    let expected =
        json!({"key": "max_connections", "scope": "agent", "listener": null, "value": 9, "source": "set"});
    assert_eq!(row, expected);
    let report = agent.http().delete("/v1/limits?listeners=front&keys=max_per_uid").is(200).json();
    assert_eq!((&report["limits"][0]["value"], &report["limits"][0]["source"]), (&json!(7), &json!("file")));
    assert_eq!(limit(&agent, "max_per_ip"), (json!(4), "set".to_owned()));
    agent.http().delete("/v1/limits").is(200);
    let page = agent.http().get("/v1/limits").is(200).json();
    assert!(page["limits"].as_array().unwrap().iter().all(|row| row["source"] != "set"), "{page}");
}

#[test]
fn a_change_with_a_mistake_changes_nothing() {
    let agent = agent("echo", "max_per_uid = 7");
    for (request, status, words) in [
        (
            json!({ "listeners": ["front"], "set": { "max_per_ip": 1, "on_over": "evict" } }),
            400,
            "evict-oldest",
        ),
        (json!({ "listeners": ["front"], "set": { "max_per_ip": 1, "idle_timeout": "10x" } }), 400, "10x"),
        (json!({ "listeners": ["front"], "set": { "max_per_ip": -1 } }), 400, "-1"),
        (json!({ "listeners": ["front"], "set": { "max_per_ip": 1, "max_pr_ip": 1 } }), 400, "max_per_ip"),
        (
            json!({ "listeners": ["front"], "set": { "max_per_ip": 1, "idle_check_interval": "5s" } }),
            400,
            "5s",
        ),
        (json!({ "listeners": ["front"], "set": { "max_per_ip": 1, "network_prefix_ipv4": 33 } }), 400, "33"),
        (json!({ "listeners": ["front"], "set": { "max_per_ip": 1.5 } }), 400, "max_per_ip"),
        (json!({ "listeners": ["front"], "set": {} }), 400, "key"),
        (json!({ "listeners": ["front", "back"], "set": { "max_per_ip": 1 } }), 404, "back"),
        (json!({ "set": { "max_per_ip": 1 } }), 400, "listener"),
    ] {
        let answer = agent.http().patch("/v1/limits", &request).is(status).text();
        assert!(answer.contains(words), "{request}: {answer}");
    }
    for path in
        ["keys=max_per_up&listeners=front", "keys=max_per_ip", "keys=&listeners=front", "dry_run=maybe"]
    {
        agent.http().delete(&format!("/v1/limits?{path}")).is(400);
    }
    agent.http().get("/v1/limits?listener=back").is(404);
    let page = agent.http().get("/v1/limits").is(200).json();
    assert!(page["limits"].as_array().unwrap().iter().all(|row| row["source"] != "set"), "{page}");
    assert!(!agent.log().contains("limit changed"), "{}", agent.log());
}

#[test]
fn a_lower_count_closes_nobody_where_the_rule_rejects() {
    let agent = agent("echo", "max_connections = 5");
    let mut clients: Vec<_> = (0..4).map(|_| is_in(agent.only())).collect();
    let report = set(&agent, json!({ "max_connections": 2 }));
    assert_eq!((&report["ending"], &report["by"]), (&json!(0), &json!([])));
    Peer::is_reset_by(agent.only());
    for client in &mut clients {
        client.send("still here");
        client.expect("still here");
    }
    clients.truncate(2);
    agent.settled(2);
    Peer::is_reset_by(agent.only());
    clients.truncate(1);
    agent.settled(1);
    is_in(agent.only());
}

#[test]
fn a_lower_count_closes_the_surplus_where_the_rule_evicts() {
    let agent = agent("echo", "");
    let mut clients: Vec<_> = (0..4).map(|_| is_in(agent.only())).collect();
    let request = json!({ "max_connections": 2, "on_over": "evict-oldest" });
    let trial = try_set(&agent, request.clone());
    let oldest: Vec<_> = clients[..2].iter().map(|client| agent.id(client)).collect();
    let rows: Vec<_> =
        trial["connections"].as_array().unwrap().iter().map(|row| row["conn_id"].as_u64().unwrap()).collect();
    assert_eq!((&trial["dry_run"], &trial["ending"], rows), (&json!(true), &json!(2), oldest), "{trial}");
    assert_eq!(limit(&agent, "max_connections").1, "default");
    agent.settled(4);
    let report = set(&agent, request);
    assert_eq!((&report["dry_run"], &report["ending"]), (&json!(false), &json!(2)), "{report}");
    let by = json!([{ "listener": "front", "uid": null, "reason": "evicted", "count": 2 }]);
    assert_eq!(report["by"], by);
    assert_eq!(report["connections"], json!([]));
    for client in &mut clients[..2] {
        client.ends_with(End::Fin);
    }
    agent.settled(2);
    agent.counts("client", "evicted", 2);
}

#[test]
fn a_dry_run_says_what_a_time_limit_would_close_and_closes_nothing() {
    let agent = agent("echo", "");
    let clients: Vec<_> = (0..3).map(|_| is_in(agent.only())).collect();
    agent.assign(&clients[0], "u1");
    agent.assign(&clients[1], "u1");
    std::thread::sleep(Duration::from_millis(50));
    let trial = try_set(&agent, json!({ "max_lifetime": "20ms" }));
    assert_eq!(trial["ending"], 3, "{trial}");
    let by = json!([
        { "listener": "front", "uid": "u1", "reason": "max_lifetime", "count": 2 },
        { "listener": "front", "uid": null, "reason": "max_lifetime", "count": 1 },
    ]);
    assert_eq!(trial["by"], by);
    assert_eq!(try_set(&agent, json!({ "max_lifetime": "1h" }))["ending"], 0);
    stays("all are there", Duration::from_millis(300), || clients.iter().all(Peer::is_quiet));
}

#[test]
fn a_limit_that_comes_into_force_counts_those_who_came_before() {
    let agent = agent("echo", "");
    let clients: Vec<_> = (0..3).map(|_| is_in(agent.only())).collect();
    agent.settled(3);
    for key in ["max_connections", "max_per_ip", "max_per_network"] {
        set(&agent, json!({ key: 3 }));
        let before = rejected(&agent);
        Peer::is_reset_by(agent.only());
        until("it is counted", || (rejected(&agent) == before + 1).then_some(()));
        set(&agent, json!({ key: 0 }));
        drop(is_in(agent.only()));
        agent.settled(3);
    }
    drop(clients);
}

#[test]
fn the_agents_limit_can_change_too() {
    let agent = agent("echo", "");
    let clients = (is_in(agent.only()), is_in(agent.only()));
    agent.http().patch("/v1/limits", &json!({ "set": { "max_connections": 2 } })).is(200);
    Peer::is_reset_by(agent.only());
    agent.http().delete("/v1/limits?keys=max_connections").is(200);
    is_in(agent.only());
    drop(clients);
}

#[test]
fn what_is_set_lasts_until_a_restart() {
    let text = "[[listener]]\nname = 'front'\nmode = 'echo'\nbind = '127.0.0.1:0'\nmax_per_ip = 8\n";
    let setup = Setup::new();
    let state = setup.dir().path().join("state").display().to_string();
    let agent = setup.config(format!("state_dir = '{state}'\n{text}")).start();
    set(&agent, json!({ "max_per_ip": 2 }));
    let agent = agent.crash_and_restart();
    assert_eq!(limit(&agent, "max_per_ip"), (json!(8), "file".to_owned()));
}

/// `count` clients on ten threads; those that were reset before they knew it are not among them.
fn crowd(addr: SocketAddr, count: usize) -> Vec<std::thread::JoinHandle<Vec<Peer>>> {
    let dial = move || (0..count / 10).filter_map(|_| Peer::dial(addr).ok()).collect::<Vec<_>>();
    (0..10).map(|_| std::thread::spawn(dial)).collect()
}

/// Waits until all of the crowd are in or away and exactly so many are left, on both ends of the wire.
#[track_caller]
fn exactly(
    agent: &Agent,
    crowd: Vec<std::thread::JoinHandle<Vec<Peer>>>,
    count: usize,
    left: usize,
    most: usize,
) {
    while crowd.iter().any(|thread| !thread.is_finished()) {
        let rows = agent.connections();
        assert!(rows.len() <= most, "{} are registered", rows.len());
    }
    let clients: Vec<_> = crowd.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    until("everyone has been let in or turned away", || {
        assert!(agent.connections().len() <= most);
        let accepted = agent.node()["accepted"].as_u64().unwrap();
        (accepted + rejected(agent) == count as u64).then_some(())
    });
    agent.settled(left);
    until("all others have been told", || {
        (clients.iter().filter(|client| client.is_quiet()).count() == left).then_some(())
    });
    agent.settled(left);
    let accepted = agent.node()["accepted"].as_u64().unwrap();
    assert_eq!(agent.count_of("client", "evicted"), accepted - left as u64, "{:?}", agent.endings());
}

#[test]
fn of_500_clients_of_a_network_at_once_its_limit_is_live_and_never_more_registered() {
    for rule in ["evict-oldest", "evict-newest", "evict-oldest-activity"] {
        let agent = agent("hold", &format!("max_per_network = 5\non_over = '{rule}'"));
        exactly(&agent, crowd(agent.only(), 500), 500, 5, 5);
    }
}

#[test]
fn limits_that_change_under_500_clients_leave_exactly_the_last_one() {
    for rule in ["evict-oldest", "evict-newest"] {
        let agent = agent("hold", &format!("max_connections = 9\non_over = '{rule}'"));
        let mut clients = crowd(agent.only(), 500);
        for limit in [3, 9, 4, 8, 2, 7, 5, 9, 1, 5].into_iter().cycle().take(40) {
            set(&agent, json!({ "max_connections": limit, "max_per_network": 9 }));
            assert!(agent.connections().len() <= 9);
        }
        assert_eq!(limit(&agent, "max_connections").0, 5);
        // A lower limit before may have closed all but one of those who came.
        clients.extend(crowd(agent.only(), 100));
        exactly(&agent, clients, 600, 5, 9);
    }
}

#[test]
fn changes_at_once_do_not_mix() {
    let agent = agent("hold", "");
    let threads: Vec<_> = (1..=8_u32)
        .map(|number| {
            let http = agent.http();
            std::thread::spawn(move || {
                for _ in 0..20 {
                    let limits =
                        json!({ "max_per_ip": number, "max_per_uid": number, "max_per_device": number });
                    http.patch("/v1/limits", &json!({ "listeners": ["front"], "set": limits })).is(200);
                }
            })
        })
        .collect();
    while threads.iter().any(|thread| !thread.is_finished()) {
        let page = agent.http().get("/v1/limits?listener=front").is(200).json();
        let rows = page["limits"].as_array().unwrap().clone();
        let of = |key: &str| rows.iter().find(|row| row["key"] == key).unwrap()["value"].clone();
        assert!(of("max_per_ip") == of("max_per_uid") && of("max_per_uid") == of("max_per_device"), "{page}");
    }
    threads.into_iter().for_each(|thread| thread.join().unwrap());
    // What is listed is what is in force.
    let most = limit(&agent, "max_per_ip").0.as_u64().unwrap();
    let clients: Vec<_> = (0..most).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(clients.len());
    Peer::is_reset_by(agent.only());
}

#[test]
fn of_many_connections_that_become_one_users_at_once_exactly_the_limit_stays() {
    for (rule, reason) in [("reject", "limit"), ("evict-oldest", "evicted"), ("evict-newest", "evicted")] {
        let hello = "GET / HTTP/1.1\r\nHost: x\r\nX-User: u1\r\n\r\n";
        let more = format!("identity = ['http:X-User']\nmax_per_uid = 5\non_over = '{rule}'");
        let agent = agent("hold", &more);
        let mut clients: Vec<_> = (0..60).map(|_| Peer::connect(agent.only())).collect();
        agent.settled(60);
        std::thread::scope(|scope| {
            for some in clients.chunks_mut(6) {
                scope.spawn(|| some.iter_mut().for_each(|client| client.send(hello)));
            }
        });
        agent.counts("client", reason, 55);
        let rows = agent.settled(5);
        assert!(rows.iter().all(|row| row["uid"] == "u1"), "{rows:?}");
        stays("nobody else goes", Duration::from_millis(200), || agent.connections().len() == 5);
    }
}

#[test]
fn each_device_of_a_user_has_its_own_places() {
    let agent = agent("echo", "max_per_device = 1\non_over = 'evict-oldest'");
    let mut clients: Vec<_> = (0..4).map(|_| is_in(agent.only())).collect();
    for (client, uid, device) in [(0, "u1", "web"), (1, "u1", "app"), (2, "u2", "web")] {
        agent.assign_with(&clients[client], &json!({ "uid": uid, "device": device }));
    }
    agent.assign(&clients[3], "u1");
    agent.settled(4);
    agent.assign_with(&clients[3], &json!({ "device": "web" }));
    clients.remove(0).ends_with(End::Fin);
    agent.settled(3);
    agent.counts("client", "evicted", 1);
}

#[test]
fn each_network_has_its_own_places() {
    let agent =
        agent("echo", "max_per_network = 2\nnetwork_prefix_ipv4 = 30\naccept_proxy_from = ['127.0.0.0/8']");
    let proxied = |ip: &str| {
        let mut client = Peer::connect(agent.only());
        client.send(format!("PROXY TCP4 {ip} 192.0.2.9 1000 80\r\n"));
        client
    };
    let clients = (proxied("192.0.2.1"), proxied("192.0.2.2"), proxied("192.0.2.4"));
    agent.settled(3);
    proxied("192.0.2.3").ends_with(End::Reset);
    agent.counts("client", "limit", 1);
    set(&agent, json!({ "network_prefix_ipv4": 29, "max_per_network": 3 }));
    proxied("192.0.2.5").ends_with(End::Reset);
    set(&agent, json!({ "network_prefix_ipv4": 32 }));
    let last = proxied("192.0.2.5");
    agent.settled(4);
    drop((clients, last));
}

/// More than the sockets of a small test take, and far more than the limits below.
const MUCH: usize = 8 << 20;

/// Sends until it is done or the connection is over.
fn pours(peer: &Peer) -> std::thread::JoinHandle<()> {
    let writer = peer.another();
    std::thread::spawn(move || {
        let _ = std::io::Write::write_all(&mut writer.stream(), &vec![b'x'; MUCH]);
    })
}

#[test]
fn a_peer_that_lets_too_much_wait_is_reset_and_the_other_one_closed() {
    let upstream = ByHand::listen();
    let more = format!("upstream = ['{}']\nmax_pending_bytes = '256KiB'", upstream.addr());
    let agent = agent("forward", &more);
    let mut client = Peer::with_small_window(agent.only());
    let mut server = upstream.accept();
    client.send("for the server");
    server.expect("for the server");
    let pouring = pours(&server);
    agent.counts("client", "max_pending", 1);
    agent.counts("upstream", "max_pending", 1);
    assert_eq!(client.end().1, End::Reset);
    pouring.join().unwrap();
    drop(server);
    agent.settled(0);
    let line = until("the ending is logged", || {
        agent.log().lines().find(|line| line.contains("max_pending")).map(str::to_owned)
    });
    assert!(line.contains("policy") && line.contains("client"), "{line}");
}

#[test]
fn a_limit_of_pending_bytes_counts_for_what_waits_already() {
    let agent = agent("echo", "");
    let (slow, mut quick) = (Peer::with_small_window(agent.only()), is_in(agent.only()));
    let pouring = pours(&slow);
    let id = agent.id(&slow);
    until("much waits for it", || {
        let shown = agent.http().get(&format!("/v1/connections/{id}")).is(200).json();
        (shown["sides"]["client"]["pending_bytes"].as_u64().unwrap() > 0).then_some(())
    });
    let trial = try_set(&agent, json!({ "max_pending_bytes": "32KiB" }));
    assert_eq!((&trial["ending"], &trial["connections"][0]["conn_id"]), (&json!(1), &json!(id)), "{trial}");
    assert_eq!(trial["by"][0]["reason"], "max_pending");
    assert_eq!(try_set(&agent, json!({ "max_pending_bytes": "1GiB" }))["ending"], 0);
    assert_eq!(set(&agent, json!({ "max_pending_bytes": "32KiB" }))["ending"], 1);
    agent.counts("client", "max_pending", 1);
    pouring.join().unwrap();
    for _ in 0..2_000 {
        quick.send([b'x'; 100]);
        quick.expect([b'x'; 100]);
    }
}
