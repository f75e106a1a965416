//! Bodies within limits.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use connctl_api::error::{ApiError, ErrorCode};
use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::json;
use crate::control::error::{Refusal, invalid};

/// The largest body of most requests.
pub(in crate::control) const SMALL_BODY_BYTES: usize = 1 << 20;
/// The largest body of a batch: a million items with users of 30 bytes.
const LARGE_BODY_BYTES: usize = 64 << 20;
/// A body that has not arrived after this long never will.
const BODY_LIMIT: Duration = Duration::from_secs(30);
/// How much of a body that is too large is read and thrown away before the answer: a client that is still
/// sending when the connection ends sees a reset instead of the answer.
const DISCARD_BYTES: usize = 256 << 20;

/// A JSON body of at most [`SMALL_BODY_BYTES`].
pub(in crate::control) struct JsonBody<T>(pub(in crate::control) T);
/// A JSON body of at most [`LARGE_BODY_BYTES`].
pub(in crate::control) struct LargeJsonBody<T>(pub(in crate::control) T);

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for JsonBody<T> {
    type Rejection = Refusal;
    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        Ok(Self(json::parse(&read(request, SMALL_BODY_BYTES).await?)?))
    }
}

impl<S: Sync, T: DeserializeOwned> FromRequest<S> for LargeJsonBody<T> {
    type Rejection = Refusal;
    async fn from_request(request: Request, _state: &S) -> Result<Self, Refusal> {
        Ok(Self(json::parse(&read(request, LARGE_BODY_BYTES).await?)?))
    }
}

/// The whole body.
pub(in crate::control) async fn read(request: Request, limit: usize) -> Result<Vec<u8>, ApiError> {
    let (parts, body) = request.into_parts();
    let announced = announced(&parts.headers);
    // A client that asked first has not begun to send.
    if announced.is_some_and(|bytes| bytes > limit as u64) && parts.headers.contains_key(header::EXPECT) {
        return Err(too_large(limit));
    }
    match tokio::time::timeout(BODY_LIMIT, collect(body, limit)).await {
        Ok(read) => read,
        Err(_) => {
            let message = format!("the body did not arrive within {} s", BODY_LIMIT.as_secs());
            Err(ApiError::new(ErrorCode::RequestTimeout, message).field("body"))
        }
    }
}

async fn collect(body: Body, limit: usize) -> Result<Vec<u8>, ApiError> {
    let mut chunks = body.into_data_stream();
    let mut bytes = Vec::new();
    let mut total = 0_usize;
    while let Some(chunk) = poll_fn(|context| Pin::new(&mut chunks).poll_next(context)).await {
        let chunk = chunk.map_err(|error| invalid("body", format!("the body broke off: {error}")))?;
        total = total.saturating_add(chunk.len());
        if total <= limit {
            bytes.extend_from_slice(&chunk);
        } else {
            bytes = Vec::new();
        }
        if total > DISCARD_BYTES {
            break;
        }
    }
    if total > limit { Err(too_large(limit)) } else { Ok(bytes) }
}

fn announced(headers: &HeaderMap) -> Option<u64> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

fn too_large(limit: usize) -> ApiError {
    let message = format!("the body is larger than {} MiB", limit >> 20);
    ApiError::new(ErrorCode::TooLarge, message).field("body")
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn read_body(body: Body, limit: usize) -> Result<Vec<u8>, ApiError> {
        read(Request::new(body), limit).await
    }

    #[tokio::test]
    async fn a_body_over_the_limit_is_an_error_and_one_at_it_is_not() {
        assert_eq!(read_body(Body::from(vec![b'x'; 8]), 8).await.unwrap().len(), 8);
        let error = read_body(Body::from(vec![b'x'; 9]), 8).await.unwrap_err();
        assert_eq!((error.code, error.detail.field.as_deref()), (ErrorCode::TooLarge, Some("body")));
    }
}
