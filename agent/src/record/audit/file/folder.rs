//! The files of an audit in their folder: what they are called, and which are there.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// The file with the head of the chain in this one.
pub(super) fn head_of(path: &Path) -> PathBuf {
    with_suffix(path, ".head")
}

pub(super) fn numbered(path: &Path, first: u64) -> PathBuf {
    with_suffix(path, &format!(".{first:010}"))
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}

fn folder_of(path: &Path) -> &Path {
    path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."))
}

/// What was made or renamed in the folder stays so.
pub(super) fn sync_folder(path: &Path) -> io::Result<()> {
    File::open(folder_of(path))?.sync_all()
}

/// The files that are full, by the numbers of their first lines.
pub(super) fn earlier(path: &Path) -> io::Result<Vec<(u64, PathBuf)>> {
    let folder = folder_of(path);
    let own = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        let name = entry?.file_name();
        let number = name
            .to_string_lossy()
            .strip_prefix(&own)
            .and_then(|rest| rest.strip_prefix('.')?.parse::<u64>().ok());
        if let Some(number) = number {
            found.push((number, folder.join(name)));
        }
    }
    found.sort();
    Ok(found)
}

/// The lines of the last of these files that has any.
pub(super) fn last_text(full: &[(u64, PathBuf)]) -> io::Result<Vec<u8>> {
    for (_, full) in full.iter().rev() {
        let text = fs::read(full)?;
        if !text.is_empty() {
            return Ok(text);
        }
    }
    Ok(Vec::new())
}

/// A file of the audit, to be read.
#[derive(Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Itself, open only where it is still written: a full one has its name for good.
    open: Option<File>,
    path: PathBuf,
}

impl Part {
    /// The file, open.
    ///
    /// # Errors
    /// It cannot be opened.
    pub fn open(self) -> io::Result<File> {
        self.open.map_or_else(|| File::open(&self.path), Ok)
    }
}

/// The files of an audit that is being written, the oldest first.
///
/// # Errors
/// The folder or the file cannot be read.
pub fn parts(path: &Path) -> io::Result<Vec<Part>> {
    // Opened before the folder is read: if it is full meanwhile, it is this file by another name.
    let file = File::open(path)?;
    let own = file.metadata()?;
    let mut parts = Vec::new();
    let name_of = |path: &Path| path.file_name().unwrap_or_default().to_string_lossy().into_owned();
    for (_, full) in earlier(path)? {
        let found = fs::metadata(&full)?;
        if (found.dev(), found.ino()) == (own.dev(), own.ino()) {
            break;
        }
        parts.push(Part { name: name_of(&full), open: None, path: full });
    }
    parts.push(Part { name: name_of(path), open: Some(file), path: path.to_owned() });
    Ok(parts)
}
