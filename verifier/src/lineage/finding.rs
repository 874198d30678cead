//! What a lineage can be found to be.

use core::fmt;

use serde::{Serialize, Serializer};

use crate::merkle::LeafIndex;

/// How much a finding weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Two things on record contradict each other, or a rule of governed execution was broken.
    Violation,
    /// Something that should be there is not.
    Gap,
    /// Worth knowing; the verdict does not depend on it.
    Note,
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Violation => "violation",
            Self::Gap => "gap",
            Self::Note => "note",
        })
    }
}

macro_rules! findings {
    ($($(#[$doc:meta])* $variant:ident = $word:literal, $severity:ident;)+) => {
        /// The rules by the code of what breaks them, in the order of the table in `docs/LINEAGE.md`.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum FindingCode {
            $($(#[$doc])* $variant,)+
        }

        impl FindingCode {
            /// All of them, in the order of the table.
            pub const ALL: &'static [Self] = &[$(Self::$variant),+];

            /// The stable name.
            pub const fn as_str(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)+
                }
            }

            /// How much it weighs.
            pub const fn severity(self) -> Severity {
                match self {
                    $(Self::$variant => Severity::$severity,)+
                }
            }
        }
    };
}

findings! {
    /// A reference names an entry that is not among those presented.
    ReferenceMissing = "reference_missing", Gap;
    /// A reference names an entry that does not come before.
    ReferenceOrder = "reference_order", Violation;
    /// A reference names an entry of a kind that its role does not take.
    ReferenceKind = "reference_kind", Violation;

    /// Something ran, and the authorization named does not precede it.
    OutcomeWithoutAuthorization = "outcome_without_authorization", Violation;
    /// Another outcome of the same authorization.
    SecondOutcome = "second_outcome", Violation;
    /// Something ran, and no verification of its authorization precedes the outcome.
    OutcomeWithoutVerification = "outcome_without_verification", Gap;
    /// Something ran although the verification failed, or the last one before did.
    ExecutedAfterFailedVerification = "executed_after_failed_verification", Violation;
    /// The verification is of another authorization than the outcome's.
    VerificationOfAnotherAuthorization = "verification_of_another_authorization", Violation;
    /// The enforcer waited for nothing.
    VerifiedWithoutWaiting = "verified_without_waiting", Gap;
    /// The enforcer waited for the log only.
    QuorumNotAwaited = "quorum_not_awaited", Note;
    /// The enforcer waited for a head and does not say which.
    HeadNotNamed = "head_not_named", Note;
    /// The head that the enforcer names cannot have the authorization.
    HeadWithoutAuthorization = "head_without_authorization", Violation;
    /// The head that the enforcer names is larger than the log was.
    HeadAfterVerification = "head_after_verification", Violation;

    /// The authorization names no decision.
    DecisionMissing = "decision_missing", Gap;
    /// The authorization stands on a denial.
    DecisionDenies = "decision_denies", Violation;
    /// The last decision before the authorization was a denial.
    ExecutedAfterDenial = "executed_after_denial", Violation;
    /// The outcome names another decision than its authorization.
    DecisionMismatch = "decision_mismatch", Violation;
    /// No policy is named.
    PolicyMissing = "policy_missing", Gap;
    /// Authorization and decision name different policies.
    PolicyMismatch = "policy_mismatch", Violation;
    /// No intent is named.
    IntentMissing = "intent_missing", Gap;
    /// The steps name different intents.
    IntentMismatch = "intent_mismatch", Violation;
    /// What was authorized is not what was asked for.
    ActionMismatch = "action_mismatch", Violation;
    /// Somebody else verified or executed than the one authorized to.
    AudienceMismatch = "audience_mismatch", Violation;

    /// It ran outside of the window of its authorization.
    OutsideWindow = "outside_window", Violation;
    /// When it ran is not stated.
    StartedAtMissing = "started_at_missing", Gap;
    /// It started before it was verified.
    StartedBeforeVerification = "started_before_verification", Violation;
    /// It started before it was authorized, by more than clocks may differ.
    StartedBeforeAuthorization = "started_before_authorization", Violation;
    /// It started before it was authorized, by no more than clocks may differ.
    ClocksDisagree = "clocks_disagree", Note;
    /// It ended before it started.
    FinishedBeforeStart = "finished_before_start", Note;
    /// Nobody saw how it ended.
    OutcomeUnknown = "outcome_unknown", Gap;

    /// It ran although what it stands on had been revoked or halted.
    RevokedBeforeExecution = "revoked_before_execution", Violation;
    /// What it stands on was revoked or halted between verification and outcome.
    RevokedBeforeOutcome = "revoked_before_outcome", Note;
    /// Its results are isolated.
    Quarantined = "quarantined", Note;

    /// Who asked also decided.
    DecisionByRequester = "decision_by_requester", Note;
    /// Who authorized also verified.
    EnforcerIsAuthority = "enforcer_is_authority", Note;
    /// Closed after an authorization, without an outcome.
    OutcomeMissing = "outcome_missing", Gap;
    /// Nothing ran, and nothing says why.
    ReasonMissing = "reason_missing", Gap;
    /// It has an outcome and is not closed.
    CloseMissing = "close_missing", Note;
    /// The close counts more entries than there are.
    EntriesMissing = "entries_missing", Gap;
    /// The close counts fewer entries than there are.
    EntriesUncounted = "entries_uncounted", Note;
    /// An entry after the close that is not an enforcement.
    EntryAfterClose = "entry_after_close", Violation;
    /// Closed again.
    SecondClose = "second_close", Violation;
}

impl fmt::Display for FindingCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for FindingCode {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

/// One thing found. No two findings of a lineage share both code and entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What.
    pub code: FindingCode,
    /// The entry that it is about.
    pub index: LeafIndex,
    /// The same in a sentence, with the entries concerned.
    pub sentence: String,
}

impl Serialize for Finding {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let mut members = serializer.serialize_struct("Finding", 4)?;
        members.serialize_field("code", &self.code)?;
        members.serialize_field("severity", &self.code.severity())?;
        members.serialize_field("index", &self.index.get())?;
        members.serialize_field("sentence", &self.sentence)?;
        members.end()
    }
}
