//! Emptying listeners: the door is shut first, and then those inside are closed at a pace.

use std::sync::Arc;

use connctl_api::drain::DrainRequest;
use connctl_api::error::ApiError;
use connctl_api::listener::{GateReport, GateRequest};
use connctl_api::operation::{OperationKind, OperationRequest};

use super::job::{self, Job};
use super::{Node, freeze, gate};

/// Rejects new connections on these listeners, on all where none is named, and closes the live ones by a job.
///
/// # Errors
/// An unknown listener, a value that is wrong, a guard, or too many jobs: all of it is looked at before a door
/// is shut.
pub async fn drain(node: &Arc<Node>, request: DrainRequest) -> Result<(Vec<GateReport>, Arc<Job>), ApiError> {
    let DrainRequest { listeners: names, mode, grace_ms, idle_first, pace, note, max, max_percent } = request;
    gate::named(&node.listeners.places(), &names, "listeners")?;
    node.jobs.has_room()?;
    let close = OperationRequest {
        selector: Some(selector(&names)),
        grace_ms,
        idle_first,
        pace,
        note,
        ..OperationRequest::new(OperationKind::Close)
    };
    freeze::freeze(node, OperationRequest { max, max_percent, ..close.clone() }).await?;
    let doors = gate::drain(node, GateRequest { names, mode, after: None }).await?;
    gate::settle(node).await;
    let job = job::start_frozen(node, freeze::freeze(node, close).await?).await?;
    Ok((doors.listeners, job))
}

/// The connections of these listeners; of everything that the agent holds where none is named.
fn selector(names: &[String]) -> String {
    if names.is_empty() {
        return "all".to_owned();
    }
    // A listener's name has no character that would need an escape.
    let quoted: Vec<_> = names.iter().map(|name| format!("\"{name}\"")).collect();
    format!("listener in ({})", quoted.join(", "))
}
