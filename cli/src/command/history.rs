//! `history`: connections that have ended, or only how many.

use anyhow::Result;
use connctl_api::error::Exit;
use connctl_api::history::HistoryQuery;

use super::list;
use crate::args::past::HistoryArgs;
use crate::invocation::Invocation;
use crate::output::history::Ended;
use crate::output::human::count;
use crate::output::printer::Printer;
use crate::output::{self, Out};
use crate::selection;

pub(crate) async fn run(args: &HistoryArgs, invocation: &Invocation) -> Result<Exit> {
    if let Some(field) = args.by.as_deref() {
        list::known_field("--by", field)?;
    }
    let query = HistoryQuery {
        selector: selection::for_query(&args.selector)?,
        since: args.since.clone(),
        limit: args.limit,
        by: args.by.clone(),
        ..HistoryQuery::default()
    };
    let client = invocation.client()?;
    if args.count {
        let report = client.history_count(&query).await?;
        list::counted(&client, report, query.by.is_some(), invocation)?;
        return Ok(Exit::Done);
    }
    let mut printer = Printer::<Ended>::list(invocation, &args.columns)?;
    let mut rows = 0;
    let mut lines = client.history(&query).await?;
    let mut out: Out = output::stdout();
    while let Some(block) = lines.block().await? {
        printer.block(block, &mut out, &mut |_| rows += 1)?;
    }
    printer.finish(None, &mut out)?;
    if invocation.format.is_table() {
        output::note(invocation, &format!("{} ended", count(rows, "connection")));
    }
    Ok(Exit::Done)
}
