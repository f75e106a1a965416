//! Clients over TLS, from their first byte on. Each handshake is a task of its own, with a deadline: whoever does
//! not come to its end keeps nobody waiting.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use connctl_api::error::{ApiError, ErrorCode};
use hyper::service::service_fn;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use super::certificate::Certificate;
use super::http::{Shared, refused, serve_connection, serve_http};
use super::strangers::Stranger;
use super::transport::Transport;
use crate::config::tls::{Authorities, TlsSettings};

/// From the connect to the end of the handshake.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(5);
/// How long a client that was turned away has to take the notice of it.
const FAREWELL_LIMIT: Duration = Duration::from_secs(1);
/// What is read of such a client meanwhile.
const FAREWELL_BYTES: usize = 64 * 1024;

/// Serves a client to its end.
pub(super) async fn welcome(stream: TcpStream, peer: SocketAddr, shared: Arc<Shared>) {
    // Only where a reload has taken TLS away, and that is not done while an address speaks it.
    let Some(settings) = shared.doors.trust().tls() else { return };
    let (stranger, sent_away) = shared.strangers.enter();
    tokio::select! {
        () = serve(stream, peer, settings, stranger, shared) => {}
        () = sent_away.wait() => tracing::debug!(%peer, "a stranger made room for another"),
    }
}

async fn serve(
    stream: TcpStream,
    peer: SocketAddr,
    settings: TlsSettings,
    stranger: Stranger,
    shared: Arc<Shared>,
) {
    let handshake = tokio::time::timeout(HANDSHAKE_LIMIT, handshake(stream, peer, &settings));
    let mut stop = shared.stop.clone();
    let came = tokio::select! {
        came = handshake => came,
        () = stop.wait() => return,
    };
    match came {
        Ok(Came::Tls(stream)) => {
            let Some(place) = shared.place() else { return };
            let certificate = certificate(&stream, settings.client_ca).map(Arc::new);
            let transport = Transport::Tls { peer, certificate };
            serve_connection(stream, transport, place, shared, Some(stranger)).await;
        }
        Ok(Came::Plain(stream)) => {
            let service = service_fn(async |_| Ok(refused(wants_tls())));
            serve_http(stream, service, shared.stop.clone()).await;
        }
        Ok(Came::Nothing) => {}
        Err(_) => tracing::debug!(%peer, "a client did not come to the end of its TLS handshake in time"),
    }
}

/// What a connection turned out to be.
enum Came {
    Tls(Box<TlsStream<TcpStream>>),
    /// HTTP without TLS.
    Plain(TcpStream),
    Nothing,
}

async fn handshake(stream: TcpStream, peer: SocketAddr, settings: &TlsSettings) -> Came {
    let mut first = [0];
    match stream.peek(&mut first).await {
        // A handshake begins with 22, and a request with the capital letters of its method.
        Ok(1) if first[0].is_ascii_uppercase() => return Came::Plain(stream),
        Ok(1) => {}
        _ => return Came::Nothing,
    }
    match TlsAcceptor::from(Arc::clone(&settings.server)).accept(stream).into_fallible().await {
        Ok(stream) => Came::Tls(Box::new(stream)),
        Err((error, stream)) => {
            tracing::info!(%peer, %error, "a TLS handshake of the control API failed");
            farewell(stream).await;
            Came::Nothing
        }
    }
}

/// Lets a client read why it is turned away: bytes of it that nobody reads would make the kernel take that back.
async fn farewell(mut stream: TcpStream) {
    let drain = async {
        stream.shutdown().await?;
        let mut rest = stream.take(FAREWELL_BYTES as u64);
        tokio::io::copy(&mut rest, &mut tokio::io::sink()).await
    };
    // However it ends, it is over.
    let _ = tokio::time::timeout(FAREWELL_LIMIT, drain).await;
}

fn certificate(stream: &TlsStream<TcpStream>, vouched: Option<Authorities>) -> Option<Certificate> {
    let (_, session) = stream.get_ref();
    let own = session.peer_certificates()?.first()?;
    Some(Certificate::new(own, vouched))
}

fn wants_tls() -> ApiError {
    ApiError::new(
        ErrorCode::InvalidRequest,
        "this address of the control API speaks TLS, and the request came without",
    )
    .hint("write https:// instead of http://")
}
