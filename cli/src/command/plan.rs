//! `--dry-run` and `apply`: a set that is shown before it is touched.

use std::fmt::Write as _;
use std::io::Write as _;

use anyhow::Result;
use connctl_api::client::{Client, split};
use connctl_api::conn::CountRow;
use connctl_api::error::Exit;
use connctl_api::operation::OperationRequest;
use connctl_api::plan::{ApplyRequest, PlanRow};

use super::change;
use crate::args::output::Format;
use crate::args::verb::ApplyArgs;
use crate::bulk::confirm::{Extent, settle, verdict};
use crate::bulk::{follow, pace};
use crate::invocation::Invocation;
use crate::output::conn::Conns;
use crate::output::human;
use crate::output::line::read;
use crate::output::pairs::{self, Line};
use crate::output::printer::Printer;
use crate::output::tree::Tree;
use crate::output::{self, yaml};

/// The most listeners and users that a terminal is shown.
const SHOWN_GROUPS: usize = 8;

/// Freezes the set and shows it; nothing is touched.
pub(crate) async fn dry_run(request: &OperationRequest, invocation: &Invocation) -> Result<Exit> {
    let client = invocation.client()?;
    // A plan does not run yet: whether it will be detached is said when it is applied.
    let plan = client.plan(&OperationRequest { detach: false, ..request.clone() }).await?;
    let id = plan.plan_id;
    match invocation.format {
        Format::Name => output::text(&format!("{id}\n"))?,
        Format::Json => document(&client, &plan).await?,
        Format::Table | Format::Wide | Format::Jsonl | Format::Csv | Format::Yaml => {
            rows(&client, &plan, invocation).await?;
        }
    }
    output::note(
        invocation,
        &format!("dry run: nothing was touched; `connctl apply {id}` acts on exactly this set"),
    );
    Ok(Exit::Done)
}

/// The rows, and then the plan.
async fn rows(client: &Client, plan: &PlanRow, invocation: &Invocation) -> Result<()> {
    let mut out = output::stdout();
    if invocation.format == Format::Yaml {
        let mut text = String::new();
        yaml::document(&Tree::Map(vec![("plan".to_owned(), tree(plan)?)]), &mut text);
        // An empty list stands behind its key, and a full one below it.
        text.push_str(if plan.connections == 0 { "connections: " } else { "connections:\n" });
        out.write_all(text.as_bytes())?;
    }
    let mut printer = Printer::<Conns>::list(invocation, &[])?;
    let mut lines = client.plan_rows(&plan.plan_id.to_string()).await?;
    while let Some(block) = lines.block().await? {
        printer.block(block, &mut out, &mut |_| {})?;
    }
    printer.finish(None, &mut out)?;
    match invocation.format {
        Format::Jsonl => writeln!(out, "{{\"plan\":{}}}", serde_json::to_string(plan)?)?,
        Format::Table | Format::Wide => {
            if plan.connections > 0 {
                writeln!(out)?;
            }
            out.flush()?;
            drop(out);
            let json = serde_json::to_string(plan)?;
            pairs::print(invocation, &json, &plan.plan_id.to_string(), &described(plan))?;
            return Ok(());
        }
        Format::Json | Format::Csv | Format::Yaml | Format::Name => {}
    }
    Ok(out.flush()?)
}

/// One JSON document of both.
async fn document(client: &Client, plan: &PlanRow) -> Result<()> {
    let mut out = output::stdout();
    write!(out, "{{\"plan\":{},\"connections\":[", serde_json::to_string(plan)?)?;
    let mut lines = client.plan_rows(&plan.plan_id.to_string()).await?;
    let mut separator: &[u8] = b"\n";
    while let Some(block) = lines.block().await? {
        for line in split(block) {
            out.write_all(separator)?;
            out.write_all(line)?;
            separator = b",\n";
        }
    }
    out.write_all(b"\n]}\n")?;
    Ok(out.flush()?)
}

fn tree(plan: &PlanRow) -> Result<Tree> {
    read(&serde_json::to_vec(plan)?)
}

fn described(plan: &PlanRow) -> Vec<Line> {
    let mut estimate = String::new();
    human::duration(plan.estimate_ms, &mut estimate);
    let size = format!("{} of the node's {}", plan.connections, plan.node_connections);
    let mut lines = vec![
        Line::Pair("plan", plan.plan_id.to_string()),
        Line::Pair("operation", format!("{}, {}", plan.operation, human::sides(plan.side))),
        Line::Pair("connections", size),
        Line::Pair("users", plan.users.to_string()),
        Line::Pair("by listener", groups(&plan.by_listener)),
        Line::Pair("by user", groups(&plan.by_uid)),
        Line::Pair("by node", groups(&plan.by_node)),
        Line::Pair(
            "takes about",
            if plan.estimate_ms == 0 { "no time: it is not paced".to_owned() } else { estimate },
        ),
        Line::Pair("expires_at", plan.expires_at.to_string()),
    ];
    if plan.not_found > 0 {
        lines.push(Line::Pair("not found", plan.not_found.to_string()));
    }
    lines
}

/// `redis 12, nats 3, and 5 more`.
fn groups(rows: &[CountRow]) -> String {
    let mut text = String::new();
    for row in rows.iter().take(SHOWN_GROUPS) {
        if !text.is_empty() {
            text.push_str(", ");
        }
        match &row.value {
            Some(value) => human::clean(value, &mut text),
            None => text.push('-'),
        }
        let _ = write!(text, " {}", row.count);
    }
    if rows.len() > SHOWN_GROUPS {
        let _ = write!(text, ", and {} more", rows.len() - SHOWN_GROUPS);
    }
    text
}

/// `apply`: exactly the connections of a plan, once.
pub(crate) async fn apply(args: &ApplyArgs, invocation: &Invocation) -> Result<Exit> {
    let pace = pace::of(&args.pace)?;
    let request = ApplyRequest { max: args.max, max_percent: args.max_percent, pace, detach: false };
    let client = invocation.client()?;
    if !args.yes {
        // A plan that is not there any more is the agent's to explain, in the same words as with --yes.
        if let Ok(plan) = client.plan_row(&args.plan).await {
            let extent = Extent::of(&plan);
            let verdict = verdict(&extent, invocation.can_ask);
            tokio::task::spawn_blocking(move || settle(verdict)).await??;
        }
    }
    carry_out(&args.plan, &request, args.pace.detach, invocation).await
}

/// Asks about a set that is frozen for the question, so that the answer is about exactly this set.
pub(crate) async fn ask_and_apply(
    request: &OperationRequest,
    detach: bool,
    invocation: &Invocation,
) -> Result<Exit> {
    let client = invocation.client()?;
    let plan = client.plan(&OperationRequest { detach: false, ..request.clone() }).await?;
    let id = plan.plan_id.to_string();
    let verdict = verdict(&Extent::of(&plan), true);
    if let Err(no) = tokio::task::spawn_blocking(move || settle(verdict)).await? {
        // It would only expire by itself.
        let _ = client.drop_plan(&id).await;
        return Err(no);
    }
    carry_out(&id, &ApplyRequest::default(), detach, invocation).await
}

async fn carry_out(
    plan_id: &str,
    request: &ApplyRequest,
    detach: bool,
    invocation: &Invocation,
) -> Result<Exit> {
    let client = invocation.client()?;
    // What a plan that is gone has been, applying it tells.
    let plan = client.plan_row(plan_id).await.ok();
    let is_paced = request.pace.is_some() || plan.as_ref().is_some_and(|plan| plan.pace.is_set());
    if detach || is_paced {
        let job = client.apply_detached(plan_id, request).await?;
        return change::begun(&client, &job, detach, invocation).await;
    }
    let grace_ms = plan.as_ref().map(|plan| plan.grace_ms);
    let client = change::patient(grace_ms, invocation)?;
    let lines = client.apply(plan_id, request).await?;
    let (operation, total) = match &plan {
        Some(plan) => (plan.operation, Some(plan.connections + plan.not_found)),
        None => (connctl_api::operation::OperationKind::Close, None),
    };
    follow::items(lines, operation, total, invocation).await
}
