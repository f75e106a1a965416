//! HeyNATS's clients, unchanged, with a real NATS server; where its document and its code differ, both
//! profiles.
mod answers;
mod server;
mod session;

use std::net::SocketAddr;

use serde_json::{Value, json};

use crate::support::http::{Http, Response};
use crate::support::service::Service;
use crate::support::{Agent, Setup};

const NATS: &[&str] = &["nats-server"];
/// Nobody on the network has it.
const PASSWORD: &str = "s3cret-9d1f";

fn start(config: &str) -> Agent {
    Setup::new().echo("echo").config(config).tcp_control().start()
}

/// A NATS server with one user.
fn guarded(port: Option<u16>) -> Service {
    let config = format!("authorization {{ user: alice, password: \"{PASSWORD}\" }}\n");
    match port {
        Some(port) => Service::nats_at(port, &config),
        None => Service::nats_with(&config),
    }
}

fn request(addr: SocketAddr, username: &str, password: &str) -> Value {
    let (host, port) = (addr.ip().to_string(), addr.port().to_string());
    json!({ "host": host, "port": port, "username": username, "password": password })
}

fn as_alice(nats: &Service) -> Value {
    request(nats.addr(), "alice", PASSWORD)
}

/// A client with a cookie jar for one cookie.
struct Client {
    http: Http,
    cookie: Option<String>,
}

impl Client {
    fn new(agent: &Agent) -> Self {
        Self::with(agent, None)
    }

    fn with(agent: &Agent, cookie: Option<String>) -> Self {
        Self { http: agent.tcp(), cookie }
    }

    fn send(&self, method: &str, path: &str, body: &[u8]) -> Response {
        let cookie = self.cookie.as_ref().map(|id| format!("connection_id={id}"));
        let headers: Vec<_> = cookie.iter().map(|cookie| ("Cookie", cookie.as_str())).collect();
        self.http.send(method, path, &headers, body)
    }

    fn get(&self, path: &str) -> Response {
        self.send("GET", path, b"")
    }

    fn try_connect(&mut self, body: &Value) -> Response {
        let response = self.send("POST", "/api/nats/connect", body.to_string().as_bytes());
        if let Some(cookie) = response.header("set-cookie") {
            let pair = cookie.split(';').next().unwrap();
            self.cookie = Some(pair.strip_prefix("connection_id=").unwrap().to_owned());
        }
        response
    }

    #[track_caller]
    fn connect(&mut self, body: &Value) {
        let answer = self.try_connect(body).is(200).json();
        assert_eq!(answer, json!({ "message": "Successfully connected to NATS server", "connected": true }));
    }

    fn stats(&self) -> Value {
        self.get("/api/nats/connection/stats").is(200).json()
    }
}

/// The rows of the agent's own connections.
fn outbound(agent: &Agent) -> Vec<Value> {
    agent.connections().into_iter().filter(|row| row["mode"] == "outbound").collect()
}

#[track_caller]
fn only(agent: &Agent) -> Value {
    let mut rows = outbound(agent);
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows.remove(0)
}
