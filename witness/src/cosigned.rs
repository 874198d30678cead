//! A head that this witness has cosigned, as it is kept, shown and remembered.

use countersign_verifier::checkpoint::{Checkpoint, CheckpointError, LogSigned, Origin};
use countersign_verifier::cosignature::{self, CosignatureError, Timestamp};
use countersign_verifier::merkle::{RootHash, TreeSize};
use countersign_verifier::note::{KeyKind, NoteError, NoteSigner, SignatureLine, SignedNote, VerifierKey};

/// Why bytes are not a head that this witness cosigned.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotCosigned {
    /// Not a signed note.
    #[error("not a signed note: {0}")]
    Note(#[from] NoteError),
    /// Not a checkpoint.
    #[error("not a checkpoint: {0}")]
    Checkpoint(#[from] CheckpointError),
    /// No line of this witness.
    #[error("no cosignature of {name} is under it", name = .0.name())]
    NoLine(Box<VerifierKey>),
    /// The line of this witness does not verify.
    #[error("the cosignature under it does not verify: {0}")]
    Cosignature(#[from] CosignatureError),
    /// A head of another log than the one it was kept for.
    #[error("a head of the log {0}")]
    OtherOrigin(Origin),
}

/// The key file holds a key that cannot cosign.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a witness signs with a key of type 0x04, this one has type 0x{0:02x}")]
pub struct NotACosigner(pub u8);

/// The key of the witness: Ed25519 for cosignatures (type 0x04). Erased from memory when dropped.
#[derive(Debug)]
pub struct Cosigner(NoteSigner);

impl Cosigner {
    /// Takes up a key, if it is one for cosignatures.
    pub fn new(signer: NoteSigner) -> Result<Self, NotACosigner> {
        match signer.verifier().kind() {
            KeyKind::CosignatureV1 => Ok(Self(signer)),
            other => Err(NotACosigner(other.byte())),
        }
    }

    /// The public half.
    pub fn key(&self) -> &VerifierKey {
        self.0.verifier()
    }

    /// Cosigns a head. Whether it may be cosigned, the caller must know.
    ///
    /// What is signed is encoded anew from what was understood of the head, never the bytes that came in.
    pub(crate) fn cosign(&self, head: &LogSigned, time: Timestamp) -> Result<Cosigned, NotACosigner> {
        let checkpoint = head.checkpoint().clone();
        let line = cosignature::cosign(&checkpoint, time, &self.0)
            .ok_or_else(|| NotACosigner(self.key().kind().byte()))?;
        let mut lines = head.signatures().to_vec();
        lines.push(line.clone());
        Ok(Cosigned { note: head.to_note().with_signatures(lines), checkpoint, line, time })
    }
}

/// A head with the cosignature of this witness, and with the lines of its log that were verified. No other lines are
/// ever kept: a stranger's line could be anything.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cosigned {
    checkpoint: Checkpoint,
    note: SignedNote,
    line: SignatureLine,
    time: Timestamp,
}

impl Cosigned {
    /// Reads a head back. A success says that `key` cosigned it; that the log signed it was known when it was kept.
    pub fn parse(note: &[u8], key: &VerifierKey) -> Result<Self, NotCosigned> {
        let note = SignedNote::parse(note)?;
        let checkpoint = Checkpoint::parse(note.text())?;
        let line = note
            .signatures()
            .iter()
            .find(|line| line.names(key))
            .cloned()
            .ok_or_else(|| NotCosigned::NoLine(Box::new(key.clone())))?;
        let time = cosignature::verify(note.text(), &line, key)?;
        Ok(Self { checkpoint, note, line, time })
    }

    /// Which log.
    pub fn origin(&self) -> &Origin {
        &self.checkpoint.origin
    }

    /// How many entries.
    pub fn size(&self) -> TreeSize {
        self.checkpoint.size
    }

    /// The root over them.
    pub fn root(&self) -> RootHash {
        self.checkpoint.root
    }

    /// When it was cosigned, by the clock of this witness.
    pub fn time(&self) -> Timestamp {
        self.time
    }

    /// The cosignature, the body of a 200 answer.
    pub fn cosignature(&self) -> &SignatureLine {
        &self.line
    }

    /// The whole note: the head, the lines of the log, the cosignature.
    pub fn note(&self) -> &SignedNote {
        &self.note
    }

    /// Whether the lines of the log are there. They are missing after a recovery from the high-water mark, until the
    /// log asks again; such a head is good for judging, and is not shown.
    pub fn has_log_signature(&self) -> bool {
        self.note.signatures().len() > 1
    }

    /// Whether `self` can follow `earlier` in the history of one log: not smaller, not older, and the same root
    /// where the size is the same.
    pub fn can_follow(&self, earlier: &Self) -> bool {
        self.size() >= earlier.size()
            && self.time >= earlier.time
            && (self.size() > earlier.size() || self.root() == earlier.root())
    }
}
