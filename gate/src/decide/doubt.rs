//! Why a request was not decided by the policies: then it is denied.

use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::{Kind, UnixSeconds};

use crate::client::SubmitError;
use crate::issuer::IssueError;

/// A reason to deny that is no policy's.
#[derive(Debug, thiserror::Error)]
pub enum Doubt {
    /// The policies are not in the log as they are configured here.
    #[error("the policies by which this would be decided are not in the log yet")]
    NotPublished,
    /// The intent that the request names cannot be had.
    #[error("the intent {0} cannot be read from the log")]
    NoIntent(LeafHash, #[source] SubmitError),
    /// The log does not have it.
    #[error("the entry {0} is not in a head of the log that counts")]
    UnknownIntent(LeafHash),
    /// What the request names is something else.
    #[error("the entry {entry} is of kind {kind}, expected an intent")]
    NotAnIntent {
        /// The entry.
        entry: LeafHash,
        /// What it is.
        kind: Kind,
    },
    /// The request is not what the intent says.
    #[error("the request has another {member} than the intent that it names")]
    OtherIntent {
        /// The first member that differs.
        member: &'static str,
    },
    /// There is no statement of what was asked or decided.
    #[error("what was decided cannot be stated")]
    Statement(#[from] IssueError),
    /// It has no form to be stated in.
    #[error("what was decided has no RFC 8785 form")]
    NoCanonicalForm,
    /// The log did not come to have what was decided.
    #[error("what was decided is not known to be in the log")]
    Log(#[from] SubmitError),
    /// The log has it, and has not shown so.
    #[error("no head with the {0} that counts was shown in time")]
    NotShown(Kind),
    /// It took too long.
    #[error("it took longer than {0} s")]
    TimedOut(u64),
    /// The authorization ended before it could be answered with.
    #[error("the authorization ended at {0}, before it could be answered with")]
    Expired(UnixSeconds),
    /// The process ends.
    #[error("the decision point is ending")]
    Ending,
}

impl Doubt {
    /// Whether it is the caller's doing, and nothing that the operator has to see to.
    pub const fn is_the_callers(&self) -> bool {
        match self {
            Self::UnknownIntent(_)
            | Self::NotAnIntent { .. }
            | Self::OtherIntent { .. }
            | Self::NoCanonicalForm
            | Self::Statement(IssueError::Statement(_)) => true,
            Self::NotPublished
            | Self::NoIntent(..)
            | Self::Statement(_)
            | Self::Log(_)
            | Self::NotShown(_)
            | Self::TimedOut(_)
            | Self::Expired(_)
            | Self::Ending => false,
        }
    }

    /// The reason in the answer's context.
    pub fn code(&self) -> &'static str {
        match self {
            Self::NotPublished => "policy_not_published",
            Self::NoIntent(..) | Self::UnknownIntent(_) | Self::NotAnIntent { .. } => "intent_unknown",
            Self::OtherIntent { .. } => "intent_mismatch",
            Self::Statement(_) | Self::NoCanonicalForm => "not_statable",
            Self::Log(SubmitError::Refused(_)) => "log_refused",
            Self::Log(SubmitError::Busy { .. }) => "log_busy",
            Self::Log(error) if error.lacks_quorum() => "quorum_missing",
            Self::Log(SubmitError::Unproven { .. }) => "proof_invalid",
            Self::Log(SubmitError::Unreachable(_) | SubmitError::Address(_)) => "log_unreachable",
            Self::Log(_) => "log_failed",
            Self::NotShown(Kind::Authorization) => "quorum_missing",
            Self::NotShown(_) => "not_recorded",
            Self::TimedOut(_) => "timed_out",
            Self::Expired(_) => "expired",
            Self::Ending => "ending",
        }
    }

    /// Every code, for the manual.
    pub const CODES: &'static [&'static str] = &[
        "policy_not_published",
        "intent_unknown",
        "intent_mismatch",
        "not_statable",
        "log_refused",
        "log_busy",
        "proof_invalid",
        "log_unreachable",
        "log_failed",
        "quorum_missing",
        "not_recorded",
        "timed_out",
        "expired",
        "ending",
    ];
}
