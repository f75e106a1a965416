//! The only way out of the registry.

use connctl_api::conn::{Mode, Side};
use connctl_api::end::{Cause, Reason};

use super::tell::{self, Ending};
use crate::record::Record;
use crate::record::stats::Stats;
use crate::registry::{Conn, Registry};

/// Writes down how a connection ended whose sockets are closed, takes it out of the tables, counts its ending
/// and writes the log line. Whoever waits for the ending is answered after this.
pub fn finish(
    registry: &Registry,
    stats: &Stats,
    record: &Record,
    conn: &Conn,
    ending: &Ending<'_>,
    now_ms: u64,
) {
    // First: whoever asks finds it in the registry, or else in the history.
    tell::tell_end(record, conn, ending, now_ms);
    let cause = ending.cause;
    registry.leave(conn);
    stats.relayed([conn.to_upstream_bytes(), conn.to_client_bytes()]);
    conn.origin().live.fetch_sub(1, std::sync::atomic::Ordering::Relaxed);
    let has_client = conn.origin().mode != Mode::Outbound;
    let has_upstream = matches!(conn.origin().mode, Mode::Forward | Mode::Outbound);
    stats.ended_one(
        has_client.then(|| reason_on(cause, Side::Client)),
        has_upstream.then(|| reason_on(cause, Side::Upstream)),
    );
    let uid = conn.labels().uid.clone();
    tracing::info!(
        conn_id = conn.id().get(),
        peer = %conn.peer(),
        uid = uid.as_deref(),
        listener = conn.listener(),
        reason = cause.reason.word(),
        initiator = cause.initiator.word(),
        side = cause.side.map(Side::word),
        duration_ms = conn.age_ms(now_ms),
        to_upstream_bytes = conn.to_upstream_bytes(),
        to_client_bytes = conn.to_client_bytes(),
        "connection ended"
    );
}

/// The reason as one side has it: an error is the side's that failed, and the other side saw its peer leave.
fn reason_on(cause: Cause, side: Side) -> Reason {
    let is_of_a_socket = matches!(
        cause.reason,
        Reason::Econnreset
            | Reason::Etimedout
            | Reason::Econnrefused
            | Reason::Ehostunreach
            | Reason::UnknownHost
            | Reason::SocketError
    );
    match (is_of_a_socket, cause.side) {
        (true, Some(failed)) if failed != side => match failed {
            Side::Client => Reason::ClosedClient,
            Side::Upstream => Reason::ClosedUpstream,
        },
        _ => cause.reason,
    }
}

#[cfg(test)]
mod tests {
    use connctl_api::end::Initiator;

    use super::*;

    #[test]
    fn an_error_is_counted_on_the_side_that_failed() {
        let refused = Cause {
            reason: Reason::Econnrefused,
            initiator: Initiator::Upstream,
            side: Some(Side::Upstream),
        };
        assert_eq!(reason_on(refused, Side::Upstream), Reason::Econnrefused);
        assert_eq!(reason_on(refused, Side::Client), Reason::ClosedUpstream);
        let closed = Cause { reason: Reason::OperatorClose, initiator: Initiator::Operator, side: None };
        assert_eq!(reason_on(closed, Side::Client), Reason::OperatorClose);
        assert_eq!(reason_on(closed, Side::Upstream), Reason::OperatorClose);
    }
}
