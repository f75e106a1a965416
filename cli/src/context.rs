//! Named agents, kept in a file of the user's own.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::io::{ErrorKind, Write as _};
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use connctl_api::error::Exit;
use serde::{Deserialize, Serialize};

use crate::error::Failure;

/// The file below the directory for a user's configuration.
const FILE: &str = "connctl/contexts.json";

/// What the file has.
#[derive(Debug, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Contexts {
    /// The one that is used where no agent is named.
    #[serde(default)]
    pub current: Option<String>,
    /// By name.
    #[serde(default)]
    pub contexts: BTreeMap<String, Context>,
}

/// A named agent.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Context {
    /// As `--agent` takes it.
    pub agent: String,
    /// As `--token-file` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_file: Option<PathBuf>,
    /// As `--ca-file` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ca_file: Option<PathBuf>,
    /// As `--cert-file` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cert_file: Option<PathBuf>,
    /// As `--key-file` takes it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key_file: Option<PathBuf>,
}

/// `$XDG_CONFIG_HOME/connctl/contexts.json`, or below `~/.config`; `None` where neither is known.
fn place() -> Option<PathBuf> {
    let set = |name| std::env::var_os(name).filter(|value: &OsString| !value.is_empty()).map(PathBuf::from);
    let base = set("XDG_CONFIG_HOME").or_else(|| set("HOME").map(|home| home.join(".config")))?;
    Some(base.join(FILE))
}

impl Contexts {
    /// What the file has; nothing where there is no file.
    ///
    /// # Errors
    /// A file that cannot be read, or is no such file, by its path.
    pub(crate) fn load() -> Result<Self> {
        let Some(path) = place() else {
            return Ok(Self::default());
        };
        let text = match fs::read(&path) {
            Ok(text) => text,
            Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => {
                return Ok(Self::default());
            }
            Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
        };
        serde_json::from_slice(&text).with_context(|| format!("{} is damaged", path.display()))
    }

    /// Replaces the file as a whole.
    ///
    /// # Errors
    /// A file that cannot be written, by its path.
    pub(crate) fn save(&self) -> Result<()> {
        let path = place().ok_or_else(|| {
            Failure::new(Exit::Failed, "there is no directory to keep contexts in")
                .hint("set HOME or XDG_CONFIG_HOME")
        })?;
        let mut text = serde_json::to_vec_pretty(self)?;
        text.push(b'\n');
        replace(&path, &text).with_context(|| format!("{} cannot be written", path.display()))
    }

    /// The one of this name.
    ///
    /// # Errors
    /// A name that is not known, with those that are.
    pub(crate) fn named(&self, name: &str) -> Result<&Context> {
        self.contexts.get(name).ok_or_else(|| {
            let known: Vec<_> = self.contexts.keys().map(String::as_str).collect();
            let hint = if known.is_empty() {
                "there are none yet: `connctl context add NAME URL`".to_owned()
            } else {
                format!("there are: {}", known.join(", "))
            };
            Failure::new(Exit::NotFound, format!("no context is named {name:?}")).hint(hint).into()
        })
    }
}

fn replace(path: &Path, text: &[u8]) -> std::io::Result<()> {
    if let Some(dir) = path.parent() {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(dir)?;
    }
    // Of its own for each process, so that two that write at once do not write into one.
    let new = path.with_extension(format!("json.{}", std::process::id()));
    let written = fs::OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o600)
        .open(&new)
        .and_then(|mut file| file.write_all(text).and_then(|()| file.sync_all()))
        .and_then(|()| fs::rename(&new, path));
    if written.is_err() {
        // The error that is told is the first one.
        let _ = fs::remove_file(&new);
    }
    written
}
