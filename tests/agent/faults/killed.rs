//! An agent that is killed in the middle of its work.
use std::collections::HashSet;

use serde_json::json;

use crate::support::pattern::Pattern;
use crate::support::upstream::ByHand;
use crate::support::{LIMIT, Peer, Setup};

const CLIENTS: usize = 100;

#[test]
fn both_peers_of_a_killed_agent_see_the_end_and_its_successor_begins_with_nobody_and_new_ids() {
    let upstream = ByHand::listen();
    let setup = Setup::new().forward("front", upstream.addr());
    let state = setup.dir().join("state");
    let agent = setup.arg("--state-dir").arg(state).start();
    let pairs: Vec<_> = (0..CLIENTS).map(|_| (Peer::connect(agent.only()), upstream.accept())).collect();
    let ids: HashSet<_> = agent.settled(CLIENTS).iter().map(|row| row["conn_id"].as_u64().unwrap()).collect();
    let plan = json!({ "operation": "close", "where": "listener == 'front'" });
    let plan = agent.http().post("/v1/plans", &plan).is(200).json();
    // Half of them are in the middle of a transfer.
    let writers: Vec<_> = pairs.iter().step_by(2).map(|(client, _)| client.another()).collect();
    let writers: Vec<_> = writers
        .into_iter()
        .map(|peer| std::thread::spawn(move || Pattern::default().write(&mut peer.stream(), u64::MAX >> 20)))
        .collect();
    let agent = agent.crash_and_restart();
    for (mut client, mut server) in pairs {
        // A FIN where nothing was under way, a RST where something was: an end in any case, within the limit.
        client.end();
        server.end();
    }
    for writer in writers {
        assert!(writer.join().unwrap().is_err(), "nobody takes that much");
    }
    assert_eq!(agent.connections().len(), 0);
    assert_eq!(agent.ended("client"), 0, "what another process did is not counted");
    let clients: Vec<_> = (0..CLIENTS).map(|_| (Peer::connect(agent.only()), upstream.accept())).collect();
    for row in agent.settled(CLIENTS) {
        assert!(!ids.contains(&row["conn_id"].as_u64().unwrap()), "an id came back: {row}");
    }
    let kept = agent.http().get("/v1/plans").is(200).json();
    assert_eq!(kept["plans"][0]["plan_id"], plan["plan_id"], "{kept}");
    drop(clients);
    let mut agent = agent;
    assert_eq!(agent.terminate(LIMIT), Some(0));
}
