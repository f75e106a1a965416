//! What an operator asked for, shared by all connections that it was about.

use std::sync::atomic::{AtomicU64, Ordering};

/// The longest request that is written down, in bytes: a selector may be much longer.
const MAX_REQUEST_BYTES: usize = 512;

/// What somebody asked for.
#[derive(Debug)]
pub struct Asked {
    /// Tells it from every other one of this agent.
    pub(super) id: u64,
    /// Who.
    pub by: Box<str>,
    /// What: the operation and its selector.
    pub request: Box<str>,
    /// Why, in the operator's words.
    pub note: Option<Box<str>>,
}

impl Asked {
    /// Something that was asked for. A long request is cut.
    pub fn new(by: &str, request: &str, note: Option<&str>) -> Self {
        static NEXT: AtomicU64 = AtomicU64::new(1);
        let request = match request.char_indices().find(|(at, _)| *at >= MAX_REQUEST_BYTES) {
            None => request.into(),
            Some((end, _)) => format!("{}…", request.get(..end).unwrap_or_default()).into(),
        };
        Self { id: NEXT.fetch_add(1, Ordering::Relaxed), by: by.into(), request, note: note.map(Box::from) }
    }
}
