//! What is said about statements and heads on their way.

use std::sync::Arc;

use countersign_verifier::admission::Refusal;
use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::merkle::{LeafHash, LeafIndex, RootHash, TreeSize};
use countersign_verifier::note::SignedNote;
use countersign_verifier::quorum::VerifiedCheckpoint;

use super::StopReason;

/// Whether the statements of a submission stand or fall together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Atomicity {
    /// Each for itself.
    Each,
    /// All of them, or none.
    AllOrNone,
}

/// Where a statement is in the log.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Sequenced {
    /// Its place.
    pub index: LeafIndex,
    /// Its entry id.
    pub entry: LeafHash,
    /// Whether it was entered now; `false` when the log held the same bytes already.
    pub new: bool,
}

/// Why a statement was not taken.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Rejection {
    /// It breaks a rule.
    #[error(transparent)]
    Refused(#[from] Refusal),
    /// It breaks none by itself, but was submitted with one that does, all or none.
    #[error("statement {0} of the batch, counted from 0, was refused, and the batch asked for all or none")]
    WithOthers(usize),
}

/// Why a submission was not decided. What it holds may be in the log after all only where that is said.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmitError {
    /// Too much is waiting. Nothing was taken; trying again later helps.
    #[error("too much is waiting for the sequencer")]
    QueueFull,
    /// The log stopped. Whether the statements are in it is known after a restart: the same bytes get the same index.
    #[error("the log stopped: {0}")]
    Stopped(Arc<StopReason>),
    /// The log is shutting down. Nothing was taken.
    #[error("the log is shutting down")]
    ShuttingDown,
}

/// Why a wait for a quorum ended without one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WaitError {
    /// The deadline passed. The entry is in the log all the same.
    #[error("no head of that size had its quorum in time")]
    TimedOut,
    /// The log stopped signing.
    #[error("the log stopped: {0}")]
    Stopped(Arc<StopReason>),
    /// The log is shutting down.
    #[error("the log is shutting down")]
    ShuttingDown,
}

/// The newest head that the log signed: what it says is durable. No witness need have seen it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SequencedHead {
    /// The head.
    pub checkpoint: Checkpoint,
    /// The head with the log's signature and no other.
    pub note: SignedNote,
    /// The same in writing.
    pub text: String,
}

/// A head that has its quorum: what `/checkpoint` serves. It is durable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Published {
    /// The note, byte for byte as it is served.
    pub note: String,
    /// How many entries it covers.
    pub size: TreeSize,
    /// The root over them.
    pub root: RootHash,
    /// The head as the log's own policy verified it.
    pub checkpoint: VerifiedCheckpoint,
}
