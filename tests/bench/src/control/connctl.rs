//! connctl's control API, and the command lines of its operator tool. Every path and flag that the benchmark
//! knows of them stands here.

use std::net::SocketAddr;
use std::path::PathBuf;

use anyhow::{Context, Result, bail};
use serde::Deserialize;

use super::{Control, Row, ask};

/// Lists every connection, one JSON line each.
const LIST: &str = "/v1/connections?stream=true";
/// Takes an operation on a selector; answers when it is done.
const OPERATIONS: &str = "/v1/operations";

/// The body of an operation on one connection.
fn close_one_body(id: &str) -> serde_json::Value {
    serde_json::json!({ "operation": "close", "selector": format!("conn_id = {id}") })
}

/// The body of an operation on all of them, past the guard for large sets.
fn close_all_body() -> serde_json::Value {
    serde_json::json!({ "operation": "close", "selector": "all", "max": 100_000 })
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

pub(super) struct Connctl {
    pub(super) path: PathBuf,
}

/// The part of a connection's line that the benchmark reads.
#[derive(Deserialize)]
struct Line {
    conn_id: u64,
    client: SocketAddr,
}

impl Connctl {
    /// HTTP/1.0, so that the body ends with the stream and needs no decoding.
    fn post(&self, body: &serde_json::Value) -> Result<()> {
        let body = body.to_string();
        let request = format!(
            "POST {OPERATIONS} HTTP/1.0\r\nHost: localhost\r\nContent-Type: application/json\r\n\
             Content-Length: {}\r\n\r\n{body}",
            body.len()
        );
        let mut answer = Vec::new();
        ask(&self.path, request.as_bytes(), &mut answer)?;
        body_of(&answer).map(drop)
    }
}

impl Control for Connctl {
    fn list(&self, answer: &mut Vec<u8>) -> Result<()> {
        ask(&self.path, format!("GET {LIST} HTTP/1.0\r\nHost: localhost\r\n\r\n").as_bytes(), answer)
    }

    fn rows(&self, answer: &[u8]) -> Result<Vec<Row>> {
        let text = std::str::from_utf8(body_of(answer)?).context("the list is not UTF-8")?;
        let mut rows = Vec::new();
        for line in text.lines().filter(|line| line.contains("\"conn_id\":")) {
            let line: Line =
                serde_json::from_str(line).with_context(|| format!("not a connection: {line}"))?;
            rows.push(Row { id: line.conn_id.to_string(), client: line.client });
        }
        Ok(rows)
    }

    fn close_one(&self, id: &str) -> Result<()> {
        self.post(&close_one_body(id))
    }

    fn close_all(&self) -> Result<()> {
        self.post(&close_all_body())
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
