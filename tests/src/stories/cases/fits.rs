//! What was asked, decided, allowed and done, held against each other.

#![expect(clippy::too_many_lines, reason = "they are lists")]

use countersign_verifier::lineage::FindingCode as Code;
use countersign_verifier::lineage::LineageVerdict::{Governed, Partial, Violated};
use countersign_verifier::statement::RefRole;
use serde_json::{Value, json};

use super::Sketch;
use crate::stories::parties::Party;
use crate::stories::story::Story;

pub(super) fn decisions() -> Vec<Sketch> {
    let denial = |label: &str| {
        let mut denial = Story::denied().copy("decision", label);
        denial.at = 1;
        denial
    };
    let undecided = || {
        Story::governed().unrefer("authorization", RefRole::Decision).unrefer("outcome", RefRole::Decision)
    };
    let other_policy = |story: Story| {
        let mut policy = story.copy("policy", "policy-2");
        policy.payload.insert("version".into(), "2".into());
        story.before("intent", policy)
    };
    let other_intent = |story: Story| {
        let intent = story.copy("intent", "intent-2");
        story.before("decision", intent)
    };
    vec![
        (
            "the authorization names no decision",
            Some(Code::DecisionMissing),
            undecided(),
            Partial,
            &[("outcome", Code::DecisionMissing)],
        ),
        (
            "the authorization names its decision",
            Some(Code::DecisionMissing),
            Story::governed(),
            Governed,
            &[],
        ),
        (
            "the authorization stands on a denial",
            Some(Code::DecisionDenies),
            Story::governed().set("decision", json!({"decision": "deny", "code": "denied_by_policy"})),
            Violated,
            &[("outcome", Code::DecisionDenies)],
        ),
        (
            "the authorization stands on a permit",
            Some(Code::DecisionDenies),
            Story::governed(),
            Governed,
            &[],
        ),
        (
            "it was denied, and authorized without naming a decision",
            Some(Code::ExecutedAfterDenial),
            undecided().without("decision").before("authorization", denial("denial")),
            Violated,
            &[("outcome", Code::DecisionMissing), ("outcome", Code::ExecutedAfterDenial)],
        ),
        (
            "it was permitted, then denied, and authorized by the permit",
            Some(Code::ExecutedAfterDenial),
            Story::governed().before("authorization", denial("denial")),
            Violated,
            &[("outcome", Code::ExecutedAfterDenial)],
        ),
        (
            "it was denied, then permitted, and authorized by the permit",
            Some(Code::ExecutedAfterDenial),
            Story::governed().before("decision", denial("denial")),
            Governed,
            &[],
        ),
        (
            "another intent of the same execution was denied",
            Some(Code::ExecutedAfterDenial),
            other_intent(Story::governed()).before("authorization", denial("denial")).refer(
                "denial",
                RefRole::Intent,
                "intent-2",
            ),
            Governed,
            &[],
        ),
        (
            "the outcome names another decision than the authorization",
            Some(Code::DecisionMismatch),
            {
                let story = Story::governed();
                let other = story.copy("decision", "decision-2");
                story.before("outcome", other).refer("outcome", RefRole::Decision, "decision-2")
            },
            Violated,
            &[("outcome", Code::DecisionMismatch)],
        ),
        (
            "the outcome names no decision",
            Some(Code::DecisionMismatch),
            Story::governed().unrefer("outcome", RefRole::Decision),
            Governed,
            &[],
        ),
        (
            "no policy is named",
            Some(Code::PolicyMissing),
            undecided().unrefer("authorization", RefRole::Policy),
            Partial,
            &[("outcome", Code::DecisionMissing), ("outcome", Code::PolicyMissing)],
        ),
        (
            "the decision alone names the policy",
            Some(Code::PolicyMissing),
            Story::governed().unrefer("authorization", RefRole::Policy),
            Governed,
            &[],
        ),
        (
            "authorization and decision name different policies",
            Some(Code::PolicyMismatch),
            other_policy(Story::governed()).refer("authorization", RefRole::Policy, "policy-2"),
            Violated,
            &[("outcome", Code::PolicyMismatch)],
        ),
        (
            "there are two policies, and authorization and decision name the second",
            Some(Code::PolicyMismatch),
            other_policy(Story::governed()).refer("authorization", RefRole::Policy, "policy-2").refer(
                "decision",
                RefRole::Policy,
                "policy-2",
            ),
            Governed,
            &[],
        ),
        (
            "nobody asked",
            Some(Code::IntentMissing),
            undecided().without("decision").without("intent"),
            Partial,
            &[("outcome", Code::DecisionMissing), ("outcome", Code::IntentMissing)],
        ),
        (
            "the decision alone names the intent",
            Some(Code::IntentMissing),
            Story::governed()
                .unrefer("authorization", RefRole::Intent)
                .unrefer("verification", RefRole::Intent)
                .unrefer("outcome", RefRole::Intent),
            Governed,
            &[],
        ),
        (
            "the authorization names another intent than its decision",
            Some(Code::IntentMismatch),
            other_intent(Story::governed()).refer("authorization", RefRole::Intent, "intent-2"),
            Violated,
            &[("outcome", Code::IntentMismatch)],
        ),
        (
            "the outcome alone names another intent",
            Some(Code::IntentMismatch),
            other_intent(Story::governed()).refer("outcome", RefRole::Intent, "intent-2"),
            Violated,
            &[("outcome", Code::IntentMismatch)],
        ),
        (
            "there are two intents, and all steps name the first",
            Some(Code::IntentMismatch),
            other_intent(Story::governed()),
            Governed,
            &[],
        ),
    ]
}

pub(super) fn fits() -> Vec<Sketch> {
    let with = |asked: Value, allowed: Value| {
        let action = |properties| json!({"action": {"name": "read", "properties": properties}});
        Story::governed().set("intent", action(asked)).set("authorization", action(allowed))
    };
    let digest = json!({"sha256": "00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff"});
    vec![
        (
            "another subject is authorized than asked for",
            Some(Code::ActionMismatch),
            Story::governed().set("authorization", json!({"subject": {"type": "agent", "id": "agent-8"}})),
            Violated,
            &[("outcome", Code::ActionMismatch)],
        ),
        (
            "another action is authorized than asked for",
            Some(Code::ActionMismatch),
            Story::governed().set("authorization", json!({"action": {"name": "write"}})),
            Violated,
            &[("outcome", Code::ActionMismatch)],
        ),
        (
            "another resource is authorized than asked for",
            Some(Code::ActionMismatch),
            Story::governed()
                .set("authorization", json!({"resource": {"type": "folder", "id": "report.pdf"}})),
            Violated,
            &[("outcome", Code::ActionMismatch)],
        ),
        (
            "properties are authorized that were not asked for",
            Some(Code::ActionMismatch),
            with(json!({"pages": 1}), json!({"pages": 2})),
            Violated,
            &[("outcome", Code::ActionMismatch)],
        ),
        (
            "the properties authorized are those asked for",
            Some(Code::ActionMismatch),
            with(json!({"pages": 1}), json!({"pages": 1})),
            Governed,
            &[],
        ),
        (
            "the properties authorized are withheld, so nothing is compared",
            Some(Code::ActionMismatch),
            with(json!({"pages": 1}), digest),
            Governed,
            &[],
        ),
        (
            "the authorization is for another enforcer",
            Some(Code::AudienceMismatch),
            Story::governed().change("authorization", |said| said.window.0 = Party::OtherEnforcer),
            Violated,
            &[("outcome", Code::AudienceMismatch)],
        ),
        (
            "another enforcer executes than the one authorized",
            Some(Code::AudienceMismatch),
            Story::governed().change("outcome", |said| said.by = Party::OtherEnforcer),
            Violated,
            &[("outcome", Code::AudienceMismatch)],
        ),
        (
            "another enforcer closes, which anybody in that role may",
            Some(Code::AudienceMismatch),
            Story::governed().change("close", |said| said.by = Party::OtherEnforcer),
            Governed,
            &[],
        ),
    ]
}
