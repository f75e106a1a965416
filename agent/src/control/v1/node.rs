//! `/v1/node`, `/v1/agent/reload`, `/v1/health` and the description of the API.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use connctl_api::node::NodeReport;
use connctl_api::reload::ReloadReport;
use serde_json::{Value, json};

use super::description;
use crate::control::error::Refusal;
use crate::ops::{self, Node};

/// `GET /v1/node`
pub(super) async fn report(State(node): State<Arc<Node>>) -> Json<NodeReport> {
    Json(ops::node::report(&node).await)
}

/// `POST /v1/agent/reload`
pub(super) async fn reload(State(node): State<Arc<Node>>) -> Result<Json<ReloadReport>, Refusal> {
    Ok(Json(ops::reload::reload(&node).await?))
}

/// `GET /v1/health`: an agent that answers is healthy.
pub(super) async fn health(State(node): State<Arc<Node>>) -> Json<Value> {
    Json(json!({"status": "ok", "node_id": node.settings.node_id}))
}

/// `GET /v1/openapi.json`
pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], description::TEXT)
}
