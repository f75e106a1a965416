//! Where a connection is to be opened and as whom, and why it could not be.

use std::fmt;
use std::net::IpAddr;

use connctl_api::conn::MAX_LABEL_BYTES;
use connctl_api::error::ApiError;

use super::secret::Secret;

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
    pub(super) password: Secret,
}

impl Target {
    /// Checks what was asked for.
    ///
    /// # Errors
    /// Names the field; never what a password was.
    pub fn new(host: String, port: u16, username: String, password: String) -> Result<Self, ApiError> {
        let password = Secret::new(password);
        let inner = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
        let host = match inner {
            Some(inner) if inner.parse::<IpAddr>().is_ok_and(|ip| ip.is_ipv6()) => inner.to_owned(),
            _ => host,
        };
        let is_name = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
        let is_address = host.parse::<IpAddr>().is_ok();
        if !is_address && (host.is_empty() || host.len() > MAX_HOST_BYTES || !host.chars().all(is_name)) {
            return Err(ApiError::invalid("host", format!("host {host:?} is neither a name nor an address")));
        }
        if port == 0 {
            return Err(ApiError::invalid("port", "port 0 is no port of a server"));
        }
        if username.len() > MAX_LABEL_BYTES {
            return Err(ApiError::invalid(
                "username",
                format!("username is longer than {MAX_LABEL_BYTES} bytes"),
            ));
        }
        if password.text().len() > MAX_PASSWORD_BYTES {
            return Err(ApiError::invalid(
                "password",
                format!("password is longer than {MAX_PASSWORD_BYTES} bytes"),
            ));
        }
        Ok(Self { host, port, username, password })
    }

    /// Whether both are the same server, with the same login.
    pub fn is_same(&self, other: &Self) -> bool {
        let is_same_login = self.password.is_same(&other.password);
        (&self.host, self.port, &self.username) == (&other.host, other.port, &other.username) && is_same_login
    }

    /// A failure that names the server.
    pub(super) fn failed(&self, why: &dyn fmt::Display) -> Failure {
        Failure::connect(format!("{self}: {why}"))
    }

    /// The server's own words, unless it repeats what it was told.
    pub(super) fn complained(&self, text: &str) -> Failure {
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
    pub(super) fn connect(why: String) -> Self {
        Self { stage: Stage::Connect, why }
    }

    /// The agent has no room.
    pub fn room(why: &str) -> Self {
        Self { stage: Stage::Room, why: why.to_owned() }
    }
}
