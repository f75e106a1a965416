//! Floor 7: connections that the agent opens itself, to NATS servers, and the sessions that may use them. The
//! dial and the first words happen on the control runtime, where waiting costs nobody anything; from then on
//! a relay thread owns the socket, as it owns every other.

mod nats;
pub mod secret;
pub mod session;

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connctl_api::conn::{MAX_LABEL_BYTES, Mode};
use connctl_api::error::{ApiError, ErrorCode};
use tokio::net::TcpStream;
use tokio::sync::oneshot;
use tokio::time::timeout;

use crate::base::clock;
use crate::base::state_dir::Ids;
use crate::config::{ListenerSettings, OutboundSettings};
use crate::net::options;
use crate::record::stats::Stats;
use crate::registry::Conn;
use crate::registry::conn::{Birth, Origin};
use crate::relay::{Arrival, Budget, Opened, Pool, Speaker, descriptors};
use nats::Greeted;
use secret::Secret;
pub use session::{Session, Sessions};

/// How long a server that is there may take to say so.
const ASK_LIMIT: Duration = Duration::from_secs(2);
/// The longest name of a host that DNS allows.
const MAX_HOST_BYTES: usize = 253;
/// The longest password. No server takes a line of more than 4 KiB before it knows its client.
const MAX_PASSWORD_BYTES: usize = 2048;

/// A server, and as whom to log in there.
#[derive(Debug)]
pub struct Target {
    /// Its host, a name or an address.
    pub host: String,
    /// Its port.
    pub port: u16,
    /// As whom; empty is nobody.
    pub username: String,
    password: Secret,
}

impl Target {
    /// Checks what was asked for.
    ///
    /// # Errors
    /// Names the field; never what a password was.
    pub fn new(host: String, port: u16, username: String, password: String) -> Result<Self, ApiError> {
        let password = Secret::new(password);
        let wrong = |field: &str, message: String| {
            Err(ApiError::new(ErrorCode::InvalidRequest, message).field(field))
        };
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match inner {
            Some(inner) if inner.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6()) => inner.to_owned(),
            _ => host,
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_address = host.parse::<IpAddr>().is_ok();
        if !is_address && (host.is_empty() || host.len() > MAX_HOST_BYTES || !host.chars().all(is_name)) {
            return wrong("host", format!("host {host:?} is neither a name nor an address"));
        }
        if port == 0 {
            return wrong("port", "port 0 is no port of a server".into());
        }
        if username.len() > MAX_LABEL_BYTES {
            return wrong("username", format!("username is longer than {MAX_LABEL_BYTES} bytes"));
        }
        if password.text().len() > MAX_PASSWORD_BYTES {
            return wrong("password", format!("password is longer than {MAX_PASSWORD_BYTES} bytes"));
        }
        Ok(Self { host, port, username, password })
    }

    /// Whether both are the same server, with the same login.
    pub fn is_same(&self, other: &Self) -> bool {
        let is_same_login = self.password.is_same(&other.password);
        (&self.host, self.port, &self.username) == (&other.host, other.port, &other.username) && is_same_login
    }

    fn failed(&self, why: &dyn fmt::Display) -> Failure {
        Failure::connect(format!("{self}: {why}"))
    }

    /// The server's own words, unless it repeats what it was told.
    fn complained(&self, text: &str) -> Failure {
        let password = self.password.text();
        if !password.is_empty() && text.contains(password) {
            return self.failed(&"the server refused the login");
        }
        self.failed(&format_args!("the server says {text}"))
    }
}

impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.host.contains(':') {
            true => write!(f, "[{}]:{}", self.host, self.port),
            false => write!(f, "{}:{}", self.host, self.port),
        }
    }
}

/// Why a connection could not be opened, without a word that is secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// How far it came.
    pub stage: Stage,
    /// Why it came no further.
    pub why: String,
}

/// How far the opening of a connection came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// The agent itself has no room for it.
    Room,
    /// The server could not be reached, or did not let the agent in.
    Connect,
    /// It let the agent in, and then did not answer.
    Test,
}

impl Failure {
    fn connect(why: String) -> Self {
        Self { stage: Stage::Connect, why }
    }

    /// The agent has no room.
    pub fn room(why: &str) -> Self {
        Self { stage: Stage::Room, why: why.to_owned() }
    }
}

/// What opening connections needs of the rest of the agent.
#[derive(Debug)]
pub struct Inside {
    /// Where connections go.
    pub pool: Arc<Pool>,
    /// Where their ids come from.
    pub ids: Arc<Ids>,
    /// Where they are counted.
    pub stats: Arc<Stats>,
    /// What descriptors are left for them.
    pub descriptors: Arc<Budget>,
}

/// The one place that opens connections.
#[derive(Debug)]
pub struct Outbound {
    inside: Inside,
    origin: Arc<Origin>,
    settings: Arc<ListenerSettings>,
    dial_timeout: Duration,
    /// Who may use them.
    pub sessions: Sessions,
}

impl Outbound {
    /// Without a connection yet.
    pub fn new(inside: Inside, settings: &OutboundSettings) -> Self {
        Self {
            inside,
            // No listener has this place.
            origin: Arc::new(Origin::new("", Mode::Outbound, usize::MAX)),
            settings: Arc::new(ListenerSettings::outbound()),
            dial_timeout: settings.dial_timeout,
            sessions: Sessions::new(settings.max_sessions),
        }
    }

    /// Opens a connection, which is in the registry then and known to work.
    ///
    /// # Errors
    /// How far it came and why no further; nothing is left of it.
    pub async fn open(&self, target: &Target) -> Result<Arc<Conn>, Failure> {
        let count = usize::from(descriptors(Mode::Outbound));
        if !self.inside.descriptors.take(count) {
            return Err(Failure::room("the agent has no descriptor left"));
        }
        let lent = Lent { budget: &self.inside.descriptors, count };
        let Greeted { stream, lines, moved } = nats::open(target, self.dial_timeout).await?;
        let (fd, peer, local) = own(stream).map_err(|error| target.failed(&error))?;
        options::dress(&fd, &self.settings);
        let id = self.inside.ids.next().map_err(|_| Failure::room("there is no new conn_id"))?;
        let now_ms = clock::now_ms();
        let conn = Arc::new(Conn::new(Birth {
            id,
            origin: Arc::clone(&self.origin),
            peer,
            local,
            wall_ms: clock::wall_ms(),
            now_ms,
            thread: self.inside.pool.choose(),
        }));
        conn.set_upstream(Some(peer));
        conn.add_to_client(moved.0, now_ms);
        conn.add_to_upstream(moved.1, now_ms);
        self.inside.stats.accepted_one();
        self.origin.live.fetch_add(1, Ordering::Relaxed);
        // The relay gives them back when the connection ends.
        std::mem::forget(lent);
        let uid = Some(target.username.as_str()).filter(|name| !name.is_empty()).map(Box::from);
        let (entered, is_entered) = oneshot::channel();
        let opened = Some(Box::new(Opened { speaker: Speaker::new(lines), uid, entered }));
        let settings = Arc::clone(&self.settings);
        let (own, accepted_us) = (Arc::clone(&conn), clock::now_us());
        self.inside.pool.adopt(Arrival { conn: own, fd, accepted_us, settings, ticket: None, opened });
        match is_entered.await {
            Ok(true) => Ok(conn),
            Ok(false) => Err(target.failed(&format_args!("the user {:?} is revoked", target.username))),
            Err(_) => Err(Failure::room("the agent is stopping")),
        }
    }

    /// Asks a connection's server whether it is there.
    pub async fn asks(&self, conn: &Conn) -> bool {
        let (asker, answer) = oneshot::channel();
        self.inside.pool.ask(conn, asker);
        matches!(timeout(ASK_LIMIT, answer).await, Ok(Ok(())))
    }
}

/// The socket, without the runtime that opened it.
fn own(stream: TcpStream) -> std::io::Result<(OwnedFd, SocketAddr, SocketAddr)> {
    let (peer, local) = (stream.peer_addr()?, stream.local_addr()?);
    Ok((stream.into_std()?.into(), peer, local))
}

/// Descriptors that are given back unless a connection takes them over.
struct Lent<'a> {
    budget: &'a Budget,
    count: usize,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        self.budget.give(self.count);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(host: &str, port: u16, username: &str, password: &str) -> Result<Target, ApiError> {
        Target::new(host.into(), port, username.into(), password.into())
    }

    #[test]
    fn a_wrong_target_names_the_field_and_no_password() {
        for (host, port, username, password, field) in [
            ("", 1, "", "", "host"),
            ("nats://h", 1, "", "", "host"),
            ("user@h", 1, "", "", "host"),
            ("h\r\nX", 1, "", "", "host"),
            ("h h", 1, "", "", "host"),
            ("[::1", 1, "", "", "host"),
            ("h", 0, "", "", "port"),
            ("h", 1, &*"u".repeat(257), "", "username"),
            ("h", 1, "u", &*"s3cret".repeat(400), "password"),
        ] {
            let error = target(host, port, username, password).unwrap_err();
            assert_eq!(error.detail.field.as_deref(), Some(field), "{host}");
            assert!(!error.message.contains("s3cret"), "{}", error.message);
        }
        assert_eq!(target("[::1]", 4222, "", "").unwrap().to_string(), "[::1]:4222");
        assert_eq!(target("nats.internal", 4222, "", "").unwrap().to_string(), "nats.internal:4222");
    }

    #[test]
    fn a_server_that_repeats_the_password_is_not_quoted() {
        let target = target("h", 1, "u", "s3cret").unwrap();
        assert!(target.complained("'Authorization Violation'").why.contains("Authorization Violation"));
        assert!(!target.complained("'no s3cret here'").why.contains("s3cret"));
        assert!(!format!("{target:?}").contains("s3cret"));
    }
}
