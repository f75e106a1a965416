//! What a change leaves in the audit: a line before it is carried out, one when its answer has ended, and one when
//! a job of it has. The gate calls this for every route that changes something, so there is no second way.

mod said;

use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};

use axum::body::{Body, Bytes, HttpBody};
use axum::extract::Request;
use axum::http::{Method, Uri};
use axum::response::Response;
use connctl_api::audit::AuditResult;
use connctl_api::audit::line::{Asked, AuditLine, Denial, End, JobEnd};
use connctl_api::audit::verb;
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::instant::Instant;
use connctl_api::operation::{OperationKind, Summary};
use connctl_api::route;
use hyper::body::{Frame, SizeHint};
use serde_json::{Map, Value};

use super::extract::{LARGE_BODY_BYTES, SMALL_BODY_BYTES, read};
use super::transport::Transport;
use crate::base::actor::{Actor, Peer};
use crate::base::clock;
use crate::ops::Node;
use crate::ops::job::Job;
use crate::record::audit::{Audit, Kind, Place};

/// What is kept of an answer to find its counts, in bytes: the last of its lines.
const MAX_KEPT_BYTES: usize = 64 << 10;

/// The job that an answer is about, in the answer's extensions: it may outlive the answer.
#[derive(Clone)]
pub(super) struct Began(pub(super) Arc<Job>);

/// The audit and what becomes of a change that cannot be written there.
#[derive(Clone)]
pub(super) struct Ledger {
    audit: Arc<Audit>,
    is_required: bool,
}

/// A request as the gate knows it.
pub(super) struct Call<'a> {
    /// Who asks, where that is known.
    pub(super) actor: Option<&'a Actor>,
    /// How it came.
    pub(super) transport: Option<&'a Transport>,
    /// Its method.
    pub(super) method: &'a Method,
    /// Its path, as the router knows it.
    pub(super) path: &'a str,
    /// Its target.
    pub(super) uri: &'a Uri,
}

impl Call<'_> {
    fn peer(&self) -> Option<Peer> {
        match self.transport {
            Some(Transport::Unix { peer, .. }) => Some(*peer),
            _ => None,
        }
    }

    fn address(&self) -> Option<SocketAddr> {
        match self.transport {
            Some(Transport::Tcp { peer, .. } | Transport::Tls { peer, .. }) => Some(*peer),
            _ => None,
        }
    }

    /// The part of the path at the place of this name.
    fn part(&self, name: &str) -> Option<&str> {
        let at = self.path.split('/').position(|part| part == name)?;
        self.uri.path().split('/').nth(at)
    }

    /// What is asked for, in a word of the table; it is taken out of the request where that says it.
    fn verb(&self, request: &mut Map<String, Value>) -> &'static str {
        if self.path == route::OPERATIONS
            && let Some(kind) = request.get("operation").and_then(Value::as_str)
            && let Some(kind) = OperationKind::ALL.iter().find(|known| known.word() == kind)
        {
            request.remove("operation");
            return kind.word();
        }
        verb::written(&route::verb(self.method.as_str(), self.path, self.uri.path()))
    }

    fn asked(&self, mut request: Map<String, Value>) -> Asked {
        let verb = self.verb(&mut request);
        let mut text = |name: &str| match request.remove(name) {
            Some(Value::String(text)) => Some(text),
            _ => None,
        };
        let (selector, note) = (text("where"), text("note"));
        let peer = self.peer();
        Asked {
            time: Instant(clock::wall_ms()),
            actor: self.actor.map(|actor| actor.name.to_string()),
            known_by: self.actor.map(|actor| actor.evidence.word().to_owned()),
            role: self.actor.map(|actor| actor.role),
            uid: peer.map(|peer| peer.uid),
            pid: peer.and_then(|peer| peer.pid),
            address: self.address().map(|address| address.to_string()),
            verb: verb.to_owned(),
            call: Some(format!("{} {}", self.method, said::target(self.uri))),
            selector,
            plan_id: self.part("{plan_id}").and_then(|id| id.parse().ok()),
            job_id: self.part("{job_id}").and_then(|id| id.parse().ok()),
            note,
            request,
        }
    }
}

impl Ledger {
    /// The agent's, where it has one.
    pub(super) fn of(node: &Node) -> Option<Self> {
        let is_required = node.settings.audit.as_ref().is_some_and(|audit| audit.is_required);
        node.audit.clone().map(|audit| Self { audit, is_required })
    }

    /// Writes down that somebody was refused, and waits for nothing: nothing is done.
    pub(super) fn denied(&self, call: &Call<'_>, error: &ApiError) {
        let asked = call.asked(Map::new());
        let kind = Kind {
            code: error.code.word(),
            actor: asked.actor.clone(),
            uid: asked.uid,
            ip: call.address().map(|address| address.ip()),
            verb: asked.verb.clone(),
        };
        let (status, code) = (error.code.status(), error.code.word().to_owned());
        self.audit.denied(kind, Denial { asked, status, code, times: 1 });
    }

    /// Writes down what is asked, before it is done; gives the body back.
    ///
    /// # Errors
    /// The audit cannot be written.
    pub(super) async fn begin(&self, call: &Call<'_>, body: &[u8]) -> Result<Entry, ApiError> {
        let asked = call.asked(said::of(body));
        let begun = match self.audit.append(AuditLine::Call(asked)).await {
            Ok((link, place)) => Some((link.seq, place)),
            Err(error) if self.is_required => {
                self.audit.count_refused();
                tracing::error!(%error, "the audit cannot be written: a change was refused");
                let message = format!("the audit cannot be written, so nothing was changed: {error}");
                let hint = "make room on its disk, or set audit = \"best-effort\"";
                return Err(ApiError::new(ErrorCode::AuditFailed, message).hint(hint));
            }
            Err(error) => {
                self.audit.count_missing();
                tracing::error!(%error, "the audit cannot be written: a change is missing there");
                None
            }
        };
        let audit = Arc::clone(&self.audit);
        let begun_ms = clock::now_ms();
        Ok(Entry { audit, begun, begun_ms, status: 0, job: None, kept: Vec::new(), is_whole: false })
    }
}

/// The whole body of a change, which is read before it is written down, within the limit of its route.
///
/// # Errors
/// It is too large, too slow, or breaks off.
pub(super) async fn body_of(request: Request, path: &str) -> Result<(Request, Bytes), ApiError> {
    let limit = if path == route::OPERATIONS { LARGE_BODY_BYTES } else { SMALL_BODY_BYTES };
    let (parts, body) = request.into_parts();
    let bytes = Bytes::from(read(Request::from_parts(parts.clone(), body), limit).await?);
    Ok((Request::from_parts(parts, Body::from(bytes.clone())), bytes))
}

/// A change that is written down, and how it goes.
pub(super) struct Entry {
    audit: Arc<Audit>,
    /// Its line; none where it could not be written, and then what came of it is not either.
    begun: Option<(u64, Place)>,
    begun_ms: u64,
    status: u16,
    job: Option<Arc<Job>>,
    /// The end of the answer so far.
    kept: Vec<u8>,
    is_whole: bool,
}

impl Entry {
    /// Follows the answer to its end, where the second line is written.
    pub(super) fn follow(mut self, mut response: Response) -> Response {
        self.status = response.status().as_u16();
        self.job = response.extensions_mut().remove::<Began>().map(|Began(job)| job);
        response.map(|body| {
            self.is_whole = body.is_end_stream();
            Body::new(Followed { body, entry: self })
        })
    }

    fn keep(&mut self, chunk: &[u8]) {
        self.kept.extend_from_slice(chunk);
        let excess = self.kept.len().saturating_sub(MAX_KEPT_BYTES);
        self.kept.drain(..excess);
    }

    fn end(&self, of: u64) -> End {
        let last = self.kept.trim_ascii_end().rsplit(|byte| *byte == b'\n').next().unwrap_or_default();
        let last: Value = serde_json::from_slice(last).unwrap_or_default();
        let code = last["error"]["code"].as_str().map(str::to_owned);
        let result = match self.status {
            _ if !self.is_whole => AuditResult::Unfinished,
            401 | 403 => AuditResult::Denied,
            400..=499 => AuditResult::Refused,
            500.. => AuditResult::Failed,
            _ if code.is_some() => AuditResult::Failed,
            _ => AuditResult::Done,
        };
        let counts = match &last["summary"] {
            // That of a job tells how far it was.
            Value::Object(counts) if self.job.is_none() => Some(counts.clone()),
            _ => None,
        };
        let job_id = self.job.as_ref().map(|job| job.id());
        let time = Instant(clock::wall_ms());
        End { time, of, result, status: self.status, code, counts, job_id, elapsed_ms: self.elapsed_ms() }
    }

    fn elapsed_ms(&self) -> u64 {
        clock::now_ms().saturating_sub(self.begun_ms)
    }
}

impl Drop for Entry {
    fn drop(&mut self) {
        let Some((seq, place)) = self.begun.take() else { return };
        // The answer does not wait for it: what it says has been done.
        self.audit.tell(AuditLine::End(self.end(seq)), Some(place));
        let Some(job) = self.job.take() else { return };
        let (audit, begun_ms) = (Arc::clone(&self.audit), self.begun_ms);
        if let Ok(runtime) = tokio::runtime::Handle::try_current() {
            runtime.spawn(async move {
                let row = job.end().await;
                let elapsed_ms = clock::now_ms().saturating_sub(begun_ms);
                let (time, counts) = (Instant(clock::wall_ms()), counts(&row.summary));
                let end = JobEnd { time, of: seq, job_id: row.job_id, state: row.state, counts, elapsed_ms };
                audit.tell(AuditLine::Job(end), None);
            });
        }
    }
}

fn counts(summary: &Summary) -> Map<String, Value> {
    match serde_json::to_value(summary) {
        Ok(Value::Object(counts)) => counts,
        _ => Map::new(),
    }
}

/// An answer's body on its way.
struct Followed {
    body: Body,
    entry: Entry,
}

impl HttpBody for Followed {
    type Data = Bytes;
    type Error = axum::Error;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, axum::Error>>> {
        let polled = Pin::new(&mut self.body).poll_frame(context);
        match &polled {
            Poll::Ready(Some(Ok(frame))) => {
                if let Some(chunk) = frame.data_ref() {
                    self.entry.keep(chunk);
                }
                // Then it is not asked for more.
                self.entry.is_whole = self.body.is_end_stream();
            }
            Poll::Ready(None) => self.entry.is_whole = true,
            Poll::Ready(Some(Err(_))) | Poll::Pending => {}
        }
        polled
    }

    fn is_end_stream(&self) -> bool {
        self.body.is_end_stream()
    }

    fn size_hint(&self) -> SizeHint {
        self.body.size_hint()
    }
}
