//! What happened: verified, executed, stopped, closed.

use core::num::NonZeroU64;

use serde::{Serialize, Serializer};
use serde_json::Value;

use crate::merkle::{RootHash, TreeSize};
use crate::statement::member::{FromMember, MemberError, Object};
use crate::statement::names::UnixSeconds;
use crate::statement::pointer::Path;
use crate::statement::references::References;
use crate::statement::values::{FreeForm, Sha256Digest};
use crate::statement::words::{
    EnforcementAction, Mode, OutcomeStatus, RefRole, VerificationCode, VerificationResult,
};

/// Whether an authorization held at the moment of execution, and how the enforcer knew.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Verification {
    /// The result. It is a pass if and only if the code is `ok`.
    pub result: VerificationResult,
    /// The reason for it.
    pub code: VerificationCode,
    /// What the enforcer waited for.
    pub mode: Mode,
    /// The head in which it saw the authorization included.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub checkpoint: Option<Head>,
    /// What was about to run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub runtime: Option<FreeForm>,
}

impl Verification {
    pub(super) fn read(object: &mut Object<'_>, references: &References) -> Result<Self, MemberError> {
        let verification = Self {
            result: object.required("result")?,
            code: object.required("code")?,
            mode: object.required("mode")?,
            checkpoint: object.optional("checkpoint")?,
            runtime: object.optional("runtime")?,
        };
        let passed = verification.result == VerificationResult::Pass;
        if passed != (verification.code == VerificationCode::Ok) {
            return Err(object.contradiction(
                "code",
                verification.code.as_str(),
                "ok with pass, and only with it",
            ));
        }
        if passed {
            references.require(RefRole::Authorization)?;
        }
        Ok(verification)
    }
}

/// A head of this log, by what its checkpoint says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Head {
    /// How many entries, at most `2^53 - 1`.
    pub size: TreeSize,
    /// The root over them, in base64 as in the checkpoint.
    pub root: RootHash,
}

impl Serialize for Head {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeMap as _;
        let mut map = serializer.serialize_map(Some(2))?;
        map.serialize_entry("root", &self.root.to_base64())?;
        map.serialize_entry("size", &self.size.get())?;
        map.end()
    }
}

impl FromMember for Head {
    const EXPECTED: &'static str = "an object with the members size and root";

    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
        let mut object = Object::from_value(value, path, Self::EXPECTED)?;
        let head = Self { size: object.required("size")?, root: object.required("root")? };
        object.finish()?;
        Ok(head)
    }
}

/// What became of an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Whether it ran, and how it ended.
    pub status: OutcomeStatus,
    /// When it started, by the enforcer's clock.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub started_at: Option<UnixSeconds>,
    /// When it ended, by the same clock, which may have been set back in between.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub finished_at: Option<UnixSeconds>,
    /// The exit code of the process.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub exit_code: Option<i64>,
    /// The digest of the result.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub result_digest: Option<Sha256Digest>,
    /// Anything else.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub details: Option<FreeForm>,
}

impl Outcome {
    pub(super) fn read(object: &mut Object<'_>, references: &References) -> Result<Self, MemberError> {
        let outcome = Self {
            status: object.required("status")?,
            started_at: object.optional("started_at")?,
            finished_at: object.optional("finished_at")?,
            exit_code: object.optional("exit_code")?,
            result_digest: object.optional("result_digest")?,
            details: object.optional("details")?,
        };
        if outcome.status.ran() {
            references.require(RefRole::Authorization)?;
        }
        Ok(outcome)
    }
}

/// A measure against an execution.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Enforcement {
    /// The measure.
    pub action: EnforcementAction,
    /// Why.
    pub reason: String,
}

impl Enforcement {
    pub(super) fn read(object: &mut Object<'_>, references: &References) -> Result<Self, MemberError> {
        let enforcement = Self { action: object.required("action")?, reason: object.required("reason")? };
        references.require(RefRole::Target)?;
        Ok(enforcement)
    }
}

/// The end of an execution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub struct Close {
    /// How many entries the execution has, this one included. Whether that is so, an audit checks.
    pub entries: NonZeroU64,
}

impl Close {
    pub(super) fn read(object: &mut Object<'_>) -> Result<Self, MemberError> {
        Ok(Self { entries: object.required("entries")? })
    }
}
