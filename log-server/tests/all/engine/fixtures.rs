//! Logs that earlier programs left. See `tests/fixtures/README.md`.

use std::path::{Path, PathBuf};
use std::process::Command;

use countersign_log::log::Log;
use countersign_verifier::merkle::{LeafHash, LeafIndex, TreeSize, verify_consistency, verify_inclusion};
use countersign_verifier::program::Exit;
use countersign_verifier::statement::{Kind, Subject, VerifiedStatement};
use serde_json::json;
use tempfile::TempDir;

use super::desk::{Desk, config, copy_folder, enter, found, register_again, request, revoke};
use super::fsck::check;
use super::store::{flush, put, raw};

/// Every format that there ever was.
const FORMATS: &[&str] = &["format-1"];
/// The one that is written now.
const NEWEST: &str = "format-1";
/// How many executions a fixture has, most of them short.
const EXECUTIONS: usize = 60;

fn file(format: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures").join(format!("{format}.tar.gz"))
}

fn unpack(format: &str) -> TempDir {
    let folder = TempDir::new().unwrap();
    let status = Command::new("tar").arg("-xzf").arg(file(format)).arg("-C").arg(folder.path()).status();
    assert!(status.unwrap().success(), "{format} cannot be unpacked");
    folder
}

#[tokio::test(flavor = "multi_thread")]
async fn logs_of_every_format_are_whole_and_go_on() {
    for format in FORMATS {
        let folder = unpack(format);
        let report = check(folder.path());
        assert_eq!((report.exit(), report.findings.as_slice()), (Exit::Holds, [].as_slice()), "{format}");
        let before = TreeSize::new(report.size).unwrap();
        assert!(report.size > 256 && !report.size.is_multiple_of(256) && report.tiles > 0, "{format}");

        let log = Log::open(config(folder.path(), "quorum none\n")).await.unwrap();
        assert!(log.stopped().is_none(), "{format}");
        let published = log.published().borrow().clone().expect("what was published is published still");
        let root = log.root(before).unwrap();
        // Its issuers were registered, so one of them can go on.
        let new = enter(&log, Desk::new(77).intent("run/after")).await;
        assert_eq!(new.index.get(), before.get(), "{format}");
        let head = log.sequenced_head().checkpoint.clone();
        for index in [0, 1, 255, 256, before.get() - 1].into_iter().filter_map(LeafIndex::new) {
            let leaf = LeafHash::of(&log.entry(index).unwrap().unwrap());
            let proof = log.inclusion_proof(index, head.size).unwrap();
            verify_inclusion(leaf, index, head.size, &proof, head.root).unwrap();
        }
        for (size, root) in [(before, root), (published.size, published.root)] {
            let proof = log.consistency_proof(size, head.size).unwrap();
            verify_consistency(size, root, head.size, head.root, &proof).unwrap();
        }
        log.shutdown().await;
        drop(log);
        assert_eq!(check(folder.path()).exit(), Exit::Holds, "{format}, after it went on");
    }
}

#[test]
fn a_database_of_a_format_to_come_is_refused_by_its_number() {
    let folder = unpack(NEWEST);
    let db = raw(folder.path());
    put(&db, "meta", b"format", &99_u32.to_be_bytes());
    drop(db);
    let error = countersign_log::store::RocksStore::open(&folder.path().join("db")).unwrap_err();
    assert!(error.to_string().contains("has format 99, this program reads"), "{error}");
}

/// Not a test: it writes the fixture of the format that is written now.
#[tokio::test(flavor = "multi_thread")]
#[ignore = "it writes a fixture"]
async fn make_the_fixture() {
    let founded = found().await;
    let log = founded.open("quorum none\n").await;
    for number in 0..EXECUTIONS {
        for statement in all_kinds(&founded.desk, &format!("run/{number}"), number % 20 == 0) {
            enter(&log, statement).await;
        }
    }
    log.shutdown().await;
    drop(log);
    let db = raw(founded.path());
    for family in ["entries", "tiles", "edge", "ids", "issuers", "marks", "meta"] {
        flush(&db, family);
    }
    drop(db);
    // What follows is in the write-ahead log alone.
    let log = founded.open("quorum none\n").await;
    for number in 0..3 {
        enter(&log, founded.desk.intent(&format!("late/{number}"))).await;
    }
    enter(&log, revoke(founded.path(), &founded.desk.key)).await;
    enter(&log, register_again(founded.path(), &founded.desk.key)).await;
    let size = log.sequenced_head().checkpoint.size;
    log.wait_cosigned(size, super::quorum::soon()).await.unwrap();
    log.shutdown().await;
    drop(log);
    let clean = TempDir::new().unwrap();
    copy_folder(founded.path(), clean.path());
    for name in std::fs::read_dir(clean.path().join("db")).unwrap().map(|file| file.unwrap().file_name()) {
        let name = name.into_string().unwrap();
        // What the database says of its own work, with the paths of this machine in it.
        if ["LOG", "LOCK", "OPTIONS"].iter().any(|aside| name.starts_with(aside)) {
            std::fs::remove_file(clean.path().join("db").join(name)).unwrap();
        }
    }
    let tar = ["--sort=name", "--owner=0", "--group=0", "--numeric-owner", "-czf"];
    let status = Command::new("tar")
        .args(tar)
        .arg(file(NEWEST))
        .arg("-C")
        .arg(clean.path())
        .arg(".")
        .status()
        .unwrap();
    assert!(status.success());
    assert!(std::fs::metadata(file(NEWEST)).unwrap().len() < 300_000);
}

/// An execution with everything that can be said of one, or with the least of it.
fn all_kinds(desk: &Desk, name: &str, whole: bool) -> Vec<VerifiedStatement> {
    let intent = desk.intent(name);
    if !whole {
        let authorization = desk.authorization(name, intent.entry_id());
        let outcome = desk.outcome(name, authorization.entry_id());
        let close = desk.close(name);
        return vec![intent, authorization, outcome, close];
    }
    let text = "permit(principal, action, resource);";
    let policy = format!("policy-of-{}", name.replace('/', "-"));
    let policies = json!([{"id": "all", "text": text}]);
    let policy = desk.state_about(
        Kind::Policy,
        Subject::Policy(policy.parse().unwrap()),
        &json!({"name": policy, "version": "1", "engine": "cedar", "policies": policies}),
    );
    let id = |statement: &VerifiedStatement| statement.entry_id().to_string();
    let refs = json!({"intent": id(&intent), "policy": id(&policy)});
    let permit = json!({"decision": "permit", "code": "permitted", "reasons": ["all"], "refs": refs});
    let permit = desk.state(Kind::Decision, name, &permit);
    let deny = json!({"decision": "deny", "code": "denied_by_policy", "refs": refs});
    let deny = desk.state(Kind::Decision, name, &deny);
    let mut authorization = request();
    authorization["refs"] = json!({"intent": id(&intent), "decision": id(&permit), "policy": id(&policy)});
    let authorization = desk.state(Kind::Authorization, name, &authorization);
    let refs = json!({"authorization": id(&authorization), "intent": id(&intent)});
    let verification = json!({"result": "pass", "code": "ok", "mode": "sequenced", "refs": refs});
    let verification = desk.state(Kind::Verification, name, &verification);
    let outcome = desk.outcome(name, authorization.entry_id());
    let close = desk.close(name);
    let enforcement =
        json!({"action": "quarantine", "reason": "a look at it", "refs": {"target": id(&outcome)}});
    let enforcement = desk.state(Kind::Enforcement, name, &enforcement);
    vec![policy, intent, permit, deny, authorization, verification, outcome, close, enforcement]
}
