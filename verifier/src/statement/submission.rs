//! The JSON form of a statement, for issuers without a CBOR library.
//!
//! The payload may come in any JSON formatting: the statement is built over its canonical form, and the signature is
//! over that statement, so an issuer has to sign the bytes that [`Draft::to_be_signed`] gives.

use std::borrow::Cow;

use serde_json::{Map, Value};

use super::claims::{ClaimError, ID_LENGTH, RawClaims};
use super::draft::Draft;
use super::envelope::EnvelopeError;
use super::error::{SignatureError, StatementError};
use super::json::{self, JsonError, MAX_DEPTH};
use super::key::Signature;
use super::member::{FromMember, MemberError, Object, invalid};
use super::pointer::{Path, Pointer};
use super::signed::VerifiedStatement;
use super::words::Kind;
use crate::ed25519::PublicKey;
use crate::strict;

/// Why a JSON document is not a submission, or its statement not a signed one.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SubmissionError {
    /// Not strict JSON.
    #[error(transparent)]
    Json(#[from] JsonError),
    /// A member of the submission is missing, surplus or wrong.
    #[error(transparent)]
    Member(#[from] MemberError),
    /// The statement built from it is not well-formed.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// The signature is not one over the statement built from it.
    #[error(transparent)]
    Signature(#[from] SignatureError),
}

impl From<ClaimError> for SubmissionError {
    fn from(error: ClaimError) -> Self {
        Self::Statement(error.into())
    }
}

impl SubmissionError {
    /// The stable problem code, a key of [`PROBLEMS`](super::PROBLEMS).
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Json(error) => error.code(),
            Self::Member(error) => error.code(),
            Self::Statement(error) => error.code(),
            Self::Signature(error) => error.code(),
        }
    }

    /// The member of the submission at fault, if one is.
    pub fn pointer(&self) -> Option<Pointer> {
        match self {
            Self::Json(error) => error.pointer().cloned(),
            Self::Member(error) => Some(error.pointer().clone()),
            Self::Statement(StatementError::Envelope(EnvelopeError::Claim(error))) => {
                Some(Pointer::default().within(error.claim().name()))
            }
            Self::Statement(StatementError::Envelope(_)) => None,
            Self::Statement(StatementError::Json(error)) => {
                Some(error.pointer().cloned().unwrap_or_default().within(PAYLOAD))
            }
            Self::Statement(StatementError::Member(error)) => Some(error.pointer().within(PAYLOAD)),
            Self::Signature(_) => Some(Pointer::default().within(SIGNATURE)),
        }
    }
}

const PAYLOAD: &str = "payload";
const SIGNATURE: &str = "signature";

/// The payload lies one level deeper in the submission than in its statement.
const DEPTH: usize = MAX_DEPTH + 1;

/// A statement in JSON: `{kind, iss, sub, aud?, nbf?, exp?, iat, cti, public_key, payload, signature?}`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submission {
    draft: Draft,
    signature: Option<Signature>,
}

impl Submission {
    /// Reads a submission in any JSON formatting and builds its statement, which is then well-formed.
    pub fn parse(json: &[u8]) -> Result<Self, SubmissionError> {
        let mut object = Object::new(json::read_object(json, DEPTH)?, &Path::Root);
        let kind: Kind = object.required("kind")?;
        let raw = RawClaims {
            iss: object.optional("iss")?.map(Cow::<str>::Owned),
            sub: object.optional("sub")?.map(Cow::<str>::Owned),
            aud: object.optional("aud")?.map(Cow::<str>::Owned),
            exp: object.optional("exp")?,
            nbf: object.optional("nbf")?,
            iat: object.optional("iat")?,
            cti: object.optional::<StatementId>("cti")?.map(|id| id.0),
        };
        let key: PublicKey = object.required("public_key")?;
        let payload: Map<String, Value> = object.required(PAYLOAD)?;
        let signature = object.optional(SIGNATURE)?;
        object.finish()?;
        let draft = Draft::from_json(&key, kind, raw.check(kind)?, &payload)?;
        Ok(Self { draft, signature })
    }

    /// The statement without its signature.
    pub const fn draft(&self) -> &Draft {
        &self.draft
    }

    /// The statement with its signature, which has to be there and to hold.
    pub fn verify(self) -> Result<VerifiedStatement, SubmissionError> {
        let signature = self.signature.ok_or_else(|| MemberError::Missing {
            pointer: Pointer::default().within(SIGNATURE),
            expected: Signature::EXPECTED,
        })?;
        Ok(self.draft.attach(signature)?)
    }
}

/// The `cti` in base64.
struct StatementId([u8; ID_LENGTH]);

impl FromMember for StatementId {
    const EXPECTED: &'static str = "the standard base64 of 16 random bytes";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let bytes = value.as_str().and_then(strict::from_base64).and_then(|bytes| bytes.try_into().ok());
        bytes.map(Self).ok_or_else(|| invalid(&value, path, Self::EXPECTED))
    }
}

impl FromMember for Signature {
    const EXPECTED: &'static str = "the standard base64 of the 64 bytes of an Ed25519 signature";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let signature = value.as_str().and_then(Self::from_base64);
        signature.ok_or_else(|| invalid(&value, path, Self::EXPECTED))
    }
}
