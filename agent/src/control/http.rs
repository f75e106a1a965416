//! HTTP on a control connection, whatever it came over: a place among the others, its requests, its end.

use std::convert::Infallible;
use std::sync::Arc;
use std::time::Duration;

use axum::http::{HeaderValue, Request, header};
use axum::response::{IntoResponse, Response};
use connctl_api::error::{ApiError, ErrorCode};
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::{Service, service_fn};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::doors::Doors;
use super::error::Refusal;
use super::strangers::{Stranger, Strangers};
use super::transport::Transport;
use super::{App, Stop};

/// Control connections at once. Operators and scripts need a handful; a descriptor taken here is one that a
/// client of the service does not get.
const MAX_CONNECTIONS: usize = 512;
/// Connections beyond that, which are told so instead of being left to hang.
const MAX_REFUSED_CONNECTIONS: usize = 32;
/// The head of a request arrives within this time, also on a connection that is kept alive.
const HEAD_LIMIT: Duration = Duration::from_secs(10);
/// About the largest head of a request in bytes: it is noticed when more than this has been read.
const MAX_HEAD_BYTES: usize = 64 * 1024;
/// The most header fields of a request.
const MAX_HEADERS: usize = 64;
/// What all control connections have in common.
pub(super) struct Shared {
    pub(super) doors: Doors,
    /// The user that the agent runs as.
    pub(super) own: u32,
    places: Arc<Semaphore>,
    refusals: Arc<Semaphore>,
    pub(super) strangers: Arc<Strangers>,
    pub(super) stop: Stop,
}

/// A connection's right to be there.
pub(super) enum Place {
    Taken(#[expect(dead_code, reason = "given back when dropped")] OwnedSemaphorePermit),
    Refused(#[expect(dead_code, reason = "given back when dropped")] OwnedSemaphorePermit),
}

impl Shared {
    /// For the connections of this agent's control API, until it is told to stop.
    pub(super) fn new(app: App, stop: Stop) -> Self {
        Self {
            doors: Doors::new(app),
            own: rustix::process::geteuid().as_raw(),
            places: Arc::new(Semaphore::new(MAX_CONNECTIONS)),
            refusals: Arc::new(Semaphore::new(MAX_REFUSED_CONNECTIONS)),
            strangers: Arc::default(),
            stop,
        }
    }

    /// A place among the others, or one to be told that there is none.
    pub(super) fn place(&self) -> Option<Place> {
        let take = |places: &Arc<Semaphore>| Arc::clone(places).try_acquire_owned().ok();
        take(&self.places).map(Place::Taken).or_else(|| take(&self.refusals).map(Place::Refused))
    }
}

/// Serves one connection to its end. A stranger is none from its first request on that says who asks.
pub(super) async fn serve_connection<S>(
    stream: S,
    transport: Transport,
    place: Place,
    shared: Arc<Shared>,
    stranger: Option<Stranger>,
) where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let is_refused = matches!(place, Place::Refused(_));
    let doors = Arc::clone(&shared);
    let service = service_fn(move |mut request: Request<Incoming>| {
        let (routes, is_known) = doors.doors.open(&mut request, transport.clone());
        if let Some(stranger) = stranger.as_ref().filter(|_| is_known) {
            stranger.is_known();
        }
        let answer = TowerToHyperService::new(routes).call(request);
        async move { if is_refused { Ok(too_many()) } else { answer.await } }
    });
    serve_http(stream, service, shared.stop.clone()).await;
    drop(place);
}

/// Answers the requests of a connection.
pub(super) async fn serve_http<S, F>(stream: S, service: F, mut stop: Stop)
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
    F: Service<Request<Incoming>, Response = Response, Error = Infallible>,
{
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_LIMIT)
        .max_headers(MAX_HEADERS)
        .max_buf_size(MAX_HEAD_BYTES)
        .serve_connection(TokioIo::new(stream), service);
    let mut connection = std::pin::pin!(connection);
    let ended = tokio::select! {
        ended = connection.as_mut() => ended,
        () = stop.wait() => {
            connection.as_mut().graceful_shutdown();
            connection.await
        }
    };
    if let Err(error) = ended {
        // Clients that leave in the middle are everyday.
        tracing::debug!(%error, "a control connection ended early");
    }
}

fn too_many() -> Response {
    let message = format!("there are {MAX_CONNECTIONS} control connections already");
    refused(ApiError::new(ErrorCode::Unavailable, message))
}

/// An answer after which the connection ends.
pub(super) fn refused(error: ApiError) -> Response {
    let mut response = Refusal(error).into_response();
    response.headers_mut().insert(header::CONNECTION, HeaderValue::from_static("close"));
    response
}
