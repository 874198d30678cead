//! Why no store came about.

use std::io;
use std::path::{Path, PathBuf};

use countersign_verifier::checkpoint::{CheckpointError, Origin};
use countersign_verifier::merkle::{RootHash, TreeSize};
use countersign_verifier::program::{Exit, Failed};
use countersign_verifier::quorum::QuorumError;
use countersign_verifier::tiles::BundleError;

use crate::backup::BackupError;
use crate::store::StoreError;
use crate::tree::DamagedEdge;

/// Why something was not read from a source.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// A file or an answer cannot be had.
    #[error("{what} cannot be read")]
    Unreadable {
        /// Which.
        what: String,
        /// Why.
        #[source]
        cause: Box<dyn core::error::Error + Send + Sync>,
    },
    /// It is no bundle of entries.
    #[error("{what} is no bundle of the entries that the head implies")]
    Bundle {
        /// Which.
        what: String,
        /// Why.
        #[source]
        cause: BundleError,
    },
    /// The head is none that the log signed.
    #[error("the head of the source is none that the log signed")]
    Head,
    /// A store has lost an entry.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Why no store came about.
#[derive(Debug, thiserror::Error)]
pub enum RebuildError {
    /// The source cannot be read.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// The name of the log's key cannot be an origin.
    #[error("the name of the log's key is no origin")]
    KeyName(#[from] CheckpointError),
    /// The store is of another log.
    #[error("the store belongs to the log {found} and the key to {expected}")]
    OtherLog {
        /// The origin in the store.
        found: Origin,
        /// The name of the key.
        expected: Origin,
    },
    /// The source has less than the store.
    #[error("the source has {found} entries and the store {store}")]
    Behind {
        /// How many the store has.
        store: TreeSize,
        /// How many the source has.
        found: TreeSize,
    },
    /// An entry is none that the log can have admitted.
    #[error("entry {index} of the source is none that the log admitted: {why}")]
    Entry {
        /// Its index.
        index: u64,
        /// What is wrong with it.
        why: String,
    },
    /// The entries lead elsewhere.
    #[error("the entries lead to the root {computed} and the log signed {signed}")]
    Root {
        /// Where they lead.
        computed: RootHash,
        /// What the log signed.
        signed: RootHash,
    },
    /// The head has no quorum.
    #[error("the head of the source has no quorum")]
    Quorum(#[from] QuorumError),
    /// The edge of the tree in the store is not whole.
    #[error(transparent)]
    Edge(#[from] DamagedEdge),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file cannot be copied, or the mark not written.
    #[error(transparent)]
    Copy(#[from] BackupError),
    /// A file cannot be read or written.
    #[error("{}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        cause: io::Error,
    },
}

impl RebuildError {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |cause| Self::File { path, cause }
    }
}

impl From<RebuildError> for Failed {
    fn from(error: RebuildError) -> Self {
        let (exit, hint) = match &error {
            RebuildError::Source(SourceError::Unreadable { .. }) | RebuildError::File { .. } => {
                (Exit::CouldNotCheck, "look at the network and the disk, and run it again")
            }
            RebuildError::Behind { .. } | RebuildError::Quorum(_) | RebuildError::OtherLog { .. } => {
                (Exit::Usage, "name a source that has this log, and more of it than the folder")
            }
            RebuildError::Source(SourceError::Store(_)) => (
                Exit::StateDamaged,
                "the entries themselves are damaged: run countersign-log fsck on the source",
            ),
            RebuildError::Root { .. } | RebuildError::Entry { .. } | RebuildError::Source(_) => (
                Exit::Misbehaviour,
                "name another source: this one gives out what the log never signed; or, if the folder had a database, that \
                 one is of another history: run countersign-log fsck on it",
            ),
            _ => (Exit::StateDamaged, "run countersign-log fsck on the folder: it says what is wrong where"),
        };
        Self::new(exit, "nothing was replaced").hint(hint).because(error)
    }
}
