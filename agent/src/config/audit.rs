//! Where the audit is, and what becomes of a change that cannot be written there.

use std::path::{Path, PathBuf};

use anyhow::ensure;

use super::file::File;
use super::words::AuditMode;

/// The name of the audit in the state directory.
const FILE: &str = "audit.jsonl";
/// When another file is begun, where nothing is said.
const DEFAULT_MAX_BYTES: u64 = 16 << 20;
/// The smallest size at which another file is begun: a line of the largest kind fits.
const LEAST_MAX_BYTES: u64 = 64 << 10;
/// The largest: a file is read as a whole to be listed.
const MOST_MAX_BYTES: u64 = 64 << 20;

/// The audit.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AuditSettings {
    /// Where it is.
    pub path: PathBuf,
    /// Whether a change is refused that cannot be written there.
    pub is_required: bool,
    /// When another file is begun.
    pub max_bytes: u64,
}

/// What the file says; nothing where there is no audit.
///
/// # Errors
/// A size that is out of range, or a mode without a place.
pub(super) fn settings(file: &File, state_dir: Option<&Path>) -> anyhow::Result<Option<AuditSettings>> {
    let max_bytes = file.audit_file_size.map_or(DEFAULT_MAX_BYTES, |size| size.0);
    let range = LEAST_MAX_BYTES..=MOST_MAX_BYTES;
    ensure!(range.contains(&max_bytes), "audit_file_size {max_bytes} is out of range: 64KiB to 64MiB");
    let path = file.audit_file.clone().or_else(|| state_dir.map(|dir| dir.join(FILE)));
    let Some(path) = path else {
        let is_asked = file.audit.is_some_and(|mode| mode != AuditMode::Off);
        ensure!(!is_asked, "audit is given, and neither audit_file nor state_dir says where");
        return Ok(None);
    };
    let mode = file.audit.unwrap_or(AuditMode::Required);
    let is_required = mode == AuditMode::Required;
    Ok((mode != AuditMode::Off).then_some(AuditSettings { path, is_required, max_bytes }))
}
