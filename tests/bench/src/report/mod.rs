//! Results, and how they are shown.

pub(crate) mod goals;
pub(crate) mod json;
mod number;
pub(crate) mod table;

use serde::Serialize;

use crate::case::Case;
use crate::machine::Machine;
use crate::measure::statistics::Spread;
use crate::metric::{Better, Metric};
use crate::proxy::Who;

use self::goals::Verdict;

/// Everything that a run found.
#[derive(Serialize)]
pub(crate) struct Report {
    pub(crate) machine: Machine,
    /// Repetitions of each case with each of whom it is measured with.
    pub(crate) repetitions: usize,
    pub(crate) quick: bool,
    pub(crate) results: Vec<Row>,
    pub(crate) goals: Vec<Verdict>,
}

/// One metric of one of those measured.
#[derive(Serialize)]
pub(crate) struct Row {
    #[serde(flatten)]
    pub(crate) metric: &'static Metric,
    pub(crate) case: &'static str,
    pub(crate) who: Who,
    /// One of each repetition that succeeded.
    pub(crate) values: Vec<f64>,
    pub(crate) spread: Option<Spread>,
    /// This median divided by the best peer's.
    pub(crate) ratio_to_best_peer: Option<f64>,
    pub(crate) best_peer: bool,
    /// Why a repetition failed, if one did.
    pub(crate) error: Option<String>,
}

/// What has been measured so far.
#[derive(Default)]
pub(crate) struct Results {
    rows: Vec<Row>,
}

impl Results {
    /// Makes a row for each metric of `case` with `who`, so that the order is that of the cases.
    pub(crate) fn expect(&mut self, case: &'static Case, all: &[Who]) {
        for &metric in case.metrics {
            self.rows.extend(all.iter().map(|&who| Row {
                metric,
                case: case.name,
                who,
                values: Vec::new(),
                spread: None,
                ratio_to_best_peer: None,
                best_peer: false,
                error: None,
            }));
        }
    }

    pub(crate) fn add(&mut self, metric: &Metric, who: Who, value: f64) {
        if let Some(row) = self.rows.iter_mut().find(|row| row.metric == metric && row.who == who) {
            row.values.push(value);
        }
    }

    /// The first reason is kept: later repetitions mostly fail for the same.
    pub(crate) fn fail(&mut self, case: &Case, who: Who, reason: &str) {
        for row in self.rows.iter_mut().filter(|row| row.case == case.name && row.who == who) {
            row.error.get_or_insert_with(|| reason.to_owned());
        }
    }

    /// Medians, spreads and ratios. Rows that do not apply (the relay's CPU time without a relay) are dropped.
    pub(crate) fn finish(mut self) -> Vec<Row> {
        self.rows.retain(|row| !row.values.is_empty() || row.error.is_some());
        for row in &mut self.rows {
            row.spread = Spread::of(&row.values);
        }
        let best: Vec<Option<(Who, f64)>> =
            self.rows.iter().map(|row| best_peer(&self.rows, row.metric)).collect();
        for (row, best) in self.rows.iter_mut().zip(best) {
            let (Some((who, best)), Some(own)) = (best, row.spread) else { continue };
            row.best_peer = who == row.who;
            row.ratio_to_best_peer = ratio(own.median, best);
        }
        self.rows
    }
}

/// The peer with the best median, and that median.
fn best_peer(rows: &[Row], metric: &Metric) -> Option<(Who, f64)> {
    let peers = rows.iter().filter(|row| row.metric == metric && row.who.is_peer());
    let medians = peers.filter_map(|row| Some((row.who, row.spread?.median)));
    match metric.better {
        Better::More => medians.max_by(|a, b| a.1.total_cmp(&b.1)),
        Better::Less => medians.min_by(|a, b| a.1.total_cmp(&b.1)),
    }
}

/// None where it would divide by nothing: no peer failed a connection, say.
fn ratio(value: f64, of: f64) -> Option<f64> {
    (of != 0.0).then(|| value / of)
}

#[cfg(test)]
mod tests {
    use super::{Results, Who};
    use crate::case;
    use crate::metric;

    #[test]
    fn ratios_are_to_the_best_peer_and_failures_keep_their_first_reason() {
        let list = case::ALL.iter().find(|case| case.name == "list").expect("the case");
        let mut results = Results::default();
        results.expect(list, &[Who::Haproxy1, Who::Redis, Who::Connctl1, Who::Direct]);
        for (who, value) in [(Who::Haproxy1, 16.0), (Who::Redis, 8.0), (Who::Redis, 10.0), (Who::Redis, 8.0)]
        {
            results.add(&metric::LIST, who, value);
        }
        results.fail(list, Who::Connctl1, "not there");
        results.fail(list, Who::Connctl1, "still not there");
        let rows = results.finish();
        assert_eq!(rows.len(), 3, "direct has nothing to say here");
        assert_eq!((rows[0].ratio_to_best_peer, rows[0].best_peer), (Some(2.0), false));
        assert_eq!((rows[1].ratio_to_best_peer, rows[1].best_peer), (Some(1.0), true));
        assert_eq!(rows[2].error.as_deref(), Some("not there"));
    }
}
