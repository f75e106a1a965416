//! What the dials of connections tell of the upstreams of their listener.

use connctl_api::end::Reason;

use super::pair::Pair;
use crate::base::clock;

/// An upstream was reached, or its session restored.
pub(super) fn note_up(pair: &Pair) {
    let origin = pair.conn.origin();
    if origin.upstreams.succeeded(usize::from(pair.upstream), clock::wall_ms()) {
        let upstream = pair.settings.upstream.get(usize::from(pair.upstream)).map(ToString::to_string);
        tracing::info!(listener = &*origin.name, upstream, "an upstream is back");
    }
}

/// No address of an upstream was reached.
pub(super) fn note_down(pair: &Pair, reason: Reason, now_ms: u64) {
    if reason == Reason::Resource {
        // That says nothing of the upstream.
        return;
    }
    let origin = pair.conn.origin();
    if origin.upstreams.failed(usize::from(pair.upstream), reason, now_ms, clock::wall_ms()) {
        let upstream = pair.settings.upstream.get(usize::from(pair.upstream)).map(ToString::to_string);
        tracing::warn!(listener = &*origin.name, upstream, reason = reason.word(), "an upstream is down");
    }
}
