//! Accepting control connections, and a task for each.

use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream, UnixListener, UnixStream};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::bind::{Bound, Claim};
use super::http::{Shared, serve_connection};
use super::transport::Transport;
use super::{App, Stop, tls};
use crate::base::actor::Peer;
use crate::config::{Control, Settings};
use crate::net::handed::Handed;
use crate::ops::Node;

/// After a failed accept: out of descriptors is over as soon as any connection ends.
const ACCEPT_PAUSE: Duration = Duration::from_millis(50);
/// How often the agent looks whether its socket is where its users look for it.
const LOOK_EVERY: Duration = Duration::from_secs(1);
/// How long answers that were begun may take once the agent stops.
const STOP_LIMIT: Duration = Duration::from_millis(800);

/// The control API's addresses, bound and not served yet.
#[derive(Debug)]
pub struct Server {
    bound: Vec<Bound>,
}

impl Server {
    /// Binds all addresses, or none.
    ///
    /// # Errors
    /// Names the address that cannot be bound, and why.
    pub fn bind(settings: &Settings, handed: &mut Handed) -> anyhow::Result<Self> {
        // Whoever may ask beside the agent's own user must be able to connect; who that is, is asked then.
        let is_shared = !settings.trust.peers.is_empty();
        let bind = |control| Bound::handed(control, handed).unwrap_or_else(|| Bound::new(control, is_shared));
        Ok(Self { bound: settings.control.iter().map(bind).collect::<Result<_, _>>()? })
    }

    /// The addresses, with the ports that were really taken.
    pub fn addresses(&self) -> Vec<Control> {
        self.bound.iter().map(Bound::address).collect()
    }

    /// Serves until told to stop; ends within a second of that.
    pub async fn serve(self, node: Arc<Node>, stop: watch::Receiver<bool>) {
        let stop = Stop(stop);
        let app = App { node, stop: stop.clone() };
        let watching = tokio::spawn(super::facade::watch(app.clone()));
        let shared = Arc::new(Shared::new(app, stop));
        let mut loops = JoinSet::new();
        for bound in self.bound {
            let shared = Arc::clone(&shared);
            loops.spawn(async move {
                let address = bound.address();
                if let Err(error) = accept_all(bound, shared).await {
                    tracing::error!(%address, %error, "the control API cannot be served");
                }
            });
        }
        while loops.join_next().await.is_some() {}
        watching.abort();
    }
}

/// A listening socket, known to the runtime.
enum Listener {
    Unix(UnixListener, Claim),
    Tcp(TcpListener, SocketAddr),
    Tls(TcpListener),
    /// A socket whose path was taken away, and could not be bound again.
    Lost {
        is_shared: bool,
    },
}

/// A connection that was accepted, over TCP with our address.
enum Accepted {
    Unix(UnixStream),
    Tcp(TcpStream, Transport),
    Tls(TcpStream, SocketAddr),
}

impl Listener {
    fn new(bound: Bound) -> io::Result<Self> {
        Ok(match bound {
            Bound::Unix(listener, claim) => Self::Unix(UnixListener::from_std(listener)?, claim),
            Bound::Tcp(listener, address) => Self::Tcp(TcpListener::from_std(listener)?, address),
            Bound::Tls(listener, _) => Self::Tls(TcpListener::from_std(listener)?),
        })
    }

    /// Binds a socket again whose path somebody took away: nobody could reach it any more.
    fn keep(&mut self, control: &Control) {
        let (is_lost, is_shared) = match self {
            Self::Unix(_, claim) if !claim.is_in_place() => (false, claim.is_shared()),
            Self::Lost { is_shared } => (true, *is_shared),
            Self::Unix(..) | Self::Tcp(..) | Self::Tls(_) => return,
        };
        // The lock on the path goes with the old one, and is there for the new one then.
        *self = Self::Lost { is_shared };
        match Bound::new(control, is_shared).and_then(|bound| Ok(Self::new(bound)?)) {
            Ok(again) => {
                *self = again;
                tracing::warn!(%control, "the control socket had been taken away, and is there again");
            }
            // Once, and not for each time that it is tried.
            Err(error) if !is_lost => {
                tracing::error!(%control, error = format!("{error:#}"), "the control socket was taken away");
            }
            Err(_) => {}
        }
    }

    async fn accept(&self) -> io::Result<Accepted> {
        match self {
            Self::Unix(listener, _) => Ok(Accepted::Unix(listener.accept().await?.0)),
            Self::Tcp(listener, address) => {
                let (stream, peer) = accept_tcp(listener).await?;
                Ok(Accepted::Tcp(stream, Transport::Tcp { local: *address, peer }))
            }
            Self::Tls(listener) => {
                let (stream, peer) = accept_tcp(listener).await?;
                Ok(Accepted::Tls(stream, peer))
            }
            Self::Lost { .. } => std::future::pending().await,
        }
    }
}

async fn accept_tcp(listener: &TcpListener) -> io::Result<(TcpStream, SocketAddr)> {
    let (stream, peer) = listener.accept().await?;
    // Without it a short answer can wait for the acknowledgement of the one before. It fails on a peer that has
    // gone already, and then nothing is lost.
    let _ = stream.set_nodelay(true);
    Ok((stream, peer))
}

async fn accept_all(bound: Bound, shared: Arc<Shared>) -> io::Result<()> {
    let control = bound.address();
    let mut listener = Listener::new(bound)?;
    let mut look = tokio::time::interval(LOOK_EVERY);
    let mut connections = JoinSet::new();
    let mut stop = shared.stop.clone();
    let mut is_failing = false;
    loop {
        // Whatever wakes it: those that have ended are not kept while others come without a pause.
        while connections.try_join_next().is_some() {}
        tokio::select! {
            // In this order: whoever has connected is accepted before the socket is made anew.
            biased;
            () = stop.wait() => break,
            accepted = listener.accept() => match accepted {
                Ok(accepted) => {
                    is_failing = false;
                    welcome(accepted, &shared, &mut connections);
                }
                // A peer that left before it was accepted is no news.
                Err(error) if error.kind() == io::ErrorKind::ConnectionAborted => {}
                // The connection is still in the backlog, and the next accept would fail at once.
                Err(error) => {
                    // Once, and not twenty times a second for as long as it lasts.
                    if !std::mem::replace(&mut is_failing, true) {
                        tracing::warn!(%error, "a control connection could not be accepted");
                    }
                    tokio::time::sleep(ACCEPT_PAUSE).await;
                }
            },
            _ = look.tick() => listener.keep(&control),
        }
    }
    // The address is free, and a dial refused, from here on.
    drop(listener);
    let _ =
        tokio::time::timeout(STOP_LIMIT, async { while connections.join_next().await.is_some() {} }).await;
    Ok(())
}

fn welcome(accepted: Accepted, shared: &Arc<Shared>, connections: &mut JoinSet<()>) {
    match accepted {
        Accepted::Unix(stream) => match peer_of(&stream) {
            Ok(peer) => spawn(stream, Transport::Unix { peer, own: shared.own }, shared, connections),
            // Nobody is known to have asked.
            Err(error) => tracing::warn!(%error, "the peer of a control connection is not known"),
        },
        Accepted::Tcp(stream, transport) => spawn(stream, transport, shared, connections),
        Accepted::Tls(stream, peer) => {
            connections.spawn(tls::welcome(stream, peer, Arc::clone(shared)));
        }
    }
}

fn peer_of(stream: &UnixStream) -> io::Result<Peer> {
    let peer = stream.peer_cred()?;
    Ok(Peer { uid: peer.uid(), gid: peer.gid(), pid: peer.pid() })
}

/// Serves a connection in a task of its own. Whoever the kernel does not vouch for is a stranger at first.
fn spawn<S>(stream: S, transport: Transport, shared: &Arc<Shared>, connections: &mut JoinSet<()>)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let Some(place) = shared.place() else { return };
    let shared = Arc::clone(shared);
    let is_known = match &transport {
        Transport::Unix { peer, own } => shared.doors.trust().peer(*peer, *own).is_some(),
        Transport::Tcp { .. } | Transport::Tls { .. } => false,
    };
    connections.spawn(async move {
        if is_known {
            return serve_connection(stream, transport, place, shared, None).await;
        }
        let (stranger, sent_away) = shared.strangers.enter();
        tokio::select! {
            () = serve_connection(stream, transport, place, shared, Some(stranger)) => {}
            () = sent_away.wait() => tracing::debug!("a stranger made room for another"),
        }
    });
}
