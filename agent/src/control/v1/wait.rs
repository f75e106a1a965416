//! `POST /v1/wait`: answers when the count is as asked, or the time is over.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use connctl_api::wait::{WaitReport, WaitRequest};

use crate::control::Stop;
use crate::control::error::{Refusal, stopping};
use crate::control::extract::JsonBody;
use crate::ops::{self, Node};

/// `POST /v1/wait`. A client that leaves ends the wait: its handler is dropped with it.
pub(super) async fn wait(
    State(node): State<Arc<Node>>,
    State(mut stop): State<Stop>,
    JsonBody(request): JsonBody<WaitRequest>,
) -> Result<Json<WaitReport>, Refusal> {
    tokio::select! {
        report = ops::wait::wait(&node, request) => Ok(Json(report?)),
        () = stop.wait() => Err(stopping().into()),
    }
}
