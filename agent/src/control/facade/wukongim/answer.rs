//! The two shapes of every answer that has no data: success and fault.

use axum::Json;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use connctl_api::error::ApiError;
use serde::Serialize;

use crate::control::facade::profile::{OkStatus, Profile};

/// The answer of success.
pub(super) fn ok(profile: Profile) -> Response {
    let status = match profile.wukongim_ok() {
        OkStatus::Word => serde_json::json!("ok"),
        OkStatus::Number => serde_json::json!(200),
    };
    Json(serde_json::json!({ "status": status })).into_response()
}

/// The answer of failure; the body repeats the status.
#[derive(Debug, PartialEq, Serialize)]
pub(super) struct Fault {
    msg: String,
    status: u16,
}

impl Fault {
    /// What was asked is wrong.
    pub(super) fn bad(msg: impl Into<String>) -> Self {
        Self { msg: msg.into(), status: 400 }
    }

    /// What was asked for is not there.
    pub(super) fn missing(msg: impl Into<String>) -> Self {
        Self { msg: msg.into(), status: 404 }
    }

    /// It was tried and did not work.
    pub(super) fn failed(msg: impl Into<String>) -> Self {
        Self { msg: msg.into(), status: 500 }
    }
}

impl From<ApiError> for Fault {
    fn from(error: ApiError) -> Self {
        Self { msg: error.message, status: error.code.status() }
    }
}

impl IntoResponse for Fault {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::BAD_REQUEST);
        (status, Json(self)).into_response()
    }
}
