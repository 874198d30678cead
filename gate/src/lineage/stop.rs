//! Why an execution goes no further.

use core::fmt;
use std::error::Error;

use countersign_verifier::statement::VerificationCode;

use crate::client::SubmitError;
use crate::enforcement::Denial;
use crate::exact::ResolveError;
use crate::execute::ExecuteError;
use crate::issuer::IssueError;
use crate::state::StateError;

/// A reason not to run, with the code that is recorded for it.
#[derive(Debug)]
pub struct Stop {
    code: VerificationCode,
    why: Box<dyn Error + Send + Sync>,
}

impl Stop {
    /// Stops for a reason.
    pub(super) fn new(code: VerificationCode, why: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self { code, why: why.into() }
    }

    /// The code that is recorded.
    pub fn code(&self) -> VerificationCode {
        self.code
    }

    /// The log did not come to have a statement that the rest stands on. `code` says what is missing then, unless
    /// the answer itself is what is wrong.
    pub(super) fn not_logged(code: VerificationCode, error: SubmitError) -> Self {
        let code = match &error {
            error if error.lacks_quorum() => VerificationCode::QuorumMissing,
            SubmitError::Unproven { .. } => VerificationCode::ContinuityBroken,
            _ => code,
        };
        Self::new(code, error)
    }
}

impl fmt::Display for Stop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.why.fmt(f)
    }
}

impl Error for Stop {
    fn source(&self) -> Option<&(dyn Error + 'static)> {
        self.why.source()
    }
}

impl From<Denial> for Stop {
    fn from(denial: Denial) -> Self {
        Self::new(denial.code(), denial)
    }
}

impl From<ExecuteError> for Stop {
    fn from(error: ExecuteError) -> Self {
        Self::new(VerificationCode::RuntimeMismatch, error)
    }
}

impl From<StateError> for Stop {
    fn from(error: StateError) -> Self {
        Self::new(VerificationCode::ContinuityBroken, error)
    }
}

impl From<IssueError> for Stop {
    fn from(error: IssueError) -> Self {
        Self::new(VerificationCode::ContinuityBroken, error)
    }
}

impl From<ResolveError> for Stop {
    fn from(error: ResolveError) -> Self {
        Self::new(VerificationCode::ScopeInvalid, error)
    }
}
