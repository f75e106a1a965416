//! `listener`: who gets in.

use std::time::Duration;

use anyhow::Result;
use connctl_api::error::Exit;
use connctl_api::listener::{GateRequest, UpstreamRow};
use connctl_api::units::format_duration;

use super::node;
use crate::args::listener::ListenerVerb;
use crate::bulk::pace;
use crate::invocation::Invocation;
use crate::output;
use crate::output::pairs::{self, Line};
use crate::output::resources::{Gates, Listeners};

pub(crate) async fn run(verb: ListenerVerb, invocation: &Invocation) -> Result<Exit> {
    let client = invocation.client()?;
    let reports = match verb {
        ListenerVerb::List => {
            output::list::<Listeners, _>(invocation, &client.listeners().await?.listeners)?;
            return Ok(Exit::Done);
        }
        ListenerVerb::Show { name } => {
            let row = client.listener(&name).await?;
            let yes = |yes| if yes { "yes" } else { "no" }.to_owned();
            let mut lines = vec![
                Line::Pair("name", row.name.clone()),
                Line::Pair("mode", row.mode.to_string()),
                Line::Pair("bind", row.bind.clone()),
                Line::Pair("upstream", row.upstream.clone().unwrap_or_default()),
                Line::Pair("accepting", yes(row.accepting)),
                Line::Pair("after", row.after.map(|after| after.to_string()).unwrap_or_default()),
                Line::Pair("reject_mode", row.reject_mode.to_string()),
                Line::Pair("draining", yes(row.draining)),
                Line::Pair("connections", row.connections.to_string()),
                Line::Pair("accepted", row.accepted.to_string()),
                Line::Pair("rejected", row.rejected.to_string()),
            ];
            lines.extend(row.upstreams.iter().map(upstream));
            pairs::print(invocation, &serde_json::to_string(&row)?, &row.name, &lines)?;
            return Ok(Exit::Done);
        }
        ListenerVerb::Reject { names, after, mode } => {
            client.reject(&GateRequest { names, after, mode }).await?
        }
        ListenerVerb::Accept { names } => {
            client.accept(&GateRequest { names, ..GateRequest::default() }).await?
        }
        ListenerVerb::Drain { names, mode, args } if args.closes() => {
            let pace = pace::of(&args.pace)?.unwrap_or(node::USUAL_PACE);
            return node::drain(names, mode, &args, pace, invocation).await;
        }
        ListenerVerb::Drain { names, mode, args } => {
            // A ramp or a share without a rate says how to close, and not how fast.
            pace::of(&args.pace)?;
            client.drain(&GateRequest { names, mode, ..GateRequest::default() }).await?
        }
    };
    output::list::<Gates, _>(invocation, &reports.listeners)?;
    Ok(Exit::Done)
}

/// One upstream in a line: which, how it is, since when, and why.
fn upstream(row: &UpstreamRow) -> Line {
    let mut text = format!("{} {}", row.upstream, row.state);
    if let Some(since) = row.since {
        text += &format!(" since {since}");
    }
    if let Some(reason) = row.last_error {
        text += &format!(": {reason}, {}", reason.meaning());
    }
    if let Some(ms) = row.retry_in_ms {
        text += &format!("; passed over for {}", format_duration(Duration::from_millis(ms)));
    }
    Line::Pair("upstream_state", text)
}
