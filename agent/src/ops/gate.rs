//! Rejecting, accepting and draining.

use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::event::EventKind;
use connctl_api::listener::{GateReport, GateReports, GateRequest, ListenerRow, MAX_AFTER, RejectMode};
use tokio::sync::{mpsc, oneshot};

use super::{Node, events};
use crate::listener::{GateOrder, Ordered, Place};

/// Rejects new connections, now or after so many more.
///
/// # Errors
/// An unknown name, or an `after` that is too large.
pub async fn reject(node: &Node, request: GateRequest) -> Result<GateReports, ApiError> {
    reject_and_tell(node, request, None).await
}

/// The same. `ran_out` is told when `after` more were accepted, behind the last of them, and dropped when
/// another order has taken the place of this one.
///
/// # Errors
/// As [`reject`].
pub async fn reject_and_tell(
    node: &Node,
    request: GateRequest,
    ran_out: Option<oneshot::Sender<()>>,
) -> Result<GateReports, ApiError> {
    let after = request.after.unwrap_or(0);
    if after > MAX_AFTER {
        let message = format!("after {after} is too large: at most {MAX_AFTER}");
        return Err(ApiError::new(ErrorCode::InvalidRequest, message).field("after"));
    }
    let mode = request.mode.unwrap_or(RejectMode::Refuse);
    order(node, &request.names, GateOrder::Reject { after, mode }, ran_out).await
}

/// Accepts new connections again.
///
/// # Errors
/// An unknown name, or a field that does not go with it.
pub async fn accept(node: &Node, request: GateRequest) -> Result<GateReports, ApiError> {
    no_after(&request)?;
    if request.mode.is_some() {
        let message = "mode goes with reject and drain, not with accept";
        return Err(ApiError::new(ErrorCode::InvalidRequest, message).field("mode"));
    }
    order(node, &request.names, GateOrder::Accept, None).await
}

/// Rejects new connections and lets the live ones end.
///
/// # Errors
/// An unknown name, or a field that does not go with it.
pub async fn drain(node: &Node, request: GateRequest) -> Result<GateReports, ApiError> {
    no_after(&request)?;
    let mode = request.mode.unwrap_or(RejectMode::Refuse);
    order(node, &request.names, GateOrder::Drain { mode }, None).await
}

/// Returns when every connection that was accepted before the doors were shut is in the registry: it was posted
/// to its thread before this question, and a thread reads in order.
pub async fn settle(node: &Node) {
    let (facts, mut answers) = mpsc::channel(1);
    for thread in 0..node.pool.len() {
        node.pool.inspect(u16::try_from(thread).unwrap_or(u16::MAX), Vec::new(), facts.clone());
    }
    drop(facts);
    while answers.recv().await.is_some() {}
}

fn no_after(request: &GateRequest) -> Result<(), ApiError> {
    match request.after {
        None => Ok(()),
        Some(after) => {
            let message = format!("after {after} goes with reject only");
            Err(ApiError::new(ErrorCode::InvalidRequest, message).field("after"))
        }
    }
}

/// All listeners that may be seen.
pub async fn rows(node: &Node) -> Vec<ListenerRow> {
    let mut rows = node.listeners.rows().await;
    rows.retain(|row| node.has_listener(&row.name));
    rows
}

async fn order(
    node: &Node,
    names: &[String],
    order: GateOrder,
    ran_out: Option<oneshot::Sender<()>>,
) -> Result<GateReports, ApiError> {
    if let Some(scope) = node.scope.as_ref().filter(|scope| !scope.uids.is_empty()) {
        let message = format!("a listener is every user's, and the caller's scope is {scope}");
        return Err(ApiError::new(ErrorCode::Denied, message));
    }
    let mut places = node.listeners.places().to_vec();
    places.retain(|place| node.has_listener(&place.settings.name));
    let named: Vec<_> = match names {
        [] => (0..places.len()).collect(),
        names => named(&places, names, "names")?,
    };
    let indexes = named.into_iter().filter_map(|at| places.get(at)).map(|place| place.origin.index).collect();
    let (mut listeners, mut failed) = (Vec::new(), Vec::new());
    for Ordered { report, error } in node.listeners.order(indexes, order, ran_out).await {
        match error {
            None => {
                events::tell(node, EventKind::ListenerChanged, Some(&report.listener), &words(&report));
                listeners.push(report);
            }
            Some(error) => {
                failed.push(format!("listener {:?} cannot listen again: {error}", report.listener))
            }
        }
    }
    if failed.is_empty() {
        return Ok(GateReports { listeners });
    }
    let hint = "another process may have taken its port while it refused; ask again when that has gone";
    Err(ApiError::new(ErrorCode::Conflict, failed.join(", and ")).field("names").hint(hint))
}

/// What became of a listener: `rejects with refuse after 2 more`.
fn words(report: &GateReport) -> String {
    match (report.draining, report.accepting, report.after) {
        (true, ..) => format!("drains, and rejects with {}", report.mode),
        (false, true, Some(after)) => format!("rejects with {} after {after} more", report.mode),
        (false, true, None) => "accepts".to_owned(),
        (false, false, _) => format!("rejects with {}", report.mode),
    }
}

/// No listener has this name; these are the ones there are.
pub fn unknown<'a>(name: &str, known: impl Iterator<Item = &'a str>, field: &str) -> ApiError {
    let hint = format!("the listeners are {}", known.collect::<Vec<_>>().join(", "));
    ApiError::new(ErrorCode::NotFound, format!("there is no listener {name:?}")).field(field).hint(hint)
}

/// Where the listeners of these names stand, each once; `field` is where the names do.
pub(super) fn named(places: &[Place], names: &[String], field: &str) -> Result<Vec<usize>, ApiError> {
    let mut indexes: Vec<usize> = Vec::new();
    for name in names {
        let Some(index) = places.iter().position(|place| place.settings.name == *name) else {
            let known = places.iter().map(|place| place.settings.name.as_str());
            return Err(unknown(name, known, field));
        };
        if !indexes.contains(&index) {
            indexes.push(index);
        }
    }
    Ok(indexes)
}
