//! The answer to a bulk operation: each item as it comes, and the exit code that the summary makes.

use std::io::Write;

use anyhow::{Context as _, Result};
use connctl_api::client::{Client, ClientError, Lines, split};
use connctl_api::end::Initiator;
use connctl_api::error::{ErrorBody, Exit};
use connctl_api::id::JobId;
use connctl_api::job::{JobRow, JobState};
use connctl_api::operation::{OperationKind, Summary};
use connctl_api::revocation::RevocationRow;
use indicatif::ProgressBar;
use serde::Deserialize;

use super::{progress, report};
use crate::invocation::Invocation;
use crate::output::human::count;
use crate::output::item::Items;
use crate::output::line::read;
use crate::output::printer::Printer;
use crate::output::{self};

/// What an answer says beside its items.
pub(crate) struct Told {
    pub summary: Summary,
    job: Option<JobRow>,
    /// Where it is about one.
    pub revocation: Option<RevocationRow>,
}

/// The last line.
#[derive(Deserialize)]
struct Last {
    summary: Summary,
    revocation: Option<RevocationRow>,
}

/// A line about the job itself.
#[derive(Deserialize)]
struct News {
    job: JobRow,
}

/// Prints the items of an operation, and says how it ended.
pub(crate) async fn items(
    lines: Lines,
    operation: OperationKind,
    total: Option<u64>,
    invocation: &Invocation,
) -> Result<Exit> {
    match print(lines, operation, total, std::future::pending::<()>(), invocation).await? {
        Some(exit) => Ok(exit),
        None => Ok(Exit::Interrupted),
    }
}

/// Prints a job's items until it ends. The job does not need anybody to wait for it.
pub(crate) async fn job(client: &Client, job: &JobRow, invocation: &Invocation) -> Result<Exit> {
    let id = job.job_id;
    let lines = client.watch_job(&id.to_string(), true).await?;
    let interrupted = tokio::signal::ctrl_c();
    let printed = print(lines, job.operation, Some(job.connections), interrupted, invocation).await?;
    if printed.is_none() {
        goes_on(id);
    }
    Ok(printed.unwrap_or(Exit::Interrupted))
}

/// Prints items up to the summary; none where it was interrupted before.
async fn print<T>(
    mut lines: Lines,
    operation: OperationKind,
    total: Option<u64>,
    interrupted: impl Future<Output = T>,
    invocation: &Invocation,
) -> Result<Option<Exit>> {
    let mut printer = Printer::<Items>::items(invocation)?;
    let mut out = output::stdout();
    let bar = progress::bar(invocation, total);
    let Some(told) = read_lines(&mut lines, &mut printer, &bar, interrupted, &mut out).await? else {
        printer.finish(None, &mut out)?;
        return Ok(None);
    };
    let Told { summary, job, .. } = told;
    printer.finish(Some(&serde_json::to_string(&summary)?), &mut out)?;
    if invocation.format.is_table() {
        output::note(invocation, &report::line_of(operation, &summary));
    } else if summary.requested == 0 {
        output::note(invocation, &format!("{} matched", count(0, "connection")));
    }
    Ok(Some(match job {
        Some(job) => ended(&job, invocation),
        None => report::exit_of(&summary),
    }))
}

/// Prints each item as it comes, and gives what else is said; none where it was interrupted before the end. An
/// error in the middle ends it.
pub(crate) async fn read_lines<T>(
    lines: &mut Lines,
    printer: &mut Printer<Items>,
    bar: &ProgressBar,
    interrupted: impl Future<Output = T>,
    out: &mut dyn Write,
) -> Result<Option<Told>> {
    let mut interrupted = std::pin::pin!(interrupted);
    let (mut last, mut job, mut ready) = (None, None, Vec::new());
    loop {
        let block = tokio::select! {
            biased;
            _ = &mut interrupted => {
                bar.finish_and_clear();
                return Ok(None);
            }
            block = lines.block() => block?,
        };
        let Some(block) = block else { break };
        for line in split(block) {
            if line.starts_with(b"{\"error\":{") {
                return Err(ClientError::from(read::<ErrorBody>(line)?.error).into());
            }
            if line.starts_with(b"{\"summary\":") {
                last = Some(read::<Last>(line)?);
            } else if line.starts_with(b"{\"job\":") {
                job = Some(told(read::<News>(line)?.job, bar));
            } else {
                bar.inc(1);
                printer.line(line, &mut ready, &mut |_| {})?;
            }
        }
        // Whoever reads the lines learns of each one as it comes; on a terminal the bar makes room for them.
        bar.suspend(|| out.write_all(&ready).and_then(|()| out.flush()))?;
        ready.clear();
        if let Some(job) = job.as_ref().filter(|job| has_stalled(job)) {
            last = Some(Last { summary: job.summary, revocation: None });
            break;
        }
    }
    bar.finish_and_clear();
    let Last { summary, revocation } =
        last.context("the agent broke off before the summary: some connections may not be done")?;
    Ok(Some(Told { summary, job, revocation }))
}

/// Follows a job without its items until it ends; gives its row, or none where it was interrupted.
pub(crate) async fn progress(
    client: &Client,
    job: JobRow,
    invocation: &Invocation,
) -> Result<Option<JobRow>> {
    let bar = progress::bar(invocation, Some(job.connections));
    let id = job.job_id;
    let mut lines = client.watch_job(&id.to_string(), false).await?;
    let mut interrupted = std::pin::pin!(tokio::signal::ctrl_c());
    let (mut last, mut is_whole) = (job, false);
    while !is_whole {
        let block = tokio::select! {
            biased;
            _ = &mut interrupted => {
                bar.finish_and_clear();
                goes_on(id);
                return Ok(None);
            }
            block = lines.block() => block?,
        };
        for line in split(block.context("the agent broke off before the job ended")?) {
            if line.starts_with(b"{\"job\":") {
                last = told(read::<News>(line)?.job, &bar);
                bar.set_position(last.summary.requested);
            }
            is_whole |= line.starts_with(b"{\"summary\":");
        }
        is_whole |= has_stalled(&last);
    }
    bar.finish_and_clear();
    Ok(Some(last))
}

/// What whoever leaves should know.
fn goes_on(id: JobId) {
    output::complain(&format!("connctl: job {id} goes on in the agent"));
    output::complain(&format!("  `connctl job cancel {id}` ends it, `connctl job wait {id}` waits for it"));
}

/// Nothing comes of it any more until somebody decides. Whoever paused it by hand goes on with it.
fn has_stalled(job: &JobRow) -> bool {
    job.state == JobState::Paused && job.paused_by != Some(Initiator::Operator)
}

fn told(job: JobRow, bar: &ProgressBar) -> JobRow {
    let rate = job.rate.map(|rate| format!("{rate:.1}/s")).unwrap_or_default();
    bar.set_message(match job.state {
        JobState::Running => rate,
        state => state.to_string(),
    });
    job
}

/// The exit code of a job that has ended or stalled. What is to be done about it is said.
pub(crate) fn ended(job: &JobRow, invocation: &Invocation) -> Exit {
    let id = job.job_id;
    match job.state {
        JobState::Done => report::exit_of(&job.summary),
        JobState::Paused => {
            let reason = job.reason.as_deref().unwrap_or_default();
            output::complain(&format!("connctl: job {id} is paused: {reason}"));
            output::note(
                invocation,
                &format!("  `connctl job resume {id}` goes on, `connctl job cancel {id}` ends it"),
            );
            Exit::Partial
        }
        state => {
            output::complain(&format!("connctl: job {id} was {state}"));
            if job.summary.done > 0 { Exit::Partial } else { Exit::Failed }
        }
    }
}
