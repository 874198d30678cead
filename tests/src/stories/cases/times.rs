//! The times that are claimed, and the measures of overseers.

#![expect(clippy::too_many_lines, reason = "they are lists")]

use countersign_verifier::lineage::FindingCode as Code;
use countersign_verifier::lineage::LineageVerdict::{Governed, Partial, Violated};
use serde_json::json;

use super::{Sketch, measure};
use crate::stories::parties::Party;
use crate::stories::story::{BEGIN, Story};

pub(super) fn times() -> Vec<Sketch> {
    let window = |from, until| {
        Story::governed().change("authorization", move |said| said.window = (Party::Enforcer, from, until))
    };
    let started =
        |at: u64| Story::governed().set("outcome", json!({"started_at": BEGIN + at, "finished_at": null}));
    vec![
        (
            "it started a second after the window",
            Some(Code::OutsideWindow),
            window(1, 2),
            Violated,
            &[("outcome", Code::OutsideWindow)],
        ),
        (
            "it started a second before the window",
            Some(Code::OutsideWindow),
            window(4, 9),
            Violated,
            &[("outcome", Code::OutsideWindow)],
        ),
        (
            "it was verified before the window, and started in it",
            Some(Code::OutsideWindow),
            window(3, 9),
            Violated,
            &[("outcome", Code::OutsideWindow)],
        ),
        (
            "it was verified and started in the window, to the second",
            Some(Code::OutsideWindow),
            window(2, 3),
            Governed,
            &[],
        ),
        (
            "when it started is not stated",
            Some(Code::StartedAtMissing),
            Story::governed().set("outcome", json!({"started_at": null})),
            Partial,
            &[("outcome", Code::StartedAtMissing)],
        ),
        (
            "when it started is stated, and when it ended is not",
            Some(Code::StartedAtMissing),
            Story::governed().set("outcome", json!({"finished_at": null})),
            Governed,
            &[],
        ),
        (
            "it started a second before it was verified",
            Some(Code::StartedBeforeVerification),
            started(1),
            Violated,
            &[("outcome", Code::StartedBeforeVerification)],
        ),
        (
            "it started in the second in which it was verified",
            Some(Code::StartedBeforeVerification),
            started(2),
            Governed,
            &[],
        ),
        (
            "it was authorized more than five minutes after it started",
            Some(Code::StartedBeforeAuthorization),
            Story::governed().change("authorization", |said| said.at = 304),
            Violated,
            &[("outcome", Code::StartedBeforeAuthorization)],
        ),
        (
            "the clocks of authority and enforcer are five minutes apart",
            Some(Code::StartedBeforeAuthorization),
            Story::governed().change("authorization", |said| said.at = 303),
            Governed,
            &[("outcome", Code::ClocksDisagree)],
        ),
        (
            "the clocks of authority and enforcer are a second apart",
            Some(Code::ClocksDisagree),
            Story::governed().change("authorization", |said| said.at = 4),
            Governed,
            &[("outcome", Code::ClocksDisagree)],
        ),
        (
            "it was authorized in the second in which it started",
            Some(Code::ClocksDisagree),
            Story::governed().change("authorization", |said| said.at = 3),
            Governed,
            &[],
        ),
        (
            "it ended a second before it started",
            Some(Code::FinishedBeforeStart),
            Story::governed().set("outcome", json!({"finished_at": BEGIN + 2})),
            Governed,
            &[("outcome", Code::FinishedBeforeStart)],
        ),
        (
            "it ended in the second in which it started",
            Some(Code::FinishedBeforeStart),
            Story::governed().set("outcome", json!({"finished_at": BEGIN + 3})),
            Governed,
            &[],
        ),
        (
            "the enforcer does not know how it ended",
            Some(Code::OutcomeUnknown),
            Story::governed().set("outcome", json!({"status": "unknown"})),
            Partial,
            &[("outcome", Code::OutcomeUnknown)],
        ),
        (
            "the enforcer knows that it failed",
            Some(Code::OutcomeUnknown),
            Story::governed().set("outcome", json!({"status": "failed"})),
            Governed,
            &[],
        ),
    ]
}

pub(super) fn measures() -> Vec<Sketch> {
    vec![
        (
            "the authorization was revoked before the verification",
            Some(Code::RevokedBeforeExecution),
            Story::governed().before("verification", measure("revoke", "revoke", "authorization")),
            Violated,
            &[("outcome", Code::RevokedBeforeExecution)],
        ),
        (
            "the intent was halted before the verification",
            Some(Code::RevokedBeforeExecution),
            Story::governed().before("verification", measure("halt", "halt", "intent")),
            Violated,
            &[("outcome", Code::RevokedBeforeExecution)],
        ),
        (
            "the authorization was revoked and released before the verification",
            Some(Code::RevokedBeforeExecution),
            Story::governed()
                .before("verification", measure("revoke", "revoke", "authorization"))
                .before("verification", measure("release", "release", "authorization")),
            Governed,
            &[],
        ),
        (
            "the authorization was revoked and something else released before the verification",
            Some(Code::RevokedBeforeExecution),
            Story::governed()
                .before("verification", measure("revoke", "revoke", "authorization"))
                .before("verification", measure("release", "release", "decision")),
            Violated,
            &[("outcome", Code::RevokedBeforeExecution)],
        ),
        (
            "the authorization was revoked after the verification",
            Some(Code::RevokedBeforeOutcome),
            Story::governed().before("outcome", measure("revoke", "revoke", "authorization")),
            Governed,
            &[("outcome", Code::RevokedBeforeOutcome)],
        ),
        (
            "the authorization was revoked after the outcome",
            Some(Code::RevokedBeforeOutcome),
            Story::governed().before("close", measure("revoke", "revoke", "authorization")),
            Governed,
            &[],
        ),
        (
            "what came of it is isolated, after the close",
            Some(Code::Quarantined),
            Story::governed().then(measure("quarantine", "quarantine", "outcome")),
            Governed,
            &[("outcome", Code::Quarantined)],
        ),
        (
            "what came of it was isolated and released",
            Some(Code::Quarantined),
            Story::governed()
                .then(measure("quarantine", "quarantine", "outcome"))
                .then(measure("release", "release", "outcome")),
            Governed,
            &[],
        ),
    ]
}
