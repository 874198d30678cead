//! How evidence is written: JSON in its RFC 8785 form, so that the same evidence is the same file.

use serde::{Deserialize, Serialize};

use super::{AdmissionEvidence, ClaimedHead, Evidence, Heads, Included, Prefix};
use crate::ed25519::PublicKey;
use crate::merkle::{LeafIndex, NodeHash, RootHash};
use crate::note::{NoteError, SignedNote};
use crate::strict;

/// The largest evidence that is read, in bytes: two notes, and a few entries of the greatest length.
pub const MAX_EVIDENCE_BYTES: usize = 1 << 20;

const FORMAT: &str = "countersign-evidence/v1";

/// Why bytes are not evidence.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EvidenceError {
    /// More than [`MAX_EVIDENCE_BYTES`].
    #[error("evidence of {0} bytes is larger than the {MAX_EVIDENCE_BYTES} that are read")]
    TooLarge(usize),
    /// Not JSON with these members.
    #[error("line {line} column {column} is not as it has to be: expected JSON with the members of {FORMAT}")]
    Json {
        /// The line, from 1.
        line: usize,
        /// The column, from 1.
        column: usize,
    },
    /// Another format.
    #[error("the format is {found:?}, expected {FORMAT:?}")]
    Format {
        /// The format found.
        found: String,
    },
    /// Members that this kind of evidence does not have, or lacks.
    #[error("evidence of this kind has {expected}")]
    Members {
        /// What it should have.
        expected: &'static str,
    },
    /// A member that is not what it has to be.
    #[error("{member} is not {expected}")]
    Invalid {
        /// Which member.
        member: &'static str,
        /// What it should be.
        expected: &'static str,
    },
    /// A head is not a signed note.
    #[error("a head is not a signed note")]
    Note(#[from] NoteError),
    /// The same evidence has another, canonical encoding.
    #[error("not in RFC 8785 canonical form")]
    NotCanonical,
}

/// Members in the order of their names, as RFC 8785 wants them.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    checkpoints: Vec<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    entries: Vec<EntryMember>,
    format: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    key: Option<String>,
    kind: Kind,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prefix: Option<PrefixMember>,
}

#[derive(Serialize, Deserialize, Clone, Copy)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Heads,
    ClaimedHead,
    Admission,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct EntryMember {
    index: u64,
    proof: Vec<String>,
    statement: String,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct PrefixMember {
    proof: Vec<String>,
    root: String,
}

pub(super) fn parse(bytes: &[u8]) -> Result<Evidence, EvidenceError> {
    if bytes.len() > MAX_EVIDENCE_BYTES {
        return Err(EvidenceError::TooLarge(bytes.len()));
    }
    let file: File = serde_json::from_slice(bytes)
        .map_err(|error| EvidenceError::Json { line: error.line(), column: error.column() })?;
    if file.format != FORMAT {
        return Err(EvidenceError::Format { found: file.format.chars().take(80).collect() });
    }
    let evidence = typed(file)?;
    if write(&evidence) == bytes { Ok(evidence) } else { Err(EvidenceError::NotCanonical) }
}

fn typed(file: File) -> Result<Evidence, EvidenceError> {
    let File { checkpoints, entries, format: _, key, kind, prefix } = file;
    let notes =
        checkpoints.iter().map(|note| SignedNote::parse(note.as_bytes())).collect::<Result<Vec<_>, _>>()?;
    let entries = entries.iter().map(EntryMember::typed).collect::<Result<Vec<_>, _>>()?;
    let prefix = prefix.as_ref().map(PrefixMember::typed).transpose()?;
    let key = key.as_deref().map(public_key).transpose()?;
    match kind {
        Kind::Heads => match (<[_; 2]>::try_from(notes), entries.is_empty(), key, prefix) {
            (Ok([smaller, larger]), true, None, Some(prefix)) => {
                Ok(Evidence::Heads(Heads { smaller, larger, prefix }))
            }
            _ => Err(EvidenceError::Members { expected: "two checkpoints and a prefix" }),
        },
        Kind::ClaimedHead => match (<[_; 1]>::try_from(notes), <[_; 2]>::try_from(entries), key, prefix) {
            (Ok([head]), Ok([registration, verification]), None, Some(prefix)) => {
                Ok(Evidence::ClaimedHead(ClaimedHead { head, registration, verification, prefix }))
            }
            _ => Err(EvidenceError::Members {
                expected: "one checkpoint, two entries (a registration and a verification) and a prefix",
            }),
        },
        Kind::Admission => match (<[_; 1]>::try_from(notes), entries.is_empty(), prefix) {
            (Ok([head]), false, None) => Ok(Evidence::Admission(AdmissionEvidence { head, entries, key })),
            _ => Err(EvidenceError::Members {
                expected: "one checkpoint, one entry or more, and perhaps a key",
            }),
        },
    }
}

pub(super) fn write(evidence: &Evidence) -> Vec<u8> {
    let (kind, notes, entries, key, prefix) = match evidence {
        Evidence::Heads(Heads { smaller, larger, prefix }) => {
            (Kind::Heads, vec![smaller, larger], Vec::new(), None, Some(prefix))
        }
        Evidence::ClaimedHead(ClaimedHead { head, registration, verification, prefix }) => {
            (Kind::ClaimedHead, vec![head], vec![registration, verification], None, Some(prefix))
        }
        Evidence::Admission(AdmissionEvidence { head, entries, key }) => {
            (Kind::Admission, vec![head], entries.iter().collect(), key.as_ref(), None)
        }
    };
    let file = File {
        checkpoints: notes.into_iter().map(ToString::to_string).collect(),
        entries: entries.into_iter().map(EntryMember::of).collect(),
        format: FORMAT.to_owned(),
        key: key.map(|key| strict::to_base64(key.as_bytes())),
        kind,
        prefix: prefix.map(PrefixMember::of),
    };
    // Compact JSON of texts and integers with its names in order is the RFC 8785 form, and these texts always have one.
    serde_json::to_vec(&file).unwrap_or_default()
}

impl EntryMember {
    fn of(entry: &Included) -> Self {
        Self {
            index: entry.index.get(),
            proof: texts(&entry.proof),
            statement: strict::to_base64(&entry.bytes),
        }
    }

    fn typed(&self) -> Result<Included, EvidenceError> {
        let index = (self.index < 1 << 53).then(|| LeafIndex::new(self.index)).flatten();
        let index =
            index.ok_or(EvidenceError::Invalid { member: "index", expected: "an index below 2^53" })?;
        let bytes = strict::from_base64(&self.statement);
        let bytes =
            bytes.ok_or(EvidenceError::Invalid { member: "statement", expected: "standard base64" })?;
        Ok(Included { index, bytes, proof: hashes(&self.proof)? })
    }
}

impl PrefixMember {
    fn of(prefix: &Prefix) -> Self {
        Self { proof: texts(&prefix.proof), root: prefix.root.to_base64() }
    }

    fn typed(&self) -> Result<Prefix, EvidenceError> {
        let wrong = EvidenceError::Invalid { member: "root", expected: "the standard base64 of 32 bytes" };
        Ok(Prefix {
            root: RootHash::from_base64(&self.root).map_err(|_| wrong)?,
            proof: hashes(&self.proof)?,
        })
    }
}

fn texts(hashes: &[NodeHash]) -> Vec<String> {
    hashes.iter().map(NodeHash::to_base64).collect()
}

fn hashes(texts: &[String]) -> Result<Vec<NodeHash>, EvidenceError> {
    let wrong =
        EvidenceError::Invalid { member: "proof", expected: "a list of 32 bytes in standard base64 each" };
    texts.iter().map(|text| NodeHash::from_base64(text)).collect::<Result<_, _>>().map_err(|_| wrong)
}

fn public_key(text: &str) -> Result<PublicKey, EvidenceError> {
    let key = strict::from_base64(text).and_then(|bytes| PublicKey::from_bytes(&bytes).ok());
    key.ok_or(EvidenceError::Invalid {
        member: "key",
        expected: "the standard base64 of an Ed25519 public key",
    })
}
