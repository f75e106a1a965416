//! A whole agent in this process, asked over its real sockets.

use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use clap::Parser;
use connctl_agent::args::RunArgs;
use connctl_agent::identity::Miss;
use connctl_agent::identity::proxy::Header;

/// How long an answer is waited for that may never come to its end, as that of a wait.
const PATIENCE: Duration = Duration::from_millis(200);
/// How long an answer is waited for that must come.
pub(crate) const LIMIT: Duration = Duration::from_secs(10);
/// The most of an answer that is read.
const MAX_ANSWER: u64 = 1 << 20;

const RULES: &str = "\"postgres\", \"mysql\", \"nats\", \"mqtt\", \"redis\", \"amqp\", \"wukongim\", \
    \"http:X-User\", \"tls-sni\", \"proxy\"";

#[derive(Parser)]
struct Arguments {
    #[command(flatten)]
    run: RunArgs,
}

/// Where the agents of this process have their files: whoever starts the process removes it.
pub fn scratch() -> PathBuf {
    std::env::temp_dir().join(format!("connctl-fuzz-{}", std::process::id()))
}

/// Where an agent is.
pub(crate) struct Place {
    /// Its control socket.
    pub(crate) socket: PathBuf,
    /// Its control API over TCP, where it has one.
    pub(crate) tcp: Option<SocketAddr>,
    listener: SocketAddr,
}

fn free() -> SocketAddr {
    let free = std::net::TcpListener::bind("127.0.0.1:0").expect("a port");
    free.local_addr().expect("an address")
}

/// Starts an agent with one listener; `top` is what stands in its file before that, and `listener` what stands
/// behind its name.
pub(crate) fn start(name: &str, top: &str, listener: &str, is_over_tcp: bool) -> Place {
    let dir = scratch().join(name);
    std::fs::create_dir_all(&dir).expect("a directory");
    let (socket, config) = (dir.join("agent.sock"), dir.join("agent.toml"));
    let (address, tcp) = (free(), is_over_tcp.then(free));
    let text = format!("{top}[[listener]]\nname = \"{name}\"\nbind = \"{address}\"\n{listener}\n");
    std::fs::write(&config, text).expect("a configuration");
    let controls = [Some(format!("unix:{}", socket.display())), tcp.map(|tcp| format!("tcp:{tcp}"))];
    let controls = controls.into_iter().flatten().flat_map(|control| ["--control".to_owned(), control]);
    let words = ["fuzz".to_owned(), "--config".to_owned(), config.display().to_string()];
    let arguments = Arguments::try_parse_from(words.into_iter().chain(controls));
    let arguments = arguments.unwrap_or_else(|error| panic!("{error}"));
    std::thread::spawn(move || connctl_agent::run(arguments.run).expect("the agent runs"));
    let start = Instant::now();
    while UnixStream::connect(&socket).is_err() {
        assert!(start.elapsed() < LIMIT, "the agent does not serve");
        std::thread::sleep(Duration::from_millis(5));
    }
    Place { socket, tcp, listener: address }
}

/// A request: its first line is the method and the path, the rest its body. Whatever it is, the answer is
/// one of HTTP, is not the server's fault, and an error is told as JSON.
pub(crate) fn control(bytes: &[u8]) {
    let end = bytes.iter().position(|byte| *byte == b'\n').unwrap_or(bytes.len());
    let (line, body) = (&bytes[..end], bytes.get(end + 1..).unwrap_or_default());
    let Some((method, path)) = std::str::from_utf8(line).ok().and_then(|line| line.split_once(' ')) else {
        return;
    };
    let is_word = |text: &str| !text.is_empty() && text.chars().all(|c| c.is_ascii_graphic());
    if !is_word(method) || !is_word(path) || !path.starts_with('/') {
        return;
    }
    static AGENT: OnceLock<Place> = OnceLock::new();
    let Place { socket, .. } = AGENT.get_or_init(|| start("hold", "", "mode = \"hold\"", false));
    let mut stream = UnixStream::connect(socket).expect("the agent serves");
    stream.set_read_timeout(Some(PATIENCE)).expect("a time-out");
    let head = format!(
        "{method} {path} HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {}\r\n\r\n",
        body.len()
    );
    // It may refuse, and close, before it has read all.
    if stream.write_all(head.as_bytes()).and_then(|()| stream.write_all(body)).is_err() {
        return;
    }
    let mut answer = Vec::new();
    let ended = stream.take(MAX_ANSWER).read_to_end(&mut answer);
    if let Err(error) = &ended
        && !matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut | ErrorKind::ConnectionReset)
    {
        panic!("{method} {path}: {error}");
    }
    if answer.is_empty() {
        return;
    }
    let text = String::from_utf8_lossy(&answer);
    assert!(text.starts_with("HTTP/1.1 "), "{text:?}");
    assert!(!text.starts_with("HTTP/1.1 500"), "{method} {path}: {text}");
    if path.starts_with("/v1/") && text.starts_with("HTTP/1.1 4") && ended.is_ok() && method != "HEAD" {
        let (head, body) = text.split_once("\r\n\r\n").expect("a head");
        // What is not HTTP is refused before anyone could say it in JSON.
        if head.contains("application/json") {
            let error: serde_json::Value = serde_json::from_str(body).expect("an error in JSON");
            assert!(error["error"]["code"].is_string(), "{error}");
        }
    }
}

/// What a client sends through a PROXY header and the rules comes back as it was, or not at all.
pub(crate) fn wire(bytes: &[u8]) {
    static AGENT: OnceLock<Place> = OnceLock::new();
    let settings = format!("mode = \"echo\"\naccept_proxy_from = [\"127.0.0.1\"]\nidentity = [{RULES}]");
    let Place { listener, .. } = AGENT.get_or_init(|| start("wire", "", &settings, false));
    let mut stream = TcpStream::connect(listener).expect("the listener accepts");
    stream.set_read_timeout(Some(LIMIT)).expect("a time-out");
    let (head, tail) = bytes.split_at(bytes.len() / 2);
    let sent = stream.write_all(head).and_then(|()| stream.write_all(tail));
    let sent = sent.and_then(|()| stream.shutdown(Shutdown::Write));
    let mut answer = Vec::new();
    let ended = stream.read_to_end(&mut answer);
    match Header::read(bytes) {
        Ok(header) => {
            ended.unwrap_or_else(|error| panic!("the echo broke off: {error}"));
            assert_eq!(answer, bytes[header.length..]);
        }
        Err(miss) => {
            assert!(miss == Miss::No || sent.is_ok() || ended.is_err());
            assert!(answer.is_empty(), "nothing comes back before the header is there: {answer:?}");
        }
    }
}
