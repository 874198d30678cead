//! Making statements.

use ed25519_dalek::{Signer as _, SigningKey};
use serde_json::{Map, Value};

use super::claims::Claims;
use super::envelope::{Algorithm, Envelope};
use super::error::{SignatureError, StatementError};
use super::json;
use super::key::{KeyThumbprint, Signature};
use super::payload::Payload;
use super::references::References;
use super::signed::{Statement, VerifiedStatement};
use super::words::Kind;
use crate::ed25519::PublicKey;

/// A well-formed statement that is not signed yet.
///
/// Its bytes are those of the signed statement with 64 zero bytes in place of the signature, which verify under no
/// key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Draft {
    statement: Statement,
    key: PublicKey,
}

impl Draft {
    /// Drafts a statement from its typed parts.
    pub fn new(
        key: &PublicKey,
        claims: Claims,
        payload: &Payload,
        references: &References,
    ) -> Result<Self, StatementError> {
        Self::from_json(key, payload.kind(), claims, &payload.to_json(references)?)
    }

    /// Drafts a statement from a JSON payload, `refs` included, which is brought into its canonical form.
    pub fn from_json(
        key: &PublicKey,
        kind: Kind,
        claims: Claims,
        payload: &Map<String, Value>,
    ) -> Result<Self, StatementError> {
        let envelope = Envelope {
            algorithm: Algorithm::EdDsa,
            kind,
            key_id: KeyThumbprint::of(key),
            claims,
            payload: json::canonical(payload)?,
            signature: Signature::ABSENT,
        };
        Ok(Self { statement: Statement::assemble(&envelope)?, key: *key })
    }

    /// The statement so far: well-formed, with 64 zero bytes in place of the signature.
    pub const fn statement(&self) -> &Statement {
        &self.statement
    }

    /// The bytes to sign with Ed25519.
    pub fn to_be_signed(&self) -> Vec<u8> {
        self.statement.to_be_signed()
    }

    /// Puts the signature in, and checks it.
    pub fn attach(self, signature: Signature) -> Result<VerifiedStatement, SignatureError> {
        let Self { statement, key } = self;
        let named = statement.kid();
        // Only the signature changes, and its length does not: the encoding cannot fail where it did not before.
        let signed =
            statement.with_signature(signature).map_err(|_| SignatureError::Invalid { key: named })?;
        signed.verify(&key)
    }

    /// Signs. The signature is checked before it leaves: a faulty one could give the key away.
    pub fn sign(self, key: &SigningKey) -> Result<VerifiedStatement, SignatureError> {
        let expected = KeyThumbprint::of(&PublicKey::from(key));
        let named = self.statement.kid();
        if named != expected {
            return Err(SignatureError::OtherKey { named, expected });
        }
        let signature = key.sign(&self.to_be_signed());
        self.attach(Signature::from_bytes(signature.to_bytes()))
    }
}
