//! `why`: why a connection ended, in words, or that it lives.

use anyhow::Result;
use connctl_api::error::Exit;
use connctl_api::history::WhyReport;

use crate::args::verb::ShowArgs;
use crate::invocation::Invocation;
use crate::output::line::read;
use crate::output::{self, human, pairs};

pub(crate) async fn run(args: &ShowArgs, invocation: &Invocation) -> Result<Exit> {
    let json = invocation.client()?.why(args.conn_id).await?;
    if !invocation.format.is_table() {
        pairs::print(invocation, &json, &args.conn_id.to_string(), &[])?;
        return Ok(Exit::Done);
    }
    let report: WhyReport = read(json.as_bytes())?;
    let mut text = String::new();
    human::clean(&report.text, &mut text);
    output::text(&format!("{}: {text}\n", subject(&report)))?;
    Ok(Exit::Done)
}

/// Which connection it is about: `12 of u17 on redis from 10.0.0.7:40312`.
fn subject(report: &WhyReport) -> String {
    let mut text = report.conn_id.to_string();
    let Some(row) = &report.ended else { return text };
    let parts = [("of", row.uid.as_deref()), ("on", row.listener.as_deref())];
    for (word, part) in parts {
        if let Some(part) = part {
            text += &format!(" {word} ");
            human::clean(part, &mut text);
        }
    }
    if let Some(client) = row.client {
        text += &format!(" from {client}");
    }
    text
}
