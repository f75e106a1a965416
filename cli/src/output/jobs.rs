//! Jobs as they are listed.

use connctl_api::job::{JobRow, JobState};

use super::columns::{Chosen, Column, Record, Shown};
use super::human::{self, number};
use super::style::Tone;

/// Jobs, running and ended.
#[derive(Debug)]
pub(crate) struct Jobs;

impl Record for Jobs {
    type View<'a> = JobRow;

    const FIELDS: &'static [&'static str] = &[
        "job_id",
        "node_id",
        "by",
        "state",
        "reason",
        "operation",
        "side",
        "where",
        "plan_id",
        "grace_ms",
        "note",
        "pace",
        "rate",
        "reconnect_rate",
        "connections",
        "summary",
        "remaining_ms",
        "created_at",
        "ended_at",
    ];

    const COLUMNS: &'static [Column] = &[
        Column::text("job_id", "JOB", "job_id", 0),
        Column::number("node_id", "NODE", "node_id", 9).shown(Shown::Wide),
        Column::text("state", "STATE", "state", 0),
        Column::text("operation", "OPERATION", "operation", 3),
        Column::number("connections", "CONNECTIONS", "connections", 1),
        Column::number("done", "DONE", "", 1),
        Column::number("failed", "FAILED", "", 2),
        Column::number("rate", "RATE", "rate", 4),
        Column::number("remaining_ms", "REMAINING", "remaining_ms", 4),
        Column::text("where", "WHERE", "where", 5),
        Column::text("plan_id", "PLAN", "plan_id", 9).shown(Shown::Wide),
        Column::text("by", "BY", "by", 8).shown(Shown::Wide),
        Column::text("created_at", "CREATED", "created_at", 6),
        Column::text("note", "NOTE", "note", 7),
    ];

    fn cell(row: &JobRow, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "job_id" => *out += &row.job_id.to_string(),
            "node_id" => number(row.node_id.get(), out),
            "state" => {
                out.push_str(row.state.word());
                return match row.state {
                    JobState::Running => Tone::Good,
                    JobState::Done => Tone::Dim,
                    JobState::Paused | JobState::Cancelling | JobState::Cancelled => Tone::Careful,
                    JobState::Interrupted => Tone::Bad,
                };
            }
            "operation" => out.push_str(row.operation.word()),
            "connections" => number(row.connections, out),
            "done" => number(row.summary.done, out),
            "failed" => number(row.summary.failed + row.summary.timed_out, out),
            "rate" => row.rate.into_iter().for_each(|rate| *out += &format!("{rate:.1}/s")),
            "remaining_ms" => human::duration(row.remaining_ms, out),
            "where" => human::clean(row.selector.as_deref().unwrap_or_default(), out),
            "plan_id" => row.plan_id.into_iter().for_each(|id| *out += &id.to_string()),
            "by" => human::clean(row.by.as_deref().unwrap_or_default(), out),
            "created_at" => *out += &row.created_at.to_string(),
            _ => human::clean(row.note.as_deref().unwrap_or_default(), out),
        }
        Tone::Plain
    }

    fn name(row: &JobRow, out: &mut String) {
        *out += &row.job_id.to_string();
    }
}
