//! `connctl list` and `connctl show`: who is connected.
use serde_json::{Value, json};

use crate::support::cli::Connctl;
use crate::support::{Agent, Peer, Setup};

fn ids(rows: &Value) -> Vec<u64> {
    let rows = rows.as_array().unwrap_or_else(|| panic!("not an array: {rows}"));
    rows.iter().map(|row| row["conn_id"].as_u64().unwrap()).collect()
}

#[test]
fn list_shows_every_connection_as_the_api_does() {
    let agent = Agent::echo();
    let clients = [Peer::connect(agent.only()), Peer::connect(agent.only())];
    agent.assign(&clients[0], "u1");
    let rows = Connctl::to(&agent).line("list -o json").ok().json();
    assert_eq!(rows.as_array().map(Vec::len), Some(2), "{rows}");
    for (row, client) in rows.as_array().unwrap().iter().zip(&clients) {
        let own = agent.row(client);
        for name in
            ["conn_id", "node_id", "uid", "device", "tags", "listener", "mode", "state", "client", "local"]
        {
            assert_eq!(row[name], own[name], "{name}");
        }
        assert!(row["upstream"].is_null() && row["opened_at"].is_string(), "{row}");
    }
}

#[test]
fn an_empty_list_is_no_error() {
    let agent = Agent::echo();
    let run = Connctl::to(&agent).line("list -o json").ok();
    assert_eq!((run.json(), run.stderr.as_str()), (json!([]), ""));
    assert_eq!(Connctl::to(&agent).line("list -o jsonl").ok().stdout, "");
    assert_eq!(Connctl::to(&agent).line("list -o name").ok().stdout, "");
}

#[test]
fn every_selector_flag_selects() {
    let agent = Setup::new().echo("one").hold("two").start();
    let (a, b, c) = (
        Peer::connect(agent.addr("one")),
        Peer::connect(agent.addr("one")),
        Peer::connect(agent.addr("two")),
    );
    let ida = agent.assign_with(&a, &json!({ "uid": "u1", "device": "web", "tags": { "team": "red" } }));
    let idb = agent.assign_with(&b, &json!({ "uid": "u2" }));
    let idc = agent.assign_with(&c, &json!({ "uid": "u1", "tags": { "team": "blue" } }));
    agent.does("pause", "both", &b);
    let all = vec![ida, idb, idc];
    let cases = [
        ("", all.clone()),
        ("--all", all.clone()),
        ("--uid u1", vec![ida, idc]),
        ("--uid u1 --uid u2", all.clone()),
        ("--uid u1 --listener two", vec![idc]),
        ("--uid nobody", vec![]),
        ("--ip 127.0.0.1", all.clone()),
        ("--ip 127.0.0.0/8", all.clone()),
        ("--ip 10.0.0.0/8", vec![]),
        ("--listener one", vec![ida, idb]),
        ("--device web", vec![ida]),
        ("--tag team=red", vec![ida]),
        ("--tag team=red --tag team=blue", vec![ida, idc]),
        ("--state paused", vec![idb]),
        ("--node 1", all.clone()),
        ("--node 2", vec![]),
        ("--idle-over 1h", vec![]),
        ("--age-over 1h", vec![]),
        ("--idle-over 0ms --state active", vec![ida, idc]),
    ];
    for (flags, expected) in cases {
        let rows = Connctl::to(&agent).line(&format!("list -o json {flags}")).ok().json();
        assert_eq!(ids(&rows), expected, "{flags}");
    }
    let own = Connctl::to(&agent);
    let by_id = own.line(&format!("list -o json --conn-id {ida} --conn-id {idc}")).ok().json();
    assert_eq!(ids(&by_id), [ida, idc]);
    let by_port = own.line(&format!("list -o json --port {}", b.local().port())).ok().json();
    assert_eq!(ids(&by_port), [idb]);
}

#[test]
fn the_whole_selector_language_is_open_through_where() {
    let agent = Agent::echo();
    let (a, b) = (Peer::connect(agent.only()), Peer::connect(agent.only()));
    let (ida, idb) = (agent.assign(&a, "team/a b"), agent.assign(&b, "team/c"));
    let own = Connctl::to(&agent);
    let select = |expression: &str| ids(&own.run(&["list", "-o", "json", "--where", expression]).ok().json());
    assert_eq!(select("uid = 'team/a b'"), [ida]);
    assert_eq!(
        select("uid ~ '^team/' and not conn_id = 0x1 or uid = 'team/c'".replace("0x1", "1").as_str()).len(),
        2
    );
    assert_eq!(select(&format!("conn_id in ({idb}, {})", idb + 9)), [idb]);
    assert_eq!(select("state in (active, paused)"), [ida, idb]);
    own.run(&["list", "--where", "uidd = u1"]).exits(2).says("uidd");
    own.run(&["list", "--where", "uid ="]).exits(2);
}

#[test]
fn a_user_with_odd_characters_is_one_user() {
    let agent = Agent::echo();
    let odd = ["o'brien", "a\"b", "a b", "x and y", "ünï/ö", "-dash", "a,b", "null", "50%"];
    let clients: Vec<_> = odd.iter().map(|_| Peer::connect(agent.only())).collect();
    for (client, uid) in clients.iter().zip(odd) {
        let id = agent.assign(client, uid);
        let rows = Connctl::to(&agent).run(&["list", "-o", "json", &format!("--uid={uid}")]).ok().json();
        assert_eq!(ids(&rows), [id], "{uid}");
    }
}

#[test]
fn sort_and_limit_and_columns_shape_the_list() {
    let agent = Agent::echo();
    let clients: Vec<_> = (0..4).map(|_| Peer::connect(agent.only())).collect();
    let all: Vec<_> =
        clients.iter().zip(["d", "b", "a", "c"]).map(|(client, uid)| agent.assign(client, uid)).collect();
    let own = Connctl::to(&agent);
    let sorted = own.line("list -o json --sort uid").ok().json();
    assert_eq!(ids(&sorted), [all[2], all[1], all[3], all[0]]);
    let turned = own.line("list -o json --sort=-conn_id --limit 2").ok().json();
    assert_eq!(ids(&turned), [all[3], all[2]]);
    let table = own.line("list --columns uid,conn_id --sort uid --no-headers").ok();
    let words: Vec<Vec<&str>> = table.lines().iter().map(|line| line.split_whitespace().collect()).collect();
    assert_eq!(words[0], ["a", &all[2].to_string()]);
    own.line("list --sort height").exits(2).says("height");
    own.line("list --columns uid,height").exits(2).says("height");
}

#[test]
fn count_counts_in_all_and_by_a_field() {
    let agent = Agent::echo();
    let clients: Vec<_> = (0..3).map(|_| Peer::connect(agent.only())).collect();
    agent.assign(&clients[0], "a");
    agent.assign(&clients[1], "a");
    let own = Connctl::to(&agent);
    assert_eq!(own.line("list --count").ok().stdout.trim(), "3");
    assert_eq!(own.line("list --count --uid a").ok().stdout.trim(), "2");
    let by = own.line("list --count --by uid -o json").ok().json();
    assert!(by.to_string().contains("\"count\":2"), "{by}");
}

#[test]
fn a_long_list_is_whole() {
    let agent = Setup::new().hold("hold").start();
    let clients: Vec<_> = (0..400).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(400);
    let rows = Connctl::to(&agent).line("list -o jsonl").ok().json_lines();
    assert_eq!(rows.len(), 400);
    assert_eq!(Connctl::to(&agent).line("list --limit 150 -o name").ok().lines().len(), 150);
    drop(clients);
}

#[test]
fn show_tells_about_one_connection() {
    let upstream = crate::support::Upstream::echo();
    let agent = Agent::front(upstream.addr());
    let client = Peer::connect(agent.only());
    let id = agent.assign(&client, "u1");
    let own = Connctl::to(&agent);
    let shown = own.line(&format!("show {id} -o json")).ok().json();
    assert_eq!((&shown["conn_id"], &shown["uid"]), (&json!(id), &json!("u1")), "{shown}");
    let page = own.line(&format!("show {id}")).ok().stdout;
    for text in ["u1", "front", &client.local().to_string(), &upstream.addr().to_string()] {
        assert!(page.contains(text), "{text} is missing:\n{page}");
    }
    own.line(&format!("show {}", id + 1)).exits(3).says(&(id + 1).to_string());
    own.line("show abc").exits(2).says("abc");
    own.line("show 0").exits(2);
    own.line("show").exits(2);
}

#[test]
fn health_is_shown_where_somebody_asks_for_it() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    let id = agent.id(&client);
    let list = |words: &str| Connctl::to(&agent).line(&format!("list {words}")).ok();
    let wide = list("-o wide").stdout;
    assert!(wide.contains("HEALTH") && wide.contains("healthy"), "{wide}");
    assert!(!list("").stdout.contains("HEALTH"));
    assert_eq!(list("--columns conn_id,health -o csv").stdout, format!("conn_id,health\n{id},healthy\n"));
    assert_eq!(list("--columns health -o jsonl").json_lines(), [json!({ "health": "healthy" })]);
    assert!(list("-o jsonl").json_lines()[0]["health"].is_null(), "the kernel is not asked for nothing");
    let found = Connctl::to(&agent).run(&["list", "--where", "health = healthy", "-o", "name"]).ok();
    assert_eq!(found.stdout, format!("{id}\n"));
    let shown = Connctl::to(&agent).line(&format!("show {id}")).ok().stdout;
    assert!(shown.contains("health") && shown.contains("healthy") && shown.contains("last_acked"), "{shown}");
}
