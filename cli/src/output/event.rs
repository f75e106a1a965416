//! Events, one a line.

use connctl_api::event::{EventKind, EventRow};

use super::columns::{Chosen, Column, Record};
use super::human;
use super::style::{RESET, Style, Tone};

/// How wide the word of a kind stands.
const KIND_WIDTH: usize = 16;

/// The line of an event for people: when, what, to whom, and what else there is to say.
pub(crate) fn line(row: &EventRow<'_>, style: Style, out: &mut String) {
    *out += &format!("{}  ", row.at);
    let start = style.start(tone_of(row.event));
    out.push_str(start.unwrap_or_default());
    *out += &format!("{:KIND_WIDTH$}", row.event);
    out.push_str(start.map_or("", |_| RESET));
    if let Some(conn_id) = row.conn_id {
        *out += &format!("  {conn_id}");
    }
    let parts = [("of", &row.uid), ("on", &row.listener)];
    for (word, part) in parts {
        if let Some(part) = part {
            *out += &format!(" {word} ");
            human::clean(part, out);
        }
    }
    if let Some(client) = row.client {
        *out += &format!(" from {client}");
    }
    say(row, out);
    out.push('\n');
}

fn say(row: &EventRow<'_>, out: &mut String) {
    let mut said = Vec::new();
    match (row.event, row.missed) {
        (EventKind::Gap, Some(missed)) => said.push(format!("{missed} events are missing here")),
        (EventKind::Gap, None) => said.push("the agent was started anew: events are missing here".to_owned()),
        _ => {}
    }
    if let Some(reason) = row.reason {
        said.push(format!("{reason}: {}", reason.meaning()));
    } else if let Some(side) = row.side {
        said.push(format!("by the {side}"));
    }
    if row.event == EventKind::Ended
        && let Some(age_ms) = row.age_ms
    {
        let mut age = String::new();
        human::duration(age_ms, &mut age);
        said.push(format!("after {age}"));
    }
    let texts = [("", &row.text), ("by ", &row.by), ("", &row.request), ("note: ", &row.note)];
    for (word, text) in texts {
        if let Some(text) = text {
            let mut clean = word.to_owned();
            human::clean(text, &mut clean);
            said.push(clean);
        }
    }
    if !said.is_empty() {
        *out += &format!("  {}", said.join(", "));
    }
}

const fn tone_of(kind: EventKind) -> Tone {
    match kind {
        EventKind::Opened => Tone::Good,
        EventKind::Identified | EventKind::Job => Tone::Plain,
        EventKind::HalfClosed => Tone::Dim,
        EventKind::Warned | EventKind::ListenerChanged | EventKind::PolicyChanged => Tone::Careful,
        EventKind::Ended | EventKind::Revoked | EventKind::Gap => Tone::Bad,
    }
}

/// Events for programs.
#[derive(Debug)]
pub(crate) struct Events;

impl Record for Events {
    type View<'a> = EventRow<'a>;

    const FIELDS: &'static [&'static str] = &[
        "id",
        "event",
        "at",
        "node_id",
        "conn_id",
        "uid",
        "device",
        "tags",
        "listener",
        "mode",
        "client",
        "local",
        "upstream",
        "age_ms",
        "to_upstream_bytes",
        "to_client_bytes",
        "side",
        "reason",
        "initiator",
        "by",
        "request",
        "note",
        "text",
        "missed",
    ];

    // A table waits for its rows: people get lines.
    const COLUMNS: &'static [Column] = &[];

    fn cell(_: &EventRow<'_>, _: &Chosen, _: &mut String) -> Tone {
        Tone::Plain
    }

    fn name(row: &EventRow<'_>, out: &mut String) {
        out.push_str(&row.id);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(json: &str) -> String {
        let mut out = String::new();
        line(&serde_json::from_str(json).unwrap(), Style::new(false), &mut out);
        out
    }

    #[test]
    fn a_line_says_when_what_and_to_whom() {
        let ended = said(
            r#"{"id":"7-3","event":"ended","at":"2026-11-21T12:00:00.123Z","node_id":1,"conn_id":12,"uid":"bo\u001bb",
            "listener":"redis","client":"10.0.0.7:40312","age_ms":4200,"reason":"operator_close",
            "initiator":"operator","by":"alice","request":"close where all","note":"too loud"}"#,
        );
        assert_eq!(
            ended,
            "2026-11-21T12:00:00.123Z  ended             12 of bo\\u{1b}b on redis from 10.0.0.7:40312  \
             operator_close: an operator closed it, after 4.2s, by alice, close where all, note: too loud\n"
        );
        let gap =
            said(r#"{"id":"7-3","event":"gap","at":"2026-11-21T12:00:00.123Z","node_id":1,"missed":812}"#);
        assert!(gap.ends_with("gap               812 events are missing here\n"), "{gap:?}");
    }
}
