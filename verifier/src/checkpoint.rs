//! Checkpoints (C2SP tlog-checkpoint): the heads that a log signs.

use core::fmt;

use crate::merkle::{RootHash, TreeSize};
use crate::note::{NoteSigner, SignatureLine, SignedNote, UntrustedNote, VerifierKey};

/// Why a text is not a checkpoint.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CheckpointError {
    /// The first line is not 1 to 255 bytes long.
    #[error("the origin, the first line, has 1 to 255 bytes")]
    Origin,
    /// The second line is not a size.
    #[error("the second line is the tree size: decimal, no leading zeros, at most 2^63-1")]
    Size,
    /// The third line is not a root.
    #[error("the third line is the root: the standard base64 of 32 bytes")]
    Root,
    /// A line is missing, or one is empty, or the last does not end.
    #[error("a checkpoint has three lines or more, none of them empty, each ending in a line feed")]
    Lines,
}

/// Why a note is not a checkpoint by a known log.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// No known key signed it, or a signature in its name is false.
    #[error(transparent)]
    Untrusted(#[from] UntrustedNote),
    /// The signed text is no checkpoint.
    #[error("the signed text is not a checkpoint: {0}")]
    NotACheckpoint(#[from] CheckpointError),
}

/// The name of a log, the first line of its checkpoints: 1 to 255 bytes without control characters.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Origin(String);

impl Origin {
    /// Takes up a name.
    pub fn new(name: &str) -> Result<Self, CheckpointError> {
        if name.is_empty() || name.len() > 255 || name.bytes().any(|byte| byte < 0x20) {
            return Err(CheckpointError::Origin);
        }
        Ok(Self(name.to_owned()))
    }

    /// The name.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The lowercase hex SHA-256 of the name, under which a witness serves its newest checkpoint of the log
    /// (C2SP tlog-witness).
    pub fn hash(&self) -> String {
        use sha2::Digest as _;
        hex::encode(sha2::Sha256::digest(self.0.as_bytes()))
    }
}

impl fmt::Display for Origin {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a head says: this log has this many entries with this root. Who says so, it does not say.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Checkpoint {
    /// Which log.
    pub origin: Origin,
    /// How many entries.
    pub size: TreeSize,
    /// The root over them.
    pub root: RootHash,
    /// Further lines, each without its line feed. This log never writes any.
    pub extensions: Vec<String>,
}

impl Checkpoint {
    /// The head of a log of this project: no extension lines.
    pub fn new(origin: Origin, size: TreeSize, root: RootHash) -> Self {
        Self { origin, size, root, extensions: Vec::new() }
    }

    /// Reads the text of a note. What it prints as is byte for byte what was read.
    pub fn parse(text: &str) -> Result<Self, CheckpointError> {
        let mut lines = text.strip_suffix('\n').ok_or(CheckpointError::Lines)?.split('\n');
        let mut next = || lines.next().filter(|line| !line.is_empty()).ok_or(CheckpointError::Lines);
        let (origin, size, root) = (next()?, next()?, next()?);
        let origin = Origin::new(origin)?;
        let size = TreeSize::parse(size).ok_or(CheckpointError::Size)?;
        let root = RootHash::from_base64(root).map_err(|_| CheckpointError::Root)?;
        let extensions: Vec<String> = lines.map(str::to_owned).collect();
        if extensions.iter().any(String::is_empty) {
            return Err(CheckpointError::Lines);
        }
        Ok(Self { origin, size, root, extensions })
    }

    /// Signs the head with the key of the log. A log must never sign two heads that disagree: whether this one may
    /// be signed, the caller must know.
    pub fn sign(&self, signer: &NoteSigner) -> SignedNote {
        SignedNote::sign(self.to_string(), signer)
    }
}

impl fmt::Display for Checkpoint {
    /// The text that is signed.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}\n{}\n{}\n", self.origin, self.size, self.root.to_base64())?;
        self.extensions.iter().try_for_each(|line| writeln!(f, "{line}"))
    }
}

/// A checkpoint that a known key of its log signed.
///
/// It is what the log says. That others saw the same, only cosignatures show: see
/// [`Policy::verify`](crate::quorum::Policy::verify).
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct LogSigned {
    checkpoint: Checkpoint,
    signatures: Vec<SignatureLine>,
}

impl LogSigned {
    /// Opens a note that one of `keys` must have signed. The keys are those of one log; that the origin is the
    /// one expected, the caller compares.
    pub fn open(note: &SignedNote, keys: &[VerifierKey]) -> Result<Self, OpenError> {
        let signatures = note.verify(keys)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        Ok(Self { checkpoint, signatures })
    }

    /// The head.
    pub fn checkpoint(&self) -> &Checkpoint {
        &self.checkpoint
    }

    /// The signature lines by the keys of the log, verified.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// The note again, encoded from what was understood of it, with the lines of the log and nothing else.
    pub fn to_note(&self) -> SignedNote {
        SignedNote::unsigned(self.checkpoint.to_string()).with_signatures(self.signatures.clone())
    }
}

/// The first line of a note that is to be a checkpoint: the origin by which its keys are looked up.
pub fn origin_line(note: &SignedNote) -> Result<Origin, CheckpointError> {
    Origin::new(note.text().split('\n').next().unwrap_or_default())
}
