//! `limit`: the policies in force, and changing them while connections live.

use std::collections::BTreeMap;

use anyhow::Result;
use connctl_api::client::Client;
use connctl_api::error::Exit;
use connctl_api::limit::{LimitEnding, LimitRemoval, LimitReport, LimitRequest, LimitValue};
use connctl_api::operation::OperationKind;

use crate::args::limit::{LimitRemoveArgs, LimitSetArgs, LimitVerb, TrialArgs};
use crate::bulk::confirm::{Extent, settle, verdict};
use crate::error::Failure;
use crate::invocation::Invocation;
use crate::output;
use crate::output::conn::Conns;
use crate::output::human::count;
use crate::output::limit::Limits;

/// How many groups of ending connections are told; the rows of a dry run have all of them.
const GROUPS: usize = 5;

pub(crate) async fn run(verb: LimitVerb, invocation: &Invocation) -> Result<Exit> {
    let client = invocation.client()?;
    match verb {
        LimitVerb::List { listener } => {
            output::list::<Limits, _>(invocation, &client.limits(listener).await?.limits)?;
            Ok(Exit::Done)
        }
        LimitVerb::Set(LimitSetArgs { listeners, set, trial }) => {
            let set = once_each(set)?;
            change(&client, &Change::Set(LimitRequest { listeners, set, dry_run: false }), trial, invocation)
                .await
        }
        LimitVerb::Remove(LimitRemoveArgs { listeners, keys, all: _, trial }) => {
            let joined = |words: &[String]| (!words.is_empty()).then(|| words.join(","));
            let removal = LimitRemoval { listeners: joined(&listeners), keys: joined(&keys), dry_run: false };
            change(&client, &Change::Remove(removal), trial, invocation).await
        }
    }
}

/// The values by key; a key that is given twice is a mistake in one of them.
fn once_each(given: Vec<(String, String)>) -> Result<BTreeMap<String, LimitValue>> {
    let mut set = BTreeMap::new();
    for (key, value) in given {
        if set.contains_key(&key) {
            return Err(Failure::usage(format!("{key} is given twice")).into());
        }
        set.insert(key, LimitValue::from(value.as_str()));
    }
    Ok(set)
}

/// What is asked for.
enum Change {
    Set(LimitRequest),
    Remove(LimitRemoval),
}

impl Change {
    async fn send(&self, client: &Client, dry_run: bool) -> Result<LimitReport> {
        Ok(match self {
            Self::Set(request) => client.set_limits(&LimitRequest { dry_run, ..request.clone() }).await?,
            Self::Remove(removal) => {
                client.remove_limits(&LimitRemoval { dry_run, ..removal.clone() }).await?
            }
        })
    }
}

async fn change(client: &Client, change: &Change, trial: TrialArgs, invocation: &Invocation) -> Result<Exit> {
    if trial.dry_run {
        let report = change.send(client, true).await?;
        output::list::<Conns, _>(invocation, &report.connections)?;
        output::note(
            invocation,
            &format!("dry run: {}; nothing was changed", told(&report, "would be closed")),
        );
        return Ok(Exit::Done);
    }
    if !trial.yes {
        let verdict = verdict(&measure(client, change, invocation.can_ask).await?, invocation.can_ask);
        tokio::task::spawn_blocking(move || settle(verdict)).await??;
    }
    let report = change.send(client, false).await?;
    output::list::<Limits, _>(invocation, &report.limits)?;
    if report.ending > 0 {
        output::note(invocation, &told(&report, "being closed"));
    }
    Ok(Exit::Done)
}

/// How much is at stake.
async fn measure(client: &Client, change: &Change, can_ask: bool) -> Result<Extent> {
    let report = change.send(client, true).await?;
    let users = report.by.iter().filter_map(|group| group.uid.as_deref());
    let users =
        u64::try_from(users.collect::<std::collections::HashSet<_>>().len()).ok().filter(|users| *users > 0);
    let node = if can_ask { report.ending } else { client.node().await?.connections };
    Ok(Extent { operation: OperationKind::Close, connections: report.ending, users, node, is_explicit: true })
}

/// `3 connections would be closed (front: 2 of u1 evicted, 1 inactivity)`.
fn told(report: &LimitReport, what: &str) -> String {
    let mut text = format!("{} {what}", count(report.ending, "connection"));
    let groups: Vec<_> = report.by.iter().take(GROUPS).map(group).collect();
    if !groups.is_empty() {
        let more = report.by.len() - groups.len();
        let more = if more > 0 { format!(", and {more} more groups") } else { String::new() };
        text += &format!(" ({}{more})", groups.join(", "));
    }
    text
}

fn group(group: &LimitEnding) -> String {
    let mut text = format!("{}: {}", group.listener, group.count);
    if let Some(uid) = &group.uid {
        text.push_str(" of ");
        crate::output::human::clean(uid, &mut text);
    }
    text.push(' ');
    text.push_str(group.reason.word());
    text
}
