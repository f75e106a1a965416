//! WuKongIM: `/conn/…`, `/connz`, `/varz`, `/health`, `/user/…` and `/manager/connections`.

mod answer;
mod body;
mod conn;
mod connz;
mod device;
mod manager;
mod packet;
mod user;
mod varz;

use axum::Router;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::routing::{MethodRouter, get, post};

use crate::control::App;

/// The methods that a preflight is told.
const METHODS: &str = "POST, OPTIONS, GET, PUT,DELETE,PATCH";

pub(super) fn routes() -> Router<App> {
    Router::new()
        .route("/conn/remove", framed(post(conn::remove)))
        .route("/conn/kick", framed(post(conn::kick)))
        .route("/connz", framed(get(connz::connz)))
        .route("/varz", framed(get(varz::varz)))
        .route("/health", framed(get(varz::health)))
        .route("/user/device_quit", framed(post(user::device_quit)))
        .route("/user/onlinestatus", framed(post(user::online_status)))
        .route("/manager/connections", framed(get(manager::list)))
        .route("/manager/connections/{session_id}", framed(get(manager::show)))
}

/// What every path of this system does with other methods.
fn framed(route: MethodRouter<App>) -> MethodRouter<App> {
    route.options(preflight).fallback(page_not_found)
}

/// The original also lets every web page in. Ours lets none: a request with an `Origin` never comes here, and
/// the header that would invite one is left out.
async fn preflight() -> Response {
    let methods = HeaderValue::from_static(METHODS);
    (StatusCode::NO_CONTENT, [(header::ACCESS_CONTROL_ALLOW_METHODS, methods)]).into_response()
}

async fn page_not_found() -> Response {
    (StatusCode::NOT_FOUND, "404 page not found").into_response()
}
