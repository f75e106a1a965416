//! What connctl should reach, and whether it did.

use serde::Serialize;

use super::{Row, ratio};
use crate::metric::{self, Metric};
use crate::proxy::Who;

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(crate) enum Relation {
    AtLeast,
    AtMost,
}

impl Relation {
    pub(crate) fn sign(self) -> &'static str {
        match self {
            Self::AtLeast => ">=",
            Self::AtMost => "<=",
        }
    }

    fn holds(self, value: f64, limit: f64) -> bool {
        match self {
            Self::AtLeast => value >= limit,
            Self::AtMost => value <= limit,
        }
    }
}

/// connctl's median divided by the median of `against`, or as it is where the metric is itself a ratio.
struct Goal {
    metric: &'static Metric,
    against: Option<Who>,
    relation: Relation,
    limit: f64,
    /// A count that must be 0 in every repetition, too.
    none: Option<&'static Metric>,
}

/// A goal and what became of it. `measured` is missing where one of the two has no figure, and `met` is missing,
/// too, unless that is because connctl failed.
#[derive(Serialize)]
pub(crate) struct Verdict {
    pub(crate) metric: &'static str,
    pub(crate) label: &'static str,
    pub(crate) against: &'static str,
    pub(crate) relation: Relation,
    pub(crate) limit: f64,
    pub(crate) measured: Option<f64>,
    pub(crate) met: Option<bool>,
}

const fn at_least(metric: &'static Metric, against: Who, limit: f64) -> Goal {
    Goal { metric, against: Some(against), relation: Relation::AtLeast, limit, none: None }
}

const fn at_most(metric: &'static Metric, against: Who, limit: f64) -> Goal {
    Goal { metric, against: Some(against), relation: Relation::AtMost, limit, none: None }
}

/// For a metric that is a ratio already.
const fn of_itself(metric: &'static Metric, limit: f64) -> Goal {
    Goal { metric, against: None, relation: Relation::AtMost, limit, none: None }
}

static GOALS: &[Goal] = &[
    at_least(&metric::PULL1_RATE, Who::Haproxy1t, 0.95),
    at_least(&metric::PULL1_RATE, Who::Haproxy1, 1.7),
    at_least(&metric::PULL16_RATE, Who::Haproxy1t, 1.0),
    at_least(&metric::PULL16_RATE, Who::Haproxy1, 2.0),
    at_most(&metric::PULL1_MACHINE, Who::Haproxy1t, 1.05),
    at_most(&metric::PULL16_MACHINE, Who::Haproxy1t, 1.05),
    at_most(&metric::ONE_P50, Who::Haproxy1, 0.95),
    at_most(&metric::ONE_P50, Who::Nginx1, 1.0),
    at_most(&metric::ONE_P99, Who::Haproxy1, 0.95),
    at_most(&metric::ONE_P99, Who::Nginx1, 1.0),
    at_most(&metric::MANY_PROCESS, Who::Nginx1, 1.0),
    at_most(&metric::MANY_P99, Who::Haproxy1, 1.0),
    Goal { none: Some(&metric::CONNECT_FAILED), ..at_least(&metric::CONNECT_RATE, Who::Haproxy1, 1.0) },
    at_most(&metric::PAIR_8000, Who::Haproxy1, 0.60),
    at_most(&metric::LIST, Who::Haproxy1, 0.25),
    at_most(&metric::LIST, Who::Redis, 0.5),
    at_most(&metric::LIST_SELECTED, Who::Haproxy1, 0.5),
    at_most(&metric::LIST_SELECTED, Who::Redis, 1.0),
    at_most(&metric::LIST_PROGRAM, Who::Ss, 0.35),
    at_most(&metric::LIST_LINES, Who::Ss, 0.35),
    at_most(&metric::QUERY, Who::Redis, 0.6),
    at_most(&metric::CLOSE_ALL, Who::Haproxy1, 0.65),
    of_itself(&metric::STALL_TIMES, 3.0),
    of_itself(&metric::BESIDE_LIST_TIMES, 1.1),
    of_itself(&metric::BESIDE_LIST_OVER_PROCESS, 1.1),
    of_itself(&metric::BESIDE_SPARE_LIST_TIMES, 1.1),
    of_itself(&metric::BESIDE_SPARE_REQUEST_TIMES, 1.1),
];

/// Judges every goal by the results. A repetition that failed means that the goal is not met.
pub(crate) fn judge(rows: &[Row]) -> Vec<Verdict> {
    GOALS.iter().map(|goal| goal.judge(rows)).collect()
}

impl Goal {
    fn judge(&self, rows: &[Row]) -> Verdict {
        let own = find(rows, self.metric, Who::Connctl1);
        let measured = self.measure(own, rows);
        let whole = own.is_some_and(|row| row.error.is_none());
        let none_failed = self.none.is_none_or(|metric| {
            find(rows, metric, Who::Connctl1).is_some_and(|row| row.values.iter().all(|&count| count == 0.0))
        });
        let met = match measured {
            Some(value) => Some(whole && none_failed && self.relation.holds(value, self.limit)),
            None => own.is_some_and(|row| row.error.is_some()).then_some(false),
        };
        Verdict {
            metric: self.metric.id,
            label: self.metric.label,
            against: self.against.map_or("itself", Who::name),
            relation: self.relation,
            limit: self.limit,
            measured,
            met,
        }
    }

    fn measure(&self, own: Option<&Row>, rows: &[Row]) -> Option<f64> {
        let own = own?.spread?.median;
        match self.against {
            None => Some(own),
            Some(who) => ratio(own, find(rows, self.metric, who)?.spread?.median),
        }
    }
}

fn find<'a>(rows: &'a [Row], metric: &Metric, who: Who) -> Option<&'a Row> {
    rows.iter().find(|row| row.metric == metric && row.who == who)
}

#[cfg(test)]
mod tests {
    use super::{Who, judge};
    use crate::case;
    use crate::metric;
    use crate::report::{Results, Row};

    fn connections(failed: f64) -> Vec<Row> {
        let rate = case::ALL.iter().find(|case| case.name == "connrate").expect("the case");
        let mut results = Results::default();
        results.expect(rate, &[Who::Haproxy1, Who::Connctl1]);
        results.add(&metric::CONNECT_RATE, Who::Haproxy1, 100.0);
        results.add(&metric::CONNECT_RATE, Who::Connctl1, 120.0);
        results.add(&metric::CONNECT_FAILED, Who::Connctl1, failed);
        results.finish()
    }

    #[test]
    fn a_rate_counts_only_if_no_connection_failed() {
        let met = |rows: &[Row]| {
            let verdicts = judge(rows);
            let verdict =
                verdicts.iter().find(|verdict| verdict.metric == "connrate.rate").expect("the goal");
            (verdict.measured, verdict.met)
        };
        assert_eq!(met(&connections(0.0)), (Some(1.2), Some(true)));
        assert_eq!(met(&connections(1.0)), (Some(1.2), Some(false)));
        assert_eq!(met(&[]), (None, None));
    }

    #[test]
    fn who_fails_a_case_misses_its_goals() {
        let list = case::ALL.iter().find(|case| case.name == "list").expect("the case");
        let mut results = Results::default();
        results.expect(list, &[Who::Haproxy1, Who::Connctl1]);
        results.add(&metric::LIST, Who::Haproxy1, 16.0);
        results.fail(list, Who::Connctl1, "no answer");
        let verdicts = judge(&results.finish());
        let lists = verdicts.iter().filter(|verdict| verdict.metric == "list.api");
        assert!(lists.into_iter().all(|verdict| verdict.met == Some(false)));
    }
}
