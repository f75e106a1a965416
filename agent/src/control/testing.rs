//! A whole small agent for tests of this room: real listeners and relay threads, and the router without a
//! control socket before it.

use std::net::{SocketAddr, TcpStream};
use std::sync::Arc;
use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, Request};
use connctl_api::conn::Mode;
use connctl_api::id::NodeId;
use connctl_api::instant::Instant;
use hyper::service::Service;
use hyper_util::service::TowerToHyperService;
use tokio::sync::watch;

use super::doors::Doors;
use super::transport::Transport;
use super::{App, Stop};
use crate::base::actor::Peer;
use crate::base::clock;
use crate::base::state_dir::Ids;
use crate::config::settings::DEFAULT_PLAN_LIFETIME;
use crate::config::{Compat, ListenerSettings, RecordSettings, Settings};
use crate::listener::{self, Inside, Listeners};
use crate::ops::job::Jobs;
use crate::ops::plan::Plans;
use crate::ops::source::Source;
use crate::ops::trust::Trust;
use crate::ops::{Node, Parts};
use crate::outbound::{self, Outbound};
use crate::policy::admission::Admission;
use crate::policy::book::Book;
use crate::policy::revoke::Revocations;
use crate::record::Record;
use crate::record::stats::Stats;
use crate::registry::Registry;
use crate::relay::{Budget, Pool, Shared};

/// The node's id in these tests.
pub(super) const NODE_ID: u64 = 7;

/// The agent; its threads end with it.
pub(super) struct Agent {
    node: Arc<Node>,
    doors: Doors,
    _stop: watch::Sender<bool>,
}

/// An answer.
#[derive(Debug)]
pub(super) struct Answer {
    pub(super) status: u16,
    pub(super) headers: HeaderMap,
    pub(super) text: String,
}

impl Answer {
    pub(super) fn json(&self) -> serde_json::Value {
        serde_json::from_str(&self.text).unwrap()
    }
}

impl Agent {
    /// An agent with these `echo` listeners.
    pub(super) fn start(compat: Compat, listeners: &[&str]) -> Self {
        Self::start_with(settings(compat, listeners))
    }

    /// An agent with these settings.
    pub(super) fn start_with(settings: Settings) -> Self {
        let settings = Arc::new(settings);
        let (registry, stats) = (Arc::new(Registry::default()), Arc::new(Stats::default()));
        let descriptors = Arc::new(Budget::new(1_000));
        let revocations = Arc::new(Revocations::open(None, Instant(0)).unwrap());
        let record = Arc::new(Record::open(&settings.record, None).unwrap());
        let shared = Shared {
            registry: Arc::clone(&registry),
            revocations: Arc::clone(&revocations),
            stats: Arc::clone(&stats),
            record: Arc::clone(&record),
            resolver: tokio::runtime::Handle::current(),
            descriptors: Arc::clone(&descriptors),
            pipes: 1,
        };
        let pool = Arc::new(Pool::start(1, &shared).unwrap());
        let ids = Arc::new(Ids::open(None).unwrap());
        let admission = Arc::new(Admission::default());
        let inside = Inside {
            pool: Arc::clone(&pool),
            ids: Arc::clone(&ids),
            registry: Arc::clone(&registry),
            revocations: Arc::clone(&revocations),
            admission,
            stats: Arc::clone(&stats),
            descriptors: Arc::clone(&descriptors),
        };
        let own = outbound::Inside { pool: Arc::clone(&pool), ids, stats: Arc::clone(&stats), descriptors };
        let bound = listener::bind(&settings.listeners, 0).unwrap();
        let trust = Trust::new(&settings.trust);
        let node = Arc::new(Node::new(Parts {
            listeners: Listeners::start(bound, inside).unwrap(),
            levels: crate::base::log::Levels::fixed(),
            source: Source::new(Arc::clone(&settings), None),
            book: Book::new(&settings),
            outbound: Outbound::new(own, &settings.outbound),
            settings,
            everyone: registry,
            trust,
            audit: None,
            revocations,
            stats,
            record,
            pool,
            plans: Plans::open(None, DEFAULT_PLAN_LIFETIME),
            jobs: Jobs::open(None),
            control: Vec::new(),
            started_wall_ms: clock::wall_ms(),
            started_ms: clock::now_ms(),
        }));
        let (stop, stopped) = watch::channel(false);
        let doors = Doors::new(App { node: Arc::clone(&node), stop: Stop(stopped) });
        Self { node, doors, _stop: stop }
    }

    /// One request over the unix socket, as it were.
    pub(super) async fn ask(&self, method: &str, path: &str, body: &str) -> Answer {
        self.ask_with(method, path, &[], body).await
    }

    /// The same with these header fields.
    pub(super) async fn ask_with(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: &str,
    ) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let transport = Transport::Unix { peer: Peer { uid: 1, gid: 1, pid: None }, own: 1 };
        self.send(request.body(Body::from(body.to_owned())).unwrap(), transport).await
    }

    /// One request over TCP.
    pub(super) async fn ask_over_tcp(&self, method: &str, path: &str, headers: &[(&str, &str)]) -> Answer {
        let mut request = Request::builder().method(method).uri(path);
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        let address = SocketAddr::from(([127, 0, 0, 1], 5001));
        let transport = Transport::Tcp { local: address, peer: address };
        self.send(request.body(Body::empty()).unwrap(), transport).await
    }

    async fn send(&self, mut request: Request<Body>, transport: Transport) -> Answer {
        let (router, _) = self.doors.open(&mut request, transport);
        let response = TowerToHyperService::new(router).call(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = to_bytes(body, usize::MAX).await.unwrap();
        let text = String::from_utf8(bytes.to_vec()).unwrap();
        Answer { status: parts.status.as_u16(), headers: parts.headers, text }
    }

    /// Where the listener at this place is.
    pub(super) fn address(&self, index: usize) -> SocketAddr {
        self.node.listeners.places()[index].address
    }

    /// A client of the listener at this place, whether it is let in or not.
    pub(super) fn dial(&self, index: usize) -> TcpStream {
        let stream = TcpStream::connect(self.address(index)).unwrap();
        stream.set_read_timeout(Some(Duration::from_secs(60))).unwrap();
        stream
    }

    /// A client of the listener at this place, its port and its `conn_id`, once it is listed.
    pub(super) async fn client(&self, index: usize) -> (TcpStream, u16, u64) {
        let stream = self.dial(index);
        let local = stream.local_addr().unwrap();
        for _ in 0..6_000 {
            // Its own address alone does not tell: the kernel may give it to a client of another listener too.
            let is_it = |conn: &Arc<crate::registry::Conn>| {
                conn.peer() == local && conn.local() == self.address(index)
            };
            let found = self.node.registry.all().into_iter().find(is_it);
            if let Some(conn) = found {
                return (stream, local.port(), conn.id().get());
            }
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
        panic!("the client was never listed");
    }
}

impl Drop for Agent {
    fn drop(&mut self) {
        self.node.pool.stop();
    }
}

/// Settings with these `echo` listeners.
pub(super) fn settings(compat: Compat, listeners: &[&str]) -> Settings {
    let listener = |name: &&str| ListenerSettings {
        name: (*name).to_owned(),
        mode: Mode::Echo,
        bind: SocketAddr::from(([127, 0, 0, 1], 0)),
        upstream: Vec::new(),
        dial_timeout: Duration::from_secs(1),
        backlog: 64,
        nodelay: true,
        keepalive: None,
        accept_proxy_from: Vec::new(),
        proxy_timeout: Duration::from_secs(1),
        send_proxy: None,
        identity: Vec::new(),
        networks: Default::default(),
        keys: crate::config::Keys::default(),
        policies: crate::config::Policies::default(),
        reconnect: crate::config::Reconnection::default(),
    };
    Settings {
        node_id: NodeId::new(NODE_ID).unwrap(),
        control: Vec::new(),
        state_dir: None,
        compat,
        threads: 1,
        log: None,
        log_format: Default::default(),
        shutdown_grace: Duration::ZERO,
        max_connections: None,
        plan_lifetime: DEFAULT_PLAN_LIFETIME,
        record: RecordSettings::default(),
        audit: None,
        trust: crate::config::trust::TrustSettings::default(),
        listeners: listeners.iter().map(listener).collect(),
        outbound: crate::config::OutboundSettings {
            idle_timeout: None,
            idle_check_interval: None,
            dial_timeout: Duration::from_secs(1),
            max_sessions: 4,
        },
    }
}
