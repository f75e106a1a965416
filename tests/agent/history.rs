//! What the agent knows of connections that have ended.
use std::path::Path;
use std::time::{Duration, SystemTime};

use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::upstream::{ByHand, Refusing, Upstream};
use crate::support::{Agent, Peer, Setup, until};

fn rows(agent: &Agent, query: &str) -> Vec<Value> {
    let page = agent.http().get(&format!("/v1/history{query}")).is(200).json();
    page["connections"].as_array().expect("connections").clone()
}

fn why(agent: &Agent, id: u64) -> Value {
    agent.http().get(&format!("/v1/connections/{id}/why")).is(200).json()
}

/// Waits until the connection has ended; gives its row.
#[track_caller]
fn ended(agent: &Agent, id: u64) -> Value {
    until(&format!("{id} has ended"), || {
        let report = why(agent, id);
        (report["live"] == false).then(|| report["ended"].clone())
    })
}

/// The name of whoever runs this, as the agent knows it over the unix socket.
fn me() -> String {
    format!("uid-{}", rustix::process::geteuid().as_raw())
}

/// When a file was last written.
fn written(file: &Path) -> SystemTime {
    std::fs::metadata(file).unwrap().modified().unwrap()
}

fn ids(rows: &[Value]) -> Vec<u64> {
    rows.iter().map(|row| row["conn_id"].as_u64().unwrap()).collect()
}

#[test]
fn who_asked_is_named_in_whichever_way_they_asked() {
    let hash: String = Sha256::digest("alice's").iter().map(|byte| format!("{byte:02x}")).collect();
    let config = format!("[[token]]\nname = 'alice'\nrole = 'admin'\nsha256 = '{hash}'\n");
    let agent = Setup::new().config(config).echo("echo").tcp_control().start();
    let ask = |method: &str, path: &str, body: &Value| {
        let headers = [("Authorization", "Bearer alice's"), ("Content-Type", "application/json")];
        agent.tcp().send(method, path, &headers, body.to_string().as_bytes()).is(200)
    };
    for way in ["operations", "job", "apply", "remove", "kick", "connections", "revoke", "drain"] {
        let client = Peer::connect(agent.only());
        let id = agent.assign(&client, "u1");
        let one = json!({ "operation": "close", "items": [{ "conn_id": id }], "grace_ms": 20_000 });
        let named = json!({ "uid": "u1", "conn_id": id });
        match way {
            "operations" => drop(ask("POST", "/v1/operations", &one)),
            "job" => {
                let mut one = one;
                one["detach"] = json!(true);
                ask("POST", "/v1/operations", &one);
            }
            "apply" => {
                let plan = ask("POST", "/v1/plans", &one).json()["plan_id"].as_str().unwrap().to_owned();
                ask("POST", &format!("/v1/plans/{plan}/apply"), &json!({}));
            }
            "remove" | "kick" => drop(ask("POST", &format!("/conn/{way}"), &named)),
            "connections" => drop(ask("DELETE", "/current/connections?type=reset", &Value::Null)),
            "revoke" => drop(ask("POST", "/v1/revocations", &json!({ "uid": "u1" }))),
            _ => drop(ask("POST", "/v1/node/drain", &json!({}))),
        }
        let row = ended(&agent, id);
        assert_eq!((&row["by"], &row["initiator"]), (&json!("alice"), &json!("operator")), "{way}: {row}");
        let text = why(&agent, id)["text"].as_str().unwrap().to_owned();
        assert!(text.contains("by operator alice with") || way == "revoke", "{way}: {text}");
        if way == "revoke" {
            ask("DELETE", "/v1/revocations/1", &Value::Null);
        }
    }
}

#[test]
fn a_row_tells_all_that_was_known() {
    let upstream = Upstream::echo();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    client.send("hello");
    client.expect("hello");
    let live = agent.counted(&client, 5, 5);
    let id = agent.assign_with(&client, &json!({ "uid": "bob", "device": "web", "tags": { "team": "red" } }));
    let request = json!({
        "operation": "close", "where": "uid = bob", "note": "too loud",
    });
    let (items, _) = agent.operate(&request);
    let row = &rows(&agent, "")[0];
    for name in ["conn_id", "node_id", "listener", "mode", "client", "local", "upstream", "opened_at"] {
        assert_eq!(row[name], live[name], "{name}: {row}");
    }
    let expected = [
        ("uid", json!("bob")),
        ("device", json!("web")),
        ("tags", json!({ "team": "red" })),
        ("to_upstream_bytes", json!(5)),
        ("to_client_bytes", json!(5)),
        ("reason", json!("operator_close")),
        ("initiator", json!("operator")),
        ("side", Value::Null),
        ("by", json!(me())),
        ("request", json!("close where uid = bob")),
        ("note", json!("too loud")),
        ("wire", items[0]["wire"].clone()),
    ];
    for (name, value) in expected {
        assert_eq!(row[name], value, "{name}: {row}");
    }
    assert!(row["ended_at"].as_str() >= row["opened_at"].as_str(), "{row}");
    let report = why(&agent, id);
    assert_eq!((&report["live"], &report["ended"]), (&json!(false), row));
    let text = report["text"].as_str().unwrap();
    let closed = format!("closed by operator {} with `close where uid = bob`", me());
    for part in [closed.as_str(), "note: too loud"] {
        assert!(text.contains(part), "{text}");
    }
}

#[test]
fn once_an_operation_says_done_the_history_knows() {
    let agent = Agent::hold();
    for kind in ["close", "reset"] {
        for _ in 0..30 {
            let client = Peer::connect(agent.only());
            let id = agent.id(&client);
            agent.does(kind, "both", &client);
            let row = why(&agent, id)["ended"].clone();
            assert_eq!(row["reason"], format!("operator_{kind}"), "{row}");
            assert_eq!(row["request"], format!("{kind} of connection {id}"), "{row}");
        }
    }
}

#[test]
fn what_was_dropped_is_told() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let client = Peer::with_small_window(agent.only());
    let mut server = upstream.accept();
    server.fill();
    let id = agent.id(&client);
    let item = agent.does("reset", "both", &client);
    let dropped = item["wire"]["dropped_bytes"].as_u64().unwrap();
    assert!(dropped > 0, "{item}");
    let report = why(&agent, id);
    assert_eq!(report["ended"]["wire"], item["wire"]);
    assert!(
        report["text"].as_str().unwrap().contains(&format!("{dropped} unsent bytes dropped")),
        "{report}"
    );
}

#[test]
fn a_peer_that_leaves_was_asked_by_nobody() {
    let (upstream, refusing) = (Upstream::echo(), Refusing::new());
    let agent = Setup::new().forward("good", upstream.addr()).forward("bad", refusing.addr()).start();
    let client = Peer::connect(agent.addr("good"));
    let id = agent.id(&client);
    // A half-close that an operator asked for before is not why.
    agent.does("halfclose", "client", &client);
    client.reset();
    let row = ended(&agent, id);
    assert_eq!(
        (&row["reason"], &row["initiator"], &row["side"]),
        (&json!("econnreset"), &json!("client"), &json!("client"))
    );
    assert_eq!((&row["by"], &row["request"], &row["note"]), (&Value::Null, &Value::Null, &Value::Null));
    Peer::connect(agent.addr("bad")).end();
    agent.settled(0);
    let rows = rows(&agent, "?where=listener%20%3D%20bad");
    assert_eq!(
        (rows.len(), &rows[0]["reason"], &rows[0]["upstream"]),
        (1, &json!("econnrefused"), &Value::Null)
    );
}

#[test]
fn the_first_who_asks_is_the_one_who_is_named() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let client = Peer::with_small_window(agent.only());
    let mut server = upstream.accept();
    server.fill();
    let id = agent.id(&client);
    let ask = |kind: &str, note: &str, grace_ms: u64| json!({ "operation": kind, "items": [{ "conn_id": id }], "note": note, "grace_ms": grace_ms });
    let http = agent.http();
    let first = ask("close", "first", 600_000);
    let closing = std::thread::spawn(move || http.post("/v1/operations", &first).is(200).json_lines());
    agent.reaches(&client, "closing");
    agent.operate(&ask("reset", "second", 0));
    closing.join().unwrap();
    let row = &why(&agent, id)["ended"];
    assert_eq!((&row["reason"], &row["note"]), (&json!("operator_close"), &json!("first")), "{row}");
}

#[test]
fn a_connection_that_lives_says_what_would_end_it() {
    let agent = Setup::new()
        .config(
            "[[listener]]\nname = 'a'\nmode = 'echo'\nbind = '127.0.0.1:0'\nidle_timeout = '1h'\n\
                 [[listener]]\nname = 'b'\nmode = 'echo'\nbind = '127.0.0.1:0'\n",
        )
        .start();
    let (timed, free) = (Peer::connect(agent.addr("a")), Peer::connect(agent.addr("b")));
    let report = why(&agent, agent.id(&timed));
    assert_eq!(
        (&report["live"], &report["ends_by"], &report["ended"]),
        (&json!(true), &json!("inactivity"), &Value::Null)
    );
    assert!(report["time_remaining_ms"].as_u64().unwrap() > 3_000_000, "{report}");
    let report = why(&agent, agent.id(&free));
    assert_eq!((&report["live"], &report["ends_by"]), (&json!(true), &Value::Null));
    let unknown = agent.http().get("/v1/connections/9007199254740991/why").is(404).json();
    assert_eq!(unknown["error"]["code"], "not_found");
    agent.http().get("/v1/connections/none/why").is(400);
}

#[test]
fn the_history_is_selected_paged_streamed_and_counted() {
    let agent = Agent::echo();
    let mut all = Vec::new();
    for number in 0..25 {
        let client = Peer::connect(agent.only());
        all.push(agent.assign(&client, &format!("u{}", number % 2)));
        agent.does(if number % 5 == 0 { "reset" } else { "close" }, "both", &client);
    }
    all.reverse();
    assert_eq!(ids(&rows(&agent, "")), all);
    let (mut paged, mut cursor) = (Vec::new(), String::new());
    loop {
        let page = agent.http().get(&format!("/v1/history?limit=7{cursor}")).is(200).json();
        paged.extend(ids(page["connections"].as_array().unwrap()));
        let Some(next) = page["next_cursor"].as_str() else { break };
        cursor = format!("&cursor={next}");
    }
    assert_eq!(paged, all);
    let streamed = agent.http().get("/v1/history?stream=true&limit=24").is(200).json_lines();
    assert_eq!(ids(&streamed), all[..24]);
    let by = agent.http().get("/v1/history?count=true&by=reason").is(200).json();
    let expected = json!({ "count": 25, "by": [
        { "value": "operator_close", "count": 20 }, { "value": "operator_reset", "count": 5 },
    ] });
    assert_eq!(by, expected);
    for (text, count) in [
        ("uid = u1", 12),
        ("reason = operator_reset", 5),
        ("initiator = client", 0),
        ("ended_at > 2020-01-01T00:00:00Z and bytes = 0", 25),
        ("ended_at = null", 0),
        ("state = active", 0),
        ("ip in 127.0.0.0/8 and listener = echo", 25),
    ] {
        let text = text.replace(' ', "%20").replace('=', "%3D").replace('/', "%2F").replace('>', "%3E");
        let report = agent.http().get(&format!("/v1/history?count=true&where={text}")).is(200).json();
        assert_eq!(report["count"], count, "{text}");
    }
    for (since, count) in [("1h", 25), ("2020-01-01T00:00:00Z", 25), ("2099-01-01T00:00:00Z", 0)] {
        let report = agent.http().get(&format!("/v1/history?count=true&since={since}")).is(200).json();
        assert_eq!(report["count"], count, "{since}");
    }
    for (query, field) in [
        ("since=yesterday", "since"),
        ("limit=100001", "limit"),
        ("limit=-1", "limit"),
        ("cursor=v1-a7", "cursor"),
        ("by=uid", "by"),
        ("count=true&by=colour", "by"),
        ("where=colour%3Dred", "where"),
        ("sort=uid", "sort"),
    ] {
        let error = agent.http().get(&format!("/v1/history?{query}")).is(400).json();
        assert_eq!(error["error"]["detail"]["field"], field, "{query}: {error}");
    }
}

#[test]
fn memory_keeps_the_latest_and_a_history_of_none_keeps_nothing() {
    let config = |size: u32| {
        format!("history_size = {size}\n[[listener]]\nname = 'echo'\nmode = 'echo'\nbind = '127.0.0.1:0'\n")
    };
    let agent = Setup::new().config(config(16)).start();
    let mut last = 0;
    for _ in 0..40 {
        let client = Peer::connect(agent.only());
        last = agent.id(&client);
        agent.does("reset", "both", &client);
    }
    let kept = ids(&rows(&agent, ""));
    assert!((16..=18).contains(&kept.len()) && kept[0] == last, "{kept:?}");
    let agent = Setup::new().config(config(0)).start();
    let client = Peer::connect(agent.only());
    let id = agent.id(&client);
    agent.does("reset", "both", &client);
    assert_eq!(rows(&agent, ""), Vec::<Value>::new());
    agent.http().get(&format!("/v1/connections/{id}/why")).is(404);
}

#[test]
fn the_history_survives_a_stop_and_a_crash_loses_the_last_second_at_most() {
    let setup = Setup::new().echo("echo");
    let state = setup.dir().path().join("state");
    let setup = setup.arg("--state-dir").arg(state.display().to_string());
    let mut agent = setup.clone().start();
    let live = Peer::connect(agent.only());
    let stays = agent.id(&live);
    let client = Peer::connect(agent.only());
    let first = agent.id(&client);
    agent.operate(&json!({ "operation": "reset", "items": [{ "conn_id": first }], "note": "before" }));
    assert_eq!(agent.terminate(crate::support::LIMIT), Some(0));
    drop(agent);
    let agent = setup.start();
    assert_eq!(why(&agent, first)["ended"]["note"], "before");
    // What the stop itself closed was written as well.
    assert_eq!(why(&agent, stays)["ended"]["reason"], "shutdown");
    let client = Peer::connect(agent.only());
    let second = agent.id(&client);
    let file = state.join("history.redb");
    let before = written(&file);
    agent.does("reset", "both", &client);
    assert_eq!(ids(&rows(&agent, "")), [second, stays, first]);
    until("the file is written", || (written(&file) > before).then_some(()));
    let mut last = None;
    until("nothing more is written", || {
        std::thread::sleep(Duration::from_millis(500));
        let now = Some(written(&file));
        (std::mem::replace(&mut last, now) == now).then_some(())
    });
    let agent = agent.crash_and_restart();
    assert_eq!(ids(&rows(&agent, "")), [second, stays, first]);
}

#[test]
fn thousands_that_end_at_once_are_each_in_the_history_once() {
    const COUNT: usize = 900;
    let agent = Agent::hold();
    let clients: Vec<_> = (0..COUNT).map(|_| Peer::connect(agent.only())).collect();
    let all = ids(&agent.settled(COUNT));
    let (items, _) = agent.operate(&json!({ "operation": "reset", "where": "all", "note": "all of them" }));
    assert_eq!(items.len(), COUNT);
    let rows = agent.http().get("/v1/history?stream=true").is(200).json_lines();
    let mut seen = ids(&rows);
    seen.sort_unstable();
    assert_eq!(seen, all);
    assert!(rows.iter().all(|row| row["note"] == "all of them" && row["request"] == "reset where all"));
    drop(clients);
}
