//! What is under way when whoever asked for it may not any more: a token or a certificate's role is taken away.
use std::io::{Read as _, Write as _};
use std::path::Path;

use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

use crate::support::certs::{Ca, Leaf};
use crate::support::http::{Http, Wire};
use crate::support::{Agent, Peer, Setup, until};

/// A `[[token]]` table; the token is its own name.
fn token(name: &str, role: &str) -> String {
    let hash: String = Sha256::digest(name).iter().map(|byte| format!("{byte:02x}")).collect();
    format!("[[token]]\nname = '{name}'\nrole = '{role}'\nsha256 = '{hash}'\n")
}

/// An agent with these tables, an audit, and connections on its one listener.
fn agent(tables: &str) -> (Agent, Vec<Peer>) {
    let setup = Setup::new().config(tables).hold("one").tcp_control();
    let state = setup.dir().join("state");
    let agent = setup.arg("--state-dir").arg(state).start();
    let clients: Vec<_> = (0..4).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(clients.len());
    (agent, clients)
}

/// From now on these tables count.
fn reload(agent: &Agent, tables: &str) {
    agent.dir().write("agent.toml", tables);
    agent.http().post("/v1/agent/reload", &json!({})).is(200);
}

/// Asks for an answer that does not end by itself, and waits for its head.
fn begins(http: &Http, token: &str, method: &str, target: &str, body: &Value) -> Wire {
    let mut wire = http.open();
    let (host, body) = (http.host(), body.to_string());
    let bearer = if token.is_empty() { String::new() } else { format!("Authorization: Bearer {token}\r\n") };
    let head = format!(
        "{method} {target} HTTP/1.1\r\nHost: {host}\r\n{bearer}Content-Type: application/json\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    );
    wire.write_all(head.as_bytes()).unwrap();
    let (mut answer, mut byte) = (Vec::new(), [0]);
    while !answer.ends_with(b"\r\n\r\n") {
        wire.read_exact(&mut byte).unwrap();
        answer.extend(byte);
    }
    assert!(answer.starts_with(b"HTTP/1.1 200"), "{}", String::from_utf8_lossy(&answer));
    wire
}

/// It ends with this error, and not as a whole.
#[track_caller]
fn is_broken_off(mut wire: Wire, code: &str) {
    let told = String::from_utf8_lossy(&wire.read_all()).into_owned();
    assert!(told.contains(&format!("{{\"error\":{{\"code\":\"{code}\"")), "{told}");
    assert!(!told.ends_with("0\r\n\r\n"), "it is not the whole: {told}");
}

/// One connection goes at once, and no test lasts until the next one does.
fn slow() -> Value {
    json!({ "operation": "close", "where": "all", "pace": { "rate": 0.001 } })
}

/// Begins a job in the name of a token, or of the agent's own user; gives its id.
fn begin(agent: &Agent, token: &str) -> String {
    let body = json!({ "operation": "close", "where": "all", "pace": { "rate": 0.001 }, "detach": true });
    let bearer = format!("Bearer {token}");
    let mut headers = vec![("Content-Type", "application/json")];
    let http = if token.is_empty() { agent.http() } else { agent.tcp() };
    if !token.is_empty() {
        headers.push(("Authorization", &bearer));
    }
    let row = http.send("POST", "/v1/operations", &headers, body.to_string().as_bytes()).is(200).json();
    row["job_id"].as_str().unwrap().to_owned()
}

fn job(agent: &Agent, id: &str) -> Value {
    agent.http().get(&format!("/v1/jobs/{id}")).is(200).json()
}

/// Waits until the agent has paused the job because of this actor.
fn is_paused_for(agent: &Agent, id: &str, actor: &str) -> Value {
    until(&format!("{id} is paused for {actor}"), || {
        let row = job(agent, id);
        let is_it = row["state"] == "paused" && row["reason"].as_str().unwrap().starts_with(actor);
        is_it.then_some(row)
    })
}

fn calls(agent: &Agent, verb: &str) -> Vec<Value> {
    let page = agent.http().get(&format!("/v1/audit?verb={}", verb.replace(' ', "%20"))).is(200).json();
    page["calls"].as_array().unwrap().clone()
}

#[test]
fn a_job_that_is_watched_is_told_no_more_to_whoever_may_not_read() {
    let chief = token("chief", "admin");
    let (agent, _clients) = agent(&(token("reader", "viewer") + &chief));
    let id = begin(&agent, "");
    let target = format!("/v1/jobs/{id}/watch");
    let watch = begins(&agent.tcp(), "reader", "GET", &target, &json!({}));
    let mut stays = begins(&agent.tcp(), "chief", "GET", &target, &json!({}));
    reload(&agent, &chief);
    is_broken_off(watch, "unauthenticated");
    // The job is another's, and goes on.
    assert_eq!(job(&agent, &id)["state"], "running");
    agent.http().post(&format!("/v1/jobs/{id}/cancel"), &json!({})).is(200);
    let told = String::from_utf8_lossy(&stays.read_all()).into_owned();
    assert!(told.contains("\"summary\"") && !told.contains("\"error\":{"), "{told}");
}

#[test]
fn what_goes_on_for_a_certificate_ends_when_its_role_is_taken_away_or_made_less() {
    let ca = Ca::new("authority");
    let role = |name: &str, role: &str| format!("[[certificate]]\nname = '{name}'\nrole = '{role}'\n");
    let tables = role("eyes", "viewer") + &role("hands", "operator") + &role("stays", "viewer");
    let agent = Setup::new().tls(&ca.issue(&Leaf::server()), Some(&ca), &tables).hold("one").start();
    let _clients: Vec<_> = (0..4).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(4);
    let http = |name: &str| agent.tls(ca.trusting(Some(&ca.client(name))));
    let id = begin(&agent, "");
    let watch = format!("/v1/jobs/{id}/watch");
    let nothing = json!({});
    let events = begins(&http("eyes"), "", "GET", "/v1/events?stream=true", &nothing);
    let job = begins(&http("eyes"), "", "GET", &watch, &nothing);
    let lowered = begins(&http("hands"), "", "GET", "/v1/events", &nothing);
    let mut stays = begins(&http("stays"), "", "GET", &watch, &nothing);
    let table = std::fs::read_to_string(Path::new(agent.dir().path()).join("agent.toml")).unwrap();
    let table = table.replace("'eyes'", "'others'").replace("operator", "viewer");
    reload(&agent, &table);
    is_broken_off(events, "unauthenticated");
    is_broken_off(job, "unauthenticated");
    is_broken_off(lowered, "denied");
    agent.http().post(&format!("/v1/jobs/{id}/cancel"), &nothing).is(200);
    let told = String::from_utf8_lossy(&stays.read_all()).into_owned();
    assert!(told.contains("\"summary\"") && !told.contains("\"error\":{"), "{told}");
}

#[test]
fn an_operation_that_is_followed_ends_with_its_token_and_touches_nobody_else() {
    let chief = token("chief", "admin");
    let (agent, _clients) = agent(&(token("worker", "operator") + &chief));
    let answer = begins(&agent.tcp(), "worker", "POST", "/v1/operations", &slow());
    agent.settled(3);
    let rows = agent.http().get("/v1/jobs").is(200).json();
    let id = rows["jobs"][0]["job_id"].as_str().unwrap().to_owned();
    reload(&agent, &chief);
    is_broken_off(answer, "unauthenticated");
    let row = is_paused_for(&agent, &id, "worker");
    assert_eq!((&row["by"], &row["paused_by"]), (&json!("worker"), &json!("agent")), "{row}");
    agent.settled(3);
    let paused = until("the audit says that the agent has paused it", || {
        calls(&agent, "pause job").into_iter().find(|call| call["result"] == "done")
    });
    assert_eq!((&paused["known_by"], &paused["job_id"]), (&json!("agent"), &json!(id)), "{paused}");
    assert!(paused["note"].as_str().unwrap().starts_with("worker"), "{paused}");
    // Whoever may, decides.
    agent.http().post(&format!("/v1/jobs/{id}/cancel"), &json!({})).is(200);
    let call = until("the audit says how the operation ended", || {
        calls(&agent, "close").into_iter().find(|call| call["result"] == "cancelled")
    });
    let told = [&call["actor"], &call["code"], &call["counts"]["done"], &call["counts"]["skipped"]];
    assert_eq!(told, [&json!("worker"), &json!("unauthenticated"), &json!(1), &json!(3)], "{call}");
    agent.settled(3);
}

#[test]
fn a_job_is_paused_when_who_answers_for_it_may_not_any_more_and_goes_on_for_whoever_resumes_it() {
    let chief = token("chief", "admin");
    let (agent, _clients) = agent(&(token("worker", "operator") + &chief));
    let (own, others) = (begin(&agent, "worker"), begin(&agent, ""));
    // What a viewer may is too little.
    reload(&agent, &(token("worker", "viewer") + &chief));
    is_paused_for(&agent, &own, "worker");
    let headers = [("Authorization", "Bearer chief"), ("Content-Type", "application/json")];
    let resume = format!("/v1/jobs/{own}/resume");
    agent.tcp().send("POST", &resume, &headers, b"{}").is(200);
    assert_eq!(job(&agent, &own)["state"], "running");
    // It is the chief's now.
    reload(&agent, &token("another", "admin"));
    let row = is_paused_for(&agent, &own, "chief");
    assert_eq!(row["by"], "worker", "{row}");
    assert_eq!(job(&agent, &others)["state"], "running");
    agent.http().post(&resume, &json!({})).is(200);
    reload(&agent, &token("one_more", "admin"));
    for id in [&own, &others] {
        assert_eq!(job(&agent, id)["state"], "running");
        agent.http().post(&format!("/v1/jobs/{id}/cancel"), &json!({})).is(200);
    }
}
