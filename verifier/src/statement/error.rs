//! Why bytes are not a statement, or not a signed one.

use super::claims::ClaimError;
use super::envelope::EnvelopeError;
use super::json::JsonError;
use super::key::KeyThumbprint;
use super::member::MemberError;
use super::pointer::Pointer;

/// Why bytes are not a well-formed statement.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StatementError {
    /// The envelope is wrong.
    #[error(transparent)]
    Envelope(#[from] EnvelopeError),
    /// The payload is not canonical JSON.
    #[error("payload: {0}")]
    Json(#[from] JsonError),
    /// The payload is not one of its kind.
    #[error("payload: {0}")]
    Member(#[from] MemberError),
}

impl From<ClaimError> for StatementError {
    fn from(error: ClaimError) -> Self {
        Self::Envelope(error.into())
    }
}

impl StatementError {
    /// The stable problem code, a key of [`PROBLEMS`](super::PROBLEMS).
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Envelope(error) => error.code(),
            Self::Json(error) => error.code(),
            Self::Member(error) => error.code(),
        }
    }

    /// The member of the payload at fault, if one is.
    pub const fn pointer(&self) -> Option<&Pointer> {
        match self {
            Self::Envelope(_) => None,
            Self::Json(error) => error.pointer(),
            Self::Member(error) => Some(error.pointer()),
        }
    }
}

/// Why a statement is not signed by a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SignatureError {
    /// The statement names another key.
    #[error(
        "the statement names the key {named} in its kid, expected {expected}, the thumbprint of the key given"
    )]
    OtherKey {
        /// The `kid`.
        named: KeyThumbprint,
        /// The thumbprint of the key given.
        expected: KeyThumbprint,
    },
    /// The signature is not by this key over this statement, or not acceptable to a strict verifier.
    #[error(
        "the signature does not verify under the key {key}: expected strict Ed25519 over the Sig_structure"
    )]
    Invalid {
        /// The key.
        key: KeyThumbprint,
    },
}

impl SignatureError {
    /// The stable problem code, a key of [`PROBLEMS`](super::PROBLEMS).
    pub const fn code(&self) -> &'static str {
        match self {
            Self::OtherKey { .. } => "key-mismatch",
            Self::Invalid { .. } => "signature-invalid",
        }
    }
}
