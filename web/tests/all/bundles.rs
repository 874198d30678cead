//! Bundles as the explorer makes them: from a log that it does not believe.

use axum::http::{StatusCode, header};
use countersign_verifier::bundle::{Bundle, MAX_ENTRIES, MEDIA_TYPE};
use countersign_verifier::lineage::LineageVerdict;
use countersign_verifier::report::{Answer, check_bundle};
use countersign_verifier::statement::Kind;
use serde_json::json;

use crate::ask::{ask, ask_with, explorer};
use crate::log::{TestLog, policy};
use crate::sample::{Issuers, sample};

#[tokio::test]
async fn every_execution_comes_in_one_file_that_checks_itself() {
    let pages = explorer(&sample());
    for (id, verdict) in [
        ("run:2026-11-23/git-log", LineageVerdict::Governed),
        ("run:2026-11-23/upload", LineageVerdict::Denied),
        ("run:2026-11-23/test", LineageVerdict::Partial),
        ("smallest/use", LineageVerdict::Partial),
        ("hostile/1", LineageVerdict::Open),
        ("run:2026-11-23/deploy", LineageVerdict::Open),
    ] {
        let answer = ask(&pages, &format!("/executions/{id}.bundle")).await;
        assert_eq!(
            (answer.status, answer.header(header::CONTENT_TYPE)),
            (StatusCode::OK, MEDIA_TYPE),
            "{id}"
        );
        let name = answer.header(header::CONTENT_DISPOSITION);
        assert!(name.starts_with("attachment; filename=\"") && name.ends_with(".bundle\""), "{name}");
        assert!(!name.contains('/') && !name.contains(':'), "{name}");
        let report = check_bundle(&answer.bytes, &policy());
        assert_ne!(report.answer(), Answer::DoesNotHold, "{report:#?}");
        assert_eq!(report.lineage.map(|judged| judged.verdict), Some(verdict), "{id}");
        let etag = answer.header(header::ETAG);
        let again =
            ask_with(&pages, &format!("/executions/{id}.bundle"), &[(header::IF_NONE_MATCH, etag)]).await;
        assert_eq!(again.status, StatusCode::NOT_MODIFIED);
    }
}

#[tokio::test]
async fn a_bundle_is_of_the_newest_head_and_the_registration_that_ruled() {
    let log = TestLog::new();
    let mut issuers = Issuers::new(&log);
    issuers.found();
    let asked = issuers.ask("grows", "execute", "true");
    log.publish();
    let pages = explorer(&log);
    let before = ask(&pages, "/executions/grows.bundle").await.bytes;
    // Far enough that the entries lie in several tiles, with the requester registered again in between.
    log.grow(300);
    issuers.register("build-agent", "requester");
    let refs = json!({"action": "halt", "reason": "enough", "refs": {"target": asked}});
    issuers.state(Kind::Enforcement, "on-call", "grows", refs);
    issuers.ask("grows", "execute", "true");
    log.publish();
    let after = ask(&pages, "/executions/grows.bundle").await.bytes;
    let entries = |bytes: &[u8]| Bundle::parse(bytes).unwrap().entries().count();
    // The overseer's registration and its halt; the second registration of the requester and its second intent.
    assert_eq!(entries(&after), entries(&before) + 4);
    assert_ne!(check_bundle(&after, &policy()).answer(), Answer::DoesNotHold);
    // The old one goes on holding: nothing was taken back.
    assert_ne!(check_bundle(&before, &policy()).answer(), Answer::DoesNotHold);
}

#[tokio::test]
async fn what_the_log_serves_falsely_makes_no_bundle() {
    let log = sample();
    log.grow(300);
    log.publish();
    let pages = explorer(&log);
    let path = "/executions/run:2026-11-23/git-log.bundle";
    assert_eq!(ask(&pages, path).await.status, StatusCode::OK);
    log.flip_tiles();
    let answer = ask(&pages, path).await;
    assert_eq!(
        (answer.status, answer.json()["type"].as_str()),
        (StatusCode::BAD_GATEWAY, Some("/errors/log-contradicts-head"))
    );
}

#[tokio::test]
async fn what_does_not_fit_into_a_file_is_refused_with_a_way_out() {
    let log = TestLog::new();
    let mut issuers = Issuers::new(&log);
    issuers.found();
    for _ in 0..=MAX_ENTRIES {
        issuers.ask("large", "execute", "true");
    }
    // Signed by somebody whom nobody registered, which a log of this project never takes.
    issuers.state(Kind::Intent, "stranger", "strange", json!({
        "subject": {"type": "agent", "id": "x"}, "action": {"name": "y"}, "resource": {"type": "z", "id": "z"}}));
    log.publish();
    let pages = explorer(&log);
    for (id, status, code) in [
        ("none/such", StatusCode::NOT_FOUND, "execution-unknown"),
        ("large", StatusCode::UNPROCESSABLE_ENTITY, "bundle-too-large"),
        ("strange", StatusCode::BAD_GATEWAY, "bundle-impossible"),
    ] {
        let answer = ask(&pages, &format!("/executions/{id}.bundle")).await;
        assert_eq!(
            (answer.status, answer.json()["type"].as_str()),
            (status, Some(format!("/errors/{code}").as_str()))
        );
        assert_eq!(answer.header(header::CONTENT_TYPE), "application/problem+json");
    }
}
