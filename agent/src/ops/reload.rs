//! Reading the configuration again while the agent runs.

use std::sync::{Arc, Mutex, PoisonError};

use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::limit::LimitRow;
use connctl_api::reload::{ReloadOutcome, ReloadReport, ReloadRow};

use super::{Node, limit};
use crate::config::Settings;
use crate::config::diff::{differences, taken_over};
use crate::policy::book::Layers;

/// Where the configuration comes from, and the one that is in force.
pub struct Source {
    read: Option<Box<Read>>,
    in_force: Mutex<Arc<Settings>>,
}

/// Reads flags and file again, checked as a whole.
pub type Read = dyn Fn() -> anyhow::Result<Settings> + Send + Sync;

impl std::fmt::Debug for Source {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Source").field("in_force", &self.in_force).finish_non_exhaustive()
    }
}

impl Source {
    /// A configuration in force, and how to read it again where it is in a file.
    pub fn new(settings: Arc<Settings>, read: Option<Box<Read>>) -> Self {
        Self { read, in_force: Mutex::new(settings) }
    }

    /// The configuration in force.
    pub fn in_force(&self) -> Arc<Settings> {
        Arc::clone(&self.in_force.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

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
    let reader = Arc::clone(node);
    let read = move || reader.source.read.as_ref().map(|read| read());
    let new = match tokio::task::spawn_blocking(read).await {
        Ok(Some(Ok(new))) => new,
        Ok(Some(Err(error))) => return Err(ApiError::new(ErrorCode::BadConfig, format!("{error:#}"))),
        Ok(None) | Err(_) => {
            return Err(ApiError::new(ErrorCode::Internal, "the file could not be read again"));
        }
    };
    let (changes, in_force) = {
        let mut source = node.source.in_force.lock().unwrap_or_else(PoisonError::into_inner);
        let mut book = node.book.open();
        let taken = taken_over(&source, &new);
        let next = Layers::of(&taken);
        let (most, _) =
            next.policies().map_err(|error| ApiError::new(ErrorCode::BadConfig, format!("{error:#}")))?;
        let mut changes: Vec<_> = differences(&source, &new)
            .into_iter()
            .map(|found| ReloadRow {
                key: found.key.to_owned(),
                listener: found.listener,
                outcome: if found.is_live { ReloadOutcome::Applied } else { ReloadOutcome::NeedsRestart },
            })
            .collect();
        changes.extend(limits_changed(&book, &next));
        let in_force = node.listeners.set_settings(most, &taken.listeners);
        *book = next;
        *source = Arc::new(taken);
        (changes, in_force)
    };
    log(&changes);
    in_force.await;
    let ending = limit::enforce(node).await.len() as u64;
    Ok(ReloadReport { changes, ending })
}

/// The same for a signal, which has nobody to answer to but the log.
pub async fn reload_by_signal(node: &Arc<Node>) {
    if let Err(error) = reload(node).await {
        tracing::error!(%error, "the configuration was not read again; everything is as it was");
    }
}

/// The limits whose values are others now, be it because the file says so or because what was set is gone.
fn limits_changed(old: &Layers, new: &Layers) -> Vec<ReloadRow> {
    let before: Vec<LimitRow> = old.scopes().into_iter().flat_map(|scope| old.rows(scope)).collect();
    let after = new.scopes().into_iter().flat_map(|scope| new.rows(scope));
    let is_other = |(before, after): &(LimitRow, LimitRow)| before.value != after.value;
    let row = |(_, after): (LimitRow, LimitRow)| ReloadRow {
        key: after.key,
        listener: after.listener,
        outcome: ReloadOutcome::Applied,
    };
    // The listeners are the same, and so are the rows.
    before.into_iter().zip(after).filter(is_other).map(row).collect()
}

fn log(changes: &[ReloadRow]) {
    for change in changes {
        let (key, listener) = (&*change.key, change.listener.as_deref());
        match change.outcome {
            ReloadOutcome::Applied => tracing::info!(key, listener, "configuration changed"),
            ReloadOutcome::NeedsRestart => tracing::warn!(key, listener, "this change waits for a restart"),
        }
    }
    tracing::info!(changes = changes.len(), "configuration read again");
}
