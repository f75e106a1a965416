//! `connctl audit`: what was asked, and whether the record of it is as it was written.
use std::path::{Path, PathBuf};

use connctl_api::audit::chain::{Link, seal};
use serde_json::json;

use crate::support::cli::Connctl;
use crate::support::{Agent, LIMIT, Peer, Setup, until};

/// An agent that was asked for an assignment, a reset and something impossible.
fn agent() -> Agent {
    let setup = Setup::new().echo("echo");
    let state = setup.dir().join("state");
    let agent = setup.arg("--state-dir").arg(state).start();
    let own = Connctl::to(&agent);
    let client = Peer::connect(agent.only());
    agent.assign(&client, "bob");
    own.run(&["reset", "--uid", "bob", "--yes", "--note", "too loud"]).ok();
    own.line("job cancel j-00000001-1").exits(3);
    until("all have ended", || {
        let rows = own.line("audit list --result open -o json").ok().json();
        (rows == json!([])).then_some(())
    });
    agent
}

fn place(agent: &Agent) -> PathBuf {
    agent.dir().path().join("state/audit.jsonl")
}

/// Where the audit of an agent is that has stopped.
fn stopped(mut agent: Agent) -> (Agent, PathBuf) {
    assert_eq!(agent.terminate(LIMIT), Some(0));
    let place = place(&agent);
    (agent, place)
}

fn verify(path: &Path, more: &[&str]) -> crate::support::process::Run {
    Connctl::alone().run(&[&["audit", "verify", "--file", path.to_str().unwrap()], more].concat())
}

#[test]
fn list_shows_what_was_asked_in_every_form() {
    let agent = agent();
    let own = Connctl::to(&agent);
    let table = own.line("audit list").ok();
    let lines: Vec<_> = table.stdout.lines().collect();
    assert_eq!(lines.len(), 5, "{}", table.stdout);
    assert!(lines[0].starts_with("TIME"), "{}", lines[0]);
    assert!(lines[1].contains("cancel job") && lines[1].contains("refused"), "{}", lines[1]);
    assert!(
        lines[2].contains("reset") && lines[2].contains("too loud") && lines[2].contains("done"),
        "{}",
        lines[2]
    );
    assert!(lines[3].contains("assign") && lines[4].contains("start"), "{}", table.stdout);
    assert!(table.stderr.contains("4 rows"), "{}", table.stderr);
    let rows = own.line("audit list -o json").ok().json();
    let typed = "reset --uid bob --yes --note 'too loud'";
    assert_eq!(rows[1]["request"]["typed"], typed, "{}", rows[1]);
    assert_eq!(
        (&rows[1]["verb"], &rows[1]["where"]),
        (&json!("reset"), &json!("uid = \"bob\"")),
        "{}",
        rows[1]
    );
    assert_eq!(own.line("audit list -o jsonl").ok().json_lines().len(), 4);
    assert_eq!(own.line("audit list -o name").ok().lines().len(), 4);
    let csv = own.line("audit list -o csv").ok().stdout;
    assert!(csv.starts_with("seq,time,actor,known_by,") && csv.lines().count() == 5, "{csv}");
    assert!(own.line("audit list -o yaml").ok().stdout.contains("too loud"));
    assert!(own.line("audit list -o wide").ok().stdout.contains("POST /v1/operations"));
    let quiet = own.line("audit list --quiet --no-headers").ok();
    assert_eq!((quiet.stdout.lines().count(), quiet.stderr.as_str()), (4, ""));
}

#[test]
fn list_takes_what_a_row_must_have() {
    let agent = agent();
    let own = Connctl::to(&agent);
    let count = |more: &str| own.line(&format!("audit list -o name {more}")).ok().lines().len();
    let actor = format!("uid-{}", rustix::process::geteuid().as_raw());
    assert_eq!([count("--verb reset"), count("--result refused"), count("--limit 2")], [1, 1, 2]);
    assert_eq!([count(&format!("--actor {actor}")), count("--actor nobody"), count("--since 1h")], [3, 0, 4]);
    let columns = own.line("audit list --verb reset --columns verb,note,done -o jsonl").ok().json();
    assert_eq!(columns, json!({ "verb": "reset", "note": "too loud", "done": "1" }));
    own.line("audit list --since yesterday").exits(2).says("yesterday");
    own.line("audit list --result good").exits(2).says("good");
    own.line("audit list --columns colour").exits(2).says("colour");
    let without = Agent::echo();
    Connctl::to(&without).line("audit list").exits(3).says("state_dir");
    Connctl::to(&without).line("audit verify").exits(3).says("state_dir");
}

#[test]
fn list_finds_what_a_command_did_and_names_the_verb_that_was_meant() {
    let setup = Setup::new().echo("echo");
    let state = setup.dir().join("state");
    let agent = setup.arg("--state-dir").arg(state).start();
    let own = Connctl::to(&agent);
    let clients: Vec<_> = (0..4).map(|_| Peer::connect(agent.only())).collect();
    let ids: Vec<_> = clients.iter().map(|client| agent.assign(client, "bob").to_string()).collect();
    own.run(&["remove", "--conn-id", &ids[0], "--yes"]).ok();
    own.run(&["remove", "--conn-id", &ids[1], "--type", "reset", "--yes"]).ok();
    own.run(&["reset", "--conn-id", &ids[2], "--yes"]).ok();
    own.run(&["wait", "--all", "--for", "count>=1", "--then", "remove", "--yes"]).ok();
    own.line("limit set max_connections=5").ok();
    own.line("limit remove max_connections").ok();
    let verbs = |name: &str| -> Vec<String> {
        let rows =
            own.run(&["audit", "list", "--verb", name, "--columns", "verb", "-o", "csv", "--no-headers"]);
        let mut verbs: Vec<_> = rows.ok().stdout.lines().map(str::to_owned).collect();
        verbs.sort();
        verbs
    };
    assert_eq!(verbs("remove"), ["close", "close", "reset"]);
    assert_eq!(verbs("close"), ["close", "close"]);
    assert_eq!(verbs("reset"), ["reset", "reset"]);
    // A limit is tried before it is set.
    for (name, verb) in
        [("limit set", "set limits"), ("set limits", "set limits"), ("limit remove", "remove limits")]
    {
        let found = verbs(name);
        assert!(!found.is_empty() && found.iter().all(|found| found == verb), "{name}: {found:?}");
    }
    assert_eq!(verbs("start"), ["start"]);
    assert_eq!(verbs("halfclose"), [""; 0]);
    let refused = own.line("audit list --verb remvoe").exits(2).says("remvoe");
    assert!(refused.stderr.contains("did you mean \"remove\"?"), "{}", refused.stderr);
    own.line("audit list --verb elephant").exits(2).says("elephant").says("cancel job");
    own.line("audit list --verb elephant -o json").exits(2);
    agent.http().get("/v1/audit?verb=elephant").error(400, "invalid_request");
}

#[test]
fn verify_finds_an_audit_as_it_was_written_through_the_agent_and_without_it() {
    let agent = agent();
    let own = Connctl::to(&agent);
    let report = own.line("audit verify -o json").ok().json();
    assert_eq!((&report["ok"], &report["problems"]), (&json!(true), &json!([])), "{report}");
    assert_eq!(report["entries"], 7, "a start, and two lines for each of three calls: {report}");
    let told = own.line("audit verify").ok();
    assert!(told.stdout.contains("as it was written") && told.stderr.is_empty(), "{told:?}");
    // The same while the agent runs, and when it has stopped.
    let path = place(&agent);
    assert_eq!(verify(&path, &["-o", "json"]).ok().json(), report);
    let head = own.line("audit verify -o name").ok().stdout;
    own.run(&["audit", "verify", "--head", &head]).ok();
    let (_agent, path) = stopped(agent);
    assert_eq!(verify(&path, &["-o", "json", "--head", head.trim()]).ok().json()["entries"], 8);
    for format in ["wide", "jsonl", "csv", "yaml"] {
        assert!(!verify(&path, &["-o", format]).ok().stdout.is_empty(), "{format}");
    }
    verify(&path, &["--head", "abc"]).exits(2).says("abc");
    verify(&path.with_file_name("nothing.jsonl"), &[]).exits(3).says("nothing.jsonl");
    verify(Path::new("/nonexistent/audit.jsonl"), &[]).exits(3).says("/nonexistent");
}

#[test]
fn verify_names_what_was_changed_removed_moved_or_cut_off() {
    let (_agent, path) = stopped(agent());
    let whole = std::fs::read_to_string(&path).unwrap();
    let lines: Vec<_> = whole.split_inclusive('\n').collect();
    assert_eq!(lines.len(), 8);
    let with = |order: &[usize]| order.iter().map(|at| lines[*at]).collect::<String>();
    for (content, says) in [
        (whole.replace("too loud", "too wild"), "audit.jsonl, line 4: was changed"),
        (with(&[0, 1, 2, 4, 5, 6, 7]), "audit.jsonl, line 4: has the number 5: 4 is missing"),
        (with(&[0, 1, 3, 2, 4, 5, 6, 7]), "audit.jsonl, line 3: has the number 4"),
        (with(&[0, 1, 2, 3, 3, 4, 5, 6, 7]), "audit.jsonl, line 5: is out of order"),
        (with(&[0, 1, 2, 3, 4, 5, 6]), "audit.jsonl, line 8: is missing: the head knows 8 lines"),
        (with(&[1, 2, 3, 4, 5, 6, 7]), "audit.jsonl, line 1: has the number 2: 1 is missing"),
        (whole.trim_end().to_owned(), "audit.jsonl, line 8: is torn"),
        (whole.clone() + "more\n", "audit.jsonl, line 9: was changed"),
        (String::new(), "audit.jsonl, line 1: is missing: the head knows 8 lines"),
    ] {
        std::fs::write(&path, &content).unwrap();
        let run = verify(&path, &[]).exits(1).says("not as it was written");
        assert!(run.stdout.contains(says), "{says:?} is not in:\n{}", run.stdout);
        let report = verify(&path, &["-o", "json"]).exits(1).json();
        assert_eq!(report["ok"], false, "{report}");
    }
    std::fs::write(&path, &whole).unwrap();
    verify(&path, &[]).ok();
}

#[test]
fn verify_finds_any_byte_that_is_changed() {
    let (_agent, path) = stopped(agent());
    let head = PathBuf::from(format!("{}.head", path.display()));
    for file in [&path, &head] {
        let whole = std::fs::read(file).unwrap();
        // Every one is tried on a chain in memory; these are on the disk, from the first to the last.
        let step = (whole.len() / 30).max(1);
        for at in (0..whole.len()).step_by(step).chain([whole.len() - 1]) {
            let mut changed = whole.clone();
            changed[at] ^= 1;
            std::fs::write(file, &changed).unwrap();
            verify(&path, &["--quiet"]).exits(1);
        }
        std::fs::write(file, &whole).unwrap();
    }
    verify(&path, &[]).ok();
    std::fs::remove_file(&head).unwrap();
    assert!(verify(&path, &[]).exits(1).stdout.contains("audit.jsonl.head: is missing"));
    std::fs::remove_file(&path).unwrap();
    verify(&path, &[]).exits(3);
}

#[test]
fn an_audit_that_was_written_anew_is_found_by_a_hash_that_was_kept() {
    let (_agent, path) = stopped(agent());
    let kept = verify(&path, &["-o", "name"]).ok().stdout;
    // Whoever may write all files can make an audit that is whole in itself.
    let (mut forged, mut last) = (Vec::new(), Link::START);
    for _ in 0..8 {
        last = seal(last, "\"event\":\"call\",\"verb\":\"nothing\"", &mut forged);
    }
    std::fs::write(&path, &forged).unwrap();
    std::fs::write(format!("{}.head", path.display()), last.head()).unwrap();
    verify(&path, &[]).ok();
    let run = verify(&path, &["--head", kept.trim()]).exits(1);
    assert!(run.stdout.contains("kept elsewhere"), "{}", run.stdout);
}

#[test]
fn verify_reads_full_files_too_and_a_part_where_older_ones_were_moved_away() {
    let setup = Setup::new().config("audit_file_size = '64KiB'").echo("echo");
    let state = setup.dir().join("state");
    let agent = setup.arg("--state-dir").arg(state).start();
    let request = json!({ "operation": "close", "where": "uid = nobody", "note": "x".repeat(1_000) });
    for _ in 0..100 {
        agent.operate(&request);
    }
    let (_agent, path) = stopped(agent);
    let report = verify(&path, &["-o", "json"]).ok().json();
    assert!(report["files"].as_u64().unwrap() > 1, "{report}");
    let first = path.with_file_name("audit.jsonl.0000000001");
    let text = std::fs::read_to_string(&first).unwrap();
    std::fs::write(&first, text.replacen("nobody", "noboby", 1)).unwrap();
    assert!(verify(&path, &[]).exits(1).stdout.contains("audit.jsonl.0000000001, line 2: was changed"));
    std::fs::remove_file(&first).unwrap();
    assert!(verify(&path, &[]).exits(1).stdout.contains("are missing before it"));
    verify(&path, &["--part"]).ok();
}
