//! Revoking users and addresses: closing who is there and refusing who comes, in one step.

use std::net::IpAddr;
use std::sync::Arc;

use connctl_api::conn::MAX_LABEL_BYTES;
use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::event::EventKind;
use connctl_api::id::RevocationId;
use connctl_api::instant::Instant;
use connctl_api::operation::{OperationKind, OperationRequest};
use connctl_api::revocation::{MAX_FOR_MS, RevocationRow, RevokeRequest};
use ipnet::IpNet;
use tokio::sync::mpsc;

use super::operate::{self, Run};
use super::operation::Operation;
use super::{Node, events, freeze, guard, threads};
use crate::base::clock;
use crate::policy::evict;
use crate::policy::revoke::{Revocation, RevokeError, Subject, canonical};
use crate::registry::Conn;

/// A revocation that is in force, and the ending of those it found.
#[derive(Debug)]
pub struct Revoking {
    /// What is in force.
    pub row: RevocationRow,
    /// Who was there.
    pub run: Run,
}

/// Makes a revocation and begins to end the connections that it is about. From then on no other is known
/// under that user or address. Once this has begun it is carried out, also where nobody waits for it.
///
/// # Errors
/// A field that is wrong, a guard, or a state directory that cannot be written: then nothing is revoked and
/// nothing touched.
pub async fn start(node: &Arc<Node>, request: RevokeRequest) -> Result<Revoking, ApiError> {
    let (subject, operation) = (subject(&request)?, check(&request)?);
    let node = Arc::clone(node);
    in_background(move || begin(&node, subject, operation, &request)).await?
}

/// Disks take their time: the control API serves others meanwhile.
async fn in_background<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, ApiError> {
    let failed = |error| {
        tracing::error!(%error, "a defect in the work on revocations");
        ApiError::new(ErrorCode::Internal, "a defect in the agent: its log has more")
    };
    tokio::task::spawn_blocking(work).await.map_err(failed)
}

fn begin(
    node: &Arc<Node>,
    subject: Subject,
    operation: Operation,
    request: &RevokeRequest,
) -> Result<Revoking, ApiError> {
    let search = || {
        let conns = match &subject {
            Subject::Uid(uid) => node.registry.with_uids(&[uid]),
            Subject::Ip(net) => node.registry.with_ips(&[*net]),
        };
        guard::asked(node, conns.len(), request.max, request.max_percent).map(|()| conns)
    };
    // A set that is too large is mostly found out here, before anyone is refused for it.
    search()?;
    let created_at = Instant(clock::wall_ms());
    let end = request.for_ms.map(|ms| created_at.0.saturating_add_unsigned(ms)).map(Instant);
    let made = node.revocations.make(subject.clone(), (created_at, end), request.note.clone(), search);
    let (revocation, conns) = made.map_err(|error| match error {
        RevokeError::Refused(error) => error,
        error @ RevokeError::Full => {
            ApiError::new(ErrorCode::Conflict, error.to_string()).hint("lift some: connctl revoke lift ID")
        }
        error @ RevokeError::Disk(_) => ApiError::new(ErrorCode::Unavailable, error.to_string()),
    })?;
    tracing::info!(revocation = revocation.id.get(), subject = ?revocation.subject, "revoked");
    let subject = words(&revocation.subject);
    let operation = Operation { request: Some(format!("revoke {subject}")), ..operation };
    events::tell(node, EventKind::Revoked, None, &format!("{subject} is revoked, {}", revocation.id));
    let cause = Cause { reason: Reason::Revoked, initiator: Initiator::Operator, side: None };
    let run = operate::run_because(node, conns, operation, cause);
    Ok(Revoking { row: row(node, (revocation, 0), created_at), run })
}

fn subject(request: &RevokeRequest) -> Result<Subject, ApiError> {
    match (&request.uid, &request.ip) {
        (Some(uid), None) if uid.is_empty() || uid.len() > MAX_LABEL_BYTES => {
            Err(ApiError::invalid("uid", format!("uid {uid:?} is not 1 to {MAX_LABEL_BYTES} bytes long")))
        }
        (Some(uid), None) => Ok(Subject::Uid(uid.as_str().into())),
        (None, Some(text)) => {
            let net = text.parse::<IpNet>().or_else(|_| text.parse::<IpAddr>().map(IpNet::from));
            let message = || format!("ip {text:?} is not an address or a network such as 10.0.0.0/8");
            net.map(|net| Subject::Ip(canonical(net))).map_err(|_| ApiError::invalid("ip", message()))
        }
        (Some(_), Some(_)) => Err(ApiError::invalid("ip", "uid and ip are both given: one of them says who")),
        (None, None) => Err(ApiError::invalid("uid", "neither uid nor ip says who")),
    }
}

fn check(request: &RevokeRequest) -> Result<Operation, ApiError> {
    if let Some(ms) = request.for_ms.filter(|ms| !(1..=MAX_FOR_MS).contains(ms)) {
        return Err(ApiError::invalid("for_ms", format!("for_ms {ms} is out of range: 1 to {MAX_FOR_MS}")));
    }
    let kind = request.operation.unwrap_or(OperationKind::Close);
    if !matches!(kind, OperationKind::Close | OperationKind::Reset) {
        return Err(ApiError::invalid(
            "operation",
            format!("operation {kind} does not end both sides: close or reset"),
        ));
    }
    freeze::check(&OperationRequest {
        grace_ms: request.grace_ms,
        max_percent: request.max_percent,
        note: request.note.clone(),
        ..OperationRequest::new(kind)
    })
}

/// The revocations in force, by id.
pub fn rows(node: &Node) -> Vec<RevocationRow> {
    let now = Instant(clock::wall_ms());
    node.revocations.all(now).into_iter().map(|each| row(node, each, now)).collect()
}

/// Lifts a revocation: its user or address may come again, unless another one is about them, too.
///
/// # Errors
/// `not_found`, or a state directory that cannot be written: then it stays in force.
pub async fn lift(node: &Arc<Node>, id: RevocationId) -> Result<RevocationRow, ApiError> {
    let (inner, now) = (Arc::clone(node), Instant(clock::wall_ms()));
    let lifted = in_background(move || inner.revocations.lift(id, now)).await?;
    let lifted = lifted.map_err(|error| {
        let message = format!("the revocations cannot be written to the state directory: {error}");
        ApiError::new(ErrorCode::Unavailable, message)
    })?;
    let missing = || ApiError::new(ErrorCode::NotFound, format!("there is no revocation {id}")).field("id");
    let lifted = lifted.ok_or_else(missing)?;
    tracing::info!(revocation = id.get(), subject = ?lifted.0.subject, "a revocation is lifted");
    let subject = words(&lifted.0.subject);
    events::tell(node, EventKind::Revoked, None, &format!("{subject} may come again, {id} is lifted"));
    Ok(row(node, lifted, now))
}

/// Who is meant: `user "bob"`, `address 10.0.0.0/8`.
fn words(subject: &Subject) -> String {
    match subject {
        Subject::Uid(uid) => format!("user {uid:?}"),
        Subject::Ip(net) => format!("address {net}"),
    }
}

fn row(node: &Node, (revocation, refused): (Revocation, u64), now: Instant) -> RevocationRow {
    let Revocation { id, subject, created_at, expires_at, note } = revocation;
    let (uid, ip) = match subject {
        Subject::Uid(uid) => (Some(uid.into()), None),
        Subject::Ip(net) if net.prefix_len() == net.max_prefix_len() => (None, Some(net.addr().to_string())),
        Subject::Ip(net) => (None, Some(net.to_string())),
    };
    let remaining_ms = expires_at.map(|end| u64::try_from(end.0.saturating_sub(now.0)).unwrap_or(0));
    let node_id = node.settings.node_id;
    RevocationRow { id, node_id, uid, ip, created_at, expires_at, remaining_ms, refused, note }
}

/// A user was assigned by hand: where that user is revoked, the connection ends. A revocation that begins
/// beside this either sees the user, or is seen here.
pub fn enforce_uid(node: &Node, conn: &Arc<Conn>, assign: impl FnOnce()) {
    let revocation = {
        let held = node.revocations.hold(Instant(clock::wall_ms()));
        assign();
        let uid = conn.labels().uid.clone();
        uid.and_then(|uid| held.refuses_uid(&uid))
    };
    let Some(revocation) = revocation else {
        return;
    };
    tracing::info!(conn_id = conn.id().get(), revocation = revocation.get(), "assigned to a revoked user");
    // Nobody listens for the answer: whoever assigned the user has not asked for an ending.
    let (replies, _) = mpsc::channel(1);
    for (thread, targets) in threads::by_thread(std::slice::from_ref(conn)) {
        node.pool.operate(thread, targets, evict::command(Reason::Revoked), replies.clone());
    }
}
