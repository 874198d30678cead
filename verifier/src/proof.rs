//! Offline proofs (C2SP tlog-proof, `@v1`): that an entry is in a tree whose head has its quorum.

use core::fmt;

use crate::merkle::{LeafHash, LeafIndex, NodeHash, ProofError, verify_inclusion};
use crate::note::{MAX_NOTE_BYTES, NoteError, SignedNote};
use crate::quorum::{Policy, QuorumError, VerifiedCheckpoint};
use crate::strict;

/// The largest proof file that is read, in bytes.
pub const MAX_PROOF_BYTES: usize = MAX_NOTE_BYTES + 64 * 1024;
/// The most hashes that any inclusion proof has.
pub const MAX_HASHES: usize = 63;

const HEADER: &str = "c2sp.org/tlog-proof@v1";

/// Why bytes are not a proof.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ProofFormatError {
    /// More than [`MAX_PROOF_BYTES`].
    #[error("a proof of {0} bytes is larger than the {MAX_PROOF_BYTES} that are read")]
    TooLarge(usize),
    /// Not UTF-8.
    #[error("a proof is UTF-8 text")]
    NotUtf8,
    /// Another first line.
    #[error("the first line is {HEADER:?}")]
    Header,
    /// No blank line between proof and checkpoint.
    #[error("no blank line between the hashes and the checkpoint")]
    NoBlankLine,
    /// The line `extra` does not hold base64 of one byte or more.
    #[error("extra holds the standard base64 of one byte or more")]
    Extra,
    /// The line `index` is missing or holds no index.
    #[error("expected a line \"index\" with a decimal number without leading zeros")]
    Index,
    /// A hash that is not one, by its number from 1.
    #[error("hash {0} is not the standard base64 of 32 bytes")]
    Hash(usize),
    /// More than [`MAX_HASHES`].
    #[error("more than {MAX_HASHES} hashes")]
    TooManyHashes,
    /// The checkpoint is not a signed note.
    #[error("the checkpoint: {0}")]
    Checkpoint(#[from] NoteError),
}

/// Why a proof does not hold.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Unproven {
    /// The head does not satisfy the policy.
    #[error("the head does not satisfy the policy")]
    Head(#[from] QuorumError),
    /// The entry is not at that place under that head.
    #[error("the entry is not in the tree at that index")]
    Inclusion(#[from] ProofError),
}

/// A proof as it stands in a `.tlog-proof` file, of which nothing is known but its form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct TlogProof {
    /// Bytes for the application. Nothing authenticates them.
    pub extra: Option<Vec<u8>>,
    /// The index of the entry.
    pub index: LeafIndex,
    /// The path from the entry to the root.
    pub hashes: Vec<NodeHash>,
    /// The head with its signatures.
    pub checkpoint: SignedNote,
}

/// An entry shown to be in a tree whose head satisfies a policy.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct VerifiedInclusion {
    leaf: LeafHash,
    index: LeafIndex,
    head: VerifiedCheckpoint,
}

impl VerifiedInclusion {
    /// The id of the entry.
    pub fn leaf(&self) -> LeafHash {
        self.leaf
    }

    /// Where it is.
    pub fn index(&self) -> LeafIndex {
        self.index
    }

    /// The head that it is under.
    pub fn head(&self) -> &VerifiedCheckpoint {
        &self.head
    }
}

impl TlogProof {
    /// Reads a proof. What it prints as is byte for byte what was read.
    pub fn parse(bytes: &[u8]) -> Result<Self, ProofFormatError> {
        if bytes.len() > MAX_PROOF_BYTES {
            return Err(ProofFormatError::TooLarge(bytes.len()));
        }
        let text = core::str::from_utf8(bytes).map_err(|_| ProofFormatError::NotUtf8)?;
        // The checkpoint has a blank line of its own, so the first one is what divides.
        let (header, checkpoint) = text.split_once("\n\n").ok_or(ProofFormatError::NoBlankLine)?;
        let mut lines = header.split('\n');
        if lines.next() != Some(HEADER) {
            return Err(ProofFormatError::Header);
        }
        let mut line = lines.next().ok_or(ProofFormatError::Index)?;
        let mut extra = None;
        if let Some(value) = line.strip_prefix("extra ") {
            let value = strict::from_base64(value).filter(|value| !value.is_empty());
            extra = Some(value.ok_or(ProofFormatError::Extra)?);
            line = lines.next().ok_or(ProofFormatError::Index)?;
        }
        let index = line.strip_prefix("index ").and_then(LeafIndex::parse).ok_or(ProofFormatError::Index)?;
        let mut hashes = Vec::new();
        for (number, line) in lines.enumerate() {
            if number == MAX_HASHES {
                return Err(ProofFormatError::TooManyHashes);
            }
            let hash = NodeHash::from_base64(line);
            hashes.push(hash.map_err(|_| ProofFormatError::Hash(number.saturating_add(1)))?);
        }
        Ok(Self { extra, index, hashes, checkpoint: SignedNote::parse(checkpoint.as_bytes())? })
    }

    /// Shows that the entry with hash `leaf` is in the tree, under a head that satisfies `policy`.
    ///
    /// A success says that the log admitted these bytes and that the quorum vouches for the head. It does not say
    /// that the statement in them is true, nor that nothing happened afterwards.
    pub fn verify(&self, leaf: LeafHash, policy: &Policy) -> Result<VerifiedInclusion, Unproven> {
        let head = policy.verify(&self.checkpoint)?;
        let checkpoint = head.checkpoint();
        verify_inclusion(leaf, self.index, checkpoint.size, &self.hashes, checkpoint.root)?;
        Ok(VerifiedInclusion { leaf, index: self.index, head })
    }
}

/// The file that a proof without an extra line is, under a head that is already in writing. Who proves many entries
/// under one head writes the head once.
pub fn to_text(index: LeafIndex, hashes: &[NodeHash], checkpoint: &str) -> String {
    text(None, index, hashes, checkpoint)
}

fn text(extra: Option<&[u8]>, index: LeafIndex, hashes: &[NodeHash], checkpoint: &str) -> String {
    let lines = hashes.len().saturating_mul(45).saturating_add(HEADER.len()).saturating_add(32);
    let mut text = String::with_capacity(lines.saturating_add(checkpoint.len()));
    text.push_str(HEADER);
    text.push('\n');
    if let Some(extra) = extra {
        text.push_str("extra ");
        strict::push_base64(extra, &mut text);
        text.push('\n');
    }
    text.push_str("index ");
    text.push_str(&index.to_string());
    text.push('\n');
    for hash in hashes {
        hash.push_base64(&mut text);
        text.push('\n');
    }
    text.push('\n');
    text.push_str(checkpoint);
    text
}

impl fmt::Display for TlogProof {
    /// The file.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&text(self.extra.as_deref(), self.index, &self.hashes, &self.checkpoint.to_string()))
    }
}
