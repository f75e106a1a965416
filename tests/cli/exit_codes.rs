//! The exit codes that scripts branch on, each provoked.
use std::io::{Read as _, Write as _};

use rustix::process::Signal;

use crate::support::cli::Connctl;
use crate::support::upstream::ByHand;
use crate::support::{Agent, LIMIT, Peer, Setup, Upstream};

#[test]
fn done_is_0_also_where_nothing_matched() {
    let agent = Agent::echo();
    let own = Connctl::to(&agent);
    for words in
        ["list", "list --uid nobody", "remove --uid nobody --yes", "agent status", "--help", "--version"]
    {
        own.line(words).ok();
    }
}

#[test]
fn wrong_usage_is_2() {
    let agent = Agent::echo();
    let own = Connctl::to(&agent);
    for words in [
        "",
        "lisst",
        "list --uidd u1",
        "list --limit many",
        "list --ip 300.1.1.1",
        "list --port 70000",
        "list --state sleeping",
        "list --idle-over soon",
        "list --conn-id 0",
        "list --tag novalue",
        "remove --all --type explode --yes",
        "remove --all --grace forever --yes",
        "remove --all --max-percent 101 --yes",
        "list -o json --timeout never",
    ] {
        let run = own.line(words).exits(2);
        assert_eq!(run.stdout, "", "{words}");
    }
}

#[test]
fn a_mistyped_verb_or_flag_is_answered_with_the_nearest() {
    let agent = Agent::echo();
    let own = Connctl::to(&agent);
    own.line("lisst").exits(2).says("list");
    own.line("list --uidd u1").exits(2).says("--uid");
}

#[test]
fn what_does_not_exist_is_3() {
    let agent = Agent::echo();
    let own = Connctl::to(&agent);
    for words in ["show 123456", "assign 123456 --uid u", "listener show nobody", "listener reject nobody"] {
        own.line(words).exits(3);
    }
}

#[test]
fn an_agent_that_cannot_be_reached_is_5_and_named() {
    let agent = Agent::echo();
    let gone = agent.dir().join("gone.sock");
    let silent = agent.only();
    for endpoint in [format!("unix:{gone}"), "http://127.0.0.1:1".to_owned()] {
        let run = Connctl::alone().run(&["--agent", &endpoint, "list"]).exits(5);
        let place = endpoint.trim_start_matches("unix:").trim_start_matches("http://");
        assert!(run.stderr.contains(place), "{}", run.stderr);
    }
    // Not an agent at all: it sends everything back.
    let code =
        Connctl::alone().run(&["--agent", &format!("http://{silent}"), "--timeout", "5s", "list"]).code;
    assert!(matches!(code, Some(1 | 5)), "{code:?}");
    // Neither is this, whose answer would do for a listing that is handed on unread.
    let page = Upstream::serve(|mut stream| {
        let _ = stream.read(&mut [0; 4096]);
        let _ = stream
            .write_all(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 6\r\n\r\nhello\n");
    });
    for form in ["jsonl", "json", "table"] {
        let run = Connctl::alone().run(&["--agent", &format!("http://{}", page.addr()), "list", "-o", form]);
        let run = run.exits(1).says("text/html");
        assert_eq!(run.stdout, "", "{form}");
    }
    Connctl::alone().run(&["--agent", "carrier-pigeon:1", "list"]).exits(2).says("carrier-pigeon");
}

#[test]
fn the_flag_wins_over_the_environment() {
    let (one, two) = (Setup::new().echo("one").start(), Setup::new().echo("two").start());
    let own = Connctl::to(&one);
    assert_eq!(own.line("listener list -o name").ok().lines(), ["one"]);
    assert_eq!(
        own.run(&["--agent", &two.endpoint(), "listener", "list", "-o", "name"]).ok().lines(),
        ["two"]
    );
    assert_eq!(
        own.run(&["listener", "list", "-o", "name", "--agent", &two.endpoint()]).ok().lines(),
        ["two"]
    );
}

#[test]
fn an_agent_on_tcp_is_reached_by_its_url() {
    let agent = Setup::new().echo("echo").tcp_control().start();
    let crate::support::Http::Tcp(addr) = agent.tcp() else { panic!("not tcp") };
    let url = format!("http://{addr}");
    assert_eq!(
        Connctl::alone().run(&["--agent", &url, "listener", "list", "-o", "name"]).ok().lines(),
        ["echo"]
    );
}

#[test]
fn the_default_socket_is_the_systems_for_root_and_the_users_else() {
    if rustix::process::geteuid().is_root() {
        // Root's is the system's own socket, which a test must not take.
        let run = Connctl::alone().line("--timeout 2s list");
        if !crate::support::agent::answers("/run/connctl/agent.sock".as_ref()) {
            run.exits(5).says("/run/connctl/agent.sock");
        }
        return;
    }
    let setup = Setup::new().without_control().echo("echo");
    let runtime = setup.dir().join("run");
    std::fs::create_dir(&runtime).unwrap();
    std::fs::create_dir(format!("{runtime}/connctl")).unwrap();
    let _agent = setup.arg("--control").arg(format!("unix:{runtime}/connctl/agent.sock")).start();
    let own = Connctl::alone().env("XDG_RUNTIME_DIR", &runtime);
    assert_eq!(own.line("listener list -o name").ok().lines(), ["echo"]);
}

#[test]
fn partly_done_is_6_and_the_items_tell() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    let id = agent.assign(&client, "u1");
    let own = Connctl::to(&agent).input(&format!("u1 {id}\nu1 {}\n", id + 5));
    let lines = own.line("remove --batch - --yes -o jsonl").exits(6).json_lines();
    let statuses: Vec<_> = lines.iter().filter_map(|line| line["status"].as_str()).collect();
    assert!(statuses.contains(&"done") && statuses.contains(&"not_found"), "{lines:?}");
}

#[test]
fn without_a_terminal_a_verb_that_would_ask_is_7_and_names_the_flag() {
    let agent = Agent::echo();
    let mut clients: Vec<_> = (0..30).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(30);
    for verb in ["remove", "remove --type reset", "reset", "halfclose"] {
        let run = Connctl::to(&agent).input("y\n").line(&format!("{verb} --all"));
        run.exits(7).says("--yes");
    }
    for client in &mut clients {
        client.send("untouched");
        client.expect("untouched");
    }
}

#[test]
fn a_time_out_is_8() {
    let agent = Agent::echo();
    agent.signal(Signal::STOP);
    let run = Connctl::to(&agent).line("--timeout 500ms list");
    agent.signal(Signal::CONT);
    run.exits(8);
}

#[test]
fn interrupted_is_130() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let _client = Peer::connect(agent.only());
    agent.settled(1);
    let waiting = Connctl::to(&agent).start(&["wait", "--for", "count=0", "--timeout", "60s"]);
    waiting.handles_interrupts();
    waiting.signal(Signal::INT);
    waiting.finish(LIMIT).exits(130);
}
