//! What this witness has cosigned: the database and the high-water mark, which must agree.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;
use std::sync::Arc;

use countersign_verifier::checkpoint::Origin;

use crate::cosigned::{Cosigned, Cosigner};
use crate::high_water::{self, HighWater, Marks};
use crate::rollback::Rollback;
use crate::store::Store;

pub use crate::high_water::HighWaterError;
pub use crate::store::StoreError;

/// Why what was cosigned is not known, or could not be kept.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The high-water mark failed.
    #[error(transparent)]
    HighWater(#[from] HighWaterError),
}

impl LedgerError {
    /// Whether what is kept is damaged or gone, rather than out of reach for the moment.
    pub fn is_damage(&self) -> bool {
        match self {
            Self::Store(error) => error.is_damage(),
            Self::HighWater(HighWaterError::Io { .. } | HighWaterError::InUse(_)) => false,
            Self::HighWater(_) => true,
        }
    }
}

/// Where heads are kept so that no cosignature is ever forgotten.
pub(crate) trait Keep: Send {
    /// Keeps the newest head of each log, at most one each. When this returns without error, all of them survive a
    /// crash of the machine, and so do the marks that would give away an older copy of the database. When it returns
    /// an error, nobody knows what is kept, and nothing may be signed any more.
    fn keep(&mut self, heads: &[Arc<Cosigned>]) -> Result<(), LedgerError>;
}

/// Where a log stands.
#[derive(Debug, Clone)]
pub struct Position {
    /// What the database holds of it.
    pub head: Option<Arc<Cosigned>>,
    /// Set when the database contradicts the high-water mark.
    pub rollback: Option<Arc<Rollback>>,
}

/// The position of each log of which anything was ever cosigned.
pub type Positions = BTreeMap<Origin, Position>;

/// Database and high-water mark in use.
#[derive(Debug)]
pub(crate) struct Ledger {
    store: Store,
    high_water: HighWater,
}

impl Ledger {
    /// Takes both into use and compares them.
    ///
    /// Where the database is ahead, a crash came between the two: the mark is lifted. Where it is behind, it is an
    /// older copy, and the position says so.
    pub(crate) fn open(
        database: &Path,
        high_water: &Path,
        cosigner: &Cosigner,
    ) -> Result<(Self, Positions), LedgerError> {
        let high_water = HighWater::open(high_water, cosigner.key())?;
        let store = Store::open(database, cosigner.key())?;
        let positions = compare(store.heads(cosigner.key())?, high_water.marks());
        let mut ledger = Self { store, high_water };
        let lifted: Vec<_> = positions
            .values()
            .filter(|position| position.rollback.is_none())
            .filter_map(|position| position.head.clone())
            .filter(|head| !ledger.has_mark_like(head))
            .collect();
        if !lifted.is_empty() {
            ledger.high_water.record(&lifted)?;
        }
        Ok((ledger, positions))
    }

    /// Puts the marks in the place of what an older database holds, where they are simply newer, and returns them. A
    /// log whose two histories contradict each other keeps its rollback.
    pub(crate) fn lift_to_marks(&self, positions: &Positions) -> Result<Vec<Arc<Cosigned>>, LedgerError> {
        let lifted: Vec<_> = positions
            .values()
            .filter_map(|position| position.rollback.as_ref())
            .filter(|rollback| rollback.can_be_lifted())
            .filter_map(|rollback| self.high_water.marks().get(&rollback.origin).cloned())
            .collect();
        if !lifted.is_empty() {
            self.store.put(&lifted)?;
        }
        Ok(lifted)
    }

    fn has_mark_like(&self, head: &Cosigned) -> bool {
        self.high_water
            .marks()
            .get(head.origin())
            .is_some_and(|mark| mark.cosignature() == head.cosignature())
    }
}

impl Keep for Ledger {
    fn keep(&mut self, heads: &[Arc<Cosigned>]) -> Result<(), LedgerError> {
        self.high_water.check_unchanged()?;
        // The database first: it may be ahead of the mark after a crash, never behind.
        self.store.put(heads)?;
        Ok(self.high_water.record(heads)?)
    }
}

/// Looks at both without taking them into use.
pub(crate) fn inspect(
    database: &Path,
    high_water: &Path,
    cosigner: &Cosigner,
) -> Result<Positions, LedgerError> {
    // The mark first: a witness that is at work writes the database first, so that the mark is never ahead of it.
    let marks = high_water::read(high_water, cosigner.key())?;
    let heads = Store::open_for_reading(database, cosigner.key())?.heads(cosigner.key())?;
    Ok(compare(heads, &marks))
}

/// All heads in the database, as marks: what the high-water mark would say if the database were the truth.
pub(crate) fn marks_of_database(database: &Path, cosigner: &Cosigner) -> Result<Marks, LedgerError> {
    let heads = Store::open(database, cosigner.key())?.heads(cosigner.key())?;
    Ok(heads.into_iter().map(|head| (head.origin().clone(), Arc::new(head))).collect())
}

fn compare(heads: Vec<Cosigned>, marks: &Marks) -> Positions {
    let heads: HashMap<Origin, Arc<Cosigned>> =
        heads.into_iter().map(|head| (head.origin().clone(), Arc::new(head))).collect();
    let origins = heads.keys().chain(marks.keys());
    origins
        .map(|origin| {
            let head = heads.get(origin).cloned();
            let rollback = marks.get(origin).and_then(|mark| Rollback::find(head.as_deref(), mark));
            (origin.clone(), Position { head, rollback: rollback.map(Arc::new) })
        })
        .collect()
}

#[cfg(test)]
mod tests;
