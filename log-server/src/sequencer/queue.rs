//! What waits for the sequencer: bounded, and fair between issuers. What does not fit is refused at once.

use std::num::NonZeroUsize;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use countersign_verifier::statement::IssuerName;
use tokio::sync::oneshot;

use super::presence::{Presence, Share};
use super::submission::{Answer, Group, MAX_GROUP, Submission};
use crate::fair::{Lanes, Load};
use crate::log::{QueueBounds, SubmitError};
use crate::registrar::Decisions;
use crate::stage::{self, Stage};
use crate::store::Publication;

/// The most of one batch, if more than one group is in it. Larger batches would save little, for a sync is shared by
/// hundreds already, and everyone waits for the batch before their own.
const MAX_BATCH: Load = Load { statements: 1024, bytes: 4 * 1024 * 1024 };
/// How many statements are worth a batch of their own, while more are being checked; and how long those that wait for
/// them wait at most. What a batch costs is shared by all in it, and where checks are what takes the time, it would be
/// written for every few of them.
const WORTHWHILE: usize = 64;
const GATHERING: Duration = Duration::from_millis(1);

/// A published head that is to be written with the next batch, or in one of its own.
#[derive(Debug)]
pub(crate) struct PendingPublication {
    row: Option<Publication>,
    done: oneshot::Sender<()>,
}

impl PendingPublication {
    /// Takes out what is to be written, once.
    pub(crate) fn take_row(&mut self) -> Option<Publication> {
        self.row.take()
    }
}

/// What the sequencer takes at once.
#[derive(Debug, Default)]
pub(crate) struct Work {
    pub(crate) groups: Vec<Group>,
    pub(crate) publication: Option<PendingPublication>,
}

impl Work {
    /// Answers all of it: what was decided is durable.
    pub(crate) fn answer(self, decisions: Vec<Decisions>) {
        for (group, decisions) in self.groups.into_iter().zip(decisions) {
            group.answer(Ok(decisions));
        }
        if let Some(publication) = self.publication {
            let _ = publication.done.send(());
        }
    }

    /// Refuses all of it. Nothing of it was done.
    pub(crate) fn refuse(self, error: &SubmitError) {
        refuse(self.groups, error);
    }
}

fn refuse(groups: impl IntoIterator<Item = Group>, error: &SubmitError) {
    for group in groups {
        group.answer(Err(error.clone()));
    }
}

/// What waits for the sequencer.
#[derive(Debug)]
pub(crate) struct Queue {
    waiting: Mutex<Waiting>,
    filled: Condvar,
    /// How many statements are being checked and then come.
    announced: AtomicUsize,
    /// How many statements of one issuer may be under way.
    of_one: AtomicUsize,
    processors: usize,
}

#[derive(Debug)]
struct Waiting {
    lanes: Lanes<Option<IssuerName>, Group>,
    publication: Option<PendingPublication>,
    closed: bool,
    sequencer: Sequencer,
    presence: Presence,
    share: Share,
    /// How long a batch took to be written lately.
    write: Duration,
}

/// What the sequencer is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Sequencer {
    /// Writing a batch. It looks here when it is done.
    Works,
    /// Waiting for anything to come.
    Sleeps,
    /// Waiting for more to come.
    Gathers,
}

/// A statement that is being checked and then comes, or is dropped.
#[derive(Debug)]
pub(crate) struct Announced(Arc<Queue>);

impl Announced {
    /// What was announced has come.
    fn come(self) {
        self.0.announced.fetch_sub(1, Ordering::Relaxed);
        core::mem::forget(self);
    }
}

impl Drop for Announced {
    fn drop(&mut self) {
        // It will not come: those that waited for it wait no longer.
        if self.0.announced.fetch_sub(1, Ordering::Relaxed) == 1 {
            self.0.wake(self.0.lock());
        }
    }
}

impl Queue {
    pub(crate) fn new(bounds: QueueBounds) -> Self {
        let lanes = Lanes::new(Load { statements: bounds.statements, bytes: bounds.bytes });
        let waiting = Waiting {
            lanes,
            publication: None,
            closed: false,
            sequencer: Sequencer::Works,
            presence: Presence::new(Instant::now()),
            share: Share::ALONE,
            write: Duration::ZERO,
        };
        Self {
            waiting: Mutex::new(waiting),
            filled: Condvar::new(),
            announced: AtomicUsize::new(0),
            of_one: AtomicUsize::new(Share::ALONE.of_one),
            processors: thread::available_parallelism().map_or(1, NonZeroUsize::get),
        }
    }

    /// Says that a statement is being checked, and comes soon if it is sound.
    pub(crate) fn announce(self: &Arc<Self>) -> Announced {
        self.announced.fetch_add(1, Ordering::Relaxed);
        Announced(Arc::clone(self))
    }

    /// Lets a submission wait, all of it or nothing, and gives back where its answers will be. Whoever has another way
    /// to be told is told of a refusal as well.
    pub(crate) fn push(&self, submission: Submission) -> Result<Vec<oneshot::Receiver<Answer>>, SubmitError> {
        let Submission { issuer, groups, announced, answers } = submission;
        let mut waiting = self.lock();
        if let Some(issuer) = &issuer {
            waiting.presence.note(issuer, Instant::now());
            waiting.share = waiting.presence.share(self.processors, waiting.write);
            self.of_one.store(waiting.share.of_one, Ordering::Relaxed);
        }
        if let Some(announced) = announced {
            announced.come();
        }
        let (error, groups) = if waiting.closed {
            (SubmitError::ShuttingDown, groups)
        } else if let Err(groups) = waiting.lanes.push(&issuer, groups) {
            (SubmitError::QueueFull, groups)
        } else {
            self.wake(waiting);
            return Ok(answers);
        };
        self.wake(waiting);
        refuse(groups.into_iter().map(|(_, group)| group), &error);
        Err(error)
    }

    /// Wakes the sequencer if it sleeps and there is something for it. To wake who is awake would cost as much.
    fn wake(&self, waiting: MutexGuard<'_, Waiting>) {
        let wakes = match waiting.sequencer {
            Sequencer::Works => false,
            Sequencer::Sleeps => waiting.has_work(),
            Sequencer::Gathers => self.is_worthwhile(&waiting),
        };
        drop(waiting);
        if wakes {
            self.filled.notify_one();
        }
    }

    /// Whether a batch of what waits need not wait for more.
    fn is_worthwhile(&self, waiting: &Waiting) -> bool {
        waiting.publication.is_some()
            || waiting.closed
            || waiting.lanes.held().statements >= WORTHWHILE
            || self.announced.load(Ordering::Relaxed) == 0
    }

    /// Has a published head written. The receiver hears of it once it is durable, or never. A head that waits to be
    /// written gives way to the newer one.
    pub(crate) fn publish(&self, row: Publication) -> oneshot::Receiver<()> {
        let (done, durable) = oneshot::channel();
        let mut waiting = self.lock();
        if !waiting.closed {
            waiting.publication = Some(PendingPublication { row: Some(row), done });
            self.wake(waiting);
        }
        durable
    }

    /// Waits for work and takes as much of it as makes a batch; `None` once the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Work> {
        let mut waiting = self.lock();
        let mut gathers_until = None;
        loop {
            if waiting.has_work() {
                let now = Instant::now();
                let until = *gathers_until.get_or_insert(now.checked_add(GATHERING).unwrap_or(now));
                let left = until.saturating_duration_since(now);
                if left.is_zero() || self.is_worthwhile(&waiting) {
                    waiting.sequencer = Sequencer::Works;
                    return Some(waiting.take());
                }
                waiting.sequencer = Sequencer::Gathers;
                let woken = self.filled.wait_timeout(waiting, left);
                waiting = woken.unwrap_or_else(PoisonError::into_inner).0;
            } else if waiting.closed {
                return None;
            } else {
                waiting.sequencer = Sequencer::Sleeps;
                waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
            }
        }
    }

    /// Takes nothing more. What waits is still worked off.
    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.filled.notify_all();
    }

    /// Whether it was closed.
    pub(crate) fn is_closed(&self) -> bool {
        self.lock().closed
    }

    /// A batch was written in this time.
    pub(crate) fn wrote(&self, took: Duration) {
        let write = &mut self.lock().write;
        *write = write.saturating_mul(7).saturating_add(took) / 8;
    }

    /// How many statements of one issuer may be under way, from their check to their answer.
    pub(crate) fn share_of_one(&self) -> usize {
        self.of_one.load(Ordering::Relaxed)
    }

    /// How much waits.
    pub(crate) fn depth(&self) -> Load {
        self.lock().lanes.held()
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is left half done under this lock, so a panic elsewhere does not spoil it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn has_work(&self) -> bool {
        !self.lanes.is_empty() || self.publication.is_some()
    }

    fn take(&mut self) -> Work {
        // A group comes with it in any case.
        let statements = MAX_BATCH.statements.min(self.share.of_all.saturating_add(MAX_GROUP));
        let most = Load { statements, ..MAX_BATCH };
        let mut work = Work { groups: Vec::new(), publication: self.publication.take() };
        let mut taken = Load::default();
        while let Some((load, group)) =
            self.lanes.pop_if(|load| taken == Load::default() || taken.plus(load).fits(most))
        {
            taken = taken.plus(load);
            stage::record(Stage::Queued, group.waited());
            work.groups.push(group);
        }
        work
    }
}

#[cfg(test)]
mod tests;
