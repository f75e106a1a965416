//! connctl's control API, and the command lines of its operator tool. Every path and flag that the benchmark
//! knows of them stands here.

use std::io::{Read, Write};
use std::net::SocketAddr;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;

use super::{Control, Pending, Row, receive, send};

/// Lists every connection, one JSON line each.
const LIST: &str = "/v1/connections?stream=true";
/// The same with a test that each of them passes: `idle < 1h and not uid ~ "^x" and bytes < 1TiB`.
const SELECT: &str = "/v1/connections?stream=true&\
    where=idle%20%3C%201h%20and%20not%20uid%20~%20%22%5Ex%22%20and%20bytes%20%3C%201TiB";
/// Takes an operation; answers a line for each connection as it ends, and a summary.
const OPERATIONS: &str = "/v1/operations";

/// One page of connections: all of them, where there are no more than a page has.
const PAGE: &str = "/v1/connections";
/// The exit code of a command that finds no agent.
pub(crate) const NO_AGENT: i32 = 5;

/// The body of an operation on one connection.
fn close_one_body(id: &str) -> Result<serde_json::Value> {
    let id: u64 = id.parse().context("a conn_id")?;
    Ok(serde_json::json!({ "operation": "close", "items": [{ "conn_id": id }] }))
}

/// The body of an operation on all of them, past the guard for large sets.
fn close_all_body() -> serde_json::Value {
    serde_json::json!({ "operation": "close", "where": "all", "max": 100_000 })
}

/// Arguments of `connctl`, without the program.
pub(crate) mod commands {
    use std::path::Path;

    fn with_agent(control: &Path, rest: &[&str]) -> Vec<String> {
        let agent = ["--agent".to_owned(), format!("unix:{}", control.display())];
        agent.into_iter().chain(rest.iter().map(|&word| word.to_owned())).collect()
    }

    pub(crate) fn list(control: &Path) -> Vec<String> {
        with_agent(control, &["list"])
    }

    pub(crate) fn list_json_lines(control: &Path) -> Vec<String> {
        with_agent(control, &["list", "-o", "jsonl"])
    }

    pub(crate) fn show(control: &Path, id: &str) -> Vec<String> {
        with_agent(control, &["show", id])
    }

    pub(crate) fn remove_all(control: &Path) -> Vec<String> {
        with_agent(control, &["remove", "--all", "--yes", "--max", "100000"])
    }
}

/// A connection to the control socket that is kept for many requests.
pub(crate) struct Kept {
    stream: UnixStream,
    request: String,
    answer: Vec<u8>,
}

/// The part of a page that the benchmark reads.
#[derive(Deserialize)]
struct Page {
    matched: usize,
}

impl Kept {
    pub(crate) fn connect(path: &Path, token: Option<&str>) -> Result<Self> {
        let token = token.map(|token| format!("Authorization: Bearer {token}\r\n")).unwrap_or_default();
        let request = format!("GET {PAGE} HTTP/1.1\r\nHost: localhost\r\n{token}\r\n");
        Ok(Self { stream: send(path, "")?, request, answer: Vec::new() })
    }

    /// Asks for a page, and says how many connections there are.
    pub(crate) fn page(&mut self) -> Result<usize> {
        self.stream.write_all(self.request.as_bytes())?;
        self.answer.clear();
        let mut part = [0; 16 * 1024];
        loop {
            let count = self.stream.read(&mut part)?;
            ensure!(count > 0, "the agent closed a kept connection");
            self.answer.extend_from_slice(&part[..count]);
            if self.answer.len() >= whole_length(&self.answer)?.unwrap_or(usize::MAX) {
                let Page { matched } = serde_json::from_slice(body_of(&self.answer)?)?;
                return Ok(matched);
            }
        }
    }
}

/// How long an answer will be, head and body; nothing while its head is not complete.
fn whole_length(answer: &[u8]) -> Result<Option<usize>> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(answer).context("not an HTTP answer")? else {
        return Ok(None);
    };
    let body = head.headers.iter().find(|header| header.name.eq_ignore_ascii_case("content-length"));
    let body = body.and_then(|header| std::str::from_utf8(header.value).ok()?.parse::<usize>().ok());
    Ok(Some(length + body.context("an answer without a length")?))
}

pub(super) struct Connctl {
    pub(super) path: PathBuf,
}

/// The part of a connection's line that the benchmark reads.
#[derive(Deserialize)]
struct Line {
    conn_id: u64,
    client: SocketAddr,
}

/// The last line of an operation's answer.
#[derive(Deserialize)]
struct LastLine {
    summary: Summary,
}

#[derive(Deserialize)]
struct Summary {
    matched: u64,
    done: u64,
}

/// HTTP/1.0, so that the body ends with the stream and needs no decoding.
fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.0\r\nHost: localhost\r\n\r\n")
}

fn post(target: &str, body: &serde_json::Value) -> String {
    let body = body.to_string();
    let length = body.len();
    format!(
        "POST {target} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Content-Length: {length}\r\n\r\n{body}"
    )
}

fn done(stream: UnixStream) -> Result<()> {
    let mut answer = Vec::new();
    receive(stream, &mut answer)?;
    let text = std::str::from_utf8(body_of(&answer)?).context("the answer is not UTF-8")?;
    let last = text.lines().next_back().unwrap_or_default();
    let LastLine { summary } =
        serde_json::from_str(last).with_context(|| format!("not a summary: {last:?}"))?;
    ensure!(summary.done == summary.matched && summary.done > 0, "not all was done: {last}");
    Ok(())
}

impl Control for Connctl {
    fn list(&self, answer: &mut Vec<u8>) -> Result<()> {
        receive(send(&self.path, &get(LIST))?, answer)
    }

    fn select(&self, answer: &mut Vec<u8>) -> Result<()> {
        receive(send(&self.path, &get(SELECT))?, answer)
    }

    fn rows(&self, answer: &[u8]) -> Result<Vec<Row>> {
        let text = std::str::from_utf8(body_of(answer)?).context("the list is not UTF-8")?;
        let mut rows = Vec::new();
        for line in text.lines() {
            let line: Line =
                serde_json::from_str(line).with_context(|| format!("not a connection: {line}"))?;
            rows.push(Row { id: line.conn_id.to_string(), client: line.client });
        }
        Ok(rows)
    }

    fn close_one(&self, id: &str) -> Result<Pending> {
        Pending::ask(&self.path, &post(OPERATIONS, &close_one_body(id)?), done)
    }

    fn close_all(&self) -> Result<Pending> {
        Pending::ask(&self.path, &post(OPERATIONS, &close_all_body()), done)
    }
}

/// The body of an answer; an error if its status is one.
fn body_of(answer: &[u8]) -> Result<&[u8]> {
    let mut headers = [httparse::EMPTY_HEADER; 32];
    let mut head = httparse::Response::new(&mut headers);
    let httparse::Status::Complete(length) = head.parse(answer).context("not an HTTP answer")? else {
        bail!("the HTTP answer is cut off");
    };
    let body = &answer[length..];
    match head.code {
        Some(200..=299) => Ok(body),
        code => bail!("HTTP {}: {}", code.unwrap_or(0), String::from_utf8_lossy(body).trim()),
    }
}

#[cfg(test)]
mod tests {
    use super::body_of;

    #[test]
    fn an_error_status_is_an_error_with_its_body() {
        assert_eq!(body_of(b"HTTP/1.0 200 OK\r\n\r\nrows").expect("a body"), b"rows");
        let error = body_of(b"HTTP/1.0 404 Not Found\r\n\r\nno such route\n").expect_err("an error");
        assert_eq!(error.to_string(), "HTTP 404: no such route");
    }
}
