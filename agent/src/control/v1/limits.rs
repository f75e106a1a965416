//! `/v1/limits`: list, set, remove.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use connctl_api::limit::{LimitPage, LimitReport, LimitRequest};

use crate::control::error::Refusal;
use crate::control::extract::{JsonBody, Pairs};
use crate::ops::limit::{Change, Edit};
use crate::ops::{self, Node};

/// `GET /v1/limits`
pub(super) async fn list(State(node): State<Arc<Node>>, uri: Uri) -> Result<Json<LimitPage>, Refusal> {
    let mut pairs = Pairs::of(&uri)?;
    let listener = pairs.text("listener")?;
    pairs.end()?;
    Ok(Json(LimitPage { limits: ops::limit::rows(&node, listener)? }))
}

/// `PATCH /v1/limits`
pub(super) async fn set(
    State(node): State<Arc<Node>>,
    JsonBody(request): JsonBody<LimitRequest>,
) -> Result<Json<LimitReport>, Refusal> {
    let LimitRequest { listeners, set, dry_run } = request;
    let change = Change { listeners, edit: Edit::Set(set), dry_run };
    Ok(Json(ops::limit::change(&node, change).await?))
}

/// `DELETE /v1/limits`
pub(super) async fn remove(State(node): State<Arc<Node>>, uri: Uri) -> Result<Json<LimitReport>, Refusal> {
    let mut pairs = Pairs::of(&uri)?;
    let listeners = pairs.text("listeners")?.map(|names| split(&names)).unwrap_or_default();
    let keys = pairs.text("keys")?;
    let dry_run = pairs.parsed("dry_run", "true or false")?.unwrap_or_default();
    pairs.end()?;
    let edit = keys.map_or(Edit::RemoveAll, |keys| Edit::Remove(split(&keys)));
    Ok(Json(ops::limit::change(&node, Change { listeners, edit, dry_run }).await?))
}

fn split(words: &str) -> Vec<String> {
    words.split(',').map(str::to_owned).collect()
}
