//! What was asked that changes something.

use connctl_api::audit::{AuditResult, AuditRow};

use super::columns::{Chosen, Column, Record, Shown};
use super::human::{self, number};
use super::style::Tone;

/// The rows of the audit.
#[derive(Debug)]
pub(crate) struct Calls;

impl Record for Calls {
    type View<'a> = AuditRow;

    const FIELDS: &'static [&'static str] = &[
        "seq",
        "time",
        "actor",
        "known_by",
        "role",
        "uid",
        "pid",
        "address",
        "verb",
        "call",
        "where",
        "plan_id",
        "job_id",
        "note",
        "request",
        "result",
        "status",
        "code",
        "counts",
        "times",
        "elapsed_ms",
    ];

    const COLUMNS: &'static [Column] = &[
        Column::number("seq", "SEQ", "seq", 8).shown(Shown::Wide),
        Column::text("time", "TIME", "time", 2),
        Column::text("actor", "ACTOR", "actor", 0),
        Column::text("known_by", "KNOWN BY", "known_by", 6),
        Column::text("role", "ROLE", "role", 9).shown(Shown::Wide),
        Column::text("from", "FROM", "", 5),
        Column::text("verb", "VERB", "verb", 0),
        Column::text("where", "WHERE", "where", 3),
        Column::text("call", "CALL", "call", 9).shown(Shown::Wide),
        Column::text("plan_id", "PLAN", "plan_id", 9).shown(Shown::Wide),
        Column::text("job_id", "JOB", "job_id", 7),
        Column::text("note", "NOTE", "note", 4),
        Column::text("result", "RESULT", "result", 0),
        Column::text("code", "CODE", "code", 9).shown(Shown::Wide),
        Column::number("done", "DONE", "", 3),
        Column::number("times", "TIMES", "times", 8),
        Column::number("elapsed", "TOOK", "elapsed_ms", 9).shown(Shown::Wide),
    ];

    fn cell(row: &AuditRow, column: &Chosen, out: &mut String) -> Tone {
        let text = |text: Option<&str>, out: &mut String| human::clean(text.unwrap_or_default(), out);
        match column.column.name {
            "seq" => number(row.seq, out),
            "time" => *out += &row.time.to_string(),
            "actor" => text(row.actor.as_deref(), out),
            "known_by" => text(row.known_by.as_deref(), out),
            "role" => out.push_str(row.role.map_or("", |role| role.word())),
            "from" => from(row, out),
            "verb" => human::clean(&row.verb, out),
            "where" => text(row.selector.as_deref(), out),
            "call" => text(row.call.as_deref(), out),
            "plan_id" => *out += &row.plan_id.map(|id| id.to_string()).unwrap_or_default(),
            "job_id" => *out += &row.job_id.map(|id| id.to_string()).unwrap_or_default(),
            "note" => text(row.note.as_deref(), out),
            "code" => text(row.code.as_deref(), out),
            "done" => {
                if let Some(done) = done(row) {
                    number(done, out);
                }
            }
            "times" => number(row.times, out),
            "elapsed" => row.elapsed_ms.into_iter().for_each(|ms| human::duration(ms, out)),
            _ => {
                out.push_str(row.result.word());
                return match row.result {
                    AuditResult::Done => Tone::Good,
                    AuditResult::Open | AuditResult::Unfinished | AuditResult::Cancelled => Tone::Careful,
                    AuditResult::Refused
                    | AuditResult::Denied
                    | AuditResult::Failed
                    | AuditResult::Interrupted => Tone::Bad,
                };
            }
        }
        Tone::Plain
    }

    fn name(row: &AuditRow, out: &mut String) {
        number(row.seq, out);
    }

    fn computed(row: &AuditRow, column: &Chosen) -> super::tree::Tree {
        let mut text = String::new();
        match column.column.name {
            "done" => done(row).into_iter().for_each(|done| number(done, &mut text)),
            _ => from(row, &mut text),
        }
        super::tree::Tree::text(text)
    }
}

/// Where it was asked from: an address, or the user and process at the other end of the socket.
fn from(row: &AuditRow, out: &mut String) {
    match (&row.address, row.uid) {
        (Some(address), _) => human::clean(address, out),
        (None, Some(uid)) => *out += &format!("uid {uid}"),
        (None, None) => {}
    }
    if let Some(pid) = row.pid {
        *out += &format!("{}pid {pid}", if out.is_empty() { "" } else { " " });
    }
}

fn done(row: &AuditRow) -> Option<u64> {
    row.counts.as_ref()?.get("done")?.as_u64()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::tree::Tree;

    #[test]
    fn the_header_is_the_row_of_the_api() {
        let line = r#"{"seq":7,"time":"2026-11-21T12:00:00.123Z","actor":"alice","known_by":"unix","role":"admin",
            "uid":0,"pid":7,"address":null,"verb":"close","call":"POST /v1/operations","where":"all","plan_id":null,
            "job_id":null,"note":null,"request":{},"result":"done","status":200,"code":null,"counts":{"done":2},
            "times":1,"elapsed_ms":3,"later":1}"#;
        let row: AuditRow = serde_json::from_str(line).unwrap();
        let mut text = String::new();
        from(&row, &mut text);
        assert_eq!((text.as_str(), done(&row)), ("uid 0 pid 7", Some(2)));
        let Tree::Map(entries) = serde_json::from_str(&serde_json::to_string(&row).unwrap()).unwrap() else {
            panic!("a row is a map");
        };
        assert!(entries.iter().map(|(key, _)| key.as_str()).eq(Calls::FIELDS.iter().copied()));
    }
}
