//! What waits for the sequencer. The queue is bounded: what does not fit is refused at once.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};

use countersign_verifier::statement::VerifiedStatement;
use tokio::sync::oneshot;

use crate::log::{Atomicity, QueueBounds, SubmitError};
use crate::registrar::Decisions;
use crate::store::Publication;

/// The most statements of one batch, if more than one submission is in it.
const MAX_BATCH_STATEMENTS: usize = 4096;
/// The most bytes of one batch, if more than one submission is in it.
const MAX_BATCH_BYTES: usize = 16 * 1024 * 1024;

/// The answer to a submission.
pub(crate) type Answer = Result<Decisions, SubmitError>;

/// The statements of one submission. Who drops it without an answer leaves the submitter with none.
#[derive(Debug)]
pub(crate) struct Group {
    statements: Vec<VerifiedStatement>,
    count: usize,
    bytes: usize,
    atomicity: Atomicity,
    reply: oneshot::Sender<Answer>,
}

impl Group {
    pub(crate) fn new(
        statements: Vec<VerifiedStatement>,
        atomicity: Atomicity,
    ) -> (Self, oneshot::Receiver<Answer>) {
        let (reply, answer) = oneshot::channel();
        let bytes = statements.iter().map(|statement| statement.statement().bytes().len()).sum();
        (Self { count: statements.len(), statements, bytes, atomicity, reply }, answer)
    }

    pub(crate) fn atomicity(&self) -> Atomicity {
        self.atomicity
    }

    /// Takes the statements out, once.
    pub(crate) fn take_statements(&mut self) -> Vec<VerifiedStatement> {
        core::mem::take(&mut self.statements)
    }
}

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
    /// Answers all of it: what was decided is durable. Whether the submitters still wait does not matter.
    pub(crate) fn answer(self, decisions: Vec<Decisions>) {
        for (group, decisions) in self.groups.into_iter().zip(decisions) {
            let _ = group.reply.send(Ok(decisions));
        }
        if let Some(publication) = self.publication {
            let _ = publication.done.send(());
        }
    }

    /// Refuses all of it. Nothing of it was done.
    pub(crate) fn refuse(self, error: &SubmitError) {
        for group in self.groups {
            let _ = group.reply.send(Err(error.clone()));
        }
    }
}

/// What waits for the sequencer.
#[derive(Debug)]
pub(crate) struct Queue {
    bounds: QueueBounds,
    waiting: Mutex<Waiting>,
    filled: Condvar,
}

#[derive(Debug, Default)]
struct Waiting {
    groups: VecDeque<Group>,
    statements: usize,
    bytes: usize,
    publication: Option<PendingPublication>,
    closed: bool,
}

impl Queue {
    pub(crate) fn new(bounds: QueueBounds) -> Self {
        Self { bounds, waiting: Mutex::default(), filled: Condvar::new() }
    }

    /// Lets a submission wait. One that is alone always fits, so that none is refused for ever.
    pub(crate) fn push(&self, group: Group) -> Result<(), SubmitError> {
        let mut waiting = self.lock();
        if waiting.closed {
            return Err(SubmitError::ShuttingDown);
        }
        let statements = waiting.statements.saturating_add(group.count);
        let bytes = waiting.bytes.saturating_add(group.bytes);
        let full = statements > self.bounds.statements || bytes > self.bounds.bytes;
        if full && !waiting.groups.is_empty() {
            return Err(SubmitError::QueueFull);
        }
        (waiting.statements, waiting.bytes) = (statements, bytes);
        waiting.groups.push_back(group);
        self.filled.notify_one();
        Ok(())
    }

    /// Has a published head written. The receiver hears of it once it is durable, or never. A head that waits to be
    /// written gives way to the newer one.
    pub(crate) fn publish(&self, row: Publication) -> oneshot::Receiver<()> {
        let (done, durable) = oneshot::channel();
        let mut waiting = self.lock();
        if !waiting.closed {
            waiting.publication = Some(PendingPublication { row: Some(row), done });
            self.filled.notify_one();
        }
        durable
    }

    /// Waits for work and takes as much of it as makes a batch; `None` once the queue is closed and empty.
    pub(crate) fn take(&self) -> Option<Work> {
        let mut waiting = self.lock();
        loop {
            if !waiting.groups.is_empty() || waiting.publication.is_some() {
                return Some(waiting.take());
            }
            if waiting.closed {
                return None;
            }
            waiting = self.filled.wait(waiting).unwrap_or_else(PoisonError::into_inner);
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

    /// How many statements wait, and how many bytes they have.
    pub(crate) fn depth(&self) -> (usize, usize) {
        let waiting = self.lock();
        (waiting.statements, waiting.bytes)
    }

    fn lock(&self) -> MutexGuard<'_, Waiting> {
        // Nothing is left half done under this lock, so a panic elsewhere does not spoil it.
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn take(&mut self) -> Work {
        let mut work = Work { groups: Vec::new(), publication: self.publication.take() };
        let (mut statements, mut bytes) = (0_usize, 0_usize);
        while let Some(group) = self.groups.pop_front() {
            let more = (statements.saturating_add(group.count), bytes.saturating_add(group.bytes));
            if !work.groups.is_empty() && (more.0 > MAX_BATCH_STATEMENTS || more.1 > MAX_BATCH_BYTES) {
                self.groups.push_front(group);
                break;
            }
            (statements, bytes) = more;
            work.groups.push(group);
        }
        self.statements = self.statements.saturating_sub(statements);
        self.bytes = self.bytes.saturating_sub(bytes);
        work
    }
}
