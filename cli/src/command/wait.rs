//! `wait`: until so many connections are there.

use std::time::Duration;

use anyhow::Result;
use connctl_api::conn::ListQuery;
use connctl_api::error::Exit;
use connctl_api::wait::{MAX_WAIT_MS, WaitRequest};

use super::list;
use crate::args::verb::WaitArgs;
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output::{self, human};
use crate::selection;

/// How long to wait where nothing is said.
const DEFAULT_WAIT: Duration = Duration::from_secs(30);
/// How long the agent may be silent after the wait is over.
const AFTERWARDS: Duration = Duration::from_secs(10);

pub(crate) async fn run(args: &WaitArgs, invocation: &Invocation) -> Result<Exit> {
    let wait = invocation.timeout.unwrap_or(DEFAULT_WAIT);
    let timeout_ms = match u64::try_from(wait.as_millis()) {
        Ok(ms) if ms <= MAX_WAIT_MS => ms.max(1),
        _ => return Err(Failure::usage("--timeout is longer than a day").into()),
    };
    let selector = selection::for_query(&args.selector)?;
    let client = invocation.client_with(wait.saturating_add(AFTERWARDS))?;
    let request = WaitRequest { selector: selector.clone(), condition: args.condition, timeout_ms };
    let report = client.wait(&request).await?;
    let mut waited = String::new();
    human::duration(report.waited_ms, &mut waited);
    if report.reached {
        output::note(invocation, &format!("{} after {waited}", args.condition));
        return Ok(Exit::Done);
    }
    let query = ListQuery { selector, ..ListQuery::default() };
    list::rows(&client, &query, &[], invocation).await?;
    let line =
        format!("connctl: {} was not reached in {waited}: the count is {}", args.condition, report.count);
    output::complain(&line);
    Ok(Exit::TimedOut)
}
