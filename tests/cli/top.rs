//! `connctl top`: rates, order, and a terminal that is given back however it ends.
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use rustix::process::Signal;
use serde_json::Value;

use crate::pty::Pty;
use crate::support::cli::Connctl;
use crate::support::{Agent, LIMIT, Peer, Setup, until};

/// A client of an echo listener that sends without a pause, until dropped.
struct Busy {
    is_over: Arc<AtomicBool>,
    thread: Option<std::thread::JoinHandle<()>>,
}

impl Busy {
    fn start(mut client: Peer) -> Self {
        let is_over = Arc::new(AtomicBool::new(false));
        let own = Arc::clone(&is_over);
        let thread = std::thread::spawn(move || {
            while !own.load(Ordering::Relaxed) {
                client.send([b'x'; 1_000]);
                client.expect([b'x'; 1_000]);
            }
        });
        Self { is_over, thread: Some(thread) }
    }
}

impl Drop for Busy {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.thread.take().map(std::thread::JoinHandle::join);
    }
}

fn ids(rows: &[Value]) -> Vec<u64> {
    rows.iter().filter_map(|row| row["conn_id"].as_u64()).collect()
}

#[test]
fn who_moves_bytes_now_comes_first_and_who_did_earlier_does_not_count() {
    let agent = Agent::echo();
    let [mut earlier, now] = [Peer::connect(agent.only()), Peer::connect(agent.only())];
    earlier.send([b'x'; 100_000]);
    earlier.expect([b'x'; 100_000]);
    let (quiet, busy) = (agent.id(&earlier), agent.id(&now));
    let _busy = Busy::start(now);
    let own = Connctl::to(&agent);
    // A client that is starved for a whole look says nothing; then there is another look.
    let rows = until("a look at a busy client", || {
        let rows = own.line("top --every 300ms -o jsonl").ok().json_lines();
        rows.first()?["rate"].as_u64().filter(|rate| *rate > 0).map(|_| rows)
    });
    assert_eq!(ids(&rows), [busy, quiet]);
    let [busy, quiet] = rows.as_slice() else { panic!("{rows:?}") };
    assert_eq!(quiet["rate"], 0, "{quiet}");
    assert_eq!(quiet["to_client_bytes"], 100_000);
    let of = |name: &str| busy[name].as_u64().unwrap();
    assert_eq!(of("rate"), of("to_upstream_rate") + of("to_client_rate"), "{busy}");
}

#[test]
fn the_order_and_the_number_of_rows_are_what_was_asked() {
    let agent = Agent::echo();
    let clients: Vec<_> = (0..5).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(5);
    let mut all: Vec<_> = clients.iter().map(|client| agent.id(client)).collect();
    all.sort_unstable();
    let own = Connctl::to(&agent);
    let look = |words: &str| ids(&own.line(&format!("top --every 1ms -o jsonl {words}")).ok().json_lines());
    assert_eq!(look("--sort conn_id"), all);
    assert_eq!(look("--sort -conn_id --limit 2"), [all[4], all[3]]);
    assert_eq!(look("--sort -age"), look("--sort conn_id"));
    assert_eq!(look(&format!("--conn-id {}", all[2])), [all[2]]);
    assert_eq!(look("--uid nobody"), [0; 0]);
    assert_eq!(look("--sort conn_id --limit 1 --times 3"), [all[0]; 3]);
    assert_eq!(look("--limit 0"), [0; 0]);
}

#[test]
fn every_form_has_the_rates() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    agent.settled(1);
    let id = agent.id(&client);
    let own = Connctl::to(&agent);
    let look = |form: &str| own.line(&format!("top --every 250ms -o {form}")).ok();
    assert_eq!(look("name").lines(), [id.to_string()]);
    assert_eq!(look("json").json()[0]["rate"], 0);
    assert!(look("csv").stdout.starts_with("conn_id,") && look("csv").lines()[1].ends_with(",0,0,0"));
    assert!(look("yaml").stdout.contains("rate: 0"));
    let table = look("table");
    assert!(table.stdout.contains("RATE") && table.stdout.contains("0 B/s"), "{}", table.stdout);
    table.says("1 connection").says("0 B/s to client");
    let quiet = own.line("top --every 1ms --quiet --no-headers").ok();
    assert_eq!((quiet.lines().len(), quiet.stderr.as_str()), (1, ""));
}

#[test]
fn what_cannot_be_is_refused() {
    let agent = Agent::echo();
    let own = Connctl::to(&agent);
    own.line("top --sort nonsense").exits(2).says("nonsense").says("to_upstream_rate");
    own.line("top -n 0").exits(2);
    own.line("top --every 0s").exits(2);
    own.line("top --where idle>").exits(2);
    Connctl::alone().line("--agent unix:/nonexistent/a.sock top").exits(5);
}

#[test]
fn without_a_terminal_an_agent_that_leaves_is_an_error() {
    let mut agent = Agent::echo();
    let run = Connctl::to(&agent).start(&["top", "--every", "50ms", "--times", "100000", "-o", "jsonl"]);
    run.handles_interrupts();
    agent.terminate(LIMIT);
    run.finish(LIMIT).exits(5);
}

#[test]
fn a_picture_fits_and_the_terminal_is_given_back_with_q() {
    let agent = Agent::echo();
    let _clients: Vec<_> = (0..40).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(40);
    let mut pty = Pty::start(&agent, "top", (80, 12));
    pty.shows("40 connections");
    pty.shows("0 B/s");
    for picture in pty.pictures() {
        assert!(picture.len() <= 12, "{} lines: {picture:?}", picture.len());
        for line in &picture {
            assert!(line.chars().count() <= 80, "{line:?}");
        }
    }
    assert!(pty.is_taken());
    pty.types("b");
    pty.shows("by -bytes");
    pty.types("b");
    pty.shows("by bytes");
    pty.types("q");
    assert_eq!(pty.ends(), Some(0));
    pty.is_given_back();
}

#[test]
fn ctrl_c_and_the_signals_that_end_it_give_the_terminal_back() {
    let agent = Agent::echo();
    let mut pty = Pty::start(&agent, "top", (80, 24));
    pty.shows("0 connections");
    pty.types("\x03");
    assert_eq!(pty.ends(), Some(130));
    pty.is_given_back();
    for signal in [Signal::TERM, Signal::HUP, Signal::QUIT] {
        let mut pty = Pty::start(&agent, "top --every 1m", (80, 24));
        pty.shows("0 connections");
        pty.signal(signal);
        assert_eq!(pty.ends(), Some(130), "{signal:?}");
        pty.is_given_back();
    }
}

#[test]
fn an_agent_that_comes_back_is_shown_again() {
    let setup = Setup::new().echo("echo");
    let mut agent = setup.clone().start();
    let mut pty = Pty::start(&agent, "top --every 100ms", (80, 24));
    pty.shows("0 connections");
    agent.terminate(LIMIT);
    pty.shows("no agent answers");
    pty.shows("trying again");
    let agent = setup.start();
    let _client = Peer::connect(agent.only());
    pty.shows("1 connection");
    pty.types("q");
    assert_eq!(pty.ends(), Some(0));
    pty.is_given_back();
}

#[test]
fn the_last_of_so_many_pictures_stays() {
    let agent = Agent::echo();
    let _client = Peer::connect(agent.only());
    agent.settled(1);
    let mut pty = Pty::start(&agent, "top --times 2 --every 20ms", (80, 24));
    assert_eq!(pty.ends(), Some(0));
    pty.is_given_back();
    assert!(pty.after().contains("RATE"), "{:?}", pty.after());
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_it_is_taken_again_afterwards() {
    let agent = Agent::echo();
    let mut pty = Pty::start(&agent, "top", (80, 24));
    pty.shows("0 connections");
    pty.types("\x1a");
    until("it has stopped", || pty.has_stopped().then_some(()));
    pty.is_given_back();
    pty.signal(Signal::CONT);
    until("it has the terminal again", || pty.is_taken().then_some(()));
    pty.types("q");
    assert_eq!(pty.ends(), Some(0));
    pty.is_given_back();
}
