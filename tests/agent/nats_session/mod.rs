//! NATS clients that keep their session while their server goes: killed, stopped, closed for being idle.
mod by_hand;

use std::net::SocketAddr;

use rustix::process::Signal;
use serde_json::Value;

use crate::support::service::{Service, have};
use crate::support::{Agent, End, Peer, Setup, until};

/// One listener named `front` before this server, with these keys besides.
fn front(server: SocketAddr, keys: &str) -> Agent {
    let config = format!(
        "[[listener]]\nname = \"front\"\nmode = \"forward\"\nbind = \"127.0.0.1:0\"\nupstream = [\"{server}\"]\n\
         reconnect = \"nats\"\nidentity = [\"nats\"]\n{keys}\n"
    );
    Setup::new().config(config).start()
}

const CONNECT: &str = r#"CONNECT {"verbose":false,"pedantic":false,"headers":true}"#;

/// A client spoken by hand.
struct Client(Peer);

impl Client {
    fn connect(addr: SocketAddr, connect: &str) -> Self {
        let mut peer = Peer::connect(addr);
        assert!(peer.line().starts_with("INFO {"));
        peer.send(format!("{connect}\r\n"));
        let mut own = Self(peer);
        own.flush();
        own
    }

    fn new(agent: &Agent) -> Self {
        Self::connect(agent.only(), CONNECT)
    }

    fn send(&mut self, text: &str) {
        self.0.send(text);
    }

    /// The server has handled all that was sent before.
    fn flush(&mut self) {
        self.send("PING\r\n");
        assert_eq!(self.next(), "PONG");
    }

    /// Sends this and waits until the server has handled it.
    fn done(&mut self, text: &str) {
        self.send(text);
        self.flush();
    }

    /// The next line that is no sign of life.
    fn next(&mut self) -> String {
        loop {
            match self.0.line().as_str() {
                "PING" => self.send("PONG\r\n"),
                other => return other.to_owned(),
            }
        }
    }

    /// The next message: its head without the sizes, and its payload.
    fn message(&mut self) -> (String, String) {
        let head = self.next();
        let (head, _) = head.rsplit_once(' ').unwrap_or_else(|| panic!("no message: {head:?}"));
        (head.to_owned(), self.0.line())
    }

    #[track_caller]
    fn gets(&mut self, head: &str, payload: &str) {
        assert_eq!(self.message(), (head.to_owned(), payload.to_owned()));
    }
}

/// Waits until every connection has no server.
fn are_away(agent: &Agent, count: usize) {
    until("every session is away", || {
        let rows = agent.connections();
        let away = |row: &Value| row["state"] == "opening" && row["upstream"].is_null();
        (rows.len() == count && rows.iter().all(away)).then_some(())
    });
}

/// What a publisher waits for: no session is being restored any more.
fn are_back(agent: &Agent, count: usize) {
    until("every session is back", || {
        let rows = agent.connections();
        let back = |row: &Value| row["state"] == "active" && row["upstream"].is_string();
        (rows.len() == count && rows.iter().all(back)).then_some(())
    });
}

#[test]
fn a_hundred_subscribers_do_not_notice_that_their_server_was_killed_and_started_again() {
    if !have(&["nats-server"]) {
        return;
    }
    const CLIENTS: usize = 100;
    const MESSAGES: usize = 50;
    let mut server = Service::nats();
    let agent = front(server.addr(), "");
    let mut clients: Vec<_> = (0..CLIENTS).map(|_| Client::new(&agent)).collect();
    let ids: Vec<_> = agent.settled(CLIENTS).iter().map(|row| row["conn_id"].clone()).collect();
    for client in &mut clients {
        client.done("SUB news.* 7\r\n");
    }
    for (turn, signal) in [Signal::KILL, Signal::TERM, Signal::KILL].into_iter().enumerate() {
        server.end(signal);
        are_away(&agent, CLIENTS);
        clients[turn].flush();
        assert!(clients.iter().all(|client| client.0.is_quiet()), "a client noticed");
        server.again();
        are_back(&agent, CLIENTS);
        let mut publisher = Client::connect(server.addr(), CONNECT);
        for number in 0..MESSAGES {
            let text = format!("{turn}.{number}");
            publisher.send(&format!("PUB news.x {}\r\n{text}\r\n", text.len()));
        }
        publisher.flush();
        for client in &mut clients {
            for number in 0..MESSAGES {
                client.gets("MSG news.x 7", &format!("{turn}.{number}"));
            }
        }
        for client in &mut clients {
            client.flush();
        }
    }
    assert_eq!(agent.settled(CLIENTS).iter().map(|row| row["conn_id"].clone()).collect::<Vec<_>>(), ids);
    assert_eq!(agent.ended("client"), 0, "{:?}", agent.endings());
}

#[test]
fn everything_of_a_session_is_the_same_after_a_restart() {
    if !have(&["nats-server"]) {
        return;
    }
    let auth = "authorization { users = [ { user: \"u\", password: \"s3cret\" } ] }\n";
    let mut server = Service::nats_with(auth);
    let agent = front(server.addr(), "");
    let connect = r#"CONNECT {"verbose":false,"pedantic":false,"headers":true,"user":"u","pass":"s3cret"}"#;
    let new = || Client::connect(agent.only(), connect);
    let (mut queue, mut other, mut wild, mut few, mut talker) = (new(), new(), new(), new(), new());
    queue.done("SUB jobs workers 1\r\n");
    other.done("SUB jobs workers 1\r\n");
    wild.done("SUB all.> 2\r\nSUB gone 3\r\nUNSUB 3\r\n");
    few.done("SUB all.few 4\r\nUNSUB 4 3\r\nSUB all.later 5\r\n");
    talker.done("PUB all.few 1\r\na\r\nPUB all.later 1\r\nb\r\n");
    few.gets("MSG all.few 4", "a");
    few.gets("MSG all.later 5", "b");
    wild.gets("MSG all.few 2", "a");
    wild.gets("MSG all.later 2", "b");
    server.end(Signal::KILL);
    are_away(&agent, 5);
    // What is sent meanwhile arrives, in pieces of any size.
    for byte in
        "PUB all.meanwhile 5\r\nhello\r\nHPUB all.meanwhile reply 12 14\r\nNATS/1.0\r\n\r\nhi\r\n".chars()
    {
        talker.send(&byte.to_string());
    }
    server.again();
    are_back(&agent, 5);
    talker.flush();
    // Those who were back before it have its messages; all have what comes now.
    talker.done("PUB all.few 1\r\nc\r\nPUB gone 1\r\nx\r\nHPUB all.few 12 13\r\nNATS/1.0\r\n\r\nd\r\nPUB all.few 1\r\ne\r\n");
    few.gets("MSG all.few 4", "c");
    let head = few.next();
    assert_eq!(head, "HMSG all.few 4 12 13");
    few.0.expect("NATS/1.0\r\n\r\nd\r\n");
    // The limit of three messages counts those of both servers.
    few.done("UNSUB 5 2\r\n");
    talker.done("PUB all.later 1\r\nf\r\nPUB all.later 1\r\ng\r\n");
    few.gets("MSG all.later 5", "f");
    few.flush();
    // A queue still has one of its members for each message.
    for number in 0..20 {
        talker.send(&format!("PUB jobs 2\r\n{number:02}\r\n"));
    }
    talker.flush();
    let mut count = 0;
    for client in [&mut queue, &mut other] {
        client.send("PING\r\n");
        loop {
            let line = client.next();
            if line == "PONG" {
                break;
            }
            assert!(line.starts_with("MSG jobs 1 2"), "{line}");
            client.0.line();
            count += 1;
        }
    }
    assert_eq!(count, 20);
    // The wildcard has all of it, and nothing of what was given up.
    let mut seen = Vec::new();
    wild.send("PING\r\n");
    loop {
        let line = wild.next();
        if line == "PONG" {
            break;
        }
        if line.starts_with("HMSG") {
            wild.0.expect("NATS/1.0\r\n\r\n");
        }
        seen.push((line.split(' ').nth(1).unwrap().to_owned(), wild.0.line()));
    }
    let of = |subject: &str| -> Vec<&str> {
        seen.iter().filter(|(own, _)| own == subject).map(|(_, text)| text.as_str()).collect()
    };
    assert_eq!((of("all.few"), of("all.later")), (vec!["c", "d", "e"], vec!["f", "g"]));
    assert!(!seen.iter().any(|(subject, _)| subject == "gone"));
    assert!(agent.settled(5).iter().all(|row| row["uid"] == "u"));
    assert!(!agent.log().contains("s3cret"), "a password is in the log");
}

#[test]
fn a_verbose_client_gets_every_answer_once_over_a_restart() {
    if !have(&["nats-server"]) {
        return;
    }
    let mut server = Service::nats();
    let agent = front(server.addr(), "");
    let mut client = Peer::connect(agent.only());
    client.line();
    client.send("CONNECT {}\r\nSUB a 1\r\nPING\r\n");
    client.expect("+OK\r\n+OK\r\n");
    until("the PONG came, with or without a PING", || (client.line() == "PONG").then_some(()));
    server.end(Signal::KILL);
    are_away(&agent, 1);
    client.send("PUB a 2\r\nhi\r\nSUB b 2\r\nPUB b 2\r\nho\r\n");
    server.again();
    let mut lines = Vec::new();
    while lines.iter().filter(|line| **line != "PING").count() < 7 {
        lines.push(client.line());
    }
    lines.retain(|line| line != "PING");
    let answers = lines.iter().filter(|line| *line == "+OK").count();
    lines.retain(|line| line != "+OK");
    assert_eq!((answers, lines), (3, ["MSG a 1 2", "hi", "MSG b 2 2", "ho"].map(str::to_owned).to_vec()));
}

#[test]
fn an_idle_session_costs_the_server_nothing_and_is_there_again_for_the_next_byte() {
    if !have(&["nats-server"]) {
        return;
    }
    let server = Service::nats();
    let agent = front(server.addr(), "upstream_idle_timeout = \"200ms\"");
    let mut client = Client::new(&agent);
    client.done("SUB own 1\r\nSUB a.* 2\r\n");
    for turn in 0..3 {
        until("its server is closed", || agent.row(&client.0)["upstream"].is_null().then_some(()));
        assert_eq!(agent.row(&client.0)["state"], "active");
        // A sign of life needs no server.
        client.flush();
        assert!(agent.row(&client.0)["upstream"].is_null());
        let text = format!("turn {turn}");
        client.send(&format!("PUB own {}\r\n{text}\r\n", text.len()));
        client.gets("MSG own 1", &text);
        client.flush();
    }
    until("its server is closed", || agent.row(&client.0)["upstream"].is_null().then_some(()));
    agent.does("close", "both", &client.0);
    client.0.ends_with(End::Fin);
    agent.settled(0);
}

#[test]
fn a_new_password_is_not_the_agents_to_know() {
    if !have(&["nats-server"]) {
        return;
    }
    let auth = |password: &str| format!("authorization {{ user: \"u\", password: \"{password}\" }}\n");
    let (old, new) = (Service::nats_with(&auth("old")), Service::nats_with(&auth("new")));
    let list = format!("upstream = [\"{}\", \"{}\"]", old.addr(), new.addr());
    let config = format!(
        "[[listener]]\nname = \"front\"\nmode = \"forward\"\nbind = \"127.0.0.1:0\"\n{list}\nreconnect = \"nats\"\n"
    );
    let agent = Setup::new().config(config).start();
    let mut client = Client::connect(agent.only(), r#"CONNECT {"verbose":false,"user":"u","pass":"old"}"#);
    drop(old);
    assert_eq!(client.next(), "-ERR 'Authorization Violation'");
    client.0.ends_with(End::Fin);
    agent.settled(0);
    assert_eq!(agent.ended("client"), 1);
}
