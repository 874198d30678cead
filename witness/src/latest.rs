//! The heads that may be shown: what the monitoring route and the page read.

use std::collections::HashMap;
use std::sync::{Arc, PoisonError, RwLock};

use countersign_verifier::checkpoint::Origin;

use crate::cosigned::Cosigned;
use crate::ledger::{Position, Positions};
use crate::rollback::Rollback;

/// What can be said of a log.
#[derive(Debug, Clone)]
pub enum Shown {
    /// The head that was cosigned last.
    Head(Arc<Cosigned>),
    /// Nothing, because the database has forgotten some of it.
    RolledBack(Arc<Rollback>),
}

/// The newest kept head of each log, by the hash of its origin.
#[derive(Debug, Default)]
pub(crate) struct Latest(RwLock<HashMap<String, Shown>>);

impl Latest {
    pub(crate) fn of(positions: &Positions) -> Self {
        let shown = positions.iter().filter_map(|(origin, Position { head, rollback })| {
            let shown = match (rollback, head) {
                (Some(rollback), _) => Shown::RolledBack(Arc::clone(rollback)),
                (None, Some(head)) => Shown::Head(Arc::clone(head)),
                (None, None) => return None,
            };
            Some((origin.hash(), shown))
        });
        Self(RwLock::new(shown.collect()))
    }

    /// Shows a head from now on. It must be kept already.
    pub(crate) fn show(&self, head: Arc<Cosigned>) {
        let hash = head.origin().hash();
        self.0.write().unwrap_or_else(PoisonError::into_inner).insert(hash, Shown::Head(head));
    }

    /// What can be said of the log whose origin has this hash, in lowercase hex digits.
    pub(crate) fn by_hash(&self, hash: &str) -> Option<Shown> {
        self.0.read().unwrap_or_else(PoisonError::into_inner).get(hash).cloned()
    }

    /// What can be said of a log.
    pub(crate) fn of_log(&self, origin: &Origin) -> Option<Shown> {
        self.by_hash(&origin.hash())
    }

    /// The logs of which the database has forgotten something.
    pub(crate) fn rollbacks(&self) -> Vec<Arc<Rollback>> {
        let shown = self.0.read().unwrap_or_else(PoisonError::into_inner);
        let rollbacks = shown.values().filter_map(|shown| match shown {
            Shown::RolledBack(rollback) => Some(Arc::clone(rollback)),
            Shown::Head(_) => None,
        });
        rollbacks.collect()
    }
}
