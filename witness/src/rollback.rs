//! A database that has forgotten what this witness cosigned.

use core::fmt;

use countersign_verifier::checkpoint::Origin;
use countersign_verifier::cosignature::Timestamp;
use countersign_verifier::merkle::{RootHash, TreeSize};

use crate::cosigned::Cosigned;

/// The database contradicts the high-water mark of a log: it is an older copy, or another history.
///
/// As long as it does, the witness signs nothing for this log, also not after a restart.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the database holds {stored} of the log {origin}, but this witness has cosigned {marked}", stored = Held(self.stored.as_ref()))]
pub struct Rollback {
    /// Which log.
    pub origin: Origin,
    /// What the database holds.
    pub stored: Option<HeadSummary>,
    /// What the high-water mark remembers.
    pub marked: HeadSummary,
}

/// A head in short.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HeadSummary {
    /// How many entries.
    pub size: TreeSize,
    /// The root over them.
    pub root: RootHash,
    /// When it was cosigned.
    pub time: Timestamp,
}

impl Rollback {
    /// Compares what the database holds of a log with its high-water mark.
    pub(crate) fn find(stored: Option<&Cosigned>, marked: &Cosigned) -> Option<Self> {
        if stored.is_some_and(|stored| stored.can_follow(marked)) {
            return None;
        }
        Some(Self {
            origin: marked.origin().clone(),
            stored: stored.map(HeadSummary::from),
            marked: HeadSummary::from(marked),
        })
    }

    /// Whether the mark can take the place of what the database holds: it is simply newer. Otherwise the two are
    /// different histories, and nothing can reconcile them.
    pub fn can_be_lifted(&self) -> bool {
        self.stored.is_none_or(|stored| {
            stored.size < self.marked.size && stored.time <= self.marked.time
                || stored.size == self.marked.size && stored.root == self.marked.root
        })
    }
}

impl From<&Cosigned> for HeadSummary {
    fn from(head: &Cosigned) -> Self {
        Self { size: head.size(), root: head.root(), time: head.time() }
    }
}

impl fmt::Display for HeadSummary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "size {} with root {} at {}", self.size, self.root, self.time)
    }
}

struct Held<'a>(Option<&'a HeadSummary>);

impl fmt::Display for Held<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(head) => head.fmt(f),
            None => f.write_str("nothing"),
        }
    }
}
