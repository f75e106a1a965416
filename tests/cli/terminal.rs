//! With a terminal the command asks before it acts; `script` gives it one.
use std::process::Command;

use crate::support::agent::BINARY;
use crate::support::process::{Run, has_program, run};
use crate::support::{Agent, End, LIMIT, Peer};

/// Runs the command on a terminal of its own, with this typed; stdout and stderr come as one.
fn typed(agent: &Agent, words: &str, keys: &str) -> Run {
    assert!(has_program("script"), "script (of bsdutils) is needed for a terminal");
    let mut command = Command::new("script");
    command.args(["-qec", &format!("{BINARY} {words}"), "/dev/null"]);
    command.env("CONNCTL_AGENT", agent.endpoint()).env("TERM", "xterm");
    run(&mut command, keys, LIMIT)
}

#[test]
fn no_leaves_everything_as_it_is() {
    for keys in ["n\n", "\n", "maybe\nn\n"] {
        let agent = Agent::echo();
        let mut clients = [Peer::connect(agent.only()), Peer::connect(agent.only())];
        agent.settled(2);
        typed(&agent, "remove --all", keys).exits(7);
        for client in &mut clients {
            client.send("untouched");
            client.expect("untouched");
        }
    }
}

#[test]
fn yes_acts_after_telling_how_many() {
    let agent = Agent::echo();
    let mut clients = [Peer::connect(agent.only()), Peer::connect(agent.only()), Peer::connect(agent.only())];
    agent.settled(3);
    let run = typed(&agent, "remove --all", "y\n").ok();
    assert!(run.stdout.contains('3'), "{}", run.stdout);
    for client in &mut clients {
        client.ends_with(End::Fin);
    }
}

#[test]
fn yes_given_beforehand_asks_nothing() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    agent.settled(1);
    typed(&agent, "reset --all --yes", "").ok();
    client.ends_with(End::Reset);
}
