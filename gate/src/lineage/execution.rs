//! One execution: the way to it, and what is told of its end.

use countersign_verifier::statement::payload::Outcome;
use countersign_verifier::statement::{ExecutionId, Payload, VerificationCode};

use super::{Gate, Settled, Stop};
use crate::client::Wait;
use crate::enforcement::{Attempt, Cleared};
use crate::exact::Exact;
use crate::state::Journal;

/// An execution that was begun. Whoever has it cleared has to say what became of it, by [`record`](Self::record),
/// [`deny`](Self::deny) or [`abandon`](Self::abandon), and to [`settle`](Self::settle) it then. One that is dropped before
/// that is taken for one that was cut off.
#[derive(Debug)]
pub struct Execution<'a> {
    gate: &'a Gate,
    journal: Journal,
    wait: Wait,
}

impl<'a> Execution<'a> {
    pub(super) fn new(gate: &'a Gate, journal: Journal) -> Self {
        Self { gate, journal, wait: gate.enforcement.wait }
    }

    /// Which one.
    pub fn id(&self) -> &ExecutionId {
        self.journal.execution()
    }

    /// Where it can be seen once the log has it.
    pub fn page(&self) -> String {
        self.gate.page(self.id())
    }

    /// The way to execution. Whatever stops it on this way keeps `exact` from happening.
    ///
    /// A success says that the enforcement point has cleared it, and that its start is noted on disk: it is to happen
    /// now, and once. When this is given up before its end, nothing was cleared.
    pub async fn clear<T: Exact>(&mut self, exact: T) -> Result<Cleared<T>, Stop> {
        let (gate, journal) = (self.gate, &mut self.journal);
        let subject = gate.subject.clone();
        let attempt = Attempt { execution: journal.execution().clone(), subject, exact };
        let policy = gate.ask(journal, &attempt).await?;
        let (authorization, proof) = gate.authorize(journal, &attempt, policy).await?;
        let clearance = gate.enforcement.clear(&authorization, proof.as_bytes(), attempt)?;
        gate.state_verified(journal, &clearance).await?;
        let cleared = clearance.open(gate.clock.now())?;
        journal.start(gate.clock.now())?;
        Ok(cleared)
    }

    /// Notes the outcome of what happened. From here on nothing may keep it from being told. Returns whether it is on
    /// this machine's disk: if not, only [`settle`](Self::settle) keeps it.
    pub fn record(&mut self, outcome: Outcome) -> bool {
        self.gate.enforce_and_note(&mut self.journal, &Payload::Outcome(outcome))
    }

    /// Notes that nothing happened, because of a doubt.
    pub fn deny(&mut self, stop: &Stop) {
        // A quorum that did not come is not waited for a second time.
        if stop.code() == VerificationCode::QuorumMissing {
            self.wait = Wait::Sequenced;
        }
        self.gate.deny(&mut self.journal, stop);
    }

    /// Notes that nothing happened, because it is no longer wanted: it was not cleared, or not started.
    pub fn abandon(&mut self, why: &str) {
        self.gate.abandon(&mut self.journal, why);
    }

    /// Has the end of it brought into the log without waiting for the quorum: nobody has the time.
    pub fn hurry(&mut self) {
        self.wait = Wait::Sequenced;
    }

    /// Brings what was noted into the log, and closes the execution. What the log does not take now is kept on this
    /// machine, loudly, for [`Gate::recover`].
    pub async fn settle(self) -> Settled {
        self.gate.settle(self.journal, self.wait).await
    }
}
