//! What keeps an operation from touching more than its operator expected.

use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::operation::is_large;

use super::Node;

/// Refuses a share that is none.
pub(super) fn check_percent(max_percent: Option<f64>) -> Result<(), ApiError> {
    match max_percent.filter(|percent| !(0.0..=100.0).contains(percent)) {
        None => Ok(()),
        Some(percent) => {
            let message = format!("max_percent {percent} is not a share: 0 to 100");
            Err(ApiError::new(ErrorCode::InvalidRequest, message).field("max_percent"))
        }
    }
}

/// Refuses a set that is larger than was said.
pub(super) fn asked(
    node: &Node,
    count: usize,
    max: Option<u64>,
    max_percent: Option<f64>,
) -> Result<(), ApiError> {
    let count = count as u64;
    if let Some(max) = max.filter(|max| count > *max) {
        let message = format!("{count} connections match, and max is {max}");
        return Err(ApiError::new(ErrorCode::GuardRefused, message).field("max"));
    }
    // A rough share is enough to tell too many from enough.
    #[expect(clippy::cast_precision_loss, reason = "a share is a rough figure")]
    let share = count as f64 * 100.0 / node.registry.len().max(1) as f64;
    if let Some(percent) = max_percent.filter(|percent| share > *percent) {
        let message = format!(
            "{count} connections match, which is {share:.1} % of the node's, and max_percent is {percent}"
        );
        return Err(ApiError::new(ErrorCode::GuardRefused, message).field("max_percent"));
    }
    Ok(())
}

/// Refuses a large set of which nobody said how large it may be.
pub(super) fn unconfirmed(node: &Node, count: usize) -> Result<(), ApiError> {
    let (count, all) = (count as u64, node.registry.len() as u64);
    if !is_large(count, all) {
        return Ok(());
    }
    let message =
        format!("{count} of the node's {all} connections match, and no max says that so many are meant");
    let hint = format!("max {count} says it; where \"all\" needs none");
    Err(ApiError::new(ErrorCode::GuardRefused, message).field("max").hint(hint))
}
