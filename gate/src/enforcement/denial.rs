//! Why nothing may run.

use countersign_verifier::merkle::{LeafHash, ProofError};
use countersign_verifier::proof::ProofFormatError;
use countersign_verifier::quorum::QuorumError;
use countersign_verifier::statement::{
    ExecutionId, IssuerName, Kind, SignatureError, StatementError, UnixSeconds, VerificationCode,
};

use super::used::UsedError;

/// Why the enforcement point lets nothing run.
#[derive(Debug, thiserror::Error)]
pub enum Denial {
    /// What was handed in is no statement.
    #[error("the authorization is not a statement")]
    NotAStatement(#[from] StatementError),
    /// A statement of another kind.
    #[error("the statement is of kind {0}, expected an authorization")]
    OtherKind(Kind),
    /// An authorization in another name than the authority's.
    #[error("the authorization is issued by {found}, expected {expected}")]
    OtherIssuer {
        /// Whose it is.
        found: IssuerName,
        /// Whose it should be.
        expected: IssuerName,
    },
    /// The authority's key did not sign it.
    #[error("the authority did not sign the authorization")]
    OtherKey(#[from] SignatureError),
    /// What was handed in is no proof.
    #[error("the proof has the wrong form")]
    ProofForm(#[from] ProofFormatError),
    /// The proof is not one for this authorization.
    #[error("the proof does not show that the authorization is in the log")]
    NotIncluded(#[from] ProofError),
    /// The head is not one by the log.
    #[error("the proof leads to a head that the log did not sign")]
    OtherLog(#[source] QuorumError),
    /// The head lacks its quorum.
    #[error("the head with the authorization lacks its witnesses")]
    Quorum(#[source] QuorumError),
    /// The authorization asks for a quorum, and this enforcement point does not look for one.
    #[error("the authorization asks for a cosigned head, and this enforcement point accepts less")]
    QuorumAskedFor,
    /// An authorization of another execution.
    #[error("the authorization is not one of execution {expected}")]
    OtherExecution {
        /// The execution that is about to happen.
        expected: ExecutionId,
    },
    /// An authorization for another enforcement point.
    #[error("the authorization is for {found}, and this is {expected}")]
    OtherAudience {
        /// Whom it is for.
        found: IssuerName,
        /// Who this is.
        expected: IssuerName,
    },
    /// It is too early.
    #[error("the authorization holds from {from} on, and it is {now}")]
    NotYetValid {
        /// When it begins.
        from: UnixSeconds,
        /// The time.
        now: UnixSeconds,
    },
    /// It is too late.
    #[error("the authorization ended at {at}, and it is {now}")]
    Expired {
        /// When it ended.
        at: UnixSeconds,
        /// The time.
        now: UnixSeconds,
    },
    /// It is for another action.
    #[error("the authorization is for the action digest {}, and this action has {}", .found.as_deref().unwrap_or("of nothing"), .expected)]
    OtherAction {
        /// The digest that is authorized, if any is.
        found: Option<String>,
        /// The digest of what is about to happen.
        expected: String,
    },
    /// It is for another subject, action or resource.
    #[error("the authorization has another {member} than this attempt")]
    OtherScope {
        /// Which of the three.
        member: &'static str,
    },
    /// It has a constraint that is not understood, and so cannot be held.
    #[error("the authorization has the constraint {0:?}, which is not one that can be held here")]
    Constraint(String),
    /// It was used before.
    #[error("the authorization {0} was used before")]
    Replayed(LeafHash),
    /// Whether it was used before cannot be told.
    #[error("whether the authorization was used before cannot be told")]
    Memory(#[source] UsedError),
}

impl Denial {
    /// What goes into the verification.
    pub fn code(&self) -> VerificationCode {
        match self {
            Self::NotAStatement(_) | Self::OtherKind(_) | Self::OtherIssuer { .. } | Self::OtherKey(_) => {
                VerificationCode::AuthorizationMissing
            }
            Self::ProofForm(_) | Self::NotIncluded(_) | Self::OtherLog(_) | Self::OtherExecution { .. } => {
                VerificationCode::ContinuityBroken
            }
            Self::Quorum(_) | Self::QuorumAskedFor => VerificationCode::QuorumMissing,
            Self::NotYetValid { .. } => VerificationCode::NotYetValid,
            Self::Expired { .. } => VerificationCode::Expired,
            Self::OtherAction { .. } => VerificationCode::RuntimeMismatch,
            Self::OtherAudience { .. } | Self::OtherScope { .. } | Self::Constraint(_) => {
                VerificationCode::ScopeInvalid
            }
            Self::Replayed(_) | Self::Memory(_) => VerificationCode::Replayed,
        }
    }

    /// A head without quorum is told from one that is not the log's at all.
    pub(super) fn from_head(error: QuorumError) -> Self {
        match error {
            QuorumError::Log(_) | QuorumError::Origin { .. } => Self::OtherLog(error),
            QuorumError::Witness { .. } | QuorumError::Missing { .. } => Self::Quorum(error),
        }
    }
}

impl From<UsedError> for Denial {
    fn from(error: UsedError) -> Self {
        match error {
            UsedError::Again(entry) => Self::Replayed(entry),
            UsedError::Io { .. } => Self::Memory(error),
        }
    }
}
