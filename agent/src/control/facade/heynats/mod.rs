//! HeyNATS: `/api/nats/connect` and `/disconnect`, `/api/nats/connection/stats`, `/api/nats/status` and
//! `/health`, `/api/health`. Its clients let the server hold a connection to a NATS server for them, and name
//! it by a cookie.

mod body;
mod cookie;
mod duration;
mod handlers;
mod watch;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use crate::control::App;
pub(in crate::control) use watch::watch;

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/api/nats/connect", framed(post(handlers::connect)))
        .route("/api/nats/disconnect", framed(post(handlers::disconnect)))
        .route("/api/nats/connection/stats", framed(get(handlers::stats)))
        .route("/api/nats/status", framed(get(handlers::status)))
        .route("/api/nats/health", framed(get(handlers::health)))
        .route("/api/health", framed(get(handlers::alive)))
}

fn framed(route: MethodRouter<App>) -> MethodRouter<App> {
    route.fallback(page_not_found).layer(axum::middleware::map_response(unstored))
}

/// These answers are one user's, and some of them name the session: no cache may keep them.
async fn unstored(mut response: Response) -> Response {
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

async fn page_not_found() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found").into_response()
}
