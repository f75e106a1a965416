//! `events`: what happened of late, or what happens from now on.

use std::io::Write;
use std::time::Duration;

use anyhow::Result;
use connctl_api::client::split;
use connctl_api::error::Exit;
use connctl_api::event::{EventQuery, EventRow, HEARTBEAT_MS};

use crate::args::output::Format;
use crate::args::past::EventsArgs;
use crate::invocation::Invocation;
use crate::output::event::{Events, line};
use crate::output::line::read;
use crate::output::printer::Printer;
use crate::output::{self, Out};
use crate::selection;

/// An agent that has no news says so more often than this.
const SILENCE: Duration = Duration::from_millis(3 * HEARTBEAT_MS);

pub(crate) async fn run(args: &EventsArgs, invocation: &Invocation) -> Result<Exit> {
    let kinds: Vec<_> = args.kind.iter().map(ToString::to_string).collect();
    let query = EventQuery {
        selector: selection::for_query(&args.selector)?,
        kinds: (!kinds.is_empty()).then(|| kinds.join(",")),
        after: args.after.clone(),
        follow: args.follow,
        stream: true,
    };
    let client = invocation.client_with(invocation.patience().max(SILENCE))?;
    let mut lines = client.events(&query).await?;
    let mut out: Out = output::stdout();
    // A document without an end is none: its parts come by themselves.
    let is_endless = args.follow && invocation.format == Format::Json;
    let format = if is_endless { Format::Jsonl } else { invocation.format };
    let mut printer = Printer::<Events>::list(&invocation.in_format(format), &[])?;
    let mut text = String::new();
    while let Some(block) = lines.block().await? {
        for event in split(block) {
            if invocation.format.is_table() {
                text.clear();
                line(&read::<EventRow<'_>>(event)?, invocation.style, &mut text);
                out.write_all(text.as_bytes())?;
            } else {
                printer.line(event, &mut out, &mut |_| {})?;
            }
        }
        out.flush()?;
        if !output::is_read() {
            break;
        }
    }
    if !invocation.format.is_table() {
        printer.finish(None, &mut out)?;
    }
    Ok(Exit::Done)
}
