//! How an execution goes on from a permission, and how the decision point ends.

use std::time::{Duration, Instant};

use countersign_tests::harness::{Program, Witness, issuer_name, run};
use countersign_tests::statements::Issuer;
use countersign_verifier::merkle::LeafHash;
use countersign_verifier::program::keyfile;
use countersign_verifier::statement::{Kind, Payload};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use super::point::{Point, asked, with};
use crate::submitting::{json, submit};

/// An enforcement point of somebody's own: it has the answer, the trust policy and its key, and asks nobody else.
#[test]
fn a_permission_is_enough_for_an_enforcement_point_and_the_whole_is_governed() {
    let point = Point::start();
    let body = with(asked("alice", "write", "record-1"), "context", "network", json!("office"));
    let answer = point.evaluate(&body);
    let authorization = point.authorization(&answer);

    // What is authorized is what was asked, to the last member.
    let Payload::Authorization(says) = authorization.payload() else { panic!("it is an authorization") };
    let canonical = "{\"action\":{\"name\":\"write\"},\"context\":{\"network\":\"office\"},\"resource\":{\"id\":\"record-1\",\
                     \"type\":\"record\"},\"subject\":{\"id\":\"alice\",\"type\":\"user\"}}";
    assert_eq!(says.action_digest.unwrap().as_bytes(), Sha256::digest(canonical).as_slice());
    let (entry, proof) = (point.file("authorization.cose"), point.file("authorization.tlog-proof"));
    std::fs::write(&entry, authorization.bytes()).unwrap();
    std::fs::write(&proof, answer["context"]["authorization"]["proof"].as_str().unwrap()).unwrap();
    let (policy, key) = (point.system.policy_file(), point.file("authority.pub"));
    let verify = [
        "proof",
        "--policy",
        policy.to_str().unwrap(),
        "--issuer-key",
        key.to_str().unwrap(),
        "--entry",
        entry.to_str().unwrap(),
        proof.to_str().unwrap(),
    ];
    run(Program::Verify, verify).holds();
    for at in [1, authorization.bytes().len() / 2, authorization.bytes().len() - 1] {
        let mut forged = authorization.bytes().to_vec();
        forged[at] ^= 1;
        std::fs::write(&entry, &forged).unwrap();
        assert_ne!(run(Program::Verify, verify).code, Some(0), "octet {at}");
    }

    let enforcer =
        Issuer::new(issuer_name("enforcer"), keyfile::read_signing_key(&point.file("enforcer.pem")).unwrap());
    let (id, authorized) =
        (authorization.execution().unwrap().clone(), LeafHash::of(authorization.bytes()).to_string());
    let state = |kind, payload| submit(&point.system, enforcer.state(kind, &id, None, payload).unwrap());
    let verification = state(
        Kind::Verification,
        json!({ "result": "pass", "code": "ok", "mode": "cosigned", "refs": { "authorization": authorized } }),
    );
    let now = countersign_tests::clock::now().get();
    let outcome = state(
        Kind::Outcome,
        json!({
            "status": "confirmed", "started_at": now, "finished_at": now,
            "refs": { "authorization": authorized, "verification": verification.id().to_string() },
        }),
    );
    state(Kind::Close, json!({ "entries": 6, "refs": { "outcome": outcome.id().to_string() } }));
    let (code, report) = point.audit(id.as_str());
    assert_eq!((code, &report["lineage"]["verdict"]), (Some(0), &json!("governed")), "{report:#}");
}

#[test]
fn what_was_begun_is_answered_before_it_ends() {
    let mut point = Point::prepare("");
    point.expect_warning("denied in doubt");
    point.serve();
    point.wait_until_ready();
    point.system.witnesses.iter().for_each(Witness::freeze);
    let url = point.url.clone();
    let body = asked("alice", "read", "record-1").to_string();
    let asking: Vec<_> = (0..4)
        .map(|_| {
            let (url, body) = (url.clone(), body.clone());
            std::thread::spawn(move || {
                countersign_tests::harness::post(&url, "/access/v1/evaluation", "application/json", body)
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(500));
    let began = Instant::now();
    let process = point.process();
    assert_eq!(process.terminate().code(), Some(0));
    assert!(began.elapsed() < Duration::from_secs(13), "it had ten seconds");
    for one in asking {
        let answer = one.join().unwrap();
        assert_eq!(answer.status.as_u16(), 200);
        let answer = json(&answer);
        assert_eq!(answer["decision"], false, "{answer:#}");
    }
    point.system.witnesses.iter().for_each(Witness::thaw);
}
