//! Saying whose a connection is.

use std::sync::Arc;

use connctl_api::conn::{AssignRequest, ConnRow, MAX_LABEL_BYTES, MAX_TAGS};
use connctl_api::end::Initiator;
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::event::EventKind;
use connctl_api::id::ConnId;

use tokio::sync::mpsc;

use super::{Node, list, revoke, show, threads};
use crate::base::{actor, clock};
use crate::conn::tell::{More, tell};
use crate::policy::evict;
use crate::registry::Conn;
use crate::registry::conn::Labels;

/// Sets or changes the user, device and tags of a connection.
///
/// # Errors
/// `not_found`, or a label that is empty, too long, or one too many.
pub fn assign(node: &Node, id: ConnId, request: AssignRequest) -> Result<ConnRow<'static>, ApiError> {
    check(node, &request)?;
    let conn = node.registry.get(id).ok_or_else(|| show::not_found(id))?;
    let has_uid = request.uid.is_some();
    let is_news = has_uid || request.device.is_some();
    let mut is_full = false;
    let change = |labels: &mut Labels| {
        let mut tags = labels.tags.as_deref().cloned().unwrap_or_default();
        tags.extend(request.tags);
        is_full = tags.len() > MAX_TAGS;
        if is_full {
            return;
        }
        labels.tags = (!tags.is_empty()).then(|| Box::new(tags));
        if let Some(uid) = request.uid {
            labels.uid = Some(uid.into());
        }
        if let Some(device) = request.device {
            labels.device = Some(device.into());
        }
    };
    if has_uid {
        revoke::enforce_uid(node, &conn, || node.registry.whole().assign(&conn, change));
    } else {
        node.registry.whole().assign(&conn, change);
    }
    if is_full {
        return Err(ApiError::invalid(
            "tags",
            format!("connection {id} would have more than {MAX_TAGS} tags"),
        ));
    }
    if is_news {
        let by = actor::name();
        let by = Some(by.as_deref().unwrap_or(Initiator::Operator.word()));
        let more = More { by, ..More::default() };
        tell(&node.record, EventKind::Identified, &conn, more, clock::now_ms());
        enforce(node, &conn);
    }
    Ok(list::row(node, &conn))
}

/// Whether labels like these may be given, by whoever asks.
fn check(node: &Node, request: &AssignRequest) -> Result<(), ApiError> {
    let labels = [("uid", request.uid.as_ref()), ("device", request.device.as_ref())];
    let tags = request.tags.iter().flat_map(|(key, value)| [("tags", Some(key)), ("tags", Some(value))]);
    for (field, label) in labels.into_iter().chain(tags) {
        if let Some(label) = label.filter(|label| label.is_empty() || label.len() > MAX_LABEL_BYTES) {
            return Err(ApiError::invalid(
                field,
                format!("{field} {label:?} is not 1 to {MAX_LABEL_BYTES} bytes long"),
            ));
        }
    }
    if request.uid.is_none() && request.device.is_none() && request.tags.is_empty() {
        return Err(ApiError::invalid("uid", "nothing to assign: give uid, device or tags"));
    }
    if let (Some(uid), Some(scope)) = (&request.uid, &node.scope)
        && !scope.has_uid(Some(uid))
    {
        let message = format!("uid {uid:?} is outside the caller's scope, which is {scope}");
        return Err(ApiError::new(ErrorCode::Denied, message).field("uid"));
    }
    Ok(())
}

/// The user or device of a connection has become known: whoever is one too many is closed.
fn enforce(node: &Node, conn: &Arc<Conn>) {
    let (conns, reason) = evict::over_labels(node.registry.whole(), conn, clock::now_ms());
    if conns.is_empty() {
        return;
    }
    // Nobody listens for the answers: whoever assigned the user has not asked for an ending.
    let (replies, _) = mpsc::channel(conns.len());
    for (thread, targets) in threads::by_thread(&conns) {
        node.pool.operate(thread, targets, evict::command(reason), replies.clone());
    }
}
