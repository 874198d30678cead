//! The requests of the client that have no answer yet.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use tokio::sync::{Notify, oneshot};

use super::answer::Answer;
use super::line::Line;
use super::message::Id;

/// How many requests may be without an answer.
pub const MAX_PENDING: usize = 4_096;
/// How many calls of tools among them.
pub const MAX_CALLS: usize = 64;

/// Why a request is not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(super) enum PendingError {
    /// Its id is that of one without an answer.
    #[error("the request {0} has no answer yet: expected another id")]
    Twice(Id),
    /// Too many.
    #[error("{MAX_PENDING} requests have no answer yet: expected no more before some are answered")]
    TooMany,
    /// Too many calls.
    #[error("{MAX_CALLS} calls of tools have no answer yet: try again when some are answered")]
    TooManyCalls,
}

/// What a call of a tool waits for.
#[derive(Debug)]
pub(super) struct Waiting {
    /// That the client no longer wants it.
    pub(super) cancelled: Arc<Notify>,
    /// The server's answer.
    pub(super) answer: oneshot::Receiver<Answer>,
}

/// What is to be done with an answer.
#[derive(Debug)]
pub(super) enum Answered {
    /// Pass it on.
    Pass(Line),
    /// Nothing: the call that waits for it has it.
    Taken,
    /// Drop it: nobody asked, or nobody waits any more.
    Unasked,
}

#[derive(Debug)]
enum Stage {
    /// It was passed on at once.
    Passed,
    /// The same, and the client no longer wants the answer, which may never come.
    Cancelled,
    /// A call that the server has not got.
    Held(Call),
    /// A call that the server has.
    Forwarded(Call),
    /// A call that the server has, and for whose answer nobody waits any more.
    GivenUp,
}

#[derive(Debug)]
struct Call {
    cancelled: Arc<Notify>,
    answer: oneshot::Sender<Answer>,
}

#[derive(Debug, Default)]
pub(super) struct Pending(Mutex<HashMap<Id, Stage>>);

impl Pending {
    /// A request that is passed on.
    pub(super) fn pass(&self, id: Id) -> Result<(), PendingError> {
        self.add(id, Stage::Passed)
    }

    /// A call that is held.
    pub(super) fn hold(&self, id: Id) -> Result<Waiting, PendingError> {
        let is_call = |stage: &&Stage| matches!(stage, Stage::Held(_) | Stage::Forwarded(_));
        if self.lock().values().filter(is_call).count() >= MAX_CALLS {
            return Err(PendingError::TooManyCalls);
        }
        let (sender, answer) = oneshot::channel();
        let cancelled = Arc::new(Notify::new());
        self.add(id, Stage::Held(Call { cancelled: cancelled.clone(), answer: sender }))?;
        Ok(Waiting { cancelled, answer })
    }

    /// Whether a request of this id has no answer yet.
    pub(super) fn has(&self, id: &Id) -> bool {
        self.lock().contains_key(id)
    }

    /// The server gets the call.
    pub(super) fn forward(&self, id: &Id) {
        let mut pending = self.lock();
        if let Some(Stage::Held(call)) = pending.remove(id) {
            pending.insert(id.clone(), Stage::Forwarded(call));
        }
    }

    /// Nobody waits for the answer any more; the id stays taken until it comes.
    pub(super) fn give_up(&self, id: &Id) {
        self.lock().insert(id.clone(), Stage::GivenUp);
    }

    /// The request is over.
    pub(super) fn end(&self, id: &Id) {
        self.lock().remove(id);
    }

    /// The client no longer wants the answer. Returns whether the server has to hear of it.
    pub(super) fn cancel(&self, id: &Id) -> bool {
        match self.lock().get_mut(id) {
            Some(Stage::Held(call)) => {
                call.cancelled.notify_one();
                false
            }
            Some(Stage::Forwarded(call)) => {
                call.cancelled.notify_one();
                true
            }
            Some(stage @ Stage::Passed) => {
                *stage = Stage::Cancelled;
                true
            }
            Some(Stage::Cancelled | Stage::GivenUp) | None => true,
        }
    }

    /// The server has answered.
    pub(super) fn answer(&self, id: &Id, answer: Answer) -> Answered {
        let mut pending = self.lock();
        match pending.remove(id) {
            Some(Stage::Passed | Stage::Cancelled) => Answered::Pass(answer.into_line()),
            Some(Stage::Forwarded(call)) => {
                // The id stays taken until the client has its answer.
                pending.insert(id.clone(), Stage::GivenUp);
                match call.answer.send(answer) {
                    Ok(()) => Answered::Taken,
                    Err(_) => Answered::Unasked,
                }
            }
            Some(held @ Stage::Held(_)) => {
                pending.insert(id.clone(), held);
                Answered::Unasked
            }
            Some(Stage::GivenUp) | None => Answered::Unasked,
        }
    }

    fn add(&self, id: Id, stage: Stage) -> Result<(), PendingError> {
        let mut pending = self.lock();
        if pending.contains_key(&id) {
            return Err(PendingError::Twice(id));
        }
        if pending.len() >= MAX_PENDING {
            // Servers are told not to answer what was cancelled. Clients count their ids up, and do not come back to these.
            pending.retain(|_, stage| !matches!(stage, Stage::Cancelled | Stage::GivenUp));
        }
        if pending.len() >= MAX_PENDING {
            return Err(PendingError::TooMany);
        }
        pending.insert(id, stage);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, HashMap<Id, Stage>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
