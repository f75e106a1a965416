//! The native API where nothing is wrong: listing, paging, showing, assigning, counting, waiting.
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Agent, Peer, Setup};

fn with_clients(count: usize) -> (Agent, Vec<Peer>, Vec<u64>) {
    let agent = Agent::echo();
    let clients: Vec<_> = (0..count).map(|_| Peer::connect(agent.only())).collect();
    let ids = agent.settled(count).iter().map(|row| row["conn_id"].as_u64().unwrap()).collect();
    (agent, clients, ids)
}

fn ids_of(page: &Value) -> Vec<u64> {
    let rows = page["connections"].as_array().expect("connections");
    rows.iter().map(|row| row["conn_id"].as_u64().unwrap()).collect()
}

#[test]
fn a_row_has_every_field_of_the_contract() {
    let upstream = crate::support::Upstream::echo();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    client.send("hello");
    client.expect("hello");
    let row = agent.counted(&client, 5, 5);
    let expected = [
        ("node_id", json!(1)),
        ("uid", Value::Null),
        ("device", Value::Null),
        ("tags", json!({})),
        ("listener", json!("front")),
        ("mode", json!("forward")),
        ("state", json!("active")),
        ("client", json!(client.local().to_string())),
        ("local", json!(agent.only().to_string())),
        ("upstream", json!(upstream.addr().to_string())),
        ("to_upstream_bytes", json!(5)),
        ("to_client_bytes", json!(5)),
    ];
    for (name, value) in expected {
        assert_eq!(row[name], value, "{name}: {row}");
    }
    for name in ["conn_id", "age_ms", "idle_ms"] {
        assert!(row[name].is_u64(), "{name}: {row}");
    }
    let opened = row["opened_at"].as_str().unwrap();
    assert!(opened.len() == 24 && opened.ends_with('Z') && opened.contains('T'), "{opened}");
    assert!(row["idle_ms"].as_u64() <= row["age_ms"].as_u64(), "{row}");
}

#[test]
fn ids_rise_in_the_order_of_arrival() {
    let agent = Agent::echo();
    let mut last = 0;
    for _ in 0..20 {
        let client = Peer::connect(agent.only());
        let id = agent.id(&client);
        assert!(id > last, "{id} came after {last}");
        last = id;
    }
}

#[test]
fn pages_together_are_the_whole_list() {
    let (agent, _clients, ids) = with_clients(25);
    let (mut seen, mut cursor, mut pages) = (Vec::new(), String::new(), 0);
    loop {
        let page = agent.http().get(&format!("/v1/connections?limit=10{cursor}")).is(200).json();
        assert_eq!(page["matched"], 25, "{page}");
        seen.extend(ids_of(&page));
        pages += 1;
        match page["next_cursor"].as_str() {
            Some(next) => cursor = format!("&cursor={next}"),
            None => break,
        }
        assert!(pages < 10, "the pages do not end");
    }
    assert_eq!((pages, seen), (3, ids));
}

#[test]
fn a_page_follows_on_although_connections_leave_between_pages() {
    let (agent, mut clients, ids) = with_clients(20);
    let first = agent.http().get("/v1/connections?limit=10").is(200).json();
    assert_eq!(ids_of(&first), ids[..10]);
    drop(clients.drain(..5).collect::<Vec<_>>());
    agent.settled(15);
    let cursor = first["next_cursor"].as_str().unwrap();
    let second = agent.http().get(&format!("/v1/connections?limit=10&cursor={cursor}")).is(200).json();
    assert_eq!(ids_of(&second), ids[10..]);
}

#[test]
fn a_stream_is_one_row_a_line() {
    let (agent, _clients, ids) = with_clients(12);
    let rows = agent.http().get("/v1/connections?stream=true").is(200).json_lines();
    let seen: Vec<_> = rows.iter().map(|row| row["conn_id"].as_u64().unwrap()).collect();
    assert_eq!(seen, ids);
}

#[test]
fn a_short_stream_comes_in_one_piece_and_a_long_one_in_chunks_without_a_row_lost_between() {
    let (agent, _clients, ids) = with_clients(600);
    let length_and_ids = |query: &str| {
        let answer = agent.http().get(&format!("/v1/connections?stream=true&{query}")).is(200);
        assert_eq!(answer.header("content-type"), Some("application/jsonl"));
        let length = answer.header("content-length").map(str::to_owned);
        let rows = answer.json_lines();
        (length, rows.iter().map(|row| row["conn_id"].as_u64().unwrap()).collect::<Vec<_>>())
    };
    // About 300 bytes each, and 64 KiB a chunk.
    for limit in [0, 1, 100, 200, 210, 220, 230, 240, 400, 440, 480, 599, 600] {
        let (length, listed) = length_and_ids(&format!("limit={limit}"));
        assert_eq!(listed, ids[..limit]);
        assert!(length.is_some() || limit > 100, "{limit}");
        assert!(length.is_none() || limit < 400, "{limit}");
    }
}

#[test]
fn sorting_and_selecting_go_together() {
    let (agent, clients, ids) = with_clients(4);
    for (client, uid) in clients.iter().zip(["b", "a", "b", "c"]) {
        agent.assign(client, uid);
    }
    let listed = |query: &str| ids_of(&agent.http().get(&format!("/v1/connections?{query}")).is(200).json());
    assert_eq!(listed("where=uid%3Db"), [ids[0], ids[2]]);
    assert_eq!(listed("where=uid%3Db&sort=-conn_id"), [ids[2], ids[0]]);
    assert_eq!(listed("sort=uid")[0], ids[1]);
    assert_eq!(listed("sort=-uid")[0], ids[3]);
    assert_eq!(listed("where=uid%3Dnobody"), Vec::<u64>::new());
}

#[test]
fn counting_needs_no_rows() {
    let (agent, clients, _) = with_clients(3);
    agent.assign(&clients[0], "a");
    agent.assign(&clients[1], "a");
    let get = |query: &str| agent.http().get(&format!("/v1/connections?count=true{query}")).is(200).json();
    assert_eq!(get(""), json!({ "count": 3 }));
    assert_eq!(
        get("&by=uid"),
        json!({ "count": 3, "by": [{ "value": "a", "count": 2 }, { "value": null, "count": 1 }] })
    );
}

#[test]
fn showing_one_connection_tells_what_the_kernel_knows() {
    let upstream = crate::support::Upstream::echo();
    let agent = Agent::front(upstream.addr());
    let client = Peer::connect(agent.only());
    let id = agent.id(&client);
    let shown = agent.http().get(&format!("/v1/connections/{id}")).is(200).json();
    assert_eq!((&shown["conn_id"], &shown["listener"]), (&json!(id), &json!("front")), "{shown}");
    for (side, peer) in [("client", client.local()), ("upstream", upstream.addr())] {
        let one = &shown["sides"][side];
        assert_eq!(one["peer"], peer.to_string(), "{shown}");
        assert_eq!(one["tcp"]["state"], "established", "{shown}");
    }
}

#[test]
fn what_is_assigned_is_shown_and_selects() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    let id = agent.assign_with(&client, &json!({ "uid": "u1", "device": "web", "tags": { "team": "a b" } }));
    // What is absent stays.
    agent.assign_with(&client, &json!({ "tags": { "env": "test" } }));
    let row = agent.row(&client);
    assert_eq!((&row["uid"], &row["device"]), (&json!("u1"), &json!("web")), "{row}");
    assert_eq!(row["tags"], json!({ "team": "a b", "env": "test" }));
    for selector in ["uid=u1", "device=web", "tag.env=test", "tag.team=%22a%20b%22"] {
        let page = agent.http().get(&format!("/v1/connections?where={selector}")).is(200).json();
        assert_eq!(ids_of(&page), [id], "{selector}");
    }
}

#[test]
fn live_connections_are_counted_by_user_address_listener_and_device() {
    let (agent, clients, _) = with_clients(3);
    agent.assign_with(&clients[0], &json!({ "uid": "a", "device": "web" }));
    for (by, value, count) in [
        ("uid", json!("a"), 1),
        ("ip", json!("127.0.0.1"), 3),
        ("listener", json!("echo"), 3),
        ("device", json!("web"), 1),
    ] {
        let rows = agent.http().get(&format!("/v1/stats?by={by}")).is(200).json();
        let row = rows.as_array().unwrap().iter().find(|row| row["value"] == value);
        assert_eq!(row.map(|row| row["connections"].clone()), Some(json!(count)), "{by}: {rows}");
    }
}

#[test]
fn a_bulk_operation_has_one_line_for_each_and_a_summary() {
    let (agent, _clients, ids) = with_clients(30);
    let (items, summary) = agent.operate(&json!({ "operation": "close", "where": "all" }));
    let mut seen: Vec<_> = items.iter().map(|item| item["conn_id"].as_u64().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, ids);
    for item in &items {
        assert_eq!((&item["operation"], &item["status"]), (&json!("close"), &json!("done")), "{item}");
        assert_eq!((&item["node_id"], &item["uid"]), (&json!(1), &Value::Null), "{item}");
    }
    for (name, count) in
        [("matched", 30), ("requested", 30), ("done", 30), ("failed", 0), ("skipped", 0), ("timed_out", 0)]
    {
        assert_eq!(summary[name], count, "{summary}");
    }
    let (items, summary) = agent.operate(&json!({ "operation": "close", "where": "all" }));
    assert_eq!((items.len(), &summary["matched"]), (0, &json!(0)));
}

#[test]
fn a_guard_refuses_too_many_and_closes_none() {
    let (agent, _clients, _) = with_clients(10);
    for guard in [json!({ "max": 9 }), json!({ "max_percent": 50 })] {
        let mut request = json!({ "operation": "reset", "where": "all" });
        request.as_object_mut().unwrap().extend(guard.as_object().unwrap().clone());
        let message = agent.http().post("/v1/operations", &request).error(409, "guard_refused");
        assert!(message.contains("10"), "{message}");
        assert_eq!(agent.connections().len(), 10);
    }
    let request = json!({ "operation": "reset", "where": "all", "max": 10, "max_percent": 100 });
    assert_eq!(agent.operate(&request).1["done"], 10);
}

#[test]
fn waiting_ends_when_the_condition_holds_or_the_time_is_over() {
    let (agent, clients, _) = with_clients(2);
    let ask = |condition: &str, timeout_ms: u64| {
        let request = json!({ "where": "all", "for": condition, "timeout_ms": timeout_ms });
        agent.http().post("/v1/wait", &request).is(200).json()
    };
    let report = ask("count=2", 10_000);
    assert_eq!((&report["reached"], &report["count"]), (&json!(true), &json!(2)), "{report}");
    let start = Instant::now();
    let report = ask("count=0", 200);
    assert_eq!((&report["reached"], &report["count"]), (&json!(false), &json!(2)), "{report}");
    assert!(start.elapsed() >= Duration::from_millis(200));
    let waiter = {
        let http = agent.http();
        let request = json!({ "for": "count=0", "timeout_ms": 15_000 });
        std::thread::spawn(move || http.post("/v1/wait", &request).is(200).json())
    };
    drop(clients);
    let report = waiter.join().unwrap();
    assert_eq!(report["reached"], true, "{report}");
}

#[test]
fn the_node_tells_about_itself() {
    let agent = Setup::new().echo("echo").arg("--node-id").arg("5").config("threads = 2\n").start();
    let client = Peer::connect(agent.only());
    agent.id(&client);
    let node = agent.node();
    for (name, value) in [
        ("node_id", json!(5)),
        ("pid", json!(agent.pid())),
        ("threads", json!(2)),
        ("listeners", json!(1)),
        ("listeners_accepting", json!(1)),
        ("connections", json!(1)),
        ("accepted", json!(1)),
        ("ended", json!(0)),
        ("compat", json!("documented")),
    ] {
        assert_eq!(node[name], value, "{name}: {node}");
    }
    agent.http().get("/v1/health").is(200);
}

#[test]
fn the_description_names_every_native_path() {
    let agent = Agent::echo();
    let description = agent.http().get("/v1/openapi.json").is(200).json();
    for path in [
        "/v1/connections",
        "/v1/connections/{conn_id}",
        "/v1/connections/{conn_id}/assign",
        "/v1/operations",
        "/v1/listeners",
        "/v1/listeners/reject",
        "/v1/stats",
        "/v1/node",
        "/v1/wait",
    ] {
        assert!(description["paths"][path].is_object(), "{path}");
    }
}
