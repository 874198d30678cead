//! Making statements in a name.

use countersign_verifier::ed25519::PublicKey;
use countersign_verifier::statement::{
    Claims, Draft, IssuerName, Payload, References, SignatureError, StatementError, Subject, UnixSeconds,
    Validity, VerifiedStatement,
};
use ed25519_dalek::SigningKey;
use zeroize::Zeroizing;

/// Why a statement was not made.
#[derive(Debug, thiserror::Error)]
pub enum IssueError {
    /// What it says is not well-formed.
    #[error(transparent)]
    Statement(#[from] StatementError),
    /// It could not be signed.
    #[error(transparent)]
    Signature(#[from] SignatureError),
    /// It is about an execution, and none was named.
    #[error("the statement belongs to an execution, and none is named")]
    NoSubject,
    /// The system gave no random bytes.
    #[error("the system gives no random bytes: {0}")]
    Random(getrandom::Error),
}

/// A name and a key to sign by in it. The key is erased from memory when dropped, and never printed.
pub struct Issuer {
    name: IssuerName,
    key: SigningKey,
    public_key: PublicKey,
}

impl Issuer {
    /// The key `key` under `name`. That it is registered so, only the log can say.
    pub fn new(name: IssuerName, key: SigningKey) -> Self {
        let public_key = PublicKey::from(&key);
        Self { name, key, public_key }
    }

    /// The `iss` of its statements.
    pub fn name(&self) -> &IssuerName {
        &self.name
    }

    /// What its statements are verified by.
    pub fn public_key(&self) -> &PublicKey {
        &self.public_key
    }

    /// States something, now.
    pub fn state(
        &self,
        now: UnixSeconds,
        subject: Subject,
        validity: Option<Validity>,
        payload: &Payload,
        references: &References,
    ) -> Result<VerifiedStatement, IssueError> {
        let claims = self.claims(now, subject, validity)?;
        self.sign(Draft::new(&self.public_key, claims, payload, references)?)
    }

    /// Claims in its name, with a fresh random id.
    pub fn claims(
        &self,
        now: UnixSeconds,
        subject: Subject,
        validity: Option<Validity>,
    ) -> Result<Claims, IssueError> {
        Ok(Claims { issuer: self.name.clone(), subject, validity, issued_at: now, id: random()? })
    }

    /// Signs a draft that names its key.
    pub fn sign(&self, draft: Draft) -> Result<VerifiedStatement, IssueError> {
        Ok(draft.sign(&self.key)?)
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

/// Random bytes from the system.
pub fn random<const N: usize>() -> Result<[u8; N], IssueError> {
    let mut bytes = [0; N];
    getrandom::fill(&mut bytes).map_err(IssueError::Random)?;
    Ok(bytes)
}

/// A new key, from the system's randomness. Its seed is erased from memory.
pub fn generate_key() -> Result<SigningKey, IssueError> {
    let mut seed = Zeroizing::new([0; 32]);
    getrandom::fill(&mut *seed).map_err(IssueError::Random)?;
    Ok(SigningKey::from_bytes(&seed))
}
