//! Revocations: who is there is closed, and who comes is refused, with nobody between the two.
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::upstream::ByHand;
use crate::support::{Agent, End, LIMIT, Peer, Setup, until};

const AUTH: &[u8] = b"*3\r\n$4\r\nAUTH\r\n$5\r\nalice\r\n$6\r\ns3cret\r\n";

/// One listener, named `front`, with these settings besides.
fn agent(mode: &str, more: &str) -> Agent {
    Setup::new().config(listener(mode, more)).start()
}

fn listener(mode: &str, more: &str) -> String {
    format!("[[listener]]\nname = 'front'\nmode = '{mode}'\nbind = '127.0.0.1:0'\n{more}\n")
}

fn in_front_of(upstream: SocketAddr, more: &str) -> Agent {
    agent("forward", &format!("upstream = ['{upstream}']\n{more}"))
}

/// A client at an address of its own.
fn from(last: u8, addr: SocketAddr) -> std::io::Result<Peer> {
    let socket = socket2::Socket::new(socket2::Domain::IPV4, socket2::Type::STREAM, None)?;
    socket.bind(&SocketAddr::from(([127, 0, 0, last], 0)).into())?;
    socket.connect(&addr.into())?;
    Ok(Peer::from_stream(socket.into()))
}

/// Connects from this address and must be reset, be it that the RST overtakes the answer to the dial.
#[track_caller]
fn is_refused(last: u8, addr: SocketAddr) {
    match from(last, addr) {
        Ok(mut client) => client.ends_with(End::Reset),
        Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::ConnectionReset),
    }
}

/// Revokes; gives the items and the last line.
#[track_caller]
fn revoke(agent: &Agent, request: &Value) -> (Vec<Value>, Value) {
    let mut lines = agent.http().post("/v1/revocations", request).is(200).json_lines();
    let last = lines.pop().expect("a last line");
    assert!(last["summary"].is_object() && last["revocation"]["id"].is_u64(), "{last}");
    (lines, last)
}

#[track_caller]
fn id_of(last: &Value) -> u64 {
    last["revocation"]["id"].as_u64().unwrap()
}

#[track_caller]
fn lift(agent: &Agent, id: u64) -> Value {
    agent.http().delete(&format!("/v1/revocations/{id}")).is(200).json()
}

#[track_caller]
fn listed(agent: &Agent) -> Vec<Value> {
    let page = agent.http().get("/v1/revocations").is(200).json();
    page["revocations"].as_array().unwrap().clone()
}

#[track_caller]
fn count(agent: &Agent, selector: &str) -> u64 {
    let path = format!("/v1/connections?count=true&where={selector}");
    agent.http().get(&path).is(200).json()["count"].as_u64().unwrap()
}

#[track_caller]
fn works(mut client: Peer) -> Peer {
    client.send("hello");
    client.expect("hello");
    client
}

#[test]
fn an_address_is_closed_and_refused_until_that_is_lifted() {
    let agent = agent("echo", "");
    let (mut live, other) = (from(2, agent.only()).unwrap(), works(from(3, agent.only()).unwrap()));
    let id = agent.id(&live);
    let (items, last) = revoke(&agent, &json!({ "ip": "127.0.0.2", "note": "scanning" }));
    assert_eq!(items.len(), 1, "{items:?}");
    assert_eq!(
        (&items[0]["conn_id"], &items[0]["status"], &items[0]["operation"]),
        (&json!(id), &json!("done"), &json!("close"))
    );
    assert_eq!((&last["summary"]["matched"], &last["summary"]["done"]), (&json!(1), &json!(1)));
    live.ends_with(End::Fin);
    for _ in 0..3 {
        is_refused(2, agent.only());
    }
    works(other);
    works(from(3, agent.only()).unwrap());
    agent.counts("client", "revoked", 1);
    let row = listed(&agent).remove(0);
    assert_eq!(
        (&row["ip"], &row["uid"], &row["note"]),
        (&json!("127.0.0.2"), &Value::Null, &json!("scanning"))
    );
    assert_eq!((&row["expires_at"], &row["refused"]), (&Value::Null, &json!(3)), "{row}");
    let log = until("the refusal is logged", || Some(agent.log()).filter(|log| log.contains("refused")));
    assert!(log.contains("revoked") && log.contains("policy") && log.contains("operator"), "{log}");

    assert_eq!(lift(&agent, id_of(&last))["refused"], 3);
    works(from(2, agent.only()).unwrap());
    assert!(listed(&agent).is_empty());
    let error = agent.http().delete(&format!("/v1/revocations/{}", id_of(&last))).error(404, "not_found");
    assert!(error.contains(&id_of(&last).to_string()), "{error}");
}

#[test]
fn a_network_takes_in_its_addresses_and_the_type_says_how_they_end() {
    let agent = agent("echo", "");
    let mut live = from(4, agent.only()).unwrap();
    agent.settled(1);
    let (items, last) = revoke(&agent, &json!({ "ip": "127.0.0.7/30", "operation": "reset" }));
    assert_eq!(last["revocation"]["ip"], "127.0.0.4/30", "bits behind the prefix mean nothing");
    assert_eq!(items[0]["operation"], "reset");
    live.ends_with(End::Reset);
    is_refused(6, agent.only());
    works(from(8, agent.only()).unwrap());
    works(from(3, agent.only()).unwrap());
}

#[test]
fn the_message_that_names_a_revoked_user_never_reaches_the_upstream_whole() {
    let upstream = ByHand::listen();
    let agent = in_front_of(upstream.addr(), "identity = ['redis']");
    let mut live = Peer::connect(agent.only());
    live.send(AUTH);
    let mut served = upstream.accept();
    served.expect(AUTH);
    until("alice is known", || (count(&agent, "uid%3Dalice") == 1).then_some(()));
    let (items, _) = revoke(&agent, &json!({ "uid": "alice" }));
    assert_eq!((items.len(), &items[0]["uid"]), (1, &json!("alice")));
    live.ends_with(End::Fin);
    served.ends_with(End::Fin);

    // In one piece nothing of it passes; in pieces, the last one does not, nor what follows.
    for cut in [0, 1, AUTH.len() / 2, AUTH.len() - 1] {
        let mut client = Peer::connect(agent.only());
        let mut server = upstream.accept();
        client.send(&AUTH[..cut]);
        server.expect(&AUTH[..cut]);
        client.send([&AUTH[cut..], b"PING\r\n"].concat());
        client.ends_with(End::Reset);
        server.ends_with(End::Reset);
    }
    agent.settled(0);
    assert_eq!(agent.count_of("client", "revoked"), 5);
    let mut other = Peer::connect(agent.only());
    other.send("PING\r\n");
    upstream.accept().expect("PING\r\n");
}

#[test]
fn a_user_is_refused_however_it_becomes_known() {
    let proxied =
        "accept_proxy_from = ['127.0.0.5']\nidentity = ['proxy']\nnetworks = { '127.0.0.6' = 'alice' }";
    let agent = agent("echo", proxied);
    revoke(&agent, &json!({ "uid": "alice" }));
    // By the network of its address.
    from(6, agent.only()).unwrap().ends_with(End::Reset);
    // By a PROXY header: version 2, a TCP client, and the authority.
    let mut client = from(5, agent.only()).unwrap();
    client
        .send(b"\r\n\r\n\0\r\nQUIT\n\x21\x11\0\x14\xc0\0\x02\x01\xc0\0\x02\x02\x10\0\x10\x01\x02\0\x05alice");
    client.ends_with(End::Reset);
    // By hand. It is said whose it is, and that ends it.
    let mut client = works(from(2, agent.only()).unwrap());
    let id = agent.id(&client);
    let row = agent.http().post(&format!("/v1/connections/{id}/assign"), &json!({ "uid": "alice" })).is(200);
    assert_eq!(row.json()["uid"], "alice");
    client.ends_with(End::Fin);
    agent.counts("client", "revoked", 3);
    assert_eq!(listed(&agent)[0]["refused"], 3);
    works(from(2, agent.only()).unwrap());
}

#[test]
fn a_proxied_client_is_refused_by_its_own_address_and_the_proxy_is_nobody() {
    let agent = agent("echo", "accept_proxy_from = ['127.0.0.0/8']");
    let proxied = |ip: &str| {
        let mut client = Peer::connect(agent.only());
        client.send(format!("PROXY TCP4 {ip} 192.0.2.9 1000 80\r\n"));
        client
    };
    let mut live = works(proxied("192.0.2.1"));
    revoke(&agent, &json!({ "ip": "192.0.2.0/31" }));
    live.ends_with(End::Fin);
    proxied("192.0.2.1").ends_with(End::Reset);
    works(proxied("192.0.2.2"));
    revoke(&agent, &json!({ "ip": "127.0.0.1" }));
    works(proxied("192.0.2.2"));
    let mut unknown = Peer::connect(agent.only());
    unknown.send("PROXY UNKNOWN\r\n");
    unknown.ends_with(End::Reset);
}

#[test]
fn a_user_assigned_by_hand_is_not_the_one_whom_its_bytes_name() {
    let agent = agent("echo", "identity = ['redis']");
    let mut client = Peer::connect(agent.only());
    agent.assign(&client, "bob");
    revoke(&agent, &json!({ "uid": "alice" }));
    client.send(AUTH);
    client.expect(AUTH);
    assert_eq!(agent.row(&client)["uid"], "bob");
    revoke(&agent, &json!({ "uid": "bob" }));
    client.ends_with(End::Fin);
}

#[test]
fn of_two_that_overlap_the_other_stays_and_a_longer_one_extends() {
    let agent = agent("echo", "");
    let (_, user) = revoke(&agent, &json!({ "ip": "127.0.0.2", "for_ms": 3_600_000 }));
    let (_, wide) = revoke(&agent, &json!({ "ip": "127.0.0.0/29" }));
    let (_, longer) = revoke(&agent, &json!({ "ip": "127.0.0.2", "for_ms": 7_200_000 }));
    assert!(id_of(&user) < id_of(&wide) && id_of(&wide) < id_of(&longer));
    let left = |last: &Value| last["revocation"]["remaining_ms"].as_u64();
    assert_eq!((left(&user), left(&wide), left(&longer)), (Some(3_600_000), None, Some(7_200_000)));
    lift(&agent, id_of(&wide));
    is_refused(2, agent.only());
    works(from(3, agent.only()).unwrap());
    lift(&agent, id_of(&user));
    is_refused(2, agent.only());
    lift(&agent, id_of(&longer));
    works(from(2, agent.only()).unwrap());
    let (_, next) = revoke(&agent, &json!({ "ip": "127.0.0.9" }));
    assert!(id_of(&next) > id_of(&longer), "no id is used twice");
}

#[test]
fn it_is_over_when_its_time_is() {
    let agent = agent("echo", "");
    let begun = Instant::now();
    revoke(&agent, &json!({ "ip": "127.0.0.2", "for_ms": 700 }));
    is_refused(2, agent.only());
    until("it is over", || listed(&agent).is_empty().then_some(()));
    assert!(begun.elapsed() >= Duration::from_millis(690), "{:?}", begun.elapsed());
    works(from(2, agent.only()).unwrap());
}

#[test]
fn what_is_wrong_is_named_and_revokes_nothing() {
    let agent = agent("echo", "");
    let clients: Vec<_> = (0..3).map(|_| from(2, agent.only()).unwrap()).collect();
    agent.settled(3);
    for (request, words) in [
        (json!({}), ["uid", "neither"]),
        (json!({ "uid": "u", "ip": "127.0.0.2" }), ["uid", "both"]),
        (json!({ "uid": "" }), ["uid", "\"\""]),
        (json!({ "uid": "x".repeat(257) }), ["uid", "256"]),
        (json!({ "ip": "127.0.0.2/33" }), ["ip", "127.0.0.2/33"]),
        (json!({ "ip": "localhost" }), ["ip", "localhost"]),
        (json!({ "ip": "127.0.0.2", "for_ms": 0 }), ["for_ms", "0"]),
        (json!({ "ip": "127.0.0.2", "for_ms": 4_000_000_000_000_u64 }), ["for_ms", "4000000000000"]),
        (json!({ "ip": "127.0.0.2", "for_ms": "10m" }), ["for_ms", "10m"]),
        (json!({ "ip": "127.0.0.2", "operation": "halfclose" }), ["operation", "halfclose"]),
        (json!({ "ip": "127.0.0.2", "grace_ms": 3_600_001 }), ["grace_ms", "3600001"]),
        (json!({ "ip": "127.0.0.2", "max_percent": 101 }), ["max_percent", "101"]),
        (json!({ "ip": "127.0.0.2", "note": "n".repeat(1_025) }), ["note", "1024"]),
        (json!({ "ip": "127.0.0.2", "untill": 5 }), ["untill", "unknown"]),
    ] {
        let error = agent.http().post("/v1/revocations", &request).error(400, "invalid_request");
        assert!(words.iter().all(|word| error.contains(word)), "{request}: {error}");
    }
    let request = json!({ "ip": "127.0.0.2", "max": 2 });
    let error = agent.http().post("/v1/revocations", &request).error(409, "guard_refused");
    assert!(error.contains('3') && error.contains('2'), "{error}");
    let request = json!({ "ip": "127.0.0.2", "max_percent": 50 });
    agent.http().post("/v1/revocations", &request).error(409, "guard_refused");
    agent.http().delete("/v1/revocations/none").error(400, "invalid_request");
    assert!(listed(&agent).is_empty() && clients.iter().all(Peer::is_quiet));
    revoke(&agent, &json!({ "ip": "127.0.0.2", "max": 3 }));
}

fn kept() -> (Setup, String) {
    let setup = Setup::new().config(listener("echo", ""));
    let state = setup.dir().join("state");
    (setup.arg("--state-dir").arg(&state), state)
}

#[test]
fn it_is_kept_over_a_crash_with_a_state_directory() {
    let (setup, _) = kept();
    let agent = setup.start();
    let (_, user) = revoke(&agent, &json!({ "uid": "alice", "note": "left the company" }));
    let (_, lifted) = revoke(&agent, &json!({ "ip": "127.0.0.3" }));
    revoke(&agent, &json!({ "ip": "127.0.0.2", "for_ms": 3_600_000 }));
    revoke(&agent, &json!({ "ip": "127.0.0.4", "for_ms": 1 }));
    lift(&agent, id_of(&lifted));
    let before = listed(&agent);
    let agent = agent.crash_and_restart();
    let after = listed(&agent);
    assert_eq!(after.len(), 2, "{after:?}");
    for (before, after) in before.iter().zip(&after) {
        for field in ["id", "uid", "ip", "created_at", "expires_at", "note"] {
            assert_eq!(before[field], after[field], "{field}");
        }
    }
    is_refused(2, agent.only());
    works(from(3, agent.only()).unwrap());
    works(from(4, agent.only()).unwrap());
    let (_, next) = revoke(&agent, &json!({ "uid": "bob" }));
    assert!(id_of(&next) > id_of(&user) + 3, "no id is used twice");
    lift(&agent, id_of(&user));
    assert_eq!(listed(&agent.crash_and_restart()).len(), 2);
}

#[test]
fn a_damaged_file_is_named_and_not_taken_for_none() {
    let (setup, state) = kept();
    drop(setup.clone().start());
    let file = format!("{state}/revocations.json");
    for content in
        ["", "{", "{\"version\":1,\"last_id\":0}", "{\"version\":9,\"last_id\":0,\"revocations\":[]}"]
    {
        std::fs::write(&file, content).unwrap();
        let run = setup.refuses();
        assert!(run.stderr.contains(&file) && run.stderr.contains("damaged"), "{content}: {}", run.stderr);
    }
    assert!(std::fs::read_to_string(&file).unwrap().contains("\"version\":9"), "it is left as it was");
}

#[test]
fn what_cannot_be_written_down_is_not_in_force() {
    let (setup, state) = kept();
    let agent = setup.start();
    let client = from(2, agent.only()).unwrap();
    agent.settled(1);
    let (_, last) = revoke(&agent, &json!({ "ip": "127.0.0.3" }));
    // The file cannot be replaced.
    std::fs::create_dir(format!("{state}/revocations.json.next")).unwrap();
    let error = agent.http().post("/v1/revocations", &json!({ "ip": "127.0.0.2" })).error(503, "unavailable");
    assert!(error.contains("state directory"), "{error}");
    assert!(client.is_quiet());
    works(from(2, agent.only()).unwrap());
    agent.http().delete(&format!("/v1/revocations/{}", id_of(&last))).error(503, "unavailable");
    is_refused(3, agent.only());
    std::fs::remove_dir(format!("{state}/revocations.json.next")).unwrap();
    lift(&agent, id_of(&last));
    works(from(3, agent.only()).unwrap());
}

/// A thousand clients that come back as fast as they can; some come and go by themselves, so that there is
/// always one on its way in.
const CLIENTS: usize = 1_000;
const THREADS: usize = 8;
/// How often they are revoked. In each round a few are in the middle of their entrance.
const ROUNDS: usize = 6;
/// One of so many clients never stays.
const RESTLESS: usize = 10;
/// Dials that are looked after in each round, at least; all must fail.
const MORE_DIALS: u64 = 500;

/// What a thread of clients does until it is told to stop. Gives those who are in.
fn come_back(dial: impl Fn() -> std::io::Result<Peer>, dials: &AtomicU64, stop: &AtomicBool) -> Vec<Peer> {
    let mut clients: Vec<Option<Peer>> = (0..CLIENTS / THREADS).map(|_| None).collect();
    while !stop.load(Ordering::Relaxed) {
        for (place, client) in clients.iter_mut().enumerate() {
            let is_in = client.as_ref().is_some_and(Peer::is_quiet);
            if is_in && place % RESTLESS != 0 {
                continue;
            }
            if let Some(client) = client.take() {
                client.reset();
            }
            dials.fetch_add(1, Ordering::Relaxed);
            // A RST may overtake the answer to the dial, and end the first message.
            *client = dial().ok();
        }
    }
    clients.into_iter().flatten().collect()
}

/// None of them is let in, and none is known under what is revoked, from the answer on.
fn nobody_survives(
    agent: &Agent,
    request: &Value,
    selector: &str,
    dial: fn(SocketAddr) -> std::io::Result<Peer>,
) {
    let (addr, dials, stop) = (agent.only(), Arc::new(AtomicU64::new(0)), Arc::new(AtomicBool::new(false)));
    let threads: Vec<_> = (0..THREADS)
        .map(|_| {
            let (dials, stop) = (Arc::clone(&dials), Arc::clone(&stop));
            std::thread::spawn(move || come_back(|| dial(addr), &dials, &stop))
        })
        .collect();
    for round in 0..ROUNDS {
        let many = CLIENTS / 2;
        until("many are in", || (count(agent, selector) > many as u64).then_some(()));
        let (items, last) = revoke(agent, request);
        let answered = dials.load(Ordering::Relaxed);
        assert!(items.len() > many - CLIENTS / RESTLESS, "round {round}: {last}");
        let start = Instant::now();
        while dials.load(Ordering::Relaxed) < answered + MORE_DIALS {
            assert_eq!(count(agent, selector), 0, "round {round}: somebody is registered");
            assert!(start.elapsed() < 3 * LIMIT, "the clients do not come back");
        }
        assert!(listed(agent)[0]["refused"].as_u64().unwrap() > 0);
        if round + 1 < ROUNDS {
            lift(agent, id_of(&last));
        }
    }
    stop.store(true, Ordering::Relaxed);
    let left: Vec<_> = threads.into_iter().flat_map(|thread| thread.join().unwrap()).collect();
    until("the last of them are told", || left.iter().all(|client| !client.is_quiet()).then_some(()));
    assert_eq!(count(agent, selector), 0);
    agent.settled(0);
}

#[test]
fn of_a_thousand_clients_that_come_back_at_once_no_address_survives() {
    let agent = agent("hold", "");
    let dial = |addr| from(2, addr);
    nobody_survives(&agent, &json!({ "ip": "127.0.0.0/30" }), "ip%3D127.0.0.2", dial);
}

#[test]
fn of_a_thousand_clients_that_come_back_at_once_no_user_survives() {
    let agent = agent("hold", "identity = ['redis']");
    let dial = |addr| {
        let client = from(2, addr)?;
        std::io::Write::write_all(&mut client.stream(), AUTH)?;
        Ok(client)
    };
    nobody_survives(&agent, &json!({ "uid": "alice" }), "uid%3Dalice", dial);
}
