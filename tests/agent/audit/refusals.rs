//! What is in it of those who may not, and what never is.
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{check, lines, place, rows, setup, written};
use crate::support::{Agent, LIMIT, Peer, until};

/// Tokens that are found wherever they are.
const VIEWER: &str = "s3cret-of-the-viewer";
const ADMIN: &str = "s3cret-of-the-admin";

fn agent() -> Agent {
    let table = |token: &str, role: &str| {
        let hash: String = Sha256::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
        format!("[[token]]\nname = 'the-{role}'\nrole = '{role}'\nsha256 = '{hash}'\n")
    };
    setup(&(table(VIEWER, "viewer") + &table(ADMIN, "admin"))).tcp_control().start()
}

/// Sends a request over TCP with this token.
fn ask(agent: &Agent, token: &str, method: &str, path: &str, body: &Value) -> u16 {
    let value = format!("Bearer {token}");
    let headers = [("Authorization", value.as_str()), ("Content-Type", "application/json")];
    agent.tcp().send(method, path, &headers, body.to_string().as_bytes()).status
}

#[test]
fn whoever_is_refused_is_in_it_and_has_changed_nothing() {
    let agent = agent();
    let mut client = Peer::connect(agent.only());
    agent.settled(1);
    let reset = json!({ "operation": "reset", "where": "all" });
    assert_eq!(ask(&agent, VIEWER, "POST", "/v1/operations", &reset), 403);
    assert_eq!(ask(&agent, "s3cret-of-nobody", "DELETE", "/current/connections", &Value::Null), 401);
    let page = [("Origin", "http://evil.example"), ("Authorization", "Bearer s3cret-of-the-admin")];
    agent.tcp().send("POST", "/v1/listeners/reject", &page, b"{}").error(403, "foreign_origin");
    // Reading is no change, also where it is refused.
    assert_eq!(ask(&agent, "s3cret-of-nobody", "GET", "/v1/connections", &Value::Null), 401);
    let denied = until("three refusals", || {
        let rows = rows(&agent, "?result=denied");
        (rows.len() == 3).then_some(rows)
    });
    let of = |code: &str| denied.iter().find(|row| row["code"] == code).unwrap();
    let viewer = of("denied");
    assert_eq!((&viewer["actor"], &viewer["known_by"]), (&json!("the-viewer"), &json!("token")), "{viewer}");
    assert_eq!((&viewer["role"], &viewer["status"]), (&json!("viewer"), &json!(403)), "{viewer}");
    let nobody = of("unauthenticated");
    assert_eq!((&nobody["actor"], &nobody["verb"]), (&Value::Null, &json!("remove connections")), "{nobody}");
    assert!(nobody["address"].as_str().unwrap().starts_with("127.0.0.1:"), "{nobody}");
    assert_eq!(of("foreign_origin")["actor"], "the-admin");
    client.send("untouched");
    client.expect("untouched");
}

#[test]
fn no_secret_is_ever_in_it() {
    let agent = agent();
    let login =
        json!({ "host": "nats://me:s3cret@127.0.0.1", "port": "1", "username": "me", "password": "s3cret" });
    ask(&agent, ADMIN, "POST", "/api/nats/connect", &login);
    ask(&agent, ADMIN, "POST", "/conn/kick?token=s3cret", &json!({ "uid": "u1", "token": "s3cret" }));
    ask(
        &agent,
        ADMIN,
        "POST",
        "/v1/operations",
        &json!({ "operation": "close", "where": "all", "key": "s3cret" }),
    );
    ask(&agent, "s3cret-of-nobody", "POST", "/conn/kick?apikey=s3cret", &Value::Null);
    agent.tcp().send("POST", "/conn/remove", &[("token", ADMIN)], b"{\"uid\":\"u1\",\"secret\":\"s3cret\"}");
    let cookie = [("Cookie", "connection_id=s3cret"), ("token", ADMIN)];
    agent.tcp().send("POST", "/api/nats/disconnect", &cookie, b"");
    until("all have ended", || {
        let rows = rows(&agent, "");
        (rows.len() == 7 && rows.iter().all(|row| row["result"] != "open")).then_some(())
    });
    let text = written(&place(&agent));
    assert!(!text.contains("s3cret"), "{text}");
    assert!(!agent.log().contains("s3cret"), "{}", agent.log());
}

#[test]
fn a_flood_of_refusals_is_a_few_lines_and_none_is_forgotten() {
    const FLOOD: usize = 400;
    let mut agent = agent();
    for round in 0..FLOOD {
        let path = ["/v1/operations", "/v1/agent/reload", "/conn/kick", "/v1/jobs/x/cancel"][round % 4];
        let query = "x".repeat(round * 8);
        assert_eq!(ask(&agent, "nobody", "POST", &format!("{path}?{query}"), &Value::Null), 401);
    }
    // Somebody who is known is not lost among them.
    assert_eq!(ask(&agent, VIEWER, "POST", "/conn/kick", &Value::Null), 403);
    let path = place(&agent);
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let denied: Vec<_> = lines(&path).into_iter().filter(|line| line["event"] == "denied").collect();
    let times = |code: &str| -> u64 {
        let of_code = denied.iter().filter(|line| line["code"] == code);
        of_code.map(|line| line["times"].as_u64().unwrap()).sum()
    };
    assert_eq!((times("unauthenticated"), times("denied")), (FLOOD as u64, 1));
    // Four kinds, once and as a sum, in each of the minutes that it took.
    assert!(denied.len() < FLOOD / 4, "{} lines", denied.len());
    assert!(denied.iter().all(|line| line["call"].as_str().unwrap().len() < 600), "{denied:?}");
    let report = check(&path);
    assert!(report.ok, "{report:?}");
}
