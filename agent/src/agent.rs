//! Putting the parts together, from the bottom up, and stopping them from the top down.

use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::Context;
use connctl_api::id::NodeId;
use connctl_api::instant::Instant;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::watch;

use crate::args::RunArgs;
use crate::base::clock;
use crate::base::log::{self, Levels};
use crate::base::manager;
use crate::base::state_dir::{Ids, StateDir};
use crate::config::Settings;
use crate::config::audit::AuditSettings;
use crate::config::policy::count;
use crate::config::words::{Level, LogFormat};
use crate::control::Server;
use crate::listener::{self, Inside, Listeners};
use crate::net::handed::Handed;
use crate::ops::job::Jobs;
use crate::ops::plan::Plans;
use crate::ops::source::{Read, Source};
use crate::ops::trust::Trust;
use crate::ops::{self, Node, Parts, node, reload, stop};
use crate::outbound::{self, Outbound};
use crate::policy::admission::Admission;
use crate::policy::book::Book;
use crate::policy::revoke::Revocations;
use crate::record::Record;
use crate::record::audit::Audit;
use crate::record::stats::Stats;
use crate::registry::Registry;
use crate::relay::{Budget, Pool, Shared};

/// Descriptors that stay free of connections: for the control API and those who are not known to it yet, files and
/// name lookups.
const RESERVED_DESCRIPTORS: usize = 896;
/// Bulk pipes of the whole agent; each has two descriptors and 1 MiB of what one user may have in pipes.
const MAX_PIPES: usize = 64;
/// The history, in the state directory.
const HISTORY_FILE: &str = "history.redb";

/// Runs an agent until a signal ends it.
///
/// # Errors
/// Whatever keeps it from serving, by name; nothing is left behind then.
pub fn run(args: RunArgs) -> anyhow::Result<ExitCode> {
    let handed = Handed::receive()?;
    let settings = Arc::new(args.clone().settings()?);
    let has_file = args.has_file();
    let read: Box<Read> = Box::new(move || args.clone().settings());
    let source = Source::new(Arc::clone(&settings), has_file.then_some(read));
    let log = log::start(settings.log.map(Level::word), settings.log_format == LogFormat::Json)?;
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    let result = runtime.block_on(serve(settings, source, log.levels(), handed));
    // A name lookup may hang for long; it is not waited for.
    runtime.shutdown_background();
    result.map(|()| ExitCode::SUCCESS)
}

async fn serve(
    settings: Arc<Settings>,
    source: Source,
    levels: Levels,
    handed: Handed,
) -> anyhow::Result<()> {
    let mut signals = Signals::new()?;
    let (node, server) = build(settings, source, levels, handed).await?;
    print_ready(&node)?;

    let (stop_control, stopped) = watch::channel(false);
    let control = tokio::spawn(server.serve(Arc::clone(&node), stopped));
    manager::ready(&node::status(&node));
    let pulse = tokio::spawn(beat(Arc::clone(&node)));
    signals.end(&node).await;
    end_connections(&node, &mut signals).await;
    // Whoever holds the receiver has ended already where this fails.
    let _ = stop_control.send(true);
    if let Err(error) = control.await {
        tracing::error!(%error, "the control API ended badly");
    }
    pulse.abort();
    node.pool.stop();
    node.record.close();
    if let Some(audit) = &node.audit {
        ops::audit::stopped(audit);
    }
    tracing::info!("stopped");
    Ok(())
}

/// Builds the agent from the bottom up. Everything that can be wrong outside is found before the first thread
/// is started: addresses, the state directory and what an earlier agent has left there.
async fn build(
    settings: Arc<Settings>,
    source: Source,
    levels: Levels,
    mut handed: Handed,
) -> anyhow::Result<(Arc<Node>, Server)> {
    let bound = listener::take_or_bind(&settings.listeners, 0, &mut handed)?;
    let left = Left::open(&settings)?;
    let server = Server::bind(&settings, &mut handed)?;
    handed.all_taken()?;

    let shared = shared(&settings, &left);
    let pool = Arc::new(Pool::start(settings.threads, &shared).context("no thread for the relay")?);
    let own = outbound::Inside {
        pool: Arc::clone(&pool),
        ids: Arc::clone(&left.ids),
        stats: Arc::clone(&shared.stats),
        descriptors: Arc::clone(&shared.descriptors),
    };
    let inside = inside(&settings, &shared, &pool, left.ids);
    let trust = Trust::new(&settings.trust);
    let audit = match &settings.audit {
        Some(audit) => Some(open_audit(audit, settings.node_id).await?),
        None => None,
    };
    let node = Node::new(Parts {
        listeners: Listeners::start(bound, inside)?,
        source,
        levels,
        book: Book::new(&settings),
        outbound: Outbound::new(own, &settings.outbound),
        settings,
        everyone: shared.registry,
        trust,
        audit,
        revocations: shared.revocations,
        stats: shared.stats,
        record: shared.record,
        pool,
        plans: left.plans,
        jobs: left.jobs,
        control: server.addresses(),
        started_wall_ms: clock::wall_ms(),
        started_ms: clock::now_ms(),
    });
    Ok((Arc::new(node), server))
}

/// What an earlier agent has left in the state directory, and this one goes on with.
struct Left {
    revocations: Arc<Revocations>,
    plans: Plans,
    jobs: Jobs,
    record: Arc<Record>,
    ids: Arc<Ids>,
}

impl Left {
    fn open(settings: &Settings) -> anyhow::Result<Self> {
        let dir = settings.state_dir.as_deref().map(StateDir::open).transpose()?.map(Arc::new);
        let history = dir.as_deref().map(|dir| dir.file(HISTORY_FILE));
        Ok(Self {
            revocations: Arc::new(Revocations::open(dir.clone(), Instant(clock::wall_ms()))?),
            plans: Plans::open(dir.clone(), settings.plan_lifetime),
            jobs: Jobs::open(dir.clone()),
            record: Arc::new(Record::open(&settings.record, history)?),
            ids: Arc::new(Ids::open(dir)?),
        })
    }
}

/// What the relay's threads share with the rest.
fn shared(settings: &Settings, left: &Left) -> Shared {
    let (descriptors, pipes) = shares(node::descriptors_limit(), usize::from(settings.threads));
    Shared {
        registry: Arc::new(Registry::default()),
        revocations: Arc::clone(&left.revocations),
        stats: Arc::new(Stats::default()),
        record: Arc::clone(&left.record),
        resolver: tokio::runtime::Handle::current(),
        descriptors: Arc::new(Budget::new(descriptors)),
        pipes,
    }
}

/// What accepting works with.
fn inside(settings: &Settings, shared: &Shared, pool: &Arc<Pool>, ids: Arc<Ids>) -> Inside {
    let admission = Arc::new(Admission::default());
    admission.set_limits(
        count(settings.max_connections),
        settings.listeners.iter().map(|listener| listener.policies.limits).enumerate(),
    );
    Inside {
        registry: Arc::clone(&shared.registry),
        revocations: Arc::clone(&shared.revocations),
        admission,
        pool: Arc::clone(pool),
        ids,
        stats: Arc::clone(&shared.stats),
        descriptors: Arc::clone(&shared.descriptors),
    }
}

/// Lets the connections come to their end, closes what is left, and resets that where a second signal comes.
async fn end_connections(node: &Arc<Node>, signals: &mut Signals) {
    let grace = node.source.in_force().shutdown_grace;
    manager::stopping(grace);
    tracing::info!("stopping: new connections are refused");
    tokio::select! {
        () = async { stop::drain(node, grace).await; stop::close_all(node).await } => {}
        () = signals.next() => {
            tracing::info!("a second signal: what is left is reset");
            stop::reset_all(node).await;
        }
    }
}

/// Shows the service manager that the agent is alive, where it wants to see that: this thread turns, and every
/// relay thread answers.
async fn beat(node: Arc<Node>) {
    let Some(interval) = manager::interval() else { return };
    loop {
        node::threads_answer(&node).await;
        manager::alive(&node::status(&node));
        tokio::time::sleep(interval).await;
    }
}

async fn open_audit(settings: &AuditSettings, node_id: NodeId) -> anyhow::Result<Arc<Audit>> {
    let (audit, opened) = Audit::open(&settings.path, settings.max_bytes)
        .with_context(|| format!("audit_file {} cannot be used", settings.path.display()))?;
    let file = settings.path.display();
    if opened.torn_bytes > 0 {
        tracing::warn!(%file, bytes = opened.torn_bytes, "a crash had cut off the last line of the audit");
    }
    if let Some(damage) = opened.damage {
        tracing::error!(%file, damage, "the audit is not as it was left");
    }
    ops::audit::started(&audit, &opened, node_id).await;
    Ok(Arc::new(audit))
}

/// What connections may have of the descriptors, and the pipes of each thread.
fn shares(limit: usize, threads: usize) -> (usize, usize) {
    let pipes = MAX_PIPES.min(limit / 64);
    let reserved = RESERVED_DESCRIPTORS.min(limit / 4) + 2 * pipes;
    (limit.saturating_sub(reserved), (pipes / threads.max(1)).max(1))
}

fn print_ready(node: &Node) -> anyhow::Result<()> {
    let listeners: Vec<_> = node
        .listeners
        .places()
        .iter()
        .map(|place| {
            let upstream: Vec<_> = place.settings.upstream.iter().map(ToString::to_string).collect();
            serde_json::json!({
                "name": place.settings.name,
                "mode": place.settings.mode,
                "bind": place.address.to_string(),
                "upstream": (!upstream.is_empty()).then(|| upstream.join(",")),
            })
        })
        .collect();
    let line = serde_json::json!({
        "event": "ready",
        "node_id": node.settings.node_id,
        "control": node.control.iter().map(ToString::to_string).collect::<Vec<_>>(),
        "listeners": listeners,
    });
    let mut stdout = std::io::stdout().lock();
    writeln!(stdout, "{line}").and_then(|()| stdout.flush()).context("the ready line cannot be written")
}

/// The signals that end an agent, and the one that has it read its configuration again.
struct Signals {
    /// Whoever writes to a file that may not grow is told so, and not killed.
    _file_size: Signal,
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

impl Signals {
    fn new() -> std::io::Result<Self> {
        let [hangup, terminate, interrupt] =
            [SignalKind::hangup(), SignalKind::terminate(), SignalKind::interrupt()].map(signal);
        let _file_size = signal(SignalKind::from_raw(rustix::process::Signal::XFSZ.as_raw()))?;
        Ok(Self { _file_size, hangup: hangup?, terminate: terminate?, interrupt: interrupt? })
    }

    /// Returns when the agent is to end, and reloads meanwhile.
    async fn end(&mut self, node: &Arc<Node>) {
        loop {
            tokio::select! {
                _ = self.terminate.recv() => return,
                _ = self.interrupt.recv() => return,
                _ = self.hangup.recv() => reload::reload_by_signal(node).await,
            }
        }
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.terminate.recv() => {}
            _ = self.interrupt.recv() => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn descriptors_are_left_for_the_control_api_under_any_limit() {
        for limit in [64, 256, 1024, 20_000, 1_000_000] {
            let (connections, pipes) = shares(limit, 2);
            assert!(connections < limit && pipes >= 1, "{limit}");
            assert!(limit - connections >= (limit / 4).min(RESERVED_DESCRIPTORS));
        }
        assert!(shares(20_000, 2).0 >= 16_000 + 2_000);
    }
}
