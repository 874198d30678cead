//! Every doubt denies.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use countersign_tests::harness::{Program, run};
use countersign_verifier::proof::TlogProof;
use countersign_verifier::statement::{Payload, Statement, Verdict};
use serde_json::json;

use super::certification::fixture;
use super::point::{Point, asked, decided, with};
use crate::submitting::json;

const IN_DOUBT: &str = "denied in doubt";
const NOT_PUBLISHED: &str = "everything is denied";

#[test]
fn without_the_log_everything_is_denied_and_with_it_everything_is_as_before() {
    let mut point = Point::prepare("");
    point.expect_warning(IN_DOUBT);
    point.expect_warning(NOT_PUBLISHED);
    let read = asked("alice", "read", "record-1");

    // From the start: what it decides by is not published.
    point.system.log.stop();
    point.serve();
    point.denied_in_doubt(&read, "policy_not_published");
    point.wait_until_it_says(&["policy-not-published", "log-unreachable"]);
    point.system.log.start();
    point.wait_until_ready();
    let permitted = point.evaluate(&read);
    assert_eq!(permitted["decision"], true, "{permitted:#}");
    let policy = permitted["context"]["policy"].clone();

    // While it runs, also killed.
    point.system.log.kill();
    let denied = point.denied_in_doubt(&read, "log_unreachable");
    assert!(
        denied["context"]["decision"]["entry"].is_string(),
        "what it would have stated has a name: {denied:#}"
    );
    assert!(denied["context"]["authorization"].get("statement").is_none(), "{denied:#}");
    point.wait_until_it_says(&["log-unreachable"]);
    let both = json!({ "evaluations": [read.clone(), asked("bob", "write", "record-1")] });
    let answer = json(&point.post("/access/v1/evaluations", &both));
    assert!(
        answer["evaluations"].as_array().unwrap().iter().all(|item| item["decision"] == false),
        "{answer:#}"
    );
    point.system.log.start();
    assert_eq!(point.evaluate(&read)["decision"], true);

    // Killed and started again, it cites the policy that is there.
    point.process().kill();
    let size = point.size();
    point.serve();
    point.wait_until_ready();
    assert_eq!(point.size(), size, "the policy was published a second time");
    assert_eq!(point.evaluate(&read)["context"]["policy"], policy);

    // Another policy takes the place of the one before.
    assert_eq!(point.process().terminate().code(), Some(0));
    std::fs::write(point.file("access.cedar"), "forbid (principal, action, resource);").unwrap();
    point.serve();
    point.wait_until_ready();
    let denied = point.evaluate(&read);
    assert_eq!(
        (&denied["decision"], &denied["context"]["reason"]),
        (&json!(false), &json!("denied_by_policy"))
    );
    let newest = point.statement(&denied["context"]["policy"]["index"]);
    let replaced = newest
        .references()
        .iter()
        .map(|(role, entry)| (role.as_str(), entry.to_string()))
        .collect::<Vec<_>>();
    assert_eq!(replaced, [("replaces", policy["entry"].as_str().unwrap().to_owned())]);
}

#[test]
fn without_the_quorum_nothing_is_permitted_and_denials_are_still_recorded() {
    let mut point = Point::prepare("");
    point.expect_warning(IN_DOUBT);
    point.serve();
    point.wait_until_ready();
    point.system.witnesses[0].kill();
    point.system.witnesses[1].kill();
    let answer = point.evaluate(&asked("alice", "read", "record-1"));
    assert_eq!(answer["decision"], false, "{answer:#}");
    let reason = answer["context"]["reason"].as_str().unwrap();
    assert!(["quorum_missing", "timed_out"].contains(&reason), "{answer:#}");
    assert!(answer["context"]["authorization"].get("statement").is_none(), "{answer:#}");
    let denied = point.evaluate(&asked("bob", "write", "record-1"));
    assert_eq!(
        (&denied["decision"], &denied["context"]["recorded"]),
        (&json!(false), &json!(true)),
        "{denied:#}"
    );
    point.system.witnesses[0].start();
    point.system.witnesses[1].start();
    let permitted = point.evaluate(&asked("alice", "read", "record-1"));
    assert_eq!(permitted["decision"], true, "{permitted:#}");
    point.authorization(&permitted);
}

#[test]
fn who_asks_for_less_than_the_quorum_gets_what_the_log_alone_signed() {
    let mut point = Point::prepare("");
    point.configure_all("mode = \"sequenced\"", "");
    point.system.witnesses[0].kill();
    point.system.witnesses[1].kill();
    point.serve();
    let permitted = point.evaluate(&asked("alice", "read", "record-1"));
    assert_eq!(permitted["decision"], true, "{permitted:#}");
    let authorization = &permitted["context"]["authorization"];
    let proof = TlogProof::parse(authorization["proof"].as_str().unwrap().as_bytes()).unwrap();
    let entry = authorization["entry"].as_str().unwrap().parse().unwrap();
    assert!(proof.verify(entry, point.system.policy()).is_err(), "it is not more than it is");
    assert!(point.system.policy().verify_log(&proof.checkpoint).is_ok());
    let bytes = STANDARD.decode(authorization["statement"].as_str().unwrap()).unwrap();
    let Payload::Authorization(says) = Statement::parse(&bytes).unwrap().payload().clone() else { panic!() };
    assert_eq!(says.constraints.unwrap().disclosed().unwrap()["mode"], "sequenced");
}

#[test]
fn a_schema_is_held_and_what_does_not_fit_it_is_denied_on_record() {
    let mut point = Point::prepare("schema = \"access.cedarschema\"");
    let schema = "entity user = { \"role\"?: String };\n\
                  entity record = { \"owner\"?: user, \"status\"?: String };\n\
                  action read, write, delete appliesTo { principal: user, resource: record, context: {\n\
                      \"action_properties\"?: { \"soft\"?: Bool }, \"network\"?: String } };\n";
    std::fs::write(point.file("access.cedarschema"), schema).unwrap();
    point.serve();
    for (body, expected, reason) in fixture() {
        let answer = point.evaluate(&body);
        assert_eq!(
            (&answer["decision"], &answer["context"]["reason"]),
            (&json!(expected), &json!(reason)),
            "{answer:#}"
        );
    }
    for body in [
        with(asked("alice", "read", "record-1"), "context", "network", json!(7)),
        with(asked("alice", "read", "record-1"), "context", "more", json!("x")),
        with(asked("alice", "read", "record-1"), "subject", "properties", json!({ "age": 7 })),
        with(asked("alice", "read", "record-1"), "subject", "type", json!("robot")),
        asked("alice", "burn", "record-1"),
    ] {
        let answer = point.evaluate(&body);
        let context = &answer["context"];
        assert_eq!(
            (&answer["decision"], &context["reason"], &context["recorded"]),
            (&json!(false), &json!("schema_mismatch"), &json!(true)),
            "{answer:#}"
        );
        let (_, report) = point.audit(context["execution"].as_str().unwrap());
        assert!(
            report["stages"].as_array().unwrap().iter().all(|stage| stage["verdict"] != "fail"),
            "{report:#}"
        );
    }
}

#[test]
fn a_key_that_was_revoked_permits_nothing() {
    let mut point = Point::prepare("");
    point.expect_warning(IN_DOUBT);
    point.serve();
    point.wait_until_ready();
    assert_eq!(point.evaluate(&asked("alice", "read", "record-1"))["decision"], true);
    let (operator, key) = (point.system.log.data().join("operator.pem"), point.file("authority.pub"));
    let (log, policy) = (point.system.log.url().to_owned(), point.system.policy_file());
    let text = |path: &std::path::Path| path.to_str().unwrap().to_owned();
    let revoke = [
        "issuer",
        "revoke",
        "--log",
        &log,
        "--operator-key",
        &text(&operator),
        "--name",
        "authority",
        "--public-key",
        &text(&key),
        "--roles",
        "author,authority",
        "--policy",
        &text(&policy),
    ];
    run(Program::Countersign, revoke).holds();
    point.denied_in_doubt(&asked("alice", "read", "record-1"), "log_refused");
    point.wait_until_it_says(&["issuer-not-registered"]);
}

#[test]
fn a_caller_that_contradicts_what_is_stored_is_denied_on_record_and_wherever_it_is_replayed() {
    let point = Point::start();
    let claims = |properties| with(asked("bob", "write", "record-1"), "resource", "properties", properties);
    let owner = json!({ "owner": { "__entity": { "type": "user", "id": "bob" } } });
    let answer = point.evaluate(&claims(owner.clone()));
    let context = &answer["context"];
    assert_eq!(
        (&answer["decision"], &context["reason"], &context["recorded"]),
        (&json!(false), &json!("evaluation_error"), &json!(true)),
        "{answer:#}"
    );
    let conflict = context["conflicts"][0].as_str().unwrap();
    assert!(
        conflict.starts_with("/resource/properties/owner is") && conflict.ends_with("here"),
        "{conflict}"
    );
    // Both are on record, which is why whoever replays it denies as well.
    let decision = point.statement(&context["decision"]["index"]);
    assert_eq!(decided(&decision).decision, Verdict::Deny);
    let entities = decided(&decision).entities.as_ref().unwrap().disclosed().unwrap();
    assert_eq!(entities.len(), 2, "{entities:?}");
    let (_, report) = point.audit(context["execution"].as_str().unwrap());
    let replay =
        report["stages"].as_array().unwrap().iter().find(|stage| stage["stage"] == "policy_replay").unwrap();
    assert_eq!(replay["verdict"], "pass", "{report:#}");
    // Of a record that nobody knows, the caller's word is taken.
    let mut elsewhere = claims(owner);
    elsewhere["resource"]["id"] = json!("record-2");
    assert_eq!(point.evaluate(&elsewhere)["decision"], true);
}

#[test]
fn what_policies_cannot_be_applied_to_is_denied_on_record() {
    let point = Point::start();
    for body in [
        with(asked("alice", "read", "record-1"), "subject", "type", json!("no type")),
        with(
            asked("alice", "read", "record-1"),
            "context",
            "x",
            json!({ "__extn": { "fn": "ip", "arg": "x" } }),
        ),
    ] {
        let answer = point.evaluate(&body);
        let context = &answer["context"];
        assert_eq!(
            (&answer["decision"], &context["reason"], &context["recorded"]),
            (&json!(false), &json!("evaluation_error"), &json!(true)),
            "{answer:#}"
        );
    }
}
