//! Decisions about what a caller has stated itself.

use countersign_tests::harness::{execution, register};
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::{Kind, RefRole};
use serde_json::{Value, json};

use super::point::{Point, asked, with};
use crate::submitting::submit;

#[test]
fn an_intent_that_is_in_the_log_is_decided_about_and_nothing_but_it() {
    let point = Point::start();
    let caller = register(&point.system, "caller", &["requester"]);
    let id = execution("asked");
    let mut stated =
        with(asked("alice", "delete", "record-1"), "action", "properties", json!({ "soft": true }));
    stated = with(stated, "subject", "properties", json!({ "role": "editor" }));
    stated = with(stated, "context", "network", json!("office"));
    let intent = submit(&point.system, caller.state(Kind::Intent, &id, None, stated.clone()).unwrap());
    let named = with(stated.clone(), "context", "intent", json!(intent.id().to_string()));

    let answer = point.evaluate(&named);
    let context = &answer["context"];
    assert_eq!(answer["decision"], true, "{answer:#}");
    assert_eq!(context["execution"], id.as_str());
    assert_eq!(context["intent"], json!({ "entry": intent.id().to_string(), "index": intent.index }));
    let authorization = point.authorization(&answer);
    assert_eq!(authorization.references().get(RefRole::Intent), Some(intent.id()));
    assert_eq!(authorization.execution(), Some(&id));
    let (_, report) = point.audit(id.as_str());
    assert_eq!(
        (&report["lineage"]["verdict"], &report["lineage"]["findings"]),
        (&json!("open"), &json!([])),
        "{report:#}"
    );
    assert!(
        report["stages"].as_array().unwrap().iter().all(|stage| stage["verdict"] != "fail"),
        "{report:#}"
    );

    // Whatever differs is not what was stated, and nothing is recorded of it.
    let size = point.size();
    for (pointer, value) in [
        ("/subject/id", json!("bob")),
        ("/subject/type", json!("robot")),
        ("/subject/properties", json!({})),
        ("/subject/properties/role", json!("admin")),
        ("/action/name", json!("read")),
        ("/action/properties/soft", json!(false)),
        ("/resource/id", json!("record-2")),
        ("/resource/properties", json!({ "status": "open" })),
        ("/context/network", json!("elsewhere")),
        ("/context/more", json!(1)),
    ] {
        let mut other = named.clone();
        let (at, name) = pointer.rsplit_once('/').unwrap();
        other.pointer_mut(at).unwrap()[name] = value;
        let denied = point.denied_in_doubt(&other, "intent_mismatch");
        let member = pointer.split('/').nth(1).unwrap();
        assert!(denied["context"]["message"].as_str().unwrap().contains(member), "{denied:#}");
    }
    let naming = |entry: &str| with(stated.clone(), "context", "intent", json!(entry));
    point.denied_in_doubt(&naming(&LeafHash::of(b"nothing").to_string()), "intent_unknown");
    point.denied_in_doubt(&naming(context["decision"]["entry"].as_str().unwrap()), "intent_unknown");
    assert_eq!(point.size(), size);

    // An intent that withholds what it is about cannot be decided about here.
    let mut private: Value = asked("alice", "read", "record-1");
    private["subject"]["properties"] = json!({ "sha256": "00".repeat(32) });
    let private =
        submit(&point.system, caller.state(Kind::Intent, &execution("private"), None, private).unwrap());
    let open = with(asked("alice", "read", "record-1"), "context", "intent", json!(private.id().to_string()));
    point.denied_in_doubt(&open, "intent_mismatch");
}
