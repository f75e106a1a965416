//! Where the configuration comes from, and the one that is in force.

use std::sync::{Arc, Mutex, PoisonError};

use crate::config::Settings;

/// Where the configuration comes from, and the one that is in force.
pub struct Source {
    pub(super) read: Option<Box<Read>>,
    pub(super) in_force: Mutex<Arc<Settings>>,
    /// Held while the configuration is read and put in force.
    pub(super) turn: Mutex<()>,
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
        Self { read, in_force: Mutex::new(settings), turn: Mutex::default() }
    }

    /// The configuration in force.
    pub fn in_force(&self) -> Arc<Settings> {
        Arc::clone(&self.in_force.lock().unwrap_or_else(PoisonError::into_inner))
    }
}
