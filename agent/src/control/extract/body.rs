//! Bodies within limits.

use std::future::poll_fn;
use std::pin::Pin;
use std::time::Duration;

use axum::body::{BodyDataStream, Bytes};
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, header};
use connctl_api::error::{ApiError, ErrorCode};
use futures_core::Stream;
use serde::de::DeserializeOwned;

use super::json;
use crate::control::error::Refusal;

/// The largest body of most requests.
pub(in crate::control) const SMALL_BODY_BYTES: usize = 1 << 20;
/// The largest body of a batch: a million items with users of 30 bytes.
pub(in crate::control) const LARGE_BODY_BYTES: usize = 64 << 20;
/// A body that has not arrived after this long never will.
const BODY_LIMIT: Duration = Duration::from_secs(30);
/// How much of a body that is too large is still read, and thrown away, beside the answer: a client that is
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
    let mut chunks = body.into_data_stream();
    if announced(&parts.headers).is_some_and(|bytes| bytes > limit as u64) {
        // A client that asks before it sends has sent nothing yet.
        if !parts.headers.contains_key(header::EXPECT) {
            discard(chunks);
        }
        return Err(too_large(limit));
    }
    match tokio::time::timeout(BODY_LIMIT, collect(&mut chunks, limit)).await {
        Ok(Ok(Some(bytes))) => Ok(bytes),
        Ok(Ok(None)) => {
            discard(chunks);
            Err(too_large(limit))
        }
        Ok(Err(error)) => Err(ApiError::invalid("body", format!("the body broke off: {error}"))),
        Err(_) => {
            let message = format!("the body did not arrive within {} s", BODY_LIMIT.as_secs());
            Err(ApiError::new(ErrorCode::RequestTimeout, message).field("body"))
        }
    }
}

/// The bytes of a body; `None` as soon as there are too many.
async fn collect(chunks: &mut BodyDataStream, limit: usize) -> Result<Option<Vec<u8>>, axum::Error> {
    let mut bytes = Vec::new();
    while let Some(chunk) = next(chunks).await {
        let chunk = chunk?;
        if chunk.len() > limit - bytes.len() {
            return Ok(None);
        }
        bytes.extend_from_slice(&chunk);
    }
    Ok(Some(bytes))
}

/// Reads on beside the answer, within bounds.
fn discard(mut chunks: BodyDataStream) {
    tokio::spawn(tokio::time::timeout(BODY_LIMIT, async move {
        let mut left = DISCARD_BYTES;
        while let Some(Ok(chunk)) = next(&mut chunks).await {
            match left.checked_sub(chunk.len()) {
                Some(rest) => left = rest,
                None => return,
            }
        }
    }));
}

async fn next(chunks: &mut BodyDataStream) -> Option<Result<Bytes, axum::Error>> {
    poll_fn(|context| Pin::new(&mut *chunks).poll_next(context)).await
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
    use axum::body::Body;

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
