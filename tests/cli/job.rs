//! Paced operations and `connctl job`: what goes on in the agent, whoever watches.
use rustix::process::Signal;
use serde_json::{Value, json};

use crate::pty::Pty;
use crate::support::cli::Connctl;
use crate::support::{Agent, LIMIT, Peer, until};

fn with_clients(count: usize) -> (Agent, Vec<Peer>) {
    let agent = Agent::hold();
    let clients: Vec<_> = (0..count).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(count);
    (agent, clients)
}

#[track_caller]
fn only_job(own: &Connctl) -> Value {
    let rows = own.line("job list -o jsonl").ok().json_lines();
    assert_eq!(rows.len(), 1, "{rows:?}");
    rows[0].clone()
}

#[test]
fn a_pace_spreads_a_removal_and_every_connection_has_its_line() {
    let (agent, _clients) = with_clients(20);
    let own = Connctl::to(&agent);
    let words = "remove --all --yes --rate 100/s --jitter 20% --ramp 100ms --pause-if 5% -o jsonl";
    let lines = own.line(words).ok().json_lines();
    assert_eq!((lines.len(), &lines[20]["summary"]["done"]), (21, &json!(20)), "{lines:?}");
    let job = only_job(&own);
    assert_eq!((&job["state"], &job["connections"]), (&json!("done"), &json!(20)), "{job}");
    let table = own.line("job list").ok().stdout;
    assert!(table.contains("done") && table.contains("j-"), "{table}");
}

#[test]
fn a_detached_job_is_named_and_can_be_waited_for() {
    let (agent, _clients) = with_clients(10);
    let own = Connctl::to(&agent);
    let id = own.line("reset --all --yes --rate 20/s --detach -o name").ok().stdout;
    let id = id.trim();
    let row = own.line(&format!("job wait {id} -o json")).ok().json();
    assert_eq!((&row["state"], &row["summary"]["done"]), (&json!("done"), &json!(10)), "{row}");
    let lines = own.line(&format!("job wait {id} --items -o jsonl")).ok().json_lines();
    assert_eq!(lines.len(), 11, "{lines:?}");
    assert!(own.line(&format!("job show {id}")).ok().stdout.contains("done"));
    for verb in ["pause", "resume", "cancel"] {
        own.line(&format!("job {verb} {id}")).exits(1).says("is done");
    }
    for verb in ["show", "pause", "resume", "cancel", "wait"] {
        own.line(&format!("job {verb} j-00000000-9")).exits(3).says("j-00000000-9");
    }
}

#[test]
fn a_terminal_shows_how_far_a_removal_is_and_nothing_of_it_stays() {
    let (agent, _clients) = with_clients(90);
    let mut pty = Pty::start(&agent, "remove --all --yes --rate 1/s", (80, 24));
    pty.shows("░");
    pty.shows("/90  ");
    pty.signal(Signal::INT);
    pty.shows("goes on in the agent");
    let after = pty.after_last("/90  ");
    let (of_the_bar, rest) = after.rsplit_once("\x1b[2K").expect("it is cleared");
    assert!(!of_the_bar.contains('\n') && !rest.contains('\x1b'), "{after:?}");
    assert_eq!(pty.ends(), Some(130));
}

#[test]
fn ctrl_c_leaves_the_job_to_the_agent_and_says_how_to_end_it() {
    let (agent, _clients) = with_clients(20);
    let own = Connctl::to(&agent);
    let running = own.start(&["remove", "--all", "--yes", "--rate", "10/s"]);
    until("some are gone", || (agent.connections().len() < 18).then_some(()));
    running.handles_interrupts();
    running.signal(Signal::INT);
    let run = running.finish(LIMIT).exits(130);
    let id = only_job(&own)["job_id"].as_str().unwrap().to_owned();
    let run = run.says(&format!("connctl job cancel {id}"));
    assert!(!run.stdout.is_empty());
    let left = agent.connections().len();
    until("it goes on", || (agent.connections().len() < left).then_some(()));
    let row = own.line(&format!("job cancel {id} -o json")).ok().json();
    assert!(matches!(row["state"].as_str(), Some("cancelling" | "cancelled")), "{row}");
    own.line(&format!("job wait {id}")).exits(6).says("cancelled");
    assert!(!agent.connections().is_empty());
}

#[test]
fn a_killed_command_stops_nothing() {
    let (agent, _clients) = with_clients(10);
    let own = Connctl::to(&agent);
    let running = own.start(&["remove", "--all", "--yes", "--rate", "20/s"]);
    until("some are gone", || (agent.connections().len() < 9).then_some(()));
    running.signal(Signal::KILL);
    running.finish(LIMIT);
    let id = only_job(&own)["job_id"].as_str().unwrap().to_owned();
    own.line(&format!("job wait {id}")).ok();
    agent.settled(0);
}

#[test]
fn a_paused_job_waits_and_a_wait_can_run_out() {
    let (agent, _clients) = with_clients(10);
    let own = Connctl::to(&agent);
    let plan = own.line("remove --all --dry-run -o name").ok().stdout;
    let id = own.line(&format!("apply {} --yes --rate 5/s --detach -o name", plan.trim())).ok().stdout;
    let id = id.trim();
    assert_eq!(own.line(&format!("job pause {id} -o json")).ok().json()["state"], "paused");
    let row = own.line(&format!("--timeout 300ms job wait {id} -o json")).exits(8).json();
    assert_eq!((&row["state"], &row["plan_id"]), (&json!("paused"), &json!(plan.trim())), "{row}");
    own.line(&format!("job resume {id}")).ok();
    own.line(&format!("job wait {id}")).ok();
    agent.settled(0);
}

#[test]
fn too_many_failures_pause_it_and_the_command_says_what_can_be_done() {
    let (agent, _clients) = with_clients(40);
    let own = Connctl::to(&agent);
    // A held connection has no upstream side: each of these fails.
    let words = "reset --all --side upstream --yes --rate 100/s --pause-if 5% -o jsonl";
    let run = own.line(words).exits(6).says("connctl job resume").says("failed");
    assert!(run.json_lines().len() < 41, "{}", run.stdout);
    assert_eq!(only_job(&own)["state"], "paused");
}
