//! `/v1/history`, and why a connection ended.

use std::sync::Arc;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::{IntoResponse, Response};
use connctl_api::error::ApiError;
use connctl_api::history::{HistoryQuery, WhyReport};
use tokio::sync::mpsc;

use super::connections::id_of;
use crate::control::Stop;
use crate::control::error::Refusal;
use crate::control::extract::Pairs;
use crate::control::stream::{self, Gone, Lines};
use crate::ops::history::Answer;
use crate::ops::{self, Node};

/// `GET /v1/history`
pub(super) async fn list(
    State(node): State<Arc<Node>>,
    State(mut stop): State<Stop>,
    uri: Uri,
) -> Result<Response, Refusal> {
    match ops::history::query(&node, query(&uri)?).await? {
        Answer::Page(page) => Ok(Json(page).into_response()),
        Answer::Count(report) => Ok(Json(report).into_response()),
        Answer::Lines(pieces) => {
            let (mut lines, response) = stream::lines();
            tokio::spawn(async move {
                let problem = tokio::select! {
                    // The client left, or read nothing for too long: there is nobody to tell.
                    ended = write(pieces, &mut lines) => ended.unwrap_or(None),
                    () = stop.wait() => Some("the agent is stopping"),
                };
                if let Some(problem) = problem {
                    lines.break_off(problem).await;
                }
            });
            Ok(response)
        }
    }
}

/// Writes all rows; tells why they are not all.
async fn write(
    mut pieces: mpsc::Receiver<Result<Vec<u8>, ApiError>>,
    lines: &mut Lines,
) -> Result<Option<&'static str>, Gone> {
    while let Some(piece) = pieces.recv().await {
        match piece {
            Ok(bytes) if bytes.is_empty() => {}
            Ok(bytes) => {
                lines.buffer().extend_from_slice(&bytes);
                lines.send().await?;
            }
            Err(_) => return Ok(Some("the history cannot be read")),
        }
    }
    Ok(None)
}

fn query(uri: &Uri) -> Result<HistoryQuery, ApiError> {
    let mut pairs = Pairs::of(uri)?;
    let query = HistoryQuery {
        selector: pairs.text("where")?,
        since: pairs.text("since")?,
        limit: pairs.parsed("limit", "a whole number")?,
        cursor: pairs.text("cursor")?,
        stream: pairs.parsed("stream", "true or false")?.unwrap_or_default(),
        count: pairs.parsed("count", "true or false")?.unwrap_or_default(),
        by: pairs.text("by")?,
    };
    pairs.end()?;
    Ok(query)
}

/// `GET /v1/connections/{conn_id}/why`
pub(super) async fn why(
    State(node): State<Arc<Node>>,
    Path(conn_id): Path<String>,
) -> Result<Json<WhyReport>, Refusal> {
    Ok(Json(ops::why::why(&node, id_of(&conn_id)?).await?))
}
