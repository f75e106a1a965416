//! Clients of the control API that hold on and say nothing, few and many: they hold nobody up.
use std::io::{ErrorKind, Read as _, Write as _};
use std::net::{SocketAddr, TcpStream};

use rustix::process::{Resource, getrlimit, setrlimit};

use super::names::{agent, health};
use crate::support::certs::{Ca, Leaf};
use crate::support::http::Wire;
use crate::support::{Agent, Http, LIMIT, Setup, until};

/// Connects over TLS, as far as that is to be, and says nothing.
fn silent(agent: &Agent, count: usize) -> Vec<TcpStream> {
    silent_at(agent.tls_addr(), count)
}

fn silent_at(addr: SocketAddr, count: usize) -> Vec<TcpStream> {
    // Many systems let a process open 1,024 files unless it asks for more.
    let mut limit = getrlimit(Resource::Nofile);
    limit.current = limit.maximum;
    setrlimit(Resource::Nofile, limit).unwrap();
    let connect = |_| {
        let stream = TcpStream::connect_timeout(&addr, LIMIT).unwrap();
        stream.set_read_timeout(Some(LIMIT)).unwrap();
        stream
    };
    (0..count).map(connect).collect()
}

/// Whether the agent has ended it.
fn is_ended(stream: &TcpStream) -> bool {
    stream.set_nonblocking(true).unwrap();
    let read = (&*stream).read(&mut [0]);
    stream.set_nonblocking(false).unwrap();
    match read {
        Ok(0) => true,
        Ok(_) => panic!("it said something"),
        Err(error) => error.kind() != ErrorKind::WouldBlock,
    }
}

#[test]
fn ten_that_say_nothing_hold_nobody_up_and_are_ended() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let silent = silent(&agent, 10);
    let own = ca.client("eyes");
    health(&agent, &ca, &own);
    agent.http().get("/v1/health").is(200);
    until("the agent has ended them", || silent.iter().all(is_ended).then_some(()));
}

/// A connection that is kept, by somebody who has shown who it is.
struct Known(Wire);

impl Known {
    fn new(http: &Http) -> Self {
        let mut known = Self(http.open());
        known.ask();
        known
    }

    /// The agent ends what is kept without a request for 10 s: this is to be called more often.
    #[track_caller]
    fn ask(&mut self) {
        self.0.write_all(b"GET /v1/health HTTP/1.1\r\nHost: localhost\r\n\r\n").unwrap();
        let mut chunk = [0; 4096];
        let n = self.0.read(&mut chunk).unwrap();
        assert!(chunk[..n].starts_with(b"HTTP/1.1 200"), "{:?}", String::from_utf8_lossy(&chunk[..n]));
    }

    /// So many say nothing at this address, while this one is served.
    #[track_caller]
    fn beside(&mut self, addr: SocketAddr, count: usize) -> Vec<TcpStream> {
        let mut all = Vec::new();
        while all.len() < count {
            all.extend(silent_at(addr, 50));
            self.ask();
        }
        all
    }
}

#[test]
fn a_thousand_that_say_nothing_hold_nobody_up_and_cost_no_more_than_a_few() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let before = agent.open_descriptors();
    let own = ca.client("eyes");
    let mut known = Known::new(&agent.tls(ca.trusting(Some(&own))));
    let silent = known.beside(agent.tls_addr(), 1_000);
    for _ in 0..5 {
        health(&agent, &ca, &own);
        agent.http().get("/v1/health").is(200);
        known.ask();
    }
    // All have come, by the order of a queue: the oldest have made room.
    until("the first have made room", || {
        known.ask();
        silent[..700].iter().all(is_ended).then_some(())
    });
    assert!(agent.open_descriptors() < before + 300, "{before} and {} now", agent.open_descriptors());
    // Whoever has shown who it is, is none of them.
    until("the agent has ended all of them", || {
        known.ask();
        silent.iter().all(is_ended).then_some(())
    });
    known.ask();
}

#[test]
fn those_who_come_through_the_handshake_and_show_nothing_are_of_the_crowd_too() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    // More than there are places for control connections.
    let mut crowd = Vec::new();
    for _ in 0..600 {
        let mut wire = agent.tls(ca.trusting(None)).open();
        wire.flush().unwrap();
        crowd.push(wire);
    }
    health(&agent, &ca, &ca.client("eyes"));
    agent.http().get("/v1/health").is(200);
}

#[test]
fn a_handshake_that_comes_byte_by_byte_has_a_deadline() {
    let ca = Ca::new("authority");
    let agent = agent(&ca);
    let mut slow = silent(&agent, 1).remove(0);
    // A handshake's record of 512 bytes, of which there is always one more to come.
    let mut bytes = [0x16, 3, 1, 2, 0].into_iter().chain(std::iter::repeat(1));
    until("the agent has ended it", || {
        let is_over = slow.write_all(&[bytes.next().unwrap()]).is_err();
        std::thread::sleep(std::time::Duration::from_millis(100));
        is_over.then_some(())
    });
    health(&agent, &ca, &ca.client("eyes"));
}

#[test]
fn a_stop_does_not_wait_for_them() {
    let ca = Ca::new("authority");
    let mut agent = agent(&ca);
    let silent = silent(&agent, 50);
    health(&agent, &ca, &ca.client("eyes"));
    assert_eq!(agent.terminate(LIMIT), Some(0));
    until("they are ended", || silent.iter().all(is_ended).then_some(()));
}

#[test]
fn with_few_descriptors_they_leave_some_for_everybody_else() {
    let ca = Ca::new("authority");
    let tables = "[[certificate]]\nname = 'eyes'\nrole = 'viewer'\n";
    let agent =
        Setup::new().descriptors(256).tls(&ca.issue(&Leaf::server()), Some(&ca), tables).echo("one").start();
    let silent = silent(&agent, 400);
    until("the agent has ended them", || silent.iter().all(is_ended).then_some(()));
    health(&agent, &ca, &ca.client("eyes"));
}

#[test]
fn without_tls_a_thousand_that_say_nothing_hold_nobody_up_either() {
    let agent = Setup::new().echo("one").tcp_control().start();
    let Http::Tcp(addr) = agent.tcp() else { panic!("not tcp") };
    let mut known = Known::new(&agent.tcp());
    let silent = known.beside(addr, 1_000);
    for _ in 0..5 {
        agent.http().get("/v1/health").is(200);
        agent.tcp().get("/v1/health").is(200);
        known.ask();
    }
    until("the agent has ended all of them", || {
        known.ask();
        silent.iter().all(is_ended).then_some(())
    });
    known.ask();
}
