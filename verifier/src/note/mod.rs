//! Signed notes (C2SP signed-note): a text and the signatures under it.
//!
//! [`SignedNote::parse`] says that bytes have the form of a note, and nothing about who signed it. A text may be
//! used once [`SignedNote::verify`] has shown that a known key signed it.

mod key;
#[cfg(test)]
mod tests;

use core::fmt;

pub use key::{KeyError, KeyId, KeyKind, KeyName, NoteSigner, VerifierKey};

use crate::strict;

/// The largest note that is read, in bytes: room for sixteen post-quantum signatures and more.
pub const MAX_NOTE_BYTES: usize = 128 * 1024;
/// The most signature lines that are read.
pub const MAX_SIGNATURES: usize = 64;

const LINE_START: &str = "\u{2014} ";

/// Why bytes are not a note.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoteError {
    /// More than [`MAX_NOTE_BYTES`].
    #[error("a note of {0} bytes is larger than the {MAX_NOTE_BYTES} that are read")]
    TooLarge(usize),
    /// Not UTF-8.
    #[error("a note is UTF-8 text, but byte {0} is not")]
    NotUtf8(usize),
    /// A control character other than the line feed.
    #[error("control character 0x{byte:02x} at byte {at}; a note has none but line feeds")]
    ControlCharacter {
        /// Where it is.
        at: usize,
        /// Which it is.
        byte: u8,
    },
    /// No blank line between text and signatures.
    #[error("no blank line between text and signatures")]
    NoBlankLine,
    /// No signature line, or no line feed after the last one.
    #[error("a note ends with one signature line or more, each ending in a line feed")]
    NoSignatures,
    /// More than [`MAX_SIGNATURES`] lines.
    #[error("more than {MAX_SIGNATURES} signature lines")]
    TooManySignatures,
    /// A line after the blank line that is not a signature.
    #[error("line {0} after the text is not of the form: em dash, space, key name, space, base64")]
    SignatureLine(usize),
}

/// Why a note is not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum UntrustedNote {
    /// None of the known keys signed it.
    #[error("none of the known keys signed the note")]
    NoKnownKey,
    /// A line that names a known key is not a signature by that key. The whole note is refused.
    #[error("the signature under the name {name} with key id {id} does not verify")]
    BadSignature {
        /// The key name.
        name: KeyName,
        /// The key id.
        id: KeyId,
    },
}

/// One line under a note: who is said to have signed, and the signature.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignatureLine {
    name: KeyName,
    id: KeyId,
    signature: Vec<u8>,
}

impl SignatureLine {
    /// The line with `signature` by the key of `signer`.
    pub(crate) fn by(signer: &VerifierKey, signature: Vec<u8>) -> Self {
        Self { name: signer.name().clone(), id: signer.id(), signature }
    }

    /// The key name.
    pub fn name(&self) -> &KeyName {
        &self.name
    }

    /// The key id.
    pub fn id(&self) -> KeyId {
        self.id
    }

    /// What follows the key id: for type 0x01 the signature, for a cosignature the timestamp and the signature.
    pub fn signature(&self) -> &[u8] {
        &self.signature
    }

    /// Whether the line names this key: by name and by key id, which stand for key and algorithm.
    pub fn names(&self, key: &VerifierKey) -> bool {
        self.id == key.id() && self.name == *key.name()
    }

    /// Reads one line without its line feed.
    fn parse(line: &str) -> Option<Self> {
        let (name, blob) = line.strip_prefix(LINE_START)?.split_once(' ')?;
        let blob = strict::from_base64(blob)?;
        let (id, signature) = blob.split_first_chunk::<4>()?;
        if signature.is_empty() {
            return None;
        }
        Some(Self {
            name: KeyName::new(name).ok()?,
            id: KeyId::from_bytes(*id),
            signature: signature.to_vec(),
        })
    }
}

impl fmt::Display for SignatureLine {
    /// The line as it stands in a note, line feed included.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mut blob = self.id.as_bytes().to_vec();
        blob.extend_from_slice(&self.signature);
        writeln!(f, "{LINE_START}{} {}", self.name, strict::to_base64(&blob))
    }
}

/// A text with signature lines, of which nothing is known but its form.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct SignedNote {
    text: String,
    signatures: Vec<SignatureLine>,
}

impl SignedNote {
    /// Reads a note. What it prints as is byte for byte what was read.
    pub fn parse(bytes: &[u8]) -> Result<Self, NoteError> {
        if bytes.len() > MAX_NOTE_BYTES {
            return Err(NoteError::TooLarge(bytes.len()));
        }
        let note = core::str::from_utf8(bytes).map_err(|error| NoteError::NotUtf8(error.valid_up_to()))?;
        if let Some((at, byte)) = note.bytes().enumerate().find(|(_, byte)| *byte < 0x20 && *byte != b'\n') {
            return Err(NoteError::ControlCharacter { at, byte });
        }
        // The text may have blank lines of its own, so the last one is what divides.
        let (text, lines) = note
            .rfind("\n\n")
            .and_then(|at| Some((note.get(..=at)?, note.get(at.checked_add(2)?..)?)))
            .ok_or(NoteError::NoBlankLine)?;
        let signatures = parse_signature_lines(lines)?;
        Ok(Self { text: text.to_owned(), signatures })
    }

    /// A text that nobody has signed yet. The text ends in a line feed.
    pub(crate) fn unsigned(text: String) -> Self {
        Self { text, signatures: Vec::new() }
    }

    /// Signs a text with an ordinary note signature (type 0x01). The text ends in a line feed.
    pub(crate) fn sign(text: String, signer: &NoteSigner) -> Self {
        let line = SignatureLine::by(signer.verifier(), signer.sign(text.as_bytes()).to_vec());
        Self { text, signatures: vec![line] }
    }

    /// The signed text, its final line feed included.
    pub fn text(&self) -> &str {
        &self.text
    }

    /// All signature lines, verified or not, in their order.
    pub fn signatures(&self) -> &[SignatureLine] {
        &self.signatures
    }

    /// The same text with other lines under it.
    #[must_use]
    pub fn with_signatures(&self, signatures: Vec<SignatureLine>) -> Self {
        Self { text: self.text.clone(), signatures }
    }

    /// Finds the lines by `keys` (type 0x01), every one of which must verify, and at least one must be there.
    /// Lines by other keys are ignored. Of several lines by one key, the first is returned.
    pub fn verify(&self, keys: &[VerifierKey]) -> Result<Vec<SignatureLine>, UntrustedNote> {
        let mut verified: Vec<SignatureLine> = Vec::new();
        for line in &self.signatures {
            for key in keys.iter().filter(|key| key.kind() == KeyKind::Ed25519 && line.names(key)) {
                let holds = key.public_key().zip(<&[u8; 64]>::try_from(line.signature()).ok()).is_some_and(
                    |(public_key, signature)| public_key.verify(self.text.as_bytes(), signature).is_ok(),
                );
                if !holds {
                    return Err(UntrustedNote::BadSignature { name: line.name.clone(), id: line.id });
                }
                if !verified.iter().any(|earlier| earlier.names(key)) {
                    verified.push(line.clone());
                }
            }
        }
        if verified.is_empty() { Err(UntrustedNote::NoKnownKey) } else { Ok(verified) }
    }
}

impl fmt::Display for SignedNote {
    /// The note as it is stored and sent.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}", self.text)?;
        self.signatures.iter().try_for_each(|line| line.fmt(f))
    }
}

/// Reads signature lines, one or more, each ending in a line feed: the lower part of a note, and what a witness
/// answers with.
pub fn parse_signature_lines(lines: &str) -> Result<Vec<SignatureLine>, NoteError> {
    let lines = lines.strip_suffix('\n').ok_or(NoteError::NoSignatures)?;
    let mut signatures = Vec::new();
    for (number, line) in lines.split('\n').enumerate() {
        if number == MAX_SIGNATURES {
            return Err(NoteError::TooManySignatures);
        }
        signatures
            .push(SignatureLine::parse(line).ok_or(NoteError::SignatureLine(number.saturating_add(1)))?);
    }
    Ok(signatures)
}
