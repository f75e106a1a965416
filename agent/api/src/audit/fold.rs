//! Rows of lines: a call is told in up to three of them, which stand apart.

use std::collections::HashMap;

use serde_json::{Map, Value};

use super::line::{Asked, AuditLine, End, JobEnd, Numbered};
use super::verb::Wanted;
use super::{AuditResult, AuditRow};
use crate::instant::Instant;
use crate::job::JobState;

/// How far the wall clock may have been set back without a row being missed, in milliseconds.
const CLOCK_MARGIN_MS: i64 = 3_600_000;

/// What a row must have.
#[derive(Debug, Clone, Default)]
pub struct Filter {
    /// Milliseconds since 1970: not earlier.
    pub since_ms: Option<i64>,
    /// Exactly this name.
    pub actor: Option<String>,
    /// A verb, or what a command did.
    pub verb: Option<Wanted>,
    /// Exactly this result.
    pub result: Option<AuditResult>,
}

impl Filter {
    fn has(&self, row: &AuditRow) -> bool {
        self.since_ms.is_none_or(|since| row.time.0 >= since)
            && self.actor.as_ref().is_none_or(|actor| row.actor.as_ref() == Some(actor))
            && self.verb.as_ref().is_none_or(|wanted| wanted.has(&row.verb, row.typed()))
            && self.result.is_none_or(|result| row.result == result)
    }
}

/// Takes lines from the last to the first, so that what came of a call is known when the call is met.
#[derive(Debug, Default)]
pub struct Fold {
    filter: Filter,
    ends: HashMap<u64, End>,
    jobs: HashMap<u64, JobEnd>,
    /// A later agent was met: what has no end before it will have none.
    is_past: bool,
    is_over: bool,
}

impl Fold {
    /// For rows that pass this.
    pub fn new(filter: Filter) -> Self {
        Self { filter, ..Self::default() }
    }

    /// The line before the one taken last; a row where it begins one that is wanted. What cannot be read is no
    /// line: a check of the chain names it.
    pub fn line(&mut self, text: &[u8]) -> Option<AuditRow> {
        let Numbered { seq, line } = serde_json::from_slice(text).ok()?;
        let row = match line {
            AuditLine::End(end) => {
                self.ends.insert(end.of, end);
                return None;
            }
            AuditLine::Job(end) => {
                self.jobs.insert(end.of, end);
                return None;
            }
            AuditLine::Call(asked) => {
                let (end, job) = (self.ends.remove(&seq), self.jobs.remove(&seq));
                self.call(seq, asked, end, job)
            }
            AuditLine::Denied(denial) => AuditRow {
                result: AuditResult::Denied,
                status: Some(denial.status),
                code: Some(denial.code),
                times: denial.times,
                ..row(seq, denial.asked)
            },
            AuditLine::Start(start) => {
                self.is_past = true;
                own(seq, "start", start.time, &start)
            }
            AuditLine::Stop(stop) => own(seq, "stop", stop.time, &stop),
        };
        let oldest_ms = self.filter.since_ms.map_or(i64::MIN, |since| since.saturating_sub(CLOCK_MARGIN_MS));
        self.is_over |= row.time.0 < oldest_ms;
        self.filter.has(&row).then_some(row)
    }

    /// Whether no earlier line can begin a row that is wanted.
    pub const fn is_over(&self) -> bool {
        self.is_over
    }

    fn call(&self, seq: u64, asked: Asked, end: Option<End>, job: Option<JobEnd>) -> AuditRow {
        let mut row = row(seq, asked);
        let under_way = if self.is_past { AuditResult::Interrupted } else { AuditResult::Open };
        row.result = under_way;
        if let Some(end) = end {
            row.result = match end.job_id {
                // Whoever asked has gone, or has their answer: what counts is the job.
                Some(_) => under_way,
                None => end.result,
            };
            row.status = Some(end.status);
            row.code = end.code;
            row.counts = end.counts;
            row.elapsed_ms = Some(end.elapsed_ms);
            row.job_id = end.job_id.or(row.job_id);
        }
        if let Some(job) = job {
            row.result = match job.state {
                JobState::Done => AuditResult::Done,
                JobState::Cancelled => AuditResult::Cancelled,
                _ => AuditResult::Interrupted,
            };
            row.counts = Some(job.counts);
            row.elapsed_ms = Some(job.elapsed_ms);
            row.job_id = Some(job.job_id);
        }
        row
    }
}

fn row(seq: u64, asked: Asked) -> AuditRow {
    AuditRow {
        seq,
        time: asked.time,
        actor: asked.actor,
        known_by: asked.known_by,
        role: asked.role,
        uid: asked.uid,
        pid: asked.pid,
        address: asked.address,
        verb: asked.verb,
        call: asked.call,
        selector: asked.selector,
        plan_id: asked.plan_id,
        job_id: asked.job_id,
        note: asked.note,
        request: asked.request,
        result: AuditResult::Open,
        status: None,
        code: None,
        counts: None,
        times: 1,
        elapsed_ms: None,
    }
}

/// What the agent says of itself.
fn own(seq: u64, verb: &str, time: Instant, said: &impl serde::Serialize) -> AuditRow {
    let mut request = match serde_json::to_value(said) {
        Ok(Value::Object(fields)) => fields,
        _ => Map::new(),
    };
    request.remove("time");
    let pid = request.remove("pid").and_then(|pid| i32::try_from(pid.as_i64()?).ok());
    let asked = Asked { known_by: Some("agent".to_owned()), pid, request, ..Asked::new(time, verb) };
    AuditRow { result: AuditResult::Done, ..row(seq, asked) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn rows(lines: &[&str], filter: Filter) -> Vec<AuditRow> {
        let mut fold = Fold::new(filter);
        let numbered = lines.iter().enumerate().map(|(place, line)| {
            format!("{{\"seq\":{},\"time\":\"2026-11-21T12:00:0{place}.000Z\",{line}}}", place + 1)
        });
        let numbered: Vec<_> = numbered.collect();
        numbered.iter().rev().filter_map(|line| fold.line(line.as_bytes())).collect()
    }

    const CALL: &str = r#""event":"call","verb":"close","actor":"alice","where":"all""#;
    const START: &str = r#""event":"start","pid":7,"node_id":1,"version":"0""#;

    fn results(lines: &[&str]) -> Vec<(u64, AuditResult)> {
        rows(lines, Filter::default()).iter().map(|row| (row.seq, row.result)).collect()
    }

    #[test]
    fn what_came_of_a_call_is_in_its_row() {
        let end = r#""event":"end","of":1,"result":"done","status":200,"elapsed_ms":3,"counts":{"done":2}"#;
        let rows = rows(&[CALL, CALL, end], Filter::default());
        assert_eq!(rows.len(), 2);
        assert_eq!((rows[0].seq, rows[0].result), (2, AuditResult::Open));
        assert_eq!((rows[1].seq, rows[1].result), (1, AuditResult::Done));
        assert_eq!(rows[1].counts.as_ref().unwrap()["done"], 2);
        assert_eq!(rows[1].selector.as_deref(), Some("all"));
    }

    #[test]
    fn what_has_no_end_is_under_way_until_another_agent_begins() {
        assert_eq!(results(&[CALL]), [(1, AuditResult::Open)]);
        assert_eq!(results(&[CALL, START]), [(2, AuditResult::Done), (1, AuditResult::Interrupted)]);
        let end = r#""event":"end","of":1,"result":"refused","status":400,"elapsed_ms":3"#;
        assert_eq!(results(&[CALL, end, START])[1], (1, AuditResult::Refused));
    }

    #[test]
    fn a_call_that_began_a_job_is_what_came_of_the_job() {
        let end =
            r#""event":"end","of":1,"result":"done","status":200,"elapsed_ms":3,"job_id":"j-1a2b3c4d-1""#;
        let job = |state| {
            format!(
                r#""event":"job","of":1,"job_id":"j-1a2b3c4d-1","state":"{state}","counts":{{}},"elapsed_ms":9"#
            )
        };
        assert_eq!(results(&[CALL, end]), [(1, AuditResult::Open)]);
        assert_eq!(results(&[CALL, end, START])[1], (1, AuditResult::Interrupted));
        assert_eq!(results(&[CALL, end, &job("done")]), [(1, AuditResult::Done)]);
        // In whichever order they come.
        assert_eq!(results(&[CALL, &job("cancelled"), end]), [(1, AuditResult::Cancelled)]);
    }

    #[test]
    fn rows_can_be_asked_for_by_what_is_in_them() {
        let other = r#""event":"denied","verb":"reject","status":403,"code":"denied","times":4"#;
        let count = |filter| rows(&[CALL, other, "no line"], filter).len();
        assert_eq!(count(Filter::default()), 2);
        assert_eq!(count(Filter { actor: Some("alice".into()), ..Filter::default() }), 1);
        assert_eq!(count(Filter { actor: Some("bob".into()), ..Filter::default() }), 0);
        assert_eq!(count(Filter { verb: Some(Wanted::named("reject").unwrap()), ..Filter::default() }), 1);
        assert_eq!(count(Filter { result: Some(AuditResult::Denied), ..Filter::default() }), 1);
        let since_ms = rows(&[CALL, other], Filter::default())[0].time.0;
        assert_eq!(count(Filter { since_ms: Some(since_ms), ..Filter::default() }), 1);
    }
}
