//! What it costs to find whose a connection is: the first message of real clients, from a new tap to a user
//! that is written down; the same where nobody is found; and the worst that a client can make of it.
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use connctl_agent::config::identity::{Rule, rules};
use connctl_agent::identity::proxy::Header;
use connctl_agent::identity::{self, Miss, Tap};
use connctl_agent::registry::conn::{Birth, Origin};
use connctl_agent::registry::{Conn, Registry};
use connctl_api::conn::Mode;
use connctl_api::id::ConnId;
use divan::counter::BytesCount;
use divan::{Bencher, black_box};

const TIME: Duration = Duration::from_secs(1);

/// Rules and a client's recorded first bytes.
const CLIENTS: [(&str, &str); 12] = [
    ("amqp", "amqp/py-amqp-5.4"),
    ("amqp", "amqp/pika-1.4"),
    ("http:X-User", "http/curl-7.88"),
    ("mqtt", "mqtt/mosquitto_pub-2.0-v311"),
    ("mqtt", "mqtt/paho-2.2-v5"),
    ("mysql", "mysql/mariadb-10.11"),
    ("nats", "nats/nats-py-user"),
    ("postgres", "postgres/psql-15"),
    ("redis", "redis/redis-cli-7.0-resp2"),
    ("redis", "redis/redis-py-8.1-resp3"),
    ("tls-sni", "tls-sni/openssl-3.0"),
    ("wukongim", "wukongim"),
];

fn main() {
    divan::main();
}

fn parsed(words: &[&str]) -> Vec<Rule> {
    let words: Vec<_> = words.iter().map(|word| (*word).to_owned()).collect();
    rules(&words).unwrap_or_else(|error| panic!("{error}"))
}

fn recorded(file: &str) -> Vec<u8> {
    if file == "wukongim" {
        return b"\x10\x24\x04\x01\0\x03d-1\0\x05alice\0\x06s3cret\0\0\0\0\0\0\0\0\0\x03key".to_vec();
    }
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/recorded").join(file);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn conn() -> Arc<Conn> {
    let address = |ip, port| SocketAddr::new(IpAddr::V4(ip), port);
    Arc::new(Conn::new(Birth {
        id: ConnId::new(1).unwrap_or_else(|error| panic!("{error}")),
        origin: Arc::new(Origin::new("front", Mode::Forward, 0)),
        peer: address(Ipv4Addr::new(10, 0, 0, 7), 4711),
        local: address(Ipv4Addr::LOCALHOST, 6379),
        wall_ms: 1_795_262_400_123,
        now_ms: 5,
        thread: 0,
    }))
}

/// A connection that nobody's is yet, its tap, its first message, the user: all that identity does.
#[divan::bench(args = CLIENTS, max_time = TIME, sample_count = 100, sample_size = 200)]
fn identified(bencher: Bencher<'_, '_>, (word, file): (&str, &str)) {
    let (rules, bytes, registry) = (parsed(&[word]), recorded(file), Registry::default());
    bencher
        .with_inputs(|| {
            let conn = conn();
            registry.enter(&conn);
            conn
        })
        .bench_local_refs(|conn| {
            let mut tap = Tap::new(&rules, rules.len()).unwrap_or_else(|| panic!("no tap"));
            match tap.look(&rules, black_box(&bytes)) {
                Ok(found) => identity::assign(&registry, conn, found, None),
                Err(miss) => panic!("{file}: {miss:?}"),
            }
        });
}

/// All rules at once, of which the last one names the user: the most that one message is asked.
#[divan::bench(max_time = TIME, sample_count = 100, sample_size = 200)]
fn all_rules(bencher: Bencher<'_, '_>) {
    let words = [
        "postgres",
        "mysql",
        "nats",
        "mqtt",
        "redis",
        "amqp",
        "wukongim",
        "tls-sni",
        "http:X-No",
        "http:X-User",
    ];
    let (rules, bytes) = (parsed(&words), recorded("http/curl-7.88"));
    bencher.bench_local(|| Tap::new(&rules, rules.len()).map(|mut tap| tap.look(&rules, black_box(&bytes))));
}

/// A PROXY header with a name, an id and a value of the sender's own.
#[divan::bench(max_time = TIME, sample_count = 100, sample_size = 200)]
fn proxy_header(bencher: Bencher<'_, '_>) {
    let mut bytes = b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x23\xc0\0\x02\x07\x7f\0\0\x01\x12\x67\0\x50".to_vec();
    bytes.extend(b"\x02\0\x04h.ex\x05\0\x04id-1\xe4\0\x06tenant");
    bencher.bench_local(|| Header::read(black_box(&bytes)).unwrap_or_else(|miss| panic!("{miss:?}")));
}

/// The worst: a message that stays undecided up to the most that is looked at, byte by byte.
#[divan::bench(args = ["http:X-User", "tls-sni", "nats", "postgres"], max_time = TIME, sample_count = 3, sample_size = 1)]
fn byte_by_byte(bencher: Bencher<'_, '_>, word: &str) {
    let rules = parsed(&[word]);
    let mut bytes = match word {
        "nats" => b"CONNECT {\"".to_vec(),
        "postgres" => b"\0\0\x20\0\0\x03\0\0user\0".to_vec(),
        "tls-sni" => b"\x16\x03\x01\x40\0\x01\0\x3f\xf0\x03\x03".to_vec(),
        _ => b"GET / HTTP/1.1\r\n".to_vec(),
    };
    while bytes.len() < 20_000 {
        bytes.extend(if word.starts_with("http") { &b"a: b\r\n"[..] } else { &b"x\x01"[..] });
    }
    bencher.counter(BytesCount::new(bytes.len())).bench_local(|| {
        let mut tap = Tap::new(&rules, rules.len()).unwrap_or_else(|| panic!("no tap"));
        let looked = bytes.chunks(1).take_while(|byte| tap.look(&rules, byte) == Err(Miss::More)).count();
        black_box(looked)
    });
}
