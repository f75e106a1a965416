//! What the registry costs with 100,000 connections in it: coming, leaving, looking up, listing; and what a
//! selector costs among a million.
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use connctl_agent::ops::select::{self, View};
use connctl_agent::registry::conn::{Birth, Origin};
use connctl_agent::registry::{Conn, Registry};
use connctl_api::conn::Mode;
use connctl_api::id::{ConnId, NodeId};
use connctl_api::selector::Selector;
use divan::{Bencher, black_box};
use ipnet::IpNet;

const CONNECTIONS: u32 = 100_000;
/// Connections of one user, and of one client address.
const SHARE: u32 = 4;
const TIME: Duration = Duration::from_secs(1);
/// As many as an answer of 150 ms is promised for.
const MANY: u32 = 1_000_000;
/// What looks at each of them.
const SCANS: &[&str] = &[
    "all",
    "uid ~ \"7$\"",
    "to_client_bytes >= 1KiB or uid = u7",
    "not listener = redis",
    "idle > 10m and age > 1h and mode = forward",
    "tag.team = red or device = phone",
    "upstream_ip = 127.0.0.1 or port in (1, 2, 3)",
];
/// What an index answers: four each, and a network of 64.
const LOOKUPS: &[&str] = &[
    "uid = u77777",
    "conn_id in (500000, 7)",
    "ip = 10.0.9.9",
    "uid in (u1, u2) and age < 1h",
    "ip in 10.0.9.0/28",
];

fn main() {
    divan::main();
}

fn id(number: u32) -> ConnId {
    ConnId::new(u64::from(number) + 1).unwrap_or_else(|error| panic!("{error}"))
}

fn ip(number: u32) -> Ipv4Addr {
    Ipv4Addr::from(0x0a00_0000 + number / SHARE)
}

fn conn(origin: &Arc<Origin>, number: u32) -> Arc<Conn> {
    let address = |ip| SocketAddr::new(IpAddr::V4(ip), 6379);
    Arc::new(Conn::new(Birth {
        id: id(number),
        origin: Arc::clone(origin),
        peer: address(ip(number)),
        local: address(Ipv4Addr::LOCALHOST),
        wall_ms: 1_795_262_400_123,
        now_ms: 5,
        thread: 0,
    }))
}

fn origin() -> Arc<Origin> {
    Arc::new(Origin::new("redis", Mode::Forward, 0))
}

/// 100,000 connections of 25,000 users from 25,000 addresses.
fn full() -> Registry {
    filled(CONNECTIONS)
}

fn filled(connections: u32) -> Registry {
    let (registry, origin) = (Registry::default(), origin());
    for number in 0..connections {
        let conn = conn(&origin, number);
        registry.enter(&conn);
        let uid = format!("u{}", number / SHARE).into_boxed_str();
        registry.assign(&conn, |labels| labels.uid = Some(uid));
    }
    registry
}

/// Numbers that visit all connections in no order.
fn scattered() -> impl Fn() -> u32 + Sync {
    let next = AtomicU64::new(0);
    move || {
        let turn = next.fetch_add(1, Ordering::Relaxed);
        u32::try_from(turn * 7_919 % u64::from(CONNECTIONS)).unwrap_or_default()
    }
}

#[divan::bench(max_time = TIME, sample_count = 100, sample_size = 1_000)]
fn enter_and_leave(bencher: Bencher<'_, '_>) {
    let (registry, new) = (full(), conn(&origin(), CONNECTIONS));
    bencher.bench_local(|| {
        registry.enter(black_box(&new));
        registry.leave(black_box(&new));
    });
}

#[divan::bench(max_time = TIME, sample_count = 100, sample_size = 1_000)]
fn look_up_by_id(bencher: Bencher<'_, '_>) {
    let (registry, number) = (full(), scattered());
    bencher.bench_local(|| registry.get(id(number())));
}

#[divan::bench(max_time = TIME, sample_count = 100, sample_size = 1_000)]
fn look_up_by_uid(bencher: Bencher<'_, '_>) {
    let (registry, number) = (full(), scattered());
    bencher
        .with_inputs(|| [format!("u{}", number() / SHARE)])
        .bench_local_refs(|uids| registry.with_uids(uids.as_slice()));
}

#[divan::bench(max_time = TIME, sample_count = 100, sample_size = 1_000)]
fn look_up_by_ip(bencher: Bencher<'_, '_>) {
    let (registry, number) = (full(), scattered());
    bencher
        .with_inputs(|| [IpNet::from(IpAddr::V4(ip(number())))])
        .bench_local_refs(|nets| registry.with_ips(nets.as_slice()));
}

#[divan::bench(max_time = TIME, sample_count = 20)]
fn list_100_000(bencher: Bencher<'_, '_>) {
    let registry = full();
    bencher.bench_local(|| registry.all());
}

#[divan::bench(max_time = TIME, sample_count = 20)]
fn select_from_100_000(bencher: Bencher<'_, '_>) {
    let registry = full();
    let (selector, node) = (Selector::parse("to_client_bytes >= 1KiB or uid ~ \"^u1.*7$\""), NodeId::new(1));
    let (Ok(selector), Ok(node)) = (selector, node) else {
        panic!("the selector or the node is wrong");
    };
    let all = registry.all();
    bencher.bench_local(|| {
        let matches = |conn: &&Arc<Conn>| selector.matches(&View::new(conn, node, 10, None));
        all.iter().filter(matches).count()
    });
}

/// A million connections of 250,000 users from 250,000 addresses.
fn many() -> &'static Arc<Registry> {
    static REGISTRY: OnceLock<Arc<Registry>> = OnceLock::new();
    REGISTRY.get_or_init(|| Arc::new(filled(MANY)))
}

fn answer(bencher: Bencher<'_, '_>, selector: &str) {
    let (registry, selector, node) = (many(), Selector::parse(selector), NodeId::new(1));
    let (Ok(selector), Ok(node)) = (selector, node) else {
        panic!("the selector or the node is wrong");
    };
    bencher.bench(|| select::matching_now(registry, black_box(&selector), node, 10));
}

#[divan::bench(args = SCANS, max_time = TIME, sample_count = 10, sample_size = 1)]
fn look_at_each_of_a_million(bencher: Bencher<'_, '_>, selector: &str) {
    answer(bencher, selector);
}

#[divan::bench(args = LOOKUPS, max_time = TIME, sample_count = 100, sample_size = 10)]
fn look_up_among_a_million(bencher: Bencher<'_, '_>, selector: &str) {
    answer(bencher, selector);
}
