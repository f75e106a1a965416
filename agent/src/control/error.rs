//! The one place where an error of the native API becomes an HTTP answer.

use axum::Json;
use axum::http::{Method, StatusCode, Uri};
use axum::response::{IntoResponse, Response};
use connctl_api::error::{ApiError, ErrorBody, ErrorCode};

/// An [`ApiError`] as the answer of a handler.
#[derive(Debug)]
pub(super) struct Refusal(pub(super) ApiError);

impl From<ApiError> for Refusal {
    fn from(error: ApiError) -> Self {
        Self(error)
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.0.code.status()).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        (status, Json(ErrorBody { error: self.0 })).into_response()
    }
}

/// The answer on a path that does not exist.
pub(super) async fn no_route(uri: Uri) -> Refusal {
    let hint = format!("{} describes every native path", connctl_api::route::OPENAPI);
    Refusal(ApiError::new(ErrorCode::NoRoute, format!("there is no path {}", uri.path())).hint(hint))
}

/// The answer on a path that exists and does not take the method; the router adds `Allow`.
pub(super) async fn method_not_allowed(method: Method, uri: Uri) -> Refusal {
    let message = format!("{} does not take {method}", uri.path());
    Refusal(ApiError::new(ErrorCode::MethodNotAllowed, message))
}

/// The answer to a request whose task has ended badly.
pub(super) fn internal(what: &str, error: &dyn std::fmt::Display) -> ApiError {
    tracing::error!(%error, "{what}");
    ApiError::new(ErrorCode::Internal, what)
}

/// The answer while the agent stops.
pub(super) fn stopping() -> ApiError {
    ApiError::new(ErrorCode::Unavailable, "the agent is stopping")
}
