//! What was asked of the agent that changes something: as rows, and as it is written.

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use connctl_api::audit::chain::{Link, hexadecimal};
use connctl_api::audit::fold::{Filter, Fold};
use connctl_api::audit::line::{Asked, AuditLine, End, Start, Stop};
use connctl_api::audit::verb::Wanted;
use connctl_api::audit::{
    AUDIT_ROWS, AuditHead, AuditPage, AuditQuery, AuditResult, AuditRow, MAX_AUDIT_ROWS,
};
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::id::{JobId, NodeId};
use connctl_api::instant::Instant;
use tokio::sync::Semaphore;

use super::Node;
use super::history::since;
use crate::base::clock;
use crate::record::audit::{Audit, Opened, Part, Place, parts};

/// How many are read for rows at once: each reads whole files.
static READERS: Semaphore = Semaphore::const_new(2);
/// The lines are read in pieces of this many bytes.
const PIECE_BYTES: u64 = 64 << 10;

/// Writes down that an agent goes on with the audit. Where that cannot be written, it is when there is room:
/// the service goes on, and changes are refused one by one.
pub async fn started(audit: &Audit, opened: &Opened, node_id: NodeId) {
    let start = Start {
        time: Instant(clock::wall_ms()),
        pid: std::process::id(),
        node_id,
        version: env!("CARGO_PKG_VERSION").to_owned(),
        torn_bytes: (opened.torn_bytes > 0).then_some(opened.torn_bytes),
        damage: opened.damage.map(str::to_owned),
    };
    let line = AuditLine::Start(start);
    if let Err(error) = audit.append(line.clone()).await {
        tracing::error!(%error, "the audit cannot be written");
        audit.tell(line, None);
    }
}

/// Writes down that it has stopped, as the last line.
pub fn stopped(audit: &Audit) {
    audit.sum_up();
    audit.tell(AuditLine::Stop(Stop { time: Instant(clock::wall_ms()), pid: std::process::id() }), None);
    audit.close();
    let head = audit.head();
    tracing::info!(seq = head.seq, hash = hexadecimal(&head.hash), "the audit ends here");
}

/// Writes down what is asked by a signal, of which nobody is known, before it is done.
///
/// # Errors
/// It cannot be written, and must be.
pub async fn asked_by_signal(node: &Node, verb: &str) -> io::Result<Option<Begun>> {
    let asked = Asked { known_by: Some("signal".to_owned()), ..Asked::new(Instant(clock::wall_ms()), verb) };
    begin(node, asked).await
}

/// Writes down that the agent has paused a job by itself, and why. It is done whether it can be written or not.
pub(super) async fn job_paused(node: Arc<Node>, job_id: JobId, why: String) {
    let asked = Asked {
        known_by: Some("agent".to_owned()),
        job_id: Some(job_id),
        note: Some(why),
        ..Asked::new(Instant(clock::wall_ms()), "pause job")
    };
    match begin(&node, asked).await {
        Ok(begun) => ended(&node, begun, None),
        Err(error) => tracing::error!(%error, %job_id, "that the agent paused a job is missing in the audit"),
    }
}

async fn begin(node: &Node, asked: Asked) -> io::Result<Option<Begun>> {
    let Some(audit) = &node.audit else { return Ok(None) };
    match audit.append(AuditLine::Call(asked)).await {
        Ok((link, place)) => Ok(Some(Begun { seq: link.seq, place, begun_ms: clock::now_ms() })),
        Err(error) => {
            tracing::error!(%error, "the audit cannot be written");
            let is_required = node.settings.audit.as_ref().is_some_and(|audit| audit.is_required);
            if is_required {
                audit.count_refused();
                return Err(error);
            }
            audit.count_missing();
            Ok(None)
        }
    }
}

/// What was asked by nobody who has an answer.
#[derive(Debug)]
pub struct Begun {
    seq: u64,
    place: Place,
    begun_ms: u64,
}

/// Writes down what came of it.
pub fn ended(node: &Node, begun: Option<Begun>, failed: Option<ErrorCode>) {
    let (Some(audit), Some(begun)) = (&node.audit, begun) else { return };
    let end = End {
        time: Instant(clock::wall_ms()),
        of: begun.seq,
        result: if failed.is_some() { AuditResult::Failed } else { AuditResult::Done },
        status: failed.map_or(200, ErrorCode::status),
        code: failed.map(|code| code.word().to_owned()),
        counts: None,
        job_id: None,
        elapsed_ms: clock::now_ms().saturating_sub(begun.begun_ms),
    };
    audit.tell(AuditLine::End(end), Some(begun.place));
}

/// What was asked, the latest first.
///
/// # Errors
/// A value that is wrong, an agent without an audit, or files that cannot be read.
pub async fn query(node: &Node, query: AuditQuery) -> Result<AuditPage, ApiError> {
    let audit = audit_of(node)?;
    let limit = query.limit.unwrap_or(AUDIT_ROWS);
    if limit > MAX_AUDIT_ROWS {
        let message = format!("limit {limit} is too large: at most {MAX_AUDIT_ROWS}");
        return Err(ApiError::new(ErrorCode::InvalidRequest, message).field("limit"));
    }
    let since_ms = query.since.as_deref().map(since).transpose()?;
    let verb = query.verb.as_deref().map(Wanted::named).transpose()?;
    let fold = Fold::new(Filter { since_ms, actor: query.actor, verb, result: query.result });
    let Link { seq, hash } = audit.head();
    let head = AuditHead { seq, hash: hexadecimal(&hash) };
    let path = audit.path().to_owned();
    // The semaphore is never closed.
    let turn = READERS.acquire().await.ok();
    let read = tokio::task::spawn_blocking(move || rows(&path, fold, limit)).await;
    drop(turn);
    let calls = read.map_err(io::Error::other).and_then(|rows| rows).map_err(|error| unreadable(&error))?;
    Ok(AuditPage { calls, head })
}

fn rows(path: &Path, mut fold: Fold, limit: u64) -> io::Result<Vec<AuditRow>> {
    let mut rows = Vec::new();
    for part in parts(path)?.into_iter().rev() {
        let mut content = Vec::new();
        part.open()?.read_to_end(&mut content)?;
        // What stands behind the last line feed is being written.
        for line in content.rsplit(|byte| *byte == b'\n').skip(1) {
            if rows.len() as u64 >= limit || fold.is_over() {
                return Ok(rows);
            }
            rows.extend(fold.line(line));
        }
    }
    Ok(rows)
}

/// The lines as they are written, in pieces.
#[derive(Debug)]
pub struct Lines {
    parts: std::vec::IntoIter<Part>,
    file: Option<File>,
}

/// Every line of the audit; at least those that the head of an earlier answer knows.
///
/// # Errors
/// An agent without an audit, or files that cannot be read.
pub async fn lines(node: &Node) -> Result<Lines, ApiError> {
    let path: PathBuf = audit_of(node)?.path().to_owned();
    let found = tokio::task::spawn_blocking(move || parts(&path)).await.map_err(io::Error::other);
    let parts = found.and_then(|parts| parts).map_err(|error| unreadable(&error))?;
    Ok(Lines { parts: parts.into_iter(), file: None })
}

impl Lines {
    /// The next piece, with the rest to go on with; none at the end.
    ///
    /// # Errors
    /// A file cannot be read.
    pub async fn next(mut self) -> io::Result<Option<(Vec<u8>, Self)>> {
        tokio::task::spawn_blocking(move || {
            loop {
                let file = match self.file.take() {
                    Some(file) => file,
                    None => match self.parts.next() {
                        Some(part) => part.open()?,
                        None => return Ok(None),
                    },
                };
                let mut piece = Vec::new();
                if (&file).take(PIECE_BYTES).read_to_end(&mut piece)? > 0 {
                    self.file = Some(file);
                    return Ok(Some((piece, self)));
                }
            }
        })
        .await
        .map_err(io::Error::other)?
    }
}

fn audit_of(node: &Node) -> Result<&Arc<Audit>, ApiError> {
    node.audit.as_ref().ok_or_else(|| {
        let hint = "give it a state_dir or an audit_file";
        ApiError::new(ErrorCode::NotFound, "this agent keeps no audit").hint(hint)
    })
}

fn unreadable(error: &io::Error) -> ApiError {
    tracing::error!(%error, "the audit cannot be read");
    ApiError::new(ErrorCode::Unavailable, format!("the audit cannot be read: {error}"))
}
