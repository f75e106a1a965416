//! An answer of JSON lines, taken as it comes.

use std::time::Duration;

use reqwest::Response;

use super::{ClientError, Endpoint};
use crate::error::{ApiError, ErrorBody};

/// What such an answer is.
const JSON_LINES: &str = "application/jsonl";
/// The longest line that is taken. A row has a few hundred bytes, at most about 20 KiB of labels.
const MAX_LINE_BYTES: usize = 1 << 20;

/// What the last words of an agent begin with that breaks its answer off.
const LAST_WORDS: &[u8] = b"{\"error\":{\"code\":";

/// The lines of an answer, in blocks of as many as have arrived.
#[derive(Debug)]
pub struct Lines {
    response: Response,
    endpoint: Endpoint,
    limit: Duration,
    /// A chunk of whole lines, handed out last.
    whole: Option<bytes::Bytes>,
    buffer: Vec<u8>,
    /// The length of the block handed out last; it is dropped with the next call.
    taken: usize,
}

impl Lines {
    /// An answer, if it says that it has lines: they are handed on unread.
    pub(super) fn new(response: Response, endpoint: Endpoint, limit: Duration) -> Result<Self, ClientError> {
        let kind = response.headers().get("content-type").and_then(|kind| kind.to_str().ok());
        if kind != Some(JSON_LINES) {
            let problem = format!("it is of type {}", kind.unwrap_or("unknown"));
            return Err(ClientError::Garbled { endpoint, problem });
        }
        Ok(Self { response, endpoint, limit, whole: None, buffer: Vec::new(), taken: 0 })
    }

    /// Whole lines, each with its line feed (the last one of an answer may lack it); `None` at the end.
    ///
    /// # Errors
    /// The agent went away, was silent for too long, or sent a line without end.
    pub async fn block(&mut self) -> Result<Option<&[u8]>, ClientError> {
        self.buffer.drain(..self.taken);
        self.taken = 0;
        loop {
            let chunk = match self.response.chunk().await {
                Ok(chunk) => chunk,
                Err(error) => {
                    let broken = ClientError::from_http(&error, &self.endpoint, self.limit);
                    return Err(last_words(&self.buffer).map_or(broken, ClientError::from));
                }
            };
            match chunk {
                // An agent sends whole lines: what came is handed on as it is.
                Some(mut chunk) if self.buffer.is_empty() && chunk.ends_with(b"\n") => {
                    // Whether they are its last words shows when nothing follows.
                    let held = chunk.split_off(place_of_last_words(&chunk));
                    self.buffer.extend_from_slice(&held);
                    if !chunk.is_empty() {
                        return Ok(Some(self.whole.insert(chunk)));
                    }
                }
                Some(chunk) => {
                    let old = self.buffer.len();
                    self.buffer.extend_from_slice(&chunk);
                    if let Some(last) = chunk.iter().rposition(|byte| *byte == b'\n') {
                        let whole = self.buffer.get(..old + last + 1).unwrap_or_default();
                        self.taken = place_of_last_words(whole);
                        if self.taken > 0 {
                            break;
                        }
                    }
                    if self.buffer.len() > MAX_LINE_BYTES {
                        let problem = format!("a line has more than {MAX_LINE_BYTES} bytes");
                        return Err(ClientError::Garbled { endpoint: self.endpoint.clone(), problem });
                    }
                }
                None if self.buffer.is_empty() => return Ok(None),
                None => {
                    self.taken = self.buffer.len();
                    break;
                }
            }
        }
        Ok(self.buffer.get(..self.taken))
    }
}

/// Where the last of these whole lines begins, if it may be an agent's last words; otherwise their end.
fn place_of_last_words(lines: &[u8]) -> usize {
    let whole = lines.strip_suffix(b"\n").unwrap_or(lines);
    let start = whole.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let may_be = whole.get(start..).is_some_and(|line| line.starts_with(LAST_WORDS));
    if may_be { start } else { lines.len() }
}

/// Why an answer was broken off, where that was said at its end.
fn last_words(kept: &[u8]) -> Option<ApiError> {
    let line = kept.strip_suffix(b"\n")?;
    serde_json::from_slice::<ErrorBody>(line).ok().map(|told| told.error)
}

/// The lines of a block, without their line feeds; empty ones are left out.
pub fn split(block: &[u8]) -> impl Iterator<Item = &[u8]> {
    block.split(|byte| *byte == b'\n').filter(|line| !line.is_empty())
}
