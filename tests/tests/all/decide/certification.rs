//! The decisions that `AuthZEN`'s certification asks for, and what is on record of each.

use countersign_verifier::statement::{RefRole, Verdict};
use serde_json::{Value, json};

use super::point::{Point, asked, decided, with};

/// The requests of the certification, with the answer to each and the code of the reason.
pub(crate) fn fixture() -> [(Value, bool, &'static str); 8] {
    let archived = || {
        with(asked("alice", "write", "record-1"), "resource", "properties", json!({ "status": "archived" }))
    };
    let admin = json!({ "role": "admin" });
    let delete =
        |soft| with(asked("alice", "delete", "record-1"), "action", "properties", json!({ "soft": soft }));
    [
        (asked("alice", "read", "record-1"), true, "permitted"),
        (asked("alice", "write", "record-1"), true, "permitted"),
        (asked("bob", "read", "record-1"), true, "permitted"),
        (asked("bob", "write", "record-1"), false, "no_policy_permits"),
        (archived(), false, "denied_by_policy"),
        (with(archived(), "subject", "properties", admin), true, "permitted"),
        (delete(true), true, "permitted"),
        (delete(false), false, "no_policy_permits"),
    ]
}

#[test]
fn the_certification_comes_out_as_it_should_and_every_decision_is_on_record_before_it_is_answered() {
    let point = Point::start();
    for (body, expected, reason) in fixture() {
        let size = point.size();
        let answer = point.evaluate(&body);
        let context = &answer["context"];
        assert_eq!(
            (&answer["decision"], &context["reason"]),
            (&json!(expected), &json!(reason)),
            "{body}: {answer:#}"
        );
        assert_eq!(context["recorded"], true);

        // What it names is there, and says the same.
        let intent = point.statement(&context["intent"]["index"]);
        let decision = point.statement(&context["decision"]["index"]);
        assert!(context["decision"]["index"].as_u64().unwrap() >= size, "it is new: {context:#}");
        assert_eq!(decided(&decision).decision == Verdict::Permit, expected);
        assert_eq!(decided(&decision).code.as_str(), reason);
        for (statement, name) in [(&intent, "intent"), (&decision, "decision")] {
            let entry = countersign_verifier::merkle::LeafHash::of(statement.bytes());
            assert_eq!(context[name]["entry"], entry.to_string());
            assert_eq!(statement.execution().unwrap().as_str(), context["execution"]);
        }
        let policy = decision.references().get(RefRole::Policy).unwrap();
        assert_eq!(context["policy"]["entry"], policy.to_string());
        assert_eq!(point.statement(&context["policy"]["index"]).payload().kind().as_str(), "policy");

        // A permission can be held against the trust policy by whoever gets it.
        assert_eq!(context.get("authorization").is_some(), expected, "{context:#}");
        if expected {
            let authorization = point.authorization(&answer);
            assert_eq!(authorization.claims().validity.as_ref().unwrap().audience.as_str(), "enforcer");
        }

        // Up to here the lineage fits, and the auditor comes to the same verdict.
        let (code, report) = point.audit(context["execution"].as_str().unwrap());
        let stages = report["stages"].as_array().unwrap();
        for stage in stages {
            let open = stage["stage"] == "lineage";
            assert_eq!(stage["verdict"], if open { "not_checked" } else { "pass" }, "{report:#}");
        }
        assert_eq!(report["lineage"]["verdict"], "open", "{report:#}");
        assert_eq!(report["lineage"]["findings"], json!([]), "{report:#}");
        assert!(stages.iter().any(|stage| stage["stage"] == "policy_replay"), "{report:#}");
        assert_eq!(code, Some(2), "nobody has said yet what became of it");
    }
}
