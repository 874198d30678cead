//! What can be wrong between the mirror and its log.

use countersign_verifier::checkpoint::Checkpoint;
use countersign_verifier::merkle::{PlanError, ProofError, RootHash, TreeSize};
use countersign_verifier::note::NoteError;
use countersign_verifier::quorum::QuorumError;
use countersign_verifier::tiles::{BundleError, TileError};

use crate::source::SourceError;

/// Why the mirror stands still. What it verified before, it goes on showing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum Trouble {
    /// The log has not published a head yet, which it does once a quorum of witnesses has cosigned one.
    #[error("the log has not published a head yet")]
    NoHeadYet,
    /// A head that was there is there no longer.
    #[error("the log no longer publishes a head, though it did before")]
    HeadWithdrawn,
    /// The log could not be read.
    #[error(transparent)]
    Unread(#[from] ReadError),
    /// What is served as a head is not a signed note.
    #[error("what the log serves as its head is not a signed note")]
    NotANote(#[from] NoteError),
    /// The trust policy does not accept the head.
    #[error("the head does not satisfy the trust policy")]
    Refused(#[from] QuorumError),
    /// The head belongs to another log of the policy than the one followed so far.
    #[error("the head is that of the log {served}, but this explorer follows {known}")]
    OtherLog {
        /// The origin followed so far.
        known: String,
        /// The origin of the head served.
        served: String,
    },
    /// An older head, consistent with what is known: an outdated cache, or a log that was set back.
    #[error("the log serves an older head, of {served} entries; this explorer has verified one of {known}")]
    Older {
        /// The size verified before.
        known: TreeSize,
        /// The size served now.
        served: TreeSize,
    },
    /// What the log serves does not lead to the root that its head states.
    #[error("what the log serves does not lead to its signed head of {} entries: {cause}", .head.size)]
    Unproven {
        /// The head.
        head: Box<Checkpoint>,
        /// Where the proof ends instead.
        cause: ProofError,
    },
    /// Two signed heads that cannot both be true.
    #[error(
        "the log signed two heads that contradict each other: at size {size} the root was {known}, and \
         now it is said to be {served}"
    )]
    Fork {
        /// The size of the smaller head.
        size: TreeSize,
        /// The root that was verified for this size.
        known: RootHash,
        /// The root that the other head states for it.
        served: RootHash,
    },
}

/// Why something could not be read from the log, or was not what it has to be.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ReadError {
    /// No answer, or not a good one.
    #[error(transparent)]
    Source(#[from] SourceError),
    /// A bundle of entries that is not one.
    #[error("/{path} is not a bundle of entries: {cause}")]
    Bundle {
        /// Where it was served.
        path: String,
        /// What is wrong with it.
        cause: BundleError,
    },
    /// A hash tile that is not one.
    #[error("/{path} is not a hash tile: {cause}")]
    Tile {
        /// Where it was served.
        path: String,
        /// What is wrong with it.
        cause: TileError,
    },
    /// A node, a width or a plan that no tree of this size has.
    #[error("the tree of {0} entries has no such part")]
    NoSuchPart(TreeSize),
    /// The log serves other bytes for an entry than those that were verified.
    #[error("the log now serves other bytes near entry {index} than those under its signed head")]
    Changed {
        /// The first entry of the bundle.
        index: u64,
    },
    /// The reading was cut off by the end of the program.
    #[error("the reading was interrupted")]
    Interrupted,
}

/// Why a proof from tiles cannot be given.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub(crate) enum ProofTrouble {
    /// The tiles could not be read.
    #[error(transparent)]
    Read(#[from] ReadError),
    /// There is nothing to prove: the sizes do not fit.
    #[error(transparent)]
    Plan(#[from] PlanError),
    /// The tiles do not lead to the root.
    #[error(transparent)]
    Unproven(#[from] ProofError),
}

impl Trouble {
    /// Whether the log contradicts itself, as opposed to being out of reach or behind.
    pub(crate) const fn is_alarm(&self) -> bool {
        matches!(self, Self::Unproven { .. } | Self::Fork { .. } | Self::Unread(ReadError::Changed { .. }))
    }

    /// Whether this is how every log begins.
    pub(crate) const fn is_beginning(&self) -> bool {
        matches!(self, Self::NoHeadYet)
    }
}

/// A contradiction, kept with both sides of it for as long as the program runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Evidence {
    /// When it was seen, in seconds since 1970.
    pub(crate) seen_at: u64,
    /// What it is.
    pub(crate) trouble: Trouble,
    /// The head that was verified before, if there was one.
    pub(crate) known: Option<String>,
    /// The note that the log served against it.
    pub(crate) served: String,
}

impl Evidence {
    /// Whether it is of two signed heads, after which nothing of the log is believed.
    pub(crate) const fn is_fork(&self) -> bool {
        matches!(self.trouble, Trouble::Fork { .. })
    }
}
