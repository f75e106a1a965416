//! The control socket's path, taken away or taken over by something else.
use std::io::Write;

use crate::support::agent::answers;
use crate::support::{Agent, Peer, Setup, until};

/// The agent can be asked at its path, and it is this one.
#[track_caller]
fn is_back(agent: &Agent) {
    until("the control socket is back", || answers(&agent.socket()).then_some(()));
    assert_eq!(agent.node()["pid"], agent.pid());
}

#[test]
fn a_control_socket_that_is_deleted_comes_back_again_and_again() {
    use std::os::unix::fs::PermissionsExt;
    let mut agent = Agent::echo();
    for _ in 0..3 {
        std::fs::remove_file(agent.socket()).unwrap();
        is_back(&agent);
        let mode = std::fs::metadata(agent.socket()).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{mode:o}");
    }
    assert!(agent.log().contains("taken away"), "{}", agent.log());
    agent.terminate(crate::support::LIMIT);
    assert!(!agent.socket().exists(), "the one that came back was left behind");
}

#[test]
fn a_control_socket_comes_back_with_its_directory_and_its_lock() {
    let setup = Setup::new().echo("echo").without_control();
    let directory = setup.dir().path().join("run");
    let socket = directory.join("agent.sock");
    let agent = setup.arg("--control").arg(format!("unix:{}", socket.display())).start();
    std::fs::remove_dir_all(&directory).unwrap();
    until("the control socket is back", || answers(&socket).then_some(()));
    // Its lock is back as well: a second agent cannot take it.
    let second = Setup::new().without_control().hold("hold").arg("--control");
    let refused = second.arg(format!("unix:{}", socket.display())).refuses();
    assert!(refused.stderr.contains("another agent is alive"), "{}", refused.stderr);
    drop(agent);
}

#[test]
fn a_file_in_the_place_of_the_control_socket_is_left_alone_until_it_goes() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    std::fs::remove_file(agent.socket()).unwrap();
    std::fs::write(agent.socket(), "precious").unwrap();
    until("the agent says so", || agent.log().contains("not a socket").then_some(()));
    client.send("served meanwhile");
    client.expect("served meanwhile");
    assert_eq!(std::fs::read_to_string(agent.socket()).unwrap(), "precious");
    assert_eq!(agent.log().matches("not a socket").count(), 1, "once is enough: {}", agent.log());
    std::fs::remove_file(agent.socket()).unwrap();
    is_back(&agent);
}

#[test]
fn a_request_that_was_begun_is_answered_although_the_socket_is_deleted() {
    let agent = Agent::echo();
    let client = Peer::connect(agent.only());
    agent.settled(1);
    let mut wire = agent.http().open();
    let body = r#"{"for": "count=0", "timeout_ms": 60000}"#;
    let head = "POST /v1/wait HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\nContent-Length: ";
    write!(wire, "{head}{}\r\n\r\n{body}", body.len()).unwrap();
    std::fs::remove_file(agent.socket()).unwrap();
    is_back(&agent);
    drop(client);
    let answer = String::from_utf8_lossy(&wire.read_all()).into_owned();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer:?}");
}
