//! A log whose data are not the newest: it must not sign a second history.

use countersign_tests::harness::{Setup, System, Witness, copy, execution, expect_code, get, post, register};
use countersign_tests::statements::{Issuer, request};
use countersign_verifier::statement::Kind;
use serde_json::Value;

use crate::submitting::taken;

fn statement(requester: &Issuer) -> Vec<u8> {
    let id = execution("history");
    requester.state(Kind::Intent, &id, None, Value::Object(request())).unwrap().into_bytes()
}

#[track_caller]
fn submit(system: &System, statement: Vec<u8>) {
    let answer = post(system.log.url(), "/entries", "application/cose", statement.clone());
    taken(system, &answer, statement);
}

#[test]
fn a_log_that_was_set_back_signs_nothing_and_says_so() {
    let setup = Setup { log_warnings: vec!["path=\"/readyz\"", "path=\"/entries\""], ..Setup::default() };
    let mut system = System::start_with(&setup);
    let requester = register(&system, "requester", &["requester"]);
    let (data, older) = (system.log.data().to_owned(), system.folder().join("older"));
    system.log.stop();
    copy(&data, &older);
    system.log.start();
    let head = system.log.published(system.policy(), 2);
    submit(&system, statement(&requester));
    submit(&system, statement(&requester));
    system.log.stop();
    let newest = system.folder().join("newest");
    std::fs::rename(&data, &newest).unwrap();
    std::fs::rename(&older, &data).unwrap();

    system.log.expect_warning("the log stops");
    system.log.start();
    let ready = get(system.log.url(), "/readyz");
    expect_code(&ready, 503, "not-ready");
    let why = String::from_utf8_lossy(&ready.body).into_owned();
    assert!(why.contains("store-older-than-witnessed") || why.contains("older"), "{why}");
    let refused = post(system.log.url(), "/entries", "application/cose", statement(&requester));
    expect_code(&refused, 503, "log-stopped");
    assert!(refused.header("retry-after").is_some());
    // What was published before is still there to be read.
    let shown = system.log.checkpoint(system.policy()).unwrap();
    assert_eq!(shown.checkpoint(), head.checkpoint());

    // With the newest data put back, it goes on as if nothing had happened.
    system.log.stop();
    std::fs::rename(&data, system.folder().join("set-aside")).unwrap();
    std::fs::rename(&newest, &data).unwrap();
    system.log.start();
    assert_eq!(get(system.log.url(), "/readyz").status.as_u16(), 200);
    submit(&system, statement(&requester));
    assert_eq!(system.size(), 5);
    crate::tree::assert_consistent(&system, head.checkpoint(), &crate::tree::rehash(&system).0);
}

#[test]
fn witnesses_sign_one_of_two_histories() {
    let setup = Setup {
        log_flags: vec!["--wait-timeout", "1s"],
        log_warnings: vec![
            "the witness does not cosign",
            "the log stops",
            "path=\"/readyz\"",
            "path=\"/entries\"",
        ],
        ..Setup::default()
    };
    let mut system = System::start_with(&setup);
    let requester = register(&system, "requester", &["requester"]);
    let (data, twin) = (system.log.data().to_owned(), system.folder().join("twin"));
    system.log.stop();
    copy(&data, &twin);
    for witness in &mut system.witnesses {
        witness.stop();
        witness.expect_warning("a log signed what it should not have");
        witness.start();
    }
    // Two machines serve one log, each from data of its own.
    system.log.start();
    let mut other = system.log.on_copy(twin, system.policy_file());
    other.start();
    let first = post(other.url(), "/entries", "application/cose", statement(&requester));
    assert_eq!(first.status.as_u16(), 201, "{}", String::from_utf8_lossy(&first.body));
    // The other one has another tree of the same size to offer, and finds nobody who would sign that.
    let second = post(system.log.url(), "/entries", "application/cose", statement(&requester));
    assert_ne!(second.status.as_u16(), 201, "a second history was cosigned");
    assert_eq!(system.size(), 2, "a second history was published");
    assert_ne!(get(system.log.url(), "/readyz").status.as_u16(), 200);
    for witness in &system.witnesses {
        // They hold the one head that they signed.
        let origin =
            countersign_verifier::checkpoint::Origin::new(countersign_tests::harness::ORIGIN).unwrap();
        let held = get(witness.url(), &format!("/{}/checkpoint", origin.hash()));
        assert_eq!(held.status.as_u16(), 200);
        let lines = String::from_utf8_lossy(&held.body).into_owned();
        assert_eq!(lines.lines().nth(1), Some("3"), "{lines}");
    }
    // Whoever was asked to sign the second one has kept the log's own signature on it.
    let evidence = |witness: &Witness| {
        std::fs::read_dir(witness.data().join("evidence")).is_ok_and(|mut kept| kept.next().is_some())
    };
    assert!(system.witnesses.iter().filter(|witness| evidence(witness)).count() >= 2);
}
