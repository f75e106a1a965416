//! An audit on this machine, checked without its agent.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use anyhow::{Context as _, Result};
use connctl_api::audit::AuditReport;
use connctl_api::audit::chain::{Link, Verifier};
use connctl_api::error::Exit;

use crate::error::Failure;

/// Longer than any line that an agent writes.
const MAX_LINE_BYTES: u64 = 1 << 20;

/// Checks the file, the full ones beside it, and its head.
pub(super) fn check(path: &Path, with: impl Fn(Verifier) -> Verifier) -> Result<AuditReport> {
    let head_path = with_suffix(path, ".head");
    // First: then all that it knows is among the lines.
    let head = match fs::read(&head_path) {
        Ok(text) => Some(Link::read_head(&text)),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", head_path.display())),
    };
    let files = files(path, head.is_some())?;
    let mut verifier = with(Verifier::new(head.flatten()));
    let (mut name, mut number) = (name_of(path), 0);
    for (file, open) in files {
        (name, number) = (name_of(&file), 0);
        verifier.begin_file();
        let mut reader = BufReader::new(open);
        let mut line = Vec::new();
        loop {
            line.clear();
            let read = (&mut reader).take(MAX_LINE_BYTES).read_until(b'\n', &mut line);
            if read.with_context(|| format!("{} cannot be read", file.display()))? == 0 {
                break;
            }
            number += 1;
            verifier.line(&name, number, &line);
        }
    }
    match head {
        None => verifier.wrong(&name_of(&head_path), "is missing: nothing shows whether the end was cut off"),
        Some(None) => verifier.wrong(&name_of(&head_path), "was changed: it is no head"),
        Some(Some(_)) => {}
    }
    Ok(verifier.finish(&name, number))
}

/// The files, open, the oldest first.
fn files(path: &Path, has_head: bool) -> Result<Vec<(PathBuf, File)>> {
    // Opened before the folder is read: if an agent begins another meanwhile, it is this file by another name.
    let last = match File::open(path) {
        Ok(file) => Some(file),
        Err(error) if error.kind() == ErrorKind::NotFound => None,
        Err(error) => return Err(error).with_context(|| format!("{} cannot be read", path.display())),
    };
    let own = last.as_ref().map(File::metadata).transpose()?.map(|own| (own.dev(), own.ino()));
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let mut numbered = Vec::new();
    for entry in fs::read_dir(folder).into_iter().flatten() {
        let name = entry?.file_name().to_string_lossy().into_owned();
        let rest = name.strip_prefix(&name_of(path)).and_then(|rest| rest.strip_prefix('.'));
        if let Some(number) = rest.and_then(|rest| rest.parse::<u64>().ok()) {
            numbered.push((number, folder.join(name)));
        }
    }
    numbered.sort();
    let mut files = Vec::new();
    for (_, full) in numbered {
        let file = File::open(&full).with_context(|| format!("{} cannot be read", full.display()))?;
        let found = file.metadata()?;
        if Some((found.dev(), found.ino())) == own {
            break;
        }
        files.push((full, file));
    }
    files.extend(last.map(|file| (path.to_owned(), file)));
    if files.is_empty() && !has_head {
        let message = format!("there is no audit {}", path.display());
        return Err(Failure::new(Exit::NotFound, message).into());
    }
    Ok(files)
}

fn name_of(path: &Path) -> String {
    path.file_name().unwrap_or_default().to_string_lossy().into_owned()
}

fn with_suffix(path: &Path, suffix: &str) -> PathBuf {
    let mut name = OsString::from(path);
    name.push(suffix);
    name.into()
}
