//! Whose connection it is, while its bytes pass.

use connctl_api::event::EventKind;
use tokio::sync::mpsc;

use super::context::Context;
use super::message::Message;
use super::pair::Pair;
use super::{Shared, farewell, refuse};
use crate::conn::tell::More;
use crate::identity::proxy::Header;
use crate::identity::{self, Found, Miss, Tap};
use crate::policy::evict;
use crate::policy::revoke::Revocations;
use crate::registry::Registry;

/// Before bytes flow: what the PROXY header or the address says counts at once, until a rule that stands
/// before it finds someone. False where that is a user who is revoked.
pub(super) fn begin(pair: &mut Pair, header: Option<Header>, shared: &Shared) -> bool {
    let rules = &pair.settings.identity;
    let named = header.as_ref().and_then(|header| header.user(rules));
    let (found, first) = match named {
        Some((place, name)) => (Found::named(name), place),
        None => (of_network(pair), rules.len()),
    };
    pair.tap = Tap::new(rules, first);
    if let Some(header) = header {
        identity::tag(&pair.conn, header.labels);
    }
    let Some(found) = found else {
        return true;
    };
    if let Some(tap) = &mut pair.tap {
        tap.presumed = Some(found.uid.clone());
    }
    pair.is_news = refuse::assign(pair, found, None, &shared.registry, &shared.revocations);
    pair.is_news
}

fn of_network(pair: &Pair) -> Option<Found> {
    Found::named(pair.settings.networks.user(pair.conn.client()?.ip())?)
}

/// The client's next bytes, before they are written on. Once it is decided nobody looks any more. False
/// where they name a user who is revoked: they are not to be written on.
pub(super) fn look(pair: &mut Pair, bytes: &[u8], registry: &Registry, revocations: &Revocations) -> bool {
    let Some(mut tap) = pair.tap.take() else {
        return true;
    };
    match tap.look(&pair.settings.identity, bytes) {
        Err(Miss::More) => pair.tap = Some(tap),
        Err(Miss::No) => {}
        Ok(found) => {
            let has_farewell = found.has_farewell;
            let is_let_in = refuse::assign(pair, found, tap.presumed.as_deref(), registry, revocations);
            (pair.is_news, pair.is_refused) = (is_let_in, !is_let_in);
            if has_farewell && is_let_in {
                farewell::expect(pair);
            }
        }
    }
    !pair.is_refused
}

/// Asks the limits for users and devices, once a user has become known: whoever is one too many is closed.
pub(super) fn enforce(pair: &mut Pair, context: &mut Context) {
    if !std::mem::take(&mut pair.is_news) {
        return;
    }
    context.tell(EventKind::Identified, &pair.conn, More::default());
    let registry = &context.shared.registry;
    let (conns, reason) = evict::over_labels(registry, &pair.conn, context.now_ms);
    let Some(peers) = context.peers.get().filter(|_| !conns.is_empty()) else {
        return;
    };
    // Nobody listens for the answers.
    let (replies, _) = mpsc::channel(conns.len());
    for conn in &conns {
        if let Some(peer) = peers.get(usize::from(conn.thread())) {
            let (targets, command) = (vec![(conn.slot(), conn.id())], evict::command(reason));
            peer.post(Message::Operate { targets, command, replies: replies.clone() });
        }
    }
}
