//! Refusing who is revoked, once it is known whose a connection is.
//!
//! Whatever is refused is reset on both sides: nothing more of it is relayed.

use std::net::SocketAddr;

use connctl_api::end::{Cause, Initiator, Reason};
use connctl_api::id::RevocationId;
use connctl_api::instant::Instant;

use super::context::Context;
use super::ending;
use super::pair::Pair;
use crate::base::clock;
use crate::identity::{self, Found};
use crate::policy::revoke::{Held, Revocations};
use crate::registry::Registry;

/// No revocation begins while this is held.
fn hold(revocations: &Revocations) -> Held<'_> {
    revocations.hold(Instant(clock::wall_ms()))
}

/// Enters a connection in the registry unless its address is revoked, or the user for whom the agent opened
/// it; false where one is. A proxy's address is nobody's.
pub(super) fn enter(pair: &Pair, uid: Option<Box<str>>, context: &Context) -> bool {
    let shared = &context.shared;
    let ip = pair.conn.client().filter(|_| !is_proxied(pair)).map(|client| client.ip());
    let held = hold(&shared.revocations);
    let by_ip = ip.and_then(|ip| held.refuses_ip(ip));
    if let Some(revocation) = by_ip.or_else(|| held.refuses_uid(uid.as_deref()?)) {
        log(pair, revocation, uid.as_deref());
        return false;
    }
    shared.registry.enter(&pair.conn);
    if uid.is_some() {
        shared.registry.assign(&pair.conn, |labels| labels.uid = uid);
    }
    true
}

/// Whether the connection begins with a PROXY header.
pub(super) fn is_proxied(pair: &Pair) -> bool {
    let peer = pair.conn.peer().ip().to_canonical();
    pair.settings.accept_proxy_from.iter().any(|net| net.contains(&peer))
}

/// Makes a connection known under the address that its PROXY header told, or keeps the peer's where it told
/// none, unless that is revoked; false where it is.
pub(super) fn readdress(pair: &Pair, told: Option<SocketAddr>, context: &Context) -> bool {
    let shared = &context.shared;
    let held = hold(&shared.revocations);
    let address = told.unwrap_or_else(|| pair.conn.peer());
    if let Some(revocation) = held.refuses_ip(address.ip()) {
        log(pair, revocation, None);
        return false;
    }
    if let Some(told) = told {
        shared.registry.readdress(&pair.conn, told);
    }
    true
}

/// Makes a connection known as a user's, unless that user is revoked; false where it is. A user that was
/// assigned by hand stays, whoever is found.
pub(super) fn assign(
    pair: &Pair,
    found: Found,
    presumed: Option<&str>,
    registry: &Registry,
    revocations: &Revocations,
) -> bool {
    let held = hold(revocations);
    if !identity::is_settled(&pair.conn.labels(), presumed)
        && let Some(revocation) = held.refuses_uid(&found.uid)
    {
        log(pair, revocation, Some(&found.uid));
        return false;
    }
    identity::assign(registry, &pair.conn, found, presumed);
    true
}

fn log(pair: &Pair, revocation: RevocationId, uid: Option<&str>) {
    let (conn_id, revocation) = (pair.conn.id().get(), revocation.get());
    tracing::info!(conn_id, revocation, uid, listener = &*pair.conn.origin().name, "a newcomer is revoked");
}

/// Begins the ending of a connection that is refused.
pub(super) fn end(pair: &mut Pair, context: &mut Context) {
    let cause = Cause { reason: Reason::Revoked, initiator: Initiator::Policy, side: None };
    ending::begin(pair, cause, ending::BOTH_RESET, 0, context);
}
