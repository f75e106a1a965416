//! Waiting until a count is as someone wants it.

use std::time::Duration;

use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::selector::Selector;
use connctl_api::wait::{MAX_WAIT_MS, WaitReport, WaitRequest};

use super::{Node, select};
use crate::base::clock;

/// How often the count is taken: it may change by time alone, as `idle > 10m` does.
const EVERY: Duration = Duration::from_millis(20);

/// Answers when the condition holds, or when the time is over.
///
/// # Errors
/// A selector or a time-out that is wrong.
pub async fn wait(node: &Node, request: WaitRequest) -> Result<WaitReport, ApiError> {
    let selector = match &request.selector {
        Some(text) => select::parse(text)?,
        None => Selector::all(),
    };
    if request.timeout_ms > MAX_WAIT_MS {
        let message = format!("timeout_ms {} is too long: at most {MAX_WAIT_MS}", request.timeout_ms);
        return Err(ApiError::new(ErrorCode::InvalidRequest, message).field("timeout_ms"));
    }
    let begun_ms = clock::now_ms();
    loop {
        let count = if selector.is_all() {
            node.registry.len() as u64
        } else {
            select::matching(node, &selector).await.len() as u64
        };
        let waited_ms = clock::now_ms().saturating_sub(begun_ms);
        let reached = request.condition.holds(count);
        if reached || waited_ms >= request.timeout_ms {
            return Ok(WaitReport { reached, count, waited_ms });
        }
        tokio::time::sleep(EVERY.min(Duration::from_millis(request.timeout_ms - waited_ms))).await;
    }
}
