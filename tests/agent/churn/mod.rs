//! Everything that comes, goes and breaks, at random and at once, for as long as is wanted: clients with each way
//! of leaving, operators with every verb, upstreams that restart, files and sockets that are taken away. At the
//! end nothing is left over, every ending was counted once, and who was not meddled with lost nothing.
//!
//! A few seconds in the suite; `tests/soak --minutes 30` for longer.
mod clients;
mod operators;
mod upstream;

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::json;

use self::upstream::Restarting;
use crate::support::random::Random;
use crate::support::upstream::Upstream;
use crate::support::{Agent, Setup, tell, until};

const CLIENTS: u64 = 24;
const OPERATORS: u64 = 3;
/// How long it goes on in the suite, and how long where `CONNCTL_SOAK_SECONDS` says so.
const SECONDS: u64 = 5;
/// The agent keeps this many bulk pipes at most, of two descriptors each.
const PIPE_DESCRIPTORS: usize = 2 * 64;

/// What was done, for the last line.
#[derive(Debug, Default)]
struct Figures {
    connections: AtomicU64,
    refused: AtomicU64,
    whole: AtomicU64,
    cut: AtomicU64,
    bytes: AtomicU64,
    operations: AtomicU64,
    faults: AtomicU64,
}

fn add(figure: &AtomicU64, count: u64) {
    figure.fetch_add(count, Ordering::Relaxed);
}

/// What all threads share.
struct Stage {
    agent: Agent,
    front: Restarting,
    figures: Figures,
    is_over: AtomicBool,
}

impl Stage {
    fn goes_on(&self) -> bool {
        !self.is_over.load(Ordering::SeqCst)
    }
}

/// Listeners that are meddled with, and `calm`, which nobody touches.
fn set_up(front: &Restarting, calm: &Upstream) -> Agent {
    let listener = |name: &str, mode: &str, upstream: String| {
        format!("[[listener]]\nname = '{name}'\nmode = '{mode}'\nbind = '127.0.0.1:0'\n{upstream}\n")
    };
    let to = |upstream: std::net::SocketAddr| format!("upstream = ['{upstream}']");
    let config = listener("front", "forward", to(front.addr()))
        + &listener("echo", "echo", String::new())
        + &listener("hold", "hold", String::new())
        + &listener("calm", "forward", to(calm.addr()));
    let setup = Setup::new().config(config);
    let state = setup.dir().join("state");
    // A line for each ending would be long.
    setup.arg("--state-dir").arg(state).tcp_control().env("CONNCTL_LOG", "warn").start()
}

fn storm(seed: u64, time: Duration) -> Arc<Stage> {
    let (front, calm) = (Restarting::start(), Upstream::echo());
    let agent = set_up(&front, &calm);
    let sockets = agent.open_of("socket:");
    let pipes = agent.open_of("pipe:");
    let (figures, is_over) = (Figures::default(), AtomicBool::new(false));
    let stage = Arc::new(Stage { agent, front, figures, is_over });
    let mut threads = Vec::new();
    for number in 0..CLIENTS {
        let (stage, random) = (Arc::clone(&stage), Random::new(seed, number));
        threads.push(std::thread::spawn(move || clients::come_and_go(&stage, random)));
    }
    for number in 0..OPERATORS {
        let (stage, random) = (Arc::clone(&stage), Random::new(seed, 1_000 + number));
        threads.push(std::thread::spawn(move || operators::work(&stage, random)));
    }
    let (own, random) = (Arc::clone(&stage), Random::new(seed, 2_000));
    threads.push(std::thread::spawn(move || operators::break_things(&own, random)));

    let end = Instant::now() + time;
    // A thread that has ended early has failed, and waiting for the rest of the time shows nothing more.
    while Instant::now() < end && threads.iter().all(|thread| !thread.is_finished()) {
        std::thread::sleep(Duration::from_millis(20));
    }
    stage.is_over.store(true, Ordering::SeqCst);
    let failed: Vec<_> = threads.into_iter().filter_map(|thread| thread.join().err()).collect();
    let texts: Vec<_> = failed.iter().map(|why| why.downcast_ref::<String>()).collect();
    assert!(failed.is_empty(), "seed {seed}: {texts:?}\n{}", stage.agent.log());
    nothing_is_left(&stage, (sockets, pipes), seed);
    drop(calm);
    stage
}

fn nothing_is_left(stage: &Stage, (sockets, pipes): (usize, usize), seed: u64) {
    let agent = &stage.agent;
    agent.http().post("/v1/listeners/accept", &json!({})).is(200);
    agent.settled(0);
    until("its sockets are closed", || (agent.open_of("socket:") <= sockets).then_some(()));
    let held = agent.open_of("pipe:").saturating_sub(pipes);
    assert!(held <= PIPE_DESCRIPTORS, "seed {seed}: {held} descriptors of pipes");
    let node = agent.node();
    assert_eq!(node["accepted"], node["ended"], "seed {seed}: {node}");
    let accepted = node["accepted"].as_u64().unwrap();
    assert_eq!(agent.ended("client"), accepted, "seed {seed}: {:?}", agent.endings());
    assert_eq!(agent.count_of("client", "internal"), 0, "seed {seed}: {}", agent.log());
    until("no job is running", || {
        let jobs = agent.http().get("/v1/jobs").is(200).json();
        let is_running = |job: &serde_json::Value| job["state"] == "running" || job["state"] == "paused";
        (!jobs["jobs"].as_array()?.iter().any(is_running)).then_some(())
    });
    let log = agent.log();
    assert!(!log.contains("panicked") && !log.contains("a defect"), "seed {seed}: {log}");
}

#[test]
fn after_a_storm_of_clients_operators_and_faults_nothing_is_left_over_and_nothing_was_lost() {
    let asked = std::env::var("CONNCTL_SOAK_SECONDS").ok();
    let seconds =
        asked.as_deref().map_or(SECONDS, |text| text.parse().expect("CONNCTL_SOAK_SECONDS is a number"));
    // Another storm each time, and its seed in every message.
    let seed = u64::from(std::process::id());
    let stage = storm(seed, Duration::from_secs(seconds));
    let Figures { connections, refused, whole, cut, bytes, operations, faults } = &stage.figures;
    let of = |figure: &AtomicU64| figure.load(Ordering::Relaxed);
    tell(format_args!(
        "soak: seed={seed} seconds={seconds} connections={} refused={} whole={} cut={} operations={} faults={} \
         bytes_checked={} lost=0 left_over=0 memory_kib={}",
        of(connections),
        of(refused),
        of(whole),
        of(cut),
        of(operations),
        of(faults),
        of(bytes),
        stage.agent.memory_kib(),
    ));
    for (what, figure) in
        [("connections", connections), ("whole", whole), ("operations", operations), ("faults", faults)]
    {
        assert!(of(figure) > 0, "the storm had no {what}");
    }
}
