//! What the statements of an execution say, in plain sentences.

use std::collections::HashMap;

use serde::Serialize;

use crate::bundle::Bundle;
use crate::lineage::Step;
use crate::merkle::LeafHash;
use crate::statement::payload::{
    Action, Authorization, Decision, Enforcement, Entity, Intent, Outcome, Policy, Verification,
};
use crate::statement::{
    EnforcementAction, Excerpt, Mode, OutcomeStatus, Payload, RefRole, UnixSeconds, Verdict,
    VerificationResult,
};
use crate::utc::Utc;

/// What a reader wants to know, in this order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Question {
    /// Who asked, and for what.
    Asked,
    /// Who decided and who allowed it, and under which policy.
    Allowed,
    /// Whether it was checked before it ran.
    Checked,
    /// What happened.
    Happened,
}

impl Question {
    /// All of them, in their order.
    pub const ALL: [Self; 4] = [Self::Asked, Self::Allowed, Self::Checked, Self::Happened];

    /// The question in words.
    pub const fn words(self) -> &'static str {
        match self {
            Self::Asked => "Who asked?",
            Self::Allowed => "Who allowed it, and under which policy?",
            Self::Checked => "Was it checked?",
            Self::Happened => "What happened?",
        }
    }

    /// What is said when no entry answers it.
    pub const fn unanswered(self) -> &'static str {
        match self {
            Self::Asked => "No entry says who asked.",
            Self::Allowed => "No entry says that anybody decided or allowed it.",
            Self::Checked => "No entry says that anything was checked.",
            Self::Happened => "No entry says what happened.",
        }
    }
}

/// What one entry says. Every time in it is what the clock of its issuer said.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Told {
    /// Which question it answers.
    pub question: Question,
    /// The entry.
    pub index: u64,
    /// The sentence. Texts from the statement stand in quotes, cut to 80 characters.
    pub sentence: String,
}

/// One sentence for each entry of the execution, in the order of the log.
pub(super) fn tell(bundle: &Bundle) -> Vec<Told> {
    let policies: HashMap<LeafHash, &Policy> = bundle
        .entries()
        .filter_map(|step| match step.statement.payload() {
            Payload::Policy(policy) => Some((step.entry, policy)),
            _ => None,
        })
        .collect();
    let places: HashMap<LeafHash, Step<'_>> = bundle.steps().map(|step| (step.entry, step)).collect();
    let told = |step: Step<'_>| {
        let references = step.statement.references();
        let (question, says) = match step.statement.payload() {
            Payload::Intent(intent) => (Question::Asked, intent_says(intent)),
            Payload::Decision(decision) => {
                let policy = references.get(RefRole::Policy).and_then(|entry| policies.get(&entry));
                (Question::Allowed, decision_says(decision, policy.copied()))
            }
            Payload::Authorization(authorization) => {
                (Question::Allowed, authorization_says(authorization, &step))
            }
            Payload::Verification(verification) => (Question::Checked, verification_says(verification)),
            Payload::Outcome(outcome) => (Question::Happened, outcome_says(outcome)),
            Payload::Enforcement(enforcement) => {
                let target = references.get(RefRole::Target).and_then(|entry| places.get(&entry));
                (Question::Happened, enforcement_says(enforcement, target))
            }
            Payload::Close(close) => {
                (Question::Happened, format!("closed the execution and counted {} entries", close.entries))
            }
            Payload::Genesis(_) | Payload::Issuer(_) | Payload::Policy(_) => return None,
        };
        let claims = step.statement.claims();
        let sentence = format!("{} {says}. Stated {}.", claims.issuer, time(claims.issued_at));
        Some(Told { question, index: step.index.get(), sentence })
    };
    bundle.steps().filter_map(told).collect()
}

fn quoted(text: &str) -> Excerpt {
    Excerpt::of_text(text)
}

fn time(time: UnixSeconds) -> Utc {
    Utc(time.get())
}

/// Who, what, to what.
fn request(subject: &Entity, action: &Action, resource: &Entity) -> String {
    format!(
        "{} {} to do {} on {} {}",
        quoted(&subject.entity_type),
        quoted(&subject.id),
        quoted(&action.name),
        quoted(&resource.entity_type),
        quoted(&resource.id)
    )
}

fn intent_says(intent: &Intent) -> String {
    format!("asked for {}", request(&intent.subject, &intent.action, &intent.resource))
}

fn decision_says(decision: &Decision, policy: Option<&Policy>) -> String {
    let verdict = match decision.decision {
        Verdict::Permit => "decided to permit it",
        Verdict::Deny => "decided to deny it",
    };
    let policy = policy.map_or_else(
        || "a policy that is not in the bundle".to_owned(),
        |policy| format!("the policy {}, version {}", quoted(policy.name.as_str()), quoted(&policy.version)),
    );
    format!("{verdict} ({}), by {policy}", decision.code)
}

fn authorization_says(authorization: &Authorization, step: &Step<'_>) -> String {
    let Authorization { subject, action, resource, .. } = authorization;
    let allowed = format!("allowed {}", request(subject, action, resource));
    match &step.statement.claims().validity {
        None => allowed,
        Some(validity) => format!(
            "{allowed}, under the control of {}, from {} to {}",
            validity.audience,
            time(validity.not_before),
            time(validity.expires)
        ),
    }
}

fn verification_says(verification: &Verification) -> String {
    let waited = match verification.mode {
        Mode::Cosigned => "after waiting for a head that the quorum cosigned",
        Mode::Sequenced => "after waiting for a head that the log signed",
        Mode::Async => "without waiting for the log",
    };
    match (verification.result, verification.checkpoint) {
        (VerificationResult::Fail, _) => format!("checked, and let nothing run ({})", verification.code),
        (VerificationResult::Pass, None) => format!("checked the authorization, {waited}: it held"),
        (VerificationResult::Pass, Some(head)) => {
            format!("checked the authorization, {waited}, of {} entries: it held", head.size)
        }
    }
}

fn outcome_says(outcome: &Outcome) -> String {
    let says = match outcome.status {
        OutcomeStatus::Confirmed => "states that it ran (confirmed)",
        OutcomeStatus::Failed => "states that it ran and failed (failed)",
        OutcomeStatus::Unknown => "states that it may have run, and that nobody saw the end (unknown)",
        OutcomeStatus::NotExecuted => "states that nothing ran (not_executed)",
    };
    let parts = [
        Some(says.to_owned()),
        outcome.started_at.map(|at| format!("from {}", time(at))),
        outcome.finished_at.map(|at| format!("to {}", time(at))),
        outcome.exit_code.map(|code| format!("with exit code {code}")),
    ];
    parts.into_iter().flatten().collect::<Vec<_>>().join(", ")
}

fn enforcement_says(enforcement: &Enforcement, target: Option<&Step<'_>>) -> String {
    let action = match enforcement.action {
        EnforcementAction::Revoke => "revoked",
        EnforcementAction::Halt => "halted",
        EnforcementAction::Quarantine => "quarantined",
        EnforcementAction::Release => "released",
    };
    let target = target.map_or_else(
        || "an entry that is not in the bundle".to_owned(),
        |step| format!("the {} in entry {}", step.statement.kind(), step.index),
    );
    format!("{action} {target}, because {}", quoted(&enforcement.reason))
}
