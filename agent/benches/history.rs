//! What it costs to write an ending down, and to look through a million of them in memory and on disk.
use std::io::Write;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use connctl_agent::config::RecordSettings;
use connctl_agent::ops;
use connctl_agent::record::Record;
use connctl_agent::record::asked::Asked;
use connctl_agent::record::entry::{End, Facts, Happening};
use connctl_api::conn::Mode;
use connctl_api::end::{Cause, Initiator, Reason, SideWire, Wire};
use connctl_api::event::EventKind;
use connctl_api::history::HistoryQuery;
use connctl_api::id::NodeId;
use divan::{Bencher, black_box};

const ROWS: u64 = 1_000_000;
/// Connections of one user, and of one client address.
const SHARE: u64 = 4;
const TIME: Duration = Duration::from_secs(3);
const SELECTORS: &[&str] = &[
    "all",
    "uid = u77777",
    "ip in 10.0.0.0/24 and bytes > 1KiB",
    "reason = evicted or tag.team = red",
    "uid ~ \"9$\"",
    "conn_id = 500000",
];

fn main() {
    let record = open(100_000, None);
    (0..100_000).for_each(|number| end(&record, number, None));
    let (bytes, events) = (record.history.bytes(), record.events.bytes());
    say(&format!("100,000 endings: {bytes} bytes in memory; the events beside them: {events}"));
    divan::main();
    if let Some((_, path)) = ON_DISK.get() {
        say(&format!("1,000,000 endings: {:?} bytes on disk", path.metadata().map(|file| file.len())));
        let _ = std::fs::remove_file(path);
    }
}

fn say(text: &str) {
    let _ = writeln!(std::io::stderr(), "{text}");
}

fn open(history_size: u64, file: Option<PathBuf>) -> Arc<Record> {
    let settings = RecordSettings { history_size, history_stored: 2 * ROWS, ..RecordSettings::default() };
    Arc::new(Record::open(&settings, file).unwrap_or_else(|error| panic!("{error:#}")))
}

fn end(record: &Record, number: u64, asked: Option<&Asked>) {
    let uid = format!("u{}", number / SHARE);
    let ip = Ipv4Addr::from(0x0a00_0000 + u32::try_from(number / SHARE).unwrap_or_default());
    let wire = SideWire { fin_sent: true, fin_acked: true, ..SideWire::default() };
    let (reason, initiator) = match number % 100 {
        0 => (Reason::Evicted, Initiator::Policy),
        _ => (Reason::OperatorClose, Initiator::Operator),
    };
    let happening = Happening {
        conn: Some(Facts {
            conn_id: number + 1,
            uid: Some(&uid),
            device: None,
            tags: None,
            mode: Mode::Forward,
            client: Some((ip, 40_000).into()),
            local: (Ipv4Addr::LOCALHOST, 6_379).into(),
            upstream: Some((Ipv4Addr::LOCALHOST, 6_380).into()),
            opened_wall_ms: 1_795_262_400_123,
            age_ms: 4_200,
            idle_ms: 310,
            to_upstream_bytes: number,
            to_client_bytes: 812,
            thread: 0,
        }),
        end: Some(End {
            cause: Cause { reason, initiator, side: None },
            wire: Wire::of(Some(wire), Some(wire)),
        }),
        listener: Some("redis"),
        ..Happening::new(EventKind::Ended, 1_795_262_404_323)
    };
    record.tell(black_box(&happening), asked);
}

static ON_DISK: OnceLock<(Arc<Record>, PathBuf)> = OnceLock::new();

/// A million endings on disk, and none in memory.
fn on_disk() -> Arc<Record> {
    let filled = ON_DISK.get_or_init(|| {
        let path = std::env::temp_dir().join(format!("connctl-bench-{}.redb", std::process::id()));
        let record = open(ROWS, Some(path.clone()));
        (0..ROWS).for_each(|number| end(&record, number, None));
        record.close();
        drop(record);
        (open(1, Some(path.clone())), path)
    });
    Arc::clone(&filled.0)
}

/// A million endings in memory.
fn in_memory() -> Arc<Record> {
    static RECORD: OnceLock<Arc<Record>> = OnceLock::new();
    let fill = || {
        let record = open(ROWS, None);
        (0..ROWS).for_each(|number| end(&record, number, None));
        record
    };
    Arc::clone(RECORD.get_or_init(fill))
}

fn look(record: &Arc<Record>, selector: &str) {
    let query = HistoryQuery { selector: Some(selector.to_owned()), ..HistoryQuery::default() };
    let node_id = NodeId::new(1).unwrap_or_else(|error| panic!("{error}"));
    let report = ops::history::count(record, node_id, &query).unwrap_or_else(|error| panic!("{error}"));
    let whole = selector != "all" || report.count == ROWS;
    assert!(whole && (report.count > 0 || selector.contains("KiB")), "{selector}: {}", report.count);
}

#[divan::bench(max_time = TIME, sample_count = 100, sample_size = 1_000)]
fn write_an_ending_down(bencher: Bencher<'_, '_>) {
    let record = open(100_000, None);
    let mut number = 0;
    bencher.bench_local(|| {
        number += 1;
        end(&record, number, None);
    });
}

#[divan::bench(max_time = TIME, sample_count = 100, sample_size = 1_000)]
fn write_an_ending_down_that_was_asked_for(bencher: Bencher<'_, '_>) {
    let (record, mut number) = (open(100_000, None), 0);
    let asked = Asked::new("alice", "close where uid = \"bob\"", Some("too loud"));
    bencher.bench_local(|| {
        number += 1;
        end(&record, number, Some(&asked));
    });
}

#[divan::bench(max_time = TIME, sample_count = 100, sample_size = 100, threads = [2])]
fn write_endings_down_on_two_threads(bencher: Bencher<'_, '_>) {
    let record = open(100_000, None);
    bencher.bench(|| end(&record, 7, None));
}

#[divan::bench(args = SELECTORS, max_time = TIME, sample_count = 5, sample_size = 1)]
fn look_through_a_million_in_memory(bencher: Bencher<'_, '_>, selector: &str) {
    let record = in_memory();
    bencher.bench(|| look(&record, selector));
}

#[divan::bench(args = SELECTORS, max_time = TIME, sample_count = 5, sample_size = 1)]
fn look_through_a_million_on_disk(bencher: Bencher<'_, '_>, selector: &str) {
    let record = on_disk();
    bencher.bench(|| look(&record, selector));
}
