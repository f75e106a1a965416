//! What is measured: one entry for each row of the result.

use serde::Serialize;

/// Which end of a metric is the good one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Better {
    More,
    Less,
}

/// A measured quantity.
#[derive(Debug, Serialize)]
pub(crate) struct Metric {
    /// Stable name for scripts.
    pub(crate) id: &'static str,
    pub(crate) label: &'static str,
    pub(crate) unit: &'static str,
    pub(crate) better: Better,
}

impl PartialEq for Metric {
    fn eq(&self, other: &Self) -> bool {
        self.id == other.id
    }
}

macro_rules! metrics {
    ($($name:ident $id:literal $label:literal $unit:literal $better:ident;)*) => {
        $(pub(crate) static $name: Metric =
            Metric { id: $id, label: $label, unit: $unit, better: Better::$better };)*
        /// Every metric, for the test that ids are unique.
        #[cfg(test)]
        static ALL: &[&Metric] = &[$(&$name),*];
    };
}

metrics! {
    PULL1_RATE      "tput1.rate"        "throughput, 1 stream"                         "Gbit/s"  More;
    PULL1_PROCESS   "tput1.cpu"         "relay CPU, 1 stream"                          "s/GB"    Less;
    PULL1_MACHINE   "tput1.machine"     "machine CPU, 1 stream"                        "s/GB"    Less;
    PULL16_RATE     "tput16.rate"       "throughput, 16 streams"                       "Gbit/s"  More;
    PULL16_PROCESS  "tput16.cpu"        "relay CPU, 16 streams"                        "s/GB"    Less;
    PULL16_MACHINE  "tput16.machine"    "machine CPU, 16 streams"                      "s/GB"    Less;
    PUSH1_RATE      "push1.rate"        "throughput to the upstream, 1 stream"         "Gbit/s"  More;
    PUSH1_PROCESS   "push1.cpu"         "relay CPU to the upstream, 1 stream"          "s/GB"    Less;
    PUSH1_MACHINE   "push1.machine"     "machine CPU to the upstream, 1 stream"        "s/GB"    Less;
    ONE_P50         "lat1.p50"          "latency p50, 1 connection, one CPU"           "us"      Less;
    ONE_P99         "lat1.p99"          "latency p99, 1 connection, one CPU"           "us"      Less;
    ONE_P999        "lat1.p999"         "latency p99.9, 1 connection, one CPU"         "us"      Less;
    ONE_PACED_P50   "lat1rate.p50"      "latency p50, 1 connection, one CPU, 1000/s"   "us"      Less;
    ONE_PACED_P99   "lat1rate.p99"      "latency p99, 1 connection, one CPU, 1000/s"   "us"      Less;
    ONE_PACED_P999  "lat1rate.p999"     "latency p99.9, 1 connection, one CPU, 1000/s" "us"      Less;
    MANY_RATE       "lat64.rate"        "requests, 64 connections"                     "1/s"     More;
    MANY_P50        "lat64.p50"         "latency p50, 64 connections"                  "us"      Less;
    MANY_P99        "lat64.p99"         "latency p99, 64 connections"                  "us"      Less;
    MANY_P999       "lat64.p999"        "latency p99.9, 64 connections"                "us"      Less;
    MANY_PROCESS    "lat64.cpu"         "relay CPU per request, 64 connections"        "us"      Less;
    MANY_MACHINE    "lat64.machine"     "machine CPU per request, 64 connections"      "us"      Less;
    PACED_P50       "lat64rate.p50"     "latency p50, 64 connections, 5000/s"          "us"      Less;
    PACED_P99       "lat64rate.p99"     "latency p99, 64 connections, 5000/s"          "us"      Less;
    PACED_P999      "lat64rate.p999"    "latency p99.9, 64 connections, 5000/s"        "us"      Less;
    CONNECT_RATE    "connrate.rate"     "new connections"                              "1/s"     More;
    CONNECT_PROCESS "connrate.cpu"      "relay CPU per new connection"                 "us"      Less;
    CONNECT_MACHINE "connrate.machine"  "machine CPU per new connection"               "us"      Less;
    CONNECT_P99     "connrate.p99"      "p99 until a new connection's first answer"    "us"      Less;
    CONNECT_FAILED  "connrate.failed"   "new connections that failed"                  "count"   Less;
    FRESH           "memory.fresh"      "memory of the fresh process"                  "MiB"     Less;
    PAIR_1000       "memory.pair1000"   "own memory per idle pair, 1000 held"          "B"       Less;
    PAIR_8000       "memory.pair8000"   "own memory per idle pair, 8000 held"          "B"       Less;
    LIST            "list.api"          "list 8000, complete answer of the control socket" "ms"  Less;
    LIST_SELECTED   "listwhere.api"     "list 8000 by an expression, beside complete lists" "ms" Less;
    LIST_PROGRAM    "listcli.table"     "list 8000, whole process"                     "ms"      Less;
    LIST_LINES      "listcli.jsonl"     "list 8000, whole process, JSON lines"         "ms"      Less;
    QUERY           "query.cli"         "query about one connection, whole process"    "ms"      Less;
    CLOSE_ALL       "closeall.api"      "close 8000 until all clients saw it"          "ms"      Less;
    CLOSE_ALL_CLI   "closeallcli.cli"   "close 8000 by command until all clients saw it" "ms"    Less;
    CLOSE_ONE       "closeone.api"      "close one of 8000: answer, and its client saw it" "ms"  Less;
    AUDIT_OFF       "audit.off"         "close one: no audit"                          "ms"      Less;
    AUDIT_BEST_EFFORT "audit.besteffort" "close one: audit at best effort"             "ms"      Less;
    AUDIT_REQUIRED  "audit.required"    "close one: audit required"                    "ms"      Less;
    AUDIT_OFF_RATE  "audit.offrate"     "close, 8 at a time: no audit"                 "1/s"     More;
    AUDIT_BEST_EFFORT_RATE "audit.besteffortrate" "close, 8 at a time: audit at best effort" "1/s" More;
    AUDIT_REQUIRED_RATE "audit.requiredrate" "close, 8 at a time: audit required"      "1/s"     More;
    TOKENS_NONE     "tokens.none"       "one request, no tokens"                       "us"      Less;
    TOKENS_ONE      "tokens.one"        "one request with a token, of 1"               "us"      Less;
    TOKENS_1000     "tokens.1000"       "one request with a token, of 1000"            "us"      Less;
    STALL_IDLE      "stall.idle"        "relay p99, 2000/s, 8000 held, nobody lists"   "us"      Less;
    STALL_LISTED    "stall.listed"      "relay p99, 2000/s, 8000 held, list in a loop" "us"      Less;
    STALL_TIMES     "stall.times"       "relay p99 while listing, against nobody lists" "x"      Less;
    BESIDE_ALONE "beside.alone"
        "redis-benchmark p99, alone" "us" Less;
    BESIDE_LIST "beside.list"
        "redis-benchmark p99, beside `connctl list`" "us" Less;
    BESIDE_PROCESS "beside.process"
        "redis-benchmark p99, beside a loop without agent" "us" Less;
    BESIDE_SPARE_LIST "beside.sparelist"
        "redis-benchmark p99, beside `connctl list` on spare CPU" "us" Less;
    BESIDE_SPARE_REQUEST "beside.sparerequest"
        "redis-benchmark p99, beside list requests on spare CPU" "us" Less;
    BESIDE_LISTS "beside.lists"
        "beside it: `connctl list`" "1/s" More;
    BESIDE_PROCESSES "beside.processes"
        "beside it: commands without agent" "1/s" More;
    BESIDE_SPARE_LISTS "beside.sparelists"
        "beside it: `connctl list` on spare CPU" "1/s" More;
    BESIDE_SPARE_REQUESTS "beside.sparerequests"
        "beside it: list requests on spare CPU" "1/s" More;
    BESIDE_LIST_TIMES "beside.listtimes"
        "p99 beside `connctl list`, against alone" "x" Less;
    BESIDE_PROCESS_TIMES "beside.processtimes"
        "p99 beside a loop without agent, against alone" "x" Less;
    BESIDE_LIST_OVER_PROCESS "beside.listoverprocess"
        "p99 beside `connctl list`, against a loop without agent" "x" Less;
    BESIDE_SPARE_LIST_TIMES "beside.sparelisttimes"
        "p99 beside `connctl list` on spare CPU, against alone" "x" Less;
    BESIDE_SPARE_REQUEST_TIMES "beside.sparerequesttimes"
        "p99 beside list requests on spare CPU, against alone" "x" Less;
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::ALL;

    #[test]
    fn ids_are_unique() {
        assert_eq!(ALL.iter().map(|metric| metric.id).collect::<BTreeSet<_>>().len(), ALL.len());
    }
}
