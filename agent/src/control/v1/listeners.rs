//! `/v1/listeners`: list, show, reject, accept, drain.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};

use connctl_api::listener::{GateReports, GateRequest, ListenerPage, ListenerRow};

use crate::control::error::Refusal;
use crate::control::extract::JsonBody;
use crate::ops::{self, Node};

/// `GET /v1/listeners`
pub(super) async fn list(State(node): State<Arc<Node>>) -> Json<ListenerPage> {
    Json(ListenerPage { listeners: ops::gate::rows(&node).await })
}

/// `GET /v1/listeners/{name}`
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    Path(name): Path<String>,
) -> Result<Json<ListenerRow>, Refusal> {
    let mut rows = ops::gate::rows(&node).await;
    match rows.iter().position(|row| row.name == name) {
        Some(index) => Ok(Json(rows.swap_remove(index))),
        None => Err(ops::gate::unknown(&name, rows.iter().map(|row| row.name.as_str()), "name").into()),
    }
}

/// `POST /v1/listeners/reject`
pub(super) async fn reject(
    State(node): State<Arc<Node>>,
    JsonBody(request): JsonBody<GateRequest>,
) -> Result<Json<GateReports>, Refusal> {
    Ok(Json(ops::gate::reject(&node, request).await?))
}

/// `POST /v1/listeners/accept`
pub(super) async fn accept(
    State(node): State<Arc<Node>>,
    JsonBody(request): JsonBody<GateRequest>,
) -> Result<Json<GateReports>, Refusal> {
    Ok(Json(ops::gate::accept(&node, request).await?))
}

/// `POST /v1/listeners/drain`
pub(super) async fn drain(
    State(node): State<Arc<Node>>,
    JsonBody(request): JsonBody<GateRequest>,
) -> Result<Json<GateReports>, Refusal> {
    Ok(Json(ops::gate::drain(&node, request).await?))
}
