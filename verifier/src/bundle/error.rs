//! Why there is no bundle.

use super::format::{FORMAT, MAX_BUNDLE_BYTES, MAX_ENTRIES};
use super::needs::Need;
use crate::checkpoint::CheckpointError;
use crate::merkle::{LeafIndex, PlanError};
use crate::note::NoteError;
use crate::statement::{Excerpt, ExecutionId, NameError, StatementError};

/// Why bytes are not a bundle, or entries do not make one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// More than [`MAX_BUNDLE_BYTES`].
    #[error("a bundle of {0} bytes is larger than the {MAX_BUNDLE_BYTES} that are read")]
    TooLarge(usize),
    /// Not JSON with the members of a bundle.
    #[error(
        "line {line} column {column} is not what a bundle has there: expected an object with format, execution, \
         checkpoint, entries (of index and statement) and multiproof"
    )]
    Syntax {
        /// The line, from 1.
        line: usize,
        /// The column, from 1; 0 at the start of a line.
        column: usize,
    },
    /// Another format.
    #[error("the format is {found}, expected {FORMAT:?}")]
    Format {
        /// What it says.
        found: Excerpt,
    },
    /// The same content in another encoding.
    #[error("byte {at} is the first to differ from the one encoding that this bundle has")]
    NotCanonical {
        /// The first byte, from 0, that differs.
        at: usize,
    },
    /// The execution id is not one.
    #[error("the execution: {0}")]
    Execution(#[source] NameError),
    /// The checkpoint is not a signed note.
    #[error("the checkpoint has the wrong form")]
    Checkpoint(#[from] NoteError),
    /// The signed text under the checkpoint is none.
    #[error("what is signed is not a checkpoint")]
    NotACheckpoint(#[from] CheckpointError),
    /// More than [`MAX_ENTRIES`].
    #[error(
        "{0} entries are more than the {MAX_ENTRIES} that a bundle has: to check this execution, audit the log"
    )]
    TooManyEntries(usize),
    /// An index that no statement could name.
    #[error("the index {0} is larger than 2^53-1")]
    Index(u64),
    /// Entries out of order.
    #[error("entry {index} follows entry {before}: expected ascending order, each entry once")]
    Order {
        /// The entry out of order.
        index: LeafIndex,
        /// The one before it.
        before: LeafIndex,
    },
    /// The bytes of an entry are not in base64.
    #[error("the statement of entry {0} is not in standard base64")]
    Base64(LeafIndex),
    /// An entry is not a statement.
    #[error("entry {index} is not a statement")]
    Statement {
        /// Which.
        index: LeafIndex,
        /// What is wrong with it.
        #[source]
        cause: StatementError,
    },
    /// A hash of the proof that is none, by its number from 1.
    #[error("hash {0} of the multiproof is not the standard base64 of 32 bytes")]
    Hash(usize),
    /// No entry of the execution.
    #[error("no entry is of the execution {0}")]
    NoExecution(ExecutionId),
    /// An entry that the others stand on is not there.
    #[error("{0} is not in the bundle: expected everything that its entries stand on")]
    Missing(Need),
    /// An entry that belongs to another execution, or that nothing stands on.
    #[error(
        "entry {0} does not belong in this bundle: expected the execution and what it stands on, nothing else"
    )]
    Surplus(LeafIndex),
    /// The multiproof has another number of hashes than these places take.
    #[error("the multiproof has {got} hashes, and these entries of a tree of that size take {want}")]
    ProofLength {
        /// How many it takes.
        want: usize,
        /// How many it has.
        got: usize,
    },
    /// The entries do not fit a tree of that size.
    #[error("the entries do not fit the head")]
    Plan(#[from] PlanError),
}
