//! One look at all connections after the other, and what passed through each in between.

use std::collections::HashMap;
use std::time::Instant;

use anyhow::{Context as _, Result};
use connctl_api::client::{Client, split};
use connctl_api::conn::ListQuery;

use crate::args::top::{TopKey, TopSort};
use crate::command::list::Tally;
use crate::output::columns::Record as _;
use crate::output::conn::Conns;
use crate::output::conn_view::ConnView;

/// The shortest time that a rate is taken over: over less it says how the clock ticks.
const SHORTEST_MS: u64 = 200;
/// The rows beyond those that are shown which are held before the least of them are dropped.
const SPARE_ROWS: usize = 1_024;

/// What passed through a connection, in bytes a second.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Rates {
    to_upstream: u64,
    to_client: u64,
}

/// A connection as it was when its rates were taken last.
#[derive(Debug, Clone, Copy)]
struct Seen {
    to_upstream_bytes: u64,
    to_client_bytes: u64,
    age_ms: u64,
    rates: Option<Rates>,
}

/// What is remembered from one look to the next: some bytes of every connection, and no row.
#[derive(Debug, Default)]
pub(super) struct Watch {
    seen: HashMap<u64, Seen>,
    looked: Option<Instant>,
}

/// What a look has found.
#[derive(Debug, Default)]
pub(super) struct Picture {
    /// The rows to be shown, in order, each a JSON object with its rates.
    pub(super) rows: Vec<Vec<u8>>,
    pub(super) tally: Tally,
    /// Of all connections together; zero where nothing is known yet.
    pub(super) to_upstream_rate: u64,
    pub(super) to_client_rate: u64,
}

/// What decides a row's place: what is not known comes last, then the key, then the id.
type Place = (bool, u64, u64);

impl Watch {
    /// Looks at all connections of a query.
    ///
    /// # Errors
    /// As the client's, and a line that is no row.
    pub(super) async fn look(
        &mut self,
        client: &Client,
        query: &ListQuery,
        sort: TopSort,
        limit: usize,
    ) -> Result<Picture> {
        let mut lines = client.rows(query).await?;
        let mut look = Look { before: self, seen: HashMap::new(), sort, limit, rows: Vec::new() };
        let mut picture = Picture::default();
        while let Some(block) = lines.block().await? {
            for line in split(block) {
                look.row(line, &mut picture)?;
            }
        }
        picture.rows = look.best();
        (self.seen, self.looked) = (look.seen, Some(Instant::now()));
        Ok(picture)
    }

    /// The rates of a connection, and what is to be remembered of it. A look that breaks off changes nothing.
    fn rates(&self, row: &ConnView<'_>) -> Seen {
        let now = Seen {
            to_upstream_bytes: row.to_upstream_bytes,
            to_client_bytes: row.to_client_bytes,
            age_ms: row.age_ms,
            rates: None,
        };
        match self.seen.get(&row.conn_id) {
            Some(then) => {
                let passed = row.age_ms.saturating_sub(then.age_ms);
                if passed < SHORTEST_MS { *then } else { now.since(then, passed) }
            }
            // It came after the last look, or is one that was not asked for then: of that nothing is known.
            None => match self.looked {
                Some(looked) if u128::from(row.age_ms) <= looked.elapsed().as_millis() => {
                    let birth = Seen { to_upstream_bytes: 0, to_client_bytes: 0, age_ms: 0, rates: None };
                    now.since(&birth, row.age_ms.max(1))
                }
                _ => now,
            },
        }
    }
}

impl Seen {
    fn since(self, then: &Self, passed_ms: u64) -> Self {
        let rate = |now: u64, then: u64| {
            let bytes = u128::from(now.saturating_sub(then));
            u64::try_from(bytes * 1_000 / u128::from(passed_ms)).unwrap_or(u64::MAX)
        };
        let rates = Rates {
            to_upstream: rate(self.to_upstream_bytes, then.to_upstream_bytes),
            to_client: rate(self.to_client_bytes, then.to_client_bytes),
        };
        Self { rates: Some(rates), ..self }
    }
}

/// A look that goes on.
struct Look<'a> {
    before: &'a Watch,
    seen: HashMap<u64, Seen>,
    sort: TopSort,
    limit: usize,
    rows: Vec<(Place, Vec<u8>)>,
}

impl Look<'_> {
    fn row(&mut self, line: &[u8], picture: &mut Picture) -> Result<()> {
        let row = Conns::read(line)?;
        picture.tally.add(&row);
        let seen = self.before.rates(&row);
        if let Some(rates) = seen.rates {
            picture.to_upstream_rate = picture.to_upstream_rate.saturating_add(rates.to_upstream);
            picture.to_client_rate = picture.to_client_rate.saturating_add(rates.to_client);
        }
        self.seen.insert(row.conn_id, seen);
        let whole = line.strip_suffix(b"}").context("the agent sent a row without its end")?;
        let mut text = whole.to_vec();
        text.extend_from_slice(json(seen.rates).as_bytes());
        self.rows.push((place(self.sort, &row, seen.rates), text));
        if self.rows.len() >= self.limit.saturating_add(SPARE_ROWS) {
            self.keep();
        }
        Ok(())
    }

    /// Drops what is not shown.
    fn keep(&mut self) {
        self.rows.sort_unstable_by_key(|(place, _)| *place);
        self.rows.truncate(self.limit);
    }

    fn best(&mut self) -> Vec<Vec<u8>> {
        self.keep();
        std::mem::take(&mut self.rows).into_iter().map(|(_, line)| line).collect()
    }
}

fn place(sort: TopSort, row: &ConnView<'_>, rates: Option<Rates>) -> Place {
    let value = match sort.key {
        TopKey::Rate => rates.map(|rates| rates.to_upstream.saturating_add(rates.to_client)),
        TopKey::ToUpstreamRate => rates.map(|rates| rates.to_upstream),
        TopKey::ToClientRate => rates.map(|rates| rates.to_client),
        TopKey::Bytes => Some(row.to_upstream_bytes.saturating_add(row.to_client_bytes)),
        TopKey::Idle => Some(row.idle_ms),
        TopKey::Age => Some(row.age_ms),
        TopKey::ConnId => Some(row.conn_id),
    };
    let turned = |value: u64| if sort.descending { u64::MAX - value } else { value };
    (value.is_none(), value.map_or(0, turned), row.conn_id)
}

/// The end of a row.
fn json(rates: Option<Rates>) -> String {
    let Some(Rates { to_upstream, to_client }) = rates else {
        return ",\"to_upstream_rate\":null,\"to_client_rate\":null,\"rate\":null}".to_owned();
    };
    let rate = to_upstream.saturating_add(to_client);
    format!(",\"to_upstream_rate\":{to_upstream},\"to_client_rate\":{to_client},\"rate\":{rate}}}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn row(line: &str) -> ConnView<'_> {
        Conns::read(line.as_bytes()).unwrap()
    }

    fn line(conn_id: u64, age_ms: u64, to_upstream: u64, to_client: u64) -> String {
        format!(
            "{{\"conn_id\":{conn_id},\"node_id\":1,\"uid\":null,\"device\":null,\"tags\":{{}},\"listener\":\"e\",\
             \"mode\":\"echo\",\"state\":\"active\",\"client\":null,\"local\":null,\"upstream\":null,\
             \"opened_at\":\"2026-11-21T12:00:00.123Z\",\"age_ms\":{age_ms},\"idle_ms\":0,\
             \"to_upstream_bytes\":{to_upstream},\"to_client_bytes\":{to_client}}}"
        )
    }

    /// Looks at these lines as at an agent's answer.
    fn look(watch: &mut Watch, lines: &[String], sort: &str, limit: usize) -> Vec<String> {
        let sort = sort.parse().unwrap();
        let mut look = Look { before: watch, seen: HashMap::new(), sort, limit, rows: Vec::new() };
        let mut picture = Picture::default();
        lines.iter().for_each(|line| look.row(line.as_bytes(), &mut picture).unwrap());
        let best = look.best();
        (watch.seen, watch.looked) = (look.seen, Some(Instant::now()));
        best.into_iter().map(|line| String::from_utf8(line).unwrap()).collect()
    }

    fn rate(line: &str) -> Option<u64> {
        serde_json::from_str::<serde_json::Value>(line).unwrap()["rate"].as_u64()
    }

    #[test]
    fn a_rate_is_what_passed_in_the_time_that_the_connection_has_lived_since() {
        let mut watch = Watch::default();
        let first = look(&mut watch, &[line(1, 60_000, 5_000, 0)], "-rate", 9);
        assert_eq!(rate(&first[0]), None, "nothing is known of the time before the first look");
        let second = look(&mut watch, &[line(1, 62_000, 6_000, 3_000)], "-rate", 9);
        assert_eq!(rate(&second[0]), Some(2_000));
        // Too soon to tell: what was known stays, and what passes meanwhile counts later.
        let soon = look(&mut watch, &[line(1, 62_100, 7_000, 3_000)], "-rate", 9);
        assert_eq!(rate(&soon[0]), Some(2_000));
        let later = look(&mut watch, &[line(1, 63_000, 7_000, 3_000)], "-rate", 9);
        assert_eq!(rate(&later[0]), Some(1_000));
    }

    #[test]
    fn who_came_since_counts_from_birth_and_who_was_only_not_looked_at_does_not() {
        let mut watch = Watch::default();
        look(&mut watch, &[], "-rate", 9);
        watch.looked = Instant::now().checked_sub(std::time::Duration::from_secs(1));
        let rows = look(&mut watch, &[line(1, 500, 1_000, 0), line(2, 3_600_000, 1 << 40, 0)], "-rate", 9);
        assert_eq!(rows.iter().map(|row| rate(row)).collect::<Vec<_>>(), [Some(2_000), None]);
    }

    #[test]
    fn no_number_overflows() {
        let mut watch = Watch::default();
        look(&mut watch, &[line(1, 0, 0, 0), line(2, 9, u64::MAX, 0)], "-rate", 9);
        let rows = look(&mut watch, &[line(1, 201, u64::MAX, u64::MAX), line(2, 900, 0, 0)], "-rate", 9);
        assert_eq!(rows.iter().map(|row| rate(row)).collect::<Vec<_>>(), [Some(u64::MAX), Some(0)]);
    }

    #[test]
    fn only_the_best_are_kept_however_many_there_are() {
        let mut lines: Vec<_> = (1..5_000).map(|id| line(id, 7, id * 7_919 % 5_000, 0)).collect();
        let best = |lines: &[String], sort| look(&mut Watch::default(), lines, sort, 3);
        let bytes = |lines: &[String]| -> Vec<u64> {
            lines.iter().map(|line| row(&line.replace(",\"rate\":null", "")).to_upstream_bytes).collect()
        };
        assert_eq!(bytes(&best(&lines, "-bytes")), [4_999, 4_998, 4_997]);
        lines.reverse();
        assert_eq!(bytes(&best(&lines, "bytes")), [1, 2, 3]);
        assert!(best(&lines, "-rate").iter().all(|line| rate(line).is_none()));
    }
}
