//! The verdicts, and executions as a whole.

#![expect(clippy::too_many_lines, reason = "they are lists")]

use countersign_verifier::lineage::FindingCode as Code;
use countersign_verifier::lineage::LineageVerdict::{Denied, Governed, Open, Partial, Violated};
use countersign_verifier::statement::RefRole;
use serde_json::json;

use super::{Sketch, measure};
use crate::stories::parties::Party;
use crate::stories::story::Story;

pub(super) fn verdicts() -> Vec<Sketch> {
    let smallest = Story::governed()
        .without("intent")
        .without("decision")
        .without("verification")
        .without("close")
        .unrefer("authorization", RefRole::Policy);
    vec![
        (
            "it was asked, permitted, authorized, verified, done and closed",
            None,
            Story::governed(),
            Governed,
            &[],
        ),
        ("it was asked, denied and not done", None, Story::denied(), Denied, &[]),
        (
            "it ran and failed",
            None,
            Story::governed().set("outcome", json!({"status": "failed", "exit_code": 1})),
            Governed,
            &[],
        ),
        (
            "it was asked and nothing more",
            None,
            Story::denied().without("decision").without("verification").without("outcome").without("close"),
            Open,
            &[],
        ),
        (
            "the smallest useful use: an authorization and an outcome",
            None,
            smallest,
            Partial,
            &[
                ("outcome", Code::OutcomeWithoutVerification),
                ("outcome", Code::DecisionMissing),
                ("outcome", Code::PolicyMissing),
                ("outcome", Code::IntentMissing),
                ("outcome", Code::CloseMissing),
            ],
        ),
    ]
}

pub(super) fn wholes() -> Vec<Sketch> {
    let unspoken = || Story::denied().without("verification").without("decision");
    vec![
        (
            "who decided also asked",
            Some(Code::DecisionByRequester),
            Story::governed().change("intent", |said| said.by = Party::Authority),
            Governed,
            &[("decision", Code::DecisionByRequester)],
        ),
        ("who decided did not ask", Some(Code::DecisionByRequester), Story::governed(), Governed, &[]),
        (
            "who verified also authorized",
            Some(Code::EnforcerIsAuthority),
            Story::governed().change("authorization", |said| said.by = Party::Enforcer),
            Governed,
            &[("verification", Code::EnforcerIsAuthority)],
        ),
        ("who verified did not authorize", Some(Code::EnforcerIsAuthority), Story::governed(), Governed, &[]),
        (
            "it was authorized, verified and closed, and what came of it is not on record",
            Some(Code::OutcomeMissing),
            Story::governed().without("outcome"),
            Partial,
            &[("close", Code::OutcomeMissing), ("close", Code::ReasonMissing)],
        ),
        (
            "it was denied and closed without an outcome",
            Some(Code::OutcomeMissing),
            Story::denied().without("outcome"),
            Denied,
            &[],
        ),
        (
            "nothing ran, and nothing says why",
            Some(Code::ReasonMissing),
            unspoken(),
            Partial,
            &[("outcome", Code::ReasonMissing)],
        ),
        (
            "nothing ran, because the intent was halted",
            Some(Code::ReasonMissing),
            unspoken().before("outcome", measure("halt", "halt", "intent")),
            Denied,
            &[],
        ),
        (
            "it ran and was not closed",
            Some(Code::CloseMissing),
            Story::governed().without("close"),
            Governed,
            &[("outcome", Code::CloseMissing)],
        ),
        ("it ran and was closed", Some(Code::CloseMissing), Story::governed(), Governed, &[]),
        (
            "the close counts an entry more than there are",
            Some(Code::EntriesMissing),
            Story::governed().set("close", json!({"entries": 7})),
            Partial,
            &[("close", Code::EntriesMissing)],
        ),
        (
            "the close counts the entries, and an enforcement follows",
            Some(Code::EntriesMissing),
            Story::governed().then(measure("release", "release", "outcome")),
            Governed,
            &[],
        ),
        (
            "the close counts an entry less than there are",
            Some(Code::EntriesUncounted),
            Story::governed().set("close", json!({"entries": 5})),
            Governed,
            &[("close", Code::EntriesUncounted)],
        ),
        ("the close counts the entries", Some(Code::EntriesUncounted), Story::governed(), Governed, &[]),
        (
            "somebody asks after the close",
            Some(Code::EntryAfterClose),
            {
                let story = Story::governed();
                let intent = story.copy("intent", "intent-2");
                story.then(intent)
            },
            Violated,
            &[("intent-2", Code::EntryAfterClose)],
        ),
        (
            "an overseer steps in after the close",
            Some(Code::EntryAfterClose),
            Story::governed().then(measure("revoke", "revoke", "authorization")),
            Governed,
            &[],
        ),
        (
            "it is closed twice",
            Some(Code::SecondClose),
            {
                let story = Story::governed();
                let close = story.copy("close", "close-2");
                story.then(close)
            },
            Violated,
            &[("close-2", Code::SecondClose)],
        ),
        ("it is closed once", Some(Code::SecondClose), Story::governed(), Governed, &[]),
    ]
}
