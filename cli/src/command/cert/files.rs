//! Certificates and keys on disk.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _};
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use connctl_api::error::Exit;

use crate::error::Failure;

/// Of a certificate.
const MODE: u32 = 0o644;
/// Of a private key.
const KEY_MODE: u32 = 0o600;
/// Of a directory that is made for them.
const DIRECTORY_MODE: u32 = 0o700;

/// A certificate's file and its key's.
#[derive(Debug, Clone, Copy)]
pub(super) struct Pair<'a>(pub(super) &'a str, pub(super) &'a str);

/// A file to be.
#[derive(Debug)]
pub(super) struct File {
    name: String,
    text: String,
    mode: u32,
}

impl Pair<'_> {
    /// Both files, with these texts.
    pub(super) fn files(self, certificate: String, key: String) -> Vec<File> {
        vec![
            File { name: self.0.to_owned(), text: certificate, mode: MODE },
            File { name: self.1.to_owned(), text: key, mode: KEY_MODE },
        ]
    }
}

/// Makes the directory where it is missing.
pub(super) fn make_dir(dir: &Path) -> Result<()> {
    fs::DirBuilder::new()
        .recursive(true)
        .mode(DIRECTORY_MODE)
        .create(dir)
        .with_context(|| format!("the directory {} cannot be made", dir.display()))
}

/// Writes all files or none, over nothing that is there.
pub(super) fn write(dir: &Path, files: &[File]) -> Result<()> {
    let mut paths = files.iter().map(|file| dir.join(&file.name));
    if let Some(there) = paths.find(|path| path.symlink_metadata().is_ok()) {
        let failure = Failure::new(Exit::Failed, format!("{} is there already", there.display()));
        return Err(failure.hint("nothing was overwritten: move it away, or name another directory").into());
    }
    all(dir, files, "")
}

/// Writes all files or none, over those that are there. Each comes as a whole, one after the other: an agent that
/// reads them in between finds that they do not go together, and goes on with what it has.
pub(super) fn replace(dir: &Path, files: &[File]) -> Result<()> {
    let new = format!(".{}", std::process::id());
    all(dir, files, &new)?;
    for file in files {
        let (from, to) = (dir.join(format!("{}{new}", file.name)), dir.join(&file.name));
        fs::rename(&from, &to).with_context(|| format!("{} cannot be replaced", to.display()))?;
    }
    Ok(())
}

fn all(dir: &Path, files: &[File], suffix: &str) -> Result<()> {
    let mut written: Vec<PathBuf> = Vec::new();
    for File { name, text, mode } in files {
        let path = dir.join(format!("{name}{suffix}"));
        let done = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(*mode)
            .open(&path)
            .inspect(|_| written.push(path.clone()))
            .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.sync_all()));
        if let Err(error) = done {
            for path in written {
                // The error that is told is the first one.
                let _ = fs::remove_file(path);
            }
            return Err(error).with_context(|| format!("{} cannot be written", path.display()));
        }
    }
    Ok(())
}
