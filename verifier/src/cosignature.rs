//! Cosignatures (C2SP tlog-cosignature), type 0x04: what a witness says of a head.

use core::fmt;

use crate::checkpoint::Checkpoint;
use crate::note::{KeyKind, NoteSigner, SignatureLine, VerifierKey};

/// Why a line is not a cosignature by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CosignatureError {
    /// The key is not of type 0x04.
    #[error("the key is of type 0x{0:02x}, whose cosignatures are not checked here")]
    NotChecked(u8),
    /// The line names another key.
    #[error("the line names another key")]
    OtherKey,
    /// Another length than 8 bytes of time and 64 of signature.
    #[error("a cosignature has 72 bytes, this one has {0}")]
    Length(usize),
    /// A time above 2^63-1 seconds.
    #[error("the time is above 2^63-1 seconds")]
    Time,
    /// The signature is not one by the key over this head at this time.
    #[error("the cosignature does not verify")]
    BadSignature,
}

/// When a witness cosigned: POSIX seconds, `0 ..= 2^63 - 1`, by the witness's clock.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
pub struct Timestamp(u64);

impl Timestamp {
    /// The time `seconds` after 1970-01-01T00:00:00Z, or `None` above `2^63 - 1`.
    pub const fn new(seconds: u64) -> Option<Self> {
        if seconds <= i64::MAX as u64 { Some(Self(seconds)) } else { None }
    }

    /// The seconds.
    pub const fn get(self) -> u64 {
        self.0
    }
}

impl fmt::Display for Timestamp {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Cosigns a head: "at this time I knew of no larger tree of this log, and this one is consistent with all that I
/// cosigned before". Whether that is so, the caller must know. `None` when the signer is no cosigner (type 0x04).
pub fn cosign(checkpoint: &Checkpoint, time: Timestamp, signer: &NoteSigner) -> Option<SignatureLine> {
    if signer.verifier().kind() != KeyKind::CosignatureV1 {
        return None;
    }
    let signature = signer.sign(message(&checkpoint.to_string(), time).as_bytes());
    let mut payload = time.get().to_be_bytes().to_vec();
    payload.extend_from_slice(&signature);
    Some(SignatureLine::by(signer.verifier(), payload))
}

/// Checks that `line` is a cosignature by `key` over the note text `text`, and returns when it was made.
///
/// A success says that the key signed this head at a time that it states itself. Whether the time is fresh, and
/// whether the key stands for anybody independent, it does not say.
pub fn verify(text: &str, line: &SignatureLine, key: &VerifierKey) -> Result<Timestamp, CosignatureError> {
    let public_key = match (key.kind(), key.public_key()) {
        (KeyKind::CosignatureV1, Some(public_key)) => public_key,
        (other, _) => return Err(CosignatureError::NotChecked(other.byte())),
    };
    if !line.names(key) {
        return Err(CosignatureError::OtherKey);
    }
    let wrong_length = || CosignatureError::Length(line.signature().len());
    let (seconds, signature) = line.signature().split_first_chunk::<8>().ok_or_else(wrong_length)?;
    let signature = <&[u8; 64]>::try_from(signature).map_err(|_| wrong_length())?;
    let time = Timestamp::new(u64::from_be_bytes(*seconds)).ok_or(CosignatureError::Time)?;
    public_key
        .verify(message(text, time).as_bytes(), signature)
        .map_err(|_| CosignatureError::BadSignature)?;
    Ok(time)
}

fn message(text: &str, time: Timestamp) -> String {
    format!("cosignature/v1\ntime {time}\n{text}")
}
