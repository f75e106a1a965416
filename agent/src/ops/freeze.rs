//! From a request to exactly the connections that it is about, once: what comes later is not among them.

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use connctl_api::error::ApiError;
use connctl_api::id::ConnId;
use connctl_api::operation::{
    DEFAULT_GRACE_MS, Item, ItemRef, ItemStatus, MAX_GRACE_MS, MAX_ITEMS, MAX_NOTE_BYTES, MAX_TYPED_BYTES,
    OperationRequest, SideChoice,
};
use connctl_api::pace::Pace;
use serde::{Deserialize, Serialize};

use super::operation::{self, Operation};
use super::seen::Seen;
use super::{Node, guard, select};
use crate::base::clock;
use crate::base::random::Random;
use crate::registry::Conn;

/// A set that is fixed, and what is to be done to it.
#[derive(Debug)]
pub struct Frozen {
    /// What to do.
    pub operation: Operation,
    /// How it is spread over time.
    pub pace: Pace,
    /// The selector; none where the connections were named one by one.
    pub selector: Option<String>,
    /// The connections, in the order in which they have their turn.
    pub conns: Vec<Arc<Conn>>,
    /// Those that were named and are not there, and why.
    pub missing: Vec<(ItemRef, &'static str)>,
    /// Nobody picked them out by an expression: they were named one by one, or `all` was said.
    pub is_explicit: bool,
}

/// A connection of a set that outlives the moment: its id and its birth, which no other connection shares.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Entry {
    /// Its id.
    pub conn_id: ConnId,
    /// When it was accepted, in milliseconds since 1970.
    pub born_ms: i64,
    /// Whose it was.
    pub uid: Option<Box<str>>,
    /// The side that is meant.
    pub side: SideChoice,
}

impl Entry {
    /// The entry of a connection.
    pub fn of(conn: &Conn, operation: &Operation) -> Self {
        let (uid, side) = (conn.labels().uid.clone(), operation.side_of(conn));
        Self { conn_id: conn.id(), born_ms: conn.opened_wall_ms(), uid, side }
    }

    /// The connection, if it still lives.
    pub fn find(&self, registry: &Seen) -> Option<Arc<Conn>> {
        registry.get(self.conn_id).filter(|conn| conn.opened_wall_ms() == self.born_ms)
    }
}

/// Checks a request and fixes its set. Guards that the request names are asked.
///
/// # Errors
/// A field that is wrong, no set at all, or a guard.
pub async fn freeze(node: &Node, request: OperationRequest) -> Result<Frozen, ApiError> {
    let operation = check(&request)?;
    let pace = checked_pace(request.pace)?;
    let (mut conns, missing, is_explicit) = match (&request.selector, request.items) {
        (Some(text), None) => {
            let selector = select::parse(text)?;
            let found = select::matching(node, &selector).await;
            let named = |conn_id| (ItemRef { conn_id, uid: None, node_id: None }, NO_CONNECTION);
            let missing = select::missing(&selector, &found).into_iter().map(named).collect();
            (found, missing, selector.is_all() || selector.named_ids().is_some())
        }
        (None, Some(items)) => {
            let (found, missing) = find_items(node, items)?;
            (found, missing, true)
        }
        (Some(_), Some(_)) => {
            let message = "where and items are both given: one of them says which connections";
            return Err(ApiError::invalid("items", message));
        }
        (None, None) => {
            let message = "neither where nor items says which connections";
            let hint = "where \"all\" is every connection";
            return Err(ApiError::invalid("where", message).hint(hint));
        }
    };
    if let Some(percent) = request.sample_percent {
        sample(&mut conns, percent, &mut Random::new());
    }
    if request.idle_first {
        let now_ms = clock::now_ms();
        conns.sort_by_cached_key(|conn| std::cmp::Reverse(conn.idle_ms(now_ms)));
    }
    guard::asked(node, conns.len(), request.max, request.max_percent)?;
    Ok(Frozen { operation, pace, selector: request.selector, conns, missing, is_explicit })
}

impl Frozen {
    /// The connections as entries.
    pub fn entries(&self) -> Vec<Entry> {
        self.conns.iter().map(|conn| Entry::of(conn, &self.operation)).collect()
    }

    /// Refuses a large set that an expression picked out and of which nobody said how many it may be.
    ///
    /// # Errors
    /// `guard_refused`, with the number.
    pub fn confirm(&self, node: &Node, is_bounded: bool) -> Result<(), ApiError> {
        if self.is_explicit || is_bounded || !self.operation.kind.is_ending() {
            return Ok(());
        }
        guard::unconfirmed(node, self.conns.len())
    }
}

const NO_CONNECTION: &str = "there is no such connection";
const OTHER_OWNER: &str = "there is no such connection of this user";
const OTHER_NODE: &str = "it is on another node";

/// Connections that were named and are not there, and why.
type Missing = Vec<(ItemRef, &'static str)>;

/// The item of a connection that was named and is not there.
pub(super) fn missing_item(
    node: &Node,
    operation: &Operation,
    (ItemRef { conn_id, uid, node_id }, error): (ItemRef, &'static str),
) -> Item {
    Item {
        conn_id,
        node_id: node_id.unwrap_or(node.settings.node_id),
        uid,
        operation: operation.kind,
        side: operation.side,
        status: ItemStatus::NotFound,
        wire: None,
        error: Some(error.to_owned()),
    }
}

/// The connections that are named, and the names that fit none.
fn find_items(node: &Node, items: Vec<ItemRef>) -> Result<(Vec<Arc<Conn>>, Missing), ApiError> {
    if items.len() > MAX_ITEMS {
        let message = format!("items has {} entries: at most {MAX_ITEMS}", items.len());
        return Err(ApiError::invalid("items", message));
    }
    let (mut found, mut missing) = (Vec::new(), Vec::new());
    let (mut seen, mut is_in) = (HashSet::new(), HashSet::new());
    for item in items {
        if !seen.insert((item.conn_id, item.uid.clone(), item.node_id)) {
            continue;
        }
        if item.node_id.is_some_and(|node_id| node_id != node.settings.node_id) {
            missing.push((item, OTHER_NODE));
            continue;
        }
        let Some(conn) = node.registry.get(item.conn_id) else {
            missing.push((item, NO_CONNECTION));
            continue;
        };
        let is_owner = item.uid.is_none() || conn.labels().uid.as_deref() == item.uid.as_deref();
        if is_owner {
            if is_in.insert(conn.id()) {
                found.push(conn);
            }
        } else {
            missing.push((item, OTHER_OWNER));
        }
    }
    Ok((found, missing))
}

/// What a request asks for, where that makes sense.
pub(super) fn check(request: &OperationRequest) -> Result<Operation, ApiError> {
    let grace_ms = request.grace_ms.unwrap_or(DEFAULT_GRACE_MS);
    if grace_ms > MAX_GRACE_MS {
        return Err(ApiError::invalid(
            "grace_ms",
            format!("grace_ms {grace_ms} is too long: at most {MAX_GRACE_MS}"),
        ));
    }
    guard::check_percent(request.max_percent)?;
    let texts = [("note", &request.note, MAX_NOTE_BYTES), ("typed", &request.typed, MAX_TYPED_BYTES)];
    for (field, text, most) in texts {
        let bytes = text.as_ref().map_or(0, String::len);
        if bytes > most {
            return Err(ApiError::invalid(field, format!("{field} has {bytes} bytes: at most {most}")));
        }
    }
    let words = || operation::words(request.operation, request.selector.as_deref(), request.items.as_deref());
    let is_share = |percent: &f64| *percent > 0.0 && *percent <= 100.0;
    if let Some(percent) = request.sample_percent.filter(|percent| !is_share(percent)) {
        let message = format!("sample_percent {percent} is not a share: more than 0, at most 100");
        return Err(ApiError::invalid("sample_percent", message));
    }
    Ok(Operation {
        kind: request.operation,
        side: request.side.unwrap_or(request.operation.default_side()),
        is_usual_side: request.side.is_none(),
        grace: Duration::from_millis(grace_ms),
        request: Some(request.typed.clone().unwrap_or_else(words)),
        note: request.note.clone(),
        ..Operation::new(request.operation)
    })
}

/// A pace whose values make sense.
pub(super) fn checked_pace(pace: Option<Pace>) -> Result<Pace, ApiError> {
    let pace = pace.unwrap_or_default();
    let wrong = |(field, message)| ApiError::invalid(format!("pace.{field}"), message);
    pace.check().map_err(wrong)?;
    Ok(pace)
}

/// Keeps a share of them, each as likely as any other; at least one, where there is one.
fn sample(conns: &mut Vec<Arc<Conn>>, percent: f64, random: &mut Random) {
    #[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
    let wanted = (conns.len() as f64 * percent / 100.0).ceil();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at most the length")]
    let wanted = (wanted as usize).min(conns.len());
    for at in 0..wanted {
        let other = at + random.below(conns.len() - at);
        conns.swap(at, other);
    }
    conns.truncate(wanted);
    conns.sort_unstable_by_key(|conn| conn.id());
}

/// The error of a connection that ended before its turn.
pub(super) const GONE: &str = "ended before its turn came";

/// The item of a connection that has ended, or of one whose turn never came.
pub(super) fn skipped(node: &Node, operation: &Operation, entry: &Entry, error: &str) -> Item {
    Item {
        conn_id: entry.conn_id,
        node_id: node.settings.node_id,
        uid: entry.uid.as_deref().map(str::to_owned),
        operation: operation.kind,
        side: entry.side,
        status: ItemStatus::Skipped,
        wire: None,
        error: Some(error.to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use connctl_api::conn::Mode;
    use connctl_api::operation::OperationKind;

    use super::*;
    use crate::registry::conn::{Birth, Origin};

    fn conn(id: u64, wall_ms: i64) -> Arc<Conn> {
        let address = ([127, 0, 0, 1], 4000).into();
        let origin = Arc::new(Origin::new("o", Mode::Echo, 0));
        let id = ConnId::new(id).unwrap();
        Arc::new(Conn::new(Birth {
            id,
            origin,
            peer: address,
            local: address,
            wall_ms,
            now_ms: 0,
            thread: 0,
        }))
    }

    #[test]
    fn an_entry_is_one_connection_and_no_other_of_its_id() {
        let registry = Seen::new(Arc::default(), None);
        let (first, second) = (conn(7, 100), conn(7, 101));
        let entry = Entry::of(&first, &Operation::new(OperationKind::Close));
        assert!(entry.find(&registry).is_none());
        registry.whole().enter(&first);
        assert!(Arc::ptr_eq(&entry.find(&registry).unwrap(), &first));
        registry.whole().leave(&first);
        registry.whole().enter(&second);
        assert!(entry.find(&registry).is_none());
    }

    #[test]
    fn a_sample_has_its_size_and_no_connection_twice() {
        let mut random = Random::new();
        for (all, percent, wanted) in
            [(0, 10.0, 0), (1, 1.0, 1), (100, 10.0, 10), (101, 10.0, 11), (9, 100.0, 9)]
        {
            let mut conns: Vec<_> = (1..=all).map(|id| conn(id, 0)).collect();
            sample(&mut conns, percent, &mut random);
            let ids: HashSet<_> = conns.iter().map(|conn| conn.id()).collect();
            assert_eq!((conns.len(), ids.len()), (wanted, wanted), "{percent} % of {all}");
        }
        let mut drawn = HashSet::new();
        for _ in 0..200 {
            let mut conns: Vec<_> = (1..=10).map(|id| conn(id, 0)).collect();
            sample(&mut conns, 10.0, &mut random);
            drawn.insert(conns[0].id());
        }
        assert_eq!(drawn.len(), 10, "each has its chance");
    }
}
