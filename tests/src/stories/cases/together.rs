//! Several things that are not as they should be in one execution: each is told, and the severest decides.

use countersign_verifier::lineage::FindingCode as Code;
use countersign_verifier::lineage::LineageVerdict::{Partial, Violated};
use countersign_verifier::statement::RefRole;
use serde_json::json;

use super::{Sketch, measure};
use crate::stories::story::Story;

/// Gaps beside each other.
pub(super) fn gaps() -> Vec<Sketch> {
    let unknown = json!({"status": "unknown", "exit_code": null});
    let timeless = json!({"started_at": null, "finished_at": null});
    let undecided = Story::governed()
        .unrefer("authorization", RefRole::Decision)
        .unrefer("outcome", RefRole::Decision)
        .unrefer("authorization", RefRole::Policy);
    vec![
        (
            "nobody knows when it started and how it ended",
            None,
            Story::governed().set("outcome", unknown.clone()).set("outcome", timeless),
            Partial,
            &[("outcome", Code::StartedAtMissing), ("outcome", Code::OutcomeUnknown)],
        ),
        (
            "it ran without a verification and was not closed",
            None,
            Story::governed().without("verification").without("close"),
            Partial,
            &[("outcome", Code::OutcomeWithoutVerification), ("outcome", Code::CloseMissing)],
        ),
        (
            "it was permitted, and the authorization names neither decision nor policy",
            None,
            undecided,
            Partial,
            &[("outcome", Code::DecisionMissing), ("outcome", Code::PolicyMissing)],
        ),
        (
            "the enforcer waited for nothing, and does not know how it ended",
            None,
            Story::governed()
                .set("verification", json!({"mode": "async", "checkpoint": null}))
                .set("outcome", unknown),
            Partial,
            &[("outcome", Code::VerifiedWithoutWaiting), ("outcome", Code::OutcomeUnknown)],
        ),
        (
            "one of two strands was not verified",
            None,
            Story::strands(&[0, 0, 0, 0, 0, 1, 1, 1, 1, 1]).without("verification/1"),
            Partial,
            &[("outcome/1", Code::OutcomeWithoutVerification)],
        ),
    ]
}

/// Violations beside each other, and beside gaps and notes.
pub(super) fn violations() -> Vec<Sketch> {
    let deny = json!({"decision": "deny", "code": "denied_by_policy"});
    let fail = json!({"result": "fail", "code": "expired", "checkpoint": null});
    let governed = Story::governed();
    vec![
        (
            "it ran although it was denied and its verification failed",
            None,
            Story::governed().set("decision", deny.clone()).set("verification", fail.clone()),
            Violated,
            &[("outcome", Code::ExecutedAfterFailedVerification), ("outcome", Code::DecisionDenies)],
        ),
        (
            "it ran on a denial, and the close counts more than there are",
            None,
            Story::governed().set("decision", deny.clone()).set("close", json!({"entries": 9})),
            Violated,
            &[("outcome", Code::DecisionDenies), ("close", Code::EntriesMissing)],
        ),
        (
            "it has two outcomes and two closes",
            None,
            Story::governed()
                .before("close", governed.copy("outcome", "outcome-2"))
                .then(governed.copy("close", "close-2")),
            Violated,
            &[("outcome-2", Code::SecondOutcome), ("close-2", Code::SecondClose)],
        ),
        (
            "it ran although it was revoked, and somebody asks after the close",
            None,
            Story::governed()
                .before("verification", measure("revoke", "revoke", "authorization"))
                .then(governed.copy("intent", "intent-2")),
            Violated,
            &[("outcome", Code::RevokedBeforeExecution), ("intent-2", Code::EntryAfterClose)],
        ),
        (
            "it ran although it was halted, and what came of it is isolated",
            None,
            Story::governed().before("verification", measure("halt", "halt", "intent")).then(measure(
                "quarantine",
                "quarantine",
                "outcome",
            )),
            Violated,
            &[("outcome", Code::RevokedBeforeExecution), ("outcome", Code::Quarantined)],
        ),
        (
            "the outcome names another decision, and not when it started",
            None,
            Story::governed()
                .before("authorization", governed.copy("decision", "decision-2"))
                .refer("outcome", RefRole::Decision, "decision-2")
                .set("outcome", json!({"started_at": null, "finished_at": null})),
            Violated,
            &[("outcome", Code::DecisionMismatch), ("outcome", Code::StartedAtMissing)],
        ),
        (
            "one of two strands told into each other was denied",
            None,
            Story::strands(&[0, 1, 0, 1, 0, 1, 0, 1, 0, 1]).set("decision/0", deny),
            Violated,
            &[("outcome/0", Code::DecisionDenies)],
        ),
        (
            "of two strands one failed its verification, and of the other nobody knows how it ended",
            None,
            Story::strands(&[0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
                .set("verification/0", fail)
                .set("outcome/1", json!({"status": "unknown", "exit_code": null})),
            Violated,
            &[("outcome/0", Code::ExecutedAfterFailedVerification), ("outcome/1", Code::OutcomeUnknown)],
        ),
    ]
}
