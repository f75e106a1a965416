//! What an agent refuses to start with. It says which value is wrong, and takes nothing from anyone.
use crate::support::agent::answers;
use crate::support::{Agent, Peer, Setup};

/// The configuration is refused, and stderr has all of these.
#[track_caller]
fn config_is_refused(toml: &str, named: &[&str]) {
    let run = Setup::new().config(toml).refuses();
    for name in named {
        assert!(run.stderr.contains(name), "{toml}\nsays nothing of {name:?}:\n{}", run.stderr);
    }
}

const LISTENER: &str = "[[listener]]\nname = \"a\"\nmode = \"echo\"\nbind = \"127.0.0.1:0\"\n";

#[test]
fn a_taken_port_is_named() {
    let agent = Agent::echo();
    let taken = agent.only().to_string();
    let run = Setup::new().arg("--echo").arg(format!("second@{taken}")).refuses();
    assert_eq!(run.code, Some(1), "{run:?}");
    assert!(run.stderr.contains(&taken), "{}", run.stderr);
}

#[test]
fn a_configuration_that_cannot_be_read_is_named() {
    let setup = Setup::new();
    for path in [setup.dir().join("nothing.toml"), setup.dir().path().display().to_string()] {
        let run = setup.clone().arg("--config").arg(&path).refuses();
        assert!(run.stderr.contains(&path), "{}", run.stderr);
    }
}

#[test]
fn a_configuration_that_is_no_toml_is_refused_with_its_line() {
    config_is_refused("node_id = 1\ncontrol = [\n\n= 5", &["4"]);
}

#[test]
fn an_unknown_key_is_named_with_the_nearest_known_one() {
    config_is_refused("node_idd = 1", &["\"node_idd\"", "\"node_id\""]);
    config_is_refused("thread = 1", &["thread", "threads"]);
    let listener = LISTENER.replace("bind", "binds");
    config_is_refused(&listener, &["binds"]);
    config_is_refused(&format!("{LISTENER}upstrem = [\"127.0.0.1:1\"]\n"), &["upstrem", "upstream"]);
}

#[test]
fn a_wrong_value_is_named_with_its_key() {
    config_is_refused("node_id = \"one\"", &["node_id"]);
    config_is_refused("node_id = 0", &["node_id"]);
    config_is_refused("compat = \"perfect\"", &["compat", "perfect"]);
    // Also where a flag wins over it.
    config_is_refused("control = [\"carrier-pigeon:1\"]", &["control", "carrier-pigeon"]);
    config_is_refused(&LISTENER.replace("echo", "shout"), &["mode", "shout"]);
    config_is_refused(&LISTENER.replace("127.0.0.1:0", "nowhere"), &["bind", "nowhere"]);
    config_is_refused(&LISTENER.replace("echo", "forward"), &["upstream"]);
    config_is_refused(&format!("{LISTENER}\n{LISTENER}"), &["name"]);
}

#[test]
fn a_wrong_argument_is_named() {
    for (flag, value) in [
        ("--echo", "nonsense"),
        ("--echo", "x@127.0.0.1:99999"),
        ("--forward", "x@127.0.0.1:0"),
        ("--node-id", "0"),
        ("--node-id", "first"),
        ("--control", "carrier-pigeon:1"),
    ] {
        let run = Setup::new().arg(flag).arg(value).refuses();
        assert_eq!(run.code, Some(2), "{flag} {value}: {run:?}");
        assert!(run.stderr.contains(value), "{flag} {value}: {}", run.stderr);
    }
}

#[test]
fn two_listeners_of_one_name_are_refused() {
    let run = Setup::new().echo("same").hold("same").refuses();
    assert!(run.stderr.contains("same"), "{}", run.stderr);
}

#[test]
fn a_control_port_beyond_loopback_is_refused_without_tls_and_tokens() {
    for addr in ["0.0.0.0:0", "[::]:0"] {
        let run = Setup::new().echo("echo").arg("--control").arg(format!("tcp:{addr}")).refuses();
        assert!(run.stderr.contains("loopback"), "{}", run.stderr);
    }
}

#[test]
fn the_control_socket_of_a_live_agent_is_not_taken() {
    let agent = Agent::echo();
    let second = Setup::new().without_control().hold("hold").arg("--control").arg(agent.endpoint()).refuses();
    assert!(second.stderr.contains(&agent.socket().display().to_string()), "{}", second.stderr);
    assert_eq!(agent.node()["pid"], agent.pid());
    let mut client = Peer::connect(agent.only());
    client.send("still served");
    client.expect("still served");
}

#[test]
fn the_socket_file_of_a_dead_agent_is_replaced() {
    let agent = Agent::echo();
    let (socket, pid) = (agent.socket(), agent.pid());
    let agent = agent.crash_and_restart();
    assert!(answers(&socket));
    assert_ne!(agent.node()["pid"], pid);
}

#[test]
fn a_file_that_is_no_socket_is_not_replaced() {
    let setup = Setup::new().echo("echo");
    setup.dir().write("agent.sock", "precious");
    let socket = setup.socket();
    let run = setup.refuses();
    assert!(run.stderr.contains(&socket.display().to_string()), "{}", run.stderr);
    assert_eq!(std::fs::read_to_string(socket).unwrap(), "precious");
}

#[test]
fn an_agent_that_cannot_start_leaves_no_control_socket() {
    let agent = Agent::echo();
    let setup = Setup::new().arg("--echo").arg(format!("second@{}", agent.only()));
    setup.refuses();
    assert!(!answers(&setup.socket()));
}

#[test]
fn flags_win_over_the_file_and_add_listeners() {
    let agent =
        Setup::new().config(format!("node_id = 3\n{LISTENER}")).arg("--node-id").arg("4").hold("b").start();
    assert_eq!(agent.ready()["node_id"], 4);
    for name in ["a", "b"] {
        Peer::connect(agent.addr(name));
    }
}

#[test]
fn listener_flags_go_with_a_file_that_has_no_listener() {
    let agent = Setup::new().config("node_id = 3\nthreads = 1\n").echo("echo").start();
    assert_eq!(agent.ready()["node_id"], 3);
    Peer::connect(agent.only());
}
