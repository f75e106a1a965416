//! A web page in the operator's browser reaches the TCP control port, and must not be able to use it.
use serde_json::{Value, json};

use crate::support::{Agent, Peer, Setup};

fn agent() -> Agent {
    Setup::new().echo("echo").tcp_control().start()
}

/// What a page would like to do, in each of the languages spoken here.
const REQUESTS: &[(&str, &str, &str)] = &[
    ("GET", "/v1/connections", ""),
    ("POST", "/v1/operations", r#"{"operation":"reset","where":"all"}"#),
    ("POST", "/v1/listeners/reject", "{}"),
    ("GET", "/current/connections", ""),
    ("DELETE", "/current/connections?type=reset", ""),
    ("DELETE", "/current/listener", ""),
    ("DELETE", "/connections/0", ""),
    ("DELETE", "/listener/0?type=stop", ""),
    ("PUT", "/pause-reads/0", ""),
    ("POST", "/conn/remove", r#"{"uid":"u1","conn_id":1}"#),
    ("POST", "/user/device_quit", r#"{"uid":"u1","device_flag":-1}"#),
    ("GET", "/connz", ""),
    ("POST", "/api/nats/connect", r#"{"host":"127.0.0.1","port":"4222"}"#),
    ("POST", "/api/nats/disconnect", ""),
    ("GET", "/api/nats/connection/stats", ""),
    ("GET", "/api/nats/status", ""),
    ("GET", "/api/nats/health", ""),
];

/// All requests with this header are refused and nothing happens.
fn is_locked_out(header: (&str, &str)) {
    let agent = agent();
    let mut client = Peer::connect(agent.only());
    agent.assign(&client, "u1");
    for (method, path, body) in REQUESTS {
        let headers = [header, ("Content-Type", "text/plain")];
        let response = agent.tcp().send(method, path, &headers, body.as_bytes()).is(403);
        assert!(
            !response.text().contains(&client.local().port().to_string()),
            "{path} told a page who is there"
        );
        assert_eq!(response.header("access-control-allow-origin"), None, "{path}");
    }
    client.send("untouched");
    client.expect("untouched");
    Peer::connect(agent.only());
}

#[test]
fn a_request_with_a_foreign_origin_is_refused() {
    is_locked_out(("Origin", "http://evil.example"));
}

#[test]
fn a_request_of_a_page_without_an_origin_of_its_own_is_refused() {
    is_locked_out(("Origin", "null"));
}

#[test]
fn a_request_to_a_foreign_host_name_is_refused() {
    // A name that an attacker points at 127.0.0.1 after the page was loaded.
    is_locked_out(("Host", "evil.example"));
}

#[test]
fn a_preflight_is_not_granted() {
    let agent = agent();
    for path in ["/v1/operations", "/current/connections", "/conn/remove"] {
        let headers = [("Origin", "http://evil.example"), ("Access-Control-Request-Method", "DELETE")];
        let response = agent.tcp().send("OPTIONS", path, &headers, b"");
        assert_eq!(response.header("access-control-allow-origin"), None, "{path}");
        assert!(response.status >= 400, "{path}: {}", response.status);
    }
}

#[test]
fn the_refusal_has_its_own_code() {
    let agent = agent();
    let headers = [("Origin", "http://evil.example")];
    agent.tcp().send("GET", "/v1/node", &headers, b"").error(403, "foreign_origin");
}

#[test]
fn the_names_of_loopback_are_welcome() {
    let agent = agent();
    let crate::support::Http::Tcp(addr) = agent.tcp() else { panic!("not tcp") };
    let names =
        [format!("localhost:{}", addr.port()), addr.to_string(), "localhost".into(), "127.0.0.1".into()];
    for name in names {
        let response = agent.tcp().send("GET", "/v1/connections", &[("Host", &name)], b"").is(200);
        assert_eq!(response.json()["connections"], json!(Vec::<Value>::new()), "{name}");
    }
}
