//! The closed lists of words of the format, in plain English.

use countersign_verifier::lineage::LineageVerdict;
use countersign_verifier::statement::{
    DecisionCode, EnforcementAction, IssuerStatus, Kind, Mode, OutcomeStatus, RefRole, Role, VerificationCode,
};

use crate::index::{Gist, State};

/// The kind of a statement as a heading.
pub(crate) const fn kind(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Genesis) => "Genesis",
        Some(Kind::Issuer) => "Issuer",
        Some(Kind::Policy) => "Policy",
        Some(Kind::Intent) => "Intent",
        Some(Kind::Decision) => "Decision",
        Some(Kind::Authorization) => "Authorization",
        Some(Kind::Verification) => "Verification",
        Some(Kind::Outcome) => "Outcome",
        Some(Kind::Enforcement) => "Enforcement",
        Some(Kind::Close) => "Close",
        None => "Unreadable",
    }
}

/// What sort of statement a kind is, in half a sentence.
pub(crate) const fn kind_means(kind: Option<Kind>) -> &'static str {
    match kind {
        Some(Kind::Genesis) => "the founding of the log",
        Some(Kind::Issuer) => "who may sign what",
        Some(Kind::Policy) => "the rules that decisions cite",
        Some(Kind::Intent) => "somebody asks to do something",
        Some(Kind::Decision) => "what a policy made of it",
        Some(Kind::Authorization) => "the permission to do it",
        Some(Kind::Verification) => "the permission is checked before anything runs",
        Some(Kind::Outcome) => "what happened",
        Some(Kind::Enforcement) => "somebody steps in",
        Some(Kind::Close) => "the end of an execution",
        None => "bytes that are no statement of a known kind",
    }
}

/// What an entry says, for a line of a list.
pub(crate) const fn gist(gist: Gist) -> &'static str {
    match gist {
        Gist::Genesis => "the log was founded",
        Gist::Issuer(IssuerStatus::Active) => "a key was registered",
        Gist::Issuer(IssuerStatus::Revoked) => "a key was revoked",
        Gist::Policy => "a policy was published",
        Gist::Intent => "asked",
        Gist::Decision(DecisionCode::Permitted) => "permitted",
        Gist::Decision(code) => decision(code),
        Gist::Authorization => "authorized",
        Gist::Verification(code) => verification(code),
        Gist::Outcome(status) => outcome(status),
        Gist::Enforcement(action) => enforcement(action),
        Gist::Close => "closed",
        Gist::Unreadable => "not a statement that this explorer can read",
    }
}

pub(crate) const fn decision(code: DecisionCode) -> &'static str {
    match code {
        DecisionCode::Permitted => "a policy permits it and none forbids it",
        DecisionCode::DeniedByPolicy => "denied: a policy forbids it",
        DecisionCode::NoPolicyPermits => "denied: no policy permits it",
        DecisionCode::NeedsApproval => "denied for now: a person has to approve it first",
        DecisionCode::EvaluationError => "denied: a policy could not be evaluated",
        DecisionCode::SchemaMismatch => "denied: the request does not fit the policy's schema",
        DecisionCode::PolicyNotInForce => "denied: the policy cited is not in force",
    }
}

pub(crate) const fn verification(code: VerificationCode) -> &'static str {
    match code {
        VerificationCode::Ok => "passed: the authorization held",
        VerificationCode::AuthorizationMissing => "failed: no authorization was in hand",
        VerificationCode::PolicyValidationFailed => "failed: no sound policy permits it",
        VerificationCode::RuntimeMismatch => "failed: what would run is not what was authorized",
        VerificationCode::ScopeInvalid => "failed: outside of what was authorized",
        VerificationCode::ContinuityBroken => "failed: an earlier step is missing or does not fit",
        VerificationCode::NotYetValid => "failed: the authorization begins later",
        VerificationCode::Expired => "failed: the authorization had expired",
        VerificationCode::Revoked => "failed: the authorization or its issuer was revoked",
        VerificationCode::QuorumMissing => "failed: too few witnesses had cosigned the authorization",
        VerificationCode::Replayed => "failed: the authorization was used before",
    }
}

pub(crate) const fn outcome(status: OutcomeStatus) -> &'static str {
    match status {
        OutcomeStatus::Confirmed => "it ran, and its effect was observed",
        OutcomeStatus::Failed => "it ran and failed",
        OutcomeStatus::Unknown => "it may have run: no effect was observed",
        OutcomeStatus::NotExecuted => "nothing ran",
    }
}

pub(crate) const fn enforcement(action: EnforcementAction) -> &'static str {
    match action {
        EnforcementAction::Revoke => "an authorization was withdrawn",
        EnforcementAction::Halt => "stopped",
        EnforcementAction::Quarantine => "results were isolated",
        EnforcementAction::Release => "an earlier measure was lifted",
    }
}

pub(crate) const fn mode(mode: Mode) -> &'static str {
    match mode {
        Mode::Cosigned => "acts only on what a quorum of witnesses has cosigned",
        Mode::Sequenced => "acts on what the log has signed for, and does not wait for witnesses",
        Mode::Async => "does not wait for the log",
    }
}

pub(crate) const fn role(role: Role) -> &'static str {
    match role {
        Role::Operator => "operator (registers issuers, publishes policies)",
        Role::Author => "author (writes policies)",
        Role::Requester => "requester (asks)",
        Role::Authority => "authority (decides and authorizes)",
        Role::Enforcer => "enforcer (checks, runs and reports)",
        Role::Overseer => "overseer (steps in)",
    }
}

pub(crate) const fn reference(role: RefRole) -> &'static str {
    match role {
        RefRole::Replaces => "the policy that it replaces",
        RefRole::Intent => "the intent",
        RefRole::Policy => "the policy",
        RefRole::Decision => "the decision",
        RefRole::Authorization => "the authorization",
        RefRole::Verification => "the verification",
        RefRole::Outcome => "the outcome",
        RefRole::Target => "the entry that it is about",
    }
}

/// What the verdict on an execution says.
pub(crate) const fn lineage(verdict: LineageVerdict) -> &'static str {
    match verdict {
        LineageVerdict::Governed => "it ran, and every step is on record and fits the others",
        LineageVerdict::Denied => "nothing ran, and what kept it from running is on record",
        LineageVerdict::Open => "it has not ended, and more may follow",
        LineageVerdict::Partial => {
            "it has ended, nothing contradicts, and something that should be there is not"
        }
        LineageVerdict::Violated => {
            "what is on record contradicts itself, or breaks a rule of governed execution"
        }
    }
}

/// How far an execution got, by its own entries: the last word that says most.
pub(crate) const fn state(state: State) -> &'static str {
    match state {
        State {
            enforcement: Some(action @ (EnforcementAction::Halt | EnforcementAction::Quarantine)),
            ..
        } => enforcement(action),
        State { outcome: Some(status), .. } => outcome(status),
        State { verification: Some(code), .. } => verification(code),
        State { authorization: true, .. } => "authorized; no outcome yet",
        State { decision: Some(DecisionCode::Permitted), .. } => "permitted; not yet authorized",
        State { decision: Some(code), .. } => decision(code),
        State { intent: true, .. } => "asked; not yet decided",
        State { .. } => "begun",
    }
}
