//! `-o`: one result in seven forms; results on stdout, everything else on stderr.
use serde_json::{Value, json};

use crate::support::cli::Connctl;
use crate::support::{Agent, Peer};

struct Two {
    agent: Agent,
    _clients: [Peer; 2],
    ids: [u64; 2],
}

fn two() -> Two {
    let agent = Agent::echo();
    let clients = [Peer::connect(agent.only()), Peer::connect(agent.only())];
    let ids = [agent.assign(&clients[0], "u,1 \"x\""), agent.assign(&clients[1], "u2")];
    Two { agent, _clients: clients, ids }
}

impl Two {
    #[track_caller]
    fn list(&self, words: &str) -> String {
        let run = Connctl::to(&self.agent).line(&format!("list --quiet {words}")).ok();
        assert_eq!(run.stderr, "", "{words}");
        run.stdout
    }
}

#[test]
fn a_table_has_titles_unless_they_are_unwanted() {
    let two = two();
    let (with, without) = (two.list(""), two.list("--no-headers"));
    assert_eq!((with.lines().count(), without.lines().count()), (3, 2), "{with}");
    // The ages, and so the widths, differ from one call to the next.
    let titles: Vec<_> = with.lines().next().unwrap().split_whitespace().collect();
    assert!(titles.contains(&"UID") && titles.contains(&"CLIENT"), "{titles:?}");
    assert!(without.contains(&two.ids[0].to_string()) && without.contains("u2"), "{without}");
    let named = two.list("-o table");
    assert_eq!(named.lines().next().unwrap().split_whitespace().collect::<Vec<_>>(), titles);
}

#[test]
fn a_table_without_a_terminal_has_no_colour_and_is_not_cut() {
    let two = two();
    let run = Connctl::to(&two.agent).env("COLUMNS", "20").line("list -o wide").ok();
    assert!(!run.stdout.contains('\u{1b}'), "{:?}", run.stdout);
    for id in two.ids {
        assert!(run.stdout.contains(&id.to_string()), "{}", run.stdout);
    }
    let wide = run.stdout.lines().next().unwrap().split_whitespace().count();
    let plain = two.list("").lines().next().unwrap().split_whitespace().count();
    assert!(wide > plain, "wide has {wide} titles, the plain table {plain}");
}

#[test]
fn colour_comes_when_it_is_asked_for() {
    let two = two();
    assert!(!two.list("--color never").contains('\u{1b}'));
    let coloured = Connctl::to(&two.agent).env("NO_COLOR", "").line("list --color always").ok().stdout;
    assert!(coloured.contains('\u{1b}'), "{coloured:?}");
}

#[test]
fn json_is_one_value_and_jsonl_one_a_line() {
    let two = two();
    let rows: Value = serde_json::from_str(&two.list("-o json")).unwrap();
    let lines: Vec<Value> =
        two.list("-o jsonl").lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(rows.as_array().unwrap().len(), 2);
    for (row, line) in rows.as_array().unwrap().iter().zip(&lines) {
        assert_eq!((&row["conn_id"], &row["uid"]), (&line["conn_id"], &line["uid"]));
    }
    assert_eq!(lines[0]["uid"], "u,1 \"x\"");
    assert_eq!(lines[0]["device"], Value::Null);
}

#[test]
fn csv_quotes_what_needs_it() {
    let two = two();
    let text = two.list("-o csv --columns conn_id,uid,device");
    let expected = format!("conn_id,uid,device\n{},\"u,1 \"\"x\"\"\",\n{},u2,\n", two.ids[0], two.ids[1]);
    assert_eq!(text.replace("\r\n", "\n"), expected);
    assert_eq!(two.list("-o csv --no-headers").lines().count(), 2);
}

#[test]
fn yaml_has_the_fields_by_name() {
    let two = two();
    let text = two.list("-o yaml");
    assert!(text.contains(&format!("conn_id: {}", two.ids[0])), "{text}");
    assert!(text.contains("uid: u2") || text.contains("uid: \"u2\""), "{text}");
    assert!(text.contains(r#""u,1 \"x\"""#) || text.contains(r#"'u,1 "x"'"#) || text.contains("u,1 \"x\""));
}

#[test]
fn names_are_ids_for_the_next_command() {
    let two = two();
    assert_eq!(two.list("-o name"), format!("{}\n{}\n", two.ids[0], two.ids[1]));
}

#[test]
fn quiet_leaves_stderr_empty_where_all_is_well() {
    let two = two();
    assert_eq!(Connctl::to(&two.agent).line("remove --uid u2 --yes --quiet").ok().stderr, "");
}

#[test]
fn errors_go_to_stderr_only() {
    let two = two();
    for words in ["list --sort height -o json", "show 999999999999 -o json", "nonsense"] {
        let run = Connctl::to(&two.agent).line(words);
        assert_eq!(run.stdout, "", "{words}");
        assert!(!run.stderr.is_empty(), "{words}");
    }
}

#[test]
fn an_unknown_format_is_refused_and_the_known_are_named() {
    let two = two();
    let run = Connctl::to(&two.agent).line("list -o xml").exits(2);
    for format in ["xml", "json", "csv", "yaml"] {
        assert!(run.stderr.contains(format), "{}", run.stderr);
    }
}

#[test]
fn every_verb_speaks_json_lines() {
    let two = two();
    let own = Connctl::to(&two.agent);
    for words in ["list", "listener list", "stats --by uid", "agent status", "pause --all --yes"] {
        let lines = own.line(&format!("{words} -o jsonl")).ok().json_lines();
        assert!(lines.iter().all(Value::is_object) && !lines.is_empty(), "{words}: {lines:?}");
    }
}

#[test]
fn a_reader_that_stops_early_is_no_error() {
    let two = two();
    let script = "\"$0\" list -o json | head -c 1 >/dev/null; exit ${PIPESTATUS[0]}";
    let mut command = std::process::Command::new("bash");
    command.args(["-c", script, crate::support::agent::BINARY]).env("CONNCTL_AGENT", two.agent.endpoint());
    let run = crate::support::process::run(&mut command, "", crate::support::LIMIT);
    assert!(!run.stderr.contains("panicked"), "{}", run.stderr);
    assert_eq!(run.code, Some(0), "{}", run.stderr);
    assert_eq!(json!(run.stdout), json!(""));
}

#[test]
fn what_cannot_be_written_is_an_error_for_help_and_version_too() {
    for args in [&["--help"][..], &["--version"], &["list", "--help"], &["completion", "bash"]] {
        let line = format!("\"$0\" {} >/dev/full", args.join(" "));
        let mut command = std::process::Command::new("sh");
        command.args(["-c", &line, crate::support::agent::BINARY]);
        let run = crate::support::process::run(&mut command, "", crate::support::LIMIT);
        run.exits(1).says("No space left on device");
    }
}
