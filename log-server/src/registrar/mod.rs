//! The registrar: which statements enter the log, by the rules `countersign/1`.
//!
//! The rules themselves are [`countersign_verifier::admission`]'s. Here is the state that they are applied to: what
//! is durable, and over it what the batch that is being built adds, so that later statements of a batch may refer to
//! earlier ones.

mod committed;
mod overlay;

use countersign_verifier::admission::{AdmitError, Refusal, State, admit};
use countersign_verifier::statement::VerifiedStatement;

pub(crate) use committed::{Committed, Issuers};
pub(crate) use overlay::Overlay;

use crate::log::{Atomicity, Rejection, Sequenced};
use crate::store::NewEntry;

/// A state that is kept in rows, which somebody may have written over.
pub(crate) trait Answerable: State {
    /// Fails when an entry that a refusal rests on is not as it says. Of what the rows say, refusals go to others.
    fn confirm(&self, refusal: &Refusal) -> Result<(), Self::Error>;
}

/// One result a statement, in their order.
pub(crate) type Decisions = Vec<Result<Sequenced, Rejection>>;

/// Decides on the statements of one submission, over `state` and what earlier submissions of the batch have added to
/// it. What is taken is added to both `state` and `taken`; a submission that is to be taken as a whole and cannot be
/// adds nothing.
pub(crate) fn decide<S: Answerable>(
    state: &mut Overlay<'_, S>,
    statements: Vec<VerifiedStatement>,
    atomicity: Atomicity,
    taken: &mut Vec<NewEntry>,
) -> Result<Decisions, S::Error> {
    match atomicity {
        Atomicity::Each => {
            statements.into_iter().map(|statement| decide_one(state, statement, taken)).collect()
        }
        Atomicity::AllOrNone => decide_all(state, statements, taken),
    }
}

fn decide_one<S: Answerable>(
    state: &mut Overlay<'_, S>,
    statement: VerifiedStatement,
    taken: &mut Vec<NewEntry>,
) -> Result<Result<Sequenced, Rejection>, S::Error> {
    let entry = statement.entry_id();
    match admit(state, &statement) {
        Ok(admitted) => {
            state.apply(&admitted.effects);
            taken.push(NewEntry { bytes: statement.into_bytes(), effects: admitted.effects });
            Ok(Ok(Sequenced { index: admitted.index, entry, new: true }))
        }
        // Whoever sends the same bytes again wants to know where they are.
        Err(AdmitError::Refused(Refusal::AlreadyPresent { index })) => {
            Ok(Ok(Sequenced { index, entry, new: false }))
        }
        Err(AdmitError::Refused(refusal)) => {
            state.confirm(&refusal)?;
            Ok(Err(refusal.into()))
        }
        Err(AdmitError::State(error)) => Err(error),
    }
}

fn decide_all<S: Answerable>(
    state: &mut Overlay<'_, S>,
    statements: Vec<VerifiedStatement>,
    taken: &mut Vec<NewEntry>,
) -> Result<Decisions, S::Error> {
    let count = statements.len();
    let mut trial = Overlay::over(&*state);
    let mut new = Vec::new();
    let mut decisions: Decisions = Vec::with_capacity(count);
    for (at, statement) in statements.into_iter().enumerate() {
        let decision = decide_one(&mut trial, statement, &mut new)?;
        if decision.is_err() {
            let others = (0..count).filter(|other| *other != at).map(|_| Err(Rejection::WithOthers(at)));
            decisions = others.collect();
            decisions.insert(at, decision);
            return Ok(decisions);
        }
        decisions.push(decision);
    }
    for entry in &new {
        state.apply(&entry.effects);
    }
    taken.append(&mut new);
    Ok(decisions)
}
