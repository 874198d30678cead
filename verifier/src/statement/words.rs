//! The closed lists of words that statements are made of.
//!
//! A word outside its list is refused, so that a reader never has to guess what an unknown status means.

use core::fmt;

use super::excerpt::Excerpt;

/// A word that is not in its list.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("found {found}, expected {expected}")]
pub struct UnknownWord {
    /// The word found.
    pub found: Excerpt,
    /// The words of the list.
    pub expected: &'static str,
}

/// Joins the words of a list for error messages, at compile time.
macro_rules! one_of {
    ($word:literal) => { $word };
    ($first:literal, $($rest:literal),+) => { concat!("one of ", $first, $(", ", $rest),+) };
}

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
        }

        impl $name {
            /// The whole list, in the order of the specification.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];
            /// The list in words, for messages.
            pub(super) const EXPECTED: &'static str = one_of!($($word),+);

            /// The word as it stands in a statement.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl core::str::FromStr for $name {
            type Err = UnknownWord;

            fn from_str(word: &str) -> Result<Self, UnknownWord> {
                match word {
                    $($word => Ok(Self::$variant),)+
                    other => Err(UnknownWord { found: Excerpt::of_text(other), expected: Self::EXPECTED }),
                }
            }
        }

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.as_str())
            }
        }
    };
}

words! {
    /// What a statement says. The word stands in its content type, `application/vnd.countersign.<kind>+json`.
    Kind {
        /// Founds the log: entry 0, and only entry 0.
        Genesis = "genesis",
        /// Registers, changes or revokes an issuer's key.
        Issuer = "issuer",
        /// Publishes a policy bundle.
        Policy = "policy",
        /// Asks to do something.
        Intent = "intent",
        /// Says what a policy made of an intent.
        Decision = "decision",
        /// Allows a named enforcer to let something happen within a time window.
        Authorization = "authorization",
        /// Says whether an authorization held at the moment of execution.
        Verification = "verification",
        /// Says what became of an execution.
        Outcome = "outcome",
        /// Steps in: revokes, halts, quarantines or releases.
        Enforcement = "enforcement",
        /// Ends an execution.
        Close = "close",
    }
}

words! {
    /// What an issuer's key is registered for.
    Role {
        /// Runs the log: registers issuers, publishes policies.
        Operator = "operator",
        /// Writes policies.
        Author = "author",
        /// Asks.
        Requester = "requester",
        /// Decides and authorizes (the policy decision point).
        Authority = "authority",
        /// Verifies and executes (the policy enforcement point).
        Enforcer = "enforcer",
        /// Steps in.
        Overseer = "overseer",
    }
}

words! {
    /// In which role a statement refers to an earlier entry: a member name of `refs`.
    RefRole {
        /// The policy that a policy replaces.
        Replaces = "replaces",
        /// The intent.
        Intent = "intent",
        /// The policy.
        Policy = "policy",
        /// The decision.
        Decision = "decision",
        /// The authorization.
        Authorization = "authorization",
        /// The verification.
        Verification = "verification",
        /// The outcome.
        Outcome = "outcome",
        /// The entry that an enforcement is about.
        Target = "target",
    }
}

words! {
    /// The state of an issuer's key.
    IssuerStatus {
        /// The key may sign in its roles.
        Active = "active",
        /// The key may sign nothing any more.
        Revoked = "revoked",
    }
}

words! {
    /// The policy engines that a policy may be written for.
    PolicyEngine {
        /// Cedar.
        Cedar = "cedar",
    }
}

words! {
    /// The admission rules that a log declares in its genesis.
    Rules {
        /// The rules of [`crate::admission`].
        CountersignV1 = "countersign/1",
    }
}

words! {
    /// What an authority decided.
    Verdict {
        /// It may happen.
        Permit = "permit",
        /// It may not.
        Deny = "deny",
    }
}

words! {
    /// Why an authority decided so.
    DecisionCode {
        /// A policy permits and none forbids.
        Permitted = "permitted",
        /// A policy forbids.
        DeniedByPolicy = "denied_by_policy",
        /// No policy permits.
        NoPolicyPermits = "no_policy_permits",
        /// A person has to approve first.
        NeedsApproval = "needs_approval",
        /// A policy could not be evaluated, and doubt denies.
        EvaluationError = "evaluation_error",
        /// The request does not fit the policy's schema.
        SchemaMismatch = "schema_mismatch",
        /// The policy cited is not in force.
        PolicyNotInForce = "policy_not_in_force",
    }
}

words! {
    /// Whether an authorization held at the moment of execution.
    VerificationResult {
        /// It held.
        Pass = "pass",
        /// It did not, and nothing may run.
        Fail = "fail",
    }
}

words! {
    /// Why a verification passed or failed.
    VerificationCode {
        /// Everything held.
        Ok = "ok",
        /// No authorization was in hand.
        AuthorizationMissing = "authorization_missing",
        /// The policy did not validate.
        PolicyValidationFailed = "policy_validation_failed",
        /// What would run is not what was authorized to run.
        RuntimeMismatch = "runtime_mismatch",
        /// What was asked lies outside what was authorized.
        ScopeInvalid = "scope_invalid",
        /// A link of the lineage is missing or does not fit.
        ContinuityBroken = "continuity_broken",
        /// The authorization begins later.
        NotYetValid = "not_yet_valid",
        /// The authorization has ended.
        Expired = "expired",
        /// The authorization or its issuer was revoked.
        Revoked = "revoked",
        /// The head that includes the authorization lacks its witness quorum.
        QuorumMissing = "quorum_missing",
        /// The authorization was used before.
        Replayed = "replayed",
    }
}

words! {
    /// What an enforcer waited for before it let something run.
    Mode {
        /// A head with the quorum's cosignatures that includes the authorization.
        Cosigned = "cosigned",
        /// A head signed by the log that includes the authorization.
        Sequenced = "sequenced",
        /// Nothing.
        Async = "async",
    }
}

words! {
    /// What became of an execution.
    OutcomeStatus {
        /// It ran, and its effect was observed.
        Confirmed = "confirmed",
        /// It ran and failed.
        Failed = "failed",
        /// It may have run: its effect was not observed.
        Unknown = "unknown",
        /// Nothing ran.
        NotExecuted = "not_executed",
    }
}

words! {
    /// What an overseer did.
    EnforcementAction {
        /// Withdrew an authorization.
        Revoke = "revoke",
        /// Stopped an execution.
        Halt = "halt",
        /// Isolated its results.
        Quarantine = "quarantine",
        /// Lifted an earlier measure.
        Release = "release",
    }
}

impl RefRole {
    /// The kind of entry that is named in this role. A target may be of any kind.
    pub const fn kind(self) -> Option<Kind> {
        match self {
            Self::Replaces | Self::Policy => Some(Kind::Policy),
            Self::Intent => Some(Kind::Intent),
            Self::Decision => Some(Kind::Decision),
            Self::Authorization => Some(Kind::Authorization),
            Self::Verification => Some(Kind::Verification),
            Self::Outcome => Some(Kind::Outcome),
            Self::Target => None,
        }
    }
}

impl OutcomeStatus {
    /// Whether the outcome says that something ran or may have run, and so must name its authorization.
    pub const fn ran(self) -> bool {
        !matches!(self, Self::NotExecuted)
    }
}
