//! Why there is no copy, or no log out of one.

use std::io;
use std::path::{Path, PathBuf};

use countersign_verifier::merkle::{RootHash, TreeSize};
use countersign_verifier::program::{Exit, Failed};

use crate::log::ProofError;
use crate::store::StoreError;
use crate::tree::DamagedEdge;

/// Why there is no copy, or no log out of one.
#[derive(Debug, thiserror::Error)]
pub enum BackupError {
    /// One of the folders lies in the other.
    #[error("{} and {} lie one in the other", .0.display(), .1.display())]
    Within(PathBuf, PathBuf),
    /// There is something else where the copy is to be.
    #[error("{} is not empty, and not a backup", .0.display())]
    NotABackup(PathBuf),
    /// There is a log where one is to be restored.
    #[error("{} has a database already", .0.display())]
    Occupied(PathBuf),
    /// The copy is one of another log.
    #[error("the backup in {} is one of {found}, and the log is {expected}", .folder.display())]
    OtherLog {
        /// Where the copy is.
        folder: PathBuf,
        /// Its log's key.
        found: String,
        /// The log's key.
        expected: String,
    },
    /// The copy before has more than the log.
    #[error(
        "the backup has {backup} entries and the log {log}: the log lost some, and its backup is not written over"
    )]
    Newer {
        /// How many the copy has.
        backup: TreeSize,
        /// How many the log has.
        log: TreeSize,
    },
    /// The copy before is of another history.
    #[error("the backup has root {backup} at size {size} and the log {log}: they are two histories")]
    Forked {
        /// How many entries the copy has.
        size: TreeSize,
        /// The root of the copy.
        backup: RootHash,
        /// The root that the log had at that size.
        log: RootHash,
    },
    /// Another process is writing to it.
    #[error("another process is using {}", .0.display())]
    InUse(PathBuf),
    /// The store has no head.
    #[error("the store has no head: its founding was not finished")]
    NotFounded,
    /// The edge of the tree is not whole.
    #[error(transparent)]
    Edge(#[from] DamagedEdge),
    /// The edge leads to another root than the head has.
    #[error("the stored hashes lead to the root {computed} and the head has {expected}")]
    Root {
        /// Where the hashes lead.
        computed: RootHash,
        /// What the head says.
        expected: RootHash,
    },
    /// The newest acknowledged head is none of this tree.
    #[error("the head in the file high-water is none that the log signed for this tree")]
    HighWater,
    /// The tree cannot be read.
    #[error(transparent)]
    Tree(#[from] ProofError),
    /// The store cannot be used.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The file that makes a folder a backup says something else.
    #[error("{} is not what a backup begins with", .0.display())]
    Marker(PathBuf),
    /// There is nothing to declare.
    #[error("{} was not restored, or was confirmed since", .0.display())]
    NotRestored(PathBuf),
    /// A file cannot be read or written.
    #[error("{}", .path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
}

impl BackupError {
    pub(super) fn file(path: &Path) -> impl FnOnce(io::Error) -> Self {
        let path = path.to_owned();
        |source| Self::File { path, source }
    }

    fn exit(&self) -> Exit {
        match self {
            Self::Within(..)
            | Self::NotABackup(_)
            | Self::Occupied(_)
            | Self::OtherLog { .. }
            | Self::NotRestored(_)
            | Self::Store(StoreError::Missing(_)) => Exit::Usage,
            Self::File { .. }
            | Self::InUse(_)
            | Self::Store(StoreError::Failed { .. } | StoreError::Locked(_)) => Exit::CouldNotCheck,
            _ => Exit::StateDamaged,
        }
    }

    const fn remedy(&self) -> &'static str {
        match self {
            Self::Within(..) => "name a folder elsewhere, best on another disk",
            Self::NotABackup(_) => "name an empty folder, or one that has the backup of this log",
            Self::Occupied(_) => {
                "name an empty folder, or move the folder db away: nothing is ever written over"
            }
            Self::OtherLog { .. } => "name the folder that belongs to this log",
            Self::Newer { .. } | Self::Forked { .. } | Self::HighWater => {
                "stop the log, keep both folders as they are, and run countersign-log fsck on each"
            }
            Self::InUse(_) => "wait until the other one is done",
            Self::NotRestored(_) => {
                "only a folder that countersign-log restore made has something to declare"
            }
            Self::File { .. } | Self::Store(StoreError::Failed { .. } | StoreError::Locked(_)) => {
                "look at the permissions and the disk: is it full, failing, or mounted read-only"
            }
            Self::Store(StoreError::Missing(_)) => "name a log's data folder or a backup",
            Self::Store(StoreError::DamagedFile { .. }) => {
                "nothing was replaced, and the backup before is kept; run countersign-log fsck on the data folder: it says \
                 what is wrong where"
            }
            _ => "run countersign-log fsck on the folder: it says what is wrong where",
        }
    }
}

impl From<BackupError> for Failed {
    fn from(error: BackupError) -> Self {
        Self::new(error.exit(), "nothing was replaced").hint(error.remedy()).because(error)
    }
}
