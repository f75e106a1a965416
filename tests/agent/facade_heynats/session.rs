//! What becomes of a session while its connection comes and goes.
use std::time::Duration;

use serde_json::{Value, json};

use super::{Client, NATS, PASSWORD, as_alice, guarded, only, outbound, request, start};
use crate::support::service::{Service, have};
use crate::support::until::stays;
use crate::support::upstream::ByHand;
use crate::support::{Setup, Upstream, until};

#[test]
fn every_operation_reaches_it() {
    if !have(NATS) {
        return;
    }
    let nats = guarded(None);
    let agent = start("");
    for (operation, reason) in
        [("close", "operator_close"), ("reset", "operator_reset"), ("halfclose", "operator_halfclose")]
    {
        let mut client = Client::new(&agent);
        client.connect(&as_alice(&nats));
        let row = only(&agent);
        let selector = "mode = \"outbound\" and uid = \"alice\"";
        let (items, _) = agent.operate(&json!({ "operation": operation, "where": selector }));
        assert_eq!((&items[0]["status"], &items[0]["uid"]), (&json!("done"), &json!("alice")), "{items:?}");
        assert_eq!(items[0]["conn_id"], row["conn_id"]);
        let side = if operation == "halfclose" { "upstream" } else { "both" };
        assert_eq!(items[0]["side"], side, "{items:?}");
        until("it has ended", || outbound(&agent).is_empty().then_some(()));
        assert_eq!(agent.count_of("upstream", reason), 1, "{:?}", agent.endings());
        assert_eq!(agent.ended("client"), 0, "{:?}", agent.endings());
    }
    let mut client = Client::new(&agent);
    client.connect(&as_alice(&nats));
    let id = only(&agent)["conn_id"].clone();
    let detail = agent.http().get(&format!("/v1/connections/{id}")).is(200).json();
    assert_eq!(detail["sides"]["client"], Value::Null, "{detail}");
    assert_eq!(detail["sides"]["upstream"]["peer"], nats.addr().to_string(), "{detail}");
    let chosen = json!({ "operation": "halfclose", "side": "client", "where": "mode = outbound" });
    assert_eq!(agent.operate(&chosen).0[0]["status"], "failed", "it has no such side");
    agent.operate(&json!({ "operation": "pause", "where": "mode = outbound" }));
    assert_eq!(only(&agent)["state"], "paused");
    // What an operator holds is not replaced behind their back.
    let answer = client.get("/api/nats/health").is(503).json();
    assert!(answer["error"].as_str().unwrap().contains("paused"), "{answer}");
    let stats = client.stats();
    assert_eq!((&stats["is_connected"], &stats["is_healthy"]), (&json!(true), &json!(false)), "{stats}");
    assert_eq!(only(&agent)["conn_id"], id);
    agent.operate(&json!({ "operation": "resume", "where": "mode = outbound" }));
    client.get("/api/nats/health").is(200);
    assert_eq!(only(&agent)["conn_id"], id);
    // A selector by the client's address means clients, and this has none.
    let (items, _) = agent.operate(&json!({ "operation": "reset", "where": "ip in (0.0.0.0/0)" }));
    assert_eq!(items, [Value::Null; 0]);
    for (method, path) in [("DELETE", "/current/connections"), ("DELETE", "/connections/0")] {
        agent.tcp().send(method, path, &[], b"").is(200);
    }
    let quit = json!({ "uid": "alice", "device_flag": -1 });
    agent.tcp().post("/user/device_quit", &quit).is(200);
    stays("other systems leave it alone", Duration::from_millis(2_500), || outbound(&agent).len() == 1);
}

#[test]
fn the_next_request_after_a_removal_reconnects() {
    if !have(NATS) {
        return;
    }
    let nats = guarded(None);
    for config in ["", "compat = \"actual\"\n"] {
        let agent = start(config);
        let mut client = Client::new(&agent);
        client.connect(&as_alice(&nats));
        let first = only(&agent)["conn_id"].clone();
        agent.operate(&json!({ "operation": "close", "where": "mode = outbound" }));
        if config.is_empty() {
            // The statistics tell how it is, and change nothing.
            let stats = client.stats();
            assert_eq!((&stats["is_connected"], &stats["is_healthy"]), (&json!(false), &json!(false)));
            assert_eq!(outbound(&agent), [Value::Null; 0]);
        }
        assert_eq!(client.get("/api/nats/status").is(200).json()["connected"], true);
        assert!(only(&agent)["conn_id"].as_u64() > first.as_u64());
        assert_eq!(client.stats()["is_connected"], true);
    }
}

#[test]
fn a_server_that_comes_back_is_connected_again_and_one_that_does_not_is_503() {
    if !have(NATS) {
        return;
    }
    let nats = guarded(None);
    let port = nats.addr().port();
    let body = as_alice(&nats);
    let agent = start("");
    let mut client = Client::new(&agent);
    client.connect(&body);
    nats.kill();
    agent.settled(0);
    let response = client.get("/api/nats/health").is(503);
    assert_eq!(response.header("x-connection-status"), Some("reconnect-failed"));
    let answer = response.json();
    assert_eq!((&answer["status"], &answer["connected"]), (&json!("unhealthy"), &json!(false)));
    assert!(answer["error"].as_str().unwrap().contains("refused"), "{answer}");
    let status = client.get("/api/nats/status").is(200);
    assert_eq!(status.header("x-connection-status"), Some("reconnect-failed"));
    assert_eq!(status.json()["connected"], false);
    // The session outlives that, and needs no new login.
    let _nats = guarded(Some(port));
    client.get("/api/nats/health").is(200);
    assert_eq!(client.stats()["is_healthy"], true);
    assert_eq!(only(&agent)["uid"], "alice");
    let log = agent.log();
    assert!(!log.contains(PASSWORD), "{log}");
}

#[test]
fn a_failed_reconnect_ends_the_session_where_the_code_ends_it() {
    if !have(NATS) {
        return;
    }
    let nats = Service::nats();
    let agent = start("compat = \"actual\"\n");
    let mut client = Client::new(&agent);
    client.connect(&request(nats.addr(), "", ""));
    nats.kill();
    agent.settled(0);
    let answer = client.get("/api/nats/connection/stats").is(401).json();
    assert_eq!(answer["error"], "Invalid Connection ID", "{answer}");
    assert!(answer["details"].as_str().unwrap().contains("refused"), "{answer}");
}

#[test]
fn an_idle_connection_is_closed_and_comes_back_with_the_next_request() {
    if !have(NATS) {
        return;
    }
    let nats = guarded(None);
    let config = "[outbound]\nidle_timeout = \"400ms\"\nidle_check_interval = \"20ms\"\n";
    let agent = start(config);
    let mut client = Client::new(&agent);
    client.connect(&as_alice(&nats));
    let first = only(&agent)["conn_id"].clone();
    // Asking how it is does not keep it.
    until("it is closed for being idle", || {
        client.stats();
        outbound(&agent).is_empty().then_some(())
    });
    agent.counts("upstream", "inactivity", 1);
    let stats = client.stats();
    assert_eq!(
        (&stats["idle_timeout"], &stats["time_remaining"]),
        (&json!("400ms"), &json!("0s")),
        "{stats}"
    );
    assert_eq!(stats["is_connected"], false, "{stats}");
    client.get("/api/nats/health").is(200);
    assert!(only(&agent)["conn_id"].as_u64() > first.as_u64());
}

#[test]
fn an_idle_session_is_forgotten_where_the_code_forgets_it() {
    if !have(NATS) {
        return;
    }
    let nats = Service::nats();
    let config = "compat = \"actual\"\n[outbound]\nidle_timeout = \"400ms\"\n";
    let agent = start(config);
    let mut client = Client::new(&agent);
    client.connect(&request(nats.addr(), "", ""));
    until("it is closed for being idle", || outbound(&agent).is_empty().then_some(()));
    let answer = client.get("/api/nats/connection/stats").is(401).json();
    assert_eq!(answer, json!({ "error": "Invalid Connection ID" }));
}

#[test]
fn many_requests_of_one_session_share_one_reconnect() {
    if !have(NATS) {
        return;
    }
    let nats = guarded(None);
    let agent = start("");
    let mut client = Client::new(&agent);
    client.connect(&as_alice(&nats));
    for operation in ["close", "reset", "halfclose", "reset"] {
        let opened = agent.node()["accepted"].as_u64().unwrap();
        agent.operate(&json!({ "operation": operation, "where": "mode = outbound" }));
        std::thread::scope(|scope| {
            for _ in 0..20 {
                let own = Client::with(&agent, client.cookie.clone());
                scope.spawn(move || {
                    own.get("/api/nats/health").is(200);
                });
            }
        });
        assert_eq!(agent.node()["accepted"], opened + 1, "{operation}");
        agent.settled(1);
    }
    // Where nobody answers, they share the failure: one after the other they would take for ever.
    let silent = Upstream::silent();
    let addr = silent.addr();
    drop(silent);
    let talks = ByHand::listen_on(addr);
    let agent = start("[outbound]\ndial_timeout = \"1s\"\n");
    let mut client = Client::new(&agent);
    std::thread::scope(|scope| {
        let connecting = scope.spawn(|| client.connect(&request(addr, "", "")));
        let mut server = talks.accept();
        server.send("INFO {}\r\n");
        assert!(server.line().starts_with("CONNECT {"));
        assert_eq!(server.line(), "PING");
        server.send("PONG\r\n");
        assert_eq!(server.line(), "PING");
        server.send("PONG\r\n");
        connecting.join().unwrap();
    });
    agent.operate(&json!({ "operation": "reset", "where": "all" }));
    let begun = std::time::Instant::now();
    std::thread::scope(|scope| {
        for _ in 0..30 {
            let own = Client::with(&agent, client.cookie.clone());
            scope.spawn(move || {
                own.get("/api/nats/health").is(503);
            });
        }
    });
    assert!(begun.elapsed() < Duration::from_secs(20), "{:?}", begun.elapsed());
}

#[test]
fn sessions_are_bounded_and_come_out_of_the_budget() {
    if !have(NATS) {
        return;
    }
    let nats = Service::nats();
    let body = request(nats.addr(), "", "");
    let agent = start("[outbound]\nmax_sessions = 3\n");
    let mut clients: Vec<_> = (0..3).map(|_| Client::new(&agent)).collect();
    clients.iter_mut().for_each(|client| client.connect(&body));
    let answer = Client::new(&agent).try_connect(&body).is(503).json();
    assert!(answer["details"].as_str().unwrap().contains("too many sessions"), "{answer}");
    // One that has no connection makes room.
    let first = outbound(&agent)[0]["conn_id"].clone();
    agent.operate(&json!({ "operation": "close", "items": [{ "conn_id": first }] }));
    Client::new(&agent).connect(&body);
    clients[0].get("/api/nats/connection/stats").is(401);
    clients[1].get("/api/nats/health").is(200);
    assert_eq!(outbound(&agent).len(), 3);
    // Descriptors that clients have taken are not there for it.
    let agent = Setup::new().hold("hold").tcp_control().descriptors(128).start();
    let peers: Vec<_> = (0..120).map(|_| crate::support::Peer::dial(agent.only())).collect();
    until("the descriptors are taken", || (agent.connections().len() > 40).then_some(()));
    until("none is left for another", || {
        let response = Client::new(&agent).try_connect(&body);
        (response.status == 503 && response.text().contains("descriptor")).then_some(())
    });
    drop(peers);
    until("they are back", || (Client::new(&agent).try_connect(&body).status == 200).then_some(()));
}

#[test]
fn an_agent_that_stops_closes_them_without_waiting() {
    if !have(NATS) {
        return;
    }
    let nats = guarded(None);
    let config = "shutdown_grace = \"10m\"\n";
    let mut agent = start(config);
    Client::new(&agent).connect(&as_alice(&nats));
    assert_eq!(agent.terminate(Duration::from_secs(20)), Some(0));
    let log = agent.log();
    assert!(log.contains("shutdown") && !log.contains(PASSWORD), "{log}");
}

#[test]
fn a_revoked_user_gets_an_answer_and_no_connection() {
    let nats = Upstream::serve(|mut stream| {
        use std::io::{Read, Write};
        let _ = stream.write_all(b"INFO {}\r\n");
        let mut bytes = [0; 4096];
        while stream.read(&mut bytes).is_ok_and(|count| count > 0) {
            let _ = stream.write_all(b"PONG\r\n");
        }
    });
    let agent = start("");
    let mut live = Client::new(&agent);
    live.connect(&request(nats.addr(), "alice", ""));
    let lines = agent.http().post("/v1/revocations", &json!({ "uid": "alice" })).is(200).json_lines();
    assert_eq!(lines[0]["uid"], "alice", "{lines:?}");
    until("it is closed", || outbound(&agent).is_empty().then_some(()));
    // The session is not given its connection back, and a new one is not opened.
    let answer = live.get("/api/nats/health").is(503).json();
    assert!(!answer.to_string().contains("stopping"), "{answer}");
    let answer = Client::new(&agent).try_connect(&request(nats.addr(), "alice", "")).is(401).json();
    assert_ne!(answer["error"], "Connection test failed", "{answer}");
    assert_eq!(outbound(&agent), [Value::Null; 0]);
    // Nobody else is meant, and afterwards it may come again.
    Client::new(&agent).connect(&request(nats.addr(), "bob", ""));
    let id = lines.last().unwrap()["revocation"]["id"].clone();
    agent.http().delete(&format!("/v1/revocations/{id}")).is(200);
    live.get("/api/nats/health").is(200);
    assert_eq!(outbound(&agent).len(), 2);
}
