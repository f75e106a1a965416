//! Plans: the set that was shown is the set that is acted on, once.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::{Value, json};

use crate::support::{Agent, End, Peer, Setup};

fn clients(agent: &Agent, count: usize) -> Vec<Peer> {
    let clients: Vec<_> = (0..count).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(count);
    clients
}

#[track_caller]
fn plan(agent: &Agent, request: &Value) -> Value {
    agent.http().post("/v1/plans", request).is(200).json()
}

fn id_of(plan: &Value) -> String {
    plan["plan_id"].as_str().expect("a plan id").to_owned()
}

/// The items and the summary of an application.
#[track_caller]
fn apply(agent: &Agent, plan: &Value) -> (Vec<Value>, Value) {
    let path = format!("/v1/plans/{}/apply", id_of(plan));
    let mut lines = agent.http().post(&path, &json!({})).is(200).json_lines();
    let last = lines.pop().expect("a summary");
    (lines, last["summary"].clone())
}

#[track_caller]
fn refused(agent: &Agent, plan_id: &str, status: u16, code: &str) -> String {
    agent.http().post(&format!("/v1/plans/{plan_id}/apply"), &json!({})).error(status, code)
}

fn is_untouched(client: &mut Peer) {
    client.send("untouched");
    client.expect("untouched");
}

#[test]
fn a_plan_acts_on_who_was_there_and_on_nobody_who_came_later() {
    let agent = Agent::echo();
    let mut planned = clients(&agent, 3);
    let plan = plan(&agent, &json!({"operation": "close", "where": "all"}));
    assert_eq!((&plan["connections"], &plan["state"]), (&json!(3), &json!("ready")), "{plan}");
    let mut late = Peer::connect(agent.only());
    drop(planned.pop());
    agent.settled(3);
    let (items, summary) = apply(&agent, &plan);
    assert_eq!((items.len(), &summary["matched"]), (3, &json!(3)), "{items:?}");
    assert_eq!((&summary["done"], &summary["skipped"]), (&json!(2), &json!(1)), "{items:?}");
    let skipped = items.iter().find(|item| item["status"] == "skipped").unwrap();
    assert!(skipped["error"].as_str().unwrap().contains("ended"), "{skipped}");
    planned.iter_mut().for_each(|client| client.ends_with(End::Fin));
    is_untouched(&mut late);
}

#[test]
fn a_plan_tells_its_size_by_listener_and_user_and_how_long_it_takes() {
    let agent = Setup::new().echo("one").echo("two").start();
    let clients: Vec<_> = ["one", "one", "two"].map(|name| Peer::connect(agent.addr(name))).into();
    agent.settled(3);
    agent.assign(&clients[0], "u1");
    agent.assign(&clients[2], "u1");
    let plan = plan(&agent, &json!({"operation": "reset", "where": "all", "pace": {"rate": 2}}));
    let row = |value: Value, count: u64| json!({"value": value, "count": count});
    assert_eq!(plan["by_listener"], json!([row(json!("one"), 2), row(json!("two"), 1)]));
    assert_eq!(plan["by_uid"], json!([row(json!("u1"), 2), row(Value::Null, 1)]));
    assert_eq!(plan["by_node"], json!([row(json!("1"), 3)]));
    assert_eq!((&plan["users"], &plan["node_connections"]), (&json!(1), &json!(3)));
    assert_eq!(plan["estimate_ms"], 1500, "{plan}");
    let rows = agent.http().get(&format!("/v1/plans/{}/connections", id_of(&plan))).is(200).json_lines();
    assert_eq!(rows.len(), 3);
    let listed = agent.http().get("/v1/plans").is(200).json();
    assert_eq!(listed["plans"][0], plan);
}

#[test]
fn a_plan_is_used_once_also_by_two_at_once() {
    let agent = Agent::echo();
    for _ in 0..10 {
        let clients = clients(&agent, 4);
        let plan_id = id_of(&plan(&agent, &json!({"operation": "close", "where": "all"})));
        let path = format!("/v1/plans/{plan_id}/apply");
        let http = agent.http();
        let statuses: Vec<_> = std::thread::scope(|scope| {
            let ask = || http.post(&path, &json!({})).status;
            let both: Vec<_> = (0..4).map(|_| scope.spawn(ask)).collect();
            both.into_iter().map(|thread| thread.join().unwrap()).collect()
        });
        assert_eq!(statuses.iter().filter(|status| **status == 200).count(), 1, "{statuses:?}");
        assert_eq!(statuses.iter().filter(|status| **status == 409).count(), 3, "{statuses:?}");
        assert!(refused(&agent, &plan_id, 409, "guard_refused").contains("applied before"));
        drop(clients);
        agent.settled(0);
    }
}

#[test]
fn a_plan_that_never_was_is_told_from_one_that_cannot_be_used_any_more() {
    let agent = Setup::new().echo("echo").config("plan_lifetime = '50ms'\n").start();
    let mut client = clients(&agent, 1).remove(0);
    let plan = plan(&agent, &json!({"operation": "close", "where": "all"}));
    let plan_id = id_of(&plan);
    crate::support::until("the plan expires", || {
        let row = agent.http().get(&format!("/v1/plans/{plan_id}")).is(200).json();
        (row["state"] == "expired").then_some(())
    });
    assert!(refused(&agent, &plan_id, 409, "guard_refused").contains("expired"));
    for unknown in ["nonsense", "p-1", "7", &plan_id.replace("-1", "-99"), "%2e%2e%2fx"] {
        refused(&agent, unknown, 404, "not_found");
    }
    assert!(refused(&agent, "p-00000000-1", 409, "guard_refused").contains("another"));
    agent.http().delete(&format!("/v1/plans/{plan_id}")).is(200);
    agent.http().get(&format!("/v1/plans/{plan_id}")).error(404, "not_found");
    refused(&agent, &plan_id, 409, "guard_refused");
    is_untouched(&mut client);
}

#[test]
fn guards_count_for_plans_and_a_refused_plan_can_still_be_used() {
    let agent = Agent::echo();
    let mut clients = clients(&agent, 3);
    let request = json!({"operation": "close", "where": "all", "max": 2});
    agent.http().post("/v1/plans", &request).error(409, "guard_refused");
    let plan = plan(&agent, &json!({"operation": "close", "where": "all"}));
    let path = format!("/v1/plans/{}/apply", id_of(&plan));
    agent.http().post(&path, &json!({"max": 2})).error(409, "guard_refused");
    agent.http().post(&path, &json!({"max_percent": 10})).error(409, "guard_refused");
    agent.http().post(&path, &json!({"pace": {"rate": -1}})).error(400, "invalid_request");
    agent.http().post(&path, &json!({"colour": 1})).error(400, "invalid_request");
    clients.iter_mut().for_each(is_untouched);
    assert_eq!(apply(&agent, &plan).1["done"], 3);
}

#[test]
fn a_plan_of_names_tells_who_is_not_there() {
    let agent = Agent::echo();
    let client = clients(&agent, 1).remove(0);
    let id = agent.id(&client);
    let plan = plan(&agent, &json!({"operation": "close", "items": [{"conn_id": id}, {"conn_id": id + 1}]}));
    assert_eq!((&plan["connections"], &plan["not_found"]), (&json!(1), &json!(1)), "{plan}");
    let (items, summary) = apply(&agent, &plan);
    assert_eq!((&summary["done"], &summary["not_found"]), (&json!(1), &json!(1)), "{items:?}");
}

#[test]
fn a_sample_is_a_share_and_the_idle_ones_come_first() {
    let agent = Agent::echo();
    let mut clients = clients(&agent, 20);
    let sample = json!({"operation": "close", "where": "all", "sample_percent": 10});
    assert_eq!(plan(&agent, &sample)["connections"], 2);
    for wrong in [0.0, -1.0, 101.0] {
        let request = json!({"operation": "close", "where": "all", "sample_percent": wrong});
        agent.http().post("/v1/plans", &request).error(400, "invalid_request");
    }
    let busy = agent.id(&clients[0]);
    crate::support::until("the others are idle", || {
        let rows = agent.connections();
        rows.iter().all(|row| row["idle_ms"].as_u64() > Some(30)).then_some(())
    });
    is_untouched(&mut clients[0]);
    agent.counted(&clients[0], 9, 9);
    let plan = plan(&agent, &json!({"operation": "close", "where": "all", "idle_first": true}));
    let rows = agent.http().get(&format!("/v1/plans/{}/connections", id_of(&plan))).is(200).json_lines();
    assert_eq!(rows.last().unwrap()["conn_id"], busy);
}

#[test]
fn plans_are_bounded_in_number_and_the_oldest_goes() {
    let agent = Agent::echo();
    let first = id_of(&plan(&agent, &json!({"operation": "close", "where": "all"})));
    for _ in 0..300 {
        plan(&agent, &json!({"operation": "close", "where": "all"}));
    }
    let kept = agent.http().get("/v1/plans").is(200).json()["plans"].as_array().unwrap().len();
    assert!(kept <= 256, "{kept}");
    assert!(refused(&agent, &first, 409, "guard_refused").contains("no longer kept"));
}

#[test]
fn a_plan_survives_a_crash_and_its_connections_do_not() {
    let setup = Setup::new().echo("echo");
    let state = setup.dir().join("state");
    let agent = setup.arg("--state-dir").arg(&state).start();
    let _gone = clients(&agent, 2);
    let before = plan(&agent, &json!({"operation": "close", "where": "all"}));
    let used = plan(&agent, &json!({"operation": "pause", "where": "all"}));
    apply(&agent, &used);
    let agent = agent.crash_and_restart();
    let mut late = Peer::connect(agent.only());
    agent.settled(1);
    let row = agent.http().get(&format!("/v1/plans/{}", id_of(&before))).is(200).json();
    assert_eq!(row, before);
    let (items, summary) = apply(&agent, &before);
    assert_eq!((&summary["matched"], &summary["skipped"]), (&json!(2), &json!(2)), "{items:?}");
    refused(&agent, &id_of(&before), 409, "guard_refused");
    refused(&agent, &id_of(&used), 409, "guard_refused");
    is_untouched(&mut late);
    let left = std::fs::read_dir(state).unwrap().filter_map(Result::ok);
    let left: Vec<_> = left.filter(|file| file.file_name().to_string_lossy().starts_with("plan-")).collect();
    assert!(left.is_empty(), "{left:?}");
}

#[test]
fn without_a_state_directory_a_plan_of_another_process_is_refused() {
    let agent = Agent::echo();
    let _gone = clients(&agent, 1);
    let plan_id = id_of(&plan(&agent, &json!({"operation": "close", "where": "all"})));
    let agent = agent.crash_and_restart();
    let mut late = Peer::connect(agent.only());
    agent.settled(1);
    assert!(refused(&agent, &plan_id, 409, "guard_refused").contains("another process"));
    is_untouched(&mut late);
}

#[test]
fn a_damaged_file_is_named_and_set_aside_and_the_agent_serves() {
    let setup = Setup::new().echo("echo");
    let state = setup.dir().join("state");
    std::fs::create_dir(&state).unwrap();
    for name in ["plan-p-00000001-1.json", "job-j-00000001-1.jsonl"] {
        std::fs::write(format!("{state}/{name}"), "{\"plan\": 7, \n").unwrap();
    }
    let agent = setup.arg("--state-dir").arg(&state).start();
    for name in ["plan-p-00000001-1.json", "job-j-00000001-1.jsonl"] {
        crate::support::until("the log names it", || agent.log().contains(name).then_some(()));
        assert!(std::path::Path::new(&format!("{state}/{name}.damaged")).exists());
    }
    agent.http().get("/v1/plans/p-00000001-1").error(404, "not_found");
    assert_eq!(agent.http().get("/v1/jobs").is(200).json()["jobs"], json!([]));
}

#[test]
fn births_deaths_and_applications_race_and_nobody_outside_a_plan_is_touched() {
    let agent = Agent::echo();
    let stop = Arc::new(AtomicBool::new(false));
    // Clients that belong to no plan: they are of a user that no plan selects.
    let mut bystanders = clients(&agent, 8);
    for client in &bystanders {
        agent.assign(client, "bystander");
    }
    std::thread::scope(|scope| {
        for _ in 0..2 {
            let (stop, address) = (Arc::clone(&stop), agent.only());
            scope.spawn(move || {
                // A reset leaves no port behind that would have to wait.
                for _ in 0..2000 {
                    if stop.load(Ordering::Relaxed) {
                        break;
                    }
                    // A plan's RST may overtake the answer to the dial.
                    let one = Peer::dial(address).ok();
                    let _ = Peer::dial(address).map(Peer::reset);
                    let _ = one.map(Peer::reset);
                }
            });
        }
        for round in 0..60 {
            let kind = ["close", "reset"][round % 2];
            let request = json!({"operation": kind, "where": "uid = null"});
            let Value::String(plan_id) = plan(&agent, &request)["plan_id"].take() else { panic!("no id") };
            let shown = agent.http().get(&format!("/v1/plans/{plan_id}/connections")).json_lines();
            let path = format!("/v1/plans/{plan_id}/apply");
            let lines = agent.http().post(&path, &json!({})).is(200).json_lines();
            let newest = lines.iter().filter_map(|line| line["conn_id"].as_u64()).max();
            for row in &shown {
                let id = &row["conn_id"];
                assert!(lines.iter().any(|line| line["conn_id"] == *id), "{id} was shown and not acted on");
            }
            // Whoever came after the plan has a larger id than all in it, and lives or leaves by itself.
            let mut late = Peer::connect(agent.only());
            assert!(Some(agent.id(&late)) > newest);
            is_untouched(&mut late);
        }
        stop.store(true, Ordering::Relaxed);
    });
    bystanders.iter_mut().for_each(is_untouched);
}
