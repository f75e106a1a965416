//! `node`: the agent as a whole, and emptying it.

use anyhow::Result;
use connctl_api::client::Client;
use connctl_api::drain::DrainRequest;
use connctl_api::error::Exit;
use connctl_api::listener::{GateRequest, RejectMode};
use connctl_api::operation::{OperationKind, OperationRequest};
use connctl_api::pace::Pace;
use connctl_api::selector::Selector;

use super::{agent, change, job, plan};
use crate::args::drain::DrainArgs;
use crate::args::verb::NodeVerb;
use crate::bulk::confirm::{Extent, settle, verdict};
use crate::bulk::{follow, pace};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output;
use crate::output::human::count;
use crate::output::nodes::Nodes;
use crate::output::resources::Gates;

/// The pace of a drain where nothing is said, per second: clients go elsewhere and come back at once.
pub(crate) const USUAL_PACE: Pace = Pace {
    rate: Some(50.0),
    jitter_percent: None,
    ramp_ms: None,
    until_reconnect_rate: None,
    pause_if_percent: None,
};

pub(crate) async fn run(verb: NodeVerb, invocation: &Invocation) -> Result<Exit> {
    match verb {
        NodeVerb::List => {
            output::list::<Nodes, _>(invocation, &[invocation.client()?.node().await?])?;
            Ok(Exit::Done)
        }
        NodeVerb::Show => agent::status(invocation).await,
        NodeVerb::Drain { mode, args } => {
            let pace = pace::of(&args.pace)?.unwrap_or(USUAL_PACE);
            drain(Vec::new(), mode, &args, pace, invocation).await
        }
        NodeVerb::Undrain => {
            let reports = invocation.client()?.accept(&GateRequest::default()).await?;
            output::list::<Gates, _>(invocation, &reports.listeners)?;
            Ok(Exit::Done)
        }
    }
}

/// Shuts the doors of these listeners, of all where none is named, and closes who is inside.
pub(crate) async fn drain(
    listeners: Vec<String>,
    mode: Option<RejectMode>,
    args: &DrainArgs,
    pace: Pace,
    invocation: &Invocation,
) -> Result<Exit> {
    let client = invocation.client()?;
    let selector = selector(&listeners);
    let request = DrainRequest {
        listeners,
        mode,
        grace_ms: change::grace_ms(args.grace)?,
        idle_first: args.idle_first,
        pace: Some(pace),
        note: args.note.clone(),
        max: args.max,
        max_percent: args.max_percent,
    };
    if args.dry_run {
        return dry_run(&client, selector, request, invocation).await;
    }
    if !args.yes {
        let connections = client.count(selector.clone(), None).await?.count;
        let node = client.node().await?.connections;
        let operation = OperationKind::Close;
        let extent = Extent { operation, connections, users: None, node, is_explicit: true };
        let verdict = verdict(&extent, invocation.can_ask);
        tokio::task::spawn_blocking(move || settle(verdict)).await??;
    }
    let begun = client.drain_node(&request).await?.job;
    if args.pace.detach {
        return change::begun(&client, &begun, true, invocation).await;
    }
    let Some(ended) = follow::progress(&client, begun, invocation).await? else {
        return Ok(Exit::Interrupted);
    };
    job::print(&ended, invocation)?;
    empty(&client, selector, follow::ended(&ended, invocation)).await
}

/// Who would be closed, as a plan. It closes them and leaves the doors as they are.
async fn dry_run(
    client: &Client,
    selector: Option<String>,
    request: DrainRequest,
    invocation: &Invocation,
) -> Result<Exit> {
    let DrainRequest { listeners, mode: _, grace_ms, idle_first, pace, note, max, max_percent } = request;
    for name in &listeners {
        client.listener(name).await?;
    }
    let request = OperationRequest {
        selector: Some(selector.unwrap_or_else(|| Selector::all().to_string())),
        grace_ms,
        idle_first,
        pace,
        note,
        max,
        max_percent,
        ..OperationRequest::new(OperationKind::Close)
    };
    plan::dry_run(&request, invocation).await
}

/// Done is what is empty, whoever emptied it.
async fn empty(client: &Client, selector: Option<String>, exit: Exit) -> Result<Exit> {
    match client.count(selector, None).await?.count {
        0 => Ok(Exit::Done),
        left if exit == Exit::Done => {
            Err(Failure::new(Exit::Partial, format!("{} left", count(left, "connection"))).into())
        }
        _ => Ok(exit),
    }
}

fn selector(listeners: &[String]) -> Option<String> {
    let names: Vec<_> = listeners.iter().map(|name| format!("{name:?}")).collect();
    (!names.is_empty()).then(|| format!("listener in ({})", names.join(", ")))
}
