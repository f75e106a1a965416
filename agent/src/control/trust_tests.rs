//! Who may call what: every route with every role, and what a scope leaves of the answers.

use axum::http::header;
use connctl_api::access::{Access, Role, Scope};
use connctl_api::route::{self, Found};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::testing::{Agent, settings};
use crate::config::Compat;
use crate::config::trust::{TokenSettings, TrustSettings};

const METHODS: &[&str] = &["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

fn token(name: &str, role: Role, scope: Option<Scope>) -> TokenSettings {
    TokenSettings { name: name.into(), role, sha256: Sha256::digest(name).into(), scope }
}

/// An agent whose tokens are their own names.
fn agent(tokens: Vec<TokenSettings>) -> Agent {
    let mut settings = settings(Compat::Documented, &["redis", "pg"]);
    settings.trust = TrustSettings { tokens, ..TrustSettings::default() };
    Agent::start_with(settings)
}

fn roles() -> Vec<TokenSettings> {
    Role::ALL.iter().map(|role| token(role.word(), *role, None)).collect()
}

fn bearer(token: &str) -> String {
    format!("Bearer {token}")
}

fn rows() -> impl Iterator<Item = &'static route::Row> {
    route::ALL.iter().chain(route::FACADES)
}

/// A path that a request may have, of one as the router knows it.
fn real(path: &str) -> String {
    let parts: Vec<_> = path
        .split('/')
        .map(|part| match part {
            "{*rest}" => "listener",
            "{*scope}" | "{cluster}" => "0",
            "{ip}" => "127.0.0.1",
            "{name}" => "redis",
            part if part.starts_with('{') => "999",
            part => part,
        })
        .collect();
    // Its answer has no end where it is followed.
    let query = if path == route::EVENTS { "?follow=false" } else { "" };
    parts.join("/") + query
}

#[tokio::test]
async fn every_route_lets_in_who_has_the_role_and_nobody_else() {
    let agent = agent(roles());
    for (method, path, Access { role: needed, .. }) in rows() {
        for role in Role::ALL {
            let authorization = bearer(role.word());
            let answer = agent.ask_with(method, &real(path), &[("authorization", &authorization)], "{").await;
            let is_denied = answer.status == 403;
            assert_eq!(is_denied, role < needed, "{role} {method} {path}: {} {}", answer.status, answer.text);
            assert!(
                !answer.text.starts_with(r#"{"error":{"code":"unauthenticated"#),
                "{role} {method} {path}"
            );
            assert!(!answer.text.contains("table of routes"), "{method} {path}");
            if is_denied {
                let error = &answer.json()["error"];
                assert_eq!((&error["code"], &error["detail"]["field"]), (&json!("denied"), &json!("role")));
                assert!(error["message"].as_str().unwrap().contains(needed.word()), "{error}");
            }
        }
    }
}

#[tokio::test]
async fn nobody_gets_in_without_a_token_that_is_known() {
    let agent = agent(roles());
    for (method, path, _) in rows() {
        for headers in [
            &[][..],
            &[("authorization", "Bearer wrong")],
            &[("authorization", "Basic viewer")],
            &[("authorization", "Bearer ")],
            &[("authorization", "Bearer admin"), ("authorization", "Bearer admin")],
        ] {
            let answer = agent.ask_over_tcp(method, &real(path), headers).await;
            assert_eq!(answer.status, 401, "{method} {path} {headers:?}: {}", answer.text);
            assert_eq!(answer.headers[header::WWW_AUTHENTICATE], "Bearer");
            if *method != "HEAD" {
                assert_eq!(answer.json()["error"]["code"], "unauthenticated");
            }
            assert!(!answer.text.contains("wrong"), "{}", answer.text);
        }
    }
    // Nor does anybody learn which paths there are.
    assert_eq!(agent.ask_over_tcp("GET", "/v1/nothing", &[]).await.status, 401);
}

#[tokio::test]
async fn a_method_that_the_table_does_not_have_is_served_nowhere() {
    let agent = Agent::start(Compat::Documented, &["redis"]);
    for (_, path, _) in rows() {
        for method in METHODS.iter().filter(|method| route::find(method, path) == Found::OtherMethod) {
            let answer = agent.ask(method, &real(path), "{").await;
            assert!(matches!(answer.status, 204 | 404 | 405), "{method} {path}: {}", answer.status);
        }
    }
}

#[tokio::test]
async fn the_header_of_wukongims_clients_carries_a_token_on_their_paths_alone() {
    let agent = agent(roles());
    assert_eq!(agent.ask_over_tcp("GET", "/connz", &[("token", "viewer")]).await.status, 200);
    assert_eq!(agent.ask_over_tcp("GET", "/connz", &[("token", "wrong")]).await.status, 401);
    assert_eq!(agent.ask_over_tcp("POST", "/conn/remove", &[("token", "viewer")]).await.status, 403);
    assert_eq!(agent.ask_over_tcp("GET", "/v1/node", &[("token", "viewer")]).await.status, 401);
    // What they send beside it is for somebody else.
    let headers = [("token", "viewer"), ("authorization", "Bearer a.b.c")];
    assert_eq!(agent.ask_over_tcp("GET", "/connz", &headers).await.status, 200);
    assert_eq!(agent.ask_over_tcp("GET", "/v1/node", &headers).await.status, 401);
}

#[tokio::test]
async fn without_tokens_loopback_is_let_in_whatever_it_sends() {
    let agent = agent(Vec::new());
    for headers in [&[][..], &[("authorization", "Bearer anything")], &[("token", "anything")]] {
        assert_eq!(agent.ask_over_tcp("GET", "/connz", headers).await.status, 200, "{headers:?}");
    }
}

fn scoped(listeners: &[&str], uids: &[&str]) -> Scope {
    let owned = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect();
    Scope { listeners: owned(listeners), uids: owned(uids) }
}

/// `conn_id`s, sorted.
fn ids(answer: &Value) -> Vec<u64> {
    answer["connections"].as_array().unwrap().iter().map(|row| row["conn_id"].as_u64().unwrap()).collect()
}

#[tokio::test]
async fn a_scope_hides_connections_and_nothing_reaches_beyond_it() {
    let agent = agent(vec![
        token("redis", Role::Operator, Some(scoped(&["redis"], &[]))),
        token("u1", Role::Admin, Some(scoped(&[], &["u1"]))),
        token("admin", Role::Admin, None),
    ]);
    let ((_one, port, inside), (_other, other_port, outside)) =
        (agent.client(0).await, agent.client(1).await);
    let asks = async |token: &str, method: &str, path: &str, body: &str| {
        let authorization = bearer(token);
        agent.ask_with(method, path, &[("authorization", &authorization)], body).await
    };
    for (id, uid) in [(inside, "u1"), (outside, "u2")] {
        let body = format!(r#"{{"uid":"{uid}"}}"#);
        assert_eq!(asks("admin", "POST", &format!("/v1/connections/{id}/assign"), &body).await.status, 200);
    }
    for name in ["redis", "u1"] {
        assert_eq!(ids(&asks(name, "GET", "/v1/connections", "").await.json()), [inside], "{name}");
        let page = asks(name, "GET", &format!("/v1/connections?where=conn_id%3D{outside}"), "").await;
        assert_eq!(page.json()["matched"], 0, "{name}");
        assert_eq!(asks(name, "GET", "/v1/connections?count=true", "").await.json()["count"], 1);
        assert_eq!(asks(name, "GET", "/v1/node", "").await.json()["connections"], 1);
        let rows = asks(name, "GET", "/v1/stats?by=uid", "").await.json();
        assert_eq!((rows.as_array().unwrap().len(), &rows[0]["value"]), (1, &json!("u1")));
        assert_eq!(asks(name, "GET", "/v1/stats?by=reason", "").await.status, 403);
        assert_eq!(asks(name, "GET", &format!("/v1/connections/{outside}"), "").await.status, 404);
        let assign = format!("/v1/connections/{outside}/assign");
        assert_eq!(asks(name, "POST", &assign, r#"{"uid":"u1"}"#).await.status, 404);
        for target in [
            json!({"where": "uid = u2"}),
            json!({"where": format!("conn_id = {outside}")}),
            json!({"where": "listener = pg"}),
            json!({"items": [{"conn_id": outside}]}),
            json!({"items": [{"conn_id": outside, "uid": "u2"}]}),
        ] {
            let mut body = json!({"operation": "reset"});
            body.as_object_mut().unwrap().extend(target.as_object().unwrap().clone());
            let answer = asks(name, "POST", "/v1/operations", &body.to_string()).await;
            assert!(answer.text.contains(r#""done":0"#), "{name} {body}: {}", answer.text);
        }
        let wait = r#"{"for":"count=1","timeout_ms":10000}"#;
        assert_eq!(asks(name, "POST", "/v1/wait", wait).await.json()["reached"], true);
        // In the words of others, too.
        let listing = asks(name, "GET", "/current/connections", "").await.text;
        assert!(
            listing.contains(&port.to_string()) && !listing.contains(&other_port.to_string()),
            "{listing}"
        );
        assert_eq!(asks(name, "GET", "/connz", "").await.json()["total"], 1);
        assert_eq!(asks(name, "GET", "/connections/0", "").await.status, 403);
        let remove = format!(r#"{{"uid":"u2","conn_id":{outside}}}"#);
        assert_eq!(asks(name, "POST", "/conn/remove", &remove).await.status, 404);
        let answer = asks(name, "DELETE", &format!("/current/connections//{other_port}"), "").await;
        assert_eq!(answer.json()["closed_connections"], json!([]));
        assert_eq!(asks(name, "GET", "/v1/limits", "").await.status, 403);
        assert_eq!(asks(name, "PATCH", "/v1/limits", r#"{"set":{"max_connections":1}}"#).await.status, 403);
    }
    // A scope of listeners reaches these; one of users reaches none.
    let listed = asks("redis", "GET", "/v1/listeners", "").await.json();
    assert_eq!(
        (listed["listeners"].as_array().unwrap().len(), &listed["listeners"][0]["name"]),
        (1, &json!("redis"))
    );
    assert_eq!(asks("redis", "GET", "/v1/listeners/pg", "").await.status, 404);
    let refused = asks("redis", "POST", "/v1/listeners/reject", r#"{"names":["pg"]}"#).await;
    assert_eq!(refused.status, 404);
    assert!(!refused.json()["error"]["detail"]["hint"].as_str().unwrap().contains("pg"));
    let report = asks("redis", "POST", "/v1/listeners/reject", "{}").await.json();
    assert_eq!(report["listeners"].as_array().unwrap().len(), 1, "{report}");
    assert_eq!(asks("u1", "POST", "/v1/listeners/reject", "{}").await.status, 403);
    assert_eq!(asks("u1", "DELETE", "/current/listener", "").await.status, 403);
    // Nobody gives a connection to a user beyond the scope, whose others it could push out.
    let assign = format!("/v1/connections/{inside}/assign");
    assert_eq!(asks("u1", "POST", &assign, r#"{"uid":"u2"}"#).await.status, 403);
    let rows = asks("admin", "GET", "/v1/listeners", "").await.json();
    assert_eq!(rows["listeners"][1]["accepting"], true);
    assert_eq!(ids(&asks("admin", "GET", "/v1/connections", "").await.json()), [inside, outside]);
    // What is inside can be acted on, all of it.
    let answer = asks("redis", "POST", "/v1/operations", r#"{"operation":"reset","where":"all"}"#).await;
    assert!(answer.text.contains(r#""done":1"#), "{}", answer.text);
}

#[tokio::test]
async fn what_happened_is_narrowed_to_a_scope_too() {
    let agent = agent(vec![
        token("redis", Role::Viewer, Some(scoped(&["redis"], &[]))),
        token("u1", Role::Viewer, Some(scoped(&[], &["u1"]))),
        token("both", Role::Viewer, Some(scoped(&["pg"], &["u1"]))),
        token("admin", Role::Admin, None),
    ]);
    let asks = async |token: &str, method: &str, path: &str, body: &str| {
        let authorization = bearer(token);
        agent.ask_with(method, path, &[("authorization", &authorization)], body).await
    };
    let (mut clients, mut ids) = (Vec::new(), Vec::new());
    for (listener, uid) in [(0, "u1"), (0, "u2"), (1, "u1"), (1, "u2")] {
        let (client, _, id) = agent.client(listener).await;
        clients.push(client);
        let body = format!(r#"{{"uid":"{uid}"}}"#);
        assert_eq!(asks("admin", "POST", &format!("/v1/connections/{id}/assign"), &body).await.status, 200);
        ids.push(id);
    }
    let body = r#"{"operation":"reset","where":"uid in (u1, u2)","note":"gone"}"#;
    let gone = asks("admin", "POST", "/v1/operations", body).await.text;
    assert!(gone.contains(r#""done":4"#), "{gone}");
    assert_eq!(asks("admin", "POST", "/v1/listeners/reject", r#"{"names":["pg"]}"#).await.status, 200);
    assert_eq!(asks("admin", "POST", "/v1/listeners/reject", r#"{"names":["redis"]}"#).await.status, 200);

    let sorted = |mut ids: Vec<u64>| {
        ids.sort_unstable();
        ids
    };
    let number = |row: &Value| row["conn_id"].as_u64();
    for (name, seen) in
        [("redis", &ids[..2]), ("u1", &[ids[0], ids[2]][..]), ("both", &ids[2..3]), ("admin", &ids)]
    {
        let is_whole = name == "admin";
        let page = asks(name, "GET", "/v1/history", "").await.json();
        let rows = page["connections"].as_array().unwrap().clone();
        assert_eq!(sorted(rows.iter().filter_map(number).collect()), seen, "{name}: {page}");
        let lines = asks(name, "GET", "/v1/history?stream=true", "").await.text;
        assert_eq!(lines.lines().count(), seen.len(), "{name}: {lines}");
        let count = asks(name, "GET", "/v1/history?count=true&by=uid", "").await.json();
        assert_eq!(count["count"], seen.len(), "{name}");
        for other in ids.iter().filter(|id| !seen.contains(id)) {
            let page = asks(name, "GET", &format!("/v1/history?where=conn_id%3D{other}"), "").await.json();
            assert_eq!(page["connections"], json!([]), "{name}");
            let why = asks(name, "GET", &format!("/v1/connections/{other}/why"), "").await;
            assert_eq!(why.status, 404, "{name}: {}", why.text);
            let never = asks(name, "GET", &format!("/v1/connections/{}/why", other + 1_000), "").await;
            let said = |text: &str| {
                text.replace(&(other + 1_000).to_string(), "ID").replace(&other.to_string(), "ID")
            };
            assert_eq!(said(&why.text), said(&never.text), "that it was there is not told either");
        }
        let why = asks(name, "GET", &format!("/v1/connections/{}/why", seen[0]), "").await;
        assert_eq!(why.json()["ended"]["note"], "gone", "{name}");
        // The selector of that request names a user of others.
        let events = asks(name, "GET", "/v1/events?follow=false&stream=true&after=0", "").await.text;
        assert_eq!(
            why.text.contains("u2") && events.contains("uid in"),
            is_whole,
            "{name}: {} {events}",
            why.text
        );
        let rows: Vec<Value> = events.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
        let mut told: Vec<_> = rows.iter().filter_map(number).collect();
        told.sort_unstable();
        told.dedup();
        assert_eq!(told, seen, "{name}: {events}");
        let gates: Vec<_> =
            rows.iter().filter(|row| row["conn_id"].is_null()).map(|row| &row["listener"]).collect();
        let expected: &[&str] = match name {
            "admin" => &["pg", "redis"],
            "redis" => &["redis"],
            _ => &[],
        };
        assert_eq!(gates, expected, "{name}: {events}");
        assert_eq!(asks(name, "GET", "/metrics", "").await.status, if is_whole { 200 } else { 403 });
    }
}
