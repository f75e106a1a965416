//! `GET /manager/connections[/ID]`: the listing of the system's later versions.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::{StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use connctl_api::conn::State as ConnState;
use connctl_api::instant::Instant;
use serde::Serialize;

use crate::control::facade::params::Params;
use crate::control::facade::{address, set};
use crate::ops::Node;
use crate::registry::Conn;

/// The most rows, and the number where none is asked.
const MAX_LIMIT: usize = 100;

/// An error of this part of the system.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Fault {
    error: &'static str,
    message: &'static str,
    #[serde(skip)]
    status: StatusCode,
}

impl Fault {
    const fn bad(message: &'static str) -> Self {
        Self { error: "bad_request", message, status: StatusCode::BAD_REQUEST }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        (self.status, Json(self)).into_response()
    }
}

/// The answer.
#[derive(Debug, Serialize)]
pub(super) struct Page {
    total: usize,
    items: Vec<Row>,
}

/// A connection; what this agent does not have is zero or empty.
#[derive(Debug, Serialize)]
pub(super) struct Row {
    node_id: u64,
    session_id: u64,
    uid: String,
    device_id: &'static str,
    device_flag: String,
    device_level: &'static str,
    slot_id: u64,
    state: &'static str,
    listener: String,
    connected_at: String,
    remote_addr: String,
    local_addr: String,
}

impl Row {
    fn of(conn: &Conn, node_id: u64) -> Self {
        let labels = conn.labels().clone();
        Self {
            node_id,
            session_id: conn.id().get(),
            uid: labels.uid.as_deref().unwrap_or_default().to_owned(),
            device_id: "",
            device_flag: labels.device.as_deref().unwrap_or_default().to_owned(),
            device_level: "",
            slot_id: 0,
            state: if conn.state() == ConnState::Closing { "closing" } else { "active" },
            listener: conn.origin().name.to_string(),
            connected_at: Instant(conn.opened_wall_ms()).to_string(),
            remote_addr: conn
                .client()
                .map_or_else(String::new, |client| address::canonical(client).to_string()),
            local_addr: address::canonical(conn.local()).to_string(),
        }
    }
}

/// `GET /manager/connections`
pub(super) async fn list(State(node): State<Arc<Node>>, uri: Uri) -> Result<Json<Page>, Fault> {
    let params = Params::of(&uri);
    let here = node.settings.node_id.get();
    on_this_node(params.first("node_id"), here)?;
    let limit = limit_of(params.first("limit"))?;
    let conns = set::all(&node).await;
    let items: Vec<_> = conns.iter().take(limit).map(|conn| Row::of(conn, here)).collect();
    Ok(Json(Page { total: items.len(), items }))
}

/// `GET /manager/connections/{session_id}`
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    Path(session_id): Path<String>,
    uri: Uri,
) -> Result<Json<Row>, Fault> {
    let here = node.settings.node_id.get();
    let number = positive(&session_id).ok_or(Fault::bad("invalid session_id"))?;
    on_this_node(Params::of(&uri).first("node_id"), here)?;
    let conn = set::by_id(&node, number).await.ok_or(Fault {
        error: "not_found",
        message: "connection not found",
        status: StatusCode::NOT_FOUND,
    })?;
    Ok(Json(Row::of(&conn, here)))
}

fn on_this_node(text: Option<&str>, here: u64) -> Result<(), Fault> {
    match text.filter(|text| !text.is_empty()).map(positive) {
        None => Ok(()),
        Some(Some(node_id)) if node_id == here => Ok(()),
        Some(Some(_)) => Err(Fault {
            error: "service_unavailable",
            message: "node not found",
            status: StatusCode::SERVICE_UNAVAILABLE,
        }),
        Some(None) => Err(Fault::bad("invalid node_id")),
    }
}

fn limit_of(text: Option<&str>) -> Result<usize, Fault> {
    match text.filter(|text| !text.is_empty()) {
        None => Ok(MAX_LIMIT),
        Some(text) => match text.parse() {
            Ok(limit @ 1..=MAX_LIMIT) => Ok(limit),
            _ => Err(Fault::bad("invalid limit")),
        },
    }
}

fn positive(text: &str) -> Option<u64> {
    text.parse().ok().filter(|number| *number > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_and_nodes_are_checked() {
        assert_eq!(limit_of(None), Ok(100));
        assert_eq!(limit_of(Some("1")), Ok(1));
        for wrong in ["0", "-1", "101", "x"] {
            assert_eq!(limit_of(Some(wrong)), Err(Fault::bad("invalid limit")), "{wrong}");
        }
        assert!(on_this_node(None, 7).is_ok() && on_this_node(Some("7"), 7).is_ok());
        for wrong in ["0", "x", "-7"] {
            assert_eq!(on_this_node(Some(wrong), 7), Err(Fault::bad("invalid node_id")));
        }
        let elsewhere = on_this_node(Some("8"), 7).unwrap_err();
        assert_eq!(elsewhere.status, StatusCode::SERVICE_UNAVAILABLE);
    }

    #[test]
    fn a_fault_has_two_fields() {
        let text = serde_json::to_string(&Fault::bad("invalid limit")).unwrap();
        assert_eq!(text, r#"{"error":"bad_request","message":"invalid limit"}"#);
    }
}
