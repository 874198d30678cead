//! Reading typed members out of strict JSON objects, with a pointer to whatever is wrong.

use core::str::FromStr;

use serde_json::{Map, Value};

use super::excerpt::Excerpt;
use super::pointer::{Path, Pointer};

/// What is wrong with a member of a JSON object.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MemberError {
    /// A required member is not there.
    #[error("{pointer} is missing: expected {expected}")]
    Missing {
        /// Where it should be.
        pointer: Pointer,
        /// What it should be.
        expected: &'static str,
    },
    /// A member that the statement's kind does not have.
    #[error(
        "{pointer} is not a known member: free-form data goes under properties, context, constraints or details"
    )]
    Unknown {
        /// The member.
        pointer: Pointer,
    },
    /// A member that is there but is not what it has to be.
    #[error("{pointer} is {found}, expected {expected}")]
    Invalid {
        /// The member.
        pointer: Pointer,
        /// Its value.
        found: Excerpt,
        /// What it should be.
        expected: &'static str,
    },
    /// A member that is fine alone but contradicts another.
    #[error("{pointer} is {found}, which contradicts the rest: expected {expected}")]
    Contradiction {
        /// The member.
        pointer: Pointer,
        /// Its value.
        found: Excerpt,
        /// What it would have to be.
        expected: &'static str,
    },
    /// A reference that the statement's kind requires is not there.
    #[error(
        "{pointer} is missing: expected the id of the entry this statement stands on, in 64 lowercase hex digits"
    )]
    MissingReference {
        /// Where it should be.
        pointer: Pointer,
    },
    /// A reference in a role that the statement's kind does not have.
    #[error("{pointer} is not a reference that this kind of statement has")]
    UnknownReference {
        /// The reference.
        pointer: Pointer,
    },
}

impl MemberError {
    /// The stable problem code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "member-missing",
            Self::Unknown { .. } => "member-unknown",
            Self::Invalid { .. } => "member-invalid",
            Self::Contradiction { .. } => "member-contradiction",
            Self::MissingReference { .. } => "reference-missing",
            Self::UnknownReference { .. } => "reference-unknown",
        }
    }

    /// The member at fault.
    pub const fn pointer(&self) -> &Pointer {
        match self {
            Self::Missing { pointer, .. }
            | Self::Unknown { pointer }
            | Self::Invalid { pointer, .. }
            | Self::Contradiction { pointer, .. }
            | Self::MissingReference { pointer }
            | Self::UnknownReference { pointer } => pointer,
        }
    }
}

/// A type that a member may have.
pub(super) trait FromMember: Sized {
    /// The type in words.
    const EXPECTED: &'static str;

    /// Reads the value at `path`.
    fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError>;
}

/// The error for a value that is not what it has to be.
pub(super) fn invalid(value: &Value, path: &Path<'_>, expected: &'static str) -> MemberError {
    MemberError::Invalid { pointer: path.pointer(), found: Excerpt::of_json(value), expected }
}

/// An object whose members are taken out one by one, until none may be left.
#[derive(Debug)]
pub(super) struct Object<'a> {
    path: &'a Path<'a>,
    members: Map<String, Value>,
}

impl<'a> Object<'a> {
    pub(super) const fn new(members: Map<String, Value>, path: &'a Path<'a>) -> Self {
        Self { path, members }
    }

    /// Takes a JSON value that has to be an object.
    pub(super) fn from_value(
        value: Value,
        path: &'a Path<'a>,
        expected: &'static str,
    ) -> Result<Self, MemberError> {
        match value {
            Value::Object(members) => Ok(Self { path, members }),
            other => Err(invalid(&other, path, expected)),
        }
    }

    /// Takes a member that has to be there.
    pub(super) fn required<T: FromMember>(&mut self, name: &str) -> Result<T, MemberError> {
        self.optional(name)?.ok_or_else(|| MemberError::Missing {
            pointer: Path::Member(self.path, name).pointer(),
            expected: T::EXPECTED,
        })
    }

    /// Takes a member that may be absent. `null` is not absence.
    pub(super) fn optional<T: FromMember>(&mut self, name: &str) -> Result<Option<T>, MemberError> {
        let path = Path::Member(self.path, name);
        self.members.remove(name).map(|value| T::from_member(value, &path)).transpose()
    }

    /// The error for a member that contradicts another.
    pub(super) fn contradiction(&self, name: &str, found: &str, expected: &'static str) -> MemberError {
        MemberError::Contradiction {
            pointer: Path::Member(self.path, name).pointer(),
            found: Excerpt::of_text(found),
            expected,
        }
    }

    /// Refuses whatever was not taken.
    pub(super) fn finish(self) -> Result<(), MemberError> {
        match self.members.keys().next() {
            None => Ok(()),
            Some(name) => Err(MemberError::Unknown { pointer: Path::Member(self.path, name).pointer() }),
        }
    }
}

/// A member that is read from a JSON string by its own grammar.
pub(super) fn from_text<T: FromStr>(
    value: &Value,
    path: &Path<'_>,
    expected: &'static str,
) -> Result<T, MemberError> {
    value.as_str().and_then(|text| text.parse().ok()).ok_or_else(|| invalid(value, path, expected))
}

macro_rules! text_members {
    ($($name:ty),+ $(,)?) => {$(
        impl FromMember for $name {
            const EXPECTED: &'static str = Self::EXPECTED;

            fn from_member(value: Value, path: &Path<'_>) -> Result<Self, MemberError> {
                from_text(&value, path, Self::EXPECTED)
            }
        }
    )+};
}

text_members!(
    super::names::ExecutionId,
    super::names::IssuerName,
    super::names::PolicyName,
    super::words::DecisionCode,
    super::words::EnforcementAction,
    super::words::IssuerStatus,
    super::words::Kind,
    super::words::Mode,
    super::words::OutcomeStatus,
    super::words::PolicyEngine,
    super::words::Role,
    super::words::Rules,
    super::words::VerificationCode,
    super::words::VerificationResult,
    super::words::Verdict,
);
