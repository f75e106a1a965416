//! `connctl remove --batch`: connections by name, from a file or a pipe, in three forms.
use serde_json::{Value, json};

use crate::support::cli::Connctl;
use crate::support::{Agent, End, Peer};

struct Users {
    agent: Agent,
    clients: Vec<Peer>,
    ids: Vec<u64>,
}

/// Users u0, u1, u2.
fn users() -> Users {
    let agent = Agent::echo();
    let clients: Vec<_> = (0..3).map(|_| Peer::connect(agent.only())).collect();
    let ids = clients.iter().enumerate().map(|(n, client)| agent.assign(client, &format!("u{n}"))).collect();
    Users { agent, clients, ids }
}

impl Users {
    /// `remove --batch -` with this on stdin.
    #[track_caller]
    fn remove(&self, input: &str, more: &[&str]) -> crate::support::process::Run {
        let args = [["remove", "--batch", "-", "--yes", "-o", "jsonl"].as_slice(), more].concat();
        Connctl::to(&self.agent).input(input).run(&args)
    }

    #[track_caller]
    fn only_the_last_is_left(&mut self) {
        for client in &mut self.clients[..2] {
            client.ends_with(End::Fin);
        }
        self.agent.settled(1);
        self.clients[2].send("untouched");
        self.clients[2].expect("untouched");
    }

    #[track_caller]
    fn all_are_left(&mut self) {
        for client in &mut self.clients {
            client.send("untouched");
            client.expect("untouched");
        }
    }
}

#[track_caller]
fn both_are_done(lines: &[Value]) {
    let done: Vec<_> = lines.iter().filter(|line| line["status"] == "done").collect();
    assert_eq!(done.len(), 2, "{lines:?}");
    assert_eq!(lines.last().unwrap()["summary"]["done"], 2, "{lines:?}");
}

#[test]
fn words_name_user_connection_and_node() {
    let mut users = users();
    let (a, b) = (users.ids[0], users.ids[1]);
    let lines = users.remove(&format!("u0 {a}\n\n  u1\t{b} 1\r\n"), &[]).ok().json_lines();
    both_are_done(&lines);
    users.only_the_last_is_left();
}

#[test]
fn csv_names_its_columns() {
    let mut users = users();
    let (a, b) = (users.ids[0], users.ids[1]);
    let lines = users.remove(&format!("conn_id,uid,node_id\n{a},u0,1\n{b},\"u1\",\n"), &[]).ok().json_lines();
    both_are_done(&lines);
    users.only_the_last_is_left();
}

#[test]
fn json_lines_are_read_as_the_list_prints_them() {
    let mut users = users();
    let own = Connctl::to(&users.agent);
    let listed = own.run(&["list", "-o", "jsonl", "--uid", "u0", "--uid", "u1"]).ok().stdout;
    both_are_done(&users.remove(&listed, &[]).ok().json_lines());
    users.only_the_last_is_left();
}

#[test]
fn a_file_is_read_as_a_pipe_is() {
    let mut users = users();
    let text: String =
        users.ids[..2].iter().map(|id| format!("{}\n", json!({ "conn_id": id, "uid": null }))).collect();
    let path = users.agent.dir().write("batch.jsonl", &text);
    let args = ["remove", "--batch", &path, "--yes", "-o", "jsonl"];
    both_are_done(&Connctl::to(&users.agent).run(&args).ok().json_lines());
    users.only_the_last_is_left();
}

#[test]
fn a_bad_line_in_the_middle_is_named_and_nothing_is_done() {
    let mut users = users();
    let (a, b) = (users.ids[0], users.ids[1]);
    for (input, line) in [
        (format!("u0 {a}\nu1 abc\nu1 {b}\n"), 2),
        (format!("u0 {a}\nu1 {b}\nu2\n"), 3),
        (format!("u0 {a}\nu1 {b} 0\n"), 2),
        (format!("conn_id,uid\n{a},u0\n-1,u1\n{b},u1\n"), 3),
        (format!("uid,connection\nu0,{a}\n"), 1),
        (format!("{{\"conn_id\":{a}}}\n{{\"conn_id\":}}\n{{\"conn_id\":{b}}}\n"), 2),
        (format!("{{\"conn_id\":{a}}}\n{{\"uid\":\"u1\"}}\n"), 2),
        (format!("{{\"conn_id\":{a}}}\n{{\"conn_id\":\"{b}\"}}\n"), 2),
    ] {
        let run = users.remove(&input, &[]).exits(2);
        assert!(run.stderr.contains(&format!("line {line}")), "{input:?}:\n{}", run.stderr);
        users.all_are_left();
    }
}

#[test]
fn a_json_document_is_told_from_json_lines() {
    let users = users();
    let document = format!("[\n{{\"conn_id\":{}}}\n]\n", users.ids[0]);
    users.remove(&document, &["--skip-bad"]).exits(2).says("line 1").says("list -o jsonl");
}

#[test]
fn bad_lines_are_left_out_where_that_is_asked() {
    let mut users = users();
    let (a, b) = (users.ids[0], users.ids[1]);
    let run = users.remove(&format!("u0 {a}\nu1 abc\nu1 {b}\n"), &["--skip-bad"]);
    assert!(run.stderr.contains("line 2"), "{}", run.stderr);
    both_are_done(&run.json_lines());
    users.only_the_last_is_left();
}

#[test]
fn what_is_not_there_is_told_item_by_item_and_the_rest_is_done() {
    let mut users = users();
    let (a, b) = (users.ids[0], users.ids[1]);
    let input = format!("u0 {a}\nu0 {}\nu2 {b}\nu1 {b}\n", b + 1000);
    let lines = users.remove(&input, &[]).exits(6).json_lines();
    let missing: Vec<_> = lines.iter().filter(|line| line["status"] == "not_found").collect();
    assert_eq!(missing.len(), 2, "{lines:?}");
    assert!(missing.iter().all(|line| line["error"].is_string()), "{missing:?}");
    both_are_done(&lines);
    users.only_the_last_is_left();
}

#[test]
fn another_nodes_connection_is_not_touched() {
    let mut users = users();
    let id = users.ids[0];
    let lines = users.remove(&format!("u0 {id} 9\n"), &[]).exits(3).json_lines();
    assert_eq!(lines[0]["status"], "not_found", "{lines:?}");
    users.all_are_left();
}

#[test]
fn an_empty_batch_is_done_and_a_missing_file_is_an_error() {
    let mut users = users();
    users.remove("", &[]).ok();
    users.remove("\n\n", &[]).ok();
    let missing = users.agent.dir().join("nothing.csv");
    Connctl::to(&users.agent).run(&["remove", "--batch", &missing, "--yes"]).says(&missing);
    users.all_are_left();
}

#[test]
fn a_batch_and_a_selector_do_not_go_together() {
    let mut users = users();
    users.remove("", &["--uid", "u0"]).exits(2);
    users.all_are_left();
}
