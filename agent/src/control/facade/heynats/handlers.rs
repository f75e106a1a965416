//! What each path does.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use connctl_api::instant::Instant;
use serde_json::{Value, json};

use super::{body, cookie, duration, watch};
use crate::control::facade::profile::Profile;
use crate::ops::Node;
use crate::ops::session::{self, Failure, Health, Session, Stage, Unusable};

/// What operations of this facade leave as their note.
const NOTE: &str = "heynats";

/// `POST /api/nats/connect`
pub(super) async fn connect(State(node): State<Arc<Node>>, request: Request) -> Response {
    let headers = request.headers().clone();
    let known = cookie::of(&headers).and_then(|id| session::find(&node, id));
    let target = match body::target(request).await {
        Ok(target) => target,
        Err(error) => {
            let status = StatusCode::from_u16(error.code.status()).unwrap_or(StatusCode::BAD_REQUEST);
            return (status, Json(json!({ "error": error.message }))).into_response();
        }
    };
    let is_reused = |session: &&Arc<Session>| {
        session.target().is_same(&target) || Profile::of(&node.settings).heynats_reuses_any_session()
    };
    if let Some(session) = known.as_ref().filter(is_reused)
        && session::ready(&node, session).await.is_ok()
    {
        return connected(session, &headers);
    }
    match session::connect(&node, target).await {
        Ok(session) => {
            // One client has one session: the one before is of no use to it any more.
            if let Some(known) = known {
                session::disconnect(&node, &known, NOTE).await;
            }
            connected(&session, &headers)
        }
        Err(Failure { stage, why }) => {
            let (status, error) = match stage {
                Stage::Connect => (StatusCode::UNAUTHORIZED, "Failed to connect to NATS server"),
                Stage::Test => (StatusCode::UNAUTHORIZED, "Connection test failed"),
                Stage::Room => (StatusCode::SERVICE_UNAVAILABLE, "Connection unavailable"),
            };
            (status, Json(json!({ "error": error, "details": why }))).into_response()
        }
    }
}

fn connected(session: &Session, headers: &HeaderMap) -> Response {
    let body = json!({ "message": "Successfully connected to NATS server", "connected": true });
    with_cookie(body, cookie::set(&session.key().text(), headers))
}

fn with_cookie(body: Value, cookie: Option<HeaderValue>) -> Response {
    let mut response = Json(body).into_response();
    response.headers_mut().extend(cookie.map(|cookie| (header::SET_COOKIE, cookie)));
    response
}

/// `POST /api/nats/disconnect`: the answer comes when the connection is closed. One that is closed already is
/// not opened for it.
pub(super) async fn disconnect(
    State(node): State<Arc<Node>>,
    headers: HeaderMap,
) -> Result<Response, Nobody> {
    let session = required(&node, &headers)?;
    session::disconnect(&node, &session, NOTE).await;
    let body = json!({ "message": "Disconnected from NATS server", "connected": false });
    Ok(with_cookie(body, cookie::clear(&headers)))
}

/// `GET /api/nats/connection/stats`
pub(super) async fn stats(State(node): State<Arc<Node>>, headers: HeaderMap) -> Result<Response, Nobody> {
    let session = required(&node, &headers)?;
    let profile = Profile::of(&node.settings);
    if profile.heynats_stats_is_activity()
        && let Err(unusable) = session::ready(&node, &session).await
    {
        return Ok(unavailable(&node, &session, unusable).await);
    }
    let Health { is_connected, is_healthy, idle_ms } = session::health(&node, &session).await;
    let limit = watch::idle_timeout(&node);
    let left = limit.saturating_sub(Duration::from_millis(idle_ms));
    // What is left is told in whole seconds, as in the document, until there is less than one.
    let left = if left.as_secs() > 0 { Duration::from_secs(left.as_secs()) } else { left };
    // Only who has the name is told the name.
    let body = json!({
        "connection_id": session.key().text(),
        "last_activity": Instant(session.active_wall_ms()).to_string(),
        "idle_timeout": duration::of(limit, profile),
        "time_remaining": duration::of(left, profile),
        "is_healthy": is_healthy,
        "is_connected": is_connected,
    });
    Ok(Json(body).into_response())
}

/// `GET /api/nats/status`: an answer for everyone, with or without a session.
pub(super) async fn status(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    match optional(&node, &headers).await {
        Some(Ok(session)) => {
            let target = session.target();
            Json(json!({
                "connected": true,
                "host": target.host,
                "port": target.port.to_string(),
                "username": target.username,
            }))
            .into_response()
        }
        Some(Err((_, why))) => reconnect_failed(StatusCode::OK, json!({ "connected": false, "error": why })),
        None => Json(json!({ "connected": false })).into_response(),
    }
}

/// `GET /api/nats/health`
pub(super) async fn health(State(node): State<Arc<Node>>, headers: HeaderMap) -> Response {
    let unhealthy = |why: &str| json!({ "status": "unhealthy", "connected": false, "error": why });
    match optional(&node, &headers).await {
        Some(Ok(_)) => Json(json!({ "status": "healthy", "connected": true })).into_response(),
        Some(Err((_, why))) => reconnect_failed(StatusCode::SERVICE_UNAVAILABLE, unhealthy(&why)),
        None => (StatusCode::SERVICE_UNAVAILABLE, Json(unhealthy("there is no connection"))).into_response(),
    }
}

/// `GET /api/health`: the process is there.
pub(super) async fn alive() -> impl IntoResponse {
    Json(json!({ "status": "healthy", "server": "gin" }))
}

fn reconnect_failed(status: StatusCode, body: Value) -> Response {
    (status, [("x-connection-status", "reconnect-failed")], Json(body)).into_response()
}

/// A request that needs a session names none; in the original's words.
#[derive(Debug)]
pub(super) struct Nobody(&'static str);

impl IntoResponse for Nobody {
    fn into_response(self) -> Response {
        (StatusCode::UNAUTHORIZED, Json(json!({ "error": self.0 }))).into_response()
    }
}

/// The session of a request that cannot do without.
fn required(node: &Node, headers: &HeaderMap) -> Result<Arc<Session>, Nobody> {
    match cookie::of(headers) {
        None => Err(Nobody("Connection ID cookie is missing")),
        Some("") => Err(Nobody("Connection ID is empty")),
        Some(id) => session::find(node, id).ok_or(Nobody("Invalid Connection ID")),
    }
}

/// The session of a request that can do without, ready to be used, or why it is not.
async fn optional(node: &Arc<Node>, headers: &HeaderMap) -> Option<Result<Arc<Session>, (Unusable, String)>> {
    let session = session::find(node, cookie::of(headers)?)?;
    match session::ready(node, &session).await {
        Ok(()) => Some(Ok(session)),
        Err(unusable) => {
            forget_where_the_code_does(node, &session, &unusable).await;
            let why = why(&unusable);
            Some(Err((unusable, why)))
        }
    }
}

/// The answer where a session is needed and has no connection.
async fn unavailable(node: &Arc<Node>, session: &Arc<Session>, unusable: Unusable) -> Response {
    if forget_where_the_code_does(node, session, &unusable).await {
        let body = json!({ "error": "Invalid Connection ID", "details": why(&unusable) });
        return (StatusCode::UNAUTHORIZED, Json(body)).into_response();
    }
    let body = json!({ "error": "Connection unavailable", "details": why(&unusable) });
    (StatusCode::SERVICE_UNAVAILABLE, Json(body)).into_response()
}

async fn forget_where_the_code_does(node: &Arc<Node>, session: &Arc<Session>, unusable: &Unusable) -> bool {
    let is_over = match unusable {
        Unusable::Failed(_) => Profile::of(&node.settings).heynats_forgets_the_failed(),
        Unusable::Paused => false,
        Unusable::Over => true,
    };
    if is_over {
        session::disconnect(node, session, NOTE).await;
    }
    is_over
}

fn why(unusable: &Unusable) -> String {
    match unusable {
        Unusable::Failed(failure) => failure.why.clone(),
        Unusable::Paused => "an operator has paused the connection".to_owned(),
        Unusable::Over => "the session has ended".to_owned(),
    }
}
