//! A tiny blocking HTTP/1.1 client that says exactly what it is told, also when that is wrong.
use std::io::{ErrorKind, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use rustls::{ClientConfig, ClientConnection, StreamOwned};
use serde_json::Value;

use super::until::LIMIT;

/// Where to ask.
#[derive(Debug, Clone)]
pub(crate) enum Http {
    Unix(PathBuf),
    Tcp(SocketAddr),
    /// Over TLS, as this client.
    Tls(SocketAddr, Arc<ClientConfig>),
}

/// A connection to it.
#[derive(Debug)]
pub(crate) enum Wire {
    Unix(UnixStream),
    Tcp(TcpStream),
    Tls(Box<StreamOwned<ClientConnection, TcpStream>>),
}

/// What came back.
#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
}

impl Http {
    pub(crate) fn unix(path: &Path) -> Self {
        Self::Unix(path.to_owned())
    }

    /// The `Host` header an honest client sends.
    pub(crate) fn host(&self) -> String {
        match self {
            Self::Unix(_) => "localhost".into(),
            Self::Tcp(addr) | Self::Tls(addr, _) => addr.to_string(),
        }
    }

    /// A connection with limits on its reads and writes.
    pub(crate) fn open(&self) -> Wire {
        match self {
            Self::Unix(path) => {
                let stream = UnixStream::connect(path)
                    .unwrap_or_else(|error| panic!("cannot reach {}: {error}", path.display()));
                stream.set_read_timeout(Some(LIMIT)).unwrap();
                stream.set_write_timeout(Some(LIMIT)).unwrap();
                Wire::Unix(stream)
            }
            Self::Tcp(addr) => Wire::Tcp(tcp(*addr)),
            Self::Tls(addr, client) => {
                let session = ClientConnection::new(Arc::clone(client), addr.ip().into()).unwrap();
                Wire::Tls(Box::new(StreamOwned::new(session, tcp(*addr))))
            }
        }
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.send("GET", path, &[], b"")
    }

    pub(crate) fn put(&self, path: &str) -> Response {
        self.send("PUT", path, &[], b"")
    }

    pub(crate) fn delete(&self, path: &str) -> Response {
        self.send("DELETE", path, &[], b"")
    }

    pub(crate) fn post(&self, path: &str, body: &Value) -> Response {
        self.send("POST", path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    pub(crate) fn patch(&self, path: &str, body: &Value) -> Response {
        self.send("PATCH", path, &[("Content-Type", "application/json")], body.to_string().as_bytes())
    }

    /// A body that may not be JSON at all.
    pub(crate) fn post_text(&self, path: &str, body: &str) -> Response {
        self.send("POST", path, &[("Content-Type", "application/json")], body.as_bytes())
    }

    /// A request; a `Host` among the headers replaces the honest one.
    pub(crate) fn send(&self, method: &str, path: &str, headers: &[(&str, &str)], body: &[u8]) -> Response {
        let mut head = format!("{method} {path} HTTP/1.1\r\nConnection: close\r\n");
        if !headers.iter().any(|(name, _)| name.eq_ignore_ascii_case("host")) {
            head += &format!("Host: {}\r\n", self.host());
        }
        if !body.is_empty() || method == "POST" {
            head += &format!("Content-Length: {}\r\n", body.len());
        }
        for (name, value) in headers {
            head += &format!("{name}: {value}\r\n");
        }
        head += "\r\n";
        let bytes = self.raw(&[head.as_bytes(), body].concat());
        Response::parse(&bytes).unwrap_or_else(|| {
            panic!("{method} {path}: not an HTTP answer: {:?}", String::from_utf8_lossy(&bytes))
        })
    }

    /// Sends bytes as they are and reads until the agent closes.
    pub(crate) fn raw(&self, bytes: &[u8]) -> Vec<u8> {
        let mut wire = self.open();
        // An agent that answers early (413, 431) may close while we still write.
        let _ = wire.write_all(bytes);
        wire.read_all()
    }
}

fn tcp(addr: SocketAddr) -> TcpStream {
    let stream = TcpStream::connect_timeout(&addr, LIMIT)
        .unwrap_or_else(|error| panic!("cannot reach {addr}: {error}"));
    stream.set_read_timeout(Some(LIMIT)).unwrap();
    stream.set_write_timeout(Some(LIMIT)).unwrap();
    stream
}

impl Wire {
    /// Reads until the agent closes; whatever came before an error counts.
    pub(crate) fn read_all(&mut self) -> Vec<u8> {
        let mut all = Vec::new();
        let mut chunk = [0; 16 * 1024];
        loop {
            match self.read(&mut chunk) {
                Ok(0) => return all,
                Ok(n) => all.extend_from_slice(&chunk[..n]),
                Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {
                    panic!("no end within {LIMIT:?} after {:?}", String::from_utf8_lossy(&all))
                }
                Err(_) => return all,
            }
        }
    }

    /// Says that no more will be sent.
    pub(crate) fn end(&self) {
        let _ = match self {
            Self::Unix(stream) => stream.shutdown(Shutdown::Write),
            Self::Tcp(stream) => stream.shutdown(Shutdown::Write),
            Self::Tls(stream) => stream.sock.shutdown(Shutdown::Write),
        };
    }
}

impl Read for Wire {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.read(buffer),
            Self::Tcp(stream) => stream.read(buffer),
            Self::Tls(stream) => stream.read(buffer),
        }
    }
}

impl Write for Wire {
    fn write(&mut self, buffer: &[u8]) -> std::io::Result<usize> {
        match self {
            Self::Unix(stream) => stream.write(buffer),
            Self::Tcp(stream) => stream.write(buffer),
            Self::Tls(stream) => stream.write(buffer),
        }
    }

    fn flush(&mut self) -> std::io::Result<()> {
        match self {
            Self::Unix(_) | Self::Tcp(_) => Ok(()),
            Self::Tls(stream) => stream.flush(),
        }
    }
}

impl Response {
    /// Reads an answer that is whole because its connection has ended.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        let split = bytes.windows(4).position(|window| window == b"\r\n\r\n")?;
        let head = std::str::from_utf8(&bytes[..split]).ok()?;
        let mut lines = head.split("\r\n");
        let status = lines.next()?.split(' ').nth(1)?.parse().ok()?;
        let header = |line: &str| {
            let (name, value) = line.split_once(':')?;
            Some((name.to_ascii_lowercase(), value.trim().to_owned()))
        };
        let headers: Vec<_> = lines.filter_map(header).collect();
        let body = bytes[split + 4..].to_vec();
        let mut response = Self { status, headers, body };
        if response.header("transfer-encoding") == Some("chunked") {
            response.body = unchunk(&response.body)?;
        } else if let Some(length) = response.header("content-length") {
            let length: usize = length.parse().ok()?;
            if response.body.len() < length {
                return None;
            }
            response.body.truncate(length);
        }
        Some(response)
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.iter().find(|(own, _)| own == name).map(|(_, value)| value.as_str())
    }

    pub(crate) fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }

    #[track_caller]
    pub(crate) fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|error| panic!("{error}: {}", self.text()))
    }

    #[track_caller]
    pub(crate) fn json_lines(&self) -> Vec<Value> {
        let read =
            |line: &str| serde_json::from_str(line).unwrap_or_else(|error| panic!("{error}: {line:?}"));
        self.text().lines().filter(|line| !line.is_empty()).map(read).collect()
    }

    /// Checks the status and shows the body where it is another.
    #[track_caller]
    pub(crate) fn is(self, status: u16) -> Self {
        assert_eq!(self.status, status, "{}", self.text());
        self
    }

    /// Checks for a native error with this status and code; gives its message.
    #[track_caller]
    pub(crate) fn error(self, status: u16, code: &str) -> String {
        let response = self.is(status);
        let body = response.json();
        assert_eq!(body["error"]["code"], code, "{body}");
        body["error"]["message"].as_str().expect("an error has a message").to_owned()
    }
}

fn unchunk(mut body: &[u8]) -> Option<Vec<u8>> {
    let mut whole = Vec::new();
    loop {
        let end = body.windows(2).position(|window| window == b"\r\n")?;
        let size = std::str::from_utf8(&body[..end]).ok()?.split(';').next()?.trim();
        let size = usize::from_str_radix(size, 16).ok()?;
        body = body.get(end + 2..)?;
        if size == 0 {
            return Some(whole);
        }
        whole.extend_from_slice(body.get(..size)?);
        body = body.get(size + 2..)?;
    }
}
