//! Limits as they are listed, and what reading the configuration again changed.

use connctl_api::limit::{LimitRow, LimitSource};
use connctl_api::reload::{ReloadOutcome, ReloadRow};

use super::columns::{Chosen, Column, Record};
use super::human;
use super::style::Tone;

/// Limits in force.
#[derive(Debug)]
pub(crate) struct Limits;

impl Record for Limits {
    type View<'a> = LimitRow;

    const FIELDS: &'static [&'static str] = &["key", "scope", "listener", "value", "source"];

    const COLUMNS: &'static [Column] = &[
        Column::text("scope", "SCOPE", "scope", 2),
        Column::text("listener", "LISTENER", "listener", 1),
        Column::text("key", "KEY", "key", 0),
        Column::text("value", "VALUE", "value", 0),
        Column::text("source", "FROM", "source", 1),
    ];

    fn cell(row: &LimitRow, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "scope" => out.push_str(row.scope.word()),
            "listener" => human::clean(row.listener.as_deref().unwrap_or_default(), out),
            "key" => human::clean(&row.key, out),
            "value" => human::clean(&row.value.to_string(), out),
            _ => {
                out.push_str(row.source.word());
                return match row.source {
                    LimitSource::Default => Tone::Dim,
                    LimitSource::File => Tone::Plain,
                    LimitSource::Set => Tone::Careful,
                };
            }
        }
        Tone::Plain
    }

    fn name(row: &LimitRow, out: &mut String) {
        human::clean(&row.key, out);
    }
}

/// What reading the configuration again changed.
#[derive(Debug)]
pub(crate) struct Reloads;

impl Record for Reloads {
    type View<'a> = ReloadRow;

    const FIELDS: &'static [&'static str] = &["key", "listener", "outcome"];

    const COLUMNS: &'static [Column] = &[
        Column::text("listener", "LISTENER", "listener", 1),
        Column::text("key", "KEY", "key", 0),
        Column::text("outcome", "OUTCOME", "outcome", 0),
    ];

    fn cell(row: &ReloadRow, column: &Chosen, out: &mut String) -> Tone {
        match column.column.name {
            "listener" => human::clean(row.listener.as_deref().unwrap_or_default(), out),
            "key" => human::clean(&row.key, out),
            _ => {
                out.push_str(row.outcome.word());
                return match row.outcome {
                    ReloadOutcome::Applied | ReloadOutcome::Added | ReloadOutcome::Removed => Tone::Good,
                    ReloadOutcome::NeedsRestart => Tone::Careful,
                };
            }
        }
        Tone::Plain
    }

    fn name(row: &ReloadRow, out: &mut String) {
        human::clean(&row.key, out);
    }
}
