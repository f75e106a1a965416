//! `list`: connections as rows, or only how many.

use std::collections::HashSet;
use std::io::Write;

use anyhow::Result;
use connctl_api::client::{Client, ClientError};
use connctl_api::conn::{CountReport, ListQuery};
use connctl_api::error::Exit;
use connctl_api::selector::Field;

use super::watch::{self, WATCH_EVERY, asks_health};
use crate::args::output::Format;
use crate::args::verb::ListArgs;
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output::columns::named;
use crate::output::conn::Conns;
use crate::output::conn_view::ConnView;
use crate::output::human::count;
use crate::output::printer::Printer;
use crate::output::resources::{Counts, FieldView, Fields};
use crate::output::{self, Out};
use crate::selection;

/// Clears a terminal.
const CLEAR: &[u8] = b"\x1b[H\x1b[2J\x1b[3J";

/// What to ask for; a field that there is not is found out before anything is asked.
fn query(args: &ListArgs) -> Result<ListQuery> {
    if let Some(field) = args.by.as_deref() {
        known_field("--by", field)?;
    }
    if let Some(sort) = args.sort.as_deref() {
        let field = known_field("--sort", sort.strip_prefix('-').unwrap_or(sort))?;
        if !field.info().sortable {
            return Err(Failure::usage(format!("--sort {sort:?}: a listing cannot be sorted by it")).into());
        }
    }
    Ok(ListQuery {
        selector: selection::for_query(&args.selector)?,
        sort: args.sort.clone(),
        limit: args.limit,
        ..ListQuery::default()
    })
}

pub(crate) async fn run(args: &ListArgs, invocation: &Invocation) -> Result<Exit> {
    if args.fields {
        return fields(invocation);
    }
    let query = query(args)?;
    let client = invocation.client()?;
    if args.watch && !args.count && !invocation.stdout_is_terminal {
        return watch::stream(&client, &query, &args.columns, invocation).await;
    }
    let mut before = None;
    loop {
        if args.watch && invocation.stdout_is_terminal {
            output::stdout().write_all(CLEAR)?;
        }
        if args.count {
            let report = client.count(query.selector.clone(), args.by.clone()).await?;
            // In a pipe, a count that is what it was is no news.
            if invocation.stdout_is_terminal || before.as_ref() != Some(&report) {
                counted(&client, report.clone(), args.by.is_some(), invocation)?;
            }
            before = Some(report);
        } else {
            rows(&client, &query, &args.columns, invocation).await?;
        }
        if !args.watch {
            return Ok(Exit::Done);
        }
        tokio::time::sleep(WATCH_EVERY).await;
        if !output::is_read() {
            return Ok(Exit::Done);
        }
    }
}

/// Prints the rows of a query, and says beside them what they add up to.
pub(crate) async fn rows(
    client: &Client,
    query: &ListQuery,
    columns: &[String],
    invocation: &Invocation,
) -> Result<()> {
    let mut printer = Printer::<Conns>::list(invocation, columns)?;
    let query = &ListQuery { health: asks_health(columns, invocation), ..query.clone() };
    let mut tally = Tally::default();
    let mut lines = client.rows(query).await?;
    let mut out: Out = output::stdout();
    while let Some(block) = lines.block().await? {
        printer.block(block, &mut out, &mut |row| tally.add(row))?;
    }
    printer.finish(None, &mut out)?;
    if invocation.format.is_table() {
        output::note(invocation, &tally.line());
    }
    Ok(())
}

/// What the rows add up to.
#[derive(Debug, Default)]
pub(crate) struct Tally {
    connections: u64,
    users: HashSet<String>,
    listeners: HashSet<String>,
    nodes: Vec<u64>,
}

impl Tally {
    pub(crate) fn add(&mut self, row: &ConnView<'_>) {
        let note = |set: &mut HashSet<String>, name: &str| {
            if !set.contains(name) {
                set.insert(name.to_owned());
            }
        };
        self.connections += 1;
        if let Some(uid) = &row.uid {
            note(&mut self.users, &uid.0);
        }
        if let Some(listener) = &row.listener {
            note(&mut self.listeners, &listener.0);
        }
        if !self.nodes.contains(&row.node_id) {
            self.nodes.push(row.node_id);
        }
    }

    pub(crate) fn line(&self) -> String {
        let of = |set: &HashSet<String>, noun| count(u64::try_from(set.len()).unwrap_or(u64::MAX), noun);
        let mut line = count(self.connections, "connection");
        match *self.nodes.as_slice() {
            [] => {}
            [node] => {
                line += &format!(
                    ", {}, {} on node {node}",
                    of(&self.users, "user"),
                    of(&self.listeners, "listener")
                )
            }
            [..] => {
                let nodes = self.nodes.len();
                line += &format!(
                    ", {}, {} on {nodes} nodes",
                    of(&self.users, "user"),
                    of(&self.listeners, "listener")
                );
            }
        }
        line
    }
}

/// Prints a count, and the groups that were asked for.
pub(crate) fn counted(
    client: &Client,
    report: CountReport,
    is_grouped: bool,
    invocation: &Invocation,
) -> Result<()> {
    match (invocation.format, report.by) {
        (Format::Json, by) => output::text(&format!("{}\n", count_json(report.count, by.as_deref())?)),
        (_, Some(by)) => output::list::<Counts, _>(invocation, &by),
        (Format::Jsonl, None) => output::text(&format!("{{\"count\":{}}}\n", report.count)),
        (Format::Yaml, None) => output::text(&format!("count: {}\n", report.count)),
        (Format::Csv, None) if invocation.headers => output::text(&format!("count\n{}\n", report.count)),
        (_, None) if is_grouped => Err(ClientError::Garbled {
            endpoint: client.endpoint().clone(),
            problem: "it counted without the groups asked for".to_owned(),
        }
        .into()),
        (_, None) => output::text(&format!("{}\n", report.count)),
    }
}

fn count_json(count: u64, by: Option<&[connctl_api::conn::CountRow]>) -> Result<String> {
    Ok(serde_json::to_string(&CountReport { count, by: by.map(<[_]>::to_vec) })?)
}

/// The field of this name; otherwise an error that names the nearest.
pub(crate) fn known_field(flag: &str, name: &str) -> Result<Field, Failure> {
    Field::by_name(name).ok_or_else(|| {
        Failure::usage(format!("{flag} {name:?}: there is no such field"))
            .hint("`connctl list --fields` prints them")
    })
}

/// Prints the one table of fields.
fn fields(invocation: &Invocation) -> Result<Exit> {
    let fields: Vec<FieldView> = Field::ALL
        .iter()
        .map(|field| {
            let info = field.info();
            FieldView {
                field: info.name.to_owned(),
                kind: info.kind.name().to_owned(),
                sortable: info.sortable,
                column: named::<Conns>(&[info.name.to_owned()]).is_ok(),
                meaning: info.meaning.to_owned(),
            }
        })
        .collect();
    output::list::<Fields, _>(invocation, &fields)?;
    Ok(Exit::Done)
}
