//! Evidence of misbehaviour: files that convince somebody who has neither the log nor the word of whoever shows them.
//!
//! `docs/EVIDENCE.md` gives the format by example. A file holds what was signed and what leads from one signature to
//! the other, and nothing else; [`Evidence::verify`] needs nothing but a policy that names the log. It says what is
//! proven against whom, or that nothing is.
//!
//! What can be shown so are contradictions: two heads of one log, a head and a verification, an entry and the entries
//! before it. That something is *not* in a log takes the whole log: for that there is [`crate::audit`].
//!
//! ```
//! use countersign_verifier::checkpoint::{Checkpoint, Origin};
//! use countersign_verifier::evidence::{Evidence, Heads, Prefix};
//! use countersign_verifier::merkle::{RootHash, TreeSize};
//! use countersign_verifier::note::{KeyName, NoteSigner};
//! use countersign_verifier::quorum::Policy;
//!
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // A log that signs two heads of three entries.
//! let log = NoteSigner::from_seed(KeyName::new("log.example/demo")?, false, &[7; 32]);
//! let head = |root| -> Result<_, Box<dyn std::error::Error>> {
//!     let size = TreeSize::new(3).ok_or("no such size")?;
//!     Ok(Checkpoint::new(Origin::new("log.example/demo")?, size, root).sign(&log))
//! };
//! let (one, other) = (RootHash::from_bytes([1; 32]), RootHash::from_bytes([2; 32]));
//! let prefix = Prefix { root: other, proof: vec![] };
//! let file = Evidence::Heads(Heads { smaller: head(one)?, larger: head(other)?, prefix }).to_bytes();
//!
//! // Whoever knows the key of the log needs nothing but the file.
//! let policy = Policy::parse(format!("log {}\nquorum none\n", log.verifier()).as_bytes())?;
//! let proven = Evidence::parse(&file)?.verify(&policy)?;
//! assert_eq!(proven.code, "fork");
//! # Ok(())
//! # }
//! ```
//!
//! | module | what it shows |
//! |---|---|
//! | `heads` | that a log signed two histories; that a verification names a head which the log did not have |
//! | `admission` | that an entry is in a log whose rules do not allow it |
//! | `file` | how evidence is written, in one encoding |

mod admission;
mod file;
mod heads;
mod proven;

pub use admission::AdmissionEvidence;
pub use file::{EvidenceError, MAX_EVIDENCE_BYTES};
pub use heads::{ClaimedHead, Heads};
pub use proven::{Against, NothingProven, Proven};

use crate::checkpoint::LogSigned;
use crate::merkle::{LeafHash, LeafIndex, NodeHash, RootHash, verify_inclusion};
use crate::note::SignedNote;
use crate::quorum::Policy;

/// The media type of evidence.
pub const MEDIA_TYPE: &str = "application/vnd.countersign.evidence+json";

/// Evidence as it stands in a file, of which nothing is known but its form.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Evidence {
    /// Two heads of one log that disagree.
    Heads(Heads),
    /// A verification that names a head which disagrees with the log's.
    ClaimedHead(ClaimedHead),
    /// An entry that should not have been admitted.
    Admission(AdmissionEvidence),
}

/// An entry with its path to the root of a head.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Included {
    /// Where it is.
    pub index: LeafIndex,
    /// Its bytes.
    pub bytes: Vec<u8>,
    /// The path.
    pub proof: Vec<NodeHash>,
}

/// What a tree begins with: the root over its first entries, and the proof of that.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Prefix {
    /// The root over the first entries.
    pub root: RootHash,
    /// The proof that the whole tree begins with them.
    pub proof: Vec<NodeHash>,
}

impl Evidence {
    /// Reads evidence, in the one encoding that it has.
    pub fn parse(bytes: &[u8]) -> Result<Self, EvidenceError> {
        file::parse(bytes)
    }

    /// The file.
    pub fn to_bytes(&self) -> Vec<u8> {
        file::write(self)
    }

    /// What it proves, to whoever takes the keys in `policy` for those of the log and its witnesses.
    ///
    /// A success says that somebody signed what contradicts something else that is signed, and who. It takes the log's
    /// signature only: a head that convicts its log need not have found a quorum. An error says that nothing is proven,
    /// which does not mean that nothing happened.
    pub fn verify(&self, policy: &Policy) -> Result<Proven, NothingProven> {
        match self {
            Self::Heads(heads) => heads.verify(policy),
            Self::ClaimedHead(claimed) => claimed.verify(policy),
            Self::Admission(admission) => admission.verify(policy),
        }
    }
}

/// The head, which a log of the policy signed.
fn open(note: &SignedNote, policy: &Policy) -> Result<LogSigned, NothingProven> {
    policy.verify_log(note).map_err(NothingProven::Head)
}

impl Included {
    /// Shows that the entry is under the head, and gives its id.
    fn verify(&self, head: &LogSigned) -> Result<LeafHash, NothingProven> {
        let (leaf, head) = (LeafHash::of(&self.bytes), head.checkpoint());
        verify_inclusion(leaf, self.index, head.size, &self.proof, head.root)
            .map_err(|cause| NothingProven::Inclusion { index: self.index, cause })?;
        Ok(leaf)
    }
}
