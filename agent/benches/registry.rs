//! What the registry costs with 100,000 connections in it: coming, leaving, looking up, listing.
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use connctl_agent::ops::select::View;
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
    let (registry, origin) = (Registry::default(), origin());
    for number in 0..CONNECTIONS {
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
