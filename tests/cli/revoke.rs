//! `connctl revoke`: closing and refusing, listing and lifting.
use serde_json::json;

use crate::support::cli::Connctl;
use crate::support::{Agent, End, Peer};

#[test]
fn revoking_closes_refuses_and_is_lifted() {
    let agent = Agent::echo();
    let mut client = Peer::connect(agent.only());
    let id = agent.assign(&client, "u17");
    let run = Connctl::to(&agent).line("revoke --uid u17 --for 10m --note scanning").ok();
    assert!(run.stdout.contains(&id.to_string()), "{}", run.stdout);
    assert!(
        run.stderr.contains("revocation 1: uid u17 is refused for 10m")
            && run.stderr.contains("1 connection closed"),
        "{}",
        run.stderr
    );
    client.ends_with(End::Fin);
    let row = Connctl::to(&agent).line("revoke list -o jsonl").ok().json_lines().remove(0);
    assert_eq!((&row["id"], &row["uid"], &row["note"]), (&json!(1), &json!("u17"), &json!("scanning")));
    let table = Connctl::to(&agent).line("revoke list").ok().stdout;
    assert!(table.contains("u17") && table.contains("scanning") && table.contains("LEFT"), "{table}");
    assert_eq!(Connctl::to(&agent).line("revoke lift 1 -o name").ok().stdout, "1\n");
    Connctl::to(&agent).line("revoke lift 1").exits(3).says("there is no revocation 1");
    assert_eq!(Connctl::to(&agent).line("revoke list -o json").ok().json(), json!([]));
}

#[test]
fn every_form_tells_what_is_in_force() {
    let agent = Agent::echo();
    let json = Connctl::to(&agent).line("revoke --ip 192.0.2.0/24 -o json").ok().json();
    assert_eq!(json["revocation"]["ip"], "192.0.2.0/24");
    assert_eq!((&json["items"], &json["summary"]["matched"]), (&json!([]), &json!(0)));
    let lines = Connctl::to(&agent).line("revoke --uid u1 --type reset -o jsonl").ok().json_lines();
    assert_eq!(lines.last().unwrap()["revocation"]["uid"], "u1");
    let yaml = Connctl::to(&agent).line("revoke --uid u2 -o yaml").ok().stdout;
    assert!(yaml.contains("revocation:") && yaml.contains("u2"), "{yaml}");
    assert_eq!(Connctl::to(&agent).line("revoke --uid u3 -o name").ok().stdout, "4\n");
    let csv = Connctl::to(&agent).line("revoke list -o csv").ok().stdout;
    assert!(
        csv.starts_with("id,node_id,uid,ip,created_at,expires_at,remaining_ms,refused,note\n1,1,,192"),
        "{csv}"
    );
    assert_eq!(Connctl::to(&agent).line("revoke list -o name").ok().stdout, "1\n2\n3\n4\n");
    let quiet = Connctl::to(&agent).line("revoke --uid u4 --quiet").ok();
    assert_eq!(quiet.stderr, "");
}

#[test]
fn a_dry_run_and_a_guard_revoke_nothing() {
    let agent = Agent::echo();
    let clients: Vec<_> = (0..21).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(21);
    let dry = Connctl::to(&agent).line("revoke --ip 127.0.0.1 --dry-run -o name").ok().stdout;
    assert_eq!(dry.lines().count(), 21);
    Connctl::to(&agent).line("revoke --ip 127.0.0.1").exits(7).says("--yes");
    Connctl::to(&agent).line("revoke --ip 127.0.0.1 --yes --max 20").exits(7).says("max is 20");
    assert!(clients.iter().all(Peer::is_quiet));
    assert_eq!(Connctl::to(&agent).line("revoke list -o name").ok().stdout, "");
    Connctl::to(&agent).line("revoke --ip 127.0.0.1 --yes --max 21").ok();
    assert!(clients.iter().all(|client| !client.is_quiet()));
}

#[test]
fn wrong_usage_is_named() {
    let agent = Agent::echo();
    for (words, says) in [
        ("revoke", "--uid"),
        ("revoke --uid a --ip 127.0.0.1", "--ip"),
        ("revoke --uid a --for 0s", "0s"),
        ("revoke --uid a --for soon", "soon"),
        ("revoke --uid a --for 100000d", "--for"),
        ("revoke --uid a --type halfclose", "halfclose"),
        ("revoke --ip 10.0.0.0/40", "10.0.0.0/40"),
        ("revoke lift", "ID"),
        ("revoke lift 0", "0"),
    ] {
        Connctl::to(&agent).line(words).exits(2).says(says);
    }
}
