//! `/v1/node`, `/v1/agent/reload`, `/v1/health` and the description of the API.

use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use axum::{Extension, Json};
use connctl_api::drain::{DrainReport, DrainRequest};
use connctl_api::node::NodeReport;
use connctl_api::reload::ReloadReport;
use serde_json::{Value, json};

use super::description;
use crate::base::actor;
use crate::control::error::{Refusal, internal};
use crate::control::extract::JsonBody;
use crate::control::ledger::Began;
use crate::ops::{self, Node};

/// `GET /v1/node`
pub(super) async fn report(State(node): State<Arc<Node>>) -> Json<NodeReport> {
    Json(ops::node::report(&node).await)
}

/// `POST /v1/agent/reload`
pub(super) async fn reload(State(node): State<Arc<Node>>) -> Result<Json<ReloadReport>, Refusal> {
    Ok(Json(ops::reload::reload(&node).await?))
}

/// `POST /v1/node/drain`. A task of its own: a client that leaves must not leave the doors shut and nobody closed.
pub(super) async fn drain(
    State(node): State<Arc<Node>>,
    JsonBody(request): JsonBody<DrainRequest>,
) -> Result<(Extension<Began>, Json<DrainReport>), Refusal> {
    let begun = tokio::spawn(actor::keep(async move { ops::drain::drain(&node, request).await })).await;
    let (listeners, job) = begun.map_err(|error| internal("a drain could not begin", &error))??;
    let report = DrainReport { listeners, job: job.row() };
    Ok((Extension(Began(job)), Json(report)))
}

/// `GET /v1/health`: an agent that answers is healthy.
pub(super) async fn health(State(node): State<Arc<Node>>) -> Json<Value> {
    Json(json!({"status": "ok", "node_id": node.settings.node_id}))
}

/// `GET /v1/openapi.json`
pub(super) async fn openapi() -> impl IntoResponse {
    ([(header::CONTENT_TYPE, "application/json")], description::TEXT)
}
