//! `POST /v1/operations`: one line a connection as each one ends, then the summary.

use std::pin::pin;
use std::sync::Arc;

use axum::extract::State;
use axum::response::{IntoResponse, Response};
use axum::{Extension, Json};
use connctl_api::operation::{Item, OperationLine, OperationRequest, Summary};
use serde::Serialize;

use super::jobs::Shown;
use crate::control::Stop;
use crate::control::error::Refusal;
use crate::control::extract::LargeJsonBody;
use crate::control::ledger::Began;
use crate::control::stream::{self, Gone, Lines};
use crate::ops::operate::{Run, Started};
use crate::ops::{self, Node};

/// `POST /v1/operations`: what is wrong with the request is told by the status; after that, lines.
pub(super) async fn start(
    State(node): State<Arc<Node>>,
    State(stop): State<Stop>,
    LargeJsonBody(request): LargeJsonBody<OperationRequest>,
) -> Result<Response, Refusal> {
    let detach = request.detach;
    Ok(answer(ops::operate::start(&node, request).await?, detach, stop))
}

/// The answer to an operation that has begun: items and a summary, or the job of one that is detached.
pub(super) fn answer(started: Started, detach: bool, stop: Stop) -> Response {
    match started {
        Started::Run(run) => items(run, stop, |summary| OperationLine::Summary { summary }),
        Started::Job(job) => {
            let began = Began(Arc::clone(&job));
            let answer = if detach {
                Json(job.row()).into_response()
            } else {
                super::jobs::watch(job, Shown::ITEMS, stop)
            };
            (Extension(began), answer).into_response()
        }
    }
}

/// The lines of an operation under way, and the last line that is made of its summary.
pub(super) fn items<L: Serialize>(
    mut run: Run,
    mut stop: Stop,
    last: impl FnOnce(Summary) -> L + Send + 'static,
) -> Response {
    let (mut lines, response) = stream::lines();
    // A task of its own: when the client leaves, nothing new is begun, and what was posted to the owners of
    // the connections happens all the same.
    tokio::spawn(async move {
        let ended = tokio::select! {
            ended = write_items(&mut run, &mut lines, last) => Some(ended),
            () = stop.wait() => None,
        };
        match ended {
            Some(Ok(()) | Err(Gone)) => {}
            None => lines.break_off("the agent is stopping").await,
        }
    });
    response
}

async fn write_items<L: Serialize>(
    run: &mut Run,
    lines: &mut Lines,
    last: impl FnOnce(Summary) -> L,
) -> Result<(), Gone> {
    while let Some(item) = next_item(run, lines).await? {
        lines.push(&item);
        if lines.is_full() {
            lines.send().await?;
        }
    }
    lines.push(&last(run.summary()));
    lines.send().await
}

/// The next item. Earlier lines are sent while it is awaited, so that none waits for the one after it.
async fn next_item(run: &mut Run, lines: &mut Lines) -> Result<Option<Item>, Gone> {
    let mut next = pin!(run.next());
    loop {
        tokio::select! {
            biased;
            item = &mut next => return Ok(item),
            sent = lines.send() => sent?,
        }
    }
}
