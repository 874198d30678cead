//! The state that is durable.
//!
//! What a row of an index says is held against the entry by which it came about, which the tree has: the checksums of the
//! database say only that somebody wrote the row. Of an entry that others refer to, its place is, and what it is once that
//! refuses somebody. What would let a statement pass that should not, and a row that is missing, are for `fsck`: the
//! sequencer is spared the reading of every entry that is referred to.

use std::collections::HashMap;
use std::sync::{PoisonError, RwLock};

use countersign_verifier::admission::{Effects, EntryFacts, IssuerKey, IssuerRecord, Refusal, State};
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash, TreeSize};
use countersign_verifier::statement::{ExecutionId, Statement, Verdict};

use super::Answerable;
use crate::store::{Entries, Facts, NewEntry, StoreError, Tiles};
use crate::tree::TreeReader;

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
    /// The newest durable registration. What is read from its row is remembered if it `proves` right.
    fn get<S: Facts + ?Sized>(
        &self,
        store: &S,
        issuer: &IssuerKey,
        proves: impl FnOnce(&IssuerRecord) -> Result<bool, StoreError>,
    ) -> Result<Option<IssuerRecord>, StoreError> {
        let changes = {
            let cached = self.cached.read().unwrap_or_else(PoisonError::into_inner);
            if let Some(record) = cached.records.get(issuer) {
                return Ok(Some(record.clone()));
            }
            cached.changes
        };
        let found = store.issuer(issuer)?;
        if let Some(record) = &found
            && proves(record)?
        {
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
    /// The tree with all entries.
    pub(crate) tree: TreeReader<'a, S>,
    /// Whether the store may have entries that the tree does not have yet.
    pub(crate) ahead: bool,
}

impl<S: Facts + Entries + Tiles + ?Sized> Committed<'_, S> {
    /// Whether the entry that a registration names makes it. `false` when it is not in the tree yet; one that makes another
    /// or none is damage.
    pub(crate) fn proves(&self, issuer: &IssuerKey, record: &IssuerRecord) -> Result<bool, StoreError> {
        if self.ahead && !self.tree.size().contains(record.index) {
            return Ok(false);
        }
        let registers =
            |effects: Effects| effects.issuer.is_some_and(|(of, made)| of == *issuer && made == *record);
        if self.effects(record.index)?.is_some_and(registers) {
            Ok(true)
        } else {
            Err(StoreError::DamagedRow { row: "issuers" })
        }
    }

    /// What the entry at `index` adds to the indexes; `None` when there is none.
    fn effects(&self, index: LeafIndex) -> Result<Option<Effects>, StoreError> {
        if !self.tree.size().contains(index) {
            return Ok(None);
        }
        let bytes = self.tree.entry(index)?;
        let statement = Statement::parse(&bytes).ok();
        Ok(statement.map(|statement| Effects::of(&statement, LeafHash::of(&bytes), index)))
    }

    /// The entry that a mark names, which has to be one that leaves it.
    fn marked(
        &self,
        mark: Option<LeafHash>,
        leaves: impl FnOnce(&Effects) -> bool,
    ) -> Result<Option<LeafHash>, StoreError> {
        let Some(entry) = mark else { return Ok(None) };
        let effects = match self.store.index(&entry)? {
            Some(index) => self.effects(index)?,
            None => None,
        };
        if effects.is_some_and(|effects| effects.entry.0 == entry && leaves(&effects)) {
            Ok(Some(entry))
        } else {
            Err(StoreError::DamagedRow { row: "marks" })
        }
    }
}

impl<S: Facts + Entries + Tiles + ?Sized> State for Committed<'_, S> {
    type Error = StoreError;

    fn size(&self) -> Result<TreeSize, StoreError> {
        Ok(self.tree.size())
    }

    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, StoreError> {
        self.issuers.get(self.store, issuer, |record| self.proves(issuer, record))
    }

    fn entry(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, StoreError> {
        let Some(facts) = self.store.facts(entry)? else { return Ok(None) };
        let there =
            self.tree.size().contains(facts.index) && self.tree.leaf(facts.index)? == NodeHash::from(*entry);
        if there { Ok(Some(facts)) } else { Err(StoreError::DamagedRow { row: "ids" }) }
    }

    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, StoreError> {
        let mark = self.store.outcome_of(authorization)?;
        self.marked(mark, |effects| effects.outcome_of == Some(*authorization))
    }

    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, StoreError> {
        let mark = self.store.close_of(execution)?;
        self.marked(mark, |effects| effects.closes.as_ref() == Some(execution))
    }
}

impl<S: Facts + Entries + Tiles + ?Sized> Answerable for Committed<'_, S> {
    fn confirm(&self, refusal: &Refusal) -> Result<(), StoreError> {
        let (Refusal::ReferenceKind { index, .. }
        | Refusal::ReferenceExecution { index, .. }
        | Refusal::DecisionDenies { index }) = refusal
        else {
            return Ok(());
        };
        // Behind the tree is the batch.
        if !self.tree.size().contains(*index) {
            return Ok(());
        }
        let is_so = |EntryFacts { kind, execution, verdict, .. }: EntryFacts| match refusal {
            Refusal::ReferenceKind { found, .. } => kind == *found,
            Refusal::ReferenceExecution { found, .. } => execution == *found,
            _ => verdict != Some(Verdict::Permit),
        };
        if self.effects(*index)?.is_some_and(|effects| is_so(effects.entry.1)) {
            Ok(())
        } else {
            Err(StoreError::DamagedRow { row: "ids" })
        }
    }
}
