//! What is known of a connection that has ended, and why it ended, in words.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::net::SocketAddr;

use serde::{Deserialize, Serialize};

use crate::conn::{Mode, Side};
use crate::end::{Initiator, Reason, Wire};
use crate::id::{ConnId, NodeId};
use crate::instant::Instant;
use crate::units;

/// A row of the history. Its first fields are those of [`ConnRow`](crate::conn::ConnRow), the state apart.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryRow<'a> {
    /// The connection's id.
    pub conn_id: ConnId,
    /// The agent that held it.
    pub node_id: NodeId,
    /// Whose connection it was, where known.
    pub uid: Option<Cow<'a, str>>,
    /// From which kind of device, where known.
    pub device: Option<Cow<'a, str>>,
    /// Free labels.
    pub tags: BTreeMap<Cow<'a, str>, Cow<'a, str>>,
    /// The name of the listener that accepted it; none where the agent opened it.
    pub listener: Option<Cow<'a, str>>,
    /// What the listener did with it.
    pub mode: Mode,
    /// The client's address.
    pub client: Option<SocketAddr>,
    /// The agent's own address.
    pub local: Option<SocketAddr>,
    /// The upstream's address, if it was connected.
    pub upstream: Option<SocketAddr>,
    /// When it was accepted.
    pub opened_at: Instant,
    /// When it ended.
    pub ended_at: Instant,
    /// Milliseconds from the one to the other.
    pub age_ms: u64,
    /// Milliseconds from its last byte to its end.
    pub idle_ms: u64,
    /// Bytes relayed from the client.
    pub to_upstream_bytes: u64,
    /// Bytes relayed to the client.
    pub to_client_bytes: u64,
    /// Why it ended.
    pub reason: Reason,
    /// Who began its end.
    pub initiator: Initiator,
    /// On which side that began, where it can be said.
    pub side: Option<Side>,
    /// Who asked for it, where somebody did.
    pub by: Option<Cow<'a, str>>,
    /// What was asked: the operation and its selector.
    pub request: Option<Cow<'a, str>>,
    /// What the operator noted.
    pub note: Option<Cow<'a, str>>,
    /// What the wire saw of the ending; `null` where nothing was looked at, as when both peers just left.
    pub wire: Option<Wire>,
}

/// The query of `GET /v1/history`.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HistoryQuery {
    /// A selector; all connections where absent.
    #[serde(rename = "where", default, skip_serializing_if = "Option::is_none")]
    pub selector: Option<String>,
    /// Only what ended since then: a time, or a duration back from now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub since: Option<String>,
    /// The most rows to answer.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
    /// Where an earlier page ended.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub cursor: Option<String>,
    /// Answer JSON lines, one row each, and no page.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub stream: bool,
    /// Answer a [`CountReport`](crate::conn::CountReport) and no rows.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub count: bool,
    /// With `count`: the field to count by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
}

/// One page of the history, the latest ending first.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct HistoryPage {
    /// The rows.
    pub connections: Vec<HistoryRow<'static>>,
    /// Give this as `cursor` to read on; `null` on the last page.
    pub next_cursor: Option<String>,
}

/// Why a connection ended, or that it has not.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WhyReport {
    /// The connection.
    pub conn_id: ConnId,
    /// Whether it is still there.
    pub live: bool,
    /// All of it for a person.
    pub text: String,
    /// The policy that will end a live one first if nothing more happens to it.
    pub ends_by: Option<Reason>,
    /// Milliseconds until then.
    pub time_remaining_ms: Option<u64>,
    /// What is known of one that has ended.
    pub ended: Option<HistoryRow<'static>>,
}

impl HistoryRow<'_> {
    /// Why it ended, in one sentence for a person, without a full stop.
    pub fn why(&self) -> String {
        let mut text = self.cause();
        text += &format!(
            ", {}, after {}",
            self.ended_at,
            units::format_micros(self.age_ms.saturating_mul(1_000))
        );
        if let Some(wire) = &self.wire {
            let (dropped, forced) = (wire.all.dropped_bytes, wire.all.forced);
            if dropped > 0 {
                text +=
                    &format!(", {dropped} unsent {} dropped", if dropped == 1 { "byte" } else { "bytes" });
            }
            if forced {
                text += ", cut when the grace was over";
            }
        }
        if let Some(note) = &self.note {
            text += &format!("; note: {note}");
        }
        text
    }

    fn cause(&self) -> String {
        let verb = match self.reason {
            Reason::OperatorReset => "reset",
            Reason::OperatorHalfclose => "half-closed",
            _ => "closed",
        };
        let by = self.by.as_deref();
        match (self.initiator, by, &self.request) {
            (Initiator::Operator, Some(by), Some(request)) => {
                let who = if by == Initiator::Operator.word() { String::new() } else { format!(" {by}") };
                let meaning = if is_plain(self.reason) {
                    String::new()
                } else {
                    format!(": {}", self.reason.meaning())
                };
                format!("{verb} by operator{who} with `{request}`{meaning}")
            }
            (Initiator::Operator, ..) if is_plain(self.reason) => format!("{verb} by an operator"),
            (initiator, ..) => format!("ended by the {initiator}: {}", self.reason.meaning()),
        }
    }
}

/// Whether the reason says no more than that an operator did it.
const fn is_plain(reason: Reason) -> bool {
    matches!(reason, Reason::OperatorClose | Reason::OperatorReset | Reason::OperatorHalfclose)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::end::SideWire;

    fn row(reason: Reason, initiator: Initiator) -> HistoryRow<'static> {
        HistoryRow {
            conn_id: ConnId::new(12).unwrap(),
            node_id: NodeId::new(1).unwrap(),
            uid: None,
            device: None,
            tags: BTreeMap::new(),
            listener: Some("redis".into()),
            mode: Mode::Forward,
            client: None,
            local: None,
            upstream: None,
            opened_at: Instant(1_795_262_400_123),
            ended_at: Instant(1_795_262_404_323),
            age_ms: 4_200,
            idle_ms: 0,
            to_upstream_bytes: 0,
            to_client_bytes: 0,
            reason,
            initiator,
            side: None,
            by: None,
            request: None,
            note: None,
            wire: None,
        }
    }

    #[test]
    fn an_operators_ending_names_who_what_and_what_was_lost() {
        let lost = SideWire { dropped_bytes: 812, rst_sent: true, ..SideWire::default() };
        let row = HistoryRow {
            by: Some("alice".into()),
            request: Some("reset where uid = \"bob\"".into()),
            note: Some("too loud".into()),
            wire: Some(Wire::of(Some(lost), None)),
            ..row(Reason::OperatorReset, Initiator::Operator)
        };
        assert_eq!(
            row.why(),
            "reset by operator alice with `reset where uid = \"bob\"`, 2026-11-21T12:00:04.323Z, after 4s200ms, \
             812 unsent bytes dropped; note: too loud"
        );
    }

    #[test]
    fn every_reason_has_its_words() {
        for reason in Reason::ALL {
            for initiator in Initiator::ALL {
                let text = row(*reason, *initiator).why();
                let says = if is_plain(*reason) { "by an operator" } else { reason.meaning() };
                assert!(text.contains(says) || text.contains(reason.meaning()), "{text}");
            }
        }
    }
}
