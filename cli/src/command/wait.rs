//! `wait`: until so many connections are there.

use std::time::Duration;

use anyhow::Result;
use connctl_api::conn::ListQuery;
use connctl_api::error::Exit;
use connctl_api::operation::{OperationKind, OperationRequest};
use connctl_api::pace::Pace;
use connctl_api::wait::{MAX_WAIT_MS, WaitRequest};

use super::{change, list};
use crate::args::bulk::GuardArgs;
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
    // What is wrong with the change is said before the wait.
    let then = args.then.map(|kind| then(kind, args)).transpose()?;
    let client = invocation.client_with(wait.saturating_add(AFTERWARDS))?;
    let request = WaitRequest { selector: selector.clone(), condition: args.condition, timeout_ms };
    let report = client.wait(&request).await?;
    let mut waited = String::new();
    human::duration(report.waited_ms, &mut waited);
    if report.reached {
        output::note(invocation, &format!("{} after {waited}", args.condition));
        return match then {
            Some((request, guards)) => {
                change::act(request, &guards, false, invocation.can_ask, invocation).await
            }
            None => Ok(Exit::Done),
        };
    }
    let query = ListQuery { selector, ..ListQuery::default() };
    list::rows(&client, &query, &[], invocation).await?;
    let line =
        format!("connctl: {} was not reached in {waited}: the count is {}", args.condition, report.count);
    output::complain(&line);
    Ok(Exit::TimedOut)
}

/// What is done to the connections once the condition holds. It is said which: none is not every one.
fn then(kind: OperationKind, args: &WaitArgs) -> Result<(OperationRequest, GuardArgs)> {
    let guards = GuardArgs { yes: args.yes, max: args.max, note: args.note.clone(), ..GuardArgs::default() };
    let selector = Some(selection::for_change(&args.selector)?);
    let pace = args.rate.map(|rate| Pace { rate: Some(rate), ..Pace::default() });
    Ok((OperationRequest { selector, pace, ..change::request(kind, &guards)? }, guards))
}
