//! An agent that is killed while it writes.
use std::collections::HashSet;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use rustix::process::Signal;
use serde_json::json;

use super::{check, lines, place, rows, setup};
use crate::support::{LIMIT, Peer, until};

/// Callers at once, and how often the agent is killed.
const CALLERS: usize = 4;
const ROUNDS: usize = 4;

#[test]
fn after_a_kill_the_chain_is_intact_and_has_every_change_that_was_answered() {
    let mut agent = setup("audit_file_size = '64KiB'").start();
    let answered = Arc::new(Mutex::new(HashSet::new()));
    for round in 0..ROUNDS {
        let (stop, count) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicUsize::new(0)));
        let callers: Vec<_> = (0..CALLERS)
            .map(|caller| {
                let (http, stop, count) = (agent.http(), Arc::clone(&stop), Arc::clone(&count));
                let answered = Arc::clone(&answered);
                std::thread::spawn(move || {
                    for call in 0.. {
                        let note = format!("{round}-{caller}-{call}-{}", "x".repeat(call % 400));
                        let body =
                            json!({ "operation": "close", "where": "uid = u", "note": note }).to_string();
                        if stop.load(Ordering::Relaxed) || !answers(&http, &body) {
                            return;
                        }
                        answered.lock().unwrap().insert(note);
                        count.fetch_add(1, Ordering::Relaxed);
                    }
                })
            })
            .collect();
        // Later in each round, so that it is killed with other lines on their way.
        let enough = 40 + 37 * round;
        until("some are answered", || (count.load(Ordering::Relaxed) >= enough).then_some(()));
        agent.signal(Signal::KILL);
        agent.waits(LIMIT);
        stop.store(true, Ordering::Relaxed);
        callers.into_iter().for_each(|caller| caller.join().unwrap());
        agent = agent.restart();
        until("it goes on", || (rows(&agent, "?verb=start").len() == round + 2).then_some(()));
    }
    let path = place(&agent);
    assert!(!agent.log().contains("not as it was left"), "{}", agent.log());
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let report = check(&path);
    assert!(report.ok, "{report:?}");
    let lines = lines(&path);
    let noted: HashSet<_> = lines.iter().filter_map(|line| line["note"].as_str()).collect();
    let answered = answered.lock().unwrap();
    assert!(answered.len() >= 40 * ROUNDS);
    assert!(answered.iter().all(|note| noted.contains(note.as_str())), "an answered change is missing");
    assert!(lines.iter().all(|line| line["damage"].is_null()), "a crash is no damage");
}

/// Whether the agent answers this change, as one that is killed does not.
fn answers(http: &crate::support::Http, body: &str) -> bool {
    use std::io::{Read as _, Write as _};
    let crate::support::Http::Unix(path) = http else { panic!("a unix socket") };
    let Ok(mut wire) = std::os::unix::net::UnixStream::connect(path) else { return false };
    wire.set_read_timeout(Some(LIMIT)).unwrap();
    let head = "POST /v1/operations HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n";
    let head = format!("{head}Content-Type: application/json\r\nContent-Length: {}\r\n\r\n", body.len());
    let mut text = String::new();
    let sent = wire.write_all((head + body).as_bytes());
    sent.is_ok() && wire.read_to_string(&mut text).is_ok() && text.contains("summary")
}

#[test]
fn a_line_that_a_crash_cut_off_is_taken_out_and_told() {
    let agent = setup("").start();
    let _client = Peer::connect(agent.only());
    agent.operate(&super::change());
    until("it has ended", || rows(&agent, "?result=open").is_empty().then_some(()));
    let path = place(&agent);
    agent.signal(Signal::KILL);
    let mut agent = agent;
    agent.waits(LIMIT);
    let whole = super::written(&path);
    std::fs::write(&path, format!("{whole}{{\"seq\":4,\"event\":\"ca")).unwrap();
    let mut agent = agent.restart();
    let start = rows(&agent, "?verb=start").remove(0);
    assert_eq!(start["request"]["torn_bytes"], 20, "{start}");
    until("the log tells", || agent.log().contains("cut off the last line").then_some(()));
    assert_eq!(agent.terminate(LIMIT), Some(0));
    assert!(check(&path).ok);
}

#[test]
fn an_end_that_was_taken_away_between_two_agents_leaves_a_hole_that_stays() {
    let mut agent = setup("").start();
    for _ in 0..3 {
        agent.operate(&super::change());
    }
    let path = place(&agent);
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let all = super::written(&path);
    let kept: Vec<_> = all.lines().take(4).collect();
    std::fs::write(&path, kept.join("\n") + "\n").unwrap();
    assert!(!check(&path).ok);
    let mut agent = agent.restart();
    let start = rows(&agent, "?verb=start").remove(0);
    assert!(start["request"]["damage"].as_str().unwrap().contains("missing"), "{start}");
    agent.operate(&super::change());
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let report = check(&path);
    assert!(report.problems[0].problem.contains("5 to 8 are missing"), "{report:?}");
    assert_eq!(report.problems.len(), 1, "{report:?}");
}
