//! Floor 7: connections that the agent opens itself, to NATS servers, and the sessions that may use them. The
//! dial and the first words happen on the control runtime, where waiting costs nobody anything; from then on
//! a relay thread owns the socket, as it owns every other.

mod nats;
pub mod secret;
pub mod session;
mod target;

use std::net::SocketAddr;
use std::os::fd::OwnedFd;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use connctl_api::conn::Mode;
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
pub use session::{Session, Sessions};
pub use target::{Failure, Stage, Target};

/// How long a server that is there may take to say so.
const ASK_LIMIT: Duration = Duration::from_secs(2);
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
    use connctl_api::error::ApiError;

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
