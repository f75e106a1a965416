//! The room as its clients see it.

use std::io::Read;
use std::net::TcpStream;

use axum::http::header;
use connctl_api::route;

use super::testing::{Agent, NODE_ID};
use crate::config::Compat;

/// How the client sees its end: `true` is a FIN, and `false` a RST.
async fn ended_with_fin(stream: &TcpStream) -> bool {
    let mut stream = stream.try_clone().unwrap();
    // On a thread of its own: the agent's part of the work may need this one.
    let read = tokio::task::spawn_blocking(move || stream.read(&mut [0; 8]));
    match read.await.unwrap() {
        Ok(0) => true,
        Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => false,
        other => panic!("not ended: {other:?}"),
    }
}

#[tokio::test]
async fn every_native_route_is_served_with_its_method_alone() {
    let agent = Agent::start(Compat::Documented, &["redis"]);
    for (method, path, _) in route::ALL {
        let real = path.replace("{conn_id}", "999").replace("{name}", "redis").replace("{id}", "999");
        // What is followed has no end.
        let query = if *path == route::EVENTS { "?follow=false" } else { "" };
        let answer = agent.ask(method, &format!("{real}{query}"), "{}").await;
        assert_ne!(answer.status, 405, "{method} {real}");
        assert!(
            !answer.text.starts_with(r#"{"error":{"code":"no_route""#),
            "{method} {real}: {}",
            answer.text
        );

        let answer = agent.ask("PUT", &real, "").await;
        let allow = answer.headers.get(header::ALLOW).unwrap().to_str().unwrap().to_owned();
        assert_eq!(answer.status, 405, "{real}");
        assert!(allow.split(',').any(|allowed| allowed == *method), "{real}: {allow}");
        assert_eq!(answer.json()["error"]["code"], "method_not_allowed");
    }
    let answer = agent.ask("GET", "/v1/nothing", "").await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (404, &"no_route".into()));
}

#[tokio::test]
async fn a_request_without_the_mark_of_the_unix_socket_is_guarded() {
    let agent = Agent::start(Compat::Documented, &[]);
    let answer = agent.ask_over_tcp("GET", "/v1/health", &[("origin", "http://evil.example")]).await;
    assert_eq!((answer.status, &answer.json()["error"]["code"]), (403, &"foreign_origin".into()));
    let answer =
        agent.ask_over_tcp("DELETE", "/current/connections", &[("origin", "http://evil.example")]).await;
    assert_eq!(answer.status, 403);
}

#[tokio::test]
async fn an_operation_streams_its_items_and_a_summary() {
    let agent = Agent::start(Compat::Documented, &["a"]);
    let (stream, _, conn_id) = agent.client(0).await;
    let body = format!(r#"{{"operation":"close","items":[{{"conn_id":{conn_id}}},{{"conn_id":1}}]}}"#);
    let answer = agent.ask("POST", route::OPERATIONS, &body).await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/jsonl");
    let lines: Vec<serde_json::Value> =
        answer.text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(lines.len(), 3, "{}", answer.text);
    assert_eq!(lines[2]["summary"]["done"], 1);
    assert_eq!(lines[2]["summary"]["not_found"], 1);
    assert!(ended_with_fin(&stream).await);
    let answer = agent.ask("GET", "/v1/connections?stream=true", "").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
}

#[tokio::test]
async fn a_client_of_scassandra_sees_what_it_expects() {
    let agent = Agent::start(Compat::Documented, &["a", "b"]);
    let ((one, port, _), (other, other_port, _)) = (agent.client(0).await, agent.client(1).await);
    let only = format!(r#"{{"connections":[{{"host":"127.0.0.1","port":{port}}}]}}"#);
    for path in ["127.0.0.1", "localhost", ""] {
        let answer = agent.ask("GET", &format!("/current/connections/{path}/{port}"), "").await;
        assert_eq!((answer.status, &answer.text), (200, &only), "{path}");
    }
    let answer = agent.ask("GET", "/current/connections/127.0.0.1/x", "").await;
    assert_eq!((answer.status, answer.text.as_str()), (404, "The requested resource could not be found."));
    let answer = agent.ask("POST", "/current/connections", "").await;
    assert_eq!((answer.status, &answer.headers[header::ALLOW]), (405, &"GET, DELETE".parse().unwrap()));

    let answer = agent.ask("DELETE", &format!("/current/connections//{port}?type=halfclose"), "").await;
    let closed =
        format!(r#"{{"closed_connections":[{{"host":"127.0.0.1","port":{port}}}],"operation":"halfclose"}}"#);
    assert_eq!(answer.text, closed);
    assert!(ended_with_fin(&one).await);
    // The peer keeps its side open, so it is still there.
    let answer = agent.ask("GET", &format!("/current/connections//{port}"), "").await;
    assert_eq!(answer.text, only);
    let answer = agent.ask("DELETE", "/current/connections/127.0.0.1?type=CLOSE", "").await;
    assert_eq!(answer.json()["operation"], "close");
    assert_eq!(answer.json()["closed_connections"][1]["port"], other_port);
    assert!(ended_with_fin(&other).await);
    let answer = agent.ask("DELETE", "/current/connections", "").await;
    assert_eq!(answer.text, r#"{"closed_connections":[],"operation":"close"}"#);
}

#[tokio::test]
async fn scassandra_tells_what_changed_and_counts_over_all_listeners() {
    let agent = Agent::start(Compat::Documented, &["a", "b"]);
    for (method, path, changed) in [
        ("PUT", "/current/listener", false),
        ("DELETE", "/current/listener", true),
        ("DELETE", "/server/listener", false),
        ("DELETE", "/current/listener?after=5", false),
        ("PUT", "/server/listener", true),
        ("DELETE", "/current/listener?after=9", true),
        ("DELETE", "/current/listener?after=2", true),
        ("PUT", "/current/listener", false),
        ("DELETE", "/current/listener?after=2", true),
    ] {
        let answer = agent.ask(method, path, "").await;
        assert_eq!(answer.text, format!(r#"{{"changed":{changed}}}"#), "{method} {path}");
    }
    let _clients = (agent.client(0).await, agent.client(1).await);
    assert!(TcpStream::connect(agent.address(0)).is_err());
    let answer = agent.ask("DELETE", "/current/listener?after=-1", "").await;
    assert_eq!(answer.status, 400);
}

#[tokio::test]
async fn a_client_of_simulacron_sees_what_it_expects() {
    let agent = Agent::start(Compat::Documented, &["a", "b"]);
    let (stream, port, _) = agent.client(1).await;
    let answer = agent.ask("GET", "/connections/connctl/b", "").await;
    let center = &answer.json()["data_centers"];
    assert_eq!(center[0]["id"], 1);
    assert_eq!(center[0]["nodes"][0]["id"], NODE_ID);
    assert_eq!(center[0]["nodes"][0]["address"], agent.address(1).to_string());
    assert_eq!(center[0]["nodes"][0]["connections"][0], format!("127.0.0.1:{port}"));
    let answer = agent.ask("GET", "/connections/0/9", "").await;
    assert_eq!(answer.json()["message"], "No datacenter registered with id 0/9");
    let answer = agent.ask("DELETE", &format!("/connection/0/127.0.0.1/{port}"), "").await;
    assert!(answer.text.contains(&format!("127.0.0.1:{port}")));
    assert!(ended_with_fin(&stream).await);
    let answer = agent.ask("DELETE", &format!("/connection/0/127.0.0.1/{port}"), "").await;
    assert_eq!((answer.status, &answer.json()["message"]), (404, &"Not found".into()));

    let answer = agent.ask("DELETE", "/listener/0/a", "").await;
    assert_eq!((answer.status, answer.text.as_str()), (200, ""));
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert!(TcpStream::connect(agent.address(0)).is_err());
    let (stream, ..) = agent.client(1).await;
    agent.ask("DELETE", "/listener/0?type=stop", "").await;
    assert!(ended_with_fin(&stream).await);
    agent.ask("PUT", "/listener/0", "").await;

    // Each node counts for itself. Who comes then is closed at once, and no list may ever show them.
    agent.ask("DELETE", "/listener/0?after=1&type=stop", "").await;
    let (one, other) = (agent.dial(0), agent.dial(1));
    assert!(ended_with_fin(&one).await && ended_with_fin(&other).await);
}

#[tokio::test]
async fn a_client_of_wukongim_sees_what_it_expects() {
    for (compat, ok, missing, nobody) in [
        (Compat::Documented, r#"{"status":"ok"}"#, 404, 400),
        (Compat::Actual, r#"{"status":200}"#, 200, 200),
    ] {
        let agent = Agent::start(compat, &["a"]);
        let (stream, _, conn_id) = agent.client(0).await;
        let assigned = r#"{"uid":"u1","device":"web"}"#;
        agent.ask("POST", &format!("/v1/connections/{conn_id}/assign"), assigned).await;
        let remove = async |body: String| agent.ask("POST", "/conn/remove", &body).await;
        for (body, status) in [
            (format!(r#"{{"uid":"u2","conn_id":{conn_id}}}"#), missing),
            (format!(r#"{{"uid":"u1","conn_id":{conn_id},"node_id":8}}"#), missing),
            (r#"{"uid":"u1","conn_id":-5}"#.to_owned(), missing),
            (format!(r#"{{"conn_id":{conn_id}}}"#), nobody),
            (format!(r#"{{"uid":"u1","conn_id":{conn_id},"op_node_id":8}}"#), 400),
            (r#"{"uid":"u1"}"#.to_owned(), 400),
            (r#"{"uid":"u1","conn_id":"12"}"#.to_owned(), 400),
            ("{".to_owned(), 400),
        ] {
            let answer = remove(body.clone()).await;
            assert_eq!(answer.status, status, "{body}: {}", answer.text);
            assert_eq!(answer.status == 200, answer.text == ok, "{body}: {}", answer.text);
        }
        let answer = agent.ask("POST", "/user/onlinestatus", r#"["u1","nobody"]"#).await;
        assert_eq!(answer.text, r#"[{"uid":"u1","device_flag":1,"online":1}]"#);
        let answer = agent.ask("GET", "/connz?uid=1&limit=0&offset=-3", "").await.json();
        assert_eq!(
            (&answer["total"], &answer["limit"], &answer["offset"]),
            (&1.into(), &20.into(), &0.into())
        );
        assert_eq!(
            (&answer["connections"][0]["id"], &answer["connections"][0]["device"]),
            (&conn_id.into(), &"web".into())
        );
        let answer = remove(format!(r#"{{"UID":"u1","conn_id":{conn_id},"node_id":7}}"#)).await;
        assert_eq!((answer.status, answer.text.as_str()), (200, ok));
        assert!(ended_with_fin(&stream).await);
        let answer = agent.ask("GET", "/conn/remove", "").await;
        assert_eq!((answer.status, answer.text.as_str()), (404, "404 page not found"));
        assert_eq!(agent.ask("OPTIONS", "/conn/remove", "").await.status, 204);
    }
}
