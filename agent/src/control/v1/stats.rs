//! `GET /v1/stats`: counts of endings by reason, or of live connections by a field.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use connctl_api::stats::StatsBy;

use crate::control::error::Refusal;
use crate::control::extract::Pairs;
use crate::ops::{self, Node};

/// `GET /v1/stats`
pub(super) async fn counts(State(node): State<Arc<Node>>, uri: Uri) -> Result<Response, Refusal> {
    let mut pairs = Pairs::of(&uri)?;
    let by = pairs.word("by", StatsBy::ALL)?.unwrap_or(StatsBy::Reason);
    pairs.end()?;
    Ok(match by {
        StatsBy::Reason => Json(ops::stats::by_reason(&node)?).into_response(),
        StatsBy::Uid | StatsBy::Ip | StatsBy::Listener | StatsBy::Device => {
            Json(ops::stats::by_group(&node, by)).into_response()
        }
    })
}
