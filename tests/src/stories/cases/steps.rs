//! What has to be there, and in which order.

#![expect(clippy::too_many_lines, reason = "they are lists")]

use countersign_verifier::lineage::FindingCode as Code;
use countersign_verifier::lineage::LineageVerdict::{Denied, Governed, Partial, Violated};
use countersign_verifier::statement::RefRole;
use serde_json::{Value, json};

use super::{Sketch, measure};
use crate::stories::story::Story;

pub(super) fn references() -> Vec<Sketch> {
    vec![
        (
            "the decision names a policy that is not presented",
            Some(Code::ReferenceMissing),
            Story::governed().refer("decision", RefRole::Policy, "nobody's").refer(
                "authorization",
                RefRole::Policy,
                "nobody's",
            ),
            Partial,
            &[("decision", Code::ReferenceMissing), ("authorization", Code::ReferenceMissing)],
        ),
        (
            "decision and authorization name a policy of the log",
            Some(Code::ReferenceMissing),
            Story::governed(),
            Governed,
            &[],
        ),
        (
            "the verification comes after the outcome that names it",
            Some(Code::ReferenceOrder),
            Story::governed().swapped("verification", "outcome"),
            Violated,
            &[("outcome", Code::ReferenceOrder), ("outcome", Code::OutcomeWithoutVerification)],
        ),
        (
            "the verification comes right before the outcome that names it",
            Some(Code::ReferenceOrder),
            Story::governed(),
            Governed,
            &[],
        ),
        (
            "the verification names a decision as its intent",
            Some(Code::ReferenceKind),
            Story::governed().unrefer("outcome", RefRole::Intent).refer(
                "verification",
                RefRole::Intent,
                "decision",
            ),
            Violated,
            &[("verification", Code::ReferenceKind), ("outcome", Code::IntentMismatch)],
        ),
        (
            "an enforcement names a decision, as it may name anything",
            Some(Code::ReferenceKind),
            Story::governed().before("close", measure("release", "release", "decision")),
            Governed,
            &[],
        ),
    ]
}

pub(super) fn verifications() -> Vec<Sketch> {
    let async_pass = json!({"mode": "async", "checkpoint": null});
    let fail = json!({"result": "fail", "code": "expired", "checkpoint": null});
    let second = |story: &Story| {
        story.clone().before("outcome", story.copy("authorization", "authorization-2")).refer(
            "outcome",
            RefRole::Authorization,
            "authorization-2",
        )
    };
    let again = |label: &str| {
        let story = Story::governed();
        let other = story.copy("outcome", label);
        story.before("close", other)
    };
    vec![
        (
            "the authorization comes after the outcome that names it",
            Some(Code::OutcomeWithoutAuthorization),
            Story::governed().without("verification").swapped("authorization", "outcome"),
            Violated,
            &[
                ("outcome", Code::ReferenceOrder),
                ("outcome", Code::OutcomeWithoutAuthorization),
                ("outcome", Code::OutcomeWithoutVerification),
            ],
        ),
        (
            "the authorization comes right before the outcome that names it",
            Some(Code::OutcomeWithoutAuthorization),
            Story::governed().without("verification"),
            Partial,
            &[("outcome", Code::OutcomeWithoutVerification)],
        ),
        (
            "the authorization has two outcomes",
            Some(Code::SecondOutcome),
            again("outcome-2"),
            Violated,
            &[("outcome-2", Code::SecondOutcome)],
        ),
        (
            "two authorizations have an outcome each",
            Some(Code::SecondOutcome),
            {
                let story = again("outcome-2");
                let authorization = story.copy("authorization", "authorization-2");
                let verification = story.copy("verification", "verification-2");
                story
                    .before("outcome-2", authorization)
                    .before("outcome-2", verification)
                    .refer("verification-2", RefRole::Authorization, "authorization-2")
                    .refer("outcome-2", RefRole::Authorization, "authorization-2")
                    .refer("outcome-2", RefRole::Verification, "verification-2")
            },
            Governed,
            &[],
        ),
        (
            "it ran, and no verification is on record",
            Some(Code::OutcomeWithoutVerification),
            Story::governed().without("verification"),
            Partial,
            &[("outcome", Code::OutcomeWithoutVerification)],
        ),
        (
            "the outcome does not name the verification of its authorization, which is on record",
            Some(Code::OutcomeWithoutVerification),
            Story::governed().unrefer("outcome", RefRole::Verification),
            Governed,
            &[],
        ),
        (
            "it ran although the verification failed",
            Some(Code::ExecutedAfterFailedVerification),
            Story::governed().set("verification", fail.clone()),
            Violated,
            &[("outcome", Code::ExecutedAfterFailedVerification)],
        ),
        (
            "it ran by a verification that a failed one followed",
            Some(Code::ExecutedAfterFailedVerification),
            {
                let story = Story::governed();
                let mut failed = story.copy("verification", "verification-2");
                failed.payload.insert("result".into(), "fail".into());
                failed.payload.insert("code".into(), "revoked".into());
                failed.refs.retain(|(role, _)| *role != RefRole::Authorization);
                story.before("outcome", failed)
            },
            Violated,
            &[("outcome", Code::ExecutedAfterFailedVerification)],
        ),
        (
            "the verification failed, and a second one passed",
            Some(Code::ExecutedAfterFailedVerification),
            {
                let story = Story::governed();
                let mut failed = story.copy("verification", "verification-0");
                failed.payload.insert("result".into(), "fail".into());
                failed.payload.insert("code".into(), "not_yet_valid".into());
                story.before("verification", failed)
            },
            Governed,
            &[],
        ),
        (
            "the verification failed, and nothing ran",
            Some(Code::ExecutedAfterFailedVerification),
            Story::governed()
                .set("verification", fail)
                .set("outcome", json!({"status": "not_executed", "started_at": null, "finished_at": null})),
            Denied,
            &[],
        ),
        (
            "the verification is of another authorization than the outcome",
            Some(Code::VerificationOfAnotherAuthorization),
            second(&Story::governed()),
            Violated,
            &[
                ("outcome", Code::VerificationOfAnotherAuthorization),
                ("outcome", Code::HeadWithoutAuthorization),
            ],
        ),
        (
            "there are two authorizations, and verification and outcome are of the first",
            Some(Code::VerificationOfAnotherAuthorization),
            second(&Story::governed()).refer("outcome", RefRole::Authorization, "authorization"),
            Governed,
            &[],
        ),
        (
            "the enforcer waited for nothing",
            Some(Code::VerifiedWithoutWaiting),
            Story::governed().set("verification", async_pass),
            Partial,
            &[("outcome", Code::VerifiedWithoutWaiting)],
        ),
        (
            "the enforcer waited for the log",
            Some(Code::VerifiedWithoutWaiting),
            Story::governed().set("verification", json!({"mode": "sequenced"})),
            Governed,
            &[("outcome", Code::QuorumNotAwaited)],
        ),
        (
            "the enforcer waited for no witness",
            Some(Code::QuorumNotAwaited),
            Story::governed().set("verification", json!({"mode": "sequenced"})),
            Governed,
            &[("outcome", Code::QuorumNotAwaited)],
        ),
        (
            "the enforcer waited for the quorum",
            Some(Code::QuorumNotAwaited),
            Story::governed(),
            Governed,
            &[],
        ),
        (
            "the enforcer does not say which head it saw",
            Some(Code::HeadNotNamed),
            Story::governed().set("verification", json!({"checkpoint": null})),
            Governed,
            &[("outcome", Code::HeadNotNamed)],
        ),
        ("the enforcer says which head it saw", Some(Code::HeadNotNamed), Story::governed(), Governed, &[]),
        (
            "the head named ends right before the authorization",
            Some(Code::HeadWithoutAuthorization),
            Story::governed().set("verification", head(9)),
            Violated,
            &[("outcome", Code::HeadWithoutAuthorization)],
        ),
        (
            "the head named ends with the authorization",
            Some(Code::HeadWithoutAuthorization),
            Story::governed().set("verification", head(10)),
            Governed,
            &[],
        ),
        (
            "the head named has the verification itself in it",
            Some(Code::HeadAfterVerification),
            Story::governed().set("verification", head(11)),
            Violated,
            &[("outcome", Code::HeadAfterVerification)],
        ),
        (
            "the head named has everything before the verification",
            Some(Code::HeadAfterVerification),
            Story::governed().set("verification", head(10)),
            Governed,
            &[],
        ),
    ]
}

/// A head of so many entries. The authorization of the governed story is entry 9, its verification entry 10.
fn head(size: u64) -> Value {
    json!({"checkpoint": {"root": "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc=", "size": size}})
}
