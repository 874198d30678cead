//! The one thread that decides, signs and keeps.
//!
//! Comparing what was cosigned last with what a request says and putting the new head in its place must be one step, or
//! two requests at once could lead to two histories. Here a single thread does it for all logs. It takes whatever
//! waits: an idle witness answers at once, a busy one keeps many heads with one sync. A cosignature leaves this thread
//! only after its head is kept.

use std::collections::HashMap;
use std::num::NonZeroU32;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Instant;

use countersign_verifier::checkpoint::{LogSigned, Origin};
use countersign_verifier::merkle::{NodeHash, TreeSize};
use tokio::sync::{mpsc, oneshot};

use crate::clock::Clock;
use crate::cosigned::{Cosigned, Cosigner};
use crate::decision::decide;
use crate::health::Stop;
use crate::latest::Latest;
use crate::ledger::{Keep, Position, Positions};
use crate::quota::{Quota, UsedUp};
use crate::refusal::Refusal;

/// How many requests may wait. Further ones are refused at once.
pub(crate) const QUEUE: usize = 4096;
/// How many are decided between two syncs at most.
const BATCH: usize = 1024;
/// The figure of heads cosigned and kept.
pub(crate) const COSIGNATURES: &str = "countersign_cosignatures_total";
/// The figure of how long keeping takes.
pub(crate) const KEEP_SECONDS: &str = "countersign_keep_seconds";

/// What a log asks for, as far as it can be judged without knowing what was cosigned: the log is known, and it signed
/// the head.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) old: TreeSize,
    pub(crate) proof: Vec<NodeHash>,
    pub(crate) head: LogSigned,
    /// The cosignatures a day that the log may have; no limit when `None`.
    pub(crate) per_day: Option<NonZeroU32>,
}

type Verdict = Result<Arc<Cosigned>, Refusal>;

struct Job {
    request: Request,
    reply: oneshot::Sender<Verdict>,
}

/// The way to the thread. When the last one is dropped, the thread finishes what waits and ends.
#[derive(Debug)]
pub(crate) struct Recorder {
    jobs: mpsc::Sender<Job>,
    stop: Stop,
}

impl Recorder {
    /// Starts the thread on what is kept.
    pub(crate) fn start(
        cosigner: Cosigner,
        clock: Arc<dyn Clock>,
        keep: Box<dyn Keep>,
        positions: Positions,
        latest: Arc<Latest>,
        stop: Stop,
    ) -> std::io::Result<(Self, JoinHandle<()>)> {
        let (jobs, waiting) = mpsc::channel(QUEUE);
        let positions = positions.into_iter().map(|(origin, position)| (origin, position.into())).collect();
        let desk = Desk { cosigner, clock, keep, positions, latest, stop: stop.clone() };
        let thread = std::thread::Builder::new().name("recorder".into()).spawn(move || desk.work(waiting))?;
        Ok((Self { jobs, stop }, thread))
    }

    /// Decides on a request. When this returns a head, it is kept.
    pub(crate) async fn ask(&self, request: Request) -> Verdict {
        let (reply, answer) = oneshot::channel();
        self.jobs.try_send(Job { request, reply }).map_err(|error| match error {
            mpsc::error::TrySendError::Full(_) => Refusal::Busy,
            mpsc::error::TrySendError::Closed(_) => self.gone(),
        })?;
        answer.await.unwrap_or_else(|_| Err(self.gone()))
    }

    fn gone(&self) -> Refusal {
        Refusal::Stopped(self.stop.because_recorder_is_gone())
    }
}

/// What the thread knows of one log.
struct Account {
    position: Position,
    quota: Option<Quota>,
}

impl From<Position> for Account {
    fn from(position: Position) -> Self {
        Self { position, quota: None }
    }
}

/// Everything that the thread owns.
struct Desk {
    cosigner: Cosigner,
    clock: Arc<dyn Clock>,
    keep: Box<dyn Keep>,
    positions: HashMap<Origin, Account>,
    latest: Arc<Latest>,
    stop: Stop,
}

impl Desk {
    fn work(mut self, mut waiting: mpsc::Receiver<Job>) {
        while let Some(job) = waiting.blocking_recv() {
            let mut batch = vec![job];
            while batch.len() < BATCH {
                let Ok(job) = waiting.try_recv() else { break };
                batch.push(job);
            }
            self.settle(batch);
        }
    }

    /// Decides on a batch, keeps it, and only then answers: also refusals may rest on heads of the same batch.
    fn settle(&mut self, batch: Vec<Job>) {
        // The newest head of each log in this batch.
        let mut staged: HashMap<Origin, Arc<Cosigned>> = HashMap::new();
        let mut verdicts = Vec::with_capacity(batch.len());
        for Job { request, reply } in batch {
            let verdict = self.judge(&request, &staged);
            if let Ok(head) = &verdict {
                staged.insert(head.origin().clone(), Arc::clone(head));
            }
            verdicts.push((reply, verdict));
        }
        let failure = self.keep(staged).err();
        for (reply, verdict) in verdicts {
            let verdict = match &failure {
                Some(cause) => Err(Refusal::Stopped(Arc::clone(cause))),
                None => verdict,
            };
            // A client that has gone away misses its answer, and finds it when it asks again.
            let _ = reply.send(verdict);
        }
    }

    /// Decides on one request, given what is kept and what is about to be.
    fn judge(&mut self, request: &Request, staged: &HashMap<Origin, Arc<Cosigned>>) -> Verdict {
        if let Some(cause) = self.stop.cause() {
            return Err(Refusal::Stopped(cause));
        }
        let head = request.head.checkpoint();
        let account = self
            .positions
            .entry(head.origin.clone())
            .or_insert(Account { position: Position { head: None, rollback: None }, quota: None });
        if let Some(rollback) = &account.position.rollback {
            return Err(Arc::clone(rollback).into());
        }
        let last = staged.get(&head.origin).or(account.position.head.as_ref());
        decide(last, request.old, &request.proof, head)?;

        let now = self.clock.now().ok_or(Refusal::ClockUnset)?;
        if let Some(previous) = last.map(|last| last.time()).filter(|previous| now < *previous) {
            return Err(Refusal::ClockBehind { now, previous });
        }
        if let Some(per_day) = request.per_day {
            let grows = last.is_none_or(|last| last.size() < head.size);
            let quota = account.quota.get_or_insert_with(|| Quota::new(per_day));
            quota
                .take(grows, self.clock.running())
                .map_err(|UsedUp { per_day, wait }| Refusal::TooMany { per_day, wait })?;
        }
        let cosigned = self.cosigner.cosign(&request.head, now);
        cosigned.map(Arc::new).map_err(|error| Refusal::Stopped(error.to_string().into()))
    }

    fn keep(&mut self, staged: HashMap<Origin, Arc<Cosigned>>) -> Result<(), Arc<str>> {
        if staged.is_empty() {
            return Ok(());
        }
        let heads: Vec<_> = staged.into_values().collect();
        let began = Instant::now();
        self.keep.keep(&heads).map_err(|error| self.stop.because(&error))?;
        metrics::histogram!(KEEP_SECONDS).record(began.elapsed());
        metrics::counter!(COSIGNATURES).increment(heads.len() as u64);
        for head in heads {
            if let Some(account) = self.positions.get_mut(head.origin()) {
                account.position.head = Some(Arc::clone(&head));
            }
            self.latest.show(head);
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
