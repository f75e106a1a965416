//! Who a client is: by its certificate, or by a token.
use std::io::{Read as _, Write as _};

use sha2::{Digest as _, Sha256};

use crate::support::certs::{Ca, Leaf, Pair};
use crate::support::http::Response;
use crate::support::{Agent, Peer, Setup, until};

/// Clients by name, each with its role; `part` with a scope.
const TABLES: &str = "
[[certificate]]
name = 'eyes'
role = 'viewer'
[[certificate]]
name = 'hands.example'
role = 'operator'
[[certificate]]
name = 'spiffe://example/head'
role = 'admin'
[[certificate]]
name = 'part'
role = 'operator'
listeners = ['one']
";

/// A `[[token]]` table; the token is its own name.
fn token(name: &str, role: &str) -> String {
    let hash: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[[token]]\nname = '{name}'\nrole = '{role}'\nsha256 = '{hash}'\n")
}

/// An agent with all of them, and the tokens `reader` and `chief`.
pub(super) fn agent(ca: &Ca) -> Agent {
    let server = ca.issue(&Leaf::server());
    let more = TABLES.to_owned() + &token("reader", "viewer") + &token("chief", "admin");
    Setup::new().tls(&server, Some(ca), &more).echo("one").echo("two").start()
}

/// A request as the owner of a certificate, which is served.
#[track_caller]
pub(super) fn health(agent: &Agent, ca: &Ca, own: &Pair) {
    agent.tls(ca.trusting(Some(own))).get("/v1/health").is(200);
}

/// The statuses of a read, of a change of connections, and of a change of the agent.
fn may(agent: &Agent, ca: &Ca, own: Option<&Pair>, token: Option<&str>) -> [u16; 3] {
    let http = agent.tls(ca.trusting(own));
    let bearer = token.map(|token| format!("Bearer {token}"));
    let mut headers = vec![("Content-Type", "application/json")];
    headers.extend(bearer.as_deref().map(|bearer| ("Authorization", bearer)));
    let read = http.send("GET", "/v1/connections", &headers, b"");
    let change = http.send("POST", "/v1/listeners/accept", &headers, b"{}");
    let limit = http.send("PATCH", "/v1/limits", &headers, br#"{"set":{"max_connections":10}}"#);
    [read.status, change.status, limit.status]
}

#[test]
fn each_role_may_what_it_may_by_the_names_of_its_certificate() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let dns =
        |names: &[&str]| Leaf { dns: names.iter().map(|name| (*name).into()).collect(), ..Leaf::default() };
    let uri = Leaf { uris: vec!["spiffe://example/head".into()], ..Leaf::client("eyes") };
    for (leaf, expected) in [
        (Leaf::client("eyes"), [200, 403, 403]),
        (dns(&["hands.example"]), [200, 200, 403]),
        (dns(&["other.example", "hands.example"]), [200, 200, 403]),
        // With alternative names, the common one does not count.
        (uri, [200, 200, 200]),
        (Leaf { common: Some("eyes".into()), ..dns(&["other.example"]) }, [401; 3]),
        (Leaf::client("nobody"), [401; 3]),
        (Leaf::client("Eyes"), [401; 3]),
        (Leaf::client("eyes2"), [401; 3]),
        (dns(&["sub.hands.example"]), [401; 3]),
        (Leaf::default(), [401; 3]),
    ] {
        let own = ca.issue(&leaf);
        assert_eq!(may(&agent, &ca, Some(&own), None), expected, "{leaf:?}");
    }
}

#[test]
fn a_token_counts_before_a_certificate_and_nothing_shown_is_nobody() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let eyes = ca.client("eyes");
    assert_eq!(may(&agent, &ca, None, Some("reader")), [200, 403, 403]);
    assert_eq!(may(&agent, &ca, Some(&eyes), Some("chief")), [200; 3]);
    assert_eq!(may(&agent, &ca, Some(&eyes), Some("unknown")), [401; 3]);
    assert_eq!(may(&agent, &ca, None, None), [401; 3]);
    let response = agent.tls(ca.trusting(None)).get("/v1/connections");
    let hint = response.json()["error"]["detail"]["hint"].to_string();
    assert!(hint.contains("--cert-file") && hint.contains("--token-file"), "{hint}");
    let message =
        agent.tls(ca.trusting(Some(&ca.client("mallory")))).get("/v1/node").error(401, "unauthenticated");
    assert!(message.contains("mallory"), "{message}");
}

#[test]
fn a_scope_is_all_that_the_owner_of_a_certificate_can_see_or_touch() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let (mut inside, mut outside) = (Peer::connect(agent.addr("one")), Peer::connect(agent.addr("two")));
    agent.settled(2);
    let http = agent.tls(ca.trusting(Some(&ca.client("part"))));
    let page = http.get("/v1/connections").is(200).json();
    assert_eq!((&page["matched"], &page["connections"][0]["listener"]), (&1.into(), &"one".into()), "{page}");
    let lines = http.post("/v1/operations", &serde_json::json!({"operation": "close", "where": "all"}));
    assert_eq!(lines.is(200).json_lines().last().unwrap()["summary"]["matched"], 1);
    inside.ends_with(crate::support::End::Fin);
    outside.send("untouched");
    outside.expect("untouched");
    http.get("/v1/limits").error(403, "denied");
}

#[test]
fn the_audit_has_the_name_that_let_a_client_in() {
    let ca = Ca::new("authority");
    let setup = Setup::new().tls(&ca.issue(&Leaf::server()), Some(&ca), TABLES).echo("one");
    let state = setup.dir().join("state");
    let agent = setup.arg("--state-dir").arg(state).start();
    let dns = vec!["laptop.example".to_owned(), "hands.example".to_owned()];
    let own = ca.issue(&Leaf { dns, ..Leaf::client("somebody") });
    let http = agent.tls(ca.trusting(Some(&own)));
    http.post("/v1/listeners/accept", &serde_json::json!({})).is(200);
    let row = until("the call is written", || {
        let page = agent.http().get("/v1/audit?verb=accept").is(200).json();
        page["calls"].as_array().unwrap().iter().find(|row| row["result"] == "done").cloned()
    });
    let told =
        [&row["actor"], &row["known_by"], &row["role"]].map(|value| value.as_str().unwrap().to_owned());
    assert_eq!(told, ["hands.example", "certificate", "operator"], "{row}");
    assert!(row["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{row}");
}

#[test]
fn without_an_authority_for_clients_a_token_is_all_that_counts() {
    let ca = Ca::new("authority");
    let agent =
        Setup::new().tls(&ca.issue(&Leaf::server()), None, &token("reader", "viewer")).echo("one").start();
    assert_eq!(may(&agent, &ca, None, Some("reader")), [200, 403, 403]);
    assert_eq!(may(&agent, &ca, Some(&ca.client("reader")), None), [401; 3]);
}

#[test]
fn no_web_page_comes_in_over_tls_and_any_name_of_the_host_does() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let http = agent.tls(ca.trusting(Some(&ca.client("eyes"))));
    http.send("GET", "/v1/node", &[("Origin", "https://agent.example")], b"").error(403, "foreign_origin");
    for host in ["agent.example", "agent.example:5002", "10.0.0.1"] {
        http.send("GET", "/v1/node", &[("Host", host)], b"").is(200);
    }
}

#[test]
fn clients_of_other_systems_are_served_over_tls_as_without() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let http = agent.tls(ca.trusting(None));
    http.send("GET", "/connz", &[("token", "reader")], b"").is(200);
    http.send("GET", "/connz", &[("token", "unknown")], b"").is(401);
    http.get("/connz").is(401);
}

#[test]
fn a_connection_is_kept_and_each_of_its_requests_is_asked_again_who_sends_it() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let mut wire = agent.tls(ca.trusting(None)).open();
    for (token, status) in [("reader", 200), ("unknown", 401), ("chief", 200)] {
        let head = format!("GET /v1/health HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {token}\r\n\r\n");
        wire.write_all(head.as_bytes()).unwrap();
        let mut seen = Vec::new();
        let response = loop {
            let mut chunk = [0; 4096];
            let n = wire.read(&mut chunk).unwrap();
            assert_ne!(n, 0, "the agent closed after {token}");
            seen.extend_from_slice(&chunk[..n]);
            if let Some(response) = Response::parse(&seen) {
                break response;
            }
        };
        assert_eq!(response.status, status, "{token}");
    }
}
