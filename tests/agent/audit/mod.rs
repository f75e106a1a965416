//! The audit: what is in it, that it is whole after whatever happens, and what becomes of changes while it cannot
//! be written.
mod calls;
mod crash;
mod full_disk;
mod refusals;

use std::path::{Path, PathBuf};

use connctl_api::audit::AuditReport;
use connctl_api::audit::chain::{Link, Verifier};
use serde_json::{Value, json};

use crate::support::{Agent, Setup, until};

/// An agent with an `echo` listener and an audit in its directory.
fn setup(config: &str) -> Setup {
    let setup = Setup::new().config(config).echo("echo");
    let state = setup.dir().join("state");
    setup.arg("--state-dir").arg(state)
}

fn place(agent: &Agent) -> PathBuf {
    agent.dir().path().join("state/audit.jsonl")
}

/// The files, the oldest first.
fn files(path: &Path) -> Vec<PathBuf> {
    let name = path.file_name().unwrap().to_str().unwrap();
    let all = std::fs::read_dir(path.parent().unwrap()).unwrap();
    let mut full: Vec<_> = all
        .map(|entry| entry.unwrap().path())
        .filter(|found| {
            let rest = found.file_name().unwrap().to_str().unwrap().strip_prefix(name);
            rest.is_some_and(|rest| rest[1.min(rest.len())..].parse::<u64>().is_ok())
        })
        .collect();
    full.sort();
    full.push(path.to_owned());
    full
}

/// Every line that is written so far.
fn written(path: &Path) -> String {
    files(path).iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

pub(crate) fn lines(path: &Path) -> Vec<Value> {
    written(path).lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What a check of the files finds. Nobody may be writing them.
pub(crate) fn check(path: &Path) -> AuditReport {
    let head = std::fs::read(format!("{}.head", path.display())).unwrap();
    let mut verifier = Verifier::new(Some(Link::read_head(&head).expect("a head")));
    for file in files(path) {
        verifier.begin_file();
        let content = std::fs::read(&file).unwrap();
        for (place, line) in content.split_inclusive(|byte| *byte == b'\n').enumerate() {
            verifier.line(&file.display().to_string(), place as u64 + 1, line);
        }
    }
    verifier.finish("the end", 0)
}

/// What the agent tells, the latest first.
#[track_caller]
fn rows(agent: &Agent, query: &str) -> Vec<Value> {
    let page = agent.http().get(&format!("/v1/audit{query}")).is(200).json();
    page["calls"].as_array().unwrap().clone()
}

/// The row of the only call of this verb, once this has come of it.
#[track_caller]
fn row(agent: &Agent, verb: &str, result: &str) -> Value {
    until(&format!("{verb} is {result}"), || {
        let rows = rows(agent, &format!("?verb={}", verb.replace(' ', "%20")));
        assert!(rows.len() <= 1, "{rows:?}");
        rows.into_iter().find(|row| row["result"] == result)
    })
}

/// A change that touches nobody.
fn change() -> Value {
    json!({ "operation": "close", "where": "uid = nobody", "note": "a change" })
}
