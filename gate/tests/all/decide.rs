//! The decision point in front of a log that does wrong: whatever it does, nothing is permitted by it.

use std::sync::atomic::{AtomicU64, Ordering};

use countersign_gate::clock::Clock;
use countersign_gate::decide::request::Request;
use countersign_gate::decide::{Config, DecisionPoint};
use countersign_verifier::statement::{Kind, UnixSeconds};
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use tokio::sync::watch;

use crate::log::Fault;
use crate::setup::Setup;

/// A decision point that lets everybody read.
fn open(setup: &Setup) -> DecisionPoint {
    setup.configure_for(setup.log.url.as_str(), "", "[[\"true\"]]");
    let config = std::fs::read_to_string(setup.path("gate.toml")).unwrap();
    let table = "[decide]\npolicies = [\"reading.cedar\"]\ntimeout_seconds = 3\n";
    std::fs::write(setup.path("gate.toml"), format!("{config}{table}")).unwrap();
    let policy = "permit (principal, action == Action::\"read\", resource);";
    std::fs::write(setup.path("reading.cedar"), policy).unwrap();
    let config = Config::read(&setup.path("gate.toml")).unwrap();
    DecisionPoint::open(config, Clock::system(), watch::channel(false).1).unwrap()
}

fn request(action: &str) -> Request {
    let body = json!({
        "subject": { "type": "user", "id": "alice" },
        "action": { "name": action },
        "resource": { "type": "record", "id": "1" },
    });
    Request::parse(body.to_string().as_bytes()).unwrap()
}

fn decide(runtime: &Runtime, point: &DecisionPoint, action: &str) -> Value {
    serde_json::to_value(runtime.block_on(point.decide(&request(action)))).unwrap()
}

#[test]
fn nothing_that_a_lying_or_failing_log_answers_becomes_a_permission() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let setup = Setup::new();
    let point = open(&setup);
    let denied = decide(&runtime, &point, "read");
    assert_eq!(denied["context"]["reason"], "policy_not_published", "{denied:#}");
    runtime.block_on(point.publish()).unwrap();
    let is_permitted = || {
        let answer = decide(&runtime, &point, "read");
        assert_eq!(
            (&answer["decision"], &answer["context"]["reason"]),
            (&json!(true), &json!("permitted")),
            "{answer:#}"
        );
    };
    is_permitted();
    for kind in [Kind::Intent, Kind::Decision, Kind::Authorization] {
        for (fault, reason) in [
            (Fault::NoWitness, if kind == Kind::Authorization { "quorum_missing" } else { "not_recorded" }),
            (Fault::OneWitness, "quorum_missing"),
            (Fault::OtherProof, "proof_invalid"),
            (Fault::OtherEntry, "proof_invalid"),
            (Fault::OtherLog, "proof_invalid"),
            (Fault::Busy, "log_busy"),
            (Fault::Stopped, "log_failed"),
            (Fault::Refuse, "log_refused"),
            (Fault::AnswerLost, "log_failed"),
        ] {
            setup.log.fail(Some(kind), fault);
            let answer = decide(&runtime, &point, "read");
            let context = &answer["context"];
            assert_eq!(
                (&answer["decision"], &context["recorded"]),
                (&json!(false), &json!(false)),
                "{kind} {fault:?}"
            );
            assert_eq!(context["reason"], reason, "{kind} {fault:?}: {answer:#}");
            assert_eq!(context["authorization"].get("statement"), None, "{kind} {fault:?}");
        }
        setup.log.mend();
        is_permitted();
    }
    // A denial waits for no witness.
    setup.log.fail(None, Fault::NoWitness);
    let denied = decide(&runtime, &point, "write");
    assert_eq!(
        (&denied["decision"], &denied["context"]["recorded"]),
        (&json!(false), &json!(true)),
        "{denied:#}"
    );
    let execution = denied["context"]["execution"].as_str().unwrap();
    assert_eq!(setup.lineage(execution), ["intent", "decision:deny"]);
}

#[test]
fn an_authorization_that_has_ended_meanwhile_is_none() {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    let setup = Setup::new();
    drop(open(&setup));
    let config = std::fs::read_to_string(setup.path("gate.toml")).unwrap();
    std::fs::write(setup.path("gate.toml"), format!("authorization_seconds = 1\n{config}")).unwrap();
    let now = Clock::system().now().get();
    let looks = AtomicU64::new(0);
    // Each look at the clock is a second later: intent, decision, authorization, and then the answer.
    let clock = Clock::new(move || {
        let later = looks.fetch_add(1, Ordering::Relaxed);
        UnixSeconds::new(now + later).unwrap()
    });
    let config = Config::read(&setup.path("gate.toml")).unwrap();
    let point = DecisionPoint::open(config, clock, watch::channel(false).1).unwrap();
    runtime.block_on(point.publish()).unwrap();
    let answer = decide(&runtime, &point, "read");
    assert_eq!(
        (&answer["decision"], &answer["context"]["reason"]),
        (&json!(false), &json!("expired")),
        "{answer:#}"
    );
}
