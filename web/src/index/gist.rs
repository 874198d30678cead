//! What an entry says in one word: all that lists need of it.

use countersign_verifier::admission::{IssuerKey, registered};
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::payload::Payload;
use countersign_verifier::statement::{
    DecisionCode, EnforcementAction, IssuerStatus, Kind, OutcomeStatus, Statement, VerificationCode,
};

/// The kind of a statement with the word that decides what it means.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Gist {
    Genesis,
    Issuer(IssuerStatus),
    Policy,
    Intent,
    Decision(DecisionCode),
    Authorization,
    Verification(VerificationCode),
    Outcome(OutcomeStatus),
    Enforcement(EnforcementAction),
    Close,
    /// Not a statement that this program can read. The log has it all the same.
    Unreadable,
}

impl Gist {
    /// The gist of a statement.
    pub(crate) const fn of(statement: &Statement) -> Self {
        match statement.payload() {
            Payload::Genesis(_) => Self::Genesis,
            Payload::Issuer(issuer) => Self::Issuer(issuer.status),
            Payload::Policy(_) => Self::Policy,
            Payload::Intent(_) => Self::Intent,
            Payload::Decision(decision) => Self::Decision(decision.code),
            Payload::Authorization(_) => Self::Authorization,
            Payload::Verification(verification) => Self::Verification(verification.code),
            Payload::Outcome(outcome) => Self::Outcome(outcome.status),
            Payload::Enforcement(enforcement) => Self::Enforcement(enforcement.action),
            Payload::Close(_) => Self::Close,
        }
    }

    /// The kind, unless the entry is unreadable.
    pub(crate) const fn kind(self) -> Option<Kind> {
        match self {
            Self::Genesis => Some(Kind::Genesis),
            Self::Issuer(_) => Some(Kind::Issuer),
            Self::Policy => Some(Kind::Policy),
            Self::Intent => Some(Kind::Intent),
            Self::Decision(_) => Some(Kind::Decision),
            Self::Authorization => Some(Kind::Authorization),
            Self::Verification(_) => Some(Kind::Verification),
            Self::Outcome(_) => Some(Kind::Outcome),
            Self::Enforcement(_) => Some(Kind::Enforcement),
            Self::Close => Some(Kind::Close),
            Self::Unreadable => None,
        }
    }
}

/// One entry on its way into the index.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) leaf: LeafHash,
    pub(crate) gist: Gist,
    /// The claims `iss`, `sub` and `iat`; absent when the entry is unreadable.
    pub(crate) claims: Option<RowClaims>,
    /// The key that the entry registers, revokes or changes.
    pub(crate) registers: Option<IssuerKey>,
}

/// The claims that lists show.
#[derive(Debug, Clone)]
pub(crate) struct RowClaims {
    pub(crate) issuer: String,
    pub(crate) subject: String,
    pub(crate) is_execution: bool,
    pub(crate) issued_at: u64,
}

impl Row {
    /// Reads an entry as far as the index wants to know it.
    pub(crate) fn read(entry: &[u8]) -> Self {
        let leaf = LeafHash::of(entry);
        let Ok(statement) = Statement::parse(entry) else {
            return Self { leaf, gist: Gist::Unreadable, claims: None, registers: None };
        };
        let claims = statement.claims();
        let claims = RowClaims {
            issuer: claims.issuer.to_string(),
            subject: claims.subject.to_string(),
            is_execution: statement.execution().is_some(),
            issued_at: claims.issued_at.get(),
        };
        Self { leaf, gist: Gist::of(&statement), claims: Some(claims), registers: registered(&statement) }
    }
}
