//! `/v1/plans`: freeze a set, look at it, apply it once.

use std::collections::HashMap;
use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::response::Response;
use connctl_api::operation::OperationRequest;
use connctl_api::plan::{ApplyRequest, PlanPage, PlanRow};

use super::{connections, operations};
use crate::base::actor;
use crate::control::Stop;
use crate::control::error::{Refusal, internal};
use crate::control::extract::{JsonBody, LargeJsonBody};
use crate::ops::{self, Node};

/// `GET /v1/plans`
pub(super) async fn list(State(node): State<Arc<Node>>) -> Json<PlanPage> {
    Json(PlanPage { plans: ops::plan::rows(&node) })
}

/// `POST /v1/plans`
pub(super) async fn make(
    State(node): State<Arc<Node>>,
    LargeJsonBody(request): LargeJsonBody<OperationRequest>,
) -> Result<Json<PlanRow>, Refusal> {
    Ok(Json(ops::plan::make(&node, request).await?))
}

/// `GET /v1/plans/{plan_id}`
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    Path(plan_id): Path<String>,
) -> Result<Json<PlanRow>, Refusal> {
    Ok(Json(ops::plan::row(&node, &plan_id)?))
}

/// `DELETE /v1/plans/{plan_id}`
pub(super) async fn remove(
    State(node): State<Arc<Node>>,
    Path(plan_id): Path<String>,
) -> Result<Json<PlanRow>, Refusal> {
    Ok(Json(ops::plan::remove(&node, &plan_id)?))
}

/// `GET /v1/plans/{plan_id}/connections`
pub(super) async fn connections(
    State(node): State<Arc<Node>>,
    State(stop): State<Stop>,
    Path(plan_id): Path<String>,
) -> Result<Response, Refusal> {
    let conns = ops::plan::conns(&node, &plan_id)?;
    Ok(connections::rows(node, conns, HashMap::new(), stop))
}

/// `POST /v1/plans/{plan_id}/apply`
pub(super) async fn apply(
    State(node): State<Arc<Node>>,
    State(stop): State<Stop>,
    Path(plan_id): Path<String>,
    JsonBody(request): JsonBody<ApplyRequest>,
) -> Result<Response, Refusal> {
    let detach = request.detach;
    // A task of its own: a client that leaves between the plan's use and the posting must not waste it.
    let started =
        tokio::spawn(actor::keep(async move { ops::plan::apply(&node, &plan_id, request).await })).await;
    let started = started.map_err(|error| internal("the plan could not be applied", &error))??;
    Ok(operations::answer(started, detach, stop))
}
