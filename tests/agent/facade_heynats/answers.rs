//! What a client asks and is answered.

use serde_json::{Value, json};

use super::{Client, NATS, PASSWORD, as_alice, guarded, only, outbound, request, start};
use crate::support::service::{Service, have};

#[test]
fn a_connection_is_opened_listed_used_and_closed() {
    if !have(NATS) {
        return;
    }
    let nats = guarded(None);
    let agent = start("");
    let mut client = Client::new(&agent);
    client.connect(&as_alice(&nats));
    let row = only(&agent);
    assert_eq!((&row["uid"], &row["state"]), (&json!("alice"), &json!("active")), "{row}");
    assert_eq!((&row["listener"], &row["client"]), (&Value::Null, &Value::Null), "{row}");
    assert_eq!(row["upstream"], nats.addr().to_string(), "{row}");
    assert!(row["to_upstream_bytes"].as_u64() > Some(20), "{row}");
    assert!(row["to_client_bytes"].as_u64() > Some(20), "{row}");
    let status = client.get("/api/nats/status").is(200).json();
    let port = nats.addr().port().to_string();
    assert_eq!(status, json!({ "connected": true, "host": "127.0.0.1", "port": port, "username": "alice" }));
    let health = client.get("/api/nats/health").is(200).json();
    assert_eq!(health, json!({ "status": "healthy", "connected": true }));
    let gone = client.send("POST", "/api/nats/disconnect", b"").is(200);
    assert!(gone.header("set-cookie").is_some_and(|cookie| cookie.starts_with("connection_id=;")));
    assert_eq!(gone.json(), json!({ "message": "Disconnected from NATS server", "connected": false }));
    assert_eq!(outbound(&agent), [Value::Null; 0]);
    assert_eq!(agent.endings(), [("upstream".to_owned(), "operator_close".to_owned(), 1)]);
    let answer = client.get("/api/nats/connection/stats").is(401).json();
    assert_eq!(answer, json!({ "error": "Invalid Connection ID" }));
}

#[test]
fn the_cookie_is_random_hidden_from_scripts_and_worth_nothing_when_wrong() {
    if !have(NATS) {
        return;
    }
    let nats = Service::nats();
    let agent = start("");
    let body = request(nats.addr(), "", "");
    let mut ids = Vec::new();
    for _ in 0..5 {
        let mut client = Client::new(&agent);
        let response = client.try_connect(&body).is(200);
        let cookie = response.header("set-cookie").unwrap().to_owned();
        for part in ["HttpOnly", "SameSite=Lax", "Path=/", "Max-Age=86400"] {
            assert!(cookie.contains(part), "{cookie}");
        }
        assert!(!cookie.contains("Secure"), "{cookie}");
        assert_eq!(response.header("cache-control"), Some("no-store"));
        let id = client.cookie.clone().unwrap();
        let conn_ids: Vec<_> = outbound(&agent).iter().map(|row| row["conn_id"].to_string()).collect();
        assert!(id.len() >= 16 && !conn_ids.contains(&id), "{id}");
        assert!(!ids.contains(&id), "{id}");
        assert_eq!(client.stats()["connection_id"], *id);
        ids.push(id);
    }
    let mut almost = ids[0].clone();
    let last = if almost.pop() == Some('0') { '1' } else { '0' };
    almost.push(last);
    let zeros = "00000000-0000-0000-0000-000000000000";
    for id in [almost.as_str(), zeros, "1", "x", &"f".repeat(3_000), "' or 1=1", "..%2f"] {
        let client = Client::with(&agent, Some(id.to_owned()));
        let answer = client.get("/api/nats/connection/stats").is(401).json();
        assert_eq!(answer, json!({ "error": "Invalid Connection ID" }), "{id}");
        client.send("POST", "/api/nats/disconnect", b"").is(401);
        assert_eq!(client.get("/api/nats/status").is(200).json(), json!({ "connected": false }));
        assert_eq!(client.get("/api/nats/health").is(503).json()["connected"], false);
    }
    let mut client = Client::new(&agent);
    let answer = client.get("/api/nats/connection/stats").is(401).json();
    assert_eq!(answer, json!({ "error": "Connection ID cookie is missing" }));
    client.cookie = Some(String::new());
    let answer = client.get("/api/nats/connection/stats").is(401).json();
    assert_eq!(answer, json!({ "error": "Connection ID is empty" }));
    // A client cannot bring a name of its own.
    client.cookie = Some(zeros.into());
    client.connect(&body);
    assert_ne!(client.cookie.as_deref(), Some(zeros));
    let over_tls = [("X-Forwarded-Proto", "https")];
    let response = agent.tcp().send("POST", "/api/nats/connect", &over_tls, body.to_string().as_bytes());
    assert!(response.is(200).header("set-cookie").unwrap().contains("; Secure;"));
    assert_eq!(outbound(&agent).len(), 7, "nothing was closed on the way");
}

#[test]
fn statistics_are_written_as_the_document_and_as_the_code_write_them() {
    if !have(NATS) {
        return;
    }
    let nats = Service::nats();
    let body = request(nats.addr(), "", "");
    let agent = start("");
    let mut client = Client::new(&agent);
    client.connect(&body);
    let stats = client.stats();
    assert_eq!(stats["idle_timeout"], "30m0s", "{stats}");
    let left = stats["time_remaining"].as_str().unwrap();
    assert!(left == "30m0s" || left.starts_with("29m"), "{left}");
    assert!(stats["last_activity"].as_str().is_some_and(|time| time.ends_with('Z')), "{stats}");
    assert_eq!((&stats["is_healthy"], &stats["is_connected"]), (&json!(true), &json!(true)), "{stats}");
    // To look is no activity, so the last one stays the same instant.
    for _ in 0..20 {
        assert_eq!(client.stats()["last_activity"], stats["last_activity"]);
    }
    let agent = start("compat = \"actual\"\n");
    let mut client = Client::new(&agent);
    client.connect(&body);
    let stats = client.stats();
    assert_eq!(stats["idle_timeout"], 300_000_000_000_u64, "{stats}");
    assert!(stats["time_remaining"].as_u64().is_some_and(|left| left > 200_000_000_000), "{stats}");
}

#[test]
fn a_wrong_body_names_the_field_and_opens_nothing() {
    let agent = start("");
    let good = json!({ "host": "127.0.0.1", "port": "1", "username": "u", "password": PASSWORD });
    let with = |field: &str, value: Value| {
        let mut body = good.clone();
        body[field] = value;
        body.to_string()
    };
    for (body, field) in [
        (String::new(), "body"),
        ("not json".into(), "body"),
        ("[]".into(), "body"),
        ("null".into(), "body"),
        (with("host", Value::Null), "host"),
        (with("host", json!(7)), "host"),
        (with("host", json!("")), "host"),
        (with("host", json!("nats://127.0.0.1")), "host"),
        (with("host", json!("a b")), "host"),
        (with("host", json!("127.0.0.1\r\nPING")), "host"),
        (with("host", json!("x".repeat(300))), "host"),
        (with("port", Value::Null), "port"),
        (with("port", json!(true)), "port"),
        (with("port", json!("http")), "port"),
        (with("port", json!("0")), "port"),
        (with("port", json!(65536)), "port"),
        (with("port", json!("-1")), "port"),
        (with("username", json!([])), "username"),
        (with("username", json!("u".repeat(300))), "username"),
        (with("password", json!(5)), "password"),
        (with("password", json!("p".repeat(5_000))), "password"),
        (format!("{}{}", "[".repeat(50_000), "]".repeat(50_000)), "body"),
    ] {
        let response = Client::new(&agent).send("POST", "/api/nats/connect", body.as_bytes());
        let answer = response.is(400).json();
        let text = answer["error"].as_str().unwrap();
        assert!(text.contains(field), "{field}: {text}");
        assert!(!text.contains(PASSWORD), "{text}");
    }
    let large = json!({ "host": "h", "port": "1", "password": "p".repeat(2 << 20) }).to_string();
    Client::new(&agent).send("POST", "/api/nats/connect", large.as_bytes()).is(413);
    for path in ["/api/nats/connect", "/api/nats/disconnect"] {
        assert_eq!(Client::new(&agent).get(path).is(404).text(), "404 page not found");
    }
    assert_eq!(agent.node()["accepted"], 0);
    let answer = agent.tcp().get("/api/health").is(200).json();
    assert_eq!(answer["status"], "healthy", "{answer}");
}

#[test]
fn a_second_connect_reuses_the_session_or_replaces_it() {
    if !have(NATS) {
        return;
    }
    let (one, two) = (guarded(None), Service::nats());
    let agent = start("");
    let mut client = Client::new(&agent);
    client.connect(&as_alice(&one));
    let (cookie, id) = (client.cookie.clone(), only(&agent)["conn_id"].clone());
    client.connect(&as_alice(&one));
    assert_eq!((&client.cookie, &only(&agent)["conn_id"]), (&cookie, &id), "the same session");
    // The right cookie is no substitute for the right password.
    client.try_connect(&request(one.addr(), "alice", "wrong-7c2e")).is(401);
    assert_eq!((&client.cookie, &only(&agent)["conn_id"]), (&cookie, &id), "still the same session");
    client.connect(&request(two.addr(), "", ""));
    assert_ne!(client.cookie, cookie);
    assert_eq!(only(&agent)["upstream"], two.addr().to_string());
    let old = Client::with(&agent, cookie);
    old.get("/api/nats/connection/stats").is(401);
    let agent = start("compat = \"actual\"\n");
    let mut client = Client::new(&agent);
    client.connect(&as_alice(&one));
    client.connect(&request(two.addr(), "", ""));
    assert_eq!(only(&agent)["upstream"], one.addr().to_string(), "the code ignores what is asked for");
}
