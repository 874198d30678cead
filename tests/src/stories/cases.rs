//! Both sides of every lineage rule: a story in which it fires, and the nearest one in which it does not.

use countersign_verifier::lineage::{FindingCode, LineageVerdict};
use countersign_verifier::statement::{Kind, RefRole};
use serde_json::{Value, json};

use super::parties::Party;
use super::story::{BEGIN, Said, Story, Told};
use FindingCode as Code;
use LineageVerdict::{Denied, Governed, Open, Partial, Violated};

/// A story and what the judge has to make of it.
#[derive(Debug, Clone)]
pub struct Case {
    /// What the case shows.
    pub name: &'static str,
    /// The rule that it is about; none for the verdicts themselves.
    pub rule: Option<FindingCode>,
    /// The story.
    pub told: Told,
    /// The verdict.
    pub verdict: LineageVerdict,
    /// Every finding, with the label of the entry that it is about, in the order in which the judge tells them.
    pub findings: Vec<(&'static str, FindingCode)>,
}

/// What one case is made of before the story is told.
type Sketch =
    (&'static str, Option<FindingCode>, Story, LineageVerdict, &'static [(&'static str, FindingCode)]);

/// All cases. Each rule has one in which it fires and one in which it does not.
pub fn cases() -> Vec<Case> {
    [verdicts(), references(), verifications(), decisions(), fits(), times(), measures(), wholes()]
        .into_iter()
        .flatten()
        .map(|(name, rule, story, verdict, findings)| Case {
            name,
            rule,
            told: story.tell(),
            verdict,
            findings: findings.to_vec(),
        })
        .collect()
}

/// What an overseer does.
fn measure(label: &str, action: &str, target: &str) -> Said {
    let payload = json!({"action": action, "reason": "overspent"});
    Said::new(label, Kind::Enforcement, Party::Overseer, payload).at(2).naming(RefRole::Target, target)
}

fn status(status: &str) -> Value {
    json!({"status": status})
}

fn verdicts() -> Vec<Sketch> {
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

fn references() -> Vec<Sketch> {
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

fn verifications() -> Vec<Sketch> {
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

fn decisions() -> Vec<Sketch> {
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

fn fits() -> Vec<Sketch> {
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

fn times() -> Vec<Sketch> {
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
            Story::governed().set("outcome", status("unknown")),
            Partial,
            &[("outcome", Code::OutcomeUnknown)],
        ),
        (
            "the enforcer knows that it failed",
            Some(Code::OutcomeUnknown),
            Story::governed().set("outcome", status("failed")),
            Governed,
            &[],
        ),
    ]
}

fn measures() -> Vec<Sketch> {
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

fn wholes() -> Vec<Sketch> {
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
