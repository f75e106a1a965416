//! Answers that come in pieces: JSON lines, gathered into chunks while the client is busy and sent at once
//! while it is not.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::{HeaderValue, header};
use axum::response::{IntoResponse, Response};
use futures_core::Stream;
use serde::Serialize;
use tokio::sync::mpsc;

/// Lines are gathered up to this many bytes before the writer waits for the client.
pub(super) const CHUNK_BYTES: usize = 64 * 1024;
/// What a line may go over that.
const LINE_BYTES: usize = 4 * 1024;
/// Chunks on their way: one that is being written and one that is ready.
const CHUNKS: usize = 1;
/// A client that reads nothing for this long is given up. Long, because a pager on a terminal stops reading
/// for as long as a person reads.
const STALL_LIMIT: Duration = Duration::from_secs(600);
/// The type of JSON lines.
pub(super) const JSON_LINES: &str = "application/jsonl";
/// The type of server-sent events.
pub(super) const EVENT_STREAM: &str = "text/event-stream";

/// The client has gone, or reads no more.
#[derive(Debug)]
pub(super) struct Gone;

/// The writing end of an answer in lines.
pub(super) struct Lines {
    sender: mpsc::Sender<io::Result<Bytes>>,
    buffer: Vec<u8>,
}

/// An answer of JSON lines and the end to write them to.
pub(super) fn lines() -> (Lines, Response) {
    answer(JSON_LINES)
}

/// The same, with lines that are there already.
pub(super) fn lines_after(first: Vec<u8>) -> (Lines, Response) {
    let (lines, response) = lines();
    (Lines { buffer: first, ..lines }, response)
}

/// An answer of JSON lines that are all there.
pub(super) fn whole(lines: Vec<u8>) -> Response {
    ([(header::CONTENT_TYPE, JSON_LINES)], Body::from(lines)).into_response()
}

/// An answer of server-sent events and the end to write them to.
pub(super) fn events() -> (Lines, Response) {
    let (lines, mut response) = answer(EVENT_STREAM);
    response.headers_mut().insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    (lines, response)
}

fn answer(kind: &'static str) -> (Lines, Response) {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let response = ([(header::CONTENT_TYPE, kind)], Body::from_stream(Chunks(receiver))).into_response();
    (Lines { sender, buffer: Vec::new() }, response)
}

impl Lines {
    /// Adds a line.
    pub(super) fn push(&mut self, line: &impl Serialize) {
        let before = self.buffer.len();
        match serde_json::to_writer(&mut self.buffer, line) {
            Ok(()) => self.buffer.push(b'\n'),
            // No wire type fails to serialise; a line that did must not leave half of itself behind.
            Err(error) => {
                self.buffer.truncate(before);
                tracing::error!(%error, "a line of an answer could not be written");
            }
        }
    }

    /// The gathered bytes, to add whole lines to.
    pub(super) fn buffer(&mut self) -> &mut Vec<u8> {
        &mut self.buffer
    }

    /// Whether nothing is gathered.
    pub(super) fn is_empty(&self) -> bool {
        self.buffer.is_empty()
    }

    /// Whether it is time to send.
    pub(super) fn is_full(&self) -> bool {
        self.buffer.len() >= CHUNK_BYTES
    }

    /// Sends what is gathered once the client takes it; where nothing is gathered, waits for the client to
    /// go. Loses nothing when it is cancelled.
    pub(super) async fn send(&mut self) -> Result<(), Gone> {
        if self.buffer.is_empty() {
            self.sender.closed().await;
            return Err(Gone);
        }
        let permit = tokio::time::timeout(STALL_LIMIT, self.sender.reserve()).await;
        let permit = permit.map_err(|_| Gone)?.map_err(|_| Gone)?;
        // More will come of a buffer that was full, and then it need not grow again.
        let room = if self.is_full() { CHUNK_BYTES + LINE_BYTES } else { 0 };
        let full = std::mem::replace(&mut self.buffer, Vec::with_capacity(room));
        permit.send(Ok(full.into()));
        Ok(())
    }

    /// Breaks the answer off, so that the client cannot take what it has for the whole.
    pub(super) async fn break_off(self, why: &'static str) {
        // A client that has left takes nothing for anything.
        let _ = self.sender.send(Err(io::Error::other(why))).await;
    }
}

/// The reading end, as a body.
struct Chunks(mpsc::Receiver<io::Result<Bytes>>);

impl Stream for Chunks {
    type Item = io::Result<Bytes>;
    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        self.0.poll_recv(context)
    }
}
