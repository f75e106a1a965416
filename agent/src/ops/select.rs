//! From a selector to connections: the best index first, then the whole test, outside all locks but the
//! record's own.

use std::cell::OnceCell;
use std::net::SocketAddr;
use std::sync::{Arc, MutexGuard};

use connctl_api::conn::{SideDetail, Sides, TcpFacts};
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::id::{ConnId, NodeId};
use connctl_api::selector::{Field, Hint, Selector, Subject, Value};

use super::seen::Seen;
use super::{Node, threads};
use crate::base::clock;
use crate::policy::health::{self, Facts};
use crate::registry::conn::Labels;
use crate::registry::{Conn, Registry};

/// Reads a selector.
///
/// # Errors
/// `invalid_selector`, with the column and what was expected there.
pub fn parse(text: &str) -> Result<Selector, ApiError> {
    Selector::parse(text).map_err(|error| {
        let mut api = ApiError::new(ErrorCode::InvalidSelector, error.render()).field("where");
        api.detail.column = Some(error.column() as u64);
        if let Some(suggestion) = error.suggestion() {
            api = api.hint(format!("did you mean {suggestion}?"));
        }
        api
    })
}

/// The live connections that match, by id.
pub async fn matching(node: &Node, selector: &Selector) -> Vec<Arc<Conn>> {
    let (seen, node_id) = (&node.registry, node.settings.node_id);
    if !selector.needs_kernel() {
        return without_kernel(seen, selector, node_id, clock::now_ms());
    }
    let mut conns = indexed(seen, selector).unwrap_or_else(|| seen.all());
    let facts = threads::kernel_facts(node, &conns).await;
    let now_ms = clock::now_ms();
    conns.retain(|conn| selector.matches(&View::new(conn, node_id, now_ms, facts.get(&conn.id()))));
    conns
}

/// The same among all there are, for a selector that asks for nothing that the kernel alone knows.
pub fn matching_now(
    registry: &Arc<Registry>,
    selector: &Selector,
    node_id: NodeId,
    now_ms: u64,
) -> Vec<Arc<Conn>> {
    without_kernel(&Seen::new(Arc::clone(registry), None), selector, node_id, now_ms)
}

fn without_kernel(seen: &Seen, selector: &Selector, node_id: NodeId, now_ms: u64) -> Vec<Arc<Conn>> {
    if selector.is_all() {
        return seen.all();
    }
    let matches = |conn: &Conn| selector.matches(&View::new(conn, node_id, now_ms, None));
    match indexed(seen, selector) {
        Some(mut conns) => {
            conns.retain(|conn| matches(conn));
            conns
        }
        None => seen.all_that(matches),
    }
}

/// All that may match, by the best index if there is one.
fn indexed(seen: &Seen, selector: &Selector) -> Option<Vec<Arc<Conn>>> {
    match selector.hint() {
        Hint::Ids(ids) => Some(seen.with_ids(&ids)),
        Hint::Uids(uids) => Some(seen.with_uids(&uids)),
        Hint::Ips(nets) => Some(seen.with_ips(&nets)),
        Hint::Scan => None,
    }
}

/// A connection as a selector and a sort key see it, at one moment.
pub struct View<'a> {
    conn: &'a Conn,
    /// Taken when first asked for: most of what is asked lies outside the lock.
    labels: OnceCell<MutexGuard<'a, Labels>>,
    node_id: NodeId,
    now_ms: u64,
    sides: Option<&'a Sides>,
}

impl<'a> View<'a> {
    /// May hold the record's labels: make it, ask it, drop it.
    pub const fn new(conn: &'a Conn, node_id: NodeId, now_ms: u64, sides: Option<&'a Sides>) -> Self {
        Self { conn, labels: OnceCell::new(), node_id, now_ms, sides }
    }

    fn labels(&self) -> &Labels {
        self.labels.get_or_init(|| self.conn.labels())
    }

    fn client(&self) -> Option<SocketAddr> {
        self.conn.client_of(self.labels())
    }

    fn upstream(&self) -> Option<SocketAddr> {
        self.labels().upstream()
    }

    fn detail(&self, side: connctl_api::conn::Side) -> Option<&'a SideDetail> {
        let sides = self.sides?;
        match side {
            connctl_api::conn::Side::Client => sides.client.as_ref(),
            connctl_api::conn::Side::Upstream => sides.upstream.as_ref(),
        }
    }

    fn tcp(&self, side: connctl_api::conn::Side) -> Option<&'a TcpFacts> {
        self.detail(side)?.tcp.as_ref()
    }

    fn both<T>(&self, pick: impl Fn(&TcpFacts) -> u64, join: impl Fn(u64, u64) -> T) -> Option<T> {
        use connctl_api::conn::Side::{Client, Upstream};
        let (client, upstream) = (self.tcp(Client).map(&pick), self.tcp(Upstream).map(&pick));
        match (client, upstream) {
            (None, None) => None,
            (one, other) => Some(join(one.unwrap_or(0), other.unwrap_or(0))),
        }
    }

    /// Bytes a second over the connection's life.
    #[expect(clippy::cast_precision_loss, reason = "a rate is a rough figure")]
    fn rate(&self, bytes: u64) -> f64 {
        bytes as f64 * 1000.0 / self.conn.age_ms(self.now_ms).max(1) as f64
    }

    #[expect(clippy::cast_precision_loss, reason = "a share is a rough figure")]
    fn idle_percent(&self) -> f64 {
        let age = self.conn.age_ms(self.now_ms).max(1);
        self.conn.idle_ms(self.now_ms).min(age) as f64 * 100.0 / age as f64
    }

    fn kernel_value(&self, field: Field) -> Option<Value<'_>> {
        use connctl_api::conn::Side::{Client, Upstream};
        if field == Field::Health {
            let facts = Facts::of(self.conn, Some(self.sides?), self.now_ms);
            return Some(Value::Text(health::health(&facts, &self.conn.origin().policies().health).word()));
        }
        let side = if field.name().starts_with("upstream_") { Upstream } else { Client };
        Some(match field {
            Field::Rtt => Value::Duration(self.both(|tcp| tcp.rtt_us, u64::max)?),
            Field::Retransmits => {
                Value::Int(self.both(|tcp| tcp.total_retransmits, |one, other| one + other)?)
            }
            Field::PendingBytes => {
                let of = |side| self.detail(side).map(pending);
                match (of(Client), of(Upstream)) {
                    (None, None) => return None,
                    (one, other) => Value::Size(one.unwrap_or(0) + other.unwrap_or(0)),
                }
            }
            Field::ClientRtt | Field::UpstreamRtt => Value::Duration(self.tcp(side)?.rtt_us),
            Field::ClientRetransmits | Field::UpstreamRetransmits => {
                Value::Int(self.tcp(side)?.total_retransmits)
            }
            Field::ClientSendQueue | Field::UpstreamSendQueue => {
                Value::Size(self.tcp(side)?.send_queue_bytes)
            }
            Field::ClientReceiveQueue | Field::UpstreamReceiveQueue => {
                Value::Size(self.tcp(side)?.receive_queue_bytes)
            }
            Field::ClientCongestion | Field::UpstreamCongestion => Value::Text(&self.tcp(side)?.congestion),
            Field::ClientTcpState | Field::UpstreamTcpState => Value::Text(&self.tcp(side)?.state),
            _ => return None,
        })
    }
}

/// Bytes accepted for a peer that it has not acknowledged.
fn pending(detail: &SideDetail) -> u64 {
    detail.pending_bytes + detail.tcp.as_ref().map_or(0, |tcp| tcp.send_queue_bytes)
}

impl Subject for View<'_> {
    fn value(&self, field: Field) -> Value<'_> {
        let conn = self.conn;
        match field {
            Field::ConnId => Value::Int(conn.id().get()),
            Field::NodeId => Value::Int(self.node_id.get()),
            Field::Uid => self.labels().uid.as_deref().map_or(Value::Missing, Value::Text),
            Field::Device => self.labels().device.as_deref().map_or(Value::Missing, Value::Text),
            Field::Identified => Value::Bool(self.labels().uid.is_some()),
            Field::Listener => conn.listener().map_or(Value::Missing, Value::Text),
            Field::Mode => Value::Text(conn.origin().mode.word()),
            Field::State => Value::Text(conn.state().word()),
            Field::Ip => self.client().map_or(Value::Missing, |client| Value::Ip(client.ip())),
            Field::Port => self.client().map_or(Value::Missing, |client| Value::Int(client.port().into())),
            Field::Client => self.client().map_or(Value::Missing, Value::Address),
            Field::Local => Value::Address(conn.local()),
            Field::LocalIp => Value::Ip(conn.local().ip()),
            Field::LocalPort => Value::Int(conn.local().port().into()),
            Field::Upstream => self.upstream().map_or(Value::Missing, Value::Address),
            Field::UpstreamIp => self.upstream().map_or(Value::Missing, |address| Value::Ip(address.ip())),
            Field::UpstreamPort => {
                self.upstream().map_or(Value::Missing, |address| Value::Int(address.port().into()))
            }
            Field::OpenedAt => Value::Time(conn.opened_wall_ms()),
            Field::Age => Value::Duration(conn.age_ms(self.now_ms) * 1000),
            Field::Idle => Value::Duration(conn.idle_ms(self.now_ms) * 1000),
            Field::IdlePercent => Value::Float(self.idle_percent()),
            Field::ToUpstreamBytes => Value::Size(conn.to_upstream_bytes()),
            Field::ToClientBytes => Value::Size(conn.to_client_bytes()),
            Field::Bytes => Value::Size(conn.to_upstream_bytes() + conn.to_client_bytes()),
            Field::ToUpstreamRate => Value::Float(self.rate(conn.to_upstream_bytes())),
            Field::ToClientRate => Value::Float(self.rate(conn.to_client_bytes())),
            Field::Thread => Value::Int(conn.thread().into()),
            _ => self.kernel_value(field).unwrap_or(Value::Missing),
        }
    }

    fn tag(&self, key: &str) -> Option<&str> {
        self.labels().tags.as_deref()?.get(key).map(String::as_str)
    }
}

/// The names of connections that a selector asks for one by one and that are not among `found`.
pub fn missing(selector: &Selector, found: &[Arc<Conn>]) -> Vec<ConnId> {
    let mut named: Vec<_> =
        selector.named_ids().unwrap_or_default().into_iter().filter_map(|id| ConnId::new(id).ok()).collect();
    named.sort_unstable();
    named.dedup();
    named.retain(|id| found.binary_search_by_key(id, |conn| conn.id()).is_err());
    named
}
