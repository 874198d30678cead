//! Why a request gets no cosignature.

use core::time::Duration;
use std::sync::Arc;

use countersign_verifier::checkpoint::{CheckpointError, Origin};
use countersign_verifier::cosignature::Timestamp;
use countersign_verifier::merkle::{ProofError, RootHash, TreeSize};
use countersign_verifier::note::UntrustedNote;
use countersign_verifier::witnessing::RequestError;

use crate::cosigned::Cosigned;
use crate::rollback::Rollback;

/// Why a request gets no cosignature, in the order in which it is found out (C2SP tlog-witness, add-checkpoint).
///
/// Nothing is changed by a request that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not an add-checkpoint request.
    #[error("the request cannot be read: {0}")]
    Malformed(#[from] RequestError),
    /// The first line of the note cannot be the name of a log.
    #[error("the first line of the checkpoint cannot be an origin: {0}")]
    NoOrigin(#[source] CheckpointError),
    /// This witness was not told to watch this log.
    #[error("this witness does not watch the log {0}")]
    UnknownLog(Origin),
    /// No key of the log signed the note, or a line in the name of one is false.
    #[error("the checkpoint cannot be trusted: {0}")]
    Untrusted(#[from] UntrustedNote),
    /// The log signed something that is no checkpoint.
    #[error("the note is signed by the log, but is not a checkpoint: {0}")]
    NotACheckpoint(#[source] CheckpointError),
    /// The checkpoint has lines whose meaning nobody here knows.
    #[error("the checkpoint has {0} extension lines, and this witness signs only what it understands")]
    ExtensionLines(usize),
    /// The old size is above the new one.
    #[error("the old size {old} is above the size of the checkpoint, {new}")]
    OldAboveNew {
        /// What the request calls the old size.
        old: TreeSize,
        /// The size of the checkpoint.
        new: TreeSize,
    },
    /// A tree without entries that has another root than the empty tree. The log signed it.
    #[error("the tree of size 0 has the root {expected}, not {stated}", expected = RootHash::empty())]
    EmptyRoot {
        /// The root in the checkpoint.
        stated: RootHash,
    },
    /// The old size is not the one that this witness cosigned last.
    #[error("the old size is {old}, but this witness cosigned size {cosigned} last")]
    OtherSize {
        /// What the request calls the old size.
        old: TreeSize,
        /// What this witness cosigned last, 0 when nothing.
        cosigned: TreeSize,
    },
    /// A proof where there is nothing to prove.
    #[error("the proof from size {old} to size {new} is empty, but {hashes} hashes were sent")]
    NeedlessProof {
        /// The old size.
        old: TreeSize,
        /// The size of the checkpoint.
        new: TreeSize,
        /// How many hashes the request has.
        hashes: usize,
    },
    /// The log signed a second head of the size that this witness cosigned last: a fork, beyond doubt.
    #[error("at size {size} the checkpoint has the root {stated}, but this witness cosigned {known}",
            size = .cosigned.size(), known = .cosigned.root())]
    OtherRoot {
        /// The root in the checkpoint.
        stated: RootHash,
        /// What this witness cosigned.
        cosigned: Arc<Cosigned>,
    },
    /// The proof does not lead from the head that was cosigned last to this one.
    #[error("the proof does not lead from size {size} to the checkpoint: {cause}", size = .cosigned.size())]
    Inconsistent {
        /// What is wrong with the proof.
        cause: ProofError,
        /// What this witness cosigned.
        cosigned: Arc<Cosigned>,
    },
    /// The log has used up what it may ask for a day.
    #[error("the log may have {per_day} cosignatures a day; the next one in {} seconds", seconds(*.wait))]
    TooMany {
        /// The requests a day that the log has announced.
        per_day: u32,
        /// When there will be another one.
        wait: Duration,
    },
    /// More requests wait than this witness takes on.
    #[error("too many requests are waiting")]
    Busy,
    /// The database has forgotten heads of this log.
    #[error(transparent)]
    RolledBack(#[from] Arc<Rollback>),
    /// The clock of this machine was never set: it says 1970, or earlier.
    #[error("the clock of this witness is not set")]
    ClockUnset,
    /// A cosignature now would be dated before the previous one.
    #[error("the clock says {now}, but the previous cosignature for this log was made at {previous}")]
    ClockBehind {
        /// The time now.
        now: Timestamp,
        /// When the previous cosignature was made.
        previous: Timestamp,
    },
    /// This witness has stopped signing, for all logs, until it is started again.
    #[error("this witness has stopped signing: {0}")]
    Stopped(Arc<str>),
}

impl Refusal {
    /// How long the client should wait before it asks again, where waiting helps.
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::TooMany { wait, .. } => Some(Duration::from_secs(seconds(*wait))),
            Self::Busy => Some(Duration::from_secs(1)),
            Self::ClockBehind { now, previous } => {
                Some(Duration::from_secs(previous.get().saturating_sub(now.get()).max(1)))
            }
            Self::RolledBack(_) | Self::ClockUnset | Self::Stopped(_) => Some(Duration::from_mins(1)),
            _ => None,
        }
    }
}

/// Whole seconds, at least one, never too few.
fn seconds(wait: Duration) -> u64 {
    wait.as_secs().saturating_add(u64::from(wait.subsec_nanos() > 0)).max(1)
}
