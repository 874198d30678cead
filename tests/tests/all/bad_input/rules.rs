//! Well-formed statements that break a rule.

use countersign_tests::harness::{ORIGIN, System, execution, issuer_name, operator, register};
use countersign_tests::statements::{self, Issuer};
use countersign_verifier::checkpoint::Origin;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::statement::{Kind, Statement, Subject};
use serde_json::{Value, json};

use super::{Trials, requester};
use crate::parties::Parties;
use crate::submitting::submit;
use crate::tree;

#[test]
fn issuers_who_may_not() {
    let system = System::start();
    let issuer = requester(&system);
    let operator = operator(&system);
    let enforcer = register(&system, "enforcer", &["enforcer"]);
    let retired = register(&system, "retired", &["requester"]);
    let registration = |name: &str, key: &Issuer, roles: &[&str], status: &str| {
        use base64::Engine as _;
        let key = base64::engine::general_purpose::STANDARD.encode(key.public_key().as_bytes());
        json!({"name": name, "public_key": key, "roles": roles, "status": status})
    };
    let register = |by: &Issuer, payload: Value| {
        let name = payload["name"].as_str().unwrap().to_owned();
        by.sign(Kind::Issuer, by.claims(Subject::Issuer(issuer_name(&name))).unwrap(), payload).unwrap()
    };
    submit(&system, register(&operator, registration("retired", &retired, &["requester"], "revoked")));

    let mut trials = Trials::new(&system);
    let intent = |by: &Issuer| {
        by.state(Kind::Intent, &execution("who"), None, Value::Object(statements::request())).unwrap()
    };
    let stranger = Issuer::generate(issuer_name("stranger")).unwrap();
    trials.statement("nobody knows", intent(&stranger), 403, "issuer-not-registered");
    let impostor = Issuer::generate(issuer.name().clone()).unwrap();
    trials.statement("another key under a known name", intent(&impostor), 403, "issuer-not-registered");
    let borrowed = Issuer::new(issuer_name("borrowed"), issuer.key().clone());
    trials.statement("a known key under another name", intent(&borrowed), 403, "issuer-not-registered");
    trials.statement("retired", intent(&retired), 403, "issuer-revoked");
    trials.statement("without the role", intent(&enforcer), 403, "role-missing");
    let own = registration("requester", &issuer, &["requester", "authority"], "active");
    trials.statement("who registers himself", register(&issuer, own), 403, "role-missing");
    let usurper = registration("usurper", &stranger, &["operator"], "active");
    trials.statement("another operator", register(&operator, usurper), 403, "operator-name");
    let resign = registration("operator", &operator, &["operator"], "revoked");
    trials.statement("an operator who resigns", register(&operator, resign), 409, "operator-self");
    // A statement of one issuer with the signature of another.
    let mut forged = intent(&issuer).into_bytes();
    let signature = forged.len() - 64;
    forged[signature..].copy_from_slice(intent(&stranger).statement().signature().as_bytes());
    trials.cose("somebody else's signature", forged, 400, "signature-invalid");
    trials.finish(6);
}

#[test]
fn steps_that_do_not_follow() {
    let system = System::start();
    let parties = Parties::register(&system);
    let done = parties.execute(&system, "done");
    let (open, other) = (execution("open"), execution("other"));
    let intent = submit(&system, parties.intent(&open));
    let denial = submit(&system, parties.decision(&open, "deny", intent.id(), done.policy.id()));
    let authorization = submit(&system, parties.authorization(&open, json!({})));
    submit(&system, parties.outcome(&open, authorization.id()));

    let mut trials = Trials::new(&system);
    let genesis = tree::rehash(&system).1.remove(0);
    let operator = operator(&system);
    let mut payload: Value = {
        let read = Statement::parse(&genesis).unwrap();
        serde_json::from_slice(read.payload_json()).unwrap()
    };
    let origin = Origin::new(ORIGIN).unwrap();
    let again =
        operator.sign(Kind::Genesis, operator.claims(Subject::Log(origin)).unwrap(), payload.take()).unwrap();
    trials.statement("a second genesis", again, 409, "genesis-again");
    let nowhere = LeafHash::of(b"nowhere");
    trials.statement("an outcome of nothing", parties.outcome(&open, nowhere), 422, "reference-unresolved");
    trials.statement("an outcome of an intent", parties.outcome(&open, intent.id()), 422, "reference-kind");
    let elsewhere = parties.outcome(&other, authorization.id());
    trials.statement("an outcome of another execution", elsewhere, 422, "reference-execution");
    let second = parties.outcome(&open, authorization.id());
    trials.statement("a second outcome", second, 409, "outcome-again");
    let refs = json!({"decision": denial.id().to_string()});
    trials.statement("against a denial", parties.authorization(&open, refs), 422, "decision-denies");
    trials.statement("after the close", parties.intent(&done.id), 409, "execution-closed");
    let ran = json!({"status": "confirmed", "exit_code": 0});
    let unauthorized = parties.enforcer.state(Kind::Outcome, &open, None, ran);
    assert!(unauthorized.is_err(), "an outcome without authorization is not even a statement");
    trials.finish(7);

    // Enforcement is the one thing that may follow a close.
    let target = done.outcome.id().to_string();
    let halt = json!({"action": "quarantine", "reason": "found out later", "refs": {"target": target}});
    submit(&system, parties.overseer.state(Kind::Enforcement, &done.id, None, halt).unwrap());
}
