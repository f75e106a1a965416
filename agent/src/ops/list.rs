//! Listing and counting.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use connctl_api::conn::{
    ConnPage, ConnRow, CountReport, CountRow, Health, ListQuery, MAX_PAGE_ROWS, PAGE_ROWS,
};
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::id::ConnId;
use connctl_api::instant::Instant;
use connctl_api::selector::{Field, Selector, Subject, Value};
use connctl_api::units;

pub use super::row::write_row;
use super::select::{self, View};
use super::{Node, health, threads};
use crate::base::clock;
use crate::registry::Conn;
use crate::registry::conn::Labels;

/// The answer to a query.
#[derive(Debug)]
pub enum Listing {
    /// Rows and where to read on.
    Page(ConnPage),
    /// Counts.
    Count(CountReport),
    /// Connections to be streamed, in order, and how healthy each is where that was asked.
    Rows(Vec<Arc<Conn>>, HashMap<ConnId, Health>),
}

/// Answers a query.
///
/// # Errors
/// A selector, sort key, field, limit or cursor that is wrong.
pub async fn query(node: &Node, query: ListQuery) -> Result<Listing, ApiError> {
    let selector = match &query.selector {
        Some(text) => select::parse(text)?,
        None => Selector::all(),
    };
    let order = Order::parse(query.sort.as_deref())?;
    let after = query.cursor.as_deref().map(|cursor| order.read_cursor(cursor)).transpose()?;
    let by = query.by.as_deref().map(field).transpose()?;
    if by.is_some() && !query.count {
        return Err(ApiError::new(ErrorCode::InvalidRequest, "by goes with count").field("by"));
    }
    let limit = limit(&query)?;
    let mut conns = select::matching(node, &selector).await;
    if query.count {
        return Ok(Listing::Count(count(node, &conns, by).await));
    }
    let matched = conns.len() as u64;
    order.sort(node, &mut conns).await;
    if let Some(after) = after {
        order.skip(&mut conns, after);
    }
    let is_cut = limit.is_some_and(|limit| conns.len() > limit);
    if let Some(limit) = limit {
        conns.truncate(limit);
    }
    let health = if query.health { health::healths(node, &conns).await } else { HashMap::new() };
    if query.stream {
        return Ok(Listing::Rows(conns, health));
    }
    let next_cursor = conns.last().filter(|_| is_cut).and_then(|last| order.cursor(last));
    let connections = conns
        .iter()
        .map(|conn| ConnRow { health: health.get(&conn.id()).copied(), ..row(node, conn) })
        .collect();
    Ok(Listing::Page(ConnPage { connections, matched, next_cursor }))
}

fn limit(query: &ListQuery) -> Result<Option<usize>, ApiError> {
    let limit = match (query.limit, query.stream) {
        (None, true) => return Ok(None),
        (None, false) => PAGE_ROWS,
        (Some(limit), true) => limit,
        (Some(limit), false) if limit <= MAX_PAGE_ROWS => limit,
        (Some(limit), false) => {
            let message = format!("limit {limit} is too large: at most {MAX_PAGE_ROWS}, or stream");
            return Err(ApiError::new(ErrorCode::InvalidRequest, message).field("limit"));
        }
    };
    Ok(Some(usize::try_from(limit).unwrap_or(usize::MAX)))
}

pub(super) fn field(name: &str) -> Result<Field, ApiError> {
    Field::by_name(name).ok_or_else(|| {
        let message = format!("{name:?} is no field that can be counted by");
        ApiError::new(ErrorCode::InvalidRequest, message)
            .field("by")
            .hint("connctl list --fields shows the fields")
    })
}

/// How a listing is sorted; connections that are equal are in the order of their ids.
#[derive(Debug, Clone, Copy)]
struct Order {
    field: Field,
    descending: bool,
}

impl Order {
    fn parse(sort: Option<&str>) -> Result<Self, ApiError> {
        let sort = sort.unwrap_or("conn_id");
        let (name, descending) = sort.strip_prefix('-').map_or((sort, false), |name| (name, true));
        match Field::by_name(name).filter(|field| field.info().sortable) {
            Some(field) => Ok(Self { field, descending }),
            None => {
                let sortable: Vec<_> = Field::ALL
                    .iter()
                    .filter(|field| field.info().sortable)
                    .map(|field| field.name())
                    .collect();
                let message = format!("{name:?} is no field to sort by");
                let hint = format!("one of {}, with - before it for descending", sortable.join(", "));
                Err(ApiError::new(ErrorCode::InvalidRequest, message).field("sort").hint(hint))
            }
        }
    }

    async fn sort(self, node: &Node, conns: &mut [Arc<Conn>]) {
        if self.field == Field::ConnId {
            if self.descending {
                conns.reverse();
            }
            return;
        }
        let facts = if self.field.info().needs_kernel {
            threads::kernel_facts(node, conns).await
        } else {
            HashMap::new()
        };
        let (node_id, now_ms) = (node.settings.node_id, clock::now_ms());
        // Keys are taken once: a counter that moved during the sort would make the order inconsistent.
        let keys: HashMap<_, _> = conns
            .iter()
            .map(|conn| {
                let view = View::new(conn, node_id, now_ms, facts.get(&conn.id()));
                (conn.id(), Key::of(view.value(self.field)))
            })
            .collect();
        conns.sort_by(|one, other| {
            let order = keys[&one.id()].cmp(&keys[&other.id()]);
            let order = if self.descending { order.reverse() } else { order };
            order.then_with(|| one.id().cmp(&other.id()))
        });
    }

    /// Where to read on: ids never change, so the order by id is the one that can be cut into pages.
    fn cursor(self, last: &Conn) -> Option<String> {
        (self.field == Field::ConnId).then(|| format!("v1-{}{}", self.sign(), last.id()))
    }

    const fn sign(self) -> char {
        if self.descending { 'd' } else { 'a' }
    }

    fn read_cursor(self, cursor: &str) -> Result<u64, ApiError> {
        let wrong = |message: String| Err(ApiError::new(ErrorCode::InvalidRequest, message).field("cursor"));
        if self.field != Field::ConnId {
            return wrong(format!("a cursor goes with sort=conn_id, and this is sort={}", self.field));
        }
        match cursor.strip_prefix("v1-").and_then(|rest| rest.strip_prefix(self.sign())) {
            Some(id) if id.parse::<u64>().is_ok() => Ok(id.parse().unwrap_or(0)),
            _ => wrong(format!("{cursor:?} is not a cursor of this listing")),
        }
    }

    fn skip(self, conns: &mut Vec<Arc<Conn>>, after: u64) {
        if self.descending {
            conns.retain(|conn| conn.id().get() < after);
        } else {
            conns.retain(|conn| conn.id().get() > after);
        }
    }
}

/// A value to sort by. Unknown comes first.
#[derive(Debug, PartialEq)]
enum Key {
    Missing,
    Number(f64),
    Exact(i128),
    Text(String),
    Address(std::net::IpAddr, u16),
}

impl Eq for Key {}

impl Key {
    fn of(value: Value<'_>) -> Self {
        match value {
            Value::Missing => Self::Missing,
            Value::Text(text) => Self::Text(text.to_owned()),
            Value::Int(number) | Value::Duration(number) | Value::Size(number) => Self::Exact(number.into()),
            Value::Float(number) => Self::Number(number),
            Value::Ip(ip) => Self::Address(ip.to_canonical(), 0),
            Value::Address(address) => Self::Address(address.ip().to_canonical(), address.port()),
            Value::Time(time) => Self::Exact(time.into()),
            Value::Bool(yes) => Self::Exact(yes.into()),
        }
    }

    fn cmp(&self, other: &Self) -> Ordering {
        match (self, other) {
            (Self::Missing, Self::Missing) => Ordering::Equal,
            (Self::Missing, _) => Ordering::Less,
            (_, Self::Missing) => Ordering::Greater,
            (Self::Number(one), Self::Number(other)) => one.total_cmp(other),
            (Self::Exact(one), Self::Exact(other)) => one.cmp(other),
            (Self::Text(one), Self::Text(other)) => one.cmp(other),
            (Self::Address(one, port), Self::Address(other, other_port)) => {
                (one, port).cmp(&(other, other_port))
            }
            // All values of a field are of one kind.
            _ => Ordering::Equal,
        }
    }
}

async fn count(node: &Node, conns: &[Arc<Conn>], by: Option<Field>) -> CountReport {
    let count = conns.len() as u64;
    let Some(field) = by else {
        return CountReport { count, by: None };
    };
    let facts =
        if field.info().needs_kernel { threads::kernel_facts(node, conns).await } else { HashMap::new() };
    let (node_id, now_ms) = (node.settings.node_id, clock::now_ms());
    let mut counts: BTreeMap<Option<String>, u64> = BTreeMap::new();
    for conn in conns {
        let view = View::new(conn, node_id, now_ms, facts.get(&conn.id()));
        *counts.entry(print(view.value(field))).or_default() += 1;
    }
    let mut rows: Vec<_> = counts.into_iter().map(|(value, count)| CountRow { value, count }).collect();
    rows.sort_by_key(|row| std::cmp::Reverse(row.count));
    CountReport { count, by: Some(rows) }
}

pub(super) fn print(value: Value<'_>) -> Option<String> {
    Some(match value {
        Value::Missing => return None,
        Value::Text(text) => text.to_owned(),
        Value::Int(number) => number.to_string(),
        Value::Float(number) => format!("{number:.1}"),
        Value::Duration(micros) => units::format_micros(micros),
        Value::Size(bytes) => units::format_size(bytes),
        Value::Ip(ip) => ip.to_string(),
        Value::Address(address) => address.to_string(),
        Value::Time(ms) => Instant(ms).to_string(),
        Value::Bool(yes) => yes.to_string(),
    })
}

/// A row of its own.
pub fn row(node: &Node, conn: &Conn) -> ConnRow<'static> {
    let (client, upstream) = (conn.client(), conn.upstream());
    let labels = conn.labels().clone();
    let row = row_of(node, conn, &labels, clock::now_ms());
    let owned = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    ConnRow {
        uid: row.uid.map(owned),
        device: row.device.map(owned),
        tags: Cow::Owned(row.tags.into_owned()),
        listener: row.listener.map(owned),
        client,
        upstream,
        ..row
    }
}

/// A row without the two addresses that are under the same lock as the labels.
fn row_of<'a>(node: &Node, conn: &'a Conn, labels: &'a Labels, now_ms: u64) -> ConnRow<'a> {
    static NO_TAGS: BTreeMap<String, String> = BTreeMap::new();
    ConnRow {
        conn_id: conn.id(),
        node_id: node.settings.node_id,
        uid: labels.uid.as_deref().map(Cow::Borrowed),
        device: labels.device.as_deref().map(Cow::Borrowed),
        tags: Cow::Borrowed(labels.tags.as_deref().unwrap_or(&NO_TAGS)),
        listener: conn.listener().map(Cow::Borrowed),
        mode: conn.origin().mode,
        state: conn.state(),
        client: None,
        local: Some(conn.local()),
        upstream: None,
        opened_at: Instant(conn.opened_wall_ms()),
        age_ms: conn.age_ms(now_ms),
        idle_ms: conn.idle_ms(now_ms),
        to_upstream_bytes: conn.to_upstream_bytes(),
        to_client_bytes: conn.to_client_bytes(),
        health: None,
    }
}
