//! Why a connection ended, or what would end it.

use std::sync::Arc;

use connctl_api::conn::{ConnDetail, State};
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::history::WhyReport;
use connctl_api::id::ConnId;
use connctl_api::units;

use super::{Node, history, show};

/// Why a connection ended; or that it lives, and what will end it.
///
/// # Errors
/// `not_found` where it is neither there nor in the history.
pub async fn why(node: &Arc<Node>, conn_id: ConnId) -> Result<WhyReport, ApiError> {
    // First: a connection that leaves meanwhile is in the history before it is gone from the registry.
    if let Ok(detail) = show::detail(node, conn_id).await {
        return Ok(living(conn_id, &detail));
    }
    let row = history::find(node, conn_id.get()).await?.ok_or_else(|| {
        let message = format!("there is no connection {conn_id}, and the history has none");
        ApiError::new(ErrorCode::NotFound, message).field("conn_id")
    })?;
    let (text, ended) = (row.why(), Some(row));
    Ok(WhyReport { conn_id, live: false, text, ends_by: None, time_remaining_ms: None, ended })
}

fn living(conn_id: ConnId, detail: &ConnDetail) -> WhyReport {
    let (ends_by, time_remaining_ms) = (detail.ends_by, detail.time_remaining_ms);
    let text = match (ends_by, time_remaining_ms) {
        _ if detail.row.state == State::Closing => "it is being closed at this moment".to_owned(),
        (Some(reason), left_ms) => {
            let left = units::format_micros(left_ms.unwrap_or(0).saturating_mul(1_000));
            format!("it lives; if nothing happens, {reason} ends it in {left}: {}", reason.meaning())
        }
        (None, _) => "it lives, and no policy will end it".to_owned(),
    };
    WhyReport { conn_id, live: true, text, ends_by, time_remaining_ms, ended: None }
}
