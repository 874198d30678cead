//! The state of the log as of any of its entries, out of the indexes of the store.
//!
//! A replay that kept a state of its own would need memory for every entry. The store has that state as of its newest
//! entry, and every row of it says or leads to the index at which it came about: leaving out what is newer gives the
//! state as of any entry, for all entries at once. The rows themselves are compared with the entries beside it, and
//! where one is wrong, what it should say is kept in memory and goes before it. Registrations change, so they are kept
//! in memory with their past: about 250 bytes for each one there ever was, and nothing for other entries.

use std::collections::HashMap;

use countersign_verifier::admission::{Effects, EntryFacts, IssuerKey, IssuerRecord, State};
use countersign_verifier::merkle::{LeafHash, LeafIndex, TreeSize};
use countersign_verifier::statement::ExecutionId;

use super::surplus;
use crate::store::{Entries, Facts, StoreError};

/// Every registration of every issuer, in the order of the log.
#[derive(Debug, Default)]
pub(super) struct Registrations {
    records: HashMap<IssuerKey, Vec<IssuerRecord>>,
}

impl Registrations {
    /// Takes up what an entry adds. Entries come in their order.
    pub(super) fn apply(&mut self, effects: &Effects) {
        if let Some((issuer, record)) = &effects.issuer {
            self.records.entry(issuer.clone()).or_default().push(record.clone());
        }
    }

    /// The newest registration of each issuer.
    pub(super) fn newest(&self) -> impl Iterator<Item = (&IssuerKey, &IssuerRecord)> {
        self.records.iter().filter_map(|(issuer, records)| Some((issuer, records.last()?)))
    }

    /// The newest registration of one.
    pub(super) fn newest_of(&self, issuer: &IssuerKey) -> Option<&IssuerRecord> {
        self.records.get(issuer)?.last()
    }

    fn before(&self, index: LeafIndex, issuer: &IssuerKey) -> Option<&IssuerRecord> {
        self.records.get(issuer)?.iter().rev().find(|record| record.index < index)
    }
}

/// What rows should say that say something else, or are missing.
#[derive(Debug, Default)]
pub(super) struct Corrections {
    pub(super) facts: HashMap<LeafHash, EntryFacts>,
    /// The outcome of an authorization, and where it is.
    pub(super) outcomes: HashMap<LeafHash, (LeafHash, LeafIndex)>,
    /// The close of an execution, and where it is.
    pub(super) closes: HashMap<ExecutionId, (LeafHash, LeafIndex)>,
}

/// The state of the log before one of its entries.
#[derive(Debug, Clone, Copy)]
pub(super) struct Before<'a, S> {
    pub(super) index: LeafIndex,
    /// The id of the entry itself, if its row is known to lead to it. Unless that is corrected, no earlier entry has it.
    pub(super) first: Option<LeafHash>,
    pub(super) store: &'a S,
    pub(super) registrations: &'a Registrations,
    pub(super) corrections: &'a Corrections,
}

impl<S: Facts + Entries> Before<'_, S> {
    /// The entry that a mark names, if it was there already, and is one that leaves this mark.
    fn marked(
        &self,
        corrected: Option<&(LeafHash, LeafIndex)>,
        row: impl FnOnce() -> Result<Option<LeafHash>, StoreError>,
        of: impl FnOnce(&Effects) -> bool,
    ) -> Result<Option<LeafHash>, StoreError> {
        if let Some((entry, index)) = corrected {
            return Ok((*index < self.index).then_some(*entry));
        }
        let Some(entry) = row()? else { return Ok(None) };
        let index = match self.corrections.facts.get(&entry) {
            Some(facts) => Some(facts.index),
            None => self.store.index(&entry)?,
        };
        // In a log that kept the rules, nothing ever comes this far.
        if index.is_none_or(|index| index >= self.index) {
            return Ok(None);
        }
        Ok(surplus::effects(self.store, &entry)?.is_some_and(|effects| of(&effects)).then_some(entry))
    }
}

impl<S: Facts + Entries> State for Before<'_, S> {
    type Error = StoreError;

    fn size(&self) -> Result<TreeSize, StoreError> {
        Ok(TreeSize::new(self.index.get()).unwrap_or_default())
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, StoreError> {
        Ok(self.registrations.before(self.index, issuer).cloned())
    }

    fn entry(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, StoreError> {
        let facts = match self.corrections.facts.get(entry) {
            Some(facts) => Some(facts.clone()),
            None if self.first.as_ref() == Some(entry) => None,
            None => self.store.facts(entry)?,
        };
        Ok(facts.filter(|facts| facts.index < self.index))
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, StoreError> {
        let corrected = self.corrections.outcomes.get(authorization);
        let of = |effects: &Effects| effects.outcome_of == Some(*authorization);
        self.marked(corrected, || self.store.outcome_of(authorization), of)
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, StoreError> {
        let corrected = self.corrections.closes.get(execution);
        let of = |effects: &Effects| effects.closes.as_ref() == Some(execution);
        self.marked(corrected, || self.store.close_of(execution), of)
    }
}
