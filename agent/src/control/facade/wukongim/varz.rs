//! `GET /varz` and `GET /health`: the server as a whole.

use std::cmp::Reverse;
use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::IntoResponse;
use connctl_api::stats::StatsBy;
use serde::Serialize;

use super::answer::Fault;
use super::connz::{self, Row};
use crate::control::facade::params::Params;
use crate::control::facade::set;
use crate::ops::{self, Node};

/// Connections shown where no limit, or none that makes sense, is asked.
const DEFAULT_CONNECTIONS: usize = 20;

/// The answer. What this agent does not have is zero or empty.
#[derive(Debug, Serialize)]
pub(super) struct Varz {
    server_id: String,
    server_name: &'static str,
    version: String,
    connections: u64,
    user_handler_count: u64,
    user_handler_conn_count: u64,
    uptime: String,
    goroutine: u64,
    mem: u64,
    cpu: f64,
    in_msgs: u64,
    out_msgs: u64,
    in_bytes: u64,
    out_bytes: u64,
    slow_clients: u64,
    retry_queue: u64,
    tcp_addr: String,
    ws_addr: &'static str,
    wss_addr: &'static str,
    manager_addr: &'static str,
    manager_on: u64,
    commit: &'static str,
    commit_date: &'static str,
    tree_state: &'static str,
    api_url: String,
    manager_uid: &'static str,
    manager_token_on: u64,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    conns: Vec<Row>,
    conversation_cache_count: u64,
}

/// `GET /varz`
pub(super) async fn varz(State(node): State<Arc<Node>>, uri: Uri) -> Result<Json<Varz>, Fault> {
    let params = Params::of(&uri);
    let asked: u64 = params.number("node_id").unwrap_or_default();
    if asked != 0 && asked != node.settings.node_id.get() {
        return Err(Fault::bad("node not found"));
    }
    let conns = match params.first("show") {
        Some("conn") => busiest(&node, params.number("conn_limit")).await,
        _ => Vec::new(),
    };
    let report = ops::node::report(&node).await;
    let listeners = ops::gate::rows(&node).await;
    let users = ops::stats::by_group(&node, StatsBy::Uid);
    let known = || users.iter().filter(|group| group.value.is_some());
    let tcp = report.control.iter().find_map(|control| control.strip_prefix("tcp:"));
    Ok(Json(Varz {
        server_id: report.node_id.to_string(),
        server_name: "connctl",
        version: report.version.clone(),
        connections: report.connections,
        user_handler_count: known().count() as u64,
        user_handler_conn_count: known().map(|group| group.connections).sum(),
        uptime: connz::uptime(report.uptime_ms),
        goroutine: report.threads,
        mem: report.memory_bytes,
        cpu: 0.0,
        in_msgs: 0,
        out_msgs: 0,
        // Of the connections that are live now.
        in_bytes: users.iter().map(|group| group.to_upstream_bytes).sum(),
        out_bytes: users.iter().map(|group| group.to_client_bytes).sum(),
        slow_clients: 0,
        retry_queue: 0,
        tcp_addr: listeners.first().map(|row| row.bind.clone()).unwrap_or_default(),
        ws_addr: "",
        wss_addr: "",
        manager_addr: "",
        manager_on: 0,
        commit: "",
        commit_date: "",
        tree_state: "",
        api_url: tcp.map(|address| format!("http://{address}")).unwrap_or_default(),
        manager_uid: "",
        manager_token_on: 0,
        conns,
        conversation_cache_count: 0,
    }))
}

/// The connections of known users that sent most. The original counts messages, which cannot be seen here.
async fn busiest(node: &Node, limit: Option<i64>) -> Vec<Row> {
    let limit = limit.and_then(|limit| usize::try_from(limit).ok()).filter(|limit| *limit > 0);
    let mut conns = set::all(node).await;
    conns.retain(|conn| conn.labels().uid.is_some());
    conns.sort_by_cached_key(|conn| Reverse(conn.to_upstream_bytes()));
    conns.truncate(limit.unwrap_or(DEFAULT_CONNECTIONS));
    connz::rows(node, &conns).await
}

/// `GET /health`: a word here in both profiles.
pub(super) async fn health() -> impl IntoResponse {
    Json(serde_json::json!({ "status": "ok" }))
}
