//! Reading the configuration again while the agent runs.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError};

use anyhow::Context;
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::event::EventKind;
use connctl_api::limit::LimitRow;
use connctl_api::reload::{ReloadOutcome, ReloadReport, ReloadRow};

use super::{Node, audit, events, limit};
use crate::base::manager;
use crate::config::ListenerSettings;
use crate::config::diff::{differences, taken_over};
use crate::config::words::Level;
use crate::policy::book::Layers;

/// Reads the configuration again and puts in force what can be changed while the agent runs. Limits that were set
/// come to the file's values.
///
/// # Errors
/// There is no file, or it is wrong: then nothing has changed.
pub async fn reload(node: &Arc<Node>) -> Result<ReloadReport, ApiError> {
    if node.source.read.is_none() {
        let message = "the agent was started without --config: there is no file to read again";
        return Err(ApiError::new(ErrorCode::Conflict, message));
    }
    // Reading a file and looking names up may take long.
    let owned = Arc::clone(node);
    manager::reloading();
    let taken = tokio::task::spawn_blocking(move || take_over(&owned)).await;
    manager::ready(&super::node::status(node));
    let (changes, in_force) = match taken {
        Ok(Ok(taken)) => taken,
        Ok(Err(error)) => return Err(ApiError::new(ErrorCode::BadConfig, format!("{error:#}"))),
        Err(_) => return Err(ApiError::new(ErrorCode::Internal, "the file could not be read again")),
    };
    tell(node, &changes);
    in_force.await;
    let ending = limit::enforce(node).await.len() as u64;
    Ok(ReloadReport { changes, ending })
}

/// Reads the configuration, all of it or nothing, and posts what it changes.
fn take_over(node: &Node) -> anyhow::Result<(Vec<ReloadRow>, impl Future<Output = ()> + Send + use<>)> {
    // One after the other: of two that are asked for at once, the later one reads the later file.
    let _turn = node.source.turn.lock().unwrap_or_else(PoisonError::into_inner);
    let read = node.source.read.as_ref().context("there is no file to read again")?;
    let (old, new) = (node.source.in_force(), read()?);
    let taken = taken_over(&old, &new);
    let is_new = |listener: &&ListenerSettings| old.listeners.iter().all(|other| other.name != listener.name);
    let came: Vec<_> = taken.listeners.iter().filter(is_new).collect();
    let came = node.listeners.bind_more(&came)?;
    let next = Layers::of(&taken);
    let (most, _) = next.policies()?;
    let mut changes: Vec<_> = differences(&old, &new)
        .into_iter()
        .map(|found| ReloadRow {
            key: found.key.to_owned(),
            listener: found.listener,
            outcome: found.outcome,
        })
        .collect();
    node.trust.replace(&taken.trust);
    node.levels.set(new.log.map(Level::word));
    for change in changes.iter_mut().filter(|change| change.key == "log" && node.levels.is_fixed()) {
        // The environment says what is logged.
        change.outcome = ReloadOutcome::NeedsRestart;
    }
    let mut book = node.book.open();
    changes.extend(limits_changed(&book, &next));
    let in_force = node.listeners.set_settings(most, &taken.listeners, came);
    *book = next;
    *node.source.in_force.lock().unwrap_or_else(PoisonError::into_inner) = Arc::new(taken);
    Ok((changes, in_force))
}

/// The same for a signal, which has nobody to answer to but the log.
pub async fn reload_by_signal(node: &Arc<Node>) {
    // What is wrong is in the log.
    let Ok(begun) = audit::asked_by_signal(node, "reload").await else { return };
    let failed = reload(node).await.err();
    if let Some(error) = &failed {
        tracing::error!(%error, "the configuration was not read again; everything is as it was");
    }
    audit::ended(node, begun, failed.map(|error| error.code));
}

/// The limits whose values are others now, be it because the file says so or because what was set is gone.
fn limits_changed(old: &Layers, new: &Layers) -> Vec<ReloadRow> {
    let rows = |layers: &Layers| -> Vec<LimitRow> {
        layers.scopes().into_iter().flat_map(|scope| layers.rows(scope)).collect()
    };
    let name = |row: LimitRow| ((row.listener, row.key), row.value);
    let before: HashMap<_, _> = rows(old).into_iter().map(name).collect();
    // A listener that has come is told as one.
    let is_other = |(name, value): &(_, _)| before.get(name).is_some_and(|before| before != value);
    let row = |((listener, key), _)| ReloadRow { key, listener, outcome: ReloadOutcome::Applied };
    rows(new).into_iter().map(name).filter(is_other).map(row).collect()
}

fn tell(node: &Node, changes: &[ReloadRow]) {
    for change in changes {
        let text = format!("{}: {}", change.key, change.outcome);
        events::tell(node, EventKind::PolicyChanged, change.listener.as_deref(), &text);
        let (key, listener) = (&*change.key, change.listener.as_deref());
        match change.outcome {
            ReloadOutcome::NeedsRestart => tracing::warn!(key, listener, "this change waits for a restart"),
            outcome => tracing::info!(key, listener, outcome = outcome.word(), "configuration changed"),
        }
    }
    tracing::info!(changes = changes.len(), "configuration read again");
}
