//! `/v1/audit`: what was asked of the agent that changes something.

use std::sync::Arc;

use axum::Json;
use axum::extract::State;
use axum::http::Uri;
use axum::response::Response;
use connctl_api::audit::{AuditPage, AuditQuery, AuditResult};

use crate::control::Stop;
use crate::control::error::Refusal;
use crate::control::extract::Pairs;
use crate::control::stream;
use crate::ops::{self, Node};

/// `GET /v1/audit`
pub(super) async fn list(State(node): State<Arc<Node>>, uri: Uri) -> Result<Json<AuditPage>, Refusal> {
    let mut pairs = Pairs::of(&uri)?;
    let query = AuditQuery {
        since: pairs.text("since")?,
        actor: pairs.text("actor")?,
        verb: pairs.text("verb")?,
        result: pairs.word("result", AuditResult::ALL)?,
        limit: pairs.parsed("limit", "a whole number")?,
    };
    pairs.end()?;
    Ok(Json(ops::audit::query(&node, query).await?))
}

/// `GET /v1/audit/lines`: the bytes of the files, one after the other.
pub(super) async fn lines(
    State(node): State<Arc<Node>>,
    State(mut stop): State<Stop>,
    uri: Uri,
) -> Result<Response, Refusal> {
    Pairs::of(&uri)?.end()?;
    let all = ops::audit::lines(&node).await?;
    let (mut lines, response) = stream::lines();
    tokio::spawn(async move {
        let write = async {
            let mut rest = all;
            while let Some((piece, after)) = rest.next().await.map_err(|_| "the audit cannot be read")? {
                lines.buffer().extend_from_slice(&piece);
                if lines.send().await.is_err() {
                    // There is nobody to tell.
                    return Ok(());
                }
                rest = after;
            }
            Ok(())
        };
        let problem = tokio::select! {
            ended = write => ended.err(),
            () = stop.wait() => Some("the agent is stopping"),
        };
        if let Some(problem) = problem {
            lines.break_off(problem).await;
        }
    });
    Ok(response)
}
