//! Where the log is kept: one small trait a need, and [`RocksStore`], which fills all of them.
//!
//! Nothing outside this module names the database. The doc comment of every method says what is true when it
//! returns: the engine above is built on these sentences, and a store of another make has to keep them.

mod batch;
mod error;
mod inventory;
mod rocks;

use countersign_verifier::admission::{EntryFacts, IssuerKey, IssuerRecord};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::merkle::{LeafHash, LeafIndex, TreeSize};
use countersign_verifier::note::VerifierKey;
use countersign_verifier::statement::{ExecutionId, IssuerName, KeyThumbprint};
use countersign_verifier::tiles::TileId;

pub use batch::{Batch, EdgeHash, Growth, Head, NewEntry, Publication};
pub use error::StoreError;
pub use inventory::{Inventory, Part, Row};
pub use rocks::{Hold, RocksStore};

/// Writing. There is one writer, the sequencer.
pub trait Journal {
    /// Writes a batch.
    ///
    /// When it returns `Ok`, all of the batch survives any crash, and reads see all of it. When it returns `Err`,
    /// nothing is known: all of the batch or nothing of it survives. The writer must not write again before the
    /// store was opened anew.
    fn commit(&self, batch: &Batch) -> Result<(), StoreError>;
}

/// The entries, by index.
pub trait Entries {
    /// The exact bytes of an entry; `None` when there is no such entry.
    fn entry(&self, index: LeafIndex) -> Result<Option<Vec<u8>>, StoreError>;

    /// Hands `count` entries from `first` on to `each`, in order. When it returns `Ok`, all of them were handed over,
    /// and none was missing.
    fn entries(&self, first: LeafIndex, count: u16, each: &mut dyn FnMut(&[u8])) -> Result<(), StoreError>;
}

/// The hashes of the tree.
pub trait Tiles {
    /// The 8192 bytes of a full tile; `None` when it is not full.
    fn full_tile(&self, tile: TileId) -> Result<Option<Vec<u8>>, StoreError>;

    /// Everything that was ever written as an edge and not written over. The hashes of tiles that have become full in
    /// the meantime may still be among them. There are at most 256 a level.
    fn edge(&self) -> Result<Vec<EdgeHash>, StoreError>;
}

/// What the admission rules remember.
pub trait Facts {
    /// What is remembered of an entry.
    fn facts(&self, entry: &LeafHash) -> Result<Option<EntryFacts>, StoreError>;

    /// Where an entry is: the same as in its facts, for less.
    fn index(&self, entry: &LeafHash) -> Result<Option<LeafIndex>, StoreError>;

    /// The newest registration of a key under a name.
    fn issuer(&self, issuer: &IssuerKey) -> Result<Option<IssuerRecord>, StoreError>;

    /// The newest registration of every key under a name, in the order of their thumbprints.
    fn issuers(&self, name: &IssuerName) -> Result<Vec<(KeyThumbprint, IssuerRecord)>, StoreError>;

    /// The outcome that names an authorization.
    fn outcome_of(&self, authorization: &LeafHash) -> Result<Option<LeafHash>, StoreError>;

    /// The entry that closed an execution.
    fn close_of(&self, execution: &ExecutionId) -> Result<Option<LeafHash>, StoreError>;
}

/// What the log said to others, and what others said to it.
pub trait Ledger {
    /// The log that the store was made for.
    fn origin(&self) -> Result<Origin, StoreError>;

    /// The head of the newest batch; `None` before the first.
    fn head(&self) -> Result<Option<Head>, StoreError>;

    /// The newest published note; `None` before the first.
    fn published(&self) -> Result<Option<String>, StoreError>;

    /// The largest size that a witness is known to have cosigned; 0 when none is known.
    fn cosigned(&self, witness: &VerifierKey) -> Result<TreeSize, StoreError>;
}

/// Figures about the store itself, for metrics.
pub trait Figures {
    /// Names and values. What cannot be found out is left out.
    fn figures(&self) -> Vec<(&'static str, u64)>;
}

/// Everything that a log needs of its store.
pub trait Store:
    Journal + Entries + Tiles + Facts + Ledger + Figures + core::fmt::Debug + Send + Sync + 'static
{
}

impl<S> Store for S where
    S: Journal + Entries + Tiles + Facts + Ledger + Figures + core::fmt::Debug + Send + Sync + 'static
{
}
