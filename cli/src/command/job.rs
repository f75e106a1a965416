//! `job`: what the agent does by itself, at a pace.

use anyhow::Result;
use connctl_api::error::Exit;
use connctl_api::job::JobRow;
use connctl_api::route;

use crate::args::job::JobVerb;
use crate::bulk::follow;
use crate::invocation::Invocation;
use crate::output;
use crate::output::human;
use crate::output::jobs::Jobs;
use crate::output::pairs::{self, Line};

pub(crate) async fn run(verb: JobVerb, invocation: &Invocation) -> Result<Exit> {
    let client = invocation.client()?;
    let row = match verb {
        JobVerb::List => {
            output::list::<Jobs, _>(invocation, &client.jobs().await?.jobs)?;
            return Ok(Exit::Done);
        }
        JobVerb::Wait { job_id, items } => return wait(&job_id, items, invocation).await,
        JobVerb::Show { job_id } => client.job(&job_id).await?,
        JobVerb::Pause { job_id } => client.change_job(route::JOB_PAUSE, &job_id).await?,
        JobVerb::Resume { job_id } => client.change_job(route::JOB_RESUME, &job_id).await?,
        JobVerb::Cancel { job_id } => client.change_job(route::JOB_CANCEL, &job_id).await?,
    };
    print(&row, invocation)?;
    Ok(Exit::Done)
}

/// Waits for the end; `--timeout` is for the whole wait here.
async fn wait(job_id: &str, items: bool, invocation: &Invocation) -> Result<Exit> {
    // The agent is never silent for longer than a second while a job is watched.
    let client = invocation.client_with(crate::invocation::DEFAULT_TIMEOUT)?;
    let row = client.job(job_id).await?;
    let waiting = async {
        if items {
            let lines = client.watch_job(job_id, true).await?;
            return follow::items(lines, row.operation, Some(row.connections), invocation).await;
        }
        let Some(ended) = follow::progress(&client, row, invocation).await? else {
            return Ok(Exit::Interrupted);
        };
        print(&ended, invocation)?;
        Ok(follow::ended(&ended, invocation))
    };
    let Some(limit) = invocation.timeout else { return waiting.await };
    match tokio::time::timeout(limit, waiting).await {
        Ok(exit) => exit,
        Err(_) => {
            let row = client.job(job_id).await?;
            if !items {
                print(&row, invocation)?;
            }
            output::complain(&format!("connctl: job {job_id} is {} after {limit:?}", row.state));
            Ok(Exit::TimedOut)
        }
    }
}

/// One job in depth.
pub(crate) fn print(row: &JobRow, invocation: &Invocation) -> Result<()> {
    let summary = &row.summary;
    let rate = |rate: Option<f64>| rate.map(|rate| format!("{rate:.1}/s")).unwrap_or_default();
    let mut remaining = String::new();
    human::duration(row.remaining_ms, &mut remaining);
    let text = |text: Option<&str>| {
        let mut out = String::new();
        human::clean(text.unwrap_or_default(), &mut out);
        out
    };
    let percent = |percent: Option<f64>| percent.map(|percent| format!("{percent} %")).unwrap_or_default();
    let mut ramp = String::new();
    row.pace.ramp_ms.into_iter().for_each(|ms| human::duration(ms, &mut ramp));
    let lines = [
        Line::Pair("job", row.job_id.to_string()),
        Line::Pair("state", row.state.to_string()),
        Line::Pair("reason", text(row.reason.as_deref())),
        Line::Pair("operation", format!("{}, {}", row.operation, human::sides(row.side))),
        Line::Pair("where", text(row.selector.as_deref())),
        Line::Pair("plan", row.plan_id.map(|id| id.to_string()).unwrap_or_default()),
        Line::Pair("note", text(row.note.as_deref())),
        Line::Pair("connections", row.connections.to_string()),
        Line::Pair("done", summary.done.to_string()),
        Line::Pair("skipped", summary.skipped.to_string()),
        Line::Pair("failed", summary.failed.to_string()),
        Line::Pair("timed_out", summary.timed_out.to_string()),
        Line::Pair("not_found", summary.not_found.to_string()),
        Line::Pair("rate", rate(row.rate)),
        Line::Pair("reconnects", rate(Some(row.reconnect_rate))),
        Line::Pair("jitter", percent(row.pace.jitter_percent)),
        Line::Pair("ramp", ramp),
        Line::Pair("until_reconnect_rate", rate(row.pace.until_reconnect_rate)),
        Line::Pair("pause_if", percent(row.pace.pause_if_percent)),
        Line::Pair("remaining", remaining),
        Line::Pair("created_at", row.created_at.to_string()),
        Line::Pair("ended_at", row.ended_at.map(|at| at.to_string()).unwrap_or_default()),
    ];
    pairs::print(invocation, &serde_json::to_string(row)?, &row.job_id.to_string(), &lines)
}
