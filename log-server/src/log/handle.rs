//! The handle.

use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use countersign_verifier::merkle::TreeSize;
use countersign_verifier::note::{NoteSigner, VerifierKey};
use countersign_verifier::quorum::Policy;
use countersign_verifier::statement::VerifiedStatement;
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::{
    Atomicity, Condition, Published, Reason, Rejection, Sequenced, SequencedHead, Status, StopReason,
    SubmitError, WaitError,
};
use crate::cosigners::Ground;
use crate::registrar::Issuers;
use crate::sequencer::{Announced, Queue, Submission, Tip};

/// An open log.
///
/// Dropping it without [`Log::shutdown`] ends its tasks, and its sequencer after what already waits for it.
#[derive(Debug)]
pub struct Log {
    pub(super) ground: Ground,
    pub(super) signer: Arc<NoteSigner>,
    pub(super) issuers: Arc<Issuers>,
    pub(super) queue: Arc<Queue>,
    pub(super) published: watch::Sender<Option<Arc<Published>>>,
    pub(super) closing: watch::Sender<bool>,
    pub(super) thread: Mutex<Option<JoinHandle<()>>>,
    pub(super) tasks: Mutex<JoinSet<()>>,
}

impl Log {
    /// The log's public key; its name is the origin.
    pub fn key(&self) -> &VerifierKey {
        &self.ground.key
    }

    /// The policy that heads must satisfy before they are published, for this log alone.
    pub fn policy(&self) -> &Policy {
        &self.ground.policy
    }

    /// Submits statements, in order: later ones may refer to earlier ones. Resolves when all that was taken is
    /// durable and covered by [`Log::sequenced_head`], with one result a statement, in their order.
    pub async fn submit(
        &self,
        statements: Vec<VerifiedStatement>,
        atomicity: Atomicity,
    ) -> Result<Vec<Result<Sequenced, Rejection>>, SubmitError> {
        if let Some(reason) = self.ground.stop.reason() {
            return Err(SubmitError::Stopped(reason));
        }
        if statements.is_empty() {
            return Ok(Vec::new());
        }
        let mut results = Vec::with_capacity(statements.len());
        for answer in self.queue.push(Submission::new(statements, atomicity))? {
            match answer.await {
                Ok(answer) => results.append(&mut answer?),
                // The sequencer gives no answer only when it stops the log, which it may be about to.
                Err(_) => return Err(self.reason_to_come().await),
            }
        }
        Ok(results)
    }

    /// How many statements of one issuer may be under way, from their check to their answer.
    pub(crate) fn share_of_one(&self) -> usize {
        self.queue.share_of_one()
    }

    /// Says that a statement is being checked. Those before it may be let wait for a moment, to share a batch with it.
    pub(crate) fn announce(&self) -> Announced {
        self.queue.announce()
    }

    /// The same for one statement, for who cannot wait: `tell` hears later what [`Log::submit`] would have given back, on
    /// a thread that others wait for. If it is dropped without a word, the log is about to stop:
    /// [`Log::reason_to_come`] says why.
    pub(crate) fn hand_in(
        &self,
        statement: VerifiedStatement,
        announced: Announced,
        tell: impl FnOnce(Result<Vec<Result<Sequenced, Rejection>>, SubmitError>) + Send + 'static,
    ) {
        if let Some(reason) = self.ground.stop.reason() {
            return tell(Err(SubmitError::Stopped(reason)));
        }
        // Of a refusal it is told as well.
        let _ = self.queue.push(Submission::one(statement, announced, tell));
    }

    /// Why a submission is given no answer.
    pub(crate) async fn reason_to_come(&self) -> SubmitError {
        let (mut stopped, mut closing) = (self.ground.stop.subscribe(), self.closing.subscribe());
        tokio::select! {
            biased;
            Ok(reason) = stopped.wait_for(Option::is_some) => {
                reason.clone().map_or(SubmitError::ShuttingDown, SubmitError::Stopped)
            }
            _ = closing.wait_for(|closing| *closing) => SubmitError::ShuttingDown,
        }
    }

    /// The newest head that the log signed.
    pub fn sequenced_head(&self) -> Arc<SequencedHead> {
        Arc::clone(&self.ground.tip.borrow().head)
    }

    /// The newest head that has its quorum, and every newer one as it comes. It never goes back.
    pub fn published(&self) -> watch::Receiver<Option<Arc<Published>>> {
        self.published.subscribe()
    }

    /// Waits until a head of at least `size` has its quorum.
    pub async fn wait_cosigned(
        &self,
        size: TreeSize,
        deadline: Instant,
    ) -> Result<Arc<Published>, WaitError> {
        let mut published = self.published.subscribe();
        let (mut stopped, mut closing) = (self.ground.stop.subscribe(), self.closing.subscribe());
        loop {
            if let Some(head) = published.borrow_and_update().as_ref().filter(|head| head.size >= size) {
                return Ok(Arc::clone(head));
            }
            if let Some(reason) = stopped.borrow_and_update().as_ref() {
                return Err(WaitError::Stopped(Arc::clone(reason)));
            }
            if *closing.borrow_and_update() {
                return Err(WaitError::ShuttingDown);
            }
            tokio::select! {
                _ = published.changed() => {}
                _ = stopped.changed() => {}
                _ = closing.changed() => {}
                () = tokio::time::sleep_until(deadline) => return Err(WaitError::TimedOut),
            }
        }
    }

    /// Whether the log takes statements and publishes heads, and if not, every reason why.
    pub fn readiness(&self) -> Result<(), Vec<Reason>> {
        let mut reasons = Vec::new();
        reasons.extend(self.ground.stop.reason().as_deref().map(Reason::from));
        if self.queue.is_closed() && reasons.is_empty() {
            let what = "the log is shutting down".to_owned();
            reasons.push(Reason { code: "shutting-down", what, remedy: "wait until it is back" });
        }
        if let Some((size, since)) = self.ground.board.awaiting()
            && since.elapsed() > self.ground.witnessing.patience
        {
            let witnesses: Vec<String> = self.warnings().into_iter().map(|warning| warning.what).collect();
            let seconds = since.elapsed().as_secs();
            let what = format!(
                "the head of size {size} waits for its quorum for {seconds} s; {}",
                witnesses.join("; ")
            );
            let remedy =
                "bring the witnesses back; statements are taken meanwhile, and published once they are";
            reasons.push(Reason { code: "quorum-missing", what, remedy });
        }
        if reasons.is_empty() { Ok(()) } else { Err(reasons) }
    }

    /// What is not as it should be with the witnesses, whether or not the log is ready.
    pub fn warnings(&self) -> Vec<Reason> {
        let not_well = self.ground.board.witnesses().into_iter().filter_map(|witness| {
            let (code, remedy) = match &witness.condition {
                Condition::Untried | Condition::Well if witness.rollbacks > 0 => {
                    let what = format!("witness {} was rolled back {} times", witness.name, witness.rollbacks);
                    let remedy = "ask its operator: it forgot what it had cosigned";
                    return Some(Reason { code: "witness-rolled-back", what, remedy });
                }
                Condition::Untried | Condition::Well => return None,
                Condition::Unreachable(_) => ("witness-unreachable", "ask its operator, or look at the network"),
                Condition::Refusing(_) => {
                    ("witness-refuses", "ask its operator whether it knows this log's key and origin")
                }
                Condition::RolledBack { .. } => {
                    ("witness-rolled-back", "ask its operator: it forgot what it had cosigned")
                }
                Condition::Disagreeing { .. } => (
                    "witness-disagrees",
                    "ask its operator for the head that it claims: if the log's key signed it, stop the log at once",
                ),
                Condition::NotAsked(_) => ("witness-not-asked", "give it a URL and a 0x04 key in the policy file"),
            };
            Some(Reason { code, what: format!("witness {} {}", witness.name, witness.condition), remedy })
        });
        not_well.collect()
    }

    /// The log's figures.
    pub fn status(&self) -> Status {
        let queued = self.queue.depth();
        Status {
            sequenced: self.tip().size(),
            published: self.published.borrow().as_ref().map(|published| published.size),
            queued_statements: queued.statements,
            queued_bytes: queued.bytes,
            awaiting_quorum: self.ground.board.awaiting().map(|(_, since)| since.elapsed()),
            witnesses: self.ground.board.witnesses(),
            store: self.ground.store.figures(),
        }
    }

    /// Why the log has stopped taking statements and signing heads, if it has.
    pub fn stopped(&self) -> Option<Arc<StopReason>> {
        self.ground.stop.reason()
    }

    /// Waits for no quorum any more: whoever does is told that the log is shutting down, now and from now on.
    pub fn end_waits(&self) {
        self.closing.send_replace(true);
    }

    /// Stops taking statements, finishes those that wait, and ends all tasks. Reads go on until the handle is dropped.
    pub async fn shutdown(&self) {
        self.queue.close();
        let thread = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(thread) = thread {
            // A fault of the thread has stopped the log and is known by that.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        self.end_waits();
        let mut tasks = core::mem::take(&mut *self.tasks.lock().unwrap_or_else(PoisonError::into_inner));
        tasks.shutdown().await;
    }

    pub(super) fn tip(&self) -> Arc<Tip> {
        Arc::clone(&self.ground.tip.borrow())
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        self.queue.close();
    }
}
