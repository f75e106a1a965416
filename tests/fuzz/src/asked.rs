//! Who asks, and where a reader goes on: what a whole agent makes of headers and queries.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::OnceLock;

use sha2::{Digest, Sha256};

use crate::agent::{LIMIT, Place, start};

/// The tokens that the agent knows, by what their bearers may do, the least first.
const TOKENS: [(&str, &str); 3] = [("viewer", "ct_v"), ("operator", "ct_o"), ("admin", "ct_a")];

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The status of an answer, of which nothing more than the head is read.
fn status(mut stream: impl Read + Write, request: &[u8]) -> Option<u16> {
    // It may refuse, and close, before it has read all.
    let sent = stream.write_all(request);
    let mut answer = Vec::new();
    let mut piece = [0; 4096];
    while !answer.windows(4).any(|window| window == b"\r\n\r\n") {
        match stream.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => answer.extend_from_slice(&piece[..count]),
            // The fuzzer looks at its clock by a signal.
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::ConnectionReset && sent.is_err() => return None,
            Err(error) => panic!("{error}"),
        }
    }
    let text = String::from_utf8_lossy(&answer);
    let word = text.strip_prefix("HTTP/1.1 ").and_then(|rest| rest.get(..3));
    Some(word.and_then(|word| word.parse().ok()).unwrap_or_else(|| panic!("{text:?}")))
}

/// Whether a value can be sent in a header.
fn is_value(value: &[u8]) -> bool {
    value.iter().all(|byte| *byte == b'\t' || (b' '..=0xff).contains(byte) && *byte != 0x7f)
}

fn trimmed(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_blank(byte)).map_or(start, |end| end + 1);
    &value[start..end]
}

/// The place of the bearer's role among [`TOKENS`], as the documents have it.
fn role(is_native: bool, headers: &[(String, &[u8])]) -> Option<usize> {
    let all = |name: &str| -> Vec<&[u8]> {
        headers.iter().filter(|(own, _)| own == name).map(|(_, value)| trimmed(value)).collect()
    };
    let of_others = all("token").first().copied().filter(|token| !is_native && !token.is_empty());
    let token = match (of_others, all("authorization").as_slice()) {
        (Some(token), _) => token,
        (None, [value]) => {
            let (scheme, token) = value.split_at_checked(7)?;
            scheme.eq_ignore_ascii_case(b"bearer ").then_some(token)?
        }
        (None, _) => return None,
    };
    TOKENS.iter().position(|(_, known)| known.as_bytes() == token)
}

/// A request: a line that begins with the letter of a route, lines of headers, an empty line, the body. It is let
/// in as its token says, and in no other way.
pub(crate) fn token(bytes: &[u8]) {
    static AGENT: OnceLock<Place> = OnceLock::new();
    let Place { tcp: Some(address), .. } = AGENT.get_or_init(|| {
        let tables = TOKENS.map(|(role, token)| {
            let hash = hexadecimal(&Sha256::digest(token));
            format!("[[token]]\nname = \"{role}\"\nrole = \"{role}\"\nsha256 = \"{hash}\"\n")
        });
        let audit = crate::scratch().join("asked.jsonl");
        let top = format!("audit_file = \"{}\"\n", audit.display());
        start("asked", &top, &format!("mode = \"hold\"\n{}", tables.concat()), true)
    }) else {
        panic!("the agent serves over TCP")
    };
    let end = bytes.windows(2).position(|window| window == b"\n\n").unwrap_or(bytes.len());
    let body = bytes.get(end + 2..).unwrap_or_default();
    let mut lines = bytes[..end].split(|byte| *byte == b'\n');
    let (method, path, least) = match lines.next().and_then(|line| line.first()) {
        Some(b'n') => ("GET", "/v1/node", 0),
        Some(b'c') => ("GET", "/connz", 0),
        Some(b'o') => ("POST", "/v1/operations", 1),
        Some(b'k') => ("POST", "/conn/kick", 1),
        Some(b'l') => ("PATCH", "/v1/limits", 2),
        _ => return,
    };
    let mut headers = Vec::new();
    for line in lines {
        let at = line.iter().position(|byte| *byte == b':').unwrap_or(line.len());
        let name = String::from_utf8_lossy(&line[..at]).to_ascii_lowercase();
        let value = line.get(at + 1..).unwrap_or_default();
        if ["authorization", "token", "cookie"].contains(&name.as_str()) && is_value(value) {
            headers.push((name, value));
        }
    }
    let mut request =
        format!("{method} {path} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n").into_bytes();
    for (name, value) in &headers {
        request.extend([name.as_bytes(), b":", value, b"\r\n"].concat());
    }
    request.extend(format!("Content-Length: {}\r\n\r\n", body.len()).bytes());
    request.extend_from_slice(body);
    let stream = TcpStream::connect(address).expect("the agent serves");
    stream.set_read_timeout(Some(LIMIT)).expect("a time-out");
    let Some(status) = status(stream, &request) else { return };
    let shown = String::from_utf8_lossy(&request);
    match role(path.starts_with("/v1/"), &headers) {
        None => assert_eq!(status, 401, "{shown}"),
        Some(role) if role < least => assert_eq!(status, 403, "{shown}"),
        Some(_) => assert!(![401, 403, 500].contains(&status), "{status}: {shown}"),
    }
}

/// Whether a text is a number from 0 to `most`, as Rust reads one.
fn is_number(text: &[u8], most: u128) -> bool {
    let digits = text.strip_prefix(b"+").unwrap_or(text);
    let value = digits.iter().try_fold(0_u128, |value, byte| {
        let digit = byte.is_ascii_digit().then(|| u128::from(byte - b'0'))?;
        Some(value.saturating_mul(10).saturating_add(digit))
    });
    !digits.is_empty() && value.is_some_and(|value| value <= most)
}

fn is_event(text: &[u8]) -> bool {
    let Some(at) = text.iter().position(|byte| *byte == b'-') else { return text == b"0" };
    is_number(&text[..at], i64::MAX as u128) && is_number(&text[at + 1..], u64::MAX.into())
}

/// Where somebody wants to go on: by a header or by a query. It is a place, or it is refused.
pub(crate) fn cursor(bytes: &[u8]) {
    static AGENT: OnceLock<PathBuf> = OnceLock::new();
    let socket = AGENT.get_or_init(|| start("cursors", "", "mode = \"hold\"", false).socket);
    let Some((kind, text)) = bytes.split_first() else { return };
    let encoded: String = text.iter().map(|byte| format!("%{byte:02X}")).collect();
    let list = |prefix: &[u8]| text.strip_prefix(prefix).is_some_and(|id| is_number(id, u64::MAX.into()));
    let (target, header, is_place) = match kind {
        b'e' if is_value(text) => {
            let text = trimmed(text);
            let is_ascii = text.iter().all(|byte| *byte == b'\t' || byte.is_ascii_graphic() || *byte == b' ');
            ("/v1/events?follow=false".to_owned(), Some(text), is_ascii && is_event(text))
        }
        b'a' => (format!("/v1/events?follow=false&stream=true&after={encoded}"), None, is_event(text)),
        b'c' => (format!("/v1/connections?cursor={encoded}"), None, list(b"v1-a")),
        b'd' => (format!("/v1/connections?sort=-conn_id&cursor={encoded}"), None, list(b"v1-d")),
        b'h' => (format!("/v1/history?cursor={encoded}"), None, list(b"h1-")),
        _ => return,
    };
    let mut request = format!("GET {target} HTTP/1.1\r\nHost: x\r\nConnection: close\r\n").into_bytes();
    if let Some(value) = header {
        request.extend([b"Last-Event-ID: ", value, b"\r\n"].concat());
    }
    request.extend_from_slice(b"\r\n");
    let stream = UnixStream::connect(socket).expect("the agent serves");
    stream.set_read_timeout(Some(LIMIT)).expect("a time-out");
    let status = status(stream, &request).expect("a request without a body is read");
    assert_eq!(status, if is_place { 200 } else { 400 }, "{}", String::from_utf8_lossy(&request));
}
