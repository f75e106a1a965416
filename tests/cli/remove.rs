//! `connctl remove`, `reset`, `halfclose`, `pause` and `resume`: acting on connections.
use serde_json::{Value, json};

use crate::support::cli::Connctl;
use crate::support::upstream::ByHand;
use crate::support::{Agent, End, Peer};

fn statuses(lines: &[Value]) -> Vec<&str> {
    lines.iter().filter_map(|line| line["status"].as_str()).collect()
}

fn summary(lines: &[Value]) -> &Value {
    let last = &lines.last().expect("a last line")["summary"];
    assert!(last.is_object(), "the last line is no summary: {lines:?}");
    last
}

#[test]
fn remove_closes_one_users_connections_and_says_so() {
    let agent = Agent::echo();
    let (mut a, mut b, mut c) =
        (Peer::connect(agent.only()), Peer::connect(agent.only()), Peer::connect(agent.only()));
    let ids = [agent.assign(&a, "u1"), agent.assign(&b, "u1")];
    agent.assign(&c, "u2");
    let lines = Connctl::to(&agent).line("remove --uid u1 --yes -o jsonl").ok().json_lines();
    let mut seen: Vec<_> = lines[..2].iter().map(|line| line["conn_id"].as_u64().unwrap()).collect();
    seen.sort_unstable();
    assert_eq!(seen, ids);
    for line in &lines[..2] {
        assert_eq!(
            (&line["uid"], &line["operation"], &line["side"], &line["status"], &line["node_id"]),
            (&json!("u1"), &json!("close"), &json!("both"), &json!("done"), &json!(1)),
            "{line}"
        );
        assert_eq!(line["wire"]["fin_sent"], true, "{line}");
    }
    let counts = summary(&lines);
    assert_eq!(
        (&counts["matched"], &counts["requested"], &counts["done"]),
        (&json!(2), &json!(2), &json!(2))
    );
    a.ends_with(End::Fin);
    b.ends_with(End::Fin);
    c.send("untouched");
    c.expect("untouched");
}

#[test]
fn the_type_decides_what_the_peer_sees() {
    for (words, end, operation) in [
        ("remove --type close", End::Fin, "close"),
        ("remove --type reset", End::Reset, "reset"),
        ("remove --type halfclose", End::Fin, "halfclose"),
        ("reset", End::Reset, "reset"),
        ("halfclose", End::Fin, "halfclose"),
    ] {
        let agent = Agent::echo();
        let mut client = Peer::connect(agent.only());
        let id = agent.id(&client);
        let lines =
            Connctl::to(&agent).line(&format!("{words} --conn-id {id} --yes -o jsonl")).ok().json_lines();
        assert_eq!(
            (&lines[0]["operation"], &lines[0]["status"]),
            (&json!(operation), &json!("done")),
            "{words}"
        );
        client.ends_with(end);
    }
}

#[test]
fn the_side_decides_who_sees_it() {
    for (side, at_client, at_upstream) in [
        ("client", End::Reset, End::Fin),
        ("upstream", End::Fin, End::Reset),
        ("both", End::Reset, End::Reset),
    ] {
        let upstream = ByHand::listen();
        let agent = Agent::front(upstream.addr());
        let mut client = Peer::connect(agent.only());
        let mut server = upstream.accept();
        agent.settled(1);
        Connctl::to(&agent).line(&format!("reset --all --side {side} --yes")).ok();
        assert_eq!((client.end().1, server.end().1), (at_client, at_upstream), "--side {side}");
    }
    let agent = Agent::echo();
    Connctl::to(&agent).line("reset --all --side left --yes").exits(2).says("left");
}

#[test]
fn halfclose_keeps_the_other_direction() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let mut client = Peer::connect(agent.only());
    let mut server = upstream.accept();
    agent.settled(1);
    Connctl::to(&agent).line("halfclose --all --yes").ok();
    client.ends_with(End::Fin);
    client.send("still read");
    server.expect("still read");
    let rows = Connctl::to(&agent).line("list --state half_closed -o json").ok().json();
    assert_eq!(rows.as_array().map(Vec::len), Some(1), "{rows}");
}

#[test]
fn pause_holds_bytes_back_and_resume_lets_them_go() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    agent.settled(1);
    let own = Connctl::to(&agent);
    let lines = own.line("pause --all --yes -o jsonl").ok().json_lines();
    assert_eq!(statuses(&lines), ["done"]);
    agent.reaches(&client, "paused");
    client.send("held");
    own.line("list").ok();
    assert!(client.is_quiet(), "a paused connection was read");
    own.line("resume --all --yes").ok();
    client.expect("held");
    agent.reaches(&client, "active");
}

#[test]
fn a_selector_that_matches_nothing_is_done() {
    let agent = Agent::echo();
    let lines = Connctl::to(&agent).line("remove --uid nobody --yes -o jsonl").ok().json_lines();
    assert_eq!((lines.len(), &summary(&lines)["matched"]), (1, &json!(0)));
}

#[test]
fn an_empty_selector_is_refused_and_names_all() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    agent.settled(1);
    for verb in ["remove", "reset", "halfclose", "pause", "resume"] {
        Connctl::to(&agent).line(&format!("{verb} --yes")).exits(2).says("--all");
    }
    client.send("untouched");
    client.expect("untouched");
}

#[test]
fn a_guard_refuses_with_7_and_closes_nothing() {
    let agent = Agent::echo();
    let clients: Vec<_> = (0..4).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(4);
    let own = Connctl::to(&agent);
    own.line("remove --all --yes --max 3").exits(7).says("4");
    own.line("remove --all --yes --max-percent 50").exits(7);
    assert_eq!(agent.connections().len(), 4);
    own.line("remove --all --yes --max 4 --max-percent 100").ok();
    agent.settled(0);
    drop(clients);
}

#[test]
fn a_dry_run_shows_the_set_and_touches_nothing() {
    let agent = Agent::echo();
    let mut clients = [Peer::connect(agent.only()), Peer::connect(agent.only()), Peer::connect(agent.only())];
    let ids = [agent.assign(&clients[0], "u1"), agent.assign(&clients[1], "u1")];
    let run = Connctl::to(&agent).line("remove --uid u1 --dry-run -o jsonl").ok();
    for id in ids {
        assert!(run.stdout.contains(&format!("\"conn_id\":{id}")), "{}", run.stdout);
    }
    assert!(!run.stdout.contains(&format!("\"conn_id\":{}", agent.id(&clients[2]))), "{}", run.stdout);
    for client in &mut clients {
        client.send("untouched");
        client.expect("untouched");
    }
}

#[test]
fn the_grace_bounds_a_close_that_cannot_flush() {
    let upstream = ByHand::listen();
    let agent = Agent::front(upstream.addr());
    let _client = Peer::with_small_window(agent.only());
    let mut server = upstream.accept();
    server.fill();
    let start = std::time::Instant::now();
    let lines = Connctl::to(&agent).line("remove --all --yes --grace 400ms -o jsonl").ok().json_lines();
    assert_eq!(lines[0]["wire"]["forced"], true, "{lines:?}");
    assert!(start.elapsed().as_millis() >= 400, "{:?}", start.elapsed());
    agent.settled(0);
}

#[test]
fn a_thousand_connections_go_in_one_command() {
    let agent = Agent::hold();
    let clients: Vec<_> = (0..1000).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(1000);
    let lines = Connctl::to(&agent).line("reset --all --yes -o jsonl").ok().json_lines();
    assert_eq!((lines.len(), &summary(&lines)["done"]), (1001, &json!(1000)));
    for mut client in clients {
        client.ends_with(End::Reset);
    }
}
