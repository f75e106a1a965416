//! Carrying a job out: a turn at a time, each as large as the pace allows.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use connctl_api::end::Initiator;
use connctl_api::id::ConnId;
use connctl_api::instant::Instant;
use connctl_api::job::{JobRow, JobState};
use connctl_api::operation::{ItemStatus, SideChoice};
use tokio::sync::{mpsc, watch};

use super::file::JobFile;
use super::{Job, has_failed, tell};
use crate::base::clock;
use crate::base::random::Random;
use crate::conn::command::{Outcome, Replies};
use crate::ops::freeze::GONE;
use crate::ops::pace::{Judge, Pacer};
use crate::ops::{Node, audit, threads};

/// At most so many connections are begun in one go; others of the control API have their turn in between.
const MAX_TURN: usize = 20_000;
/// How often a job that can begin nothing looks up, in milliseconds: its figures are shown.
const LOOK_MS: u64 = 1_000;
const CANCELLED: &str = "the job was cancelled before its turn came";
const STOPPED: &str = "the agent stopped before it was done";

/// Carries a job out to its end.
pub(super) async fn run(node: Arc<Node>, job: Arc<Job>, file: JobFile) {
    let (replies, mut answers) = mpsc::channel(job.entries.len().max(1));
    let mut news = node.trust.news();
    // It may have changed since the one who asked was let in.
    news.mark_changed();
    let mut worker = Worker {
        begun: 0,
        waiting: HashMap::new(),
        replies: Some(replies),
        judge: Judge::new(&job.row.pace),
        meter: Meter { since_ms: clock::now_ms(), accepted: node.stats.accepted() },
        pacer: Pacer::new(&job.row.pace, clock::now_ms(), node.stats.accepted()),
        random: Random::new(),
        fresh: Vec::new(),
        news,
        node,
        job,
        file,
    };
    loop {
        let wait_ms = worker.turn();
        worker.publish().await;
        if worker.is_done() {
            break;
        }
        tokio::select! {
            biased;
            answer = answers.recv() => match answer {
                Some(answer) => {
                    worker.answered(answer);
                    while let Ok(answer) = answers.try_recv() {
                        worker.answered(answer);
                    }
                }
                None => worker.give_up(),
            },
            () = worker.job.wish.notified() => {}
            // Its sender is the node's, which the worker holds.
            Ok(()) = worker.news.changed() => worker.news.mark_changed(),
            () = tokio::time::sleep(Duration::from_millis(wait_ms)) => {}
        }
    }
    worker.end().await;
}

struct Worker {
    node: Arc<Node>,
    job: Arc<Job>,
    /// How many connections have had their turn.
    begun: usize,
    /// Who is still to answer: the place in the job's entries.
    waiting: HashMap<ConnId, usize>,
    /// None once every connection has had its turn: then the answers end with the last one.
    replies: Option<Replies>,
    judge: Judge,
    meter: Meter,
    pacer: Pacer,
    random: Random,
    /// What became of connections since the last time that was told: the place in the job's entries, and how.
    fresh: Vec<(usize, Outcome)>,
    /// Changes when others may ask.
    news: watch::Receiver<u64>,
    file: JobFile,
}

/// Clients that connect, for people to see.
struct Meter {
    since_ms: u64,
    accepted: u64,
}

impl Worker {
    /// Does what can be done now; gives how many milliseconds to wait for something else.
    fn turn(&mut self) -> u64 {
        let (state, is_forgiven) = {
            let mut progress = self.job.progress();
            (progress.state, std::mem::take(&mut progress.is_forgiven))
        };
        if is_forgiven {
            self.judge.forget();
            // What accrued during the pause is lost, and a ramp begins again.
            self.pacer = Pacer::new(&self.job.row.pace, clock::now_ms(), self.node.stats.accepted());
        }
        self.measure();
        let is_news = self.news.has_changed().unwrap_or(false);
        self.news.borrow_and_update();
        // Whoever lets it go on is asked, too.
        if (is_news || is_forgiven) && self.pauses_for_want_of_rights() {
            return LOOK_MS;
        }
        match state {
            JobState::Running if self.begun < self.job.entries.len() => self.begin_some(),
            JobState::Cancelling => {
                self.leave_rest();
                LOOK_MS
            }
            _ => LOOK_MS,
        }
    }

    /// Pauses where whoever answers for it may not do this any more: they may not go on by a job either.
    fn pauses_for_want_of_rights(&self) -> bool {
        let paused = self.job.change(|progress| {
            let actor = progress.answers_for.as_ref()?;
            if progress.state != JobState::Running
                || self.replies.is_none()
                || self.node.trust.may_go_on(actor)
            {
                return None;
            }
            let reason = format!("{} may not do this any more", actor.name);
            progress.pause(Initiator::Agent, reason.clone());
            Some(reason)
        });
        let Some(reason) = paused else { return false };
        tracing::warn!(job = %self.job.id(), reason, "job paused");
        tell(&self.node, &self.job.row());
        tokio::spawn(audit::job_paused(Arc::clone(&self.node), self.job.id(), reason));
        true
    }

    fn begin_some(&mut self) -> u64 {
        let now_ms = clock::now_ms();
        let random = &mut self.random;
        let turn = self.pacer.turn(now_ms, self.node.stats.accepted(), || random.share());
        let end = self.job.entries.len().min(self.begun.saturating_add(turn.count.min(MAX_TURN)));
        self.begin_until(end);
        let is_cut = turn.count > MAX_TURN;
        if is_cut { 0 } else { turn.again_ms.saturating_sub(now_ms).min(LOOK_MS) }
    }

    /// Posts the connections up to this place to their owners; those that have ended are told at once.
    fn begin_until(&mut self, end: usize) {
        let Some(replies) = &self.replies else { return };
        let (mut conns, mut gone): ([Vec<_>; SideChoice::ALL.len()], Vec<_>) = Default::default();
        for place in self.begun..end {
            let Some(entry) = self.job.entries.get(place) else { break };
            match entry.find(&self.node.registry) {
                Some(conn) => {
                    self.waiting.insert(conn.id(), place);
                    conns[entry.side as usize].push(conn);
                }
                None => gone.push(place),
            }
        }
        for (side, conns) in SideChoice::ALL.iter().zip(&conns) {
            let command = self.job.operation.command(*side);
            for (thread, targets) in threads::by_thread(conns) {
                self.node.pool.operate(thread, targets, command.clone(), replies.clone());
            }
        }
        self.begun = end;
        if self.begun == self.job.entries.len() {
            self.replies = None;
        }
        gone.into_iter().for_each(|place| self.tell(place, skipped(GONE)));
    }

    /// The rest is left as it is.
    fn leave_rest(&mut self) {
        for place in self.begun..self.job.entries.len() {
            self.tell(place, skipped(CANCELLED));
        }
        self.begun = self.job.entries.len();
        self.replies = None;
    }

    fn answered(&mut self, (conn_id, outcome): (ConnId, Outcome)) {
        let Some(place) = self.waiting.remove(&conn_id) else { return };
        let verdict = self.judge.add(has_failed(outcome.status));
        self.tell(place, outcome);
        if let Some(reason) = verdict {
            self.job.change(|progress| {
                if progress.state == JobState::Running && self.replies.is_some() {
                    tracing::warn!(job = %self.job.id(), reason, "job paused");
                    progress.pause(Initiator::Agent, reason);
                }
            });
        }
    }

    /// The threads have ended, as they do when the agent stops.
    fn give_up(&mut self) {
        for (_, place) in std::mem::take(&mut self.waiting) {
            self.tell(place, Outcome { status: ItemStatus::Failed, wire: None, error: Some(STOPPED) });
        }
    }

    fn tell(&mut self, place: usize, outcome: Outcome) {
        if let Some(entry) = self.job.entries.get(place) {
            self.file.push(&self.job.item(entry, &outcome));
        }
        self.fresh.push((place, outcome));
    }

    /// Tells what has come, once it is written: what somebody was told, a restart does not take back.
    async fn publish(&mut self) {
        self.file.flush().await;
        if self.fresh.is_empty() {
            return;
        }
        self.job.change(|progress| {
            self.fresh.iter().for_each(|(_, outcome)| progress.summary.add(outcome.status));
            progress.results.append(&mut self.fresh);
        });
    }

    /// Every second, what people see.
    #[expect(clippy::cast_precision_loss, reason = "counts stay far below 2^53")]
    fn measure(&mut self) {
        let now_ms = clock::now_ms();
        let elapsed_ms = now_ms.saturating_sub(self.meter.since_ms);
        if elapsed_ms < LOOK_MS {
            return;
        }
        let accepted = self.node.stats.accepted();
        let reconnects = accepted.saturating_sub(self.meter.accepted) as f64 * 1000.0 / elapsed_ms as f64;
        self.meter = Meter { since_ms: now_ms, accepted };
        let mut progress = self.job.progress();
        (progress.reconnect_rate, progress.rate) = (reconnects, self.pacer.rate());
    }

    fn is_done(&self) -> bool {
        self.begun == self.job.entries.len() && self.waiting.is_empty()
    }

    async fn end(mut self) {
        let before = self.job.row();
        let is_cancelled = before.state == JobState::Cancelling;
        let row = JobRow {
            state: if is_cancelled { JobState::Cancelled } else { JobState::Done },
            reason: None,
            paused_by: None,
            remaining_ms: 0,
            ended_at: Some(Instant(clock::wall_ms())),
            ..before
        };
        self.file.end(&row).await;
        self.job.change(|progress| {
            progress.state = row.state;
            progress.reason = None;
            progress.ended_at = row.ended_at;
        });
        tracing::info!(
            job = %row.job_id,
            state = row.state.word(),
            done = row.summary.done,
            of = row.connections,
            "job ended"
        );
        tell(&self.node, &row);
    }
}

fn skipped(error: &'static str) -> Outcome {
    Outcome { status: ItemStatus::Skipped, wire: None, error: Some(error) }
}
