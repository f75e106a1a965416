//! `audit`: what was asked that changes something, and whether the record of it is as it was written.

mod files;

use std::time::Duration;

use anyhow::{Context as _, Result};
use connctl_api::audit::chain::{Link, TORN, Verifier, from_hexadecimal};
use connctl_api::audit::{AuditQuery, AuditReport};
use connctl_api::error::Exit;

use crate::args::audit::{AuditListArgs, AuditVerb, AuditVerifyArgs};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output::audit::Calls;
use crate::output::human::{self, count};
use crate::output::pairs::{self, Line};
use crate::output::printer::Printer;
use crate::output::{self, Out};

/// What a file is called that only the agent has a name for.
const OF_AGENT: &str = "audit";
/// An agent may be writing the last line while it is read: then it is looked at again, so often.
const ATTEMPTS: usize = 5;
const PAUSE: Duration = Duration::from_millis(100);

pub(crate) async fn run(verb: AuditVerb, invocation: &Invocation) -> Result<Exit> {
    match verb {
        AuditVerb::List(args) => list(args, invocation).await,
        AuditVerb::Verify(args) => verify(&args, invocation).await,
    }
}

async fn list(args: AuditListArgs, invocation: &Invocation) -> Result<Exit> {
    let mut printer = Printer::<Calls>::list(invocation, &args.columns)?;
    let AuditListArgs { since, actor, verb, result, limit, .. } = args;
    let page = invocation.client()?.audit(&AuditQuery { since, actor, verb, result, limit }).await?;
    let mut out: Out = output::stdout();
    for call in &page.calls {
        printer.line(&serde_json::to_vec(call)?, &mut out, &mut |_| {})?;
    }
    printer.finish(None, &mut out)?;
    if invocation.format.is_table() {
        output::note(invocation, &count(page.calls.len() as u64, "row"));
    }
    Ok(Exit::Done)
}

async fn verify(args: &AuditVerifyArgs, invocation: &Invocation) -> Result<Exit> {
    let kept = args.head.as_deref().map(|text| {
        from_hexadecimal(text.trim().as_bytes())
            .ok_or_else(|| Failure::usage(format!("--head {text:?} is no hash: 64 digits of 0-9 and a-f")))
    });
    let kept = kept.transpose()?;
    let with = |verifier: Verifier| {
        let verifier = verifier.with_kept(kept);
        if args.part { verifier.of_part() } else { verifier }
    };
    let mut attempt = 1;
    let report = loop {
        let report = match &args.file {
            Some(path) => files::check(path, with)?,
            None => of_agent(with, invocation).await?,
        };
        let is_torn = report.problems.last().is_some_and(|last| last.problem == TORN);
        if !is_torn || attempt == ATTEMPTS {
            break report;
        }
        attempt += 1;
        tokio::time::sleep(PAUSE).await;
    };
    print(&report, invocation)?;
    Ok(if report.ok { Exit::Done } else { Exit::Failed })
}

/// Checks the lines that an agent sends.
async fn of_agent(with: impl Fn(Verifier) -> Verifier, invocation: &Invocation) -> Result<AuditReport> {
    let client = invocation.client()?;
    // First: then all that it knows is among the lines.
    let head = client.audit(&AuditQuery { limit: Some(0), ..AuditQuery::default() }).await?.head;
    let hash = from_hexadecimal(head.hash.as_bytes()).context("the agent sent a head that is no hash")?;
    let mut verifier = with(Verifier::new(Some(Link { seq: head.seq, hash })));
    verifier.begin_file();
    let mut number = 0;
    let mut lines = client.audit_lines().await?;
    while let Some(block) = lines.block().await? {
        for line in block.split_inclusive(|byte| *byte == b'\n') {
            number += 1;
            verifier.line(OF_AGENT, number, line);
        }
    }
    Ok(verifier.finish(OF_AGENT, number))
}

fn print(report: &AuditReport, invocation: &Invocation) -> Result<()> {
    if !invocation.format.is_table() {
        return pairs::print(invocation, &serde_json::to_string(report)?, &report.head, &[]);
    }
    if report.ok {
        let lines = [
            Line::Pair("audit", "as it was written".to_owned()),
            Line::Pair("lines", report.entries.to_string()),
            Line::Pair("files", report.files.to_string()),
            Line::Pair("last", report.last_seq.to_string()),
            Line::Pair("head", report.head.clone()),
        ];
        return pairs::print(invocation, "{}", &report.head, &lines);
    }
    let mut text = String::new();
    for problem in &report.problems {
        human::clean(&problem.file, &mut text);
        if problem.line > 0 {
            text += &format!(", line {}", problem.line);
        }
        text += &format!(": {}\n", problem.problem);
    }
    output::text(&text)?;
    let found = count(report.problems.len() as u64, "problem");
    output::complain(&format!(
        "connctl: the audit is not as it was written: {found} in {} lines",
        report.entries
    ));
    Ok(())
}
