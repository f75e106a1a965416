//! `GET /metrics`: the figures as OpenMetrics text. Labels are names of listeners and words of fixed tables: a
//! client cannot make more of them.

use std::fmt;
use std::sync::Arc;

use axum::extract::State;
use axum::http::header;
use axum::response::IntoResponse;
use connctl_api::error::{ApiError, ErrorCode};
use connctl_api::operation::OperationKind;
use prometheus_client::collector::Collector;
use prometheus_client::encoding::{DescriptorEncoder, NoLabelSet, text};
use prometheus_client::metrics::MetricType;
use prometheus_client::registry::{Registry, Unit};

use super::error::Refusal;
use crate::ops::Node;
use crate::ops::metrics::{self, Figures};
use crate::record::latency::{BOUNDS_US, Latency};

/// The type of the text.
const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

/// `GET /metrics`
pub(super) async fn metrics(State(node): State<Arc<Node>>) -> Result<impl IntoResponse, Refusal> {
    let figures = metrics::figures(&node).await;
    let mut registry = Registry::with_prefix("connctl");
    registry.register_collector(Box::new(Scrape { node, figures }));
    let mut body = String::new();
    let failed = |_| ApiError::new(ErrorCode::Internal, "the metrics cannot be written");
    text::encode(&mut body, &registry).map_err(failed)?;
    Ok(([(header::CONTENT_TYPE, OPEN_METRICS)], body))
}

#[derive(Debug)]
struct Scrape {
    node: Arc<Node>,
    figures: Figures,
}

type Labels<'a> = Vec<(&'static str, &'a str)>;

impl Collector for Scrape {
    fn encode(&self, mut encoder: DescriptorEncoder<'_>) -> fmt::Result {
        let mut out = Out(&mut encoder);
        self.connections(&mut out)?;
        self.listeners(&mut out)?;
        self.latencies(&mut out)?;
        self.jobs(&mut out)?;
        self.audit(&mut out)?;
        self.certificates(&mut out)?;
        self.agent(&mut out)
    }
}

impl Scrape {
    fn connections(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let figures = &self.figures;
        let live = figures.connections.iter().map(|((listener, state), count)| {
            (vec![("listener", listener.as_deref().unwrap_or("")), ("state", state.word())], *count)
        });
        out.gauges(
            "connections",
            "Live connections; without a listener those that the agent opened",
            None,
            live,
        )?;
        let endings = figures
            .endings
            .iter()
            .map(|row| (vec![("side", row.side.word()), ("reason", row.reason.word())], row.count));
        out.counters("endings", "Sides of connections that ended", None, endings)?;
        let [accepted, ended] = figures.accepted_and_ended;
        out.counters("accepted", "Connections accepted", None, one(accepted))?;
        out.counters("ended", "Connections ended", None, one(ended))?;
        let bytes = [("upstream", figures.bytes[0]), ("client", figures.bytes[1])];
        let bytes = bytes.into_iter().map(|(to, bytes)| (vec![("to", to)], bytes));
        out.counters("relayed", "Bytes relayed, by the side that they went to", Some(&Unit::Bytes), bytes)
    }

    fn listeners(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let rows = &self.figures.listeners;
        let accepting =
            rows.iter().map(|row| (vec![("listener", row.name.as_str())], u64::from(row.accepting)));
        out.gauges("listener_accepting", "Whether a listener accepts: 1, or 0", None, accepting)?;
        let accepted = rows.iter().map(|row| (vec![("listener", row.name.as_str())], row.accepted));
        out.counters("listener_accepted", "Connections that a listener accepted", None, accepted)?;
        let rejected = rows.iter().map(|row| (vec![("listener", row.name.as_str())], row.rejected));
        out.counters("listener_rejected", "Connections that a listener rejected", None, rejected)
    }

    fn latencies(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let latencies = &self.node.record.latencies;
        let accept = [(Vec::new(), &latencies.accept)];
        out.histograms("accept", "From an accept until its thread has the connection", accept)?;
        out.histograms(
            "dial",
            "From a dial until the upstream is connected",
            [(Vec::new(), &latencies.dial)],
        )?;
        let operations = OperationKind::ALL
            .iter()
            .map(|kind| (vec![("operation", kind.word())], latencies.operation(*kind)));
        let help = "From a request until a connection has been acted on";
        out.histograms("operation", help, operations)
    }

    fn jobs(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let states = self.figures.jobs.iter().map(|(state, count)| (vec![("state", state.word())], *count));
        out.gauges("jobs", "Jobs that are kept, by state", None, states)?;
        let (summary, all) = &self.figures.job_connections;
        let parts = [
            ("done", summary.done),
            ("failed", summary.failed),
            ("skipped", summary.skipped),
            ("timed_out", summary.timed_out),
            ("not_found", summary.not_found),
        ];
        let left = all.saturating_sub(parts.iter().map(|(_, count)| count).sum());
        let parts = parts.into_iter().chain([("left", left)]);
        let parts = parts.map(|(status, count)| (vec![("status", status)], count));
        out.gauges("job_connections", "What became of the connections of those jobs", None, parts)
    }

    /// Nothing where nothing is written down.
    fn audit(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let Some(audit) = &self.figures.audit else { return Ok(()) };
        out.counters("audit_lines", "Lines of the audit that were written", None, one(audit.written))?;
        let help = "Writes of the audit that failed";
        out.counters("audit_write_failures", help, None, one(audit.failed))?;
        let help = "Changes refused because the audit could not be written";
        out.counters("audit_refused_changes", help, None, one(audit.refused))?;
        let help = "Lines that the audit will never have: those of changes that went ahead without it";
        out.counters("audit_lost_lines", help, None, one(audit.lost))?;
        let help = "Lines that wait until the audit can be written";
        out.gauges("audit_waiting_lines", help, None, one(audit.owed))?;
        out.gauges("audit_sequence", "The number of the audit's last line", None, one(audit.last_seq))?;
        let help = "The file that the audit writes; full ones are not counted";
        out.gauges("audit_file", help, Some(&Unit::Bytes), one(audit.file_bytes))
    }

    fn certificates(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let numbers: Vec<_> = self.figures.certificates.iter().map(|row| row.number.to_string()).collect();
        let rows = self.figures.certificates.iter().zip(&numbers).map(|(row, number)| {
            let expires_s = u64::try_from(row.expires_at.0 / 1_000).unwrap_or(0);
            (vec![("of", row.of.word()), ("number", number.as_str())], expires_s)
        });
        let help = "When a certificate of the control API expires, since 1970, by its place in its file";
        out.gauges("certificate_expiry", help, Some(&Unit::Seconds), rows)
    }

    fn agent(&self, out: &mut Out<'_, '_>) -> fmt::Result {
        let figures = &self.figures;
        let [open, most] = figures.descriptors;
        out.gauges("descriptors", "Descriptors open", None, one(open))?;
        out.gauges("descriptors_limit", "The most descriptors", None, one(most))?;
        out.gauges("memory", "Resident memory", Some(&Unit::Bytes), one(figures.memory_bytes))?;
        out.counters("events", "Events since the start", None, one(figures.events))?;
        let [bytes, lost] = figures.history;
        out.gauges("history_memory", "Ended connections in memory", Some(&Unit::Bytes), one(bytes))?;
        out.counters("history_lost", "Ended connections that never reached the disk", None, one(lost))?;
        let started = u64::try_from(self.node.started_wall_ms / 1_000).unwrap_or(0);
        out.gauges("start_time", "When the agent started, since 1970", Some(&Unit::Seconds), one(started))?;
        let build = [(vec![("version", env!("CARGO_PKG_VERSION"))], 1)];
        out.gauges("build", "Always 1; the version is a label", None, build)
    }
}

/// A figure without labels.
fn one<'a>(value: u64) -> [(Labels<'a>, u64); 1] {
    [(Vec::new(), value)]
}

/// Writes families of figures.
struct Out<'a, 'e>(&'a mut DescriptorEncoder<'e>);

impl Out<'_, '_> {
    fn gauges<'a>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        rows: impl IntoIterator<Item = (Labels<'a>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Gauge)?;
        for (labels, value) in rows {
            family.encode_family(&labels)?.encode_gauge(&value)?;
        }
        Ok(())
    }

    fn counters<'a>(
        &mut self,
        name: &str,
        help: &str,
        unit: Option<&Unit>,
        rows: impl IntoIterator<Item = (Labels<'a>, u64)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, unit, MetricType::Counter)?;
        for (labels, value) in rows {
            family.encode_family(&labels)?.encode_counter::<NoLabelSet, _, u64>(&value, None)?;
        }
        Ok(())
    }

    #[expect(clippy::cast_precision_loss, reason = "seconds are told as fractions")]
    fn histograms<'a>(
        &mut self,
        name: &str,
        help: &str,
        rows: impl IntoIterator<Item = (Labels<'a>, &'a Latency)>,
    ) -> fmt::Result {
        let mut family = self.0.encode_descriptor(name, help, Some(&Unit::Seconds), MetricType::Histogram)?;
        for (labels, latency) in rows {
            let (counts, sum_us) = latency.read();
            let ends = BOUNDS_US.iter().map(|us| *us as f64 / 1e6).chain([f64::INFINITY]);
            let buckets: Vec<_> = ends.zip(counts).collect();
            let (sum, count) = (sum_us as f64 / 1e6, counts.iter().sum());
            family.encode_family(&labels)?.encode_histogram::<NoLabelSet>(sum, count, &buckets, None)?;
        }
        Ok(())
    }
}
