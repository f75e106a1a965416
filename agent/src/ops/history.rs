//! The connections that have ended: which of them, and how many.
//!
//! A scan reads blocks of a thousand endings, in memory and then on disk, on a thread of its own: no answer of the
//! control API and no connection waits for it.

use std::collections::HashMap;
use std::sync::Arc;

use connctl_api::access::Scope;
use connctl_api::conn::{CountReport, CountRow, MAX_PAGE_ROWS, PAGE_ROWS};
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::history::{HistoryPage, HistoryQuery, HistoryRow};
use connctl_api::id::NodeId;
use connctl_api::instant::Instant;
use connctl_api::selector::{Field, Hint, Selector, Subject};
use connctl_api::units;
use tokio::sync::mpsc;

use super::past::{self, Past};
use super::{Node, list, select};
use crate::base::clock;
use crate::record::entry::Entry;
use crate::record::{Head, Record};

/// Rows are sent on in pieces of this size.
const CHUNK_BYTES: usize = 64 * 1_024;
/// Pieces that wait for a reader.
const CHUNKS: usize = 2;

/// The answer to a query.
#[derive(Debug)]
pub enum Answer {
    /// Rows, the latest ending first.
    Page(HistoryPage),
    /// Counts.
    Count(CountReport),
    /// Rows as JSON lines, in pieces; the last may be an error.
    Lines(mpsc::Receiver<Result<Vec<u8>, ApiError>>),
}

/// Answers a query.
///
/// # Errors
/// A selector, time, field, limit or cursor that is wrong, or a disk that fails.
pub async fn query(node: &Arc<Node>, query: HistoryQuery) -> Result<Answer, ApiError> {
    let search =
        Search { scope: node.scope.clone(), ..Search::of(&node.record, node.settings.node_id, &query)? };
    let by = query.by.as_deref().map(list::field).transpose()?;
    if by.is_some() && !query.count {
        return Err(ApiError::new(ErrorCode::InvalidRequest, "by goes with count").field("by"));
    }
    if query.count {
        return blocking(move || search.count(by)).await.map(Answer::Count);
    }
    if query.stream {
        let (pieces, lines) = mpsc::channel(CHUNKS);
        tokio::task::spawn_blocking(move || search.stream(&pieces));
        return Ok(Answer::Lines(lines));
    }
    blocking(move || search.page()).await.map(Answer::Page)
}

/// Counts endings, on the thread that asks: it may take a while where they are on disk.
///
/// # Errors
/// As [`query`].
pub fn count(record: &Arc<Record>, node_id: NodeId, query: &HistoryQuery) -> Result<CountReport, ApiError> {
    let by = query.by.as_deref().map(list::field).transpose()?;
    Search::of(record, node_id, query)?.count(by)
}

/// What is known of the ending of this connection.
pub(super) async fn find(node: &Arc<Node>, conn_id: u64) -> Result<Option<HistoryRow<'static>>, ApiError> {
    let node = Arc::clone(node);
    blocking(move || {
        let wanted = |head: &Head| (head.ids.0..=head.ids.1).contains(&conn_id);
        let mut found = None;
        scan(&node.record, wanted, |entry| {
            let is_it = entry.conn.is_some_and(|conn| conn.conn_id == conn_id);
            if is_it && let Some(entry) = past::seen(entry, node.scope.as_deref()) {
                found = past::row(&entry, node.settings.node_id).map(past::owned);
            }
            Ok(!is_it)
        })?;
        Ok(found)
    })
    .await
}

/// Runs what reads a disk beside the control API.
async fn blocking<T: Send + 'static>(
    work: impl FnOnce() -> Result<T, ApiError> + Send + 'static,
) -> Result<T, ApiError> {
    let failed = |error| ApiError::new(ErrorCode::Internal, format!("the history was not read: {error}"));
    tokio::task::spawn_blocking(work).await.map_err(failed)?
}

/// Sees all endings, the latest first, until `see` has seen enough.
fn scan(
    record: &Record,
    wanted: impl Fn(&Head) -> bool,
    mut see: impl FnMut(&Entry<'_>) -> Result<bool, ApiError>,
) -> Result<(), ApiError> {
    let mut scan = record.history.scan();
    let failed = |error: anyhow::Error| {
        tracing::error!(error = format!("{error:#}"), "the history cannot be read");
        ApiError::new(ErrorCode::Internal, format!("the history cannot be read: {error:#}"))
    };
    while let Some(block) = scan.next(&wanted).map_err(failed)? {
        if !wanted(&block.head()) {
            continue;
        }
        for entry in block.entries().rev() {
            if !see(&entry)? {
                return Ok(());
            }
        }
    }
    Ok(())
}

/// What is looked for.
struct Search {
    record: Arc<Record>,
    node_id: NodeId,
    /// What may be seen; everything where absent.
    scope: Option<Arc<Scope>>,
    selector: Selector,
    /// Ids without which nothing matches.
    ids: Option<Vec<u64>>,
    since_ms: i64,
    /// Only what stands before this place.
    before: u64,
    limit: usize,
}

impl Search {
    fn of(record: &Arc<Record>, node_id: NodeId, query: &HistoryQuery) -> Result<Self, ApiError> {
        let selector = query.selector.as_deref().map_or(Ok(Selector::all()), select::parse)?;
        let ids = match selector.hint() {
            Hint::Ids(ids) => Some(ids),
            _ => None,
        };
        Ok(Self {
            record: Arc::clone(record),
            node_id,
            scope: None,
            selector,
            ids,
            since_ms: query.since.as_deref().map_or(Ok(i64::MIN), since)?,
            before: query.cursor.as_deref().map_or(Ok(u64::MAX), read_cursor)?,
            limit: limit(query)?,
        })
    }

    fn each(&self, mut see: impl FnMut(&Entry<'_>) -> Result<bool, ApiError>) -> Result<(), ApiError> {
        let node_id = self.node_id;
        scan(
            &self.record,
            |head| {
                let (least, most) = head.ids;
                let may_have = |ids: &Vec<u64>| ids.iter().any(|id| (least..=most).contains(id));
                head.newest_ms >= self.since_ms && self.ids.as_ref().is_none_or(may_have)
            },
            |entry| {
                if entry.seq >= self.before || entry.wall_ms < self.since_ms {
                    return Ok(true);
                }
                match past::seen(entry, self.scope.as_deref()) {
                    Some(entry) if self.selector.matches(&Past { entry: &entry, node_id }) => see(&entry),
                    _ => Ok(true),
                }
            },
        )
    }

    fn page(&self) -> Result<HistoryPage, ApiError> {
        let node_id = self.node_id;
        let (mut connections, mut last, mut next_cursor) = (Vec::new(), self.before, None);
        self.each(|entry| {
            if connections.len() == self.limit {
                next_cursor = Some(format!("h1-{last}"));
                return Ok(false);
            }
            last = entry.seq;
            connections.extend(past::row(entry, node_id).map(past::owned));
            Ok(true)
        })?;
        Ok(HistoryPage { connections, next_cursor })
    }

    fn stream(&self, pieces: &mpsc::Sender<Result<Vec<u8>, ApiError>>) {
        let node_id = self.node_id;
        let (mut bytes, mut left) = (Vec::new(), self.limit);
        // Sending fails where the reader has gone: then there is nobody to tell.
        let read = self.each(|entry| {
            if left == 0 {
                return Ok(false);
            }
            left -= 1;
            let Some(row) = past::row(entry, node_id) else {
                return Ok(true);
            };
            let failed =
                |error| ApiError::new(ErrorCode::Internal, format!("a row cannot be written: {error}"));
            serde_json::to_writer(&mut bytes, &row).map_err(failed)?;
            bytes.push(b'\n');
            Ok(bytes.len() < CHUNK_BYTES || pieces.blocking_send(Ok(std::mem::take(&mut bytes))).is_ok())
        });
        // Whoever asked may have gone.
        let _ = pieces.blocking_send(read.map(|()| bytes));
    }

    fn count(&self, by: Option<Field>) -> Result<CountReport, ApiError> {
        let node_id = self.node_id;
        let (mut count, mut counts) = (0, HashMap::<Option<String>, u64>::new());
        self.each(|entry| {
            count += 1;
            if let Some(field) = by {
                let value = list::print(Past { entry, node_id }.value(field));
                *counts.entry(value).or_default() += 1;
            }
            Ok(true)
        })?;
        let mut rows: Vec<_> = counts.into_iter().map(|(value, count)| CountRow { value, count }).collect();
        rows.sort_by(|one, other| other.count.cmp(&one.count).then_with(|| one.value.cmp(&other.value)));
        Ok(CountReport { count, by: by.map(|_| rows) })
    }
}

/// A time, or a duration back from now.
/// A time, or a duration back from now, in milliseconds since 1970.
pub(super) fn since(text: &str) -> Result<i64, ApiError> {
    if let Ok(Instant(ms)) = text.parse() {
        return Ok(ms);
    }
    let back = units::parse_duration(text).map_err(|error| {
        let message = format!("since {text:?} is neither a time nor a duration");
        let hint = format!("a time such as 2026-11-21T12:00:00Z, or {}", error.expected);
        ApiError::new(ErrorCode::InvalidRequest, message).field("since").hint(hint)
    })?;
    Ok(clock::wall_ms().saturating_sub(i64::try_from(back.as_millis()).unwrap_or(i64::MAX)))
}

fn read_cursor(cursor: &str) -> Result<u64, ApiError> {
    cursor.strip_prefix("h1-").and_then(|place| place.parse().ok()).ok_or_else(|| {
        let message = format!("{cursor:?} is not a cursor of the history");
        ApiError::new(ErrorCode::InvalidRequest, message).field("cursor")
    })
}

fn limit(query: &HistoryQuery) -> Result<usize, ApiError> {
    let limit = match (query.limit, query.stream || query.count) {
        (None, true) => u64::MAX,
        (None, false) => PAGE_ROWS,
        (Some(limit), false) if limit > MAX_PAGE_ROWS => {
            let message = format!("limit {limit} is too large: at most {MAX_PAGE_ROWS}, or stream");
            return Err(ApiError::new(ErrorCode::InvalidRequest, message).field("limit"));
        }
        (Some(limit), _) => limit,
    };
    Ok(usize::try_from(limit).unwrap_or(usize::MAX))
}

#[cfg(test)]
mod tests {
    use connctl_api::conn::Mode;
    use connctl_api::end::{Cause, Initiator, Reason, Wire};
    use connctl_api::event::EventKind;

    use super::*;
    use crate::config::RecordSettings;
    use crate::record::entry::{End, Facts, Happening};

    fn end(record: &Record, conn_id: u64) {
        let cause = Cause { reason: Reason::Normal, initiator: Initiator::Client, side: None };
        let happening = Happening {
            conn: Some(Facts {
                conn_id,
                uid: Some(if conn_id.is_multiple_of(2) { "even" } else { "odd" }),
                device: None,
                tags: None,
                mode: Mode::Echo,
                client: None,
                local: ([127, 0, 0, 1], 7).into(),
                upstream: None,
                opened_wall_ms: 0,
                age_ms: 0,
                idle_ms: 0,
                to_upstream_bytes: 0,
                to_client_bytes: 0,
                thread: 0,
            }),
            end: Some(End { cause, wire: Wire::of(None, None) }),
            ..Happening::new(EventKind::Ended, 5)
        };
        record.tell(&happening, None);
    }

    #[test]
    fn an_id_is_found_in_whatever_order_connections_ended() {
        const ALL: u64 = 997;
        let settings = RecordSettings { history_size: 2_000, ..RecordSettings::default() };
        let record = Arc::new(Record::open(&settings, None).unwrap());
        // Each id from 1 to 997 once, so that every block has small and large ones; then some in order.
        (1..=ALL).for_each(|number| end(&record, number * 331 % ALL + 1));
        (ALL + 1..=2 * ALL).for_each(|id| end(&record, id));
        let counted = |selector: &str| {
            let query = HistoryQuery { selector: Some(selector.to_owned()), ..HistoryQuery::default() };
            count(&record, NodeId::new(1).unwrap(), &query).unwrap().count
        };
        for id in 1..=2 * ALL {
            assert_eq!(counted(&format!("conn_id = {id}")), 1, "{id}");
        }
        assert_eq!(counted(&format!("conn_id = {}", 2 * ALL + 1)), 0);
        assert_eq!(counted("conn_id in (3, 5, 1993, 8) and uid = odd"), 3);
        assert_eq!(counted("conn_id = 3 or uid = even"), ALL + 1);
        assert_eq!(counted("not conn_id = 3"), 2 * ALL - 1);
        assert_eq!(counted("conn_id > 10 and conn_id <= 20"), 10);
    }
}
