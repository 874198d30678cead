//! What evidence proves.

use core::fmt;

use serde::Serialize;

use crate::checkpoint::Origin;
use crate::merkle::{LeafIndex, ProofError};
use crate::quorum::QuorumError;

/// Who misbehaved.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Against {
    /// The log, or whoever holds its key.
    Log,
    /// The log or the issuer of the statement: one of the two, and these signatures do not say which.
    LogOrIssuer,
}

/// What evidence proves, to whoever takes the keys in the policy for those of the parties.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Proven {
    /// Who misbehaved.
    pub against: Against,
    /// The log concerned.
    #[serde(serialize_with = "as_text")]
    pub log: Origin,
    /// The stable code of what is shown: `fork`, `head-contradicted`, or that of the refusal that the log owed.
    pub code: &'static str,
    /// What is shown, in sentences.
    pub shows: Vec<String>,
    /// What would refute it, if anything could.
    pub unless: Option<String>,
    /// Witnesses that cosigned both of two heads that disagree.
    pub witnesses: Vec<String>,
}

impl fmt::Display for Proven {
    /// Sentences, one a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let party = match self.against {
            Against::Log => "This proves misbehaviour of the log",
            Against::LogOrIssuer => "This proves misbehaviour of the log or of the issuer, not of which,",
        };
        writeln!(f, "{party} {}.", self.log)?;
        self.shows.iter().try_for_each(|sentence| writeln!(f, "{sentence}"))?;
        if !self.witnesses.is_empty() {
            let names = self.witnesses.join(", ");
            writeln!(
                f,
                "Both heads carry the cosignature of {names}: a witness that keeps its rules signs one of them."
            )?;
        }
        match &self.unless {
            None => f.write_str("Nothing that the log could still show refutes it."),
            Some(unless) => write!(f, "It would be refuted by {unless}."),
        }
    }
}

/// Why evidence proves nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NothingProven {
    /// A head that no log of the policy signed.
    #[error("a head is not signed by a log of the policy")]
    Head(#[source] QuorumError),
    /// The heads are of two logs.
    #[error("the heads are of two logs, {first} and {second}: expected two heads of one log")]
    TwoLogs {
        /// The first.
        first: Origin,
        /// The second.
        second: Origin,
    },
    /// The proof between the two trees does not hold.
    #[error("the proof of what the larger tree begins with does not hold")]
    Prefix(#[source] ProofError),
    /// What is said to disagree agrees.
    #[error("the two trees agree: both have the same root at the smaller size")]
    Agree,
    /// An entry is not under the head.
    #[error("entry {index} is not shown to be under the head")]
    Inclusion {
        /// Which entry.
        index: LeafIndex,
        /// What is wrong with its proof.
        #[source]
        cause: ProofError,
    },
    /// An entry is not the one that is needed in its place.
    #[error("entry {index} is not {expected}")]
    Entry {
        /// Which entry.
        index: LeafIndex,
        /// What it should be.
        expected: &'static str,
    },
    /// The key given is not the one that the statement names.
    #[error("the key given is not the one that entry {index} names")]
    OtherKey {
        /// Which entry.
        index: LeafIndex,
    },
    /// The entry is as it should be, as far as these entries show.
    #[error("entry {index} breaks no rule that the entries given could show to be broken")]
    Innocent {
        /// Which entry.
        index: LeafIndex,
    },
}

fn as_text<S: serde::Serializer>(origin: &Origin, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(origin.as_str())
}
