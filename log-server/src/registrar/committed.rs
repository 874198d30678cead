//! The state that is durable.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use countersign_verifier::admission::{EntryFacts, IssuerKey, IssuerRecord, State};
use countersign_verifier::merkle::{LeafHash, TreeSize};
use countersign_verifier::statement::ExecutionId;

use crate::store::{Facts, NewEntry, StoreError};

/// Registrations that are kept in memory: reading one from its row costs as much as half a signature check.
const MAX_CACHED: usize = 16 * 1024;

/// The registrations read lately. Everything in it is as of the newest durable entry.
#[derive(Debug, Default)]
pub(crate) struct Issuers {
    cached: RwLock<Cached>,
}

#[derive(Debug, Default)]
struct Cached {
    records: HashMap<IssuerKey, IssuerRecord>,
    /// How often registrations changed. What was read before a change must not be taken up after it.
    changes: u64,
}

impl Issuers {
    /// The newest durable registration.
    pub(crate) fn get<S: Facts + ?Sized>(
        &self,
        store: &S,
        issuer: &IssuerKey,
    ) -> Result<Option<IssuerRecord>, StoreError> {
        let changes = {
            let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(record) = cached.records.get(issuer) {
                return Ok(Some(record.clone()));
            }
            cached.changes
        };
        let found = store.issuer(issuer)?;
        if let Some(record) = &found {
            let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
            if cached.changes == changes {
                if cached.records.len() >= MAX_CACHED {
                    cached.records.clear();
                }
                cached.records.insert(issuer.clone(), record.clone());
            }
        }
        Ok(found)
    }

    /// Forgets the registrations that entries have changed. To be called once these are durable, and before anything
    /// is admitted after them.
    pub(crate) fn changed_by(&self, entries: &[NewEntry]) {
        let mut changed = entries.iter().filter_map(|entry| entry.effects.issuer.as_ref()).peekable();
        if changed.peek().is_none() {
            return;
        }
        let mut cached = self.cached.write().unwrap_or_else(PoisonError::into_inner);
        cached.changes = cached.changes.wrapping_add(1);
        for (issuer, _) in changed {
            cached.records.remove(issuer);
        }
    }
}

/// The state of the log as of its newest durable entry.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Committed<'a, S: ?Sized> {
    pub(crate) store: &'a S,
    pub(crate) issuers: &'a Issuers,
    pub(crate) size: TreeSize,
}

impl<S: Facts + ?Sized> State for Committed<'_, S> {
    type Error = StoreError;

    fn size(&self) -> Result<TreeSize, StoreError> {
        Ok(self.size)
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, StoreError> {
        self.issuers.get(self.store, issuer)
    }

    fn entry(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, StoreError> {
        self.store.facts(entry)
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, StoreError> {
        self.store.outcome_of(authorization)
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, StoreError> {
        self.store.close_of(execution)
    }
}
