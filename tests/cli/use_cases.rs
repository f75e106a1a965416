//! What WuKongIM's document writes programs for, each as one command: a limit for each user, stale
//! connections, the connections of one device, a node before its maintenance. The clients say who they are in
//! that system's own protocol.
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::cli::Connctl;
use crate::support::{Agent, End, Peer, Setup, until};

fn agent() -> Agent {
    let config = "[[listener]]\nname = 'im'\nmode = 'hold'\nbind = '127.0.0.1:0'\nidentity = ['wukongim']\n";
    Setup::new().config(config).tcp_control().start()
}

/// A client that has sent its `CONNECT`, once the agent knows whose it is: 0 is a phone, 1 a browser, 2 a
/// desktop.
fn login(agent: &Agent, uid: &str, device_flag: u8) -> Peer {
    let mut body = vec![4, device_flag];
    for text in ["d-1", uid, "a token"] {
        body.extend(u16::try_from(text.len()).unwrap().to_be_bytes());
        body.extend(text.as_bytes());
    }
    body.extend([0; 10]);
    let mut client = Peer::connect(agent.only());
    client.send([&[0x10, u8::try_from(body.len()).unwrap()][..], &body].concat());
    until("its user is known", || (agent.row(&client)["uid"] == uid).then_some(()));
    client
}

fn ids(agent: &Agent) -> Vec<u64> {
    agent.connections().iter().map(|row| row["conn_id"].as_u64().unwrap()).collect()
}

fn summary(lines: &[Value]) -> (Value, Value) {
    let summary = &lines.last().unwrap()["summary"];
    (summary["done"].clone(), summary["failed"].clone())
}

#[test]
fn each_user_keeps_the_three_connections_that_were_used_last() {
    let agent = agent();
    let mut clients: Vec<_> = (0..5).map(|_| login(&agent, "user123", 0)).collect();
    let mut other = login(&agent, "u2", 0);
    let all: Vec<_> = clients.iter().map(|client| agent.id(client)).collect();
    // The first two are used again, so the third and the fourth are those that have been idle for longest.
    let before: Vec<_> =
        clients.iter().map(|client| agent.row(client)["to_upstream_bytes"].as_u64()).collect();
    until("all have been idle for a while", || {
        agent.connections().iter().all(|row| row["idle_ms"].as_u64() > Some(20)).then_some(())
    });
    for place in 0..2 {
        clients[place].send([0x70]);
        until("it is counted", || {
            (agent.row(&clients[place])["to_upstream_bytes"].as_u64() > before[place]).then_some(())
        });
    }
    let limit = "limit set --listener im max_per_uid=3 on_over=evict-oldest-activity";
    Connctl::to(&agent).line(limit).ok();
    agent.settled(4);
    assert_eq!(ids(&agent), [all[0], all[1], all[4], agent.id(&other)]);
    for place in [2, 3] {
        clients[place].ends_with(End::Fin);
    }
    agent.counts("client", "evicted", 2);
    // And from now on it holds by itself: nobody has to look again.
    let _newest = login(&agent, "user123", 1);
    agent.settled(4);
    assert!(!ids(&agent).contains(&all[4]), "the one that was idle for longest");
    assert!(other.is_quiet());
    other.send([0x70]);
}

#[test]
fn stale_connections_are_removed_and_those_in_use_are_not() {
    let agent = agent();
    let mut stale: Vec<_> = (0..3).map(|_| login(&agent, "user123", 0)).collect();
    let used = login(&agent, "user123", 0);
    let id = agent.id(&used);
    let (stop, stopped) = std::sync::mpsc::channel::<()>();
    let pinging = std::thread::spawn(move || {
        let mut used = used;
        while stopped.recv_timeout(Duration::from_millis(20))
            == Err(std::sync::mpsc::RecvTimeoutError::Timeout)
        {
            used.send([0x70]);
        }
        used
    });
    until("three are idle", || {
        let idle = |row: &&Value| row["idle_ms"].as_u64() > Some(3_000);
        (agent.connections().iter().filter(idle).count() == 3).then_some(())
    });
    let run = Connctl::to(&agent).line("remove --idle-over 3s --yes --note stale -o jsonl").ok();
    assert_eq!(summary(&run.json_lines()), (json!(3), json!(0)));
    stale.iter_mut().for_each(|client| client.ends_with(End::Fin));
    assert_eq!(ids(&agent), [id]);
    stop.send(()).unwrap();
    pinging.join().unwrap();
}

#[test]
fn a_list_of_connections_is_removed_with_a_result_for_each() {
    let agent = agent();
    let (one, two) = (login(&agent, "user123", 0), login(&agent, "u2", 0));
    let (first, second) = (agent.id(&one), agent.id(&two));
    // The third is not this user's, and stays.
    let list = format!(
        "{{\"uid\":\"user123\",\"conn_id\":{first},\"node_id\":1}}\n{{\"uid\":\"u2\",\"conn_id\":{}}}\n\
         {{\"uid\":\"user123\",\"conn_id\":{second}}}\n",
        second + 1_000
    );
    let run = Connctl::to(&agent).input(&list).line("remove --batch - --yes -o jsonl");
    assert_eq!(run.code, Some(6), "{run:?}");
    let lines = run.json_lines();
    let status = |id: u64| {
        let found: Vec<_> = lines.iter().filter(|line| line["conn_id"] == id).collect();
        found[0]["status"].as_str().unwrap().to_owned()
    };
    assert_eq!(status(first), "done");
    assert_eq!((status(second), status(second + 1_000)), ("not_found".into(), "not_found".into()));
    assert_eq!(ids(&agent), [second]);
}

#[test]
fn the_connections_of_one_device_are_removed() {
    let agent = agent();
    let (app, mut web, pc) =
        (login(&agent, "user123", 0), login(&agent, "user123", 1), login(&agent, "user123", 2));
    let other = login(&agent, "u2", 1);
    let left = [agent.id(&app), agent.id(&pc), agent.id(&other)];
    let run = Connctl::to(&agent).line("remove --uid user123 --device web --yes -o jsonl").ok();
    assert_eq!(summary(&run.json_lines()), (json!(1), json!(0)));
    web.ends_with(End::Fin);
    assert_eq!(ids(&agent), left);
}

#[test]
fn a_node_is_emptied_for_its_maintenance() {
    let agent = agent();
    let mut clients: Vec<_> = (0..20).map(|place| login(&agent, &format!("u{place}"), 0)).collect();
    let own = Connctl::to(&agent);
    // Another node's are not here to be removed.
    let run = own.line("remove --node 2 --yes -o jsonl").ok();
    assert_eq!(summary(&run.json_lines()), (json!(0), json!(0)));
    let run = own.line("remove --node 1 --yes --note maintenance -o jsonl").ok();
    let lines = run.json_lines();
    assert_eq!((summary(&lines), lines.len()), ((json!(20), json!(0)), 21));
    clients.iter_mut().for_each(|client| client.ends_with(End::Fin));
    assert_eq!(ids(&agent), [0; 0]);
}
