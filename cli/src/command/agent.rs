//! `agent`: how one is, and running one.

use std::time::SystemTime;

use anyhow::Result;
use connctl_api::error::Exit;
use connctl_api::instant::Instant;
use connctl_api::node::CertificateRow;
use connctl_api::reload::{ReloadOutcome, ReloadRow};

use crate::invocation::Invocation;
use crate::output::limit::Reloads;
use crate::output::pairs::{self, Line};
use crate::output::{self, human};

pub(crate) async fn status(invocation: &Invocation) -> Result<Exit> {
    let node = invocation.client()?.node().await?;
    let mut uptime = String::new();
    human::duration(node.uptime_ms, &mut uptime);
    let mut memory = String::new();
    human::size(node.memory_bytes, &mut memory);
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    let now = Instant(i64::try_from(now.as_millis()).unwrap_or(i64::MAX));
    let mut lines = vec![
        Line::Pair("node_id", node.node_id.to_string()),
        Line::Pair("version", node.version.clone()),
        Line::Pair("pid", node.pid.to_string()),
        Line::Pair("started_at", node.started_at.to_string()),
        Line::Pair("uptime", uptime),
        Line::Pair("control", node.control.join(" ")),
        Line::Pair("threads", node.threads.to_string()),
        Line::Pair("listeners", format!("{}, {} accepting", node.listeners, node.listeners_accepting)),
        Line::Pair("connections", node.connections.to_string()),
        Line::Pair("accepted", node.accepted.to_string()),
        Line::Pair("ended", node.ended.to_string()),
        Line::Pair("descriptors", format!("{} of {}", node.descriptors_used, node.descriptors_limit)),
        Line::Pair("memory", memory),
        Line::Pair("compat", node.compat.clone()),
    ];
    lines.extend(node.certificates.iter().map(|row| Line::Pair("certificate", certificate(row, now))));
    pairs::print(invocation, &serde_json::to_string(&node)?, &node.node_id.to_string(), &lines)?;
    for row in node.certificates.iter().filter(|row| row.is_due(now)) {
        output::note(invocation, &format!("to be renewed: certificate {}", certificate(row, now)));
    }
    Ok(Exit::Done)
}

/// What it is for, its place in its file, whose it is, and when it expires.
fn certificate(row: &CertificateRow, now: Instant) -> String {
    let mut text = format!("{} {}", row.of, row.number);
    if let Some(name) = &row.name {
        text.push(' ');
        human::clean(name, &mut text);
    }
    match u64::try_from(row.expires_at.0.saturating_sub(now.0)) {
        Ok(left) => {
            text += ", expires in ";
            human::duration(left, &mut text);
        }
        Err(_) => text += ", has expired",
    }
    text + &format!(" ({})", row.expires_at)
}

/// Has the agent read its configuration again.
pub(crate) async fn reload(invocation: &Invocation) -> Result<Exit> {
    let report = invocation.client()?.reload().await?;
    output::list::<Reloads, _>(invocation, &report.changes)?;
    if report.ending > 0 {
        output::note(invocation, &format!("{} being closed", human::count(report.ending, "connection")));
    }
    let waits = |change: &&ReloadRow| change.outcome == ReloadOutcome::NeedsRestart;
    match report.changes.iter().filter(waits).count() {
        0 => Ok(Exit::Done),
        waiting => {
            let waiting = human::count(u64::try_from(waiting).unwrap_or(u64::MAX), "change");
            output::note(invocation, &format!("{waiting} waiting for a restart of the agent"));
            Ok(Exit::Partial)
        }
    }
}

/// Runs an agent on this process. It prints its own ready line and handles its own signals.
#[cfg(feature = "agent")]
pub(crate) fn run(args: connctl_agent::args::RunArgs) -> Result<std::process::ExitCode> {
    connctl_agent::run(args)
}
