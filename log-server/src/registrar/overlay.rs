//! What a batch adds, over what is already there.

use countersign_verifier::admission::{
    Effects, EntryFacts, IssuerKey, IssuerRecord, MemoryState, Refusal, State,
};
use countersign_verifier::merkle::{LeafHash, TreeSize};
use countersign_verifier::statement::ExecutionId;

use super::Answerable;

/// A state with what was admitted since, which nothing but the memory holds yet.
#[derive(Debug)]
pub(crate) struct Overlay<'a, S: State> {
    below: &'a S,
    added: MemoryState,
}

impl<'a, S: State> Overlay<'a, S> {
    /// Nothing yet over `below`.
    pub(crate) fn over(below: &'a S) -> Self {
        Self { below, added: MemoryState::new() }
    }

    /// Takes up what an admitted entry adds.
    pub(crate) fn apply(&mut self, effects: &Effects) {
        self.added.apply(effects.clone());
    }
}

/// What was added, or else what was there before.
fn either<T, E>(
    added: Result<Option<T>, core::convert::Infallible>,
    below: impl FnOnce() -> Result<Option<T>, E>,
) -> Result<Option<T>, E> {
    match added {
        Ok(Some(found)) => Ok(Some(found)),
        Ok(None) => below(),
    }
}

impl<S: State> State for Overlay<'_, S> {
    type Error = S::Error;

    fn size(&self) -> Result<TreeSize, S::Error> {
        let Ok(added) = self.added.size();
        // An entry that was added knows its index in the whole log, so the larger size is the one after it.
        Ok(self.below.size()?.max(added))
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, S::Error> {
        either(self.added.issuer(issuer), || self.below.issuer(issuer))
    }

    fn entry(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, S::Error> {
        either(self.added.entry(entry), || self.below.entry(entry))
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, S::Error> {
        either(self.added.outcome_of(authorization), || self.below.outcome_of(authorization))
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, S::Error> {
        either(self.added.close_of(execution), || self.below.close_of(execution))
    }
}

impl<S: Answerable> Answerable for Overlay<'_, S> {
    fn confirm(&self, refusal: &Refusal) -> Result<(), S::Error> {
        // What was added here was never in a row.
        self.below.confirm(refusal)
    }
}
