//! The state in memory, for auditors and for tests.

use core::convert::Infallible;
use std::collections::HashMap;

use super::state::{Effects, EntryFacts, IssuerKey, IssuerRecord, State};
use crate::merkle::{LeafHash, TreeSize};
use crate::statement::ExecutionId;

/// The state of a log that is replayed from its first entry.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct MemoryState {
    size: TreeSize,
    issuers: HashMap<IssuerKey, IssuerRecord>,
    entries: HashMap<LeafHash, EntryFacts>,
    outcomes: HashMap<LeafHash, LeafHash>,
    closed: HashMap<ExecutionId, LeafHash>,
}

impl MemoryState {
    /// The state of a log without entries.
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes up what an admitted entry adds.
    pub fn apply(&mut self, effects: Effects) {
        let Effects { entry: (id, facts), issuer, outcome_of, closes } = effects;
        self.size = facts.index.size_including();
        self.entries.insert(id, facts);
        self.issuers.extend(issuer);
        self.outcomes.extend(outcome_of.map(|authorization| (authorization, id)));
        self.closed.extend(closes.map(|execution| (execution, id)));
    }

    /// All registrations, revoked ones included, in no particular order.
    pub fn issuers(&self) -> impl Iterator<Item = (&IssuerKey, &IssuerRecord)> {
        self.issuers.iter()
    }
}

impl State for MemoryState {
    type Error = Infallible;

    fn size(&self) -> Result<TreeSize, Infallible> {
        Ok(self.size)
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, Infallible> {
        Ok(self.issuers.get(issuer).cloned())
    }

    fn entry(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, Infallible> {
        Ok(self.entries.get(entry).cloned())
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, Infallible> {
        Ok(self.outcomes.get(authorization).copied())
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, Infallible> {
        Ok(self.closed.get(execution).copied())
    }
}
