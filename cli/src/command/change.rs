//! `remove`, `reset`, `halfclose`, `pause` and `resume`: one file, five names.

use std::io::{IsTerminal as _, Read as _, stdin};
use std::path::Path;
use std::time::Duration;

use anyhow::Result;
use connctl_api::client::{Client, ClientError};
use connctl_api::error::{ErrorCode, Exit};
use connctl_api::job::JobRow;
use connctl_api::operation::{
    DEFAULT_GRACE_MS, ItemRef, MAX_GRACE_MS, MAX_ITEMS, MAX_NOTE_BYTES, OperationKind, OperationRequest,
};
use connctl_api::selector::Selector;

use super::{job, plan};
use crate::args::bulk::{ChangeArgs, GuardArgs, RemoveArgs};
use crate::bulk::batch::{self, Batch};
use crate::bulk::confirm::{Extent, flags, settle, verdict};
use crate::bulk::{follow, pace};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output;
use crate::selection;

/// `remove`: by selector or by batch.
pub(crate) async fn remove(args: &RemoveArgs, invocation: &Invocation) -> Result<Exit> {
    let Some(path) = &args.batch else { return run(args.kind, &args.change, invocation).await };
    // Reading waits for whoever writes the batch; ctrl-c must get through meanwhile.
    let (file, skip_bad) = (path.clone(), args.skip_bad);
    let items = tokio::task::spawn_blocking(move || load(&file, skip_bad)).await??;
    let request = OperationRequest { items: Some(items), ..whole(args.kind, &args.change, invocation)? };
    // A batch from stdin leaves nobody to ask.
    let can_ask = invocation.can_ask && path != Path::new("-");
    act(request, &args.change.guards, args.change.spread.pace.detach, can_ask, invocation).await
}

/// Any of the five, by selector.
pub(crate) async fn run(
    operation: OperationKind,
    args: &ChangeArgs,
    invocation: &Invocation,
) -> Result<Exit> {
    let selector = selection::for_change(&args.selector)?;
    let request = OperationRequest { selector: Some(selector), ..whole(operation, args, invocation)? };
    act(request, &args.guards, args.spread.pace.detach, invocation.can_ask, invocation).await
}

/// What the flags ask for, about no connection yet.
fn whole(operation: OperationKind, args: &ChangeArgs, invocation: &Invocation) -> Result<OperationRequest> {
    let spread = &args.spread;
    Ok(OperationRequest {
        side: args.side,
        typed: invocation.typed.clone(),
        sample_percent: spread.sample,
        idle_first: spread.idle_first,
        pace: pace::of(&spread.pace)?,
        ..request(operation, &args.guards)?
    })
}

/// `--grace` in milliseconds.
pub(crate) fn grace_ms(grace: Option<Duration>) -> Result<Option<u64>, Failure> {
    let ms = grace.map(|grace| u64::try_from(grace.as_millis()).unwrap_or(u64::MAX));
    match ms.filter(|ms| *ms > MAX_GRACE_MS) {
        Some(_) => Err(Failure::usage("--grace is longer than an hour")),
        None => Ok(ms),
    }
}

/// What the guards say, about no connection yet.
pub(super) fn request(operation: OperationKind, guards: &GuardArgs) -> Result<OperationRequest> {
    let grace_ms = grace_ms(guards.grace)?;
    if guards.note.as_ref().is_some_and(|note| note.len() > MAX_NOTE_BYTES) {
        return Err(Failure::usage(format!("--note has more than {MAX_NOTE_BYTES} bytes")).into());
    }
    Ok(OperationRequest {
        grace_ms,
        max: guards.max,
        max_percent: guards.max_percent,
        note: guards.note.clone(),
        ..OperationRequest::new(operation)
    })
}

/// What the most items take up as long rows of JSON.
const MAX_BATCH_BYTES: u64 = 1 << 30;

/// Reads a batch; with a bad line nothing is done, unless bad lines may be left out.
fn load(path: &Path, skip_bad: bool) -> Result<Vec<ItemRef>> {
    let name = if path == Path::new("-") { "stdin".to_owned() } else { path.display().to_string() };
    let mut bytes = Vec::new();
    let read = match path == Path::new("-") {
        true if stdin().is_terminal() => {
            return Err(Failure::usage("--batch - reads stdin, which is a terminal").into());
        }
        true => stdin().lock().take(MAX_BATCH_BYTES + 1).read_to_end(&mut bytes),
        false => {
            std::fs::File::open(path).and_then(|file| file.take(MAX_BATCH_BYTES + 1).read_to_end(&mut bytes))
        }
    };
    let count = read.map_err(|error| Failure::usage(format!("--batch {name}: {error}")))?;
    if count as u64 > MAX_BATCH_BYTES {
        return Err(Failure::usage(format!("--batch {name}: it is larger than 1 GiB")).into());
    }
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

/// Carries a request out, as far as the guards and whoever can be asked allow it.
pub(crate) async fn act(
    request: OperationRequest,
    guards: &GuardArgs,
    detach: bool,
    can_ask: bool,
    invocation: &Invocation,
) -> Result<Exit> {
    if guards.dry_run {
        return plan::dry_run(&request, invocation).await;
    }
    if !guards.yes && request.operation.is_ending() {
        if can_ask {
            return plan::ask_and_apply(&request, detach, invocation).await;
        }
        let verdict = verdict(&measure(&invocation.client()?, &request).await?, false);
        tokio::task::spawn_blocking(move || settle(verdict)).await??;
    }
    carry_out(&request, detach, invocation).await.map_err(|error| explained(error, guards))
}

async fn carry_out(request: &OperationRequest, detach: bool, invocation: &Invocation) -> Result<Exit> {
    if detach || request.pace.is_some() {
        let client = invocation.client()?;
        let job = client.detach(request).await?;
        return begun(&client, &job, detach, invocation).await;
    }
    let client = patient(request.grace_ms, invocation)?;
    let mut total = request.items.as_ref().map(|items| u64::try_from(items.len()).unwrap_or(u64::MAX));
    if total.is_none() && invocation.stderr_is_terminal {
        total = Some(client.count(request.selector.clone(), None).await?.count);
    }
    let lines = client.operate(request).await?;
    follow::items(lines, request.operation, total, invocation).await
}

/// A job has begun: it is named, or followed.
pub(crate) async fn begun(
    client: &Client,
    begun: &JobRow,
    detach: bool,
    invocation: &Invocation,
) -> Result<Exit> {
    if !detach {
        return follow::job(client, begun, invocation).await;
    }
    job::print(begun, invocation)?;
    output::note(invocation, &format!("`connctl job wait {}` waits for it", begun.job_id));
    Ok(Exit::Done)
}

/// A client that waits for connections to use their whole grace before their lines come.
pub(crate) fn patient(grace_ms: Option<u64>, invocation: &Invocation) -> Result<Client> {
    let grace = Duration::from_millis(grace_ms.unwrap_or(DEFAULT_GRACE_MS));
    invocation.client_with(invocation.patience().saturating_add(grace))
}

/// How much is at stake. The agent counts; the listing need not be fetched for it.
pub(super) async fn measure(client: &Client, request: &OperationRequest) -> Result<Extent> {
    let connections = match &request.items {
        Some(items) => u64::try_from(items.len()).unwrap_or(u64::MAX),
        None => client.count(request.selector.clone(), None).await?.count,
    };
    let node = client.node().await?.connections;
    let is_explicit = is_explicit(request);
    Ok(Extent { operation: request.operation, connections, users: None, node, is_explicit })
}

/// Connections named one by one, or all of them: what is meant is said.
fn is_explicit(request: &OperationRequest) -> bool {
    let selector = request.selector.as_deref().and_then(|text| text.parse::<Selector>().ok());
    selector.is_none_or(|selector| selector.is_all() || selector.named_ids().is_some())
}

/// The agent's refusal of a large set, with the flag to give.
fn explained(error: anyhow::Error, guards: &GuardArgs) -> anyhow::Error {
    match error.downcast_ref::<ClientError>() {
        Some(ClientError::Api(refused))
            if refused.code == ErrorCode::GuardRefused
                && guards.max.is_none()
                && guards.max_percent.is_none() =>
        {
            let number = refused.message.split(' ').next().and_then(|number| number.parse().ok());
            let hint = flags(number.unwrap_or_default(), false);
            Failure::new(Exit::Refused, refused.message.clone()).hint(hint).into()
        }
        _ => error,
    }
}
