//! The log: one handle for everything that is done with it.

mod config;
mod health;
mod status;

use std::path::Path;
use std::sync::Arc;

use countersign_verifier::admission::{AdmitError, IssuerRecord, Refusal};
use countersign_verifier::checkpoint::{Checkpoint, Origin};
use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::merkle::{LeafHash, LeafIndex, NodeHash, PlanError, RootHash, TreeSize};
use countersign_verifier::note::{SignedNote, VerifierKey};
use countersign_verifier::quorum::{Policy, VerifiedCheckpoint};
use countersign_verifier::statement::{IssuerName, KeyThumbprint, Statement, UnixSeconds, VerifiedStatement};
use countersign_verifier::tiles::{TileId, TileWidth};
use tokio::sync::watch;
use tokio::time::Instant;

pub use config::{LogConfig, QueueBounds, Witnessing};
pub use health::{Contradiction, Reason, StopReason};
pub use status::{Condition, Status, WitnessStatus};

/// Why no log was founded.
#[derive(Debug, thiserror::Error)]
pub enum CreateError {
    /// The folder has a log, or what remains of one.
    #[error("there is a log already")]
    Exists,
}

/// Why a log was not opened.
#[derive(Debug, thiserror::Error)]
pub enum OpenError {
    /// There is none.
    #[error("there is no log")]
    Missing,
}

/// Why the store could not be read. What was asked for may or may not exist.
#[derive(Debug, thiserror::Error)]
#[error("the store cannot be read")]
pub struct ReadError;

/// Why there is no proof.
#[derive(Debug, thiserror::Error)]
pub enum ProofError {
    /// The index or the sizes do not fit each other or the tree.
    #[error(transparent)]
    Impossible(#[from] PlanError),
    /// The store cannot be read.
    #[error(transparent)]
    Read(#[from] ReadError),
}

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

/// An open log.
#[derive(Debug)]
pub struct Log {}

impl Log {
    /// Founds a log in the folder `data`: makes its keys (`log.key`, `operator.pem`) and its entry 0. `now` is the
    /// time that the genesis states. Returns the log's public key. A folder that has any of it already is refused.
    pub fn create(data: &Path, origin: &Origin, now: UnixSeconds) -> Result<VerifierKey, CreateError> {
        let _ = (data, origin, now);
        unimplemented!()
    }

    /// Opens the log and starts its sequencer and its cosigners, on the runtime that this is called on.
    pub async fn open(config: LogConfig) -> Result<Arc<Self>, OpenError> {
        let _ = config;
        unimplemented!()
    }

    /// The log's public key; its name is the origin.
    pub fn key(&self) -> &VerifierKey {
        unimplemented!()
    }

    /// The policy that heads must satisfy before they are published, for this log alone.
    pub fn policy(&self) -> &Policy {
        unimplemented!()
    }

    /// Submits statements, in order: later ones may refer to earlier ones. Resolves when all that was taken is
    /// durable and covered by [`Log::sequenced_head`], with one result a statement, in their order.
    pub async fn submit(
        &self,
        statements: Vec<VerifiedStatement>,
        atomicity: Atomicity,
    ) -> Result<Vec<Result<Sequenced, Rejection>>, SubmitError> {
        let _ = (statements, atomicity);
        unimplemented!()
    }

    /// The newest head that the log signed.
    pub fn sequenced_head(&self) -> Arc<SequencedHead> {
        unimplemented!()
    }

    /// The newest head that has its quorum, and every newer one as it comes. It never goes back.
    pub fn published(&self) -> watch::Receiver<Option<Arc<Published>>> {
        unimplemented!()
    }

    /// Waits until a head of at least `size` has its quorum.
    pub async fn wait_cosigned(&self, size: TreeSize, deadline: Instant) -> Result<Arc<Published>, WaitError> {
        let _ = (size, deadline);
        unimplemented!()
    }

    /// The exact bytes of an entry, or `None` beyond the newest durable one.
    pub fn entry(&self, index: LeafIndex) -> Result<Option<Vec<u8>>, ReadError> {
        let _ = index;
        unimplemented!()
    }

    /// Where the entry with this id is.
    pub fn entry_index(&self, entry: &LeafHash) -> Result<Option<LeafIndex>, ReadError> {
        let _ = entry;
        unimplemented!()
    }

    /// The bytes of a tile of `width` hashes, or `None` when the tree is not as large. Any width up to that of the
    /// newest durable tree is given: it is for the caller to serve only what a published head implies.
    pub fn tile(&self, tile: TileId, width: TileWidth) -> Result<Option<Vec<u8>>, ReadError> {
        let _ = (tile, width);
        unimplemented!()
    }

    /// The bytes of the entry bundle `index` with `width` entries, or `None` when the tree is not as large.
    pub fn entry_bundle(&self, index: u64, width: TileWidth) -> Result<Option<Vec<u8>>, ReadError> {
        let _ = (index, width);
        unimplemented!()
    }

    /// The proof that the entry `index` is in the tree of `size` entries.
    pub fn inclusion_proof(&self, index: LeafIndex, size: TreeSize) -> Result<Vec<NodeHash>, ProofError> {
        let _ = (index, size);
        unimplemented!()
    }

    /// The proof that the tree of `to` entries begins with that of `from`.
    pub fn consistency_proof(&self, from: TreeSize, to: TreeSize) -> Result<Vec<NodeHash>, ProofError> {
        let _ = (from, to);
        unimplemented!()
    }

    /// The root of the tree when it had `size` entries.
    pub fn root(&self, size: TreeSize) -> Result<RootHash, ProofError> {
        let _ = size;
        unimplemented!()
    }

    /// The keys registered under a name, revoked ones included, as of the newest durable entry; none if the name is
    /// unknown.
    pub fn issuer_keys(&self, name: &IssuerName) -> Result<Vec<(KeyThumbprint, IssuerRecord)>, ReadError> {
        let _ = name;
        unimplemented!()
    }

    /// The key under which the signature of `statement` has to hold, as of the newest durable entry.
    pub fn signing_key(&self, statement: &Statement) -> Result<PublicKey, AdmitError<ReadError>> {
        let _ = statement;
        unimplemented!()
    }

    /// Whether the log takes statements and publishes heads, and if not, every reason why.
    pub fn readiness(&self) -> Result<(), Vec<Reason>> {
        unimplemented!()
    }

    /// The log's figures.
    pub fn status(&self) -> Status {
        unimplemented!()
    }

    /// Stops taking statements, finishes those that wait, and ends all tasks. Reads go on until the handle is dropped.
    pub async fn shutdown(&self) {
        unimplemented!()
    }
}
