//! The messages between a log and its witnesses (C2SP tlog-witness).

use core::fmt;

use crate::merkle::{NodeHash, TreeSize};
use crate::note::{MAX_NOTE_BYTES, NoteError, SignedNote};

/// The most hashes that a request may carry.
pub const MAX_HASHES: usize = 63;
/// The largest request that is read, in bytes: the proof and the largest note.
pub const MAX_REQUEST_BYTES: usize = MAX_NOTE_BYTES + 4 * 1024;
/// The content type of a 409 answer, whose body is the size that the witness has cosigned.
pub const SIZE_CONTENT_TYPE: &str = "text/x.tlog.size";

/// Why bytes are not an add-checkpoint request.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum RequestError {
    /// Not UTF-8.
    #[error("a request is UTF-8 text")]
    NotUtf8,
    /// No blank line between proof and checkpoint.
    #[error("no blank line between the proof and the checkpoint")]
    NoBlankLine,
    /// The first line does not name the old size.
    #[error("the first line is \"old\" and a decimal size without leading zeros, at most 2^63-1")]
    OldSize,
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

/// The body of `POST <submission prefix>/add-checkpoint`.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct AddCheckpoint {
    /// The size that the witness is thought to have cosigned last, 0 when none.
    pub old: TreeSize,
    /// The consistency proof from there.
    pub proof: Vec<NodeHash>,
    /// The new head, signed by the log.
    pub checkpoint: SignedNote,
}

impl AddCheckpoint {
    /// Reads a request. What it prints as is byte for byte what was read.
    pub fn parse(bytes: &[u8]) -> Result<Self, RequestError> {
        let text = core::str::from_utf8(bytes).map_err(|_| RequestError::NotUtf8)?;
        // The checkpoint has a blank line of its own, so the first one is what divides.
        let (header, checkpoint) = text.split_once("\n\n").ok_or(RequestError::NoBlankLine)?;
        let mut lines = header.split('\n');
        let old = lines
            .next()
            .and_then(|line| line.strip_prefix("old "))
            .and_then(TreeSize::parse)
            .ok_or(RequestError::OldSize)?;
        let mut proof = Vec::new();
        for (number, line) in lines.enumerate() {
            if number == MAX_HASHES {
                return Err(RequestError::TooManyHashes);
            }
            let hash = NodeHash::from_base64(line);
            proof.push(hash.map_err(|_| RequestError::Hash(number.saturating_add(1)))?);
        }
        Ok(Self { old, proof, checkpoint: SignedNote::parse(checkpoint.as_bytes())? })
    }
}

impl fmt::Display for AddCheckpoint {
    /// The body.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "old {}", self.old)?;
        self.proof.iter().try_for_each(|hash| writeln!(f, "{}", hash.to_base64()))?;
        write!(f, "\n{}", self.checkpoint)
    }
}

/// Reads the body of a 409 answer: the size that the witness has cosigned, and a line feed.
pub fn parse_size_body(body: &[u8]) -> Option<TreeSize> {
    core::str::from_utf8(body).ok()?.strip_suffix('\n').and_then(TreeSize::parse)
}
