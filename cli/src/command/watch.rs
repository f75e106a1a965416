//! `list --watch` in a pipe: the list once, and then what has changed, as lines.
//!
//! It looks once a second, as on a terminal, so what comes and goes between two looks is not seen: `events --follow`
//! tells of that too.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use anyhow::Result;
use connctl_api::client::{Client, split};
use connctl_api::conn::ListQuery;
use connctl_api::error::Exit;

use crate::args::output::Format;
use crate::invocation::Invocation;
use crate::output::changes::{Change, Changes};
use crate::output::columns::Record;
use crate::output::conn::Conns;
use crate::output::conn_view::ConnView;
use crate::output::printer::Printer;
use crate::output::{self, Out};

/// How often a watched list is asked for.
pub(super) const WATCH_EVERY: Duration = Duration::from_secs(1);

/// Whether the kernel is to be asked how healthy connections are: only where somebody sees what it says.
pub(super) fn asks_health(columns: &[String], invocation: &Invocation) -> bool {
    match columns {
        [] => invocation.format == Format::Wide,
        named => named.iter().any(|column| column.trim() == "health"),
    }
}

/// Prints changes until it is interrupted or nobody reads them.
pub(crate) async fn stream(
    client: &Client,
    query: &ListQuery,
    columns: &[String],
    invocation: &Invocation,
) -> Result<Exit> {
    let query = ListQuery { health: asks_health(columns, invocation), ..query.clone() };
    // A document without an end is none: its parts come by themselves.
    let format = if invocation.format == Format::Json { Format::Jsonl } else { invocation.format };
    let mut printer = Printer::<Changes>::list(&invocation.in_format(format), columns)?;
    let mut known = Known::default();
    loop {
        let mut lines = client.rows(&query).await?;
        // Taken for each look: between two of them, stdout is nobody's.
        let mut out: Out = output::stdout();
        let mut seen = BTreeSet::new();
        while let Some(block) = lines.block().await? {
            for row in split(block) {
                if let Some(change) = known.look(row, &mut seen)? {
                    printer.line(&change.marked(row), &mut out, &mut |_| {})?;
                }
            }
        }
        for row in known.leave(&seen) {
            printer.line(&Change::Gone.marked(&row), &mut out, &mut |_| {})?;
        }
        printer.pause(&mut out)?;
        drop(out);
        tokio::time::sleep(WATCH_EVERY).await;
        if !output::is_read() {
            return Ok(Exit::Done);
        }
    }
}

/// The rows as they were at the last look, by node and id.
#[derive(Debug, Default)]
struct Known(BTreeMap<(u64, u64), Box<[u8]>>);

impl Known {
    /// Takes a row in; what has become of it, if anything.
    fn look(&mut self, row: &[u8], seen: &mut BTreeSet<(u64, u64)>) -> Result<Option<Change>> {
        let view = Conns::read(row)?;
        let key = (view.node_id, view.conn_id);
        seen.insert(key);
        let change = match self.0.get(&key) {
            None => Some(Change::New),
            Some(before) => (!is_same(&Conns::read(before)?, &view)).then_some(Change::Changed),
        };
        self.0.insert(key, row.into());
        Ok(change)
    }

    /// The rows that were not seen again, which are forgotten.
    fn leave(&mut self, seen: &BTreeSet<(u64, u64)>) -> Vec<Box<[u8]>> {
        let gone: Vec<_> = self.0.keys().filter(|key| !seen.contains(key)).copied().collect();
        gone.iter().filter_map(|key| self.0.remove(key)).collect()
    }
}

/// Counters and clocks move all the time; that is for `top`.
fn is_same(before: &ConnView<'_>, now: &ConnView<'_>) -> bool {
    before.uid == now.uid
        && before.device == now.device
        && before.tags == now.tags
        && before.state == now.state
        && before.upstream == now.upstream
        && before.health == now.health
}
