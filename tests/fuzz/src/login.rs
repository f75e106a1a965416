//! What a NATS server says while the agent logs in to it, over a real socket.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::sync::OnceLock;
use std::sync::mpsc::{self, Receiver, Sender};

use serde::Deserialize;

use crate::agent::{LIMIT, Place, start};
use crate::input::pieces;

/// Of a line no more than this is understood.
const LINE_BYTES: usize = 256;
/// What the agent logs in with, and tells nobody else.
const PASSWORD: &str = "wachtwoord-7f3a";

struct Stage {
    agent: Place,
    server: SocketAddr,
    /// What is said next, and whether the server waits then for the agent to go.
    says: Sender<(Vec<u8>, bool)>,
}

fn stage() -> &'static Stage {
    static STAGE: OnceLock<Stage> = OnceLock::new();
    STAGE.get_or_init(|| {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let server = listener.local_addr().expect("an address");
        let (says, heard) = mpsc::channel();
        std::thread::spawn(move || serve(&listener, &heard));
        let agent = start("logins", "[outbound]\ndial_timeout = \"9s\"\n", "mode = \"hold\"", false);
        Stage { agent, server, says }
    })
}

/// A server that says one thing to each client, and nothing of its own.
fn serve(listener: &TcpListener, heard: &Receiver<(Vec<u8>, bool)>) {
    for (text, stays) in heard {
        let (mut stream, _) = listener.accept().expect("the agent comes");
        // Whoever is told nonsense may leave before the end of it.
        let _ = pieces(&text).into_iter().try_for_each(|piece| stream.write_all(piece));
        if !stays {
            let _ = stream.shutdown(Shutdown::Write);
        }
        attend(stream, stays);
    }
}

/// Until the agent has gone, so that nothing that it sends is answered with a RST. Whoever is let in asks once more
/// whether the server is there.
fn attend(mut stream: TcpStream, answers: bool) {
    let mut buffer = [0; 4096];
    loop {
        match stream.read(&mut buffer) {
            Ok(0) => return,
            Ok(count) if answers => {
                let asked = buffer[..count].windows(6).filter(|word| word == b"PING\r\n").count();
                // It may have gone meanwhile.
                let _ = stream.write_all(&b"PONG\r\n".repeat(asked));
            }
            Ok(_) => {}
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(_) => return,
        }
    }
}

#[derive(Default, Deserialize)]
#[serde(default)]
struct Info {
    tls_required: bool,
}

/// What becomes of a login: it is taken, it is not, or that depends on how the network cuts the bytes.
fn expected(bytes: &[u8]) -> Option<bool> {
    let Some(end) = bytes.iter().position(|byte| *byte == b'\n') else { return Some(false) };
    let is_info = bytes[..end].split_at_checked(5).is_some_and(|(word, text)| {
        word.eq_ignore_ascii_case(b"INFO ")
            && serde_json::from_slice::<Info>(text).is_ok_and(|info| !info.tls_required)
    });
    if !is_info {
        return Some(false);
    }
    let (mut is_there, mut is_wrong) = (false, false);
    for line in bytes[end + 1..].split_inclusive(|byte| *byte == b'\n') {
        let text = line.strip_suffix(b"\n").unwrap_or(line);
        let text = text[..text.len().min(LINE_BYTES)].trim_ascii_end();
        is_there |= line.ends_with(b"\n") && text.eq_ignore_ascii_case(b"PONG");
        // Its end may still come.
        is_wrong |= text.get(..4).is_some_and(|word| word.eq_ignore_ascii_case(b"-ERR"));
    }
    if is_there && is_wrong { None } else { Some(is_there) }
}

/// An answer of the agent's, whole.
fn ask(socket: &Path, path: &str, header: &str, body: &str) -> String {
    let mut stream = UnixStream::connect(socket).expect("the agent serves");
    stream.set_read_timeout(Some(LIMIT)).expect("a time-out");
    let length = body.len();
    let request = format!(
        "POST {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n\
         {header}Content-Length: {length}\r\n\r\n{body}"
    );
    stream.write_all(request.as_bytes()).expect("the agent reads");
    let mut answer = Vec::new();
    // Reads again where a signal came between.
    stream.read_to_end(&mut answer).expect("the agent answers");
    String::from_utf8(answer).expect("text")
}

/// A login is taken where the server has said who it is and has answered, it is told why where it is not, and
/// nobody is told the password.
pub(crate) fn server(bytes: &[u8]) {
    let Stage { agent, server, says } = stage();
    let expected = expected(bytes);
    says.send((bytes.to_vec(), expected == Some(true))).expect("the server");
    let body = format!(
        r#"{{"host":"127.0.0.1","port":"{}","username":"fuzz","password":"{PASSWORD}"}}"#,
        server.port()
    );
    let answer = ask(&agent.socket, "/api/nats/connect", "", &body);
    assert!(!answer.contains(PASSWORD), "{answer}");
    let is_taken = answer.starts_with("HTTP/1.1 200");
    assert!(is_taken || answer.starts_with("HTTP/1.1 401"), "{answer}");
    assert!(expected.is_none_or(|expected| expected == is_taken), "{answer}");
    if is_taken {
        let cookie = answer.lines().find_map(|line| line.strip_prefix("set-cookie: "));
        let cookie = cookie.and_then(|cookie| cookie.split(';').next()).expect("a session has a cookie");
        let answer = ask(&agent.socket, "/api/nats/disconnect", &format!("Cookie: {cookie}\r\n"), "");
        assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    }
}
