//! `remove`, `reset`, `halfclose`, `pause` and `resume`: one file, five names.

use std::io::{IsTerminal as _, Read as _, Write, stdin};
use std::path::Path;
use std::time::Duration;

use anyhow::{Context as _, Result};
use connctl_api::client::{Client, ClientError, Lines, split};
use connctl_api::conn::ListQuery;
use connctl_api::error::{ErrorBody, Exit};
use connctl_api::operation::{
    DEFAULT_GRACE_MS, ItemRef, MAX_GRACE_MS, MAX_ITEMS, MAX_NOTE_BYTES, OperationKind, OperationRequest,
    SideChoice, Summary,
};
use connctl_api::revocation::RevocationRow;
use indicatif::ProgressBar;
use serde::Deserialize;

use super::list;
use crate::args::bulk::{ChangeArgs, GuardArgs, RemoveArgs};
use crate::bulk::batch::{self, Batch};
use crate::bulk::confirm::{Extent, settle, verdict};
use crate::bulk::{progress, report};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output::human::count;
use crate::output::item::Items;
use crate::output::printer::{Printer, read};
use crate::output::{self};
use crate::selection;

/// `remove`: by selector or by batch.
pub(crate) async fn remove(args: &RemoveArgs, invocation: &Invocation) -> Result<Exit> {
    let Some(path) = &args.batch else { return run(args.kind, &args.change, invocation).await };
    // Reading waits for whoever writes the batch; ctrl-c must get through meanwhile.
    let (file, skip_bad) = (path.clone(), args.skip_bad);
    let items = tokio::task::spawn_blocking(move || load(&file, skip_bad)).await??;
    let change = &args.change;
    let request = OperationRequest { items: Some(items), ..request(args.kind, change.side, &change.guards)? };
    // A batch from stdin leaves nobody to ask.
    let can_ask = invocation.can_ask && path != Path::new("-");
    operate(request, &args.change.guards, can_ask, invocation).await
}

/// Any of the five, by selector.
pub(crate) async fn run(
    operation: OperationKind,
    args: &ChangeArgs,
    invocation: &Invocation,
) -> Result<Exit> {
    let selector = selection::for_change(&args.selector)?;
    let request =
        OperationRequest { selector: Some(selector), ..request(operation, args.side, &args.guards)? };
    if args.guards.dry_run {
        return dry_run(&request, invocation).await;
    }
    operate(request, &args.guards, invocation.can_ask, invocation).await
}

/// What the flags say, about no connection yet.
pub(super) fn request(
    operation: OperationKind,
    side: Option<SideChoice>,
    guards: &GuardArgs,
) -> Result<OperationRequest> {
    let grace_ms = match guards.grace {
        None => None,
        Some(grace) => match u64::try_from(grace.as_millis()) {
            Ok(ms) if ms <= MAX_GRACE_MS => Some(ms),
            _ => return Err(Failure::usage("--grace is longer than an hour").into()),
        },
    };
    if guards.note.as_ref().is_some_and(|note| note.len() > MAX_NOTE_BYTES) {
        return Err(Failure::usage(format!("--note has more than {MAX_NOTE_BYTES} bytes")).into());
    }
    Ok(OperationRequest {
        side,
        grace_ms,
        max: guards.max,
        max_percent: guards.max_percent,
        note: guards.note.clone(),
        ..OperationRequest::new(operation)
    })
}

/// Reads a batch; with a bad line nothing is done, unless bad lines may be left out.
fn load(path: &Path, skip_bad: bool) -> Result<Vec<ItemRef>> {
    let name = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let read = match path == Path::new("-") {
        true if stdin().is_terminal() => {
            return Err(Failure::usage("--batch - reads stdin, which is a terminal").into());
        }
        true => stdin().lock().read_to_end(&mut bytes),
        false => std::fs::File::open(path).and_then(|mut file| file.read_to_end(&mut bytes)),
    };
    read.map_err(|error| Failure::usage(format!("--batch {name}: {error}")))?;
    let Batch { items, bad } =
        batch::read(&bytes).map_err(|bad| Failure::usage(format!("--batch {name}: {bad}")))?;
    if let Some(first) = bad.first() {
        if !skip_bad {
            let more = match bad.len() - 1 {
                0 => String::new(),
                more => format!(" (and {more} more)"),
            };
            return Err(Failure::usage(format!("--batch {name}: {first}{more}"))
                .hint("nothing was done; --skip-bad leaves such lines out")
                .into());
        }
        for bad in &bad {
            output::complain(&format!("connctl: --batch {name}: {bad}: left out"));
        }
    }
    if items.len() > MAX_ITEMS {
        let message = format!("--batch {name}: {} items are more than {MAX_ITEMS}", items.len());
        return Err(Failure::usage(message).into());
    }
    Ok(items)
}

/// Lists the set and says how large it is. It is a listing, not a plan: what comes later is not in it.
pub(super) async fn dry_run(request: &OperationRequest, invocation: &Invocation) -> Result<Exit> {
    let client = invocation.client()?;
    let query = ListQuery { selector: request.selector.clone(), ..ListQuery::default() };
    list::rows(&client, &query, &[], invocation).await?;
    output::note(invocation, "dry run: nothing was touched");
    Ok(Exit::Done)
}

async fn operate(
    request: OperationRequest,
    guards: &GuardArgs,
    can_ask: bool,
    invocation: &Invocation,
) -> Result<Exit> {
    // A connection may use its whole grace before its line comes.
    let grace = Duration::from_millis(request.grace_ms.unwrap_or(DEFAULT_GRACE_MS));
    let client = invocation.client_with(invocation.patience().saturating_add(grace))?;
    let mut total = request.items.as_ref().map(|items| u64::try_from(items.len()).unwrap_or(u64::MAX));
    if !guards.yes && request.operation.is_ending() {
        let extent = measure(&client, &request, can_ask).await?;
        let verdict = verdict(&extent, can_ask);
        tokio::task::spawn_blocking(move || settle(verdict)).await??;
        total = Some(extent.connections);
    } else if total.is_none() && invocation.stderr_is_terminal {
        total = Some(client.count(request.selector.clone(), None).await?.count);
    }
    stream(&client, &request, total, invocation).await
}

/// How much is at stake. The agent counts; the listing need not be fetched for it.
pub(super) async fn measure(client: &Client, request: &OperationRequest, can_ask: bool) -> Result<Extent> {
    let operation = request.operation;
    if let Some(items) = &request.items {
        let connections = u64::try_from(items.len()).unwrap_or(u64::MAX);
        let node = if can_ask { connections } else { client.node().await?.connections };
        return Ok(Extent { operation, connections, users: None, node });
    }
    let report = client.count(request.selector.clone(), can_ask.then(|| "uid".to_owned())).await?;
    let users = report.by.map(|by| by.iter().filter(|row| row.value.is_some()).count());
    let users = users.and_then(|users| u64::try_from(users).ok()).filter(|users| *users > 0);
    let node = if can_ask { report.count } else { client.node().await?.connections };
    Ok(Extent { operation, connections: report.count, users, node })
}

/// The last line of an answer.
#[derive(Deserialize)]
pub(super) struct Last {
    pub summary: Summary,
    /// Where it is about one.
    pub revocation: Option<RevocationRow>,
}

/// Sends the request and prints each line as it comes.
async fn stream(
    client: &Client,
    request: &OperationRequest,
    total: Option<u64>,
    invocation: &Invocation,
) -> Result<Exit> {
    let mut lines = client.operate(request).await?;
    let mut printer = Printer::<Items>::items(invocation)?;
    let mut out = output::stdout();
    let bar = progress::bar(invocation, total);
    let Last { summary, .. } = print_items(&mut lines, &mut printer, &bar, &mut out).await?;
    printer.finish(Some(&serde_json::to_string(&summary)?), &mut out)?;
    if invocation.format.is_table() {
        output::note(invocation, &report::line_of(request.operation, &summary));
    } else if summary.requested == 0 {
        output::note(invocation, &format!("{} matched", count(0, "connection")));
    }
    Ok(report::exit_of(&summary))
}

/// Prints each item as it comes, and gives the last line. An error in the middle ends it.
pub(super) async fn print_items(
    lines: &mut Lines,
    printer: &mut Printer<Items>,
    bar: &ProgressBar,
    out: &mut dyn Write,
) -> Result<Last> {
    let (mut last, mut ready) = (None, Vec::new());
    while let Some(block) = lines.block().await? {
        for line in split(block) {
            if line.starts_with(b"{\"error\":{") {
                return Err(ClientError::from(read::<ErrorBody>(line)?.error).into());
            }
            if line.starts_with(b"{\"summary\":") {
                last = Some(read::<Last>(line)?);
                continue;
            }
            bar.inc(1);
            printer.line(line, &mut ready, &mut |_| {})?;
        }
        // Whoever reads the lines learns of each one as it comes; on a terminal the bar makes room for them.
        bar.suspend(|| out.write_all(&ready).and_then(|()| out.flush()))?;
        ready.clear();
    }
    bar.finish_and_clear();
    last.context("the agent broke off before the summary: some connections may not be done")
}
