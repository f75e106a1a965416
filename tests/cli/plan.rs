//! `--dry-run` and `connctl apply`: a set is shown, and then exactly this set is acted on; and the guards.
use serde_json::{Value, json};

use crate::support::cli::Connctl;
use crate::support::{Agent, End, Peer};

fn with_clients(count: usize) -> (Agent, Vec<Peer>) {
    let agent = Agent::echo();
    let clients: Vec<_> = (0..count).map(|_| Peer::connect(agent.only())).collect();
    agent.settled(count);
    (agent, clients)
}

#[track_caller]
fn are_untouched(clients: &mut [Peer]) {
    for client in clients {
        client.send("untouched");
        client.expect("untouched");
    }
}

#[test]
fn a_script_freezes_looks_and_applies() {
    let (agent, mut clients) = with_clients(2);
    agent.assign(&clients[0], "u1");
    let own = Connctl::to(&agent);
    let plan = own.line("remove --uid u1 --dry-run -o name").ok().stdout;
    let plan = plan.trim();
    let late = Peer::connect(agent.only());
    agent.assign(&late, "u1");
    are_untouched(&mut clients);
    let lines = own.line(&format!("apply {plan} --yes -o jsonl")).ok().json_lines();
    assert_eq!(lines.last().unwrap()["summary"]["done"], 1, "{lines:?}");
    clients[0].ends_with(End::Fin);
    are_untouched(&mut [clients.pop().unwrap(), late]);
    own.line(&format!("apply {plan} --yes")).exits(7).says("applied before");
    for unknown in ["nonsense", "../x", "p-1"] {
        own.line(&format!("apply {unknown} --yes")).exits(3).says(unknown);
        own.line(&format!("apply {unknown}")).exits(3);
    }
    own.line("apply p-00000000-7 --yes").exits(7).says("another process");
}

#[test]
fn a_dry_run_has_every_form() {
    let (agent, clients) = with_clients(2);
    agent.assign(&clients[0], "u1");
    let own = Connctl::to(&agent);
    let dry = |form: &str| own.line(&format!("reset --all --dry-run --rate 1/s -o {form}")).ok();
    let document = dry("json").json();
    assert_eq!(document["plan"]["connections"], 2, "{document}");
    assert_eq!(document["plan"]["estimate_ms"], 2000, "{document}");
    assert_eq!(document["connections"].as_array().map(Vec::len), Some(2), "{document}");
    let lines = dry("jsonl").json_lines();
    assert_eq!((lines.len(), &lines[2]["plan"]["operation"]), (3, &json!("reset")));
    assert!(lines[..2].iter().all(|line| line["conn_id"].is_u64()), "{lines:?}");
    assert!(dry("name").stdout.starts_with("p-"));
    assert_eq!(dry("csv").lines().len(), 3);
    let yaml = dry("yaml").stdout;
    assert!(
        yaml.starts_with("plan:\n  plan_id: p-") && yaml.contains("\nconnections:\n- conn_id:"),
        "{yaml}"
    );
    let nothing = own.line("reset --uid nobody --dry-run -o yaml").ok().stdout;
    assert!(nothing.ends_with("connections: []\n"), "{nothing}");
    let run = dry("table").says("connctl apply p-");
    for text in ["u1", "by listener", "echo 2", "takes about  2.0s"] {
        assert!(run.stdout.contains(text), "{text}: {}", run.stdout);
    }
    assert_eq!(agent.connections().len(), 2);
}

#[test]
fn a_batch_can_be_looked_at_first() {
    let (agent, mut clients) = with_clients(3);
    let ids = [agent.id(&clients[0]), agent.id(&clients[1])];
    let own = Connctl::to(&agent).input(&format!("{}\n{}\n{}\n", ids[0], ids[1], ids[1] + 100));
    let plan = own.line("remove --batch - --dry-run -o json").ok().json();
    assert_eq!((&plan["plan"]["connections"], &plan["plan"]["not_found"]), (&json!(2), &json!(1)), "{plan}");
    let id = plan["plan"]["plan_id"].as_str().unwrap();
    own.line(&format!("apply {id} --yes --max 1")).exits(7);
    are_untouched(&mut clients);
    let lines = own.line(&format!("apply {id} --yes -o jsonl")).exits(6).json_lines();
    assert_eq!(lines.last().unwrap()["summary"]["not_found"], 1, "{lines:?}");
    are_untouched(&mut clients[2..]);
}

#[test]
fn a_large_set_by_an_expression_needs_its_number_and_all_does_not() {
    let (agent, mut clients) = with_clients(30);
    let own = Connctl::to(&agent);
    let by_expression = |more: &[&str]| own.run(&[&["remove", "--where", "listener = echo"], more].concat());
    by_expression(&[]).exits(7).says("--yes --max 30");
    by_expression(&["--yes"]).exits(7).says("--yes --max 30");
    by_expression(&["--yes", "--max", "29"]).exits(7);
    own.line("reset --listener echo --yes --detach").exits(7).says("--max 30");
    own.line("remove --all").exits(7).says("--yes");
    are_untouched(&mut clients);
    own.line("pause --listener echo --yes").ok();
    own.line("resume --listener echo").ok();
    let plan = own.run(&["remove", "--where", "listener = echo", "--dry-run", "-o", "name"]).ok().stdout;
    own.line(&format!("apply {}", plan.trim())).exits(7).says("--yes");
    own.line("remove --all --yes --sample 10%").ok();
    agent.settled(27);
    by_expression(&["--yes", "--max", "27"]).ok();
    agent.settled(0);
    let (agent, _clients) = with_clients(30);
    Connctl::to(&agent).line("remove --all --yes").ok();
    agent.settled(0);
}

#[test]
fn wrong_values_of_the_pace_are_wrong_usage_and_touch_nothing() {
    let (agent, mut clients) = with_clients(2);
    let own = Connctl::to(&agent);
    for (words, says) in [
        ("--rate 0/s", "--rate"),
        ("--rate fast", "--rate"),
        ("--rate 50", "--rate"),
        ("--jitter 20%", "--jitter"),
        ("--rate 1/s --jitter 120%", "--jitter"),
        ("--rate 1/s --pause-if never", "--pause-if"),
        ("--rate 1/s --ramp soon", "--ramp"),
        ("--sample 0%", "--sample"),
        ("--until-reconnect-rate 0/s", "--until-reconnect-rate"),
    ] {
        own.line(&format!("remove --all --yes {words}")).exits(2).says(says);
    }
    are_untouched(&mut clients);
}

#[test]
fn a_dry_run_of_nothing_is_a_plan_of_nothing() {
    let (agent, _clients) = with_clients(1);
    let own = Connctl::to(&agent);
    let document = own.line("remove --uid nobody --dry-run -o json").ok().json();
    assert_eq!((&document["plan"]["connections"], &document["connections"]), (&json!(0), &json!([])));
    let Value::String(plan) = &document["plan"]["plan_id"] else { panic!("{document}") };
    own.line(&format!("apply {plan}")).ok();
}
