//! `revoke`: closing whose connections are there, refusing those that come, and taking that back.

use std::future::pending;
use std::io::{Write, sink};

use anyhow::{Context as _, Result};
use connctl_api::conn::ListQuery;
use connctl_api::error::Exit;
use connctl_api::operation::OperationRequest;
use connctl_api::revocation::{MAX_FOR_MS, RevocationRow, RevokeRequest};

use super::{change, list};
use crate::args::output::Format;
use crate::args::revoke::{RevokeArgs, RevokeVerb};
use crate::args::selector::SelectorArgs;
use crate::bulk::confirm::{self, Extent};
use crate::bulk::follow::{self, Told};
use crate::bulk::{progress, report};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output::human;
use crate::output::item::Items;
use crate::output::printer::Printer;
use crate::output::resources::Revocations;
use crate::{output, selection};

pub(crate) async fn run(args: RevokeArgs, invocation: &Invocation) -> Result<Exit> {
    match args.verb {
        None => make(&args, invocation).await,
        Some(RevokeVerb::List) => {
            let page = invocation.client()?.revocations().await?;
            output::list::<Revocations, _>(invocation, &page.revocations)?;
            Ok(Exit::Done)
        }
        Some(RevokeVerb::Lift { id }) => {
            let row = invocation.client()?.lift(id).await?;
            output::list::<Revocations, _>(invocation, &[row])?;
            Ok(Exit::Done)
        }
    }
}

async fn make(args: &RevokeArgs, invocation: &Invocation) -> Result<Exit> {
    let request = request(args)?;
    let (uid, ip) = (args.uid.iter().cloned().collect(), args.ip.iter().cloned().collect());
    let who = selection::for_change(&SelectorArgs { uid, ip, ..SelectorArgs::default() })?;
    let live = OperationRequest { selector: Some(who), ..change::request(args.kind, &args.guards)? };
    if args.guards.dry_run {
        return dry_run(&live, invocation).await;
    }
    let client = change::patient(request.grace_ms, invocation)?;
    let mut total = None;
    if !args.guards.yes {
        // It is said who is meant.
        let extent = Extent { is_explicit: true, ..change::measure(&client, &live).await? };
        let verdict = confirm::verdict(&extent, invocation.can_ask);
        tokio::task::spawn_blocking(move || confirm::settle(verdict)).await??;
        total = Some(extent.connections);
    }
    let mut lines = client.revoke(&request).await?;
    let mut printer = Printer::<Items>::items(invocation)?;
    let mut stdout = output::stdout();
    let bar = progress::bar(invocation, total);
    // The name of what this makes is the revocation's; those of the connections would be taken for it.
    let is_name = invocation.format == Format::Name;
    let mut nowhere = sink();
    let out: &mut dyn Write = if is_name { &mut nowhere } else { &mut stdout };
    let told = follow::read_lines(&mut lines, &mut printer, &bar, pending::<()>(), out).await?;
    let told = told.and_then(|Told { summary, revocation, .. }| Some((summary, revocation?)));
    let (summary, revocation) = told.context("the agent did not say what is revoked")?;
    let told = serde_json::to_string(&revocation)?;
    printer.finish_with(&[("summary", &serde_json::to_string(&summary)?), ("revocation", &told)], out)?;
    if is_name {
        writeln!(stdout, "{}", revocation.id)?;
        stdout.flush()?;
    } else if invocation.format.is_table() || invocation.format == Format::Csv {
        let closed = report::line_of(args.kind, &summary);
        output::note(invocation, &format!("{}; {closed}", line_of(&revocation)));
    }
    Ok(report::exit_of(&summary))
}

/// Lists whose connections would be closed. It is a listing, not a plan: what comes later is not in it.
async fn dry_run(live: &OperationRequest, invocation: &Invocation) -> Result<Exit> {
    let query = ListQuery { selector: live.selector.clone(), ..ListQuery::default() };
    list::rows(&invocation.client()?, &query, &[], invocation).await?;
    output::note(invocation, "dry run: nothing was touched");
    Ok(Exit::Done)
}

fn request(args: &RevokeArgs) -> Result<RevokeRequest> {
    let for_ms = match args.for_.map(|time| u64::try_from(time.as_millis())) {
        None => None,
        Some(Ok(ms)) if (1..=MAX_FOR_MS).contains(&ms) => Some(ms),
        Some(_) => return Err(Failure::usage("--for is not 1ms to 36525d").into()),
    };
    let guarded = change::request(args.kind, &args.guards)?;
    Ok(RevokeRequest {
        uid: args.uid.clone(),
        ip: args.ip.clone(),
        for_ms,
        operation: Some(args.kind),
        grace_ms: guarded.grace_ms,
        max: guarded.max,
        max_percent: guarded.max_percent,
        note: guarded.note,
    })
}

/// `revocation 3: uid u17 is refused for 10m`.
fn line_of(row: &RevocationRow) -> String {
    let mut line = format!("revocation {}: ", row.id);
    match (&row.uid, &row.ip) {
        (Some(uid), _) => {
            line += "uid ";
            human::clean(uid, &mut line);
        }
        (None, ip) => {
            line += "ip ";
            human::clean(ip.as_deref().unwrap_or_default(), &mut line);
        }
    }
    match row.remaining_ms {
        Some(ms) => {
            line += " is refused for ";
            human::duration(ms, &mut line);
        }
        None => line += " is refused until that is lifted",
    }
    line
}
