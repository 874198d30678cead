//! Why a submission brought nothing.

use std::time::Duration;

use countersign_verifier::proof;
use countersign_verifier::quorum::QuorumError;

use super::answer::AnswerError;
use super::problem::Problem;
use super::receipt::Unproven;

/// The code of the problem of a statement that was not taken because of another one.
const BATCH_REFUSED: &str = "batch-refused";

/// Why a submission brought nothing that counts.
#[derive(Debug, thiserror::Error)]
pub enum SubmitError {
    /// The address of the log is none.
    #[error("{0:?} is not the http or https address of a log")]
    Address(String),
    /// The log did not answer, or not to the end. Whether it took the statement is not known; sending the same
    /// statement again is safe and finds out.
    #[error("the log cannot be reached")]
    Unreachable(#[source] reqwest::Error),
    /// The log refused the statement, and nothing changed.
    #[error("the log refuses it: {0}")]
    Refused(Box<Problem>),
    /// The log failed. Whether it took the statement is not known; sending the same statement again is safe.
    #[error("the log failed: {0}")]
    Failed(Box<Problem>),
    /// The log had no room for the statement for as long as the client had patience. It may be sent again.
    #[error("the log is busy and asks to come back in {} s: {problem}", .after.as_secs())]
    Busy {
        /// What it says.
        problem: Box<Problem>,
        /// When to come back.
        after: Duration,
    },
    /// The answer is larger than any answer is.
    #[error("the log's answer is larger than {most} bytes")]
    TooLarge {
        /// How many bytes are read at most.
        most: usize,
    },
    /// The answer cannot be understood.
    #[error("the log's answer cannot be understood: {0}")]
    Answer(#[from] AnswerError),
    /// The answer shows something else than it should. Either the log is not the one that is trusted, or it
    /// misbehaves, or the trust policy is out of date.
    #[error("the log's proof does not hold")]
    Unproven {
        /// What is wrong with it.
        #[source]
        why: Box<Unproven>,
        /// The proof as it came, which is evidence.
        proof: String,
    },
}

impl SubmitError {
    /// Whether the log may have taken the statement nevertheless.
    pub fn may_be_taken(&self) -> bool {
        match self {
            Self::Address(_) | Self::Refused(_) | Self::Busy { .. } => false,
            Self::Unreachable(error) => !error.is_connect(),
            Self::Failed(_) | Self::TooLarge { .. } | Self::Answer(_) | Self::Unproven { .. } => true,
        }
    }

    /// Whether the log refuses it for the sake of another statement of its batch alone, which says nothing about this one.
    pub fn is_for_anothers_sake(&self) -> bool {
        self.refusal().is_some_and(|problem| problem.code == BATCH_REFUSED)
    }

    /// Whether the log showed a head that lacks its witnesses: all else about it may be as it should.
    pub fn lacks_quorum(&self) -> bool {
        let Self::Unproven { why, .. } = self else { return false };
        matches!(
            **why,
            Unproven::Policy(proof::Unproven::Head(
                QuorumError::Missing { .. } | QuorumError::Witness { .. }
            ))
        )
    }

    /// The code of the log's refusal, the last segment of the problem's type, when that is what it is.
    pub fn refusal(&self) -> Option<&Problem> {
        match self {
            Self::Refused(problem) => Some(problem),
            _ => None,
        }
    }
}
