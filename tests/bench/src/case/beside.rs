//! What `connctl list` without a pause costs those whose connections are listed, as `redis-benchmark` sees it; and
//! how much of that is the agent's.
//!
//! A loop that starts processes costs a busy machine most of it, whatever the processes do. So the same is measured
//! beside a loop of the same command that asks no agent, and with the agent asked on spare CPU time only: by a
//! kept connection, and by the command.

use std::net::{Ipv4Addr, SocketAddr};
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Instant;

use anyhow::{Context, Result, anyhow, ensure};

use super::{Case, Readings, Setup};
use crate::control::connctl::{Kept, NO_AGENT, commands};
use crate::load::held::{Held, PING};
use crate::measure::program::Starter;
use crate::measure::spare;
use crate::metric;
use crate::proxy::{Proxy, Who};

/// Idle connections beside those of `redis-benchmark`, so that no list is short.
const IDLE: usize = 50;
/// Requests in one run of `redis-benchmark`, for each millisecond that is measured elsewhere.
const REQUESTS_PER_MS: u128 = 60;
/// Its 99th percentile, counted from 0, and all its columns.
const P99: usize = 6;
const COLUMNS: usize = 8;

pub(super) static LISTING: Case = Case {
    name: "beside",
    metrics: &[
        &metric::BESIDE_ALONE,
        &metric::BESIDE_LIST,
        &metric::BESIDE_PROCESS,
        &metric::BESIDE_SPARE_LIST,
        &metric::BESIDE_SPARE_REQUEST,
        &metric::BESIDE_LISTS,
        &metric::BESIDE_PROCESSES,
        &metric::BESIDE_SPARE_LISTS,
        &metric::BESIDE_SPARE_REQUESTS,
        &metric::BESIDE_LIST_TIMES,
        &metric::BESIDE_PROCESS_TIMES,
        &metric::BESIDE_LIST_OVER_PROCESS,
        &metric::BESIDE_SPARE_LIST_TIMES,
        &metric::BESIDE_SPARE_REQUEST_TIMES,
    ],
    who: &[Who::Direct, Who::Connctl1],
    run,
};

/// `redis-benchmark` in one situation.
struct Found {
    /// Microseconds.
    p99: f64,
    /// Runs, or requests, of the loop beside it in a second.
    rate: f64,
}

fn run(setup: &Setup, who: Who) -> Result<Readings> {
    // Redis has no upstream.
    let nowhere = SocketAddr::from((Ipv4Addr::LOCALHOST, 0));
    let redis = Proxy::start(Who::Redis, nowhere, &setup.connctl)?;
    let proxy = Proxy::start(who, redis.address, &setup.connctl)?;
    let mut held = Held::default();
    let mut starter = Starter::new()?;
    held.fill(proxy.address, IDLE, PING)?;
    let bench = Bench { to: proxy.address, requests: setup.span.measured.as_millis() * REQUESTS_PER_MS };
    // The pages and the ports, for whom it is measured with first.
    bench.p99()?;
    let alone = bench.p99()?;
    let connctl = setup.connctl.to_string_lossy();
    let mut readings = vec![(&metric::BESIDE_ALONE, alone)];
    let nobody = redis.control()?.with_file_name("nobody.sock");
    let asks_nobody = commands::list_json_lines(&nobody);
    let process = bench.beside_program(&mut starter, &connctl, asks_nobody, NO_AGENT)?.0;
    readings.extend([
        (&metric::BESIDE_PROCESS, process.p99),
        (&metric::BESIDE_PROCESSES, process.rate),
        (&metric::BESIDE_PROCESS_TIMES, process.p99 / alone),
    ]);
    if who == Who::Connctl1 {
        let others = proxy.pids()?.into_iter().chain(redis.pids()?).chain([std::process::id()]).collect();
        let listing = Listing { bench, connctl: &connctl, control: proxy.control()?, others };
        readings.extend(listing.readings(&mut starter, alone, process.p99)?);
    }
    Ok(readings)
}

/// Who is asked for lists, and by what.
struct Listing<'a> {
    bench: Bench,
    connctl: &'a str,
    control: &'a Path,
    /// Those who go before whoever has spare CPU time only.
    others: Vec<u32>,
}

impl Listing<'_> {
    fn readings(&self, starter: &mut Starter, alone: f64, process: f64) -> Result<Readings> {
        let list = self.lists(starter)?;
        let spare_request = self.bench.beside_requests(self.control, &self.others)?;
        spare::only(starter.pid(), &self.others)?;
        let spare_list = self.lists(starter)?;
        Ok(vec![
            (&metric::BESIDE_LIST, list.p99),
            (&metric::BESIDE_LISTS, list.rate),
            (&metric::BESIDE_LIST_TIMES, list.p99 / alone),
            (&metric::BESIDE_LIST_OVER_PROCESS, list.p99 / process),
            (&metric::BESIDE_SPARE_REQUEST, spare_request.p99),
            (&metric::BESIDE_SPARE_REQUESTS, spare_request.rate),
            (&metric::BESIDE_SPARE_REQUEST_TIMES, spare_request.p99 / alone),
            (&metric::BESIDE_SPARE_LIST, spare_list.p99),
            (&metric::BESIDE_SPARE_LISTS, spare_list.rate),
            (&metric::BESIDE_SPARE_LIST_TIMES, spare_list.p99 / alone),
        ])
    }

    /// Beside the command, whose every list must be complete.
    fn lists(&self, starter: &mut Starter) -> Result<Found> {
        let words = commands::list_json_lines(self.control);
        let (found, lines) = self.bench.beside_program(starter, self.connctl, words, 0)?;
        ensure!(lines >= IDLE, "a list of {lines} lines, expected {IDLE}");
        Ok(found)
    }
}

/// How `redis-benchmark` is run.
struct Bench {
    to: SocketAddr,
    requests: u128,
}

impl Bench {
    /// The p99 in microseconds of one run: `GET` over 50 connections, as fast as they go.
    fn p99(&self) -> Result<f64> {
        let (host, port) = (self.to.ip().to_string(), self.to.port().to_string());
        let said = Command::new("redis-benchmark")
            .args(["-h", &host, "-p", &port, "-t", "get", "-c", "50", "--csv", "-n"])
            .arg(self.requests.to_string())
            .output()
            .context("cannot start redis-benchmark")?;
        let text = String::from_utf8_lossy(&said.stdout);
        ensure!(said.status.success(), "redis-benchmark: {}", String::from_utf8_lossy(&said.stderr).trim());
        p99_of(&text).with_context(|| format!("redis-benchmark said {text:?}"))
    }

    /// The same beside a loop of a program; and the fewest lines that it printed.
    fn beside_program(
        &self,
        starter: &mut Starter,
        program: &str,
        words: Vec<String>,
        code: i32,
    ) -> Result<(Found, usize)> {
        let start = Instant::now();
        starter.repeat(program, words, code)?;
        let p99 = self.p99();
        let runs = starter.stop()?;
        let rate = runs.ms.len() as f64 / start.elapsed().as_secs_f64();
        Ok((Found { p99: p99?, rate }, runs.lines))
    }

    /// The same beside `GET /v1/connections` without a pause, over one connection and on spare CPU time.
    fn beside_requests(&self, control: &Path, others: &[u32]) -> Result<Found> {
        let mut kept = Kept::connect(control, None)?;
        let stop = AtomicBool::new(false);
        thread::scope(|scope| {
            let asking = scope.spawn(|| {
                spare::only(rustix::thread::gettid(), others)?;
                let (start, mut requests) = (Instant::now(), 0_u64);
                while !stop.load(Ordering::Relaxed) {
                    ensure!(kept.page()? >= IDLE, "a short list");
                    requests += 1;
                }
                Ok(requests as f64 / start.elapsed().as_secs_f64())
            });
            let p99 = self.p99();
            stop.store(true, Ordering::Relaxed);
            let rate = asking.join().map_err(|_| anyhow!("the asking thread panicked"))??;
            Ok(Found { p99: p99?, rate })
        })
    }
}

/// From lines like `"GET","71428.57","0.600","0.120","0.583","0.823","1.543","3.111"`, below a heading.
fn p99_of(csv: &str) -> Option<f64> {
    let columns: Vec<&str> = csv.lines().last()?.split(',').map(|cell| cell.trim_matches('"')).collect();
    let ms: f64 = columns.get(P99)?.parse().ok()?;
    (columns.len() == COLUMNS && columns.first() == Some(&"GET")).then_some(ms * 1000.0)
}

#[cfg(test)]
mod tests {
    use super::p99_of;

    #[test]
    fn the_p99_is_read_from_the_line_of_the_test() {
        let heading = "\"test\",\"rps\",\"avg_latency_ms\",\"min_latency_ms\",\"p50_latency_ms\",\
            \"p95_latency_ms\",\"p99_latency_ms\",\"max_latency_ms\"\n";
        let line = "\"GET\",\"71428.57\",\"0.600\",\"0.120\",\"0.583\",\"0.823\",\"1.543\",\"3.111\"\n";
        assert_eq!(p99_of(&format!("{heading}{line}")), Some(1543.0));
        assert_eq!(p99_of(heading), None);
        assert_eq!(p99_of("\"GET\",\"71428.57\"\n"), None);
        assert_eq!(p99_of(""), None);
    }
}
