//! Tokens on the command line's side: made, given by file or environment, and never shown.
use std::os::unix::process::CommandExt as _;
use std::process::Command;

use crate::support::agent::BINARY;
use crate::support::cli::Connctl;
use crate::support::process::run;
use crate::support::{Agent, Http, LIMIT, Peer, Setup, until};

/// A new token and the table for the agent's file.
fn made(name: &str, role: &str) -> (String, String) {
    let made = Connctl::alone().line(&format!("agent token --name {name} --role {role}")).ok().stdout;
    let token = made.lines().find(|line| line.starts_with("ct_")).expect("a token").to_owned();
    (token, made.split_once("[[token]]").map(|(_, rest)| format!("[[token]]{rest}")).expect("a table"))
}

fn url(agent: &Agent) -> String {
    let Http::Tcp(address) = agent.tcp() else { panic!("not tcp") };
    format!("http://{address}")
}

#[test]
fn what_agent_token_prints_works_as_it_is() {
    let ((viewer, one), (operator, other)) = (made("eyes", "viewer"), made("hands", "operator"));
    assert_ne!(viewer, operator);
    let agent = Setup::new().config(one + &other).echo("echo").tcp_control().start();
    let _client = Peer::connect(agent.only());
    agent.settled(1);
    let at = url(&agent);
    let with = |token: &str| Connctl::alone().env("CONNCTL_AGENT", &at).env("CONNCTL_TOKEN", token);
    assert_eq!(with(&viewer).line("list --count -o json").ok().json()["count"], 1);
    let run = with(&viewer).line("reset --all --yes").exits(4);
    assert!(run.stderr.contains("operator") && !run.stderr.contains(&viewer), "{}", run.stderr);
    // A file comes before the environment.
    let file = agent.dir().write("token", &format!("{operator}\n"));
    with(&viewer).run(&["reset", "--all", "--yes", "--token-file", &file]).ok();
    agent.settled(0);
    let run = Connctl::alone().env("CONNCTL_AGENT", &at).line("list").exits(4);
    run.says("CONNCTL_TOKEN");
    let run = with("ct_wrong").line("list").exits(4);
    assert!(!run.stderr.contains("ct_wrong"), "{}", run.stderr);
    assert!(!agent.log().contains(&viewer) && !agent.log().contains(&operator), "{}", agent.log());
}

#[test]
fn events_that_are_followed_end_with_the_token_and_say_so() {
    let ((viewer, one), (_, other)) = (made("eyes", "viewer"), made("hands", "operator"));
    let agent = Setup::new().config(one + &other).echo("echo").tcp_control().start();
    let own = Connctl::alone().env("CONNCTL_AGENT", &url(&agent)).env("CONNCTL_TOKEN", &viewer);
    let before = agent.open_of("socket:");
    let following = own.start(&["events", "--follow", "--after", "0", "-o", "jsonl"]);
    until("it is connected", || (agent.open_of("socket:") > before).then_some(()));
    agent.dir().write("agent.toml", &other);
    agent.http().post("/v1/agent/reload", &serde_json::json!({})).is(200);
    let run = following.finish(LIMIT).exits(4);
    assert!(run.stderr.contains("token") && !run.stderr.contains(&viewer), "{}", run.stderr);
}

#[test]
fn a_token_that_is_none_is_wrong_usage_and_is_not_repeated() {
    let agent = Agent::echo();
    let own = Connctl::to(&agent);
    let missing = agent.dir().join("nothing");
    own.run(&["--token-file", &missing, "list"]).exits(2).says(&missing);
    for text in ["", "two words", "sécret"] {
        let file = agent.dir().write("token", text);
        let run = own.run(&["--token-file", &file, "list"]).exits(2).says(&file);
        assert!(text.is_empty() || !run.stderr.contains(text), "{}", run.stderr);
    }
    Connctl::to(&agent).env("CONNCTL_TOKEN", "two words").line("list").exits(2).says("CONNCTL_TOKEN");
}

#[test]
fn every_form_of_a_token_has_the_hash_of_what_it_shows() {
    for role in ["viewer", "operator", "admin"] {
        let json = Connctl::alone().line(&format!("agent token --name n --role {role} -o json")).ok().json();
        assert_eq!((&json["name"], &json["role"]), (&"n".into(), &role.into()));
        let token = json["token"].as_str().unwrap();
        let hash: String =
            <sha2::Sha256 as sha2::Digest>::digest(token).iter().map(|byte| format!("{byte:02x}")).collect();
        assert_eq!(json["sha256"], *hash);
    }
    assert_eq!(Connctl::alone().line("agent token -o name").ok().lines().len(), 1);
    Connctl::alone().line("agent token --role king").exits(2).says("admin");
    Connctl::alone().run(&["agent", "token", "--name", "a\"b"]).exits(2);
}

/// The command as another user of the system, who is not root and not the agent's.
#[track_caller]
fn as_user(uid: u32, agent: &Agent, words: &str) -> crate::support::process::Run {
    let mut command = Command::new(BINARY);
    command.args(words.split(' ')).env("CONNCTL_AGENT", agent.endpoint()).uid(uid).gid(uid);
    run(&mut command, "", LIMIT)
}

#[test]
fn other_users_of_the_system_may_what_the_configuration_lets_them() {
    if !rustix::process::geteuid().is_root() {
        // Only root can be somebody else.
        return;
    }
    let config =
        "[[peer]]\nuid = 54321\nrole = 'viewer'\n[[peer]]\nname = 'ops'\ngid = 54322\nrole = 'operator'\n";
    let agent = Setup::new().config(config).echo("echo").start();
    as_user(54321, &agent, "list").ok();
    as_user(54321, &agent, "listener reject").exits(4).says("uid-54321");
    as_user(54322, &agent, "listener reject").ok();
    as_user(54322, &agent, "limit set max_connections=1").exits(4).says("admin");
    as_user(54323, &agent, "list").exits(4).says("54323");
    // Where the configuration lets nobody in, the socket is closed to others.
    let agent = Agent::echo();
    as_user(54321, &agent, "list").exits(4);
}

#[test]
fn a_context_keeps_where_the_token_is_and_not_the_token() {
    let (token, table) = made("eyes", "viewer");
    let agent = Setup::new().config(table).echo("echo").tcp_control().start();
    let file = agent.dir().write("token", &token);
    let home = agent.dir().join("home");
    let own = || Connctl::alone().env("XDG_CONFIG_HOME", &home);
    own().run(&["context", "add", "lab", &url(&agent), "--token-file", &file]).ok();
    own().line("--context lab list").ok();
    own().env("CONNCTL_TOKEN", "ct_other").line("--context lab list").exits(4);
    let kept = std::fs::read_to_string(format!("{home}/connctl/contexts.json")).unwrap();
    assert!(kept.contains(&file) && !kept.contains(&token), "{kept}");
}
