//! Statements, well-formed and verified.

use super::claims::{ClaimError, Claims, Subject};
use super::envelope::{Algorithm, Encoded, Envelope};
use super::error::{SignatureError, StatementError};
use super::json;
use super::key::{KeyThumbprint, Signature};
use super::names::ExecutionId;
use super::payload::Payload;
use super::references::References;
use super::words::Kind;
use crate::ed25519::PublicKey;
use crate::merkle::LeafHash;

/// A well-formed statement whose signature is **not** checked.
///
/// Envelope, claims, payload and references each follow the rules of the statement's kind, and its bytes are the
/// only encoding of it. Who made it is not known: for that, see [`Statement::verify`].
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Statement {
    envelope: Envelope,
    encoded: Encoded,
    payload: Payload,
    references: References,
}

impl Statement {
    /// Reads a statement, refusing whatever is not exactly one.
    pub fn parse(bytes: &[u8]) -> Result<Self, StatementError> {
        let (envelope, encoded) = Envelope::parse(bytes)?;
        let members = json::read_canonical_object(&envelope.payload)?;
        let (payload, references) = Payload::read(envelope.kind, members)?;
        check_subject(&envelope.claims.subject, &payload)?;
        Ok(Self { envelope, encoded, payload, references })
    }

    /// Checks that `key` signed the statement: the statement names it in its `kid`, and its signature holds
    /// strictly.
    ///
    /// A success says that whoever holds the key made exactly these bytes. It does not say that the key is
    /// registered, nor for what.
    pub fn verify(self, key: &PublicKey) -> Result<VerifiedStatement, SignatureError> {
        let expected = KeyThumbprint::of(key);
        let named = self.envelope.key_id;
        if named != expected {
            return Err(SignatureError::OtherKey { named, expected });
        }
        key.verify(&self.to_be_signed(), self.envelope.signature.as_bytes())
            .map_err(|_| SignatureError::Invalid { key: named })?;
        let entry_id = LeafHash::of(self.bytes());
        Ok(VerifiedStatement { statement: self, entry_id })
    }

    /// The exact bytes: the entry of the log.
    pub fn bytes(&self) -> &[u8] {
        &self.encoded.bytes
    }

    /// Gives up the statement for its exact bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.encoded.bytes
    }

    /// The bytes that the signature is over: the `Sig_structure` of RFC 9052 section 4.4, without external data.
    pub fn to_be_signed(&self) -> Vec<u8> {
        self.encoded.to_be_signed(&self.envelope.payload)
    }

    /// What sort of statement it is.
    pub const fn kind(&self) -> Kind {
        self.envelope.kind
    }

    /// Which of the two names of Ed25519 it carries.
    pub const fn algorithm(&self) -> Algorithm {
        self.envelope.algorithm
    }

    /// The key that it says signed it.
    pub const fn kid(&self) -> KeyThumbprint {
        self.envelope.key_id
    }

    /// The claims.
    pub const fn claims(&self) -> &Claims {
        &self.envelope.claims
    }

    /// The execution it belongs to, if it belongs to one.
    pub const fn execution(&self) -> Option<&ExecutionId> {
        match &self.envelope.claims.subject {
            Subject::Execution(id) => Some(id),
            Subject::Log(_) | Subject::Issuer(_) | Subject::Policy(_) => None,
        }
    }

    /// The payload, typed, without its references.
    pub const fn payload(&self) -> &Payload {
        &self.payload
    }

    /// The payload, `refs` included, as the JSON text that was signed.
    pub fn payload_json(&self) -> &[u8] {
        &self.envelope.payload
    }

    /// The earlier entries that it names.
    pub const fn references(&self) -> &References {
        &self.references
    }

    /// The signature, not checked.
    pub const fn signature(&self) -> &Signature {
        &self.envelope.signature
    }

    /// The same statement with another signature.
    pub(super) fn with_signature(mut self, signature: Signature) -> Result<Self, StatementError> {
        self.envelope.signature = signature;
        self.encoded = self.envelope.encode()?;
        Ok(self)
    }

    /// Puts a statement together. It goes through [`Statement::parse`], so that nothing is ever written that
    /// would not be read.
    pub(super) fn assemble(envelope: &Envelope) -> Result<Self, StatementError> {
        Self::parse(&envelope.encode()?.bytes)
    }
}

/// A statement signed by the key it names.
///
/// That the key may sign it, and that what it refers to exists, is for [`crate::admission`] to say.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct VerifiedStatement {
    statement: Statement,
    entry_id: LeafHash,
}

impl VerifiedStatement {
    /// The statement.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The name that the statement has as an entry of any log: its leaf hash.
    pub const fn entry_id(&self) -> LeafHash {
        self.entry_id
    }

    /// Gives up what is known of its signature for the statement.
    pub fn into_statement(self) -> Statement {
        self.statement
    }

    /// Gives up what is known of the statement for its exact bytes.
    pub fn into_bytes(self) -> Vec<u8> {
        self.statement.into_bytes()
    }
}

/// For the kinds whose payload says what the statement is about, `sub` has to say the same.
fn check_subject(found: &Subject, payload: &Payload) -> Result<(), ClaimError> {
    match payload.subject() {
        Some(expected) if *found != expected => {
            Err(ClaimError::SubjectMismatch { found: found.clone(), expected })
        }
        _ => Ok(()),
    }
}
