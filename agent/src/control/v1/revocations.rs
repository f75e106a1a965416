//! `/v1/revocations`: list, make, lift.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use connctl_api::error::ApiError;
use connctl_api::id::RevocationId;
use connctl_api::revocation::{RevocationPage, RevocationRow, RevokeLine, RevokeRequest};

use super::operations;
use crate::control::Stop;
use crate::control::error::Refusal;
use crate::control::extract::JsonBody;
use crate::ops::{self, Node};

/// `GET /v1/revocations`
pub(super) async fn list(State(node): State<Arc<Node>>) -> Json<RevocationPage> {
    Json(RevocationPage { revocations: ops::revoke::rows(&node) })
}

/// `POST /v1/revocations`: what is wrong with the request is told by the status, and then nothing is revoked;
/// after that, a line for each connection that ends, and what is in force.
pub(super) async fn make(
    State(node): State<Arc<Node>>,
    State(stop): State<Stop>,
    JsonBody(request): JsonBody<RevokeRequest>,
) -> Result<Response, Refusal> {
    let ops::revoke::Revoking { row, run } = ops::revoke::start(&node, request).await?;
    Ok(operations::items(run, stop, |summary| RevokeLine::Last { summary, revocation: row }))
}

/// `DELETE /v1/revocations/{id}`
pub(super) async fn lift(
    State(node): State<Arc<Node>>,
    Path(id): Path<String>,
) -> Result<Json<RevocationRow>, Refusal> {
    Ok(Json(ops::revoke::lift(&node, id_of(&id)?).await?))
}

fn id_of(text: &str) -> Result<RevocationId, ApiError> {
    text.parse().map_err(|message: String| ApiError::invalid("id", format!("id {message}")))
}
