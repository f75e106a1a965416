//! Everything at once, from a seed: sizes, stalls, half-closes and operations in the middle of transfers, at
//! both speeds of the relay. Every byte is checked; no verdict depends on who was faster.
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use connctl_agent::net::tcp_info;
use serde_json::{Value, json};

use crate::support::pattern::Pattern;
use crate::support::random::Random;
use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Http, Peer, until};

const MIB: u64 = 1024 * 1024;

/// How a connection comes to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fate {
    /// Each end half-closes when it has sent all.
    Free,
    /// Both ends stay until the counters were compared.
    Counted,
    /// The operator does this, in the middle.
    Removed(&'static str),
    /// The operator half-closes this side, in the middle.
    Cut(&'static str),
}

const FATES: [Fate; 8] = [
    Fate::Free,
    Fate::Counted,
    Fate::Removed("close"),
    Fate::Cut("client"),
    Fate::Free,
    Fate::Counted,
    Fate::Removed("reset"),
    Fate::Cut("upstream"),
];

/// How much one end sends.
enum Amount {
    /// So much, and then its FIN.
    Bytes(u64),
    /// So much, and no FIN.
    BytesOnly(u64),
    /// Until it is told to stop, and then its FIN; or until it cannot.
    Until(Arc<AtomicBool>),
}

/// Sends; gives the most that can have been sent, and whether it was stopped by an error.
fn write(peer: &Peer, from: u64, amount: &Amount, so_far: &AtomicU64, random: &mut Random) -> (u64, bool) {
    let mut pattern = Pattern::at(from);
    // Some streams are of small messages only, others have up to 2 MiB at once.
    let power = 12 + random.below(10);
    loop {
        let done = pattern.offset() - from;
        let left = match amount {
            Amount::Bytes(all) | Amount::BytesOnly(all) => all - done,
            Amount::Until(stop) => u64::from(!stop.load(Ordering::SeqCst)) * u64::MAX,
        };
        if left == 0 {
            break;
        }
        let size = random.size(power).min(left);
        if pattern.write(&mut peer.stream(), size).is_err() {
            return (done + size, true);
        }
        so_far.store(done + size, Ordering::SeqCst);
        random.stall();
    }
    if !matches!(amount, Amount::BytesOnly(_)) {
        // Who was reset meanwhile has nothing to end.
        let _ = peer.stream().shutdown(std::net::Shutdown::Write);
    }
    (pattern.offset() - from, false)
}

/// Reads so many bytes, or to the end; gives how many there were.
fn read(peer: &mut Peer, from: u64, exactly: Option<u64>, random: &mut Random) -> (u64, Option<End>) {
    let mut pattern = Pattern::at(from);
    let mut chunk = vec![0; 256 * 1024];
    loop {
        let done = pattern.offset() - from;
        let most = random.size(18).min(chunk.len() as u64).min(exactly.map_or(u64::MAX, |all| all - done));
        if most == 0 {
            return (done, None);
        }
        let most = usize::try_from(most).unwrap();
        match peer.read_some(&mut chunk[..most]) {
            Ok(0) => return (done, Some(End::Fin)),
            Ok(count) => pattern.check(&chunk[..count]),
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {
                return (done, Some(End::Reset));
            }
            Err(error) => panic!("neither bytes nor an end but {error}, after {done} bytes"),
        }
        random.stall();
    }
}

/// One way's end: what was sent at most, whether sending failed, what was read, and how that ended.
#[derive(Debug)]
struct Passed {
    sent: u64,
    failed: bool,
    read: u64,
    end: Option<End>,
}

/// One way: a writer and a reader on threads of their own.
struct Stream {
    source: Peer,
    so_far: Arc<AtomicU64>,
    writer: std::thread::JoinHandle<(u64, bool)>,
    reader: std::thread::JoinHandle<(u64, Option<End>)>,
}

impl Stream {
    fn start(source: &Peer, target: &Peer, from: u64, amount: Amount, random: &mut Random) -> Self {
        let so_far = Arc::new(AtomicU64::new(0));
        let (own, sender, mut target) = (Arc::clone(&so_far), source.another(), target.another());
        let (mut writes, mut reads) = (random.split(), random.split());
        let exactly = if let Amount::BytesOnly(all) = amount { Some(all) } else { None };
        let writer = std::thread::spawn(move || write(&sender, from, &amount, &own, &mut writes));
        let reader = std::thread::spawn(move || read(&mut target, from, exactly, &mut reads));
        Self { source: source.another(), so_far, writer, reader }
    }

    /// How much the agent's kernel has acknowledged at least, be it read by the agent or not.
    fn accepted(&self) -> u64 {
        let sent = self.so_far.load(Ordering::SeqCst);
        sent.saturating_sub(tcp_info::send_queue(self.source.stream()))
    }

    fn join(self) -> Passed {
        let (sent, failed) = self.writer.join().expect("the writer");
        let (read, end) = self.reader.join().expect("the reader");
        Passed { sent, failed, read, end }
    }
}

/// The operator of one connection.
struct Operator {
    http: Http,
    id: u64,
}

impl Operator {
    fn asks(&self, operation: &str, side: &str) -> Value {
        let request = json!({
            "operation": operation, "side": side, "grace_ms": 15_000, "items": [{ "conn_id": self.id }],
        });
        self.http.post("/v1/operations", &request).is(200).json_lines().remove(0)
    }

    /// Pauses and resumes, at random, and leaves it resumed.
    fn meddles(&self, random: &mut Random) {
        for _ in 0..random.below(4) {
            self.asks("pause", ["client", "upstream", "both"][usize::try_from(random.below(3)).unwrap()]);
            std::thread::sleep(Duration::from_micros(random.below(20_000)));
            self.asks("resume", "both");
        }
    }

    /// The bytes counted both ways, once they are at least these.
    fn counted(&self, to_upstream: u64, to_client: u64) -> (u64, u64) {
        until(&format!("{to_upstream} and {to_client} bytes are counted"), || {
            let row = self.http.get(&format!("/v1/connections/{}", self.id)).is(200).json();
            let of = |key: &str| row[key].as_u64().unwrap_or_else(|| panic!("no {key} in {row}"));
            let now = (of("to_upstream_bytes"), of("to_client_bytes"));
            (now.0 >= to_upstream && now.1 >= to_client).then_some(now)
        })
    }
}

/// A connection's whole life.
struct Life {
    fate: Fate,
    client: Peer,
    server: Peer,
    operator: Operator,
    random: Random,
}

impl Life {
    fn live(mut self) {
        match self.fate {
            Fate::Free => self.free(),
            Fate::Counted => self.counted(),
            Fate::Removed(operation) => self.removed(operation),
            Fate::Cut(side) => self.cut(side),
        }
    }

    fn streams(&mut self, up: Amount, down: Amount) -> (Stream, Stream, u64) {
        let from = self.random.below(1 << 30);
        let to_upstream = Stream::start(&self.client, &self.server, from, up, &mut self.random);
        let to_client = Stream::start(&self.server, &self.client, from + 12_345, down, &mut self.random);
        (to_upstream, to_client, from)
    }

    fn free(&mut self) {
        let (up, down) = (self.random.below(6 * MIB), self.random.below(6 * MIB));
        let (to_upstream, to_client, _) = self.streams(Amount::Bytes(up), Amount::Bytes(down));
        self.operator.meddles(&mut self.random);
        for (passed, sent) in [(to_upstream.join(), up), (to_client.join(), down)] {
            assert_eq!((passed.read, passed.end, passed.failed), (sent, Some(End::Fin), false));
        }
    }

    fn counted(&mut self) {
        let (up, down) = (self.random.below(6 * MIB), self.random.below(6 * MIB));
        let (to_upstream, to_client, _) = self.streams(Amount::BytesOnly(up), Amount::BytesOnly(down));
        self.operator.meddles(&mut self.random);
        for (passed, sent) in [(to_upstream.join(), up), (to_client.join(), down)] {
            assert_eq!((passed.read, passed.end, passed.failed), (sent, None, false));
        }
        assert_eq!(self.operator.counted(up, down), (up, down));
        let (first, second) = if self.random.below(2) == 0 {
            (&mut self.client, &mut self.server)
        } else {
            (&mut self.server, &mut self.client)
        };
        first.half_close();
        second.ends_with(End::Fin);
        second.half_close();
        first.ends_with(End::Fin);
    }

    fn removed(&mut self, operation: &str) {
        let never = Arc::new(AtomicBool::new(false));
        let (to_upstream, to_client, _) =
            self.streams(Amount::Until(Arc::clone(&never)), Amount::Until(never));
        self.operator.meddles(&mut self.random);
        let (up, down) = (self.random.below(3 * MIB), self.random.below(3 * MIB));
        let counted = self.operator.counted(up, down);
        let before = (counted.0.max(to_upstream.accepted()), counted.1.max(to_client.accepted()));
        let item = self.operator.asks(operation, "both");
        assert_eq!(item["status"], "done", "{item}");
        for (passed, before) in [(to_upstream.join(), before.0), (to_client.join(), before.1)] {
            assert!(passed.failed && passed.read <= passed.sent, "{passed:?} {item}");
            if operation == "close" {
                assert!(passed.read >= before, "{before} were accepted: {passed:?} {item}");
            }
        }
        for side in ["client", "upstream"] {
            let wire = &item["wire"][side];
            match operation {
                "close" => assert_eq!((&wire["fin_sent"], &wire["dropped_bytes"]), (&json!(true), &json!(0))),
                _ => assert_eq!(wire["rst_sent"], true, "{item}"),
            }
        }
    }

    /// The way into the side is cut; the other one goes on to its end.
    fn cut(&mut self, side: &str) {
        let stop = Arc::new(AtomicBool::new(false));
        let whole = self.random.below(6 * MIB);
        let endless = Amount::Until(Arc::clone(&stop));
        let (cut, other) = if side == "client" {
            let (to_upstream, to_client, _) = self.streams(Amount::Bytes(whole), endless);
            (to_client, to_upstream)
        } else {
            let (to_upstream, to_client, _) = self.streams(endless, Amount::Bytes(whole));
            (to_upstream, to_client)
        };
        self.operator.meddles(&mut self.random);
        let least = self.random.below(3 * MIB);
        let counted = if side == "client" {
            self.operator.counted(0, least).1
        } else {
            self.operator.counted(least, 0).0
        };
        let before = counted.max(cut.accepted());
        let item = self.operator.asks("halfclose", side);
        assert_eq!(item["status"], "done", "{item}");
        stop.store(true, Ordering::SeqCst);
        let (cut, other) = (cut.join(), other.join());
        assert_eq!((cut.end, cut.failed), (Some(End::Fin), false), "{cut:?} {item}");
        assert!(before <= cut.read && cut.read <= cut.sent, "{before} were accepted: {cut:?} {item}");
        assert_eq!((other.read, other.end, other.failed), (whole, Some(End::Fin), false), "{item}");
    }
}

fn storm(seed: u64, lives: u64) {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let sockets = agent.open_of("socket:");
    let begun: Vec<_> = (0..lives)
        .map(|number| {
            // Half of the clients take little at once, so that much is held on the way.
            let client = if number % 16 < 8 {
                Peer::connect(agent.only())
            } else {
                Peer::with_small_window(agent.only())
            };
            let server = upstream.accept();
            let operator = Operator { http: agent.http(), id: agent.id(&client) };
            let fate = FATES[usize::try_from(number % 8).unwrap()];
            let life = Life { fate, client, server, operator, random: Random::new(seed, number) };
            (number, fate, std::thread::spawn(move || life.live()))
        })
        .collect();
    let failed = begun.into_iter().filter_map(|(number, fate, life)| {
        let why = life.join().err()?;
        let text = why.downcast_ref::<String>().cloned();
        Some((number, fate, text.or_else(|| why.downcast_ref::<&str>().map(|text| (*text).to_owned()))))
    });
    let failed: Vec<_> = failed.collect();
    assert!(failed.is_empty(), "seed {seed}: {failed:?}");
    agent.settled(0);
    let removed = lives / 8;
    for (reason, count) in
        [("operator_close", removed), ("operator_reset", removed), ("operator_halfclose", 2 * removed)]
    {
        for side in ["client", "upstream"] {
            assert_eq!(agent.count_of(side, reason), count, "seed {seed}, {reason}: {:?}", agent.endings());
        }
    }
    for side in ["client", "upstream"] {
        let whole = agent.count_of(side, "normal") + agent.count_of(side, "closed_upstream");
        assert_eq!((whole, agent.ended(side)), (4 * removed, lives), "seed {seed}: {:?}", agent.endings());
    }
    until("its sockets are closed", || (agent.open_of("socket:") <= sockets).then_some(()));
    assert!(!agent.log().contains("panicked"), "seed {seed}: {}", agent.log());
}

#[test]
fn no_byte_is_lost_or_doubled_whatever_is_done_in_the_middle_of_transfers() {
    for seed in 1..=3 {
        storm(seed, 16);
    }
}

#[test]
fn no_byte_is_lost_when_there_are_more_bulk_transfers_than_pipes() {
    const TRANSFERS: u64 = 100;
    const BYTES: u64 = 3 * MIB;
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let (sockets, pipes) = (agent.open_of("socket:"), agent.open_of("pipe:"));
    let pairs: Vec<_> = (0..TRANSFERS)
        .map(|number| {
            let client = Peer::with_small_window(agent.only());
            let server = upstream.accept();
            let mut sender = server.another();
            let writer = std::thread::spawn(move || {
                Pattern::at(number).write(&mut sender.stream(), BYTES).unwrap();
                sender.stream().flush().unwrap();
                sender.half_close();
                sender.ends_with(End::Fin);
            });
            (number, client, server, writer)
        })
        .collect();
    // Nobody reads until all are under way, so that each holds what its client does not take.
    until("all transfers are under way", || {
        let rows = agent.connections();
        rows.iter().all(|row| row["to_client_bytes"].as_u64() > Some(64 * 1024)).then_some(())
    });
    let held = agent.open_of("pipe:") - pipes;
    assert!(held <= 2 * 64, "{held} descriptors of pipes");
    let readers: Vec<_> = pairs
        .into_iter()
        .map(|(number, mut client, server, writer)| {
            std::thread::spawn(move || {
                let (read, end) = read(&mut client, number, None, &mut Random::new(4, number));
                assert_eq!((read, end), (BYTES, Some(End::Fin)), "transfer {number}");
                client.half_close();
                writer.join().expect("the writer");
                drop(server);
            })
        })
        .collect();
    for reader in readers {
        reader.join().expect("a reader");
    }
    agent.settled(0);
    assert_eq!((agent.ended("client"), agent.ended("upstream")), (TRANSFERS, TRANSFERS));
    until("its sockets are closed", || (agent.open_of("socket:") <= sockets).then_some(()));
}
