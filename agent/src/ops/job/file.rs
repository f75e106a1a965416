//! A job on disk: a line that says what it is, a line for each item, a line that says how it ended. Only the
//! last line can be torn, and then it is as if it had not been written.

use std::fs::File;
use std::io::Write;
use std::sync::Arc;

use connctl_api::id::JobId;
use connctl_api::instant::Instant;
use connctl_api::job::{JobRow, JobState};
use connctl_api::operation::{Item, ItemStatus};
use serde::{Deserialize, Serialize};

use super::Job;
use crate::base::clock;
use crate::base::state_dir::StateDir;
use crate::ops::freeze::Entry;

/// What the files of jobs are called, before and after the id.
const FILE: (&str, &str) = ("job-", ".jsonl");
const INTERRUPTED: &str = "it ended with the agent that held it";

/// The first line.
#[derive(Serialize, Deserialize)]
struct Begun<'a> {
    job: JobRow,
    entries: std::borrow::Cow<'a, [Entry]>,
    told: std::borrow::Cow<'a, [Item]>,
}

/// Any other line.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
enum Line {
    Ended { ended: Box<JobRow> },
    Item(Box<Item>),
}

/// The file of a running job; where there is no state directory, or writing has failed, it takes in nothing.
pub(super) struct JobFile {
    file: Option<Arc<File>>,
    lines: Vec<u8>,
    job_id: JobId,
}

impl JobFile {
    /// Writes down what the job is, before any of it is done.
    ///
    /// # Errors
    /// The disk does not take it.
    pub(super) async fn begin(dir: Option<Arc<StateDir>>, job: &Arc<Job>) -> std::io::Result<Self> {
        let mut own = Self { file: None, lines: Vec::new(), job_id: job.id() };
        let Some(dir) = dir else { return Ok(own) };
        let job = Arc::clone(job);
        let written = tokio::task::spawn_blocking(move || {
            let (entries, told) = (job.entries.as_slice().into(), job.told.as_slice().into());
            let mut line = serde_json::to_vec(&Begun { job: job.row(), entries, told })?;
            line.push(b'\n');
            let name = name(job.id());
            dir.replace(&name, &line)?;
            File::options().append(true).open(dir.file(&name))
        });
        own.file = Some(Arc::new(written.await.map_err(std::io::Error::other).flatten()?));
        Ok(own)
    }

    fn fail(&mut self, error: &std::io::Error) {
        tracing::error!(job = %self.job_id, %error, "a job could not be written: a restart forgets what it did");
        self.file = None;
        self.lines.clear();
    }

    /// Adds an item, to be written with the next flush.
    pub(super) fn push(&mut self, item: &Item) {
        self.push_line(item);
    }

    fn push_line(&mut self, line: &impl Serialize) {
        if self.file.is_none() {
            return;
        }
        let before = self.lines.len();
        match serde_json::to_writer(&mut self.lines, line) {
            Ok(()) => self.lines.push(b'\n'),
            Err(error) => {
                self.lines.truncate(before);
                tracing::error!(job = %self.job_id, %error, "an item could not be written");
            }
        }
    }

    /// Writes what has come since the last time.
    pub(super) async fn flush(&mut self) {
        let Some(file) = self.file.clone().filter(|_| !self.lines.is_empty()) else { return };
        let lines = std::mem::take(&mut self.lines);
        let written = tokio::task::spawn_blocking(move || (&*file).write_all(&lines));
        if let Err(error) = written.await.map_err(std::io::Error::other).flatten() {
            self.fail(&error);
        }
    }

    /// Writes how it ended.
    pub(super) async fn end(&mut self, row: &JobRow) {
        self.push_line(&Line::Ended { ended: Box::new(row.clone()) });
        self.flush().await;
    }
}

fn name(job_id: JobId) -> String {
    format!("{}{job_id}{}", FILE.0, FILE.1)
}

/// Takes a job's file away, if it has one.
pub(super) fn remove(dir: Option<&StateDir>, job_id: JobId) {
    if let Some(dir) = dir {
        dir.remove(&name(job_id));
    }
}

/// The jobs of earlier processes. Those that had not ended are brought to their end.
pub(super) fn read_all(dir: &Arc<StateDir>) -> Vec<Job> {
    let mut jobs = Vec::new();
    for (name, text) in dir.files(FILE) {
        match read(&text) {
            Ok(Read { row, told, whole, new }) => {
                // An interrupted job stays interrupted in the same words, also after the next restart.
                if let Err(error) = append(dir, &name, whole, &new) {
                    tracing::warn!(file = name, %error, "an interrupted job could not be written");
                }
                jobs.push(Job::ended(row, told));
            }
            Err(error) => dir.set_aside(&name, &error),
        }
    }
    jobs
}

/// Adds lines behind the last whole one.
fn append(dir: &StateDir, name: &str, whole: usize, lines: &[u8]) -> std::io::Result<()> {
    if lines.is_empty() {
        return Ok(());
    }
    let mut file = File::options().append(true).open(dir.file(name))?;
    file.set_len(whole as u64)?;
    file.write_all(lines)
}

/// A job as its file tells it.
#[derive(Debug)]
struct Read {
    row: JobRow,
    told: Vec<Item>,
    /// The bytes up to the end of the last whole line.
    whole: usize,
    /// What has to be added to the file.
    new: Vec<u8>,
}

/// Reads a file. The error names the line.
fn read(text: &[u8]) -> Result<Read, String> {
    let whole = text.iter().rposition(|byte| *byte == b'\n').map_or(0, |end| end + 1);
    let mut lines = text.get(..whole).unwrap_or_default().split(|byte| *byte == b'\n').enumerate();
    let wrong = |at: usize, error: &dyn std::fmt::Display| format!("line {}: {error}", at + 1);
    let (at, first) = lines.next().unwrap_or_default();
    let Begun { job: row, entries, told } =
        serde_json::from_slice::<Begun<'static>>(first).map_err(|error| wrong(at, &error))?;
    let mut told = told.into_owned();
    let mut left: std::collections::BTreeMap<_, _> =
        entries.iter().map(|entry| (entry.conn_id, entry)).collect();
    for (at, line) in lines.filter(|(_, line)| !line.is_empty()) {
        match serde_json::from_slice(line).map_err(|error| wrong(at, &error))? {
            Line::Ended { ended } => return Ok(Read { row: *ended, told, whole, new: Vec::new() }),
            Line::Item(item) => {
                left.remove(&item.conn_id);
                told.push(*item);
            }
        }
    }
    interrupt(row, told, left.into_values(), whole)
}

/// Ends a job of which some connections had not had their turn, or not answered.
fn interrupt<'a>(
    row: JobRow,
    mut told: Vec<Item>,
    left: impl Iterator<Item = &'a Entry>,
    whole: usize,
) -> Result<Read, String> {
    let known = told.len();
    told.extend(left.map(|entry| Item {
        conn_id: entry.conn_id,
        node_id: row.node_id,
        uid: entry.uid.as_deref().map(str::to_owned),
        operation: row.operation,
        side: entry.side,
        status: ItemStatus::Skipped,
        wire: None,
        error: Some(INTERRUPTED.to_owned()),
    }));
    let mut summary = connctl_api::operation::Summary { matched: row.connections, ..Default::default() };
    told.iter().for_each(|item| summary.add(item.status));
    let row = JobRow {
        state: JobState::Interrupted,
        reason: Some("the agent was restarted meanwhile".to_owned()),
        paused_by: None,
        summary,
        remaining_ms: 0,
        ended_at: Some(Instant(clock::wall_ms())),
        ..row
    };
    let mut new = Vec::new();
    let mut push = |line: &Line| {
        serde_json::to_writer(&mut new, line).map_err(|error| error.to_string())?;
        new.push(b'\n');
        Ok::<(), String>(())
    };
    for item in told.iter().skip(known) {
        push(&Line::Item(Box::new(item.clone())))?;
    }
    push(&Line::Ended { ended: Box::new(row.clone()) })?;
    Ok(Read { row, told, whole, new })
}
