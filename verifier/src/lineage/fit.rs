//! The rules that hold what was asked, allowed and done against each other, and against the times that are claimed.

use super::finding::FindingCode;
use super::outcome::Ran;
use super::step::At;
use crate::statement::payload::{Action, Authorization, Entity, Intent};
use crate::statement::{FreeForm, IssuerName, RefRole, UnixSeconds, VerificationResult};
use crate::utc::Utc;

/// By how many seconds the clocks of two issuers may differ: a log takes statements whose time is off by as much.
const CLOCKS_MAY_DIFFER: u64 = 300;

impl Ran<'_> {
    /// One policy, one intent, one action, one enforcer.
    pub(super) fn check_fit(
        &self,
        authorization: &At<'_, Authorization>,
        tell: &mut impl FnMut(FindingCode, String),
    ) {
        let index = authorization.step.index;
        let of_authorization = |role| authorization.step.statement.references().get(role);
        let of_decision = |role| self.decision.and_then(|one| one.step.statement.references().get(role));
        match (of_authorization(RefRole::Policy), of_decision(RefRole::Policy)) {
            (None, None) => tell(
                FindingCode::PolicyMissing,
                format!(
                    "By which policy it was allowed is not on record: the authorization in entry {index} names none."
                ),
            ),
            (Some(allowed), Some(decided)) if allowed != decided => tell(
                FindingCode::PolicyMismatch,
                format!("The authorization in entry {index} and its decision name different policies."),
            ),
            _ => {}
        }
        let of_verification =
            self.verification.and_then(|one| one.step.statement.references().get(RefRole::Intent));
        let of_outcome = self.outcome.step.statement.references().get(RefRole::Intent);
        let mut named =
            [of_authorization(RefRole::Intent), of_decision(RefRole::Intent), of_verification, of_outcome]
                .into_iter()
                .flatten();
        if let Some(first) = named.next()
            && named.any(|intent| intent != first)
        {
            let sentence = "Authorization, decision, verification and outcome do not name the same intent.";
            tell(FindingCode::IntentMismatch, sentence.to_owned());
        }
        match &self.intent {
            None => tell(FindingCode::IntentMissing, "Who asked for this is not on record.".to_owned()),
            Some(intent) => {
                if let Some(member) = differs(intent.says, authorization.says) {
                    let sentence = format!(
                        "The {member} that entry {index} authorizes is not the one that entry {} asks for.",
                        intent.step.index
                    );
                    tell(FindingCode::ActionMismatch, sentence);
                }
            }
        }
        self.check_audience(authorization, tell);
    }

    /// Who verified and who executed is the enforcer that the authorization is for.
    fn check_audience(
        &self,
        authorization: &At<'_, Authorization>,
        tell: &mut impl FnMut(FindingCode, String),
    ) {
        let Some(validity) = &authorization.step.statement.claims().validity else { return };
        let others = self.verification.map(|one| one.step).into_iter().chain([self.outcome.step]);
        let other = others.map(|step| (step, &step.statement.claims().issuer));
        let differs = |(_, issuer): &(_, &IssuerName)| **issuer != validity.audience;
        if let Some((step, issuer)) = other.into_iter().find(differs) {
            let sentence = format!(
                "The authorization is for {}, but the {} in entry {} is by {issuer}.",
                validity.audience,
                step.statement.kind(),
                step.index
            );
            tell(FindingCode::AudienceMismatch, sentence);
        }
    }

    /// The times claimed fit the window of the authorization and the order of the steps.
    pub(super) fn check_times(&self, tell: &mut impl FnMut(FindingCode, String)) {
        let started = self.outcome.says.started_at;
        let verified = self.verification.filter(|one| one.says.result == VerificationResult::Pass);
        let verified = verified.map(|one| one.step.statement.claims().issued_at);
        if let Some(authorization) = &self.authorization
            && let Some(validity) = &authorization.step.statement.claims().validity
        {
            let (first, last) = (validity.not_before, validity.expires);
            let outside = |time: &UnixSeconds| !(first..=last).contains(time);
            let when = |what, time| {
                format!(
                    "It {what} at {} by the enforcer's clock; the authorization holds from {} to {}.",
                    utc(time),
                    utc(first),
                    utc(last)
                )
            };
            if let Some(time) = started.filter(outside) {
                tell(FindingCode::OutsideWindow, when("started", time));
            } else if let Some(time) = verified.filter(outside) {
                tell(FindingCode::OutsideWindow, when("was verified", time));
            }
        }
        let Some(started) = started else {
            let sentence = "When it started is not stated, so nobody can hold it against the window.";
            return tell(FindingCode::StartedAtMissing, sentence.to_owned());
        };
        if let Some(verified) = verified.filter(|verified| started < *verified) {
            let sentence = format!(
                "By the enforcer's own clock it started at {} and was verified at {}.",
                utc(started),
                utc(verified)
            );
            tell(FindingCode::StartedBeforeVerification, sentence);
        }
        if let Some(authorization) = &self.authorization {
            let issued = authorization.step.statement.claims().issued_at;
            let early = issued.get().saturating_sub(started.get());
            let claims = |how| {
                format!(
                    "It started at {} by the enforcer's clock and was authorized at {} by the authority's: {how} than \
                     clocks may differ.",
                    utc(started),
                    utc(issued)
                )
            };
            if early > CLOCKS_MAY_DIFFER {
                tell(FindingCode::StartedBeforeAuthorization, claims("more"));
            } else if early > 0 {
                tell(FindingCode::ClocksDisagree, claims("no more"));
            }
        }
        if let Some(finished) = self.outcome.says.finished_at.filter(|finished| *finished < started) {
            let sentence = format!(
                "By the enforcer's clock it started at {} and ended at {}: the clock was set back.",
                utc(started),
                utc(finished)
            );
            tell(FindingCode::FinishedBeforeStart, sentence);
        }
    }
}

fn utc(time: UnixSeconds) -> Utc {
    Utc(time.get())
}

/// The first member by which what is authorized is not what was asked for.
fn differs(asked: &Intent, allowed: &Authorization) -> Option<&'static str> {
    let entity = |asked: &Entity, allowed: &Entity| {
        asked.entity_type == allowed.entity_type
            && asked.id == allowed.id
            && agree(asked.properties.as_ref(), allowed.properties.as_ref())
    };
    let action = |asked: &Action, allowed: &Action| {
        asked.name == allowed.name && agree(asked.properties.as_ref(), allowed.properties.as_ref())
    };
    if !entity(&asked.subject, &allowed.subject) {
        Some("subject")
    } else if !action(&asked.action, &allowed.action) {
        Some("action")
    } else if !entity(&asked.resource, &allowed.resource) {
        Some("resource")
    } else {
        None
    }
}

/// Properties that both disclose are the same. What one of them withholds or leaves out cannot be compared.
fn agree(asked: Option<&FreeForm>, allowed: Option<&FreeForm>) -> bool {
    match (asked.and_then(FreeForm::disclosed), allowed.and_then(FreeForm::disclosed)) {
        (Some(asked), Some(allowed)) => asked == allowed,
        _ => true,
    }
}
