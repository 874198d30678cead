//! What a submission brings, and how far it was shown.

use core::fmt;
use core::str::FromStr;

use countersign_verifier::checkpoint::{Checkpoint, CheckpointError};
use countersign_verifier::merkle::{LeafHash, LeafIndex, ProofError, verify_inclusion};
use countersign_verifier::proof::{self, ProofFormatError, TlogProof};
use countersign_verifier::quorum::{Policy, QuorumError};

/// What a submission waits for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Wait {
    /// A head with the quorum's cosignatures that includes the entry.
    #[default]
    Cosigned,
    /// The entry is durable, in a head signed by the log.
    Sequenced,
}

impl Wait {
    /// The word in the query.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Cosigned => "cosigned",
            Self::Sequenced => "sequenced",
        }
    }
}

impl fmt::Display for Wait {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A word that is none of `cosigned` and `sequenced`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("expected cosigned or sequenced")]
pub struct UnknownWait;

impl FromStr for Wait {
    type Err = UnknownWait;

    fn from_str(word: &str) -> Result<Self, UnknownWait> {
        [Self::Cosigned, Self::Sequenced].into_iter().find(|wait| wait.as_str() == word).ok_or(UnknownWait)
    }
}

/// What the client was told to trust, out of band.
#[derive(Debug, Clone)]
pub enum Trust {
    /// This policy: the log's key and, for cosigned answers, the quorum.
    Policy(Box<Policy>),
    /// Nothing: that the proof is one for the entry, under the head that the log shows, is all that can be checked.
    Nothing,
}

/// How much a receipt shows.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shown {
    /// The entry is included in a head with the log's signature and the quorum of the policy.
    Cosigned {
        /// How many witnesses of the policy cosigned.
        witnesses: usize,
    },
    /// The entry is included in a head with the log's signature.
    LogSigned,
    /// The entry is included in the head that the answer shows. Who signed that head was not checked.
    InclusionOnly,
}

/// A checked answer: the entry is in the tree at that place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Receipt {
    /// The id of the entry.
    pub entry: LeafHash,
    /// Where it is.
    pub index: LeafIndex,
    /// Whether the log had it before.
    pub known: bool,
    /// The proof, whole.
    pub proof: TlogProof,
    /// The head that it leads to.
    pub head: Checkpoint,
    /// How far it was checked.
    pub shown: Shown,
}

/// What became of a submission that the log took.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Submitted {
    /// It is in the tree, with a proof that was checked.
    Logged(Box<Receipt>),
    /// The log says that it has it, and shows no proof yet.
    Accepted {
        /// The id of the entry.
        entry: LeafHash,
        /// Where it is, if the log says so; unproven.
        index: Option<LeafIndex>,
    },
}

impl Submitted {
    /// The id of the entry.
    pub fn entry(&self) -> LeafHash {
        match self {
            Self::Logged(receipt) => receipt.entry,
            Self::Accepted { entry, .. } => *entry,
        }
    }

    /// Where it is. Proven only for [`Submitted::Logged`].
    pub fn index(&self) -> Option<LeafIndex> {
        match self {
            Self::Logged(receipt) => Some(receipt.index),
            Self::Accepted { index, .. } => *index,
        }
    }
}

/// Why an answer does not show what it should.
#[derive(Debug, thiserror::Error)]
pub enum Unproven {
    /// The answer names another entry than was sent.
    #[error("it is about the entry {stated}, and {sent} was sent")]
    OtherEntry {
        /// The id in the answer.
        stated: String,
        /// The id of what was sent.
        sent: LeafHash,
    },
    /// The proof is for another index than the answer says.
    #[error("it says index {stated}, and its proof is for index {proven}")]
    OtherIndex {
        /// The index in the answer.
        stated: u64,
        /// The index in the proof.
        proven: LeafIndex,
    },
    /// The proof is none.
    #[error("the proof has the wrong form")]
    Form(#[from] ProofFormatError),
    /// The proof does not hold under the policy.
    #[error("the proof does not hold under the trust policy")]
    Policy(#[from] proof::Unproven),
    /// The head is not signed by a log of the policy.
    #[error("the head is not one by a log of the trust policy")]
    Log(#[from] QuorumError),
    /// The head is none.
    #[error("the head has the wrong form")]
    Head(#[from] CheckpointError),
    /// The entry is not where the proof says.
    #[error("the proof does not lead to the head")]
    Inclusion(#[from] ProofError),
}

/// Shows that an entry is in the tree, as far as the trust goes.
pub(super) fn prove(
    proof: &TlogProof,
    entry: LeafHash,
    wait: Wait,
    trust: &Trust,
) -> Result<(Checkpoint, Shown), Unproven> {
    let (head, shown) = match (trust, wait) {
        (Trust::Policy(policy), Wait::Cosigned) => {
            let verified = proof.verify(entry, policy)?;
            let witnesses = verified.head().cosignatures().len();
            return Ok((verified.head().checkpoint().clone(), Shown::Cosigned { witnesses }));
        }
        (Trust::Policy(policy), Wait::Sequenced) => {
            (policy.verify_log(&proof.checkpoint)?.checkpoint().clone(), Shown::LogSigned)
        }
        (Trust::Nothing, _) => (Checkpoint::parse(proof.checkpoint.text())?, Shown::InclusionOnly),
    };
    verify_inclusion(entry, proof.index, head.size, &proof.hashes, head.root)?;
    Ok((head, shown))
}
