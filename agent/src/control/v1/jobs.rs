//! `/v1/jobs`: list, show, watch, pause, resume, cancel.

use std::sync::Arc;
use std::time::Duration;

use axum::Json;
use axum::extract::{Path, State};
use axum::http::Uri;
use axum::response::Response;
use connctl_api::job::{JobLine, JobPage, JobRow};

use crate::control::Stop;
use crate::control::error::Refusal;
use crate::control::extract::Pairs;
use crate::control::stream::{self, Gone, Lines};
use crate::ops::job::Job;
use crate::ops::{self, Node};

/// Items that are copied out of a job in one go.
const ITEMS: usize = 256;
/// How often a watcher hears of the job at least: a silent connection looks like a lost one.
const EVERY: Duration = Duration::from_secs(1);

/// What a watcher is shown before the summary.
#[derive(Debug, Clone, Copy)]
pub(super) struct Shown {
    items: bool,
    job: bool,
}

impl Shown {
    /// What an operation answers that is not a job.
    pub(super) const ITEMS: Self = Self { items: true, job: false };
}

/// `GET /v1/jobs`
pub(super) async fn list(State(node): State<Arc<Node>>) -> Json<JobPage> {
    Json(JobPage { jobs: ops::job::rows(&node) })
}

/// `GET /v1/jobs/{job_id}`
pub(super) async fn show(
    State(node): State<Arc<Node>>,
    Path(job_id): Path<String>,
) -> Result<Json<JobRow>, Refusal> {
    Ok(Json(ops::job::find(&node, &job_id)?.row()))
}

/// `POST /v1/jobs/{job_id}/pause`
pub(super) async fn pause(
    State(node): State<Arc<Node>>,
    Path(job_id): Path<String>,
) -> Result<Json<JobRow>, Refusal> {
    Ok(Json(ops::job::pause(&node, &job_id)?))
}

/// `POST /v1/jobs/{job_id}/resume`
pub(super) async fn resume(
    State(node): State<Arc<Node>>,
    Path(job_id): Path<String>,
) -> Result<Json<JobRow>, Refusal> {
    Ok(Json(ops::job::resume(&node, &job_id)?))
}

/// `POST /v1/jobs/{job_id}/cancel`
pub(super) async fn cancel(
    State(node): State<Arc<Node>>,
    Path(job_id): Path<String>,
) -> Result<Json<JobRow>, Refusal> {
    Ok(Json(ops::job::cancel(&node, &job_id)?))
}

/// `GET /v1/jobs/{job_id}/watch`
pub(super) async fn follow(
    State(node): State<Arc<Node>>,
    State(stop): State<Stop>,
    Path(job_id): Path<String>,
    uri: Uri,
) -> Result<Response, Refusal> {
    let mut pairs = Pairs::of(&uri)?;
    let items = pairs.parsed("items", "true or false")?.unwrap_or(true);
    pairs.end()?;
    Ok(watch(ops::job::find(&node, &job_id)?, Shown { items, job: true }, stop))
}

/// Tells a job's items and progress until it ends. The job does not wait for whoever reads this.
pub(super) fn watch(job: Arc<Job>, shown: Shown, mut stop: Stop) -> Response {
    let (mut lines, response) = stream::lines();
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = write(&job, shown, &mut lines) => Some(ended),
            () = stop.wait() => None,
        };
        match ended {
            Some(Ok(()) | Err(Gone)) => {}
            None => lines.break_off("the agent is stopping").await,
        }
    });
    response
}

async fn write(job: &Job, shown: Shown, lines: &mut Lines) -> Result<(), Gone> {
    let mut news = job.subscribe();
    let (mut told, mut state) = (0, None);
    let mut beat = tokio::time::interval_at(tokio::time::Instant::now() + EVERY, EVERY);
    loop {
        news.borrow_and_update();
        let row = job.row();
        if shown.job && state != Some(row.state) {
            state = Some(row.state);
            lines.push(&JobLine::Job { job: Box::new(row) });
        }
        let is_last = loop {
            let (items, is_last) = job.items(told, ITEMS);
            told += items.len();
            if shown.items {
                for item in &items {
                    lines.push(item);
                    if lines.is_full() {
                        lines.send().await?;
                    }
                }
            }
            if items.len() < ITEMS {
                break is_last;
            }
            tokio::task::yield_now().await;
        };
        if is_last {
            if shown.job && state != Some(job.row().state) {
                lines.push(&JobLine::Job { job: Box::new(job.row()) });
            }
            lines.push(&JobLine::Summary { summary: job.summary() });
            return lines.send().await;
        }
        wait(&mut news, &mut beat, job, shown, lines).await?;
    }
}

/// Returns when there is news. What is gathered is sent meanwhile, and the job is told of every second.
async fn wait(
    news: &mut tokio::sync::watch::Receiver<()>,
    beat: &mut tokio::time::Interval,
    job: &Job,
    shown: Shown,
    lines: &mut Lines,
) -> Result<(), Gone> {
    loop {
        let is_empty = lines.is_empty();
        tokio::select! {
            biased;
            // While nothing is gathered, this waits for the client to go.
            sent = lines.send() => sent?,
            // The job keeps the sender for as long as it is known.
            _ = news.changed() => return Ok(()),
            // Never on top of what a slow client has not taken.
            _ = beat.tick(), if shown.job && is_empty => {
                lines.push(&JobLine::Job { job: Box::new(job.row()) });
            }
        }
    }
}
