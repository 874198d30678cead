//! Signed statements of any kind, for whoever the tests pretend to be.

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::statement::{
    Claims, Draft, ExecutionId, IssuerName, Kind, SignatureError, StatementError, Subject, UnixSeconds,
    Validity, VerifiedStatement,
};
use ed25519_dalek::SigningKey;
use serde_json::{Map, Value};

use crate::clock;

/// Why a statement was not made.
#[derive(Debug, thiserror::Error)]
pub enum StateError {
    /// What it says is not well-formed.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It could not be signed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
    /// The payload is no object.
    #[error("a payload is a JSON object")]
    NotAnObject,
}

/// A name and the key that signs in it. Whether a log knows it, is another question.
#[derive(Clone)]
pub struct Issuer {
    name: IssuerName,
    key: SigningKey,
    public_key: PublicKey,
}

impl Issuer {
    /// The key `key` under `name`.
    pub fn new(name: IssuerName, key: SigningKey) -> Self {
        let public_key = PublicKey::from(&key);
        Self { name, key, public_key }
    }

    /// A new key under `name`.
    pub fn generate(name: IssuerName) -> Result<Self, StateError> {
        Ok(Self::new(name, SigningKey::from_bytes(&random()?)))
    }

    /// Its name.
    pub const fn name(&self) -> &IssuerName {
        &self.name
    }

    /// The key that its statements are verified by.
    pub const fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// The key that it signs with.
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// Claims as of now, with a fresh id.
    pub fn claims(&self, subject: Subject) -> Result<Claims, StateError> {
        let (issuer, id) = (self.name.clone(), random()?);
        Ok(Claims { issuer, subject, validity: None, issued_at: clock::now(), id })
    }

    /// States something about an execution, now. An authorization is for `audience` and the next ten minutes.
    pub fn state(
        &self,
        kind: Kind,
        execution: &ExecutionId,
        audience: Option<&IssuerName>,
        payload: Value,
    ) -> Result<VerifiedStatement, StateError> {
        let mut claims = self.claims(Subject::Execution(execution.clone()))?;
        claims.validity = audience.map(|audience| Validity {
            audience: audience.clone(),
            not_before: claims.issued_at,
            expires: UnixSeconds::new(claims.issued_at.get().saturating_add(600)).unwrap_or(claims.issued_at),
        });
        self.sign(kind, claims, payload)
    }

    /// Signs any claims and payload that are well-formed.
    pub fn sign(&self, kind: Kind, claims: Claims, payload: Value) -> Result<VerifiedStatement, StateError> {
        Ok(self.draft(kind, claims, payload)?.sign(&self.key)?)
    }

    /// A statement that lacks its signature.
    pub fn draft(&self, kind: Kind, claims: Claims, payload: Value) -> Result<Draft, StateError> {
        let Value::Object(payload) = payload else { return Err(StateError::NotAnObject) };
        Ok(Draft::from_json(&self.public_key, kind, claims, &payload)?)
    }
}

impl core::fmt::Debug for Issuer {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Issuer")
            .field("name", &self.name)
            .field("public_key", &self.public_key)
            .finish_non_exhaustive()
    }
}

/// What is asked for in an intent and allowed in an authorization: an agent reads a document.
pub fn request() -> Map<String, Value> {
    let entity = |kind: &str, id: &str| serde_json::json!({"type": kind, "id": id});
    let mut request = Map::new();
    request.insert("subject".into(), entity("agent", "agent-7"));
    request.insert("action".into(), serde_json::json!({"name": "read"}));
    request.insert("resource".into(), entity("document", "report.pdf"));
    request
}

/// Random bytes from the system.
pub fn random<const N: usize>() -> Result<[u8; N], StateError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(StateError::Random)?;
    Ok(bytes)
}
