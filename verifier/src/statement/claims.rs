//! The CWT claims of a statement (RFC 8392 claim names, in RFC 9597 header 15).

use core::fmt;
use std::borrow::Cow;

use super::excerpt::Excerpt;
use super::names::{ExecutionId, IssuerName, PolicyName, UnixSeconds};
use super::words::Kind;
use crate::checkpoint::Origin;
use crate::note::KeyName;

/// What a statement says about itself.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Claims {
    /// `iss`: who states it, by registered name.
    pub issuer: IssuerName,
    /// `sub`: what it is about.
    pub subject: Subject,
    /// `aud`, `nbf` and `exp`: on every authorization, and on nothing else.
    pub validity: Option<Validity>,
    /// `iat`: when it was made, by the issuer's clock.
    pub issued_at: UnixSeconds,
    /// `cti`: 16 random bytes, so that no two statements are the same.
    pub id: [u8; ID_LENGTH],
}

/// The length of `cti`, in bytes.
pub const ID_LENGTH: usize = 16;

/// For whom an authorization is, and when.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Validity {
    /// `aud`: the enforcer that may act on it, by issuer name.
    pub audience: IssuerName,
    /// `nbf`: the first second in which it holds.
    pub not_before: UnixSeconds,
    /// `exp`: the last second in which it holds, not before the first.
    pub expires: UnixSeconds,
}

/// What a statement is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Subject {
    /// A genesis: the log, by its origin.
    Log(Origin),
    /// An issuer: `issuer:<name>`.
    Issuer(IssuerName),
    /// A policy: `policy:<name>`.
    Policy(PolicyName),
    /// Everything else: one execution.
    Execution(ExecutionId),
}

impl fmt::Display for Subject {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Log(origin) => origin.fmt(f),
            Self::Issuer(name) => write!(f, "{ISSUER_PREFIX}{name}"),
            Self::Policy(name) => write!(f, "{POLICY_PREFIX}{name}"),
            Self::Execution(id) => id.fmt(f),
        }
    }
}

const ISSUER_PREFIX: &str = "issuer:";
const POLICY_PREFIX: &str = "policy:";

/// The claims a statement can have, with their CWT numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Claim {
    /// Issuer.
    Iss = 1,
    /// Subject.
    Sub = 2,
    /// Audience.
    Aud = 3,
    /// Expiration time.
    Exp = 4,
    /// Not before.
    Nbf = 5,
    /// Issued at.
    Iat = 6,
    /// CWT id.
    Cti = 7,
}

impl Claim {
    /// The claim's name, which is its member name in the JSON form.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Iss => "iss",
            Self::Sub => "sub",
            Self::Aud => "aud",
            Self::Exp => "exp",
            Self::Nbf => "nbf",
            Self::Iat => "iat",
            Self::Cti => "cti",
        }
    }
}

impl fmt::Display for Claim {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.name(), *self as u8)
    }
}

/// What is wrong with a statement's claims.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ClaimError {
    /// A claim that the kind requires is not there.
    #[error("the claim {claim} is missing: a statement of kind {kind} has it")]
    Missing {
        /// The claim.
        claim: Claim,
        /// The statement's kind.
        kind: Kind,
    },
    /// A claim that the kind must not have.
    #[error("the claim {claim} is there: only an authorization has it, and this is of kind {kind}")]
    Unexpected {
        /// The claim.
        claim: Claim,
        /// The statement's kind.
        kind: Kind,
    },
    /// A claim that is there but is not what it has to be.
    #[error("the claim {claim} is {found}, expected {expected}")]
    Invalid {
        /// The claim.
        claim: Claim,
        /// Its value.
        found: Excerpt,
        /// What it should be.
        expected: &'static str,
    },
    /// The window of an authorization ends before it begins.
    #[error("the claim nbf is {not_before} and exp is {expires}: expected nbf at or before exp")]
    EmptyWindow {
        /// `nbf`.
        not_before: UnixSeconds,
        /// `exp`.
        expires: UnixSeconds,
    },
    /// The subject is not what the payload is about.
    #[error("the claim sub is {found}, but the payload is about {expected}")]
    SubjectMismatch {
        /// `sub`.
        found: Subject,
        /// What the payload says.
        expected: Subject,
    },
}

impl ClaimError {
    /// The stable problem code.
    pub const fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. } => "claim-missing",
            Self::Unexpected { .. } => "claim-unexpected",
            Self::Invalid { .. } => "claim-invalid",
            Self::EmptyWindow { .. } => "claim-window-empty",
            Self::SubjectMismatch { .. } => "claim-subject-mismatch",
        }
    }

    /// The claim at fault.
    pub const fn claim(&self) -> Claim {
        match self {
            Self::Missing { claim, .. } | Self::Unexpected { claim, .. } | Self::Invalid { claim, .. } => {
                *claim
            }
            Self::EmptyWindow { .. } => Claim::Exp,
            Self::SubjectMismatch { .. } => Claim::Sub,
        }
    }
}

/// Claims as they were read, before the kind's rules are applied to them.
#[derive(Debug, Default)]
pub(super) struct RawClaims<'a> {
    pub(super) iss: Option<Cow<'a, str>>,
    pub(super) sub: Option<Cow<'a, str>>,
    pub(super) aud: Option<Cow<'a, str>>,
    pub(super) exp: Option<UnixSeconds>,
    pub(super) nbf: Option<UnixSeconds>,
    pub(super) iat: Option<UnixSeconds>,
    pub(super) cti: Option<[u8; ID_LENGTH]>,
}

impl RawClaims<'_> {
    /// Applies the rules of the kind: which claims there are, and which grammar the subject has.
    pub(super) fn check(self, kind: Kind) -> Result<Claims, ClaimError> {
        let issuer = name(Claim::Iss, &present(Claim::Iss, kind, self.iss)?, IssuerName::EXPECTED)?;
        let subject = subject(kind, &present(Claim::Sub, kind, self.sub)?)?;
        let validity = if kind == Kind::Authorization {
            let audience = name(Claim::Aud, &present(Claim::Aud, kind, self.aud)?, IssuerName::EXPECTED)?;
            let expires = present(Claim::Exp, kind, self.exp)?;
            let not_before = present(Claim::Nbf, kind, self.nbf)?;
            if not_before > expires {
                return Err(ClaimError::EmptyWindow { not_before, expires });
            }
            Some(Validity { audience, not_before, expires })
        } else {
            absent(Claim::Aud, kind, self.aud.is_some())?;
            absent(Claim::Exp, kind, self.exp.is_some())?;
            absent(Claim::Nbf, kind, self.nbf.is_some())?;
            None
        };
        let issued_at = present(Claim::Iat, kind, self.iat)?;
        let id = present(Claim::Cti, kind, self.cti)?;
        Ok(Claims { issuer, subject, validity, issued_at, id })
    }
}

fn present<T>(claim: Claim, kind: Kind, value: Option<T>) -> Result<T, ClaimError> {
    value.ok_or(ClaimError::Missing { claim, kind })
}

fn absent(claim: Claim, kind: Kind, present: bool) -> Result<(), ClaimError> {
    if present { Err(ClaimError::Unexpected { claim, kind }) } else { Ok(()) }
}

fn name<T: core::str::FromStr>(claim: Claim, text: &str, expected: &'static str) -> Result<T, ClaimError> {
    text.parse().map_err(|_| ClaimError::Invalid { claim, found: Excerpt::of_text(text), expected })
}

fn subject(kind: Kind, text: &str) -> Result<Subject, ClaimError> {
    let wrong = |expected| ClaimError::Invalid { claim: Claim::Sub, found: Excerpt::of_text(text), expected };
    match kind {
        Kind::Genesis => origin(text).map(Subject::Log).ok_or_else(|| wrong(ORIGIN_EXPECTED)),
        Kind::Issuer => text
            .strip_prefix(ISSUER_PREFIX)
            .and_then(|name| name.parse().ok())
            .map(Subject::Issuer)
            .ok_or_else(|| wrong("issuer:<name>, with 1 to 128 visible ASCII characters as the name")),
        Kind::Policy => text
            .strip_prefix(POLICY_PREFIX)
            .and_then(|name| name.parse().ok())
            .map(Subject::Policy)
            .ok_or_else(|| wrong("policy:<name>, with 1 to 128 visible ASCII characters as the name")),
        Kind::Intent
        | Kind::Decision
        | Kind::Authorization
        | Kind::Verification
        | Kind::Outcome
        | Kind::Enforcement
        | Kind::Close => name(Claim::Sub, text, ExecutionId::EXPECTED).map(Subject::Execution),
    }
}

pub(super) const ORIGIN_EXPECTED: &str = "a log's origin: 1 to 255 bytes without white space and plus signs";

/// An origin is the first line of checkpoints and also the name of the log's key, so it has to be good as both.
pub(super) fn origin(text: &str) -> Option<Origin> {
    KeyName::new(text).ok()?;
    Origin::new(text).ok()
}
