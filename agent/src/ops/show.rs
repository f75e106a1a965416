//! One connection in depth.

use connctl_api::conn::{ConnDetail, ConnRow, Sides};
use connctl_api::end::Reason;
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::id::ConnId;

use super::health::{facts, health_of};
use super::threads::kernel_facts;
use super::{Node, list};
use crate::base::clock;
use crate::policy::health;
use crate::policy::timeouts;
use crate::registry::Conn;

/// One connection.
///
/// # Errors
/// `not_found`.
pub async fn detail(node: &Node, id: ConnId) -> Result<ConnDetail, ApiError> {
    let conn = node.registry.get(id).ok_or_else(|| not_found(id))?;
    let mut all = kernel_facts(node, std::slice::from_ref(&conn)).await;
    // It may have ended since: then it is not there any more.
    let sides = all.remove(&id).ok_or_else(|| not_found(id))?;
    let end = next_end(&conn, &sides);
    let health = Some(health_of(&conn, &sides, clock::now_ms()));
    Ok(ConnDetail {
        row: ConnRow { health, ..list::row(node, &conn) },
        thread: conn.thread().into(),
        sides,
        ends_by: end.map(|(_, reason)| reason),
        time_remaining_ms: end.map(|(left_ms, _)| left_ms),
    })
}

/// Which policy will end a connection, and in how many milliseconds.
fn next_end(conn: &Conn, sides: &Sides) -> Option<(u64, Reason)> {
    let (now_ms, policies) = (clock::now_ms(), conn.origin().policies());
    let timed = timeouts::next_end(&facts(conn, now_ms)?, &policies.timeouts);
    let unhealthy = health::next_end(&health::Facts::of(conn, Some(sides), now_ms), &policies.health);
    let unhealthy = unhealthy.map(|(ms, _)| (ms, Reason::Unhealthy));
    timed.into_iter().chain(unhealthy).min_by_key(|(ms, _)| *ms)
}

/// The error for a connection that is not there.
pub fn not_found(id: ConnId) -> ApiError {
    ApiError::new(ErrorCode::NotFound, format!("there is no connection {id}")).field("conn_id")
}
